"""The shell around `signalr`: one connection to one hub, from the negotiation to its end.

TLS always verifies. Plain http goes to this machine only, because `Endpoints` admits nothing else. There are
no client pings; a connection on which no frame has come for `IDLE` seconds is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import DATA_OPCODES, Frame

from algo.errors import AuthError, BrokerError, ProtocolError, QueryFailed
from algo.fastconnect.addresses import is_loopback
from algo.fastconnect.signalr import LARGEST_MESSAGE, Event, SignalR
from algo.fastconnect.transport import FOREIGN, describe, read_answer

IDLE = 25.0
"""Seconds without any frame after which the socket counts as half open. The server sends one every 10."""
HANDSHAKE = 10.0
"""Seconds for the negotiation, and again for opening the socket and its first frame."""

_QUIET = logging.Logger("algo.fastconnect.socket")
"""A logger of no tree: the library's own records would show tokens in headers and addresses."""
_QUIET.disabled = True


class _Socket(ClientConnection):
    """Hands each frame over as it arrives, without the library's queue of messages."""

    on_made: Callable[[_Socket], None]
    on_frame: Callable[[bytes, bool], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.on_made(self)

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self.on_frame(bytes(event.data), event.fin)
        else:
            super().process_event(event)


class _Connect(connect):
    """Follows no redirect: a token goes to the address that it is for."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Hub:
    """One connection. `on_events` hears every batch of events, in order, on the event loop."""

    def __init__(
        self,
        url: str,
        name: str,
        client: httpx.AsyncClient,
        context: ssl.SSLContext,
        on_events: Callable[[list[Event]], None],
        *,
        idle: float = IDLE,
    ) -> None:
        self._machine = SignalR(url, name)
        self._client = client
        self._context = context
        self._on_events = on_events
        self._idle = idle
        self._socket: _Socket | None = None
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[str] = self._loop.create_future()
        self._opened = asyncio.Event()
        self._last_frame = 0.0
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def open(self, headers: Mapping[str, str]) -> None:
        """Negotiate and connect, until the server's first frame has come.

        Raises AuthError when the token is refused, ProtocolError or QueryFailed for all else.
        """
        try:
            async with asyncio.timeout(HANDSHAKE):
                sent = await self._negotiate(headers)
            async with asyncio.timeout(HANDSHAKE):
                await self._connect(sent)
                await self._first_frame()
        except InvalidStatus as error:
            status = error.response.status_code
            if status in {401, 403}:
                raise AuthError(f"the stream refused the token: HTTP {status}") from None
            raise ProtocolError(f"the stream refused the connection: HTTP {status}") from None
        except (WebSocketException, ValueError) as error:
            raise ProtocolError(f"the stream broke the handshake: {type(error).__name__}") from None
        except FOREIGN as error:
            raise QueryFailed(f"the stream cannot be reached: {describe(error)}") from None

    async def ended(self) -> str:
        """Wait for the end of the connection; why it ended."""
        return await asyncio.shield(self._end)

    async def invoke(self, method: str, *arguments: Any) -> str:
        """Call a method of the hub; the number that its `Result` will carry. Raises ProtocolError."""
        text, number = self._machine.invoke(method, *arguments)
        if self._socket is None:
            raise ProtocolError("the hub is not connected")
        try:
            async with asyncio.timeout(HANDSHAKE):
                await self._socket.send(text)
        except (ConnectionClosed, *FOREIGN) as error:
            raise ProtocolError(f"the hub could not be called: {type(error).__name__}") from None
        return number

    def pause(self) -> None:
        """Read nothing for now: the reader of the events is behind. Silence does not count meanwhile."""
        if self._socket is not None and not self._paused and not self._end.done():
            self._paused = True
            self._socket.transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._socket is not None and self._paused and not self._end.done():
            self._paused = False
            self._last_frame = self._loop.time()
            self._socket.transport.resume_reading()

    async def close(self) -> None:
        """End the connection at once. The peer learns it from TCP."""
        self._finish("closed by this program")
        if self._socket is not None:
            with contextlib.suppress(WebSocketException, *FOREIGN):
                await self._socket.wait_closed()

    # The handshake

    async def _negotiate(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Negotiate; the headers of the connection, with the cookies that the server set."""
        request = self._client.build_request("GET", self._machine.negotiate_url, headers=headers)
        response = await self._client.send(request, stream=True)
        body = await read_answer(response, 64 * 1024)
        self._machine.negotiated(response.status_code, body)
        cookies = "; ".join(f"{name}={value}" for name, value in response.cookies.items())
        return dict(headers) | ({"Cookie": cookies} if cookies else {})

    async def _connect(self, headers: Mapping[str, str]) -> None:
        url = self._machine.connect_url
        parts = urlsplit(url)
        secure: dict[str, Any] = {"ssl": self._context} if parts.scheme == "wss" else {}
        self._last_frame = self._loop.time()
        await _Connect(
            url,
            additional_headers=headers,
            user_agent_header="algo",
            compression=None,
            proxy=None if is_loopback(parts.hostname or "") else True,
            open_timeout=HANDSHAKE,
            ping_interval=None,
            close_timeout=1.0,
            max_size=LARGEST_MESSAGE,
            logger=_QUIET,
            create_connection=cast(type[ClientConnection], self._make_socket),
            **secure,
        )
        if not self._end.done():
            self._timer = self._loop.call_later(self._idle, self._check_idle)

    def _make_socket(self, *arguments: Any, **options: Any) -> _Socket:
        socket = _Socket(*arguments, **options)
        socket.on_made = self._made
        socket.on_frame = self._frame
        return socket

    def _made(self, socket: _Socket) -> None:
        """TCP stands. Frames may come from now on, before the library's own `connect` returns."""
        self._socket = socket
        self._watcher = self._loop.create_task(self._watch(socket))

    async def _first_frame(self) -> None:
        await self._opened.wait()
        if self._end.done():
            raise ProtocolError(f"the stream ended before it began: {self._end.result()}")

    # While it stands

    def _frame(self, data: bytes, last: bool) -> None:
        """Take a frame. Nothing may be raised from here: it would end in the library's own hands."""
        if self._end.done():
            return
        self._last_frame = self._loop.time()
        try:
            events = self._machine.receive(data, last=last)
            self._opened.set()
            if events:
                self._on_events(events)
        except BrokerError as error:
            self._finish(str(error))
        except Exception as error:  # noqa: BLE001  the reader's fault ends the connection, not the program
            self._finish(f"a message could not be taken: {type(error).__name__}")

    def _check_idle(self) -> None:
        # The moment itself is compared: a difference of times may round to less than the limit for ever.
        now = self._loop.time()
        due = (now if self._paused else self._last_frame) + self._idle
        if now >= due:
            self._finish(f"no frame for {now - self._last_frame:.0f} s")
        elif not self._end.done():
            self._timer = self._loop.call_at(due, self._check_idle)

    async def _watch(self, socket: _Socket) -> None:
        """Notice the end of the socket."""
        await socket.wait_closed()
        reason = "the connection was lost"
        if socket.close_code not in {None, 1006}:
            reason = f"the server closed the connection (code {socket.close_code})"
        try:
            self._machine.ended()
        except ProtocolError as error:
            reason = str(error)
        self._finish(reason)

    def _finish(self, reason: str) -> None:
        if self._end.done():
            return
        self._end.set_result(reason)
        self._opened.set()
        self._machine.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._socket.transport.abort()
