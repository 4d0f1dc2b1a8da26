"""The two kinds of connections that uvicorn keeps for us, with what an ASGI application cannot ask of them.

Drop a connection without an answer or a Close frame; never send a Ping; answer an upgrade that is none
(Node's ``/start``) as plain HTTP; cut off a client that does not read.
"""

from __future__ import annotations

import asyncio
import http
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from algo.sandbox.gate import FORBIDDEN, admits
from algo.sandbox.messages import Request, Response, parsed_query

if TYPE_CHECKING:
    from algo.sandbox.host import Host
    from algo.sandbox.roles import Stream

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's line and headers; more is answered with 400."""
HEAD_TIME = 30.0
"""Seconds in which a connection's first request must have come."""
LARGEST_MESSAGE = 64 * 1024
"""Bytes of one message from a client to the hub."""
LARGEST_BACKLOG = 4 * 1024 * 1024
"""Bytes that wait for one client to read them; with more it is cut off. What it missed may be more, once."""
STALLED = 15.0
"""Seconds in which a client has read nothing of a full buffer, after which it is cut off."""

_QUIET = logging.Logger("algo.sandbox.socket")
"""A logger of no tree: the library's own records would show tokens in addresses."""
_QUIET.disabled = True


class HttpConnection(HttpToolsProtocol):
    """Keeps a request's head small, and lets the application drop the connection."""

    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; who asks for nothing is let go."""
        super().connection_made(transport)
        self.loop.call_later(HEAD_TIME, self._expect_a_request)

    def _expect_a_request(self) -> None:
        if self.cycle is None and self.transport.get_protocol() is self:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Begin a request; the application finds the transport in its state."""
        super().on_message_begin()
        self._head = 0
        self.scope["state"]["transport"] = self.transport

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._grow(len(name) + len(value))
        super().on_header(name, value)

    def _grow(self, size: int) -> None:
        self._head += size
        if self._head > LARGEST_HEAD:
            raise httptools.HttpParserError("the request's head is too large")


class StreamConnection(asyncio.Protocol):
    """A connection that asked for an upgrade: a hub's stream, or a plain request in disguise."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._host: Host = config.app.state.host  # type: ignore[union-attr]
        self._connections: set[Any] = server_state.connections
        self._machine = ServerProtocol(max_size=LARGEST_MESSAGE, logger=_QUIET)
        self._asked = False
        self._parts: list[bytes] = []
        self._stream: Stream | None = None
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._allowed = LARGEST_BACKLOG

    # What asyncio and uvicorn call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, or was dropped."""
        self._connections.discard(self)
        self.resume_writing()
        if self._stream is not None:
            self._host.forget(self)
            self._stream.lost()
        self._stream = None

    def data_received(self, data: bytes) -> None:
        """Take the request's whole head first, as uvicorn hands it over, then bytes of messages."""
        if not self._asked:
            self._asked = True
            request = _request(data)
            if not admits(request.headers):
                self._answer(FORBIDDEN)
                return
            if request.method != "GET" or _last(request.path) not in {"connect", "reconnect"}:
                self._host.soon(self._plain(request))
                return
        self._machine.receive_data(data)
        for event in self._machine.events_received():
            if isinstance(event, Handshake):
                self._open(event, _request(data))
            elif isinstance(event, Frame):
                self._take(event)
        if self._machine.parser_exc is not None:
            self.drop()
            return
        # Pongs, and the echo of a client's Close.
        self._write(b"".join(self._machine.data_to_send()))
        if self._machine.close_rcvd is not None and self._transport is not None:
            self._transport.close()

    def eof_received(self) -> None:
        """The client sends no more; asyncio closes the connection."""

    def pause_writing(self) -> None:
        """The client does not keep up: it has until the deadline."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(STALLED, self.drop)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._allowed = LARGEST_BACKLOG
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def shutdown(self) -> None:
        """The server stops."""
        self.drop()

    # What the host calls

    @property
    def stream(self) -> Stream | None:
        """The server's side of the hub's protocol, once the client has connected."""
        return self._stream

    def send(self, frames: bytes) -> None:
        """Send encoded frames. A client that has too many waiting is cut off."""
        self._write(frames)
        if self._transport is None:
            return
        waiting = self._transport.get_write_buffer_size()
        if len(frames) > LARGEST_BACKLOG:
            self._allowed = waiting + LARGEST_BACKLOG
        elif waiting > self._allowed:
            self.drop()

    def drop(self) -> None:
        """End the connection without a Close frame: Node's client throws on those."""
        if self._transport is not None:
            self._transport.abort()

    # The handshake

    def _open(self, handshake: Handshake, request: Request) -> None:
        found = self._host.connect(request)
        if isinstance(found, Response):
            self._answer(found)
            return
        response = self._machine.accept(handshake)
        self._machine.send_response(response)
        self._write(b"".join(self._machine.data_to_send()))
        if response.status_code != 101:
            found.lost()
            assert self._transport is not None
            self._transport.close()
            return
        self._stream = found
        self._host.remember(self)

    async def _plain(self, request: Request) -> None:
        response = (await self._host.answer(request)).response
        if response is None:
            self.drop()
        else:
            self._answer(response)

    def _answer(self, response: Response) -> None:
        """Answer in plain HTTP and end the connection."""
        lines = [
            f"HTTP/1.1 {response.status} {http.HTTPStatus(response.status).phrase}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers),
            "Connection: close",
        ]
        self._write("\r\n".join(lines).encode("latin1") + b"\r\n\r\n" + response.body)
        if self._transport is not None:
            self._transport.close()

    # Messages

    def _take(self, frame: Frame) -> None:
        """Collect a text message of the client; what is no text is not for a hub."""
        if frame.opcode is Opcode.TEXT or (frame.opcode is Opcode.CONT and self._parts):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                text = b"".join(self._parts).decode("utf-8", "replace")
                self._parts.clear()
                if self._stream is not None:
                    self._host.hear(self._stream, text)

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _request(head: bytes) -> Request:
    """The request of a head that uvicorn has parsed and written anew. A body is not handed over with it."""
    first, *lines = head.decode("latin1").split("\r\n")
    method, _, target = first.rpartition(" ")[0].partition(" ")
    path, _, query = target.partition("?")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Request(method, unquote(path), parsed_query(query), headers)


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].lower()
