"""The network of a simulation: every connection of a process is a wire to the broker's own server code.

Faults of connections happen here: a connection that is refused, reset, silenced or slow. What the broker's
server does with a request is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from algo.sandbox.sockets import HttpConnection
from algo.sim.loop import OWNER, VirtualLoop
from algo.sim.wire import Wire

SERVER_PORT = 8000
LATENCY = 0.0005


class _Socket:
    def __init__(self, port: int) -> None:
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", self._port)


class Listener:
    """A server of a process, as `asyncio.start_server` wants it."""

    def __init__(self, network: Network, make: Callable[[], Any], port: int) -> None:
        self._network = network
        self.make = make
        self.port = port
        self.owner = OWNER.get()
        self.sockets = (_Socket(port),)

    def close(self) -> None:
        """Take no more connections."""
        self._network.listeners.pop(self.port, None)


class Link:
    """One connection of a process: whose it is, and how it was made."""

    def __init__(self, wire: Wire, owner: object, number: int) -> None:
        self.wire = wire
        self.owner = owner
        self.number = number
        self.open = True


class Network:
    """Connects processes with the server of `config`. `latency` gives the seconds that bytes take."""

    def __init__(self, loop: VirtualLoop, config: Config, latency: Callable[[], float]) -> None:
        self.links: list[Link] = []
        self.listeners: dict[int, Listener] = {}
        self.on_connect: Callable[[], BaseException | float | None] = lambda: None
        """What becomes of a connection that is asked for: an error, seconds that it takes, or None."""
        self._loop = loop
        self._config = config
        self._state = ServerState()
        self._latency = latency
        self._count = 0
        self._dead: set[int] = set()

    async def connect(
        self, make: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A connection to the broker's server, or to a listener of a process."""
        owner = OWNER.get()
        if id(owner) in self._dead:
            raise ConnectionRefusedError("this process is dead")
        listener = self.listeners.get(port)
        if port != SERVER_PORT and listener is None:
            raise ConnectionRefusedError(f"nobody listens at {host}:{port}")
        wire = Wire(self._loop, self._latency)
        if listener is None:
            fate = self.on_connect()
            if isinstance(fate, BaseException):
                await asyncio.sleep(LATENCY)
                raise fate
            await asyncio.sleep(fate or LATENCY)
            server: Any = HttpConnection(self._config, self._state, {}, self._loop)
        else:
            server = listener.make()
        client = make()
        self._count += 1
        self.links = [one for one in self.links if not one.wire.over]
        self.links.append(Link(wire, owner, self._count))
        wire.client.attach(client)
        wire.server.attach(server)
        server.connection_made(wire.server)
        client.connection_made(wire.client)
        return wire.client, client

    def listen(self, make: Callable[[], asyncio.BaseProtocol], port: int) -> Listener:
        """Take connections at `port`, or at one of the network's choosing."""
        port = port or next(p for p in range(40_000, 50_000) if p not in self.listeners)
        self.listeners[port] = Listener(self, make, port)
        return self.listeners[port]

    def cut_off(self, owner: object) -> None:
        """A process died: the broker's side of its connections ends, and nothing it still says leaves."""
        self._dead.add(id(owner))
        for link in self.links:
            if link.owner is owner:
                link.wire.die()
        for listener in [one for one in self.listeners.values() if one.owner is owner]:
            listener.close()
