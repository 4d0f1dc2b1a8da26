"""History from before a run, or from while it was down: bars for the indicators, and nothing to act on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from algo.clock import local_date
from algo.data.fastconnect.client import DataClient
from algo.data.fastconnect.history import minute_series
from algo.errors import BrokerError
from algo.live.core import Core
from algo.model import Bar, BarsMissed

AT_ONCE = 500
"""Bars of one event, so that a journal's rows stay small."""


async def missed(
    core: Core, data: DataClient, days: int, now: int, on_problem: Callable[[str], None]
) -> list[BarsMissed]:
    """The minutes of the last `days` calendar days that the core's histories do not have, oldest first."""
    today = local_date(now)
    bars: list[Bar] = []
    for symbol, venue in core.engine.venues.items():
        code = venue.instrument.symbol
        try:
            rows = await data.minute_bars(code, today - timedelta(days=days), today)
        except BrokerError as error:
            on_problem(f"no history of {code}: {error}")
            continue
        found = minute_series(code, rows, now, venue.instrument.board)
        columns = (found.time, found.open, found.high, found.low, found.close, found.volume, found.start)
        last = core.histories.history(symbol, None).last("time") or 0
        bars += [
            Bar._make((symbol, *row, code))
            for row in zip(*(column.tolist() for column in columns), strict=True)
            if row[0] > last
        ]
    bars.sort(key=lambda bar: bar.ns)
    return [BarsMissed(now, tuple(bars[n : n + AT_ONCE])) for n in range(0, len(bars), AT_ONCE)]
