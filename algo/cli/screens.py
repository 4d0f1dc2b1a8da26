"""What a finished run looks like in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.columns import Columns
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from algo.report.warnings import together

if TYPE_CHECKING:
    from algo.report.page import Shown
    from algo.result import Result

_MOODS = {"gain": "green", "loss": "red", "": ""}
_WARNINGS = 12  # lines of each
_SYMBOLS = 6
_COSTS = 12
_FIGURES = (  # all of them are in --json and --report
    "opening", "closing", "net_profit", "return_pct", "cagr_pct",
    "volatility_pct", "sharpe", "sortino", "calmar", "max_drawdown_pct", "exposure_pct",
    "trades", "win_rate_pct", "profit_factor", "expectancy", "best_trade", "worst_trade",
)  # fmt: skip


def console(*, stderr: bool = False) -> Console:
    """Where people read: plain text when it is not a terminal."""
    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def summary(result: Result) -> Group:
    """Who ran on what, the figures by group, costs and warnings."""
    from algo.report.page import groups

    shown = groups({name: result.stats[name] for name in _FIGURES if name in result.stats})
    tables = [_figures(name, figures) for name, figures in shown.items()]
    parts: list[Any] = [
        _headline(result),
        Padding(Columns(tables, padding=(0, 3)), (1, 0, 0, 0)),
        _costs(result),
    ]
    if result.warnings:
        parts += ["", _warnings(list(result.warnings))]
    return Group(*parts)


def _headline(result: Result) -> Text:
    text = Text(result.strategy, style="bold")
    given = ", ".join(f"{name}={value}" for name, value in result.parameters.items())
    if given:
        text.append(f"({given})", style="not bold")
    for facts in result.data[:_SYMBOLS]:
        first, last = (str(facts[name])[:10] for name in ("from", "to"))
        line = f"\n{facts['symbol']}  {facts['bars']:,} bars of {facts['width']}, {first} to {last}"
        text.append(line, style="not bold dim")
    if len(result.data) > _SYMBOLS:
        text.append(f"\nand {len(result.data) - _SYMBOLS} more symbols", style="not bold dim")
    return text


def _figures(title: str, figures: list[Shown]) -> Table:
    table = Table(
        box=None,
        title=title,
        title_style="bold",
        title_justify="left",
        show_header=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column(style="dim")
    table.add_column(justify="right")
    for one in figures:
        table.add_row(one.label, Text(one.text, style=_MOODS[one.mood]))
    return table


def _costs(result: Result) -> Table:
    from algo.report.page import costs

    table = Table(box=None, title="Costs", title_style="bold", title_justify="left", padding=(0, 2, 0, 0))
    table.add_column("Symbol", header_style="dim")
    for name in ("Fees, đ", "Taxes, đ", "Together, đ", "Traded, đ", "‱ of it"):
        table.add_column(name, justify="right", header_style="dim")
    rows = costs(result)
    for name, cells in [*rows[:_COSTS], *rows[max(len(rows) - 1, _COSTS) :]]:
        table.add_row(name, *cells)
    return table


def _warnings(warnings: list[str]) -> Group:
    head = Text(f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}", style="bold yellow")
    table = Table.grid(padding=(0, 1))
    lines = together(warnings, named=2)
    for text in lines[:_WARNINGS]:
        table.add_row("•", Text(text))
    if len(lines) > _WARNINGS:
        table.add_row("•", Text(f"and {len(lines) - _WARNINGS} more, in --json and --report"))
    return Group(head, table)
