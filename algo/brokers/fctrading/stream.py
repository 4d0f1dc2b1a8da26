"""The trading stream: it stays connected, resumes where it was, and passes each message on once.

Read it as batches: ``async for batch in stream``. A batch holds `Delivered`, `Lost`, `Restored` and `Notice`
items in the order in which they happened. What was delivered and not yet applied is not lost with the
connection; the caller keeps `Delivered.position` once it has applied the event, and gives it back to a new
stream after a restart.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import httpx

from algo.brokers.fctrading.auth import Purpose
from algo.brokers.fctrading.cursor import Cursor, Position
from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import StreamEvent
from algo.brokers.fctrading.session import Session
from algo.errors import AuthError, BrokerError, ProtocolError
from algo.fastconnect.hub import IDLE, Hub
from algo.fastconnect.signalr import (
    Disconnected,
    Event,
    Invocation,
    Opened,
    ReconnectAsked,
    ServerError,
    Unrecognised,
)
from algo.fastconnect.wire import plain

HUB = "BroadcastHubV2"
_HUB = HUB.lower()
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY = 30.0
"""Seconds that a connection must last to count as good, so that the next pause is short again."""
MOST_WAITING = 10_000
"""Items that may wait for the reader; beyond, nothing more is read from the socket."""


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


class TradingStream:
    """Order and portfolio events of one person. `run` keeps it connected; iterate to read it."""

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
        """`wall` gives nanoseconds since the epoch, `random` numbers in [0, 1) for the back-off."""
        self._url = url
        self._session = session
        self._client = client
        self._context = context
        self._wall = wall
        self._random = random
        self._idle = idle
        self._cursor = Cursor(start, live_only=live_only)
        self._decoder = EventDecoder()
        self._items: deque[Item] = deque()
        self._ready = asyncio.Event()
        self._hub: Hub | None = None
        self._resume = ""
        self._up: bool | None = None
        self._up_since = 0.0
        self._strange = 0
        self._done = False

    @property
    def connected(self) -> bool:
        """Whether messages arrive now."""
        return bool(self._up)

    @property
    def position(self) -> Position | None:
        """The position of the last message that came in."""
        return self._cursor.position

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        try:
            while True:
                reason = await self._once()
                lasted = loop.time() - self._up_since if self._up else 0.0
                self._went_down(reason)
                failures = 0 if lasted >= STEADY else failures + 1
                await asyncio.sleep(self._random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10)))
        finally:
            self._went_down("closed by this program")
            self._done = True
            self._ready.set()

    async def __aiter__(self) -> AsyncIterator[list[Item]]:
        """Batches of items, until `run` has ended and everything was read."""
        while True:
            while not self._items:
                if self._done:
                    return
                self._ready.clear()
                await self._ready.wait()
            batch = list(self._items)
            self._items.clear()
            if self._hub is not None:
                self._hub.resume()
            yield batch

    async def _once(self) -> str:
        """One connection from its beginning to its end; why it ended."""
        token = None
        self._hub = None
        hub: Hub | None = None
        try:
            token = await self._session.token(Purpose.READ)
            self._resume = self._cursor.resume(self._wall())
            hub = Hub(self._url, HUB, self._client, self._context, self._take, idle=self._idle)
            self._hub = hub
            await hub.open({"Authorization": f"Bearer {token.reveal()}", "NotifyID": self._resume})
            return await hub.ended()
        except AuthError as error:
            if token is not None:
                self._session.token_refused(token)
            return str(error)
        except BrokerError as error:
            return str(error)
        finally:
            if hub is not None:
                await hub.close()

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Invocation):
                self._invoked(event)
            elif isinstance(event, Opened):
                self._up, self._up_since = True, asyncio.get_running_loop().time()
                self._cursor.connected()
                self._put(Restored(self._resume, self._wall()))
            elif isinstance(event, ServerError):
                self._put(Notice(f"the stream reports: {event.text}"))
            elif isinstance(event, Unrecognised):
                self._put(Notice(f"the stream sent what is not known: {plain(str(event.raw))}"))
            elif isinstance(event, ReconnectAsked | Disconnected):
                raise ProtocolError("the server asked to connect again")
        if len(self._items) > MOST_WAITING and self._hub is not None:
            self._hub.pause()

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

    def _put(self, item: Item) -> None:
        if not self._items:
            self._ready.set()
        self._items.append(item)

    def _went_down(self, reason: str) -> None:
        """Report the end of a connection, or the first failure to make one; later failures are no news."""
        if self._up is not False:
            self._up = False
            self._put(Lost(reason, self._wall()))
