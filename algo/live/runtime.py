"""The asynchronous shell of a live run: one queue in, the journal, and the broker out.

Market data, what the broker says, timers and the operator enter one queue. Each entry is stepped through the
core, recorded, made durable, and only then do its commands leave. Everything that decides is in the core.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from algo.brokers.base import Batch, Broker, ForeignOrder, Heard, RequestOutcome, Snapshot, UnknownMessage
from algo.errors import JournalFailed, RunFailed
from algo.live.clock import MarketClock
from algo.live.core import Core, Step
from algo.live.record import START, STOP, Record
from algo.model import (
    AmendOrder,
    BooksStated,
    CancelOrder,
    Command,
    ForeignWorked,
    HoldingsStated,
    OperatorActed,
    PlaceOrder,
    RequestNotSent,
    RequestRefused,
    RequestStatus,
    RequestUnknown,
    StreamRestored,
    TimerFired,
)
from algo.orders.controls import ALL, Alarm

SWEEP = 60.0
"""Seconds between two comparisons with the broker's statements while all is well."""
SOON = 2.0
"""Seconds until the next one when something needs evidence."""
EVIDENCE = 10.5
"""Seconds between two while a request's fate is unknown: books count when they are ten seconds apart."""
LAG = 0.2
"""Seconds for which inputs without consequence may wait for the next commit."""


@dataclass
class Counts:
    """What happened in a run, for the view and the day's report."""

    inputs: int = 0
    commands: int = 0
    unknown: int = 0
    sweeps: int = 0
    notices: int = 0


