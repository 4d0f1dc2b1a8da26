"""``algo backtest``: a strategy over stored bars, or a saved experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo.cli import options

if TYPE_CHECKING:
    from algo.cli.experiment import Experiment


def backtest(
    strategy: Annotated[
        str,
        typer.Argument(
            metavar="STRATEGY",
            help="file.py, file.py:Class, package.module:Class, or a saved experiment (.toml).",
        ),
    ],
    data: options.Data = None,
    from_: options.From = None,
    to: options.To = None,
    symbol: options.Symbol = None,
    unit: options.Unit = None,
    adjusted: options.Adjusted = None,
    board: options.Board = None,
    stamp: options.Stamp = None,
    width: options.Width = None,
    columns: options.Columns = None,
    actions: options.Actions = None,
    parameters: options.Parameters = None,
    cash: options.Cash = None,
    fill: options.Fill = None,
    slippage: options.Slippage = None,
    limit: options.Limit = None,
    participation: options.Participation = None,
    fees: options.Fees = None,
    margin: options.Margin = None,
    json: options.Json = None,
    report: options.Report = None,
) -> None:
    """Run a strategy over bars and show what it gave.

    A strategy that raises ends the run: what it gave so far is shown and written, the exit code is 1.
    Options that come with a saved experiment stand in place of what it says.

    \b
    Examples:
      algo backtest strategies/sma_cross.py --data VN30F1M -p fast=10 --report sma.html
      algo backtest mine.py:Breakout --data VN30F1M=bars.csv --from 2024-01-01 --json -
      algo backtest mine.py --data FPT --data HPG --cash 500_000_000 --slippage 1
      algo backtest backtests/sma_cross_demo.toml
    """
    from algo.cli import execution, screens

    experiment = described(strategy, locals())
    console = screens.console(stderr=experiment.json == "-")
    run = execution.prepared(experiment)
    result, seconds = execution.backtested(run)

    def show() -> None:
        console.print(screens.summary(result))
        console.print(f"\n{result.stats['bars']:,} bars in {seconds:.1f} s", style="dim")

    execution.finish(result, run, experiment, console.print, show)


def described(strategy: str, given: dict[str, Any]) -> Experiment:
    """The experiment that options ask for, on top of a saved one where `strategy` names a TOML file."""
    from algo.cli.experiment import Experiment, pairs, saved

    experiment = saved(Path(strategy)) if strategy.endswith(".toml") else Experiment(strategy=strategy)
    experiment.data = given["data"] or experiment.data
    experiment.parameters |= pairs(given["parameters"] or (), "-p")
    for name in ("from_", "to", "json", "report"):
        if given[name] is not None:
            setattr(experiment, name, given[name])
    for name in ("cash", "fill", "slippage", "limit", "participation", "fees", "margin", "actions"):
        if given[name] is not None:
            experiment.settings[name] = given[name]
    for name in ("symbol", "unit", "adjusted", "board", "stamp", "width"):
        if given[name] is not None:
            experiment.reading[name] = given[name]
    if given["columns"]:
        experiment.reading["columns"] = pairs(given["columns"], "--column")
    return experiment
