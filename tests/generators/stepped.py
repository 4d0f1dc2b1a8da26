"""An engine that trades in a world, one stop after another, as a client of the sandbox does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from algo.backtest import Run
from algo.brokers.paper.brokerage import Brokerage
from algo.engine import NEVER
from algo.model import Bar, Command, TimerFired
from algo.sandbox.source import Happening, Source, Stop
from algo.sandbox.world import World


class QuietHouse(Brokerage):
    """A brokerage without customers."""

    def __init__(self, source: Source) -> None:
        super().__init__((), source.instruments, source.exchange)


def quiet(source: Source) -> World:
    """A world without customers."""
    return World(source, QuietHouse(source))


class Overheard:
    """A source whose happenings are kept for whoever listens."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.said: list[Happening] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def step(self) -> Sequence[Happening]:
        found = self._source.step()
        self.said += found
        return found


class SteppedClient:
    """Drives `run`'s engine through a world over `source`. What it sends goes straight to the exchange."""

    def __init__(self, run: Run, source: Source) -> None:
        self.engine = run.engine
        self.source = Overheard(source)
        self.world = World(self.source, QuietHouse(self.source))
        self.stops: list[Stop] = []

    def play(self) -> None:
        first = self.world.next_stop()
        assert first is not None
        self._pump(self.engine.start(first.ns))
        while (stop := self.world.next_stop()) is not None and stop.kind != "end":
            self._timers(stop.ns if stop.kind == "open" else stop.ns - 1)
            self.world.step()
            self.stops.append(stop)
            self._hear()
        self._pump(self.engine.stop(self.world.now))

    def _timers(self, until: int) -> None:
        while self.engine.next_timer <= until and self.engine.next_timer != NEVER:
            due = self.engine.next_timer
            self.world.approach(due)
            self._pump(self.engine.step(TimerFired(due)))
            if self.engine.next_timer == due:
                raise AssertionError("a timer that fires without end")

    def _hear(self) -> None:
        said, self.source.said = self.source.said, []
        bars: list[Bar] = []
        for one in said:
            if isinstance(one, Bar):
                bars.append(one._replace(symbol=self._alias(one.contract)))
            else:
                self._pump(self.engine.step(one))
        if bars:
            self._pump(self.engine.step(tuple(bars)))

    def _alias(self, code: str) -> str:
        return next((name for name in self.engine.venues if self.world.code(name) == code), code)

    def _pump(self, commands: Iterable[Command]) -> None:
        queue = list(commands)
        for command in queue:
            for event in self.source.exchange.execute(command, self.engine.now):
                queue.extend(self.engine.step(event))
