"""A live core driven through the loop of a backtest: the same market, without sockets, recorded or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algo.backtest import load
from algo.brokers.paper import FillRules
from algo.data.feed import BarFeed
from algo.live.core import Core, Plan, Seat
from algo.live.log import RunLog
from algo.live.record import START, STOP, Record
from algo.orders.controls import ControlSettings
from algo.simulation import Simulation
from algo.strategy import Strategy

SEAT = "trader"
CASH = 1_000_000_000


class Engine:
    """A core as a simulation sees an engine; every step is recorded."""

    def __init__(self, core: Core, record: Record, log: RunLog | None = None) -> None:
        self.core, self.record, self.log = core, record, log
        self.last: tuple[Any, ...] = ()
        self.failures: list[Any] = []
        self.steps: list[tuple[Any, list[Any]]] = []

    @property
    def now(self) -> int:
        return self.core.engine.now

    @property
    def next_timer(self) -> int:
        return self.core.engine.next_timer

    def start(self, ns: int) -> list[Any]:
        return self._kept(START, self.core.start(ns))

    def stop(self, ns: int) -> list[Any]:
        return self._kept(STOP, self.core.stop(ns))

    def step(self, event: Any) -> list[Any]:
        if event.__class__ is tuple:
            self.last = event
        return self._kept(event, self.core.step(event))

    def _kept(self, event: Any, step: Any) -> list[Any]:
        self.record.step(self.core.engine.now, event, step)
        if self.log is not None:
            self.log.step(self.core.engine.now, event, step, self.core)
        self.steps.append((event, step.commands))
        return step.commands

    def run(self, moments: Any) -> tuple[Any, int]:
        for moment in moments:
            return self.step(moment), 1
        return (), 0


def plan_of(strategy: type[Strategy], data: Any, parameters: Mapping[str, Any] | None = None) -> Plan:
    """A plan that trades what the data have, with controls that a made-up market does not meet."""
    feed = BarFeed(load(data))
    accounts = {instrument.account for instrument in feed.instruments.values()}
    return Plan(
        [Seat(SEAT, strategy, parameters or {}, dict.fromkeys(accounts, CASH))],
        list(feed.instruments),
        feed.days[0],
        width=next(iter(feed.series.values())).width,
        contracts=feed.instruments,
        days=feed.days,
        controls=ControlSettings(collar=1.0, repeat=0, open_orders=10_000, refusals=10_000, loops=10_000),
    )


def played(
    plan: Plan, data: Any, record: Record | None = None, log: RunLog | None = None
) -> tuple[Core, Engine]:
    """Go through the data with a core whose strategies are awake and whose broker agrees."""
    core = Core(plan)
    core.wake()
    core.controls.ready = ""
    feed = BarFeed(load(data))
    engine = Engine(core, record or Record(None), log)
    if log is not None:
        log.begin(feed.events[0].ns, core)
    ledger = core.engine.desks[SEAT].ledger
    simulation = Simulation(engine, ledger, feed, FillRules())  # type: ignore[arg-type]
    simulation.run()
    return core, engine


def fills_of(core: Core) -> list[tuple[Any, ...]]:
    """Everything that was booked, apart from names."""
    return [
        (f.ns, f.order_id, f.symbol, f.side, f.units, f.quantity, f.fee, f.tax, f.exit_reason)
        for f in core.engine.desks[SEAT].ledger.fills
    ]
