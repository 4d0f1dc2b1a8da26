"""In-memory connections: two transports that hand bytes to each other's protocol, some time later.

A wire can be cut, stalled, or made to lose one direction, as networks do. What happens to it is decided by
whoever holds it; by itself it only delays.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

DELAY = 0.0005
_APART = 1e-7


def _descriptors() -> tuple[int, int]:
    """One at which nothing ever arrives, and one that is at its end."""
    silent, _ = os.pipe()
    over, write = os.pipe()
    os.close(write)
    return silent, over


_SILENT, _OVER = _descriptors()


class _Facts:
    """What libraries ask of the socket below a transport."""

    family = socket.AF_INET

    def __init__(self, own: tuple[str, int], peer: tuple[str, int]) -> None:
        self.own, self.peer = own, peer
        self.over = False

    def getsockname(self) -> tuple[str, int]:
        return self.own

    def getpeername(self) -> tuple[str, int]:
        return self.peer

    def fileno(self) -> int:
        """A descriptor that can be read when the connection is over, as a pool looks at it."""
        return _OVER if self.over else _SILENT

    def setsockopt(self, *_: Any) -> None:
        """There is nothing to set."""


class End(asyncio.Transport):
    """One end of a wire."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wire: Wire, peer: tuple[str, int]) -> None:
        facts = _Facts(("127.0.0.1", 1), peer)
        super().__init__({"peername": peer, "sockname": facts.own, "socket": facts, "sslcontext": None})
        self._loop = loop
        self._wire = wire
        self._facts = facts
        self._protocol: Any = None
        self._closing = False
        self._lost = False
        self._paused = False
        self._held: list[bytes] = []
        self.other: End

    def attach(self, protocol: asyncio.BaseProtocol) -> None:
        """The protocol that hears this end."""
        self._protocol = protocol

    # What protocols call

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol."""
        return self._protocol  # type: ignore[no-any-return]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another protocol takes over."""
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        if not self._closing and data:
            self._wire.carry(self, bytes(data))

    def can_write_eof(self) -> bool:
        """One direction cannot be closed alone."""
        return False

    def get_write_buffer_size(self) -> int:
        """Bytes that the other end has not taken."""
        return self._wire.waiting(self)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no limit to what a wire holds."""

    def pause_reading(self) -> None:
        """Hand over nothing until `resume_reading`."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over what waits."""
        self._paused = False
        held, self._held = self._held, []
        for data in held:
            self.deliver(data)

    def is_reading(self) -> bool:
        """Whether data are handed over."""
        return not self._paused and not self._closing

    def close(self) -> None:
        """End the connection once what was written has gone."""
        if not self._closing:
            self._closing = True
            self._wire.ended(self, None)
            self._loop.call_soon(self.lose, None)

    def abort(self) -> None:
        """End the connection at once."""
        self.close()

    # What the wire calls

    @property
    def lost(self) -> bool:
        """Whether the protocol has been told that the connection is over."""
        return self._lost

    def deliver(self, data: bytes) -> None:
        """Bytes have come."""
        if self._lost:
            return
        if self._paused:
            self._held.append(data)
        elif data:
            self._protocol.data_received(data)

    def lose(self, error: Exception | None) -> None:
        """The connection is over."""
        if not self._lost:
            self._lost = self._closing = self._facts.over = True
            self._protocol.connection_lost(error)

    def end_of_data(self) -> None:
        """The other end has closed."""
        if not self._lost:
            self._facts.over = True
            keep = self._protocol.eof_received()
            if not keep:
                self._closing = True
                self.lose(None)


class Wire:
    """Two ends. `delay` gives the seconds that the next bytes take."""

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: Callable[[], float] = lambda: DELAY) -> None:
        self._loop = loop
        self._delay = delay
        self.client = End(loop, self, ("127.0.0.1", 2))
        self.server = End(loop, self, ("127.0.0.1", 3))
        self.client.other, self.server.other = self.server, self.client
        self._arrives = {id(self.client): 0.0, id(self.server): 0.0}
        self._under_way = {id(self.client): 0, id(self.server): 0}
        self.silent: set[int] = set()
        """Ends (by id) whose bytes go nowhere: a half-open connection."""
        self.dead = False
        self.deaf: set[int] = set()
        """Ends (by id) that hear nothing, not even the end."""

    def carry(self, end: End, data: bytes) -> None:
        """Take bytes from one end to the other."""
        if id(end) in self.silent or (self.dead and end is self.client):
            return
        self._under_way[id(end)] += len(data)
        self._later(end, lambda: self._arrive(end, data))

    def _arrive(self, end: End, data: bytes) -> None:
        self._under_way[id(end)] -= len(data)
        if id(end) not in self.silent and id(end.other) not in self.deaf:
            end.other.deliver(data)

    def waiting(self, end: End) -> int:
        """Bytes under way from an end."""
        return self._under_way[id(end)]

    def ended(self, end: End, error: Exception | None) -> None:
        """An end was closed: the other one hears of it after what was sent before."""
        if id(end) not in self.silent and id(end.other) not in self.deaf and not self.dead:
            self._later(end, end.other.end_of_data)

    def reset(self) -> None:
        """Both ends lose the connection at once."""
        error = ConnectionResetError("the connection was reset")
        for end in (self.client, self.server):
            self._loop.call_soon(end.lose, error)

    def die(self) -> None:
        """The client's process is gone: what it had sent arrives, and then the server hears a reset."""
        self.dead = True
        self.deaf.add(id(self.client))
        error = ConnectionResetError("the connection was reset")
        self._later(self.client, lambda: self.server.lose(error))

    @property
    def over(self) -> bool:
        """Whether both ends have lost the connection."""
        return self.client.lost and self.server.lost

    def silence(self) -> None:
        """Neither end hears anything any more, and neither is told."""
        self.silent |= {id(self.client), id(self.server)}

    def _later(self, end: End, act: Callable[[], None]) -> None:
        """In the order in which things were sent: a loop does not keep the order of equal moments."""
        at = max(self._loop.time() + self._delay(), self._arrives[id(end)] + _APART)
        self._arrives[id(end)] = at
        self._loop.call_at(at, act)
