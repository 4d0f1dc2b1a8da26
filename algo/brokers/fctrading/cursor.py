"""Which stream messages are new, and from where to resume. Pure.

Every message has a notify id, a number of the day that is shared by all of the broker's customers: gaps are
normal. Ids start again on each trading day, at an hour that is not known. So an id of 0 says nothing, and a
message of an earlier day says nothing of today's ids: neither moves the cursor.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from algo.brokers.fctrading.events import OrderErrorEvent, StreamEvent, UnknownEvent
from algo.clock import DAY, at, local_date

LIVE_ONLY = "-1"
FROM_START_OF_DAY = "0"
_MILLISECOND = 1_000_000


class Position(NamedTuple):
    """The last message that was applied: its trading day and its id. Kept by the caller, over restarts."""

    day: date
    last: int


class Cursor:
    """Sorts out duplicates and remembers the last good id.

    A message is known by its id, its kind and the moment that it names itself, else the day of its arrival.
    This is finer than (trading day, id): when the broker's counter starts again, new messages that reuse an
    old id are not taken for duplicates. Late messages with a lower id are new as long as they were not seen.
    """

    def __init__(self, start: Position | None = None, *, live_only: bool = False) -> None:
        self._position = start
        self._live_only = live_only
        self._seen: set[tuple[object, ...]] = set()
        self._before: set[tuple[object, ...]] = set()
        self._day = start.day if start else date.min
        self._begins = self._ends = 0
        self._stepped_back = False

    @property
    def position(self) -> Position | None:
        """The last good id, or None when there was none."""
        return self._position

    def resume(self, now: int) -> str:
        """The `NotifyID` header for a connection made at `now` (nanoseconds since the epoch).

        The last good id of the same day; else the start of the day, so that nothing is missed, except for the
        first connection of a stream that wants live messages only. After ids have stepped back the counter
        may have started again, so that only the start of the day is sure.
        """
        if self._position is not None and self._position.day == local_date(now) and not self._stepped_back:
            return str(self._position.last)
        return LIVE_ONLY if self._live_only else FROM_START_OF_DAY

    def connected(self) -> None:
        """A connection stands: from now on a gap is a loss, also for a stream that began live."""
        self._live_only = self._stepped_back = False

    def take(self, event: StreamEvent, now: int) -> bool:
        """Whether `event`, received at `now` (nanoseconds since the epoch), is new. Moves the cursor."""
        if not self._begins <= now < self._ends:
            self._turn(local_date(now))
        day = self._day
        key = _key(event, day)
        if key is not None:
            if key in self._seen or key in self._before:
                return False
            self._seen.add(key)
        if event.notify_id > 0 and not 0 < event.time * _MILLISECOND < self._begins:
            last = self._position
            if last is not None and last.day == day and event.notify_id < last.last:
                self._stepped_back = True
            self._position = Position(day, event.notify_id)
        return True

    def _turn(self, day: date) -> None:
        """A new day by the clock. Yesterday's messages may still be replayed, so they are kept for a day."""
        if day != self._day:
            self._before, self._seen = self._seen, set()
        self._day, self._begins = day, at(day)
        self._ends = self._begins + DAY


def _key(event: StreamEvent, day: date) -> tuple[object, ...] | None:
    """What tells this message from all others; None when nothing does and it must be passed on."""
    moment: object = event.time or day
    if event.notify_id > 0:
        kind = event.type.lower() if isinstance(event, UnknownEvent) else type(event)
        return (kind, event.notify_id, moment)
    if isinstance(event, OrderErrorEvent):
        return (OrderErrorEvent, event.unique_id, event.code, event.message, moment)
    return None
