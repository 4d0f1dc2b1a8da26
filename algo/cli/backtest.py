"""``algo backtest``: a strategy over stored bars, or a saved experiment."""

from __future__ import annotations

from algo.cli import options
from algo.cli.options import described


def backtest(
    strategy: options.StrategyName,
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
    result, seconds = execution.backtested(run, experiment)
    execution.finish(result, run, experiment, console, seconds)
