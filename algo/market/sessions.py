"""The sessions of a trading day, board by board.

Hours from the trading rules of HOSE and HNX; they did not change with KRX. A session is half open:
09:15:00 exactly belongs to the session that starts there. Vietnam has no daylight saving, so a time
of day is plain arithmetic.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from algo.clock import DAY, HOUR, MINUTE, at, local_date, time_of_day
from algo.market.dated import Dated
from algo.model import Board

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from algo.market.calendar import TradingCalendar


class Session(StrEnum):
    """A part of the trading day; the values are the codes of the data feed (PLO is ours)."""

    C = "C"  # closed: before the open, after the close, and days without trading
    ATO = "ATO"  # opening auction
    LO = "LO"  # continuous trading
    BREAK = "BREAK"  # lunch
    ATC = "ATC"  # closing auction
    PLO = "PLO"  # trading at the close, after it (HNX)
    PT = "PT"  # negotiated deals only
    HALT = "HALT"  # the exchange stopped trading

    @classmethod
    def _missing_(cls, value: object) -> Session | None:
        return cls.HALT if value == "H" else None


SESSIONS: tuple[Session, ...] = tuple(Session)
"""The session that stands behind each number of `session_codes`."""

Hours = tuple[tuple[int, Session], ...]


def _hours(*rows: tuple[str, Session]) -> Dated[Hours]:
    """Rows of the start as ``HH:MM`` and the session, closed before the first one."""
    starts = [(int(text[:2]) * HOUR + int(text[3:]) * MINUTE, session) for text, session in rows]
    return Dated.constant(((0, Session.C), *starts))


_HOURS: dict[Board, Dated[Hours]] = {
    Board.HOSE: _hours(
        ("09:00", Session.ATO),
        ("09:15", Session.LO),
        ("11:30", Session.BREAK),
        ("13:00", Session.LO),
        ("14:30", Session.ATC),
        ("14:45", Session.C),
    ),
    Board.HNX: _hours(
        ("09:00", Session.LO),
        ("11:30", Session.BREAK),
        ("13:00", Session.LO),
        ("14:30", Session.ATC),
        ("14:45", Session.PLO),
        ("15:00", Session.C),
    ),
    Board.UPCOM: _hours(
        ("09:00", Session.LO),
        ("11:30", Session.BREAK),
        ("13:00", Session.LO),
        ("15:00", Session.C),
    ),
    Board.DERIVATIVES: _hours(
        ("08:45", Session.ATO),
        ("09:00", Session.LO),
        ("11:30", Session.BREAK),
        ("13:00", Session.LO),
        ("14:30", Session.ATC),
        ("14:45", Session.C),
    ),
}


def day_sessions(board: Board, day: date) -> Hours:
    """The sessions of a trading day as (nanoseconds since local midnight, session), in order.

    The first row is midnight and the last is the close, both `Session.C`.
    """
    return _HOURS[board].at(day)


def session_at(board: Board, ns: int, calendar: TradingCalendar | None = None) -> Session:
    """The session at `ns` (nanoseconds since the epoch).

    Without a calendar every day counts as a trading day; with one, closed days are `Session.C`.
    """
    day = local_date(ns)
    if calendar is not None and not calendar.is_trading_day(day):
        return Session.C
    hours = day_sessions(board, day)
    return hours[bisect_right(hours, time_of_day(ns), key=_start) - 1][1]


def transitions(
    board: Board, day: date, calendar: TradingCalendar | None = None
) -> list[tuple[int, Session]]:
    """Every change of session on `day` as (nanoseconds since the epoch, new session), in order.

    Empty on a day that `calendar` says is closed.
    """
    if calendar is not None and not calendar.is_trading_day(day):
        return []
    return [(at(day, start), session) for start, session in day_sessions(board, day)[1:]]


def session_codes(
    board: Board, times: NDArray[np.int64], calendar: TradingCalendar | None = None
) -> NDArray[np.int8]:
    """The session at each of `times` (nanoseconds since the epoch) as an index into `SESSIONS`.

    The same answer as `session_at`, for a whole array at once.
    """
    import numpy as np

    local = np.asarray(times, dtype=np.int64) - at(date(1970, 1, 1))
    days = local // DAY
    of_day = local - days * DAY
    codes = np.zeros(local.shape, dtype=np.int8)
    if not local.size:
        return codes
    epoch = date(1970, 1, 1).toordinal()
    for start, stop in _eras(board, int(days.min()) + epoch, int(days.max()) + epoch):
        hours = day_sessions(board, date.fromordinal(start))
        starts = np.array([row[0] for row in hours], dtype=np.int64)
        numbers = np.array([SESSIONS.index(row[1]) for row in hours], dtype=np.int8)
        inside = (days >= start - epoch) & (days < stop - epoch)
        codes[inside] = numbers[np.searchsorted(starts, of_day[inside], side="right") - 1]
    if calendar is not None:
        unique, where = np.unique(days, return_inverse=True)
        opens = np.array([calendar.is_trading_day(date.fromordinal(int(day) + epoch)) for day in unique])
        codes[~opens[where.reshape(local.shape)]] = SESSIONS.index(Session.C)
    return codes


def _eras(board: Board, first: int, last: int) -> list[tuple[int, int]]:
    """Half-open ranges of day ordinals, from `first` to `last`, in which the hours do not change."""
    changes = [day.toordinal() for day, _ in _HOURS[board].rows if first < day.toordinal() <= last]
    edges = [first, *changes, last + 1]
    return list(pairwise(edges))


def _start(row: tuple[int, Session]) -> int:
    return row[0]
