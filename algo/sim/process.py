"""One trading process of a simulation: the production run on a machine of its own, which can die anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any

from algo.brokers.fctrading.credentials import Credentials
from algo.clock import SECOND
from algo.errors import AlgoError
from algo.journal.lock import Lock
from algo.live.core import Plan
from algo.live.machine import Machine
from algo.live.operator_port import port_file
from algo.live.trading import Setup, Trading
from algo.orders.controls import Alarm
from algo.sim.loop import OWNER, VirtualLoop
from algo.sim.network import Network
from algo.sim.storage import Disk
from algo.sim.timetable import Timetable


class SkewedClock:
    """The process's own clock: the market's, as far as the machine's clock is right. `skew` in seconds."""

    def __init__(self, loop: VirtualLoop, timetable: Timetable, base: float) -> None:
        self._loop = loop
        self._timetable = timetable
        self._base = base
        self.skew = 0.0

    def now(self) -> int:
        """Market time (ns) as the machine believes it."""
        return self._timetable.market(self._loop.time()) + round(self.skew * SECOND)

    def seconds_until(self, ns: int) -> float:
        """Virtual seconds until a market time."""
        at = self._timetable.virtual(ns - round(self.skew * SECOND))
        return max(0.0, at - self._loop.time())

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._base + self._loop.time() + self.skew


class SilentWatch:
    """No thread looks on in virtual time; the simulation itself sees a loop that hangs."""

    def __init__(self, on_hang: Callable[[float], None]) -> None:
        self.on_hang = on_hang

    def start(self) -> None:
        """Begin."""

    def beat(self) -> None:
        """The loop lives."""

    def stop(self) -> None:
        """End."""


class Process:
    """One life of the trading program. `run` is the life; `kill` ends it as ``kill -9`` would."""

    def __init__(
        self,
        number: int,
        loop: VirtualLoop,
        network: Network,
        clock: SkewedClock,
        plan: Callable[[], Plan],
        credentials: Credentials,
        folder: Path,
        seed: int,
    ) -> None:
        self.number = number
        self.clock = clock
        self.disk = Disk()
        self.trading: Trading | None = None
        self.failure: str = ""
        self.ended = asyncio.Event()
        self.ready = False
        self.dead = False
        self.on_alarm: Callable[[Alarm], None] = lambda _alarm: None
        self.on_step: Callable[[], None] = lambda: None
        self.on_message: Callable[[str], None] = lambda _text: None
        self._loop = loop
        self._network = network
        self._stop = asyncio.Event()
        self.journal = folder / "run.journal"
        chance = random.Random(f"{seed} process {number}")  # noqa: S311  repeatable on purpose
        machine = Machine(clock.wall, loop.time, chance.random, self.disk.connect, SilentWatch)
        self._setup: Callable[[], Setup] = lambda: Setup(
            plan(),
            credentials,
            journal=self.journal,
            tokens=folder / "tokens.json",
            warm_days=1,
            clock=clock,
            machine=machine,
            on_alarm=lambda alarm: None if self.dead else self.on_alarm(alarm),
            on_message=lambda _ns, name, text: None if self.dead else self.on_message(f"{name} {text}"),
            on_step=lambda: None if self.dead else self.on_step(),
        )

    def start(self) -> None:
        """Begin to live, as a task of its own."""
        context = copy_context()
        context.run(OWNER.set, self)
        context.run(self._begin)

    def _begin(self) -> None:
        self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            self.trading = Trading(self._setup())
            async with self.trading:
                self.ready = True
                await self._stop.wait()
                await self.trading.finish()
        except (AlgoError, OSError) as error:
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            self.ready = False
            self.ended.set()

    async def end(self) -> None:
        """Let it end in order."""
        self._stop.set()
        await self.ended.wait()

    async def kill(self) -> None:
        """End it at once: what was sent arrives, what was committed stays, nothing else is done any more."""
        if self.dead or self.ended.is_set():
            return
        self.die()
        await self.bury()

    def die(self) -> None:
        """From this moment on nothing that it does has any effect."""
        self.dead = True
        self.disk.dead = True
        self._network.cut_off(self)

    async def bury(self) -> None:
        """Clear away what is left of it in this program: tasks, handles, its lock."""
        stale = _text(port_file(self.journal))
        for _ in range(50):
            tasks = self._loop.tasks_of(self)
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
        journal = self.trading.journal if self.trading is not None else None
        if journal is not None:
            with contextlib.suppress(Exception):
                journal._connection.close()
            journal._lock.release()
        if stale:
            port_file(self.journal).write_text(stale)
        self.ended.set()

    @property
    def core(self) -> Any:
        """The deterministic part, while there is one."""
        return self.trading.core if self.trading is not None else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


__all__ = ["Lock", "Process", "SkewedClock"]
