"""A relay of bytes in front of a server, for what an application server cannot do to its clients.

It cuts a frame in the middle, stalls, keeps a socket half open, drops without a close, and hands bytes over
one at a time. It knows nothing of HTTP or TLS: what it breaks is what networks break.
"""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum
from types import TracebackType

_CHUNK = 65_536


class Way(Enum):
    """Direction of bytes."""

    UP = "from the client to the server"
    DOWN = "from the server to the client"


class Relay:
    """Listens on loopback and passes everything on to `port`. ``async with Relay(port) as relay``.

    A command acts on the connections that are open and on those that come later, until `mend`.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._open = {way: asyncio.Event() for way in Way}
        self._left: dict[Way, int | None] = dict.fromkeys(Way)
        self._refusing = False
        self._deaf = False
        self.largest = _CHUNK
        """The most bytes passed on at once; 1 hands over byte by byte."""
        self.port = 0

    async def __aenter__(self) -> Relay:
        self.mend()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [task for link in self._links for task in link.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.drop()

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._links)

    # What can be done to the connections

    def mend(self) -> None:
        """Pass everything on again."""
        self._left = dict.fromkeys(Way)
        self._refusing = self._deaf = False
        for way in Way:
            self._open[way].set()

    def stall(self, *ways: Way) -> None:
        """Pass nothing on in these directions (both when none is named); the bytes wait."""
        for way in ways or Way:
            self._open[way].clear()

    def cut(self, after: int, way: Way = Way.DOWN) -> None:
        """Pass so many more bytes on, then drop the connection that carried the last of them, once."""
        self._left[way] = after

    def half_open(self) -> None:
        """As when the other machine lost power: nothing passes, and no end of a connection is told."""
        self._deaf = True
        self.stall()

    def drop(self) -> None:
        """End every connection at once, without a close of TLS or WebSocket."""
        for link in list(self._links):
            link.abort()

    def refuse(self) -> None:
        """Drop what is there and everything that comes, until `mend`."""
        self._refusing = True
        self.drop()

    # The bytes

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, server_writer)
        self._links.add(link)
        link.tasks = [
            asyncio.create_task(self._pass(Way.UP, reader, server_writer, link)),
            asyncio.create_task(self._pass(Way.DOWN, server_reader, writer, link)),
        ]
        try:
            await asyncio.gather(*link.tasks, return_exceptions=True)
        finally:
            self._links.discard(link)
            link.abort()

    async def _pass(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(self.largest):
                await self._open[way].wait()
                left = self._left[way]
                if left is not None:
                    data = data[:left]
                    self._left[way] = left - len(data)
                writer.write(data)
                await writer.drain()
                if left is not None and left <= len(data):
                    self._left[way] = None
                    link.abort()
                    return
        await self._open[way].wait()
        if not self._deaf:
            with contextlib.suppress(OSError, RuntimeError):
                writer.write_eof()


class _Link:
    """One client and its own connection to the server."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers
        self.tasks: list[asyncio.Task[None]] = []

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
