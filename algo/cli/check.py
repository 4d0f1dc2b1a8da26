"""``algo check``: does a strategy know the future?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo.cli import options
from algo.cli.options import described

if TYPE_CHECKING:
    from rich.table import Table

    from algo.research.lookahead import Difference


def check(
    strategy: options.StrategyName,
    data: options.Data = None,
    cuts: Annotated[int, typer.Option(min=1, max=1_000, help="How many shorter runs to compare with.")] = 8,
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
) -> None:
    """Find out whether a strategy looks ahead: exit code 1 when it does.

    It is run on the first bars and on all of them. What it decides up to a bar, and every value of
    its indicators, must not change as later bars are added; nor may it hold later prices, or open
    the data's files by itself.

    \b
    Examples:
      algo check strategies/sma_cross.py --data VN30F1M
      algo check mine.py --data bars.csv -p window=30 --cuts 20
    """
    from algo.cli import screens
    from algo.cli.progress import Progress, waiting
    from algo.research.lookahead import look_ahead
    from algo.research.reach import watching

    given = locals() | {"json": None, "report": None}
    experiment = described(strategy, given)
    experiment.check()
    settings = experiment.make_settings()
    console = screens.console()
    files = [path for one in experiment.data for path in _files(one)]
    with watching(files) as watched:
        loaded = experiment.load_strategy()
        watched.on = False
        with waiting("Reading the data"):
            series = experiment.load_data()
        watched.on = True
        with Progress(f"Checking {loaded.__name__}", cuts + 2, "runs") as progress:
            found = look_ahead(
                loaded,
                series,
                parameters=experiment.parameters,
                settings=settings,
                cuts=cuts,
                on_progress=progress,
            )
    if not found and not watched.opened:
        console.print(
            f"{loaded.__name__} does not look ahead: {cuts} cuts, the same decisions and indicators."
        )
        return
    if found:
        console.print(differences(found))
    for path, line in watched.opened.items():
        where = f" at {line}" if line else ""
        console.print(
            f"It opens {path} by itself{where}: all of it can be read there.", style="red", soft_wrap=True
        )
    typer.echo(
        f"{loaded.__name__} knows what it cannot know yet: its results are not to be believed.", err=True
    )
    raise typer.Exit(1)


def differences(found: list[Difference]) -> Table:
    """The first difference of each kind, one row each."""
    from rich.table import Table
    from rich.text import Text

    from algo.data.series import stamp

    table = Table(title="Look-ahead", title_style="bold", title_justify="left", header_style="dim", box=None,
                  padding=(0, 2, 0, 0))  # fmt: skip
    for name in ("What", "When", "On the first bars", "On all bars"):
        table.add_column(name)
    for one in found:
        when = stamp(one.ns) if one.ns else ""
        known = Text(one.before).append(f"\n{one.bars:,} bars", style="dim")
        table.add_row(Text(one.what, style="red"), when, known, Text(one.after))
    return table


def _files(source: str) -> list[Any]:
    """The files behind a source of data, as far as the person named them."""
    _, _, file = source.partition("=")
    found = [path for path in (Path(source), Path(file)) if str(path) != "." and path.exists()]
    return [one for path in found for one in ([path] if path.is_file() else sorted(path.iterdir()))]
