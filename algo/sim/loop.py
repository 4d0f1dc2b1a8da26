"""An event loop whose time is virtual: when nothing is ready, it jumps to what is due next.

Nothing waits and nothing depends on the machine's speed, so a run with the same seed goes the same way, await
by await. The loop opens no sockets: `create_connection` asks the network that it was given.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

from algo.errors import AlgoError


class Deadlock(AlgoError):
    """Everything waits and nothing is due: the run would stand still for ever."""


class Network(Protocol):
    """Where connections come from."""

    async def connect(
        self, make: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A connection, or an OSError."""
        ...


class _Selector:
    """Lets time pass instead of waiting for sockets."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Deadlock("nothing is due any more")
        self._loop.jump(timeout)
        return []

    def close(self) -> None:
        """Nothing is open."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Time begins at 0 seconds. `network` serves connections; without one there are none."""

    def __init__(self, network: Network | None = None) -> None:
        super().__init__()
        self.network = network
        self._now = 0.0
        self._selector = _Selector(self)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        if seconds > 0:
            self._now += seconds

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none: no sockets."""

    def _write_to_self(self) -> None:
        """Nothing has to be woken: everything happens in one thread."""

    def close(self) -> None:
        """Let go of everything."""
        super().close()

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """Every name is an address."""
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str | None = None,
        port: int | None = None,
        **_: Any,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A connection through the network."""
        if self.network is None or host is None or port is None:
            raise ConnectionRefusedError("there is no network")
        return await self.network.connect(protocol_factory, host, port)
