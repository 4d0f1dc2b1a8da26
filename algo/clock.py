"""Clocks. Market time is nanoseconds since the epoch; people see it in Asia/Ho_Chi_Minh.

Vietnam has had no daylight saving time since 1975, so local time is UTC+7 without exception and
plain integer arithmetic is exact.
"""

from __future__ import annotations

import time as _time
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Protocol

NANOSECOND = 1
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

HO_CHI_MINH = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_OFFSET = 7 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()


class Clock(Protocol):
    """Where `now` comes from: the system in live, the feed in a backtest."""

    def now(self) -> int:
        """Market time in nanoseconds since the epoch."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Wall-clock time in nanoseconds since the epoch."""
        return _time.time_ns()


class SimClock:
    """A clock that is told the time. It never goes back."""

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        """The time it was last told, in nanoseconds since the epoch."""
        return self._now

    def advance(self, to: int) -> None:
        """Move to `to`; an earlier time is ignored, because market time never goes back."""
        self._now = max(self._now, to)


def to_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch of `moment`; a naive datetime is taken as Vietnamese local time."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=HO_CHI_MINH)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * 1_000


def to_datetime(ns: int) -> datetime:
    """The aware local datetime of `ns`, to the microsecond."""
    seconds, rest = divmod(ns, SECOND)
    return datetime.fromtimestamp(seconds, HO_CHI_MINH).replace(microsecond=rest // 1_000)


def local_date(ns: int) -> date:
    """The local calendar date in which `ns` lies."""
    return date.fromordinal((ns + _OFFSET) // DAY + _EPOCH)


def time_of_day(ns: int) -> int:
    """Nanoseconds since local midnight."""
    return (ns + _OFFSET) % DAY


def at(day: date, clock: time | int = 0) -> int:
    """Nanoseconds since the epoch of local `clock` (a `time`, or nanoseconds since midnight) on `day`."""
    if isinstance(clock, time):
        clock = ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND + clock.microsecond * 1_000
    return (day.toordinal() - _EPOCH) * DAY - _OFFSET + clock
