"""One seed: a day of trading with faults, then a quiet phase in which both sides must agree."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from algo.brokers.fctrading.credentials import Credentials, parse_document
from algo.live.core import Plan, Seat
from algo.market import fees_from
from algo.model import Account
from algo.orders import Limits
from algo.orders.controls import Alarm, ControlSettings
from algo.sandbox.host import Answer
from algo.sandbox.messages import Request
from algo.sandbox.server import _config
from algo.sim.day import DAY, hours_of
from algo.sim.house import House
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
        process = self.start()
        await self.until(self.hours.end)
        await process.end()
        market.cancel()

    def start(self) -> Process:
        """Start the trading program (again)."""
        number = len(self.processes) + 1
        process = Process(
            number, self.loop, self.network, self.clock, self.plan, self.credentials, self.folder, self.seed
        )
        process.disk.on_rows = self._recorded
        process.on_alarm = self._alarmed
        process.on_message = lambda text: self.trace.add("message", text)
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
                {"symbols": "FPT,HPG,SHS", "hours": hours, "seed": self.seed + 1, "pause": 5.0, "short": False},
                cash,
                shares,
            ),
        ]
        return Plan(
            seats,
            list(CAST),
            DAY,
            fees=fees_from("vietnam"),
            controls=ControlSettings(),
        )

    # -- what is heard --------------------------------------------------------------------------

    def _requested(self, request: Request, answer: Answer | None) -> None:
        path = request.path.rstrip("/").rpartition("/")[2]
        body = request.body.decode("utf-8", "replace") if "rder" in path else ""
        told = "" if answer is None or answer.response is None else f"{answer.response.status}"
        self.trace.add("request", f"{path} {body} -> {told}")

    def _recorded(self, rows: Any) -> None:
        for row in rows:
            self.trace.add("row", f"{row[0]} {row[3]} {row[4]}")

    def _alarmed(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)
        self.trace.add("alarm", f"{alarm.kind} {alarm.scope} {alarm.text}")

    def summary(self) -> dict[str, Any]:
        """Figures of the run."""
        slips = list(self.house.brokerage.blotter.slips.values())
        return {
            "orders": len(slips),
            "fills": sum(1 for slip in slips if slip.filled),
            "turns": self.loop.turns,
            "virtual": self.loop.time(),
            "lines": len(self.trace.lines),
            "alarms": [f"{one.kind} {one.scope} {one.text}" for one in self.alarms],
            "failure": [process.failure for process in self.processes],
        }


def _memory() -> str | None:
    """Where files cost nothing, if there is such a place."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


Played = Callable[[int], Run]
