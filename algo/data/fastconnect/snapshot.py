"""What a symbol costs now, as far as REST tells it: the day's limits and totals, and the last minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from algo.clock import at, local_date
from algo.data.fastconnect.client import DataClient
from algo.errors import DataError

LOOK_BACK = 14
"""Days to look back for the last trading day: the longest closure is shorter."""


@dataclass(frozen=True)
class Snapshot:
    """Prices as the market shows them; `ns` is the minute or day that `last` is of. None is not told."""

    symbol: str
    day: date
    ns: int
    last: float
    reference: float | None
    ceiling: float | None
    floor: float | None
    open: float | None
    high: float | None
    low: float | None
    volume: int | None

    @property
    def change(self) -> float | None:
        """`last` less the reference price."""
        return None if self.reference is None else self.last - self.reference


async def snapshot(client: DataClient, symbol: str, now: int) -> Snapshot:
    """The symbol's last trading day until `now`. Raises DataError when it did not trade lately."""
    name = symbol.strip().upper()
    today = local_date(now)
    days = await client.day_prices(name, today - timedelta(days=LOOK_BACK), today)
    told = max(days, key=lambda one: one.day, default=None)
    last_day = told.day if told is not None else today
    minutes = await client.minute_bars(name, last_day, today)
    minute = max(minutes, key=lambda one: (one.day, one.time), default=None)
    if minute is not None and (told is None or minute.day > told.day):
        told = None  # the day's own row is not there yet
    day = minute.day if minute is not None else last_day
    last = minute.close if minute is not None else (told.close if told is not None else None)
    if last is None:
        raise DataError(f"the data service has no price of {name} in the last {LOOK_BACK} days")
    todays = [one for one in minutes if one.day == day]
    return Snapshot(
        symbol=name,
        day=day,
        ns=at(day, minute.time if minute is not None else 0),
        last=last,
        reference=told.reference if told is not None else None,
        ceiling=told.ceiling if told is not None else None,
        floor=told.floor if told is not None else None,
        open=(told.open if told is not None else None) or (todays[0].open if todays else None),
        high=(told.high if told is not None else None)
        or max((one.high for one in todays if one.high is not None), default=None),
        low=(told.low if told is not None else None)
        or min((one.low for one in todays if one.low is not None), default=None),
        volume=(told.volume if told is not None else None)
        or (sum(one.volume or 0 for one in todays) if todays else None),
    )
