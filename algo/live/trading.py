"""A live run put together: journal, sign-in, streams, comparison, warm-up, strategies, and the way back.

The order matters: what an earlier process recorded is done again first, then the broker's stream resumes from
where it was left, then both sides are compared, and only then do the strategies wake.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from algo.brokers.fctrading.adapter import FastConnect
from algo.brokers.fctrading.auth import Purpose, State
from algo.brokers.fctrading.connection import Connection
from algo.brokers.fctrading.credentials import Credentials
from algo.brokers.fctrading.session import Ask
from algo.clock import SECOND, local_date
from algo.data.fastconnect.client import DataClient
from algo.data.fastconnect.feed import BarMaker, FastConnectFeed
from algo.errors import BrokerError, RunFailed, SettingError, place_of
from algo.fastconnect.transport import open_client
from algo.journal import Journal, fingerprint
from algo.live.clock import MarketClock, RealClock
from algo.live.core import Core, Plan, Step, front
from algo.live.facts import facts_of
from algo.live.latch import Latch
from algo.live.log import RunLog
from algo.live.machine import Machine
from algo.live.market import MarketView
from algo.live.operator_port import OperatorPort
from algo.live.record import Record, restore
from algo.live.runtime import Runtime
from algo.live.standing import standing
from algo.live.warm_up import missed
from algo.live.withdrawal import Withdrawal
from algo.model import MarketDoubted, MarketTrusted, OrderStatus, SignInChanged
from algo.orders.controls import ALL, Alarm

CHANNELS = ("F", "X-TRADE", "X-QUOTE", "B")
PULSE = 1.0
PATIENCE = 30.0
"""Seconds for the order stream to come up before the run goes on without, and enters nothing."""
LIMITS = 5.0
"""Seconds for the feed to tell the prices of the day."""
PARTING = 5.0
"""Seconds after the close in which the broker tells what became of the day's orders."""
SIGN_IN_EVERY = 30.0
SETTLING = 15.0
"""Seconds in which a killed run's orders are expected to be gone."""


@dataclass
class Setup:
    """What a live run needs besides the plan. `warm_days` are calendar days of history to begin with."""

    plan: Plan
    credentials: Credentials
    journal: Path | None = None
    ask: Ask | None = None
    tokens: Path | None = None
    warm_days: int = 10
    clock: MarketClock = field(default_factory=RealClock)
    machine: Machine = field(default_factory=Machine)
    bars: BarMaker | None = None
    """What makes complete bars of the feed's; by default minutes, by the clock."""
    stepped: bool = False
    """Whether the market moves by steps alone: then nothing here goes by the clock."""
    on_alarm: Callable[[Alarm], None] = lambda _alarm: None
    on_message: Callable[[int, str, str], None] = lambda _ns, _name, _text: None
    on_step: Callable[[], None] = lambda: None
    log: RunLog | None = None


