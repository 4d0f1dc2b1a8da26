"""The live feed: it stays connected, subscribes again after every break, and completes minute bars.

Read it as events: ``async for event in feed``, while `run` runs beside it. What is missed in a break is not
sent again: after `FeedRestored`, a reader who needs every bar fetches those of the break over REST.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import httpx

from algo.clock import SECOND
from algo.data.fastconnect.channels import Channel, Channels
from algo.data.fastconnect.decode import Decoder
from algo.data.fastconnect.events import BarSoFar, Decoded, FeedEvent, FeedLost, FeedRestored, Notice, Unread
from algo.data.fastconnect.minutes import MinuteBars
from algo.errors import BrokerError
from algo.fastconnect.hub import IDLE, Hub
from algo.fastconnect.secret import Secret
from algo.fastconnect.signalr import Event, Invocation, Result, ServerError, Unrecognised
from algo.fastconnect.stream import HubStream
from algo.fastconnect.wire import plain
from algo.model import Bar

HUB = "FcMarketDataV2Hub"
SUBSCRIBE = "SwitchChannels"


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


class FastConnectFeed(HubStream[FeedEvent]):
    """Live market data. `run` keeps it connected; iterate to read it; `subscribe` at any time."""

    hub = HUB
    most_waiting = 100_000

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
        """As `HubStream`."""
        super().__init__(url, client, context, wall=wall, random=random, idle=idle)
        self._tokens = tokens
        self._channels = Channels()
        self._decoder = Decoder()
        self._minutes: BarMaker = bars if bars is not None else MinuteBars()
        self._timer: asyncio.TimerHandle | None = None
        self._calls: dict[str, str] = {}

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

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        try:
            await super().run()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def __aiter__(self) -> AsyncIterator[FeedEvent]:
        """Events in the order in which they came, until `run` has ended and everything was read."""
        while await self._arrived():
            while self._items:
                yield self._items.popleft()
            self._read_on()

    # One connection

    async def _token(self) -> Secret:
        return await self._tokens.token()

    def _token_refused(self, token: Secret) -> None:
        self._tokens.token_refused(token)

    def _headers(self) -> Mapping[str, str]:
        self._calls.clear()
        return {}

    async def _begun(self, hub: Hub) -> None:
        for text in self._channels.texts:
            await self._call(hub, text)

    async def _call(self, hub: Hub, text: str) -> None:
        self._calls[await hub.invoke(SUBSCRIBE, text)] = text

    def _restored(self) -> FeedEvent:
        self._decoder.books.clear()
        return FeedRestored(self._wall(), self._channels.texts)

    def _lost(self, reason: str) -> FeedEvent:
        return FeedLost(reason, self._wall())

    def _heard(self, event: Event) -> None:
        if isinstance(event, Result):
            text = self._calls.pop(event.number, "a call")
            if event.error:
                self._put(Notice(f"the market feed refused {text}: {plain(event.error)}"))
        elif isinstance(event, ServerError):
            self._put(Notice(f"the market feed reports: {event.text}"))
        elif isinstance(event, Unrecognised):
            self._put(Unread("", "the frame is not known", event.raw))

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
