"""``algo data``: import, list and show bars, and make a demo market."""

from __future__ import annotations

from typing import Annotated

import typer

from algo.cli.progress import waiting

app = typer.Typer(no_args_is_help=True, help="Import, list and show market data, or make some up.")


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same bars.")] = 1,
    days: Annotated[int, typer.Option(help="Trading days to make.")] = 126,
) -> None:
    """Make synthetic minute bars of VN30F1M and three shares, so that everything runs offline.

    \b
    Example:
      algo data demo --days 60
    """
    from algo.cli import screens
    from algo.data import Catalog, synthetic

    with waiting("Making a market"):
        entries = synthetic.fill(Catalog(), days=days, seed=seed)
    console = screens.console()
    for entry in entries:
        console.print(str(entry))
