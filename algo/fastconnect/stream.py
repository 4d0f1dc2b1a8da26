"""One hub, kept connected: the shell that trading stream and market feed share.

It signs in, connects, and connects again after every end, with pauses that grow until a connection has
lasted. What the hub says waits, in its order, until somebody reads it; when too much waits, nothing more is
read from the socket.
"""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, TypeVar

import httpx

from algo.errors import AuthError, BrokerError, ProtocolError
from algo.fastconnect.hub import IDLE, Hub
from algo.fastconnect.secret import Secret
from algo.fastconnect.signalr import Disconnected, Event, Invocation, Opened, ReconnectAsked, Result

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY = 30.0
"""Seconds that a connection must last to count as good, so that the next pause is short again."""

T = TypeVar("T")


class HubStream(ABC, Generic[T]):
    """What one hub says, as items of one kind. `run` keeps it connected."""

    hub: ClassVar[str]
    most_waiting: ClassVar[int] = 10_000
    """Items that may wait for the reader; beyond, nothing more is read from the socket."""

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        context: ssl.SSLContext,
        *,
        wall: Callable[[], int],
        random: Callable[[], float],
        idle: float = IDLE,
    ) -> None:
        """`wall` gives market time in nanoseconds since the epoch, `random` numbers in [0, 1) for the
        back-off, `idle` the seconds without any frame after which a connection counts as dead."""
        self._url = url
        self._client = client
        self._context = context
        self._wall = wall
        self._random = random
        self._idle = idle
        self._items: deque[T] = deque()
        self._ready = asyncio.Event()
        self._hub: Hub | None = None
        self._up: bool | None = None
        self._up_since = 0.0
        self._done = False
        self._barriers: dict[str, asyncio.Future[None]] = {}

    @property
    def connected(self) -> bool:
        """Whether messages arrive now."""
        return bool(self._up)

    @property
    def waiting(self) -> bool:
        """Whether something that came has not been read yet."""
        return bool(self._items)

    async def settled(self) -> None:
        """Until everything that the hub had sent when this was called has been taken from the socket.

        A call without a meaning is answered with an error, and the answer comes behind what was sent before
        it. Raises BrokerError when the connection ends meanwhile.
        """
        hub = self._hub
        if hub is None or not self._up:
            raise ProtocolError(f"the hub {self.hub} is not connected")
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        number = await hub.invoke("Settled")
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
            self._done = True
            self._ready.set()

    # What the kinds of streams answer

    @abstractmethod
    async def _token(self) -> Secret:
        """A token that is good now."""

    @abstractmethod
    def _token_refused(self, token: Secret) -> None:
        """The hub refused it."""

    def _headers(self) -> Mapping[str, str]:
        """Headers of a connection that is about to be made, beside its token."""
        return {}

    async def _begun(self, hub: Hub) -> None:
        """The connection stands. Raises BrokerError to give it up."""

    @abstractmethod
    def _invoked(self, call: Invocation) -> None:
        """The hub calls."""

    @abstractmethod
    def _heard(self, event: Event) -> None:
        """Anything else that the hub says."""

    @abstractmethod
    def _restored(self) -> T:
        """The item that says that the stream is up."""

    @abstractmethod
    def _lost(self, reason: str) -> T:
        """The item that says that it is down."""

    # Reading

    def _put(self, item: T) -> None:
        if not self._items:
            self._ready.set()
        self._items.append(item)

    async def _arrived(self) -> bool:
        """Wait until there are items; False when there are none and never will be."""
        while not self._items:
            if self._done:
                return False
            self._ready.clear()
            await self._ready.wait()
        return True

    def _read_on(self) -> None:
        """The reader has caught up: read from the socket again."""
        if self._hub is not None:
            self._hub.resume()

    # One connection

    async def _once(self) -> str:
        """One connection from its beginning to its end; why it ended."""
        token = None
        self._hub = None
        hub: Hub | None = None
        try:
            token = await self._token()
            hub = Hub(self._url, self.hub, self._client, self._context, self._take, idle=self._idle)
            self._hub = hub
            await hub.open({"Authorization": f"Bearer {token.reveal()}", **self._headers()})
            await self._begun(hub)
            return await hub.ended()
        except AuthError as error:
            if token is not None:
                self._token_refused(token)
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
                self._put(self._restored())
            elif isinstance(event, ReconnectAsked | Disconnected):
                raise ProtocolError("the server asked to connect again")
            elif isinstance(event, Result) and event.number in self._barriers:
                self._barriers.pop(event.number).set_result(None)
            else:
                self._heard(event)
        if len(self._items) > self.most_waiting and self._hub is not None:
            self._hub.pause()

    def _went_down(self, reason: str) -> None:
        """Report the end of a connection, or the first failure to make one; later failures are no news."""
        for barrier in self._barriers.values():
            if not barrier.done():
                barrier.set_exception(ProtocolError(f"the connection ended: {reason}"))
        self._barriers.clear()
        if self._up is not False:
            self._up = False
            self._put(self._lost(reason))