class Runtime:
    """One core, one broker. `post` feeds it; `run` works until `finish` or cancelled.

    `on_alarm` hears what a person must be told, `on_applied` each input and what followed from it;
    `on_step` is called once everything that waited was applied.
    """

    def __init__(
        self,
        core: Core,
        broker: Broker,
        record: Record,
        clock: MarketClock,
        *,
        on_alarm: Callable[[Alarm], None] = lambda _alarm: None,
        on_message: Callable[[int, str, str], None] = lambda _ns, _name, _text: None,
        on_step: Callable[[], None] = lambda: None,
        on_applied: Callable[[int, Any, Step], None] = lambda _ns, _event, _step: None,
        sweep: float = SWEEP,
    ) -> None:
        self.core = core
        self.broker = broker
        self.record = record
        self.clock = clock
        self.counts = Counts()
        self.on_alarm = on_alarm
        self.on_message = on_message
        self.on_step = on_step
        self.on_applied = on_applied
        self._sweep_every = sweep
        self._queue: deque[tuple[list[Any], str]] = deque()
        self._ready = asyncio.Event()
        self._idle = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._sweep_now = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._commit: asyncio.TimerHandle | None = None
        self._foreign: dict[str, tuple[int, bool]] = {}
        self._failed = ""
        self._ended = False

    # -- in -------------------------------------------------------------------------------------

    def post(self, events: Iterable[Any], position: str = "") -> None:
        """Hand over events in their order; `position` is where the stream is once they are applied."""
        listed = list(events)
        if listed or position:
            self._queue.append((listed, position))
            self._ready.set()

    def act(self, action: str, detail: str = "") -> None:
        """The operator's command: before everything that waits."""
        self._queue.appendleft(([OperatorActed(self.clock.now(), action, detail)], ""))
        self._ready.set()

    def hear(self, batch: Batch) -> None:
        """What the broker said."""
        self.post(self._translated(batch.events), batch.position)

    def _translated(self, heard: Iterable[Heard]) -> list[Any]:
        events: list[Any] = []
        for one in heard:
            if isinstance(one, ForeignOrder):
                events += self._foreign_order(one)
            elif isinstance(one, UnknownMessage):
                self.counts.notices += 1
                self.on_message(one.ns, "", f"{one.reason} {one.text}".strip()[:300])
                self.sweep_soon()
            else:
                events.append(one)
                if isinstance(one, StreamRestored):
                    self.sweep_soon()
        return events

    def _foreign_order(self, one: ForeignOrder) -> list[Any]:
        order = one.order
        over = order.status is not None and order.status.terminal
        seen = (order.filled, over)
        if not order.broker_id or self._foreign.get(order.broker_id) == seen:
            return []
        self._foreign[order.broker_id] = seen
        return [
            ForeignWorked(
                one.ns, order.broker_id, order.symbol, order.side, order.price, order.quantity,
                order.filled, over,
            )
        ]  # fmt: skip

    # -- the loop -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Apply what comes, in order, until cancelled. What raises in any part of it ends all of it."""
        try:
            async with asyncio.TaskGroup() as parts:
                for part in (self._apply(), self._listen(), self._sweep()):
                    parts.create_task(part)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._ended = True
            self._idle.set()
            for handle in (self._timer, self._commit):
                if handle is not None:
                    handle.cancel()
            with contextlib.suppress(JournalFailed):
                self.record.commit()

    async def _apply(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            self.apply_waiting()

    async def _listen(self) -> None:
        async for batch in self.broker.events():
            self.hear(batch)

    def apply_waiting(self) -> None:
        """Step everything that waits; one commit for all of it; then the commands leave."""
        commands: list[Command] = []
        position = ""
        while self._queue:
            events, told = self._queue.popleft()
            for event in events:
                commands += self._step(event)
            position = told or position
        if position:
            self.record.position(self.clock.now(), position)
        self._leave(commands, urgent=bool(position))
        self._arm()
        self.on_step()
        if not self._queue and not self._sending:
            self._idle.set()

    def _step(self, event: Any) -> list[Command]:
        core = self.core
        if event in (START, STOP):
            ns = self.clock.now()
            step = core.start(ns) if event == START else core.stop(ns)
        else:
            step = core.step(event)
        self.counts.inputs += 1
        self.record.step(core.engine.now, event, step)
        self.on_applied(core.engine.now, event, step)
        for alarm in step.alarms:
            self.on_alarm(alarm)
        for ns, name, text in step.messages:
            self.on_message(ns, name, text)
        if isinstance(event, RequestUnknown):
            self.counts.unknown += 1
            self.sweep_soon()
        elif isinstance(event, RequestRefused):
            self.sweep_soon()
        return step.commands

    def _leave(self, commands: list[Command], *, urgent: bool) -> None:
        """Durable first, then out. What cannot be recorded is not sent, but for cancels."""
        try:
            if commands or urgent:
                self.record.commit()
            elif self._commit is None:
                self._commit = asyncio.get_running_loop().call_later(LAG, self._late_commit)
        except JournalFailed as error:
            self._journal_failed(str(error))
        if self.record.failed:
            refused = [one for one in commands if not isinstance(one, CancelOrder)]
            commands = [one for one in commands if isinstance(one, CancelOrder)]
            if refused:
                now = self.clock.now()
                self.post(
                    RequestNotSent(one.request_id, one.order_id, now, "not sent: it could not be recorded")
                    for one in refused
                )
        for command in commands:
            self._send(command)

    def _late_commit(self) -> None:
        self._commit = None
        try:
            self.record.commit()
        except JournalFailed as error:
            self._journal_failed(str(error))

    def _journal_failed(self, reason: str) -> None:
        """Nothing new goes out any more; what works is left to the operator, cancels go."""
        if not self._failed:
            self._failed = reason
            self.halt("journal", f"the journal failed: {reason}")

    def halt(self, kind: str, reason: str) -> None:
        """Enter nothing any more, and tell a person at once."""
        controls = self.core.controls
        controls.halt(self.clock.now(), kind, ALL, reason)
        alarms, controls.alarms = controls.alarms, []
        for alarm in alarms:
            self.on_alarm(alarm)

    # -- out ------------------------------------------------------------------------------------

    def _send(self, command: Command) -> None:
        self.counts.commands += 1
        self._idle.clear()
        task = asyncio.create_task(self._sent(command))
        self._sending.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._ready.set()  # so that whoever waits for quiet hears of it

    async def _sent(self, command: PlaceOrder | AmendOrder | CancelOrder) -> None:
        outcome: RequestOutcome
        try:
            outcome = await self.broker.send(command)
        except Exception as error:  # noqa: BLE001 - whatever failed, the command may have left
            now = self.clock.now()
            reason = f"{type(error).__name__} while sending"
            outcome = RequestUnknown(command.request_id, command.order_id, now, reason)
        self.post([outcome])

    # -- time -----------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Wake when the next timer is due; once a second while something is unknown."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.core.engine.next_timer
        wait = self.clock.seconds_until(due) if due < 1 << 61 else None
        if self.core.controls.unknown:
            wait = min(1.0, wait) if wait is not None else 1.0
        if wait is not None:
            self._timer = asyncio.get_running_loop().call_later(max(wait, 0.001), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.post([TimerFired(self.clock.now())])

    # -- comparing with the broker --------------------------------------------------------------

    def sweep_soon(self) -> None:
        """Something needs the broker's statements."""
        self._sweep_now.set()

    async def _sweep(self) -> None:
        while True:
            pause = EVIDENCE if self.core.controls.unknown else self._sweep_every
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sweep_now.wait(), pause)
                await asyncio.sleep(SOON if self.core.controls.unknown else 0)
            self._sweep_now.clear()
            await self.compare()
            if self.core.controls.ready:
                await asyncio.sleep(SOON)
                self._sweep_now.set()

    async def compare(self) -> Snapshot:
        """Ask how things stand and apply what that proves."""
        io = asyncio.get_running_loop().time()
        snapshot = await self.broker.snapshot()
        self.counts.sweeps += 1
        self.post(self._proven(snapshot, io))
        return snapshot

    def _proven(self, snapshot: Snapshot, io: float) -> list[Any]:
        events = self._translated(self.broker.catch_up(snapshot))
        if all(one.orders is not None for one in snapshot.accounts):
            named = [
                name
                for one in snapshot.accounts
                for order in one.orders or ()
                for name in (order.request_id, order.refused_request)
                if name
            ]
            events.append(BooksStated(snapshot.answered, snapshot.asked, frozenset(named), io))
        if all(one.positions is not None for one in snapshot.accounts):
            positions = [position for one in snapshot.accounts for position in one.positions or ()]
            held = {one.symbol: one.quantity for one in positions if one.quantity}
            unsettled = {one.symbol: sum(one.bought) for one in positions if any(one.bought)}
            events.append(HoldingsStated(snapshot.answered, snapshot.asked, held, unsettled))
        return events

    # -- ends -----------------------------------------------------------------------------------

    async def quiet(self) -> None:
        """Until nothing waits and nothing is on its way. Raises RunFailed when nothing is applied."""
        while not self._ended and (self._queue or self._sending):
            self._idle.clear()
            self._ready.set()
            await self._idle.wait()
        if self._ended:
            raise RunFailed("the run has ended: nothing is applied any more")

    def recover(self) -> None:
        """Requests whose fate the process before this one did not learn: they may have arrived or not."""
        now = self.clock.now()
        reason = "an earlier process ended before its fate was known"
        self.post(
            RequestUnknown(one.request_id, one.order_id, now, reason)
            for one in self.core.engine.manager.requests.values()
            if one.status is RequestStatus.PENDING and not one.done
        )

    def begin(self) -> None:
        """Let the strategies in: everything is known now."""
        self.core.wake()
        self.post([START])

    def end(self) -> None:
        """Tell the strategies that it is over."""
        self.post([STOP])