class Trading:
    """One live run. Use as ``async with``; inside, everything runs; leaving it ends it in order."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.clock = setup.clock
        machine = setup.machine
        plan = setup.plan
        accounts = setup.credentials.accounts
        self.journal: Journal | None = None
        if setup.journal is not None:
            owner = fingerprint(accounts.equity, accounts.derivatives)
            self.journal = Journal.open(setup.journal, account=owner, connect=machine.connect)
        self.core = Core(plan)
        self.recovered = 0
        position = ""
        if self.journal is not None and not self.journal.new:
            self.recovered = restore(self.core, self.journal)
            position = self.journal.cursor(local_date(self.clock.now()))
        self.connection = Connection(
            setup.credentials,
            ask=setup.ask,
            tokens=setup.tokens,
            moment=machine.moment,
            random=machine.random,
        )
        self.broker = FastConnect(
            self.connection,
            position=position,
            now=self.clock.now,
            random=machine.random,
            on_problem=self._problem,
        )
        self.runtime = Runtime(
            self.core,
            self.broker,
            Record(self.journal),
            self.clock,
            on_alarm=setup.on_alarm,
            on_message=setup.on_message,
            on_step=setup.on_step,
            on_applied=self._log,
        )
        where = setup.credentials.endpoints
        self._data_client = open_client(where.data_url, self.connection.context)
        self._hub_client = open_client(where.data_stream_url, self.connection.context)
        self.data = DataClient(
            self._data_client,
            setup.credentials.consumer_id,
            setup.credentials.consumer_secret,
            wall=lambda: round(machine.wall() * SECOND),
            random=machine.random,
        )
        self.feed = FastConnectFeed(
            where.data_stream_url,
            self.data,
            self._hub_client,
            self.connection.context,
            wall=self.clock.now,
            random=machine.random,
            bars=setup.bars,
        )
        engine = self.core.engine
        instruments = {symbol: venue.instrument for symbol, venue in engine.venues.items()}
        self.view = MarketView(
            instruments, plan.calendar, lambda symbol, day: front(symbol, day, plan.calendar)
        )
        if engine.day is not None:
            sessions = {venue.instrument.board: str(venue.session) for venue in engine.venues.values()}
            self.view.resume(engine.day, sessions)
        self.latch = Latch(setup.journal) if setup.journal is not None else None
        self.withdrawal = Withdrawal(
            setup.credentials,
            setup.journal,
            setup.tokens,
            machine,
            now=self.clock.now,
            on_alarm=setup.on_alarm,
        )
        self.watchdog = machine.watch(self.withdrawal.hung)
        self._port: OperatorPort | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribed: set[str] = set()
        self._noticed: set[str] = set()
        self.failure: Exception | None = None
        """What a part of the run raised, so that all of it ends."""
        self.over = asyncio.Event()
        """Set when the day's last session is over, or a part of the run failed."""

    # -- begin and end --------------------------------------------------------------------------

    async def __aenter__(self) -> Trading:
        try:
            await self._begin()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _begin(self) -> None:
        """Sign in, compare, warm up, wake the strategies. Raises AuthError when the sign-in is refused."""
        core, runtime = self.core, self.runtime
        runtime.record.run(
            self.clock.now(),
            {
                "version": _version(),
                "plan": facts_of(self.setup.plan),
                "recovered": self.recovered,
            },
        )
        if self.setup.log is not None:
            self.setup.log.begin(self.clock.now(), core, recovered=self.recovered)
        if self.recovered:
            core.restart()
            runtime.recover()
        day = f"{local_date(self.clock.now()):%Y%m%d}-"
        self.broker.adopt(o for o in core.engine.manager.every if o.order_id.startswith(day))
        for order in core.open_orders:
            core.supervisor.keeper.adopt(order)
        await self.connection.session.token(Purpose.TRADE)
        self._start(runtime.run(), self.broker.run(), self.feed.run(), self._pump())
        if self.setup.journal is not None:
            self._port = await OperatorPort(self.setup.journal, self._operate).__aenter__()
        await self.subscribe()
        await self._until(lambda: self.broker.stream.connected, PATIENCE)
        if self.setup.stepped:
            await self._until(lambda: self.feed.connected, PATIENCE)
            await self.feed.settled()
        else:
            await self._until(lambda: self.view.limits_known, LIMITS)
        now = self.clock.now()
        runtime.post(self.view.start_day(local_date(now), now))
        await self._warm_up()
        self._start(self._pulse())
        with contextlib.suppress(BrokerError):
            await runtime.compare()
        await runtime.quiet()
        self._heed_latch()
        runtime.begin()
        await runtime.quiet()
        self.watchdog.start()

    async def subscribe(self) -> None:
        """Hear of everything that the run's symbols stand for now."""
        for code in self.view.codes:
            if code not in self._subscribed:
                self._subscribed.add(code)
                for channel in CHANNELS:
                    await self.feed.subscribe(channel, code)

    def _start(self, *works: Coroutine[Any, Any, None]) -> None:
        self._tasks += [asyncio.create_task(self._watched(work)) for work in works]

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        """No part of a run ends unnoticed: what one raises ends all of it."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - kept, and raised to whoever runs this
            if self.failure is None:
                self.failure = error
                self.core.controls.halts.setdefault(ALL, "a part of the run failed")
                self.over.set()

    async def _until(self, true: Callable[[], bool], seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        while not true():
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    def check(self) -> None:
        """Raises RunFailed when a part of the run has failed."""
        if self.failure is not None:
            raise RunFailed(f"the run failed inside: {place_of(self.failure)}") from self.failure

    async def finish(self) -> None:
        """Tell the strategies that it is over and let what they ask for still go out. Raises RunFailed."""
        self.check()
        if self.over.is_set():  # the day's orders end now: hear of it, and ask about what nobody tells of
            await self._until(lambda: not self._at_work(flat=False), PARTING)
            with contextlib.suppress(BrokerError):
                await self.runtime.compare()
            await self.runtime.quiet()
        self.runtime.end()
        await self.runtime.quiet()

    async def close(self) -> None:
        """End everything; what was applied is recorded."""
        self.watchdog.stop()
        if self._port is not None:
            await self._port.__aexit__()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.failure is not None:
            await self.withdrawal.withdraw("run", f"a part of the run failed: {place_of(self.failure)}")
        await self.broker.close()
        await self.data.close()
        await self._hub_client.aclose()
        if self.journal is not None:
            self.journal.close()

    # -- market ---------------------------------------------------------------------------------

    async def _pump(self) -> None:
        async for event in self.feed:
            self.runtime.post(self.view.hear(event, self.clock.now()))
            self._tell_notices()

    def _tell_notices(self) -> None:
        """Each thing that the feed has to say once: a feed that repeats itself would hide all else."""
        for text in self.view.notices:
            if text not in self._noticed:
                self._noticed.add(text)
                self.setup.on_message(self.clock.now(), "", text)
        self.view.notices.clear()

    async def _warm_up(self) -> None:
        """The minutes from before, or those missed since the last process: history for the indicators."""
        if self.setup.warm_days:
            now = self.clock.now()
            self.runtime.post(await missed(self.core, self.data, self.setup.warm_days, now, self._problem))

    # -- once a second --------------------------------------------------------------------------

    async def _pulse(self) -> None:
        loop = asyncio.get_running_loop()
        next_sign_in = 0.0
        doubted: dict[str, str] = {}
        while True:
            self.watchdog.beat()
            self._heed_latch()
            now = self.clock.now()
            if not self.setup.stepped:
                await self.subscribe()
                events = [*self.view.by_calendar(now), *self.view.flush(now)]
                self.runtime.post([*events, *self._doubts(doubted, now)])
                if self.view.closed(now):
                    self.over.set()
            if loop.time() >= next_sign_in:
                next_sign_in = loop.time() + SIGN_IN_EVERY
                self._tell_sign_in(now)
            await asyncio.sleep(PULSE)

    def _doubts(self, told: dict[str, str], now: int) -> list[Any]:
        """What the feed itself thinks of its data, when that changed."""
        events: list[Any] = []
        for symbol, one in self.view.instruments.items():
            reason = self.feed.doubts(one.symbol)
            if reason and not told.get(symbol):
                events.append(MarketDoubted(now, symbol, reason))
            elif not reason and told.get(symbol):
                events.append(MarketTrusted(now, symbol))
            told[symbol] = reason
        return events

    def _tell_sign_in(self, now: int) -> None:
        session = self.connection.session
        trading = session.state in (State.TRADING, State.EXPIRING)
        reason = "" if trading else str(session.state.value)
        self.runtime.post([SignInChanged(now, trading, session.left, reason)])

    # -- the operator ---------------------------------------------------------------------------

    def _heed_latch(self) -> None:
        """What was killed from outside, or while nothing ran, is killed here; what was lifted is free."""
        if self.latch is None:
            return
        reason, killed = self.latch.reason(), self.core.controls.killed
        if reason and not killed:
            self.runtime.act("kill", reason)
        elif killed and not reason:
            self.runtime.act("resume", "the latch was lifted")

    async def _operate(self, action: str, detail: str) -> dict[str, Any]:
        """Do what another terminal asks, and tell how things stand then."""
        if action in ("kill", "flatten"):
            if self.latch is not None:
                self.latch.set(detail or "killed by the operator")
            self.runtime.act(action, detail)
            await self.runtime.quiet()
            await self._until(lambda: not self._at_work(flat=action == "flatten"), SETTLING)
            self.runtime.sweep_soon()
        elif action == "resume":
            if self.latch is not None:
                self.latch.lift()
            self.runtime.act("resume", detail)
            await self.runtime.quiet()
        elif action != "status":
            raise SettingError(f"a run can be told kill, flatten, resume or status, not {action!r}")
        return self.facts()

    def _at_work(self, *, flat: bool) -> bool:
        held = flat and any(True for desk in self.core.engine.desks.values() for _ in desk.ledger.held())
        return held or any(order.status is not OrderStatus.HELD for order in self.core.open_orders)

    def facts(self) -> dict[str, Any]:
        """How the run stands, as plain values."""
        return standing(self.core)

    def _log(self, ns: int, event: Any, step: Step) -> None:
        if self.setup.log is not None:
            self.setup.log.step(ns, event, step, self.core)

    def _problem(self, text: str) -> None:
        self.setup.on_message(self.clock.now(), "", text)


def _version() -> str:
    from algo import __version__

    return __version__
