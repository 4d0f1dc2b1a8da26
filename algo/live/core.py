"""The deterministic part of a live run: engine, supervisor, histories and recorders behind one function.

``step(event)`` gives a `Step`: the commands that go to the broker, what the strategies decided, the states
that changed, and alarms. Everything that a step depends on came in through `step`, so that a recorded run can
be done again exactly: with `Shadow`s to recover, or with the strategies themselves to compare.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from algo.clock import MINUTE
from algo.decisions import Decision, Recorder, Shadow
from algo.engine import Engine
from algo.errors import SettingError
from algo.live.histories import LiveHistories
from algo.market import VIETNAM, TradingCalendar, fees_from, instrument_of, is_alias, resolve
from algo.model import Account, Bar, BarsMissed, Command, Instrument
from algo.orders import Limits, Venue
from algo.orders.controls import Alarm, Controls, ControlSettings
from algo.portfolio import Portfolio
from algo.strategy import Strategy
from algo.supervisor import Supervisor


@dataclass(frozen=True)
class Seat:
    """One strategy of a run: its name there, and the budget and limits that are its own."""

    name: str
    strategy: type[Strategy]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cash: Mapping[Account, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Plan:
    """What a live run is made of, apart from connections. `width` is that of its bars in nanoseconds.

    `fees` is as in `algo.backtest`; `margin` overrides the dated rate; `days` are the days that trade, where
    they are not the calendar's; `contracts` says what symbols stand for, where it is not what the name and
    the calendar say.
    """

    seats: Sequence[Seat]
    symbols: Sequence[str]
    day: date
    width: int = MINUTE
    fees: Any = "vietnam"
    margin: Fraction | None = None
    advance: bool = False
    controls: ControlSettings = field(default_factory=ControlSettings)
    days: Sequence[date] = ()
    contracts: Mapping[str, Instrument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [seat.name for seat in self.seats]
        if len(set(names)) != len(names):
            raise SettingError("two strategies of one run need different names")

    @property
    def calendar(self) -> TradingCalendar:
        """The days that trade."""
        return TradingCalendar.from_days(self.days) if self.days else VIETNAM

    def instruments(self) -> dict[str, Instrument]:
        """Each symbol's instrument on the plan's day: an alias's is the contract then in front."""
        return {
            symbol: self.contracts.get(symbol) or front(symbol, self.day, self.calendar)
            for symbol in self.symbols
        }


def front(symbol: str, day: date, calendar: TradingCalendar = VIETNAM) -> Instrument:
    """What `symbol` stands for on `day`."""
    return instrument_of(resolve(symbol, day, calendar) if is_alias(symbol) else symbol)


class Step(NamedTuple):
    """What follows from one event."""

    commands: list[Command]
    decisions: list[Decision]
    states: dict[str, Any]
    alarms: list[Alarm]
    messages: list[tuple[int, str, str]]


class Core:
    """A run in memory. It begins with shadows in the strategies' places; `wake` lets the strategies in."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        instruments = plan.instruments()
        boards = {symbol: one.board for symbol, one in instruments.items()}
        self.histories = LiveHistories(boards, plan.width)
        self.venues = {
            symbol: Venue(symbol, instrument, self.histories.history(symbol, None))
            for symbol, instrument in instruments.items()
        }
        strategies = {
            seat.name: (seat.strategy(**seat.parameters), self._ledger(seat)) for seat in plan.seats
        }
        limits = {seat.name: seat.limits for seat in plan.seats}
        self.engine = Engine(strategies, self.venues, self.histories, limits)
        self.controls = Controls(plan.controls)
        self.supervisor = Supervisor(self.engine, self.controls)
        self.bars: dict[str, list[Bar]] = {symbol: [] for symbol in instruments}
        """The bars that the strategies saw, for the result."""
        self._states: dict[str, str] = {}
        self._told = 0
        self._recorders: list[Recorder] = []
        self._shadows = [Shadow(desk, self.engine) for desk in self.engine.desks.values()]
        self.engine.listen()

    def _ledger(self, seat: Seat) -> Portfolio:
        return Portfolio(
            seat.cash,
            fees=fees_from(self.plan.fees),
            calendar=self.plan.calendar,
            margin=self.plan.margin,
            advance=self.plan.advance,
            marks=self._mark,
        )

    def _mark(self, instrument: Instrument) -> int | None:
        for venue in self.venues.values():
            if venue.instrument.symbol == instrument.symbol:
                return venue.last
        return None

    # -- running --------------------------------------------------------------------------------

    def wake(self) -> None:
        """Let the strategies themselves act from now on, with their kept states."""
        for shadow in self._shadows:
            shadow.leave()
        self._shadows = []
        self._recorders = [Recorder(desk) for desk in self.engine.desks.values()]
        self.engine.listen()
        for recorder in self._recorders:
            recorder.resume(self._states.get(recorder.name, "{}"))

    def restart(self) -> None:
        """A recorded process ended here and another one went on: its strategies' timers were gone."""
        for desk in self.engine.desks.values():
            desk.forget_timers()
            desk.failure = None
        self.supervisor.restart()
        self.engine.listen()

    def start(self, ns: int, decisions: Sequence[Decision] = ()) -> Step:
        """The strategies' `on_start`."""
        return self._stepped(lambda: self.supervisor.start(ns), decisions)

    def stop(self, ns: int, decisions: Sequence[Decision] = ()) -> Step:
        """The strategies' `on_stop`."""
        return self._stepped(lambda: self.supervisor.stop(ns), decisions)

    def step(self, event: Any, decisions: Sequence[Decision] = ()) -> Step:
        """Apply one event, or a tuple of bars of one moment. `decisions` are for shadows."""
        if event.__class__ is tuple:
            event = tuple(bar for bar in event if self.histories.follows(bar))
            if not event:
                return Step([], [], {}, [], [])
            self.histories.take(event)
            for bar in event:
                self.bars[bar.symbol].append(bar)
            self.histories.advance(event[0][1])
        else:
            if isinstance(event, BarsMissed):
                self.histories.warm(event.bars)
            self.histories.advance(event.ns)
        return self._stepped(lambda: self.supervisor.step(event), decisions)

    def _stepped(self, act: Callable[[], list[Command]], decisions: Sequence[Decision]) -> Step:
        for shadow in self._shadows:
            shadow.begin(decisions)
        for recorder in self._recorders:
            recorder.begin()
        commands = act()
        noted = [one for recorder in self._recorders for one in recorder.take()]
        alarms, self.controls.alarms = self.controls.alarms, []
        alarms += self._failures()
        messages, self.engine.messages = self.engine.messages, []
        return Step(commands, noted, self._changed_states(), alarms, messages)

    def _failures(self) -> list[Alarm]:
        """Strategies that raised since the last step."""
        new = self.engine.failures[self._told :]
        self._told += len(new)
        return [Alarm(self.engine.now, "strategy", "", str(failure)) for failure in new]

    def _changed_states(self) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for recorder in self._recorders:
            if recorder.kept_state != self._states.get(recorder.name, "{}"):
                self._states[recorder.name] = recorder.kept_state
                changed[recorder.name] = json.loads(recorder.kept_state)
        return changed

    def remember(self, states: Mapping[str, Any]) -> None:
        """Take up states that an earlier process kept."""
        for name, value in states.items():
            if name in self.engine.desks:
                self._states[name] = json.dumps(value, sort_keys=True)

    @property
    def open_orders(self) -> list[Any]:
        """Orders that are not over."""
        return list(self.engine.manager.open.values())
