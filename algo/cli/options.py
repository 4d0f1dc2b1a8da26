"""The options that several commands share, each written down once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from algo.cli.experiment import Experiment

StrategyName = Annotated[
    str,
    typer.Argument(
        metavar="STRATEGY",
        help="file.py, file.py:Class, package.module:Class, or a saved experiment (.toml).",
    ),
]

Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="SOURCE",
        help="A CSV or Parquet FILE, a SYMBOL of the catalog, or SYMBOL=FILE; repeat it for more.",
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="First day, or moment (2024-01-31T09:30)."),
]
To = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, or moment.")]
Symbol = Annotated[str | None, typer.Option(help="The symbol of a file that does not name it.")]
Unit = Annotated[
    str | None,
    typer.Option(help="Unit of the prices: dong, thousand or point. Else by their size."),
]
Adjusted = Annotated[
    bool | None,
    typer.Option(
        "--adjusted/--no-adjusted",
        help="Whether prices were adjusted for dividends and splits. Else by how many lie off the tick.",
    ),
]
Board = Annotated[
    str | None,
    typer.Option(help="HOSE, HNX, UPCOM or DERIVATIVES. Else by the symbol."),
]
Stamp = Annotated[
    str | None,
    typer.Option(help="What a bar's time marks: start or end. Else by the opening."),
]
Width = Annotated[
    str | None,
    typer.Option(help="Width of bars to have (5m, 1h, 1d); finer ones are built to it."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="ROLE=NAME", help="Name a column that is not recognised, for example close=Last."
    ),
]
Actions = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV",
        help="Dividends and splits: symbol, ex_date, dividend (đồng a share), ratio (2:1), pay_date.",
    ),
]

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "-p", "--parameter", metavar="NAME=VALUE", help="A parameter of the strategy; repeat it for more."
    ),
]
Cash = Annotated[
    str | None,
    typer.Option(
        metavar="DONG",
        help="Opening cash in đồng (default 1_000_000_000), or by account: equity=…,derivatives=…",
    ),
]
Fill = Annotated[
    str | None,
    typer.Option(
        metavar="open|close",
        help="Market orders trade at the next bar's open (default) or at this bar's close.",
    ),
]
Slippage = Annotated[
    int | None,
    typer.Option(metavar="TICKS", help="Ticks by which market and stop orders trade worse (0)."),
]
Limit = Annotated[
    str | None,
    typer.Option(
        metavar="through|touch",
        help="A limit order needs the price to trade through it (default) or to touch it.",
    ),
]
Participation = Annotated[
    str | None,
    typer.Option(metavar="SHARE", help="Largest share of a bar's volume: 0.1 (default), 10%, none."),
]
Fees = Annotated[
    str | None,
    typer.Option(metavar="vietnam|none|TOML", help="The usual fees and taxes (default), none, or a file."),
]
Margin = Annotated[
    str | None,
    typer.Option(metavar="RATE", help="Initial margin of futures, 0.17 or 17%. Else the rate of the day."),
]

Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON; - is the terminal."),
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="HTML", help="Write the report, one HTML page."),
]


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
