"""An event loop whose time is virtual: when nothing is ready, it jumps to what is due next.

Nothing waits and nothing depends on the machine's speed, so a run with the same seed goes the same way,
await by await. The loop opens no sockets: `create_connection` and `create_server` ask the network that it was
given. Tasks belong to the `OWNER` in whose context they were made, so that a simulated process can end with
all it has.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Protocol

from algo.errors import AlgoError

OWNER: ContextVar[object] = ContextVar("OWNER", default=None)
"""The simulated process to which what is done now belongs."""


class Deadlock(AlgoError):
    """Everything waits and nothing is due: the run would stand still for ever."""


class Network(Protocol):
    """Where connections come from."""

    async def connect(
        self, make: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A connection, or an OSError."""
        ...

    def listen(self, make: Callable[[], asyncio.BaseProtocol], port: int) -> Any:
        """A server at a port of the network's choosing."""
        ...


class _Selector:
    """Lets time pass instead of waiting for sockets."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Deadlock("nothing is due any more")
        self._loop.turn(timeout)
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
        self.turns = 0
        """How often the loop went round: each is a moment at which a process may die."""
        self.on_turn: Callable[[], None] | None = None
        self._tasks: dict[asyncio.Task[Any], object] = {}
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def turn(self, seconds: float) -> None:
        """The loop goes round once, after so many seconds."""
        self.jump(seconds)
        self.turns += 1
        if self.on_turn is not None:
            self.on_turn()

    def tasks_of(self, owner: object) -> list[asyncio.Task[Any]]:
        """The tasks of a process that have not ended, oldest first."""
        return [task for task, whose in self._tasks.items() if whose is owner]

    def _make_task(
        self, _loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, **options)
        self._tasks[task] = OWNER.get()
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)

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

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        _host: str | None = None,
        port: int | None = None,
        **_: Any,
    ) -> Any:
        """A server in the network."""
        if self.network is None:
            raise OSError("there is no network")
        return self.network.listen(protocol_factory, port or 0)
