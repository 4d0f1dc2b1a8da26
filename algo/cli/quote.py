"""``algo quote``: what symbols cost now, from the data service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from algo.data.fastconnect.snapshot import Snapshot


def quote(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Shares, futures or ETFs.")],
    credentials: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your keys (mode 0600). Else ALGO_CREDENTIALS, or the keyring."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the last price, the day's range and its limits.

    \b
    Examples:
      algo quote FPT VCB
      algo quote VN30F1M --json
    """
    import asyncio

    from algo.cli import screens
    from algo.clock import to_datetime

    found = asyncio.run(_snapshots(symbols, credentials))
    if json:
        from dataclasses import asdict
        from json import dumps

        facts = []
        for one in found:
            fields = asdict(one) | {"day": one.day.isoformat(), "change": one.change}
            fields["time"] = to_datetime(fields.pop("ns")).isoformat()
            facts.append(fields)
        typer.echo(dumps(facts, ensure_ascii=False, indent=2))
    else:
        screens.console().print(_table(found))


async def _snapshots(symbols: list[str], path: Path | None) -> list[Snapshot]:
    import random

    from algo.cli import broker
    from algo.clock import SystemClock
    from algo.data.fastconnect.client import DataClient
    from algo.data.fastconnect.snapshot import snapshot
    from algo.fastconnect.transport import open_client, trust

    who = broker.loaded(path)
    clock = SystemClock()
    service = DataClient(
        open_client(who.endpoints.data_url, trust(who.ca_file)),
        who.consumer_id,
        who.consumer_secret,
        wall=clock.now,
        random=random.SystemRandom().random,
    )
    try:
        now = await broker.market_now(path, who)
        return [await snapshot(service, symbol, now) for symbol in symbols]
    finally:
        await service.close()


def _table(found: list[Snapshot]) -> Any:
    from rich.table import Table

    from algo.data.series import stamp

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("Symbol")
    for name in ("Last", "Change", "Open", "High", "Low", "Floor", "Reference", "Ceiling", "Volume"):
        table.add_column(name, justify="right")
    table.add_column("Of")
    for one in found:
        prices = (one.open, one.high, one.low, one.floor, one.reference, one.ceiling)
        change = "" if one.change is None else f"{one.change:+,g}"
        cells = [_shown(price) for price in prices]
        table.add_row(one.symbol, _shown(one.last), change, *cells, _shown(one.volume), stamp(one.ns))
    return table


def _shown(value: float | None) -> str:
    """A price or quantity in full, without needless zeros; nothing when it is not told."""
    return "" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
