"""The trading stream: it stays connected, resumes where it was, and passes each message on once.

Read it as batches: ``async for batch in stream``. A batch holds `Delivered`, `Lost`, `Restored` and `Notice`
items in the order in which they happened. What was delivered and not yet applied is not lost with the
connection; the caller keeps `Delivered.position` once it has applied the event, and gives it back to a new
stream after a restart.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NamedTuple

import httpx

from algo.brokers.fctrading.auth import Purpose
from algo.brokers.fctrading.cursor import Cursor, Position
from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import StreamEvent
from algo.brokers.fctrading.session import Session
from algo.fastconnect.hub import IDLE
from algo.fastconnect.secret import Secret
from algo.fastconnect.signalr import Event, Invocation, ServerError, Unrecognised
from algo.fastconnect.stream import HubStream
from algo.fastconnect.wire import plain

HUB = "BroadcastHubV2"
_HUB = HUB.lower()


class Delivered(NamedTuple):
    """A new message. `position` is what to keep once it has been applied."""

    event: StreamEvent
    position: Position | None


class Lost(NamedTuple):
    """The stream is down since `at` (nanoseconds since the epoch): messages may be missing from here on."""

    reason: str
    at: int


class Restored(NamedTuple):
    """The stream is up since `at`; the server replays from `notify_id` ('0' the day, '-1' nothing)."""

    notify_id: str
    at: int


class Notice(NamedTuple):
    """Something that a person should know and that stops nothing."""

    text: str


Item = Delivered | Lost | Restored | Notice


class TradingStream(HubStream[Item]):
    """Order and portfolio events of one person. `run` keeps it connected; iterate to read it."""

    hub = HUB

    def __init__(
        self,
        url: str,
        session: Session,
        client: httpx.AsyncClient,
        context: ssl.SSLContext,
        *,
        wall: Callable[[], int],
        random: Callable[[], float],
        start: Position | None = None,
        live_only: bool = False,
        idle: float = IDLE,
    ) -> None:
        """As `HubStream`. `start` is the last message that was applied, `live_only` asks for no replay."""
        super().__init__(url, client, context, wall=wall, random=random, idle=idle)
        self._session = session
        self._cursor = Cursor(start, live_only=live_only)
        self._decoder = EventDecoder()
        self._resume = ""

    @property
    def position(self) -> Position | None:
        """The position of the last message that came in."""
        return self._cursor.position

    async def __aiter__(self) -> AsyncIterator[list[Item]]:
        """Batches of items, until `run` has ended and everything was read."""
        while await self._arrived():
            batch = list(self._items)
            self._items.clear()
            self._read_on()
            yield batch

    async def _token(self) -> Secret:
        return await self._session.token(Purpose.READ)

    def _token_refused(self, token: Secret) -> None:
        self._session.token_refused(token)

    def _headers(self) -> Mapping[str, str]:
        self._resume = self._cursor.resume(self._wall())
        return {"NotifyID": self._resume}

    def _restored(self) -> Item:
        self._cursor.connected()
        return Restored(self._resume, self._wall())

    def _lost(self, reason: str) -> Item:
        return Lost(reason, self._wall())

    def _heard(self, event: Event) -> None:
        if isinstance(event, ServerError):
            self._put(Notice(f"the stream reports: {event.text}"))
        elif isinstance(event, Unrecognised):
            self._put(Notice(f"the stream sent what is not known: {plain(str(event.raw))}"))

    def _invoked(self, call: Invocation) -> None:
        hub, method = call.hub.lower(), call.method.lower()
        if hub != _HUB or method not in ("broadcast", "error"):
            self._put(Notice(f"the stream called {plain(call.hub)}.{plain(call.method)}, which is not known"))
            return
        if method == "error":
            self._put(Notice(f"the stream reports: {plain(' '.join(map(str, call.arguments)))}"))
            return
        for text in call.arguments:
            event = self._decoder.decode(text)
            if self._cursor.take(event, self._wall()):
                self._put(Delivered(event, self._cursor.position))
        if self._decoder.news:
            self._put(Notice(f"the broker sends new fields: {plain(', '.join(self._decoder.told()))}"))
