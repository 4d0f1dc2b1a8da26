"""The live feed: it stays connected, subscribes again after every break, and completes minute bars.

Read it as events: ``async for event in feed``, while `run` runs beside it. What is missed in a break is not
sent again: after `FeedRestored`, a reader who needs every bar fetches those of the break over REST.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import httpx

from algo.clock import SECOND
from algo.data.fastconnect.channels import Channel, Channels
from algo.data.fastconnect.decode import Decoder
from algo.data.fastconnect.events import BarSoFar, Decoded, FeedEvent, FeedLost, FeedRestored, Notice, Unread
from algo.data.fastconnect.minutes import MinuteBars
from algo.errors import AuthError, BrokerError, ProtocolError
from algo.fastconnect.hub import IDLE, Hub
from algo.fastconnect.secret import Secret
from algo.fastconnect.signalr import (
    Disconnected,
    Event,
    Invocation,
    Opened,
    ReconnectAsked,
    Result,
    ServerError,
    Unrecognised,
)
from algo.fastconnect.wire import plain
from algo.model import Bar

HUB = "FcMarketDataV2Hub"
SUBSCRIBE = "SwitchChannels"
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY = 30.0
"""Seconds that a connection must last to count as good, so that the next pause is short again."""
MOST_WAITING = 100_000
"""Events that may wait for the reader; beyond, nothing more is read from the socket."""


class BarMaker(Protocol):
    """Makes complete bars of bars so far. `MinuteBars` does it by the clock."""

    def take(self, told: BarSoFar) -> list[Bar] | None:
        """The bars that `told` completes; None when it comes too late."""
        ...

    def advance(self, now: int) -> list[Bar]:
        """The bars that are complete at market time `now`."""
        ...

    @property
    def due(self) -> int | None:
        """When `advance` will next complete one by itself, None for never."""
        ...


class Tokens(Protocol):
    """Where tokens come from: a `DataClient`."""

    async def token(self) -> Secret:
        """A token that is good now."""
        ...

    def token_refused(self, token: Secret) -> None:
        """The hub refused it."""
        ...


class FastConnectFeed:
    """Live market data. `run` keeps it connected; iterate to read it; `subscribe` at any time."""

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        client: httpx.AsyncClient,
        context: ssl.SSLContext,
        *,
        wall: Callable[[], int],
        random: Callable[[], float],
        idle: float = IDLE,
        bars: BarMaker | None = None,
    ) -> None:
        """`wall` gives market time in nanoseconds since the epoch, `random` numbers in [0, 1) for the
        back-off, `idle` the seconds without any frame after which a connection counts as dead."""
        self._url = url
        self._tokens = tokens
        self._client = client
        self._context = context
        self._wall = wall
        self._random = random
        self._idle = idle
        self._channels = Channels()
        self._decoder = Decoder()
        self._minutes: BarMaker = bars if bars is not None else MinuteBars()
        self._timer: asyncio.TimerHandle | None = None
        self._events: deque[FeedEvent] = deque()
        self._ready = asyncio.Event()
        self._hub: Hub | None = None
        self._calls: dict[str, str] = {}
        self._barriers: dict[str, asyncio.Future[None]] = {}
        self._up: bool | None = None
        self._up_since = 0.0
        self._done = False

    @property
    def connected(self) -> bool:
        """Whether data comes now."""
        return bool(self._up)

    @property
    def waiting(self) -> bool:
        """Whether something that came has not been read yet."""
        return bool(self._events)

    def doubts(self, symbol: str) -> str:
        """Why nothing should be entered on the data of `symbol`; '' when they can be trusted."""
        if not self._up:
            return "the market feed is down"
        return "the book is crossed" if self._decoder.books.doubts(symbol) else ""

    async def subscribe(self, channel: Channel | str, *symbols: str) -> None:
        """Hear `symbols` (or ALL) on `channel` too, now and after every reconnect.

        Raises SettingError for an unknown channel or an impossible symbol.
        """
        text = self._channels.add(channel, *symbols)
        if self._up and self._hub is not None:
            try:
                await self._call(self._hub, text)
            except BrokerError as error:
                # The connection is going down; the next one subscribes to everything.
                self._put(Notice(f"{text}: {error}"))

    async def settled(self) -> None:
        """Until everything that the hub had sent when this was called has been read.

        The answer to a call comes behind what was sent before it, whatever the answer is. Raises BrokerError
        when the connection ends meanwhile.
        """
        hub = self._hub
        if hub is None or not self._up:
            raise ProtocolError("the market feed is down")
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        number = await hub.invoke(SUBSCRIBE, "")
        self._barriers[number] = answered
        await answered

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
            if self._timer is not None:
                self._timer.cancel()
            self._done = True
            self._ready.set()

    async def __aiter__(self) -> AsyncIterator[FeedEvent]:
        """Events in the order in which they came, until `run` has ended and everything was read."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._hub is not None:
                self._hub.resume()
            if self._done:
                return
            self._ready.clear()
            await self._ready.wait()

    # One connection

    async def _once(self) -> str:
        """One connection from its beginning to its end; why it ended."""
        token = None
        self._hub = None
        hub: Hub | None = None
        try:
            token = await self._tokens.token()
            hub = Hub(self._url, HUB, self._client, self._context, self._take, idle=self._idle)
            self._hub = hub
            self._calls.clear()
            await hub.open({"Authorization": f"Bearer {token.reveal()}"})
            for text in self._channels.texts:
                await self._call(hub, text)
            return await hub.ended()
        except AuthError as error:
            if token is not None:
                self._tokens.token_refused(token)
            return str(error)
        except BrokerError as error:
            return str(error)
        finally:
            if hub is not None:
                await hub.close()

    async def _call(self, hub: Hub, text: str) -> None:
        self._calls[await hub.invoke(SUBSCRIBE, text)] = text

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Invocation):
                self._invoked(event)
            elif isinstance(event, Opened):
                self._up, self._up_since = True, asyncio.get_running_loop().time()
                self._decoder.books.clear()
                self._put(FeedRestored(self._wall(), self._channels.texts))
            elif isinstance(event, Result) and event.number in self._barriers:
                self._barriers.pop(event.number).set_result(None)
            elif isinstance(event, Result):
                text = self._calls.pop(event.number, "a call")
                if event.error:
                    self._put(Notice(f"the market feed refused {text}: {plain(event.error)}"))
            elif isinstance(event, ServerError):
                self._put(Notice(f"the market feed reports: {event.text}"))
            elif isinstance(event, Unrecognised):
                self._put(Unread("", "the frame is not known", event.raw))
            elif isinstance(event, ReconnectAsked | Disconnected):
                raise ProtocolError("the server asked to connect again")
        if len(self._events) > MOST_WAITING and self._hub is not None:
            self._hub.pause()

    def _invoked(self, call: Invocation) -> None:
        method = call.method.lower()
        if call.hub.lower() != HUB.lower() or method not in {"broadcast", "error"}:
            self._put(Unread(plain(call.method, 40), "the call is not known", call.arguments))
        elif method == "error":
            self._put(Notice(f"the market feed reports: {plain(' '.join(map(str, call.arguments)))}"))
        else:
            for argument in call.arguments:
                for event in self._decoder.decode(argument, self._wall()):
                    self._decoded(event)

    def _decoded(self, event: Decoded) -> None:
        if not isinstance(event, BarSoFar):
            self._put(event)
            return
        complete = self._minutes.take(event)
        if complete is None:
            self._put(Unread(Channel.BAR, "the message came after its minute was over", event))
            return
        self._put_bars(complete)
        if self._timer is None:
            self._set_timer()

    # Bars by the clock

    def _set_timer(self) -> None:
        """Wake when the next bar is complete, and once a second: market time may be set right meanwhile."""
        self._timer = None
        due = self._minutes.due
        if due is not None:
            wait = min(1.0, max(0.0, (due - self._wall()) / SECOND))
            self._timer = asyncio.get_running_loop().call_later(max(wait, 0.001), self._complete)

    def _complete(self) -> None:
        self._put_bars(self._minutes.advance(self._wall()))
        self._set_timer()

    def _put_bars(self, bars: list[Bar]) -> None:
        for bar in bars:
            self._put(bar)

    def _put(self, event: FeedEvent) -> None:
        if not self._events:
            self._ready.set()
        self._events.append(event)

    def _went_down(self, reason: str) -> None:
        """Report the end of a connection, or the first failure to make one; later failures are no news."""
        for barrier in self._barriers.values():
            if not barrier.done():
                barrier.set_exception(ProtocolError(f"the market feed ended: {reason}"))
        self._barriers.clear()
        if self._up is not False:
            self._up = False
            self._put(FeedLost(reason, self._wall()))
