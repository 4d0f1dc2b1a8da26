"""One seed: a day of trading with faults, then a quiet phase in which both sides must agree."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from algo.brokers.fctrading.credentials import Credentials, parse_document
from algo.brokers.paper.statements import NewOrder, Refused
from algo.clock import SECOND, at, time_of_day
from algo.live.core import Core, Plan, Seat
from algo.live.latch import Latch
from algo.market import Snap, snap
from algo.model import Account, OrderType, Side
from algo.orders import Limits
from algo.orders.controls import Alarm, ControlSettings
from algo.sandbox.faults import Fault
from algo.sandbox.host import Answer
from algo.sandbox.messages import Request
from algo.sandbox.server import _config
from algo.sim.day import DAY, hours_of
from algo.sim.faults import Planned, Trouble, plan_of
from algo.sim.house import House
from algo.sim.judge import Judge
from algo.sim.loop import VirtualLoop
from algo.sim.market import CAST, SmallCrowd
from algo.sim.network import LATENCY, Network
from algo.sim.process import Process, SkewedClock
from algo.sim.trace import Trace
from algo.sim.traders import Trader

BASE = 1_773_193_200.0  # 2026-03-11 08:40 in Ho Chi Minh City


class Run:
    """One seed, played once with `play`."""

    def __init__(self, seed: int, *, keep: bool = True) -> None:
        self.seed = seed
        self.hours = hours_of(seed)
        self.loop = VirtualLoop()
        self.trace = Trace(self.loop.time, keep=keep)
        timetable = self.hours.timetable
        source = SmallCrowd(DAY, seed, lambda ns: timetable.speed(timetable.virtual(ns)))
        self.house = House(seed, source, timetable, BASE)
        config = _config(self.house.host)
        config.load()
        dice = random.Random(f"{seed} latency")  # noqa: S311  repeatable on purpose
        self.network = Network(self.loop, config, lambda: LATENCY * (0.5 + dice.random()))
        self.loop.network = self.network
        self.clock = SkewedClock(self.loop, timetable, BASE)
        self.folder = Path(tempfile.mkdtemp(prefix="algo-sim-", dir=_memory()))
        self.credentials: Credentials = parse_document(self.house.document(), "the simulation", self.folder)
        self.processes: list[Process] = []
        self.alarms: list[Alarm] = []
        self.house.on_request = self._requested
        self.injected: dict[str, int] = {}
        self.calm = 0.0
        self._hands = 0
        self.judge = Judge(self.house, self.credentials, self._core, self.trace)

    def play(self) -> None:
        """Play the day."""
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._play())
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(0))
            asyncio.set_event_loop(None)
            self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _play(self) -> None:
        market = self.loop.create_task(self.house.run())
        self.start()
        for one in plan_of(self.seed, self.hours.busy, second_of(self.hours.quiet)):
            await self.until(at(DAY, one.second * SECOND))
            self.trace.add("trouble", f"{one.kind} {one.chance} {one.seconds}")
            self.injected[one.kind] = self.injected.get(one.kind, 0) + 1
            await self._trouble(one)
        await self.until(self.hours.quiet)
        await self._calm()
        await self.until(self.hours.end)
        await self._settled()
        self.judge.at_the_end()
        await self.processes[-1].end()
        market.cancel()

    # -- troubles -------------------------------------------------------------------------------

    async def _trouble(self, one: Planned) -> None:
        kind, faults = one.kind, self.house.host.faults
        if isinstance(kind, Fault):
            faults.chance({**faults.odds, kind: one.chance})
            self.loop.call_later(one.seconds, lambda: faults.chance({**faults.odds, kind: 0.0}))
        elif kind is Trouble.KILL:
            await self.processes[-1].kill()
            await asyncio.sleep(one.seconds)
            self.start()
        elif kind is Trouble.RESET:
            for link in self.network.links:
                link.wire.reset()
        elif kind is Trouble.SILENCE:
            for link in self.network.links:
                link.wire.silence()
        elif kind is Trouble.REFUSE:
            self.network.on_connect = lambda: ConnectionRefusedError("refused by the simulation")
            self.loop.call_later(one.seconds, self._connect_again)
        elif kind is Trouble.EXPIRE:
            self.house.service.identity.expire()
        elif kind is Trouble.HAND:
            self._by_hand()
        elif kind is Trouble.HALT:
            symbol = next(iter(self.house.world.instruments))
            self.house.world.halt(symbol, True)
            self.loop.call_later(one.seconds, lambda: self.house.world.halt(symbol, False))
        elif kind is Trouble.DISK:
            disk = self.processes[-1].disk
            disk.on_commit = _full
            await asyncio.sleep(one.seconds)
            await self.processes[-1].kill()
            self.start()
        else:
            latch = Latch(self.processes[-1].journal)
            latch.set("the simulation's operator")
            await asyncio.sleep(one.seconds + 3)
            latch.lift()

    def _connect_again(self) -> None:
        self.network.on_connect = lambda: None

    def _by_hand(self) -> None:
        """A purchase of a share in the broker's app, which the program did not ask for."""
        world = self.house.world
        instrument = world.instruments["FPT"]
        last = world.tape.states["FPT"].last or world.tape.states["FPT"].reference
        account = self.credentials.accounts.equity
        self._hands += 1
        order = NewOrder(
            account, str(99_000_000 + self._hands), instrument, Side.BUY, OrderType.LO,
            snap(instrument, instrument.units(last * 0.99), Snap.DOWN, DAY), 100, channel="IM",
        )  # fmt: skip
        with contextlib.suppress(Refused):
            world.place(order)
        self.judge.by_hand.add(order.request_id)

    async def _calm(self) -> None:
        """No trouble any more: a process that gave up is started anew, as its owner would."""
        self.house.host.faults.clear()
        self._connect_again()
        Latch(self.processes[-1].journal).lift()
        if self.processes[-1].ended.is_set() or self.processes[-1].dead:
            self.start()
        self.calm = self.loop.time()

    async def _settled(self) -> None:
        """Until nothing is unknown any more, within what the evidence needs."""
        deadline = self.loop.time() + 120
        while self.loop.time() < deadline:
            trading = self.processes[-1].trading
            if trading is not None and self.processes[-1].ready and not trading.core.controls.unknown:
                await trading.runtime.compare()
                await trading.runtime.quiet()
                return
            await asyncio.sleep(1)

    def start(self) -> Process:
        """Start the trading program (again)."""
        number = len(self.processes) + 1
        process = Process(
            number, self.loop, self.network, self.clock, self.plan, self.credentials, self.folder, self.seed
        )
        process.disk.on_rows = self._recorded
        process.on_alarm = self._alarmed
        process.on_message = lambda text: self.trace.add("message", text.replace(str(self.folder), "."))
        self.processes.append(process)
        self.trace.add("start", str(number))
        process.start()
        return process

    async def until(self, ns: int) -> None:
        """Let time pass until the market is at `ns`."""
        await asyncio.sleep(max(self.hours.timetable.virtual(ns) - self.loop.time(), 0.0))

    def plan(self) -> Plan:
        """What is traded, and by whom."""
        hours = self.hours.text
        cash = {Account.EQUITY: 4_000_000_000, Account.DERIVATIVES: 4_000_000_000}
        futures = Limits(order_quantity=10, position=12, daily_loss=2_000_000_000)
        shares = Limits(order_quantity=5_000, position=30_000, daily_loss=2_000_000_000)
        seats = [
            Seat("futures", Trader, {"hours": hours, "seed": self.seed, "pause": 4.0}, cash, futures),
            Seat(
                "shares",
                Trader,
                {
                    "symbols": "FPT,HPG,SHS",
                    "hours": hours,
                    "seed": self.seed + 1,
                    "pause": 5.0,
                    "short": False,
                },
                cash,
                shares,
            ),
        ]
        return Plan(
            seats,
            list(CAST),
            DAY,
            controls=ControlSettings(),
        )

    def _core(self) -> Core | None:
        return self.processes[-1].core if self.processes else None

    # -- what is heard --------------------------------------------------------------------------

    def _requested(self, request: Request, answer: Answer | None) -> None:
        self.judge.requested(request)
        path = request.path.rstrip("/").rpartition("/")[2]
        body = request.body.decode("utf-8", "replace") if "rder" in path else ""
        told = "" if answer is None or answer.response is None else f"{answer.response.status}"
        self.trace.add("request", f"{path} {body} -> {told}")

    def _recorded(self, rows: Any) -> None:
        self.judge.recorded(rows)
        for row in rows:
            self.trace.add("row", f"{row[0]} {row[3]} {row[4]}")

    def _alarmed(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)
        self.trace.add("alarm", f"{alarm.kind} {alarm.scope} {alarm.text.replace(str(self.folder), '.')}")


def second_of(ns: int) -> int:
    """The second of the day."""
    return time_of_day(ns) // SECOND


def _full(_when: str) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def _memory() -> str | None:
    """Where files cost nothing, if there is such a place."""
    shared = Path("/dev/shm")  # noqa: S108  a fresh directory of our own is made in it
    return str(shared) if shared.is_dir() else None
