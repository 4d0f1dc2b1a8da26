"""The trading hub: what a person is told of orders and positions, numbered, kept for the day, replayed.

Ids come from one counter for the whole house, so each person sees gaps; they start anew every day, and so
does the log. Each event is put into words once, and each frame once for all connections of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from algo.brokers.paper.statements import RequestFailed, Statement
from algo.clock import DAY, at, local_date
from algo.fastconnect.wire import whole
from algo.sandbox.hub_connection import Connection, HubError, entry, frame
from algo.sandbox.identity import TRADING, Identity
from algo.sandbox.trading_events import account_of, event_text
from algo.sandbox.world import World

HUB = "BroadcastHubV2"
LIVE_ONLY = -1
_WIDEST_GAP = 20
_ENTRIES = 100
"""Messages in a frame, at most."""

Spoil = Callable[[str, Sequence[str]], Sequence[str]]
"""The messages to a consumer as they go out."""


def _whole(_consumer_id: str, entries: Sequence[str]) -> Sequence[str]:
    return entries


class Log:
    """What one person was told today, and who listens. `ids` and `entries` belong together."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.entries: list[str] = []
        self.connections: dict[Connection, None] = {}
        self.told = 0
        """Messages since the beginning, days ago included."""
        self._full: list[str] = []

    def clear(self) -> None:
        """Begin a day."""
        self.ids.clear()
        self.entries.clear()
        self._full.clear()

    def frames(self, start: int, day: str) -> list[str]:
        """The frames of everything from place `start` on. Full ones are made once for all who ask."""
        found = []
        while start < len(self.entries):
            number, offset = divmod(start, _ENTRIES)
            end = min(start - offset + _ENTRIES, len(self.entries))
            if offset or end % _ENTRIES:
                found.append(frame(_cursor(day, end), self.entries[start:end]))
            else:
                while len(self._full) <= number:
                    first = len(self._full) * _ENTRIES
                    last = first + _ENTRIES
                    self._full.append(frame(_cursor(day, last), self.entries[first:last]))
                found.append(self._full[number])
            start = end
        return found


class TradingHub:
    """Numbers, keeps and sends. `spoil` may drop, repeat and reorder what is sent live; a replay is whole."""

    name = HUB
    scopes = TRADING

    def __init__(
        self,
        world: World,
        identity: Identity,
        *,
        seed: int = 0,
        spoil: Spoil = _whole,
    ) -> None:
        self._world = world
        self._identity = identity
        self._random = Random(seed)  # noqa: S311  repeatable on purpose
        self.spoil = spoil
        self.errors_unnumbered = False
        """Whether errors carry the id 0, as some servers send them."""
        self._logs = {name: Log() for name in identity.consumers}
        self._last = 0
        self._begins = 0
        self._day = ""

    @property
    def last_id(self) -> int:
        """The last id that was given today, 0 before the first."""
        return self._last

    def told(self, consumer_id: str) -> int:
        """How many messages a person was told so far, on all days: a count that never begins anew."""
        return self._logs[consumer_id].told

    def last_id_of(self, consumer_id: str) -> int:
        """The last id that a person was told today, 0 before the first."""
        return next((number for number in reversed(self._logs[consumer_id].ids) if number), 0)

    def skip(self, count: int) -> None:
        """Leave out ids, as if others had been told much."""
        self._last += max(count, 0)

    def restart_ids(self) -> None:
        """Begin to number anew within the day. What was told keeps its ids."""
        self._last = 0

    def tell(self, statements: Iterable[Statement]) -> None:
        """Number, keep and send, in order."""
        told: dict[str, list[str]] = {}
        for statement in statements:
            consumer = self._identity.owner(account_of(statement))
            if statement.ns >= self._begins + DAY or not self._day:
                self._flush(told)
                self._turn(statement.ns)
            self._last += self._random.randint(1, _WIDEST_GAP)
            if consumer is None:
                continue
            log = self._logs[consumer.consumer_id]
            number = 0 if self.errors_unnumbered and isinstance(statement, RequestFailed) else self._last
            words = entry(HUB, "Broadcast", event_text(statement, number, self._world))
            log.ids.append(number)
            log.entries.append(words)
            log.told += 1
            told.setdefault(consumer.consumer_id, []).append(words)
        self._flush(told)

    def warn(self, consumer_id: str, words: str) -> None:
        """Call the clients' method for errors; such messages are not kept."""
        log = self._logs[consumer_id]
        self._send(log, [entry(HUB, "Error", words)])

    # What connections call

    def cursor(self, connection: Connection) -> str:
        """Where the day's log of the person stands."""
        self._catch_day()
        return _cursor(self._day, len(self._logs[connection.consumer.consumer_id].entries))

    def join(self, connection: Connection, notify_id: str) -> None:
        """Replay from an id (0: the whole day, -1: nothing), then go on live."""
        self._catch_day()
        log = self._logs[connection.consumer.consumer_id]
        start = whole(notify_id)
        if start is not None and start >= 0 and log.ids:
            connection.catch_up(self._replay(log, start))
        log.connections[connection] = None

    def rejoin(self, connection: Connection, cursor: str, groups: str) -> None:
        """Go on after the last message that the client saw; one of another day means all of today."""
        self._catch_day()
        log = self._logs[connection.consumer.consumer_id]
        day, _, place = cursor.removeprefix("d-").partition("-")
        seen = whole(place) if day == self._day else 0 if place else None
        if seen is not None and 0 <= seen <= len(log.entries):
            connection.catch_up(log.frames(seen, self._day))
        log.connections[connection] = None

    def invoke(self, connection: Connection, method: str, arguments: list[Any]) -> str:
        """The trading hub has nothing to call."""
        raise HubError(f"'{method[:80]}' method could not be resolved.")

    def leave(self, connection: Connection) -> None:
        """Send nothing more."""
        self._logs[connection.consumer.consumer_id].connections.pop(connection, None)

    # Inside

    def _replay(self, log: Log, start: int) -> list[str]:
        if start <= 1:
            return log.frames(0, self._day)
        # Not a search: ids that were restarted within the day are not in order.
        wanted = [words for number, words in zip(log.ids, log.entries, strict=True) if number >= start]
        cursor = _cursor(self._day, len(log.entries))
        return [frame(cursor, wanted[n : n + _ENTRIES]) for n in range(0, len(wanted), _ENTRIES)]

    def _flush(self, told: dict[str, list[str]]) -> None:
        for name, entries in told.items():
            self._send(self._logs[name], list(self.spoil(name, entries)))
        told.clear()

    def _send(self, log: Log, entries: list[str]) -> None:
        if not entries or not log.connections:
            return
        cursor = _cursor(self._day, len(log.entries))
        for n in range(0, len(entries), _ENTRIES):
            words = frame(cursor, entries[n : n + _ENTRIES])
            for connection in list(log.connections):
                connection.send(words)

    def _catch_day(self) -> None:
        """The day also turns when nothing is told."""
        if not self._day or self._world.now >= self._begins + DAY:
            self._turn(self._world.now)

    def _turn(self, ns: int) -> None:
        day = local_date(ns)
        self._begins, self._day = at(day), f"{day:%Y%m%d}"
        self._last = 0
        for log in self._logs.values():
            log.clear()


def _cursor(day: str, place: int) -> str:
    return f"d-{day}-{place}"
