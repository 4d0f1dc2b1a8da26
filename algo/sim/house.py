"""The broker's side of a simulation: the sandbox, whole, on virtual time, with every request written down.

Its brokerage is the oracle: what it accepted, filled and holds is what is true.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from algo.brokers.fctrading.signing import generate
from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.statements import Statement
from algo.sandbox.assembly import Sandbox, assemble
from algo.sandbox.host import Answer, Host
from algo.sandbox.messages import Request, Response
from algo.sandbox.recipe import Recipe
from algo.sim.market import SmallCrowd
from algo.sim.timetable import Timetable

EQUITY, DERIVATIVES = "1234561", "1234568"
CASH = 20_000_000_000
PIN = "123456"


@lru_cache(1)
def _key() -> str:
    return generate().private_text().reveal()


def recipe(seed: int) -> Recipe:
    """The broker's recipe for one seed. Only the signing key differs from process to process."""
    return Recipe("sim-consumer", "sim-secret", _key(), PIN, EQUITY, DERIVATIVES, seed=seed, cash=CASH)


class House:
    """A sandbox whose market follows a timetable. `on_request` hears what came in and what was answered."""

    def __init__(self, seed: int, source: SmallCrowd, timetable: Timetable, base: float) -> None:
        """`base` is the wall's time (seconds since the epoch) at virtual time 0."""
        self.timetable = timetable
        self.base = base
        self.notes: list[str] = []
        self.on_request: Callable[[Request, Answer | None], None] = lambda _request, _answer: None
        self.on_statements: Callable[[list[Statement]], None] = lambda _statements: None
        self.sandbox: Sandbox = assemble(
            recipe(seed), source=source, note=self.notes.append, wall=self.wall, make_host=_Host
        )
        self.host: _Host = self.sandbox.host  # type: ignore[assignment]
        self.host.house = self
        self.service = self.sandbox.service
        self.service.on_statements = self._stated
        self.world = self.sandbox.world

    def _stated(self, said: list[Statement]) -> None:
        self.on_statements(said)

    @property
    def brokerage(self) -> Brokerage:
        """The oracle."""
        return self.world.brokerage

    def wall(self) -> float:
        """The broker's own clock, in seconds since the epoch."""
        try:
            return self.base + asyncio.get_running_loop().time()
        except RuntimeError:
            return self.base

    def document(self) -> dict[str, Any]:
        """The credentials that a client needs."""
        return self.sandbox.document("http://127.0.0.1:8000")

    def catch_up(self) -> None:
        """Let the market come to where the timetable says that it is."""
        now = self.timetable.market(asyncio.get_running_loop().time())
        if now > self.world.now:
            self.world.advance(now)
            self.host.wake()

    async def run(self) -> None:
        """Keep time until cancelled."""
        loop = asyncio.get_running_loop()
        beat = 1.0
        while True:
            stop = self.world.next_stop()
            due = self.timetable.virtual(stop.ns) if stop is not None else beat
            await asyncio.sleep(max(min(due, beat) - loop.time(), 1e-4))
            self.catch_up()
            if loop.time() >= beat:
                beat = loop.time() + 1.0
                self.service.keep_alive(self.wall())


class _Host(Host):
    """Looks at the time before it answers, and tells what it was asked."""

    house: House

    async def answer(self, request: Request) -> Answer:
        self.house.catch_up()
        answer = await super().answer(request)
        self.house.on_request(request, answer)
        return answer

    def connect(self, request: Request) -> Any:
        self.house.catch_up()
        return super().connect(request)


def fields(body: bytes) -> dict[str, Any]:
    """The JSON of a body, {} when it has none."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


__all__ = ["CASH", "DERIVATIVES", "EQUITY", "PIN", "House", "Response", "fields", "recipe"]
