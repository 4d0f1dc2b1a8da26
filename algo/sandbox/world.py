"""The market of the sandbox in market time: source, exchange, brokerage and tape as one machine. Pure.

A world knows no wall clock: whoever drives it says how far market time may go (`advance`), or lets happen
one stop after another (`step`). Between stops nothing happens, so a night costs nothing. What was said since
the last `take` is private (statements of the brokerage) and public (messages of the tape), in the order in
which it was said. The same source and the same calls say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.statements import ChangeOrder, NewOrder, Statement, WithdrawOrder
from algo.clock import MINUTE, local_date
from algo.data.fastconnect.events import Indication
from algo.market import Session
from algo.model import (
    Bar,
    Board,
    ContractRolled,
    CorporateAction,
    DayStarted,
    Instrument,
    PositionSettled,
    Quote,
    SessionChanged,
    TimerFired,
    Trade,
)
from algo.sandbox.source import Happening, Source, Stop
from algo.sandbox.tape import Public, Tape

_SETTLED_AFTER = 30 * MINUTE
"""How long after the close of the derivatives board its day is settled: the replayed bar with the print of
the closing auction is told until then."""


class World:
    """One market and one brokerage. `brokerage` must have been made with the source's exchange."""

    def __init__(self, source: Source, brokerage: Brokerage) -> None:
        self.source = source
        self.brokerage = brokerage
        self.tape = Tape(source.bases)
        self.halted: set[str] = set()
        first = source.next_stop
        self.now = first.ns if first is not None else 0
        self._instruments: dict[str, Instrument] = {}
        self.listed: dict[str, Instrument] = {}
        self._fronts: dict[str, list[tuple[date, str]]] = {}
        self._list()
        self._settles: int | None = None
        self._said: list[Statement | Public] = []

    @property
    def day(self) -> date:
        """The trading day that began last; before the first one, the date of market time."""
        return self.tape.day or local_date(self.now)

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What trades now, by the exchange's own code."""
        return self._instruments

    # -- time ---------------------------------------------------------------------------------

    def next_stop(self) -> Stop | None:
        """When something happens next; None after the end."""
        stop = self.source.next_stop
        if self._settles is not None and (stop is None or self._settles < stop.ns or stop.kind == "end"):
            return Stop(max(self._settles, self.now), "settlement")
        return None if stop is None else Stop(max(stop.ns, self.now), stop.kind)

    def step(self) -> Stop | None:
        """Let the next stop happen and be there; None after the end."""
        stop = self.next_stop()
        if stop is None:
            return None
        self.now = max(self.now, stop.ns)
        if stop.kind == "settlement":
            self._settles = None
            self.brokerage.settle_daily(stop.ns)
            self._said += self.brokerage.take()
        else:
            self._happen(self.source.step())
        return stop

    def advance(self, to: int) -> None:
        """Let happen whatever is due until market time `to` (included), and be there. Never goes back."""
        while (stop := self.next_stop()) is not None and stop.ns <= to:
            self.step()
        self.now = max(self.now, to)

    def approach(self, to: int) -> None:
        """As `advance`, but what is due at `to` itself is still to come.

        So a client's timer due at the very moment at which a bar opens can act before the open.
        """
        while (stop := self.next_stop()) is not None and stop.ns < to:
            self.step()
        self.now = max(self.now, to)

    # -- customers ----------------------------------------------------------------------------

    def place(self, order: NewOrder) -> None:
        """A customer's new order, now. Raises Refused for what the broker turns down at once."""
        try:
            self.brokerage.place(order, self.now)
        finally:
            self._after_order()

    def change(self, change: ChangeOrder) -> None:
        """A customer's amendment, now. Raises Refused."""
        try:
            self.brokerage.change(change, self.now)
        finally:
            self._after_order()

    def withdraw(self, withdrawal: WithdrawOrder) -> None:
        """A customer's cancel, now. Raises Refused."""
        try:
            self.brokerage.withdraw(withdrawal, self.now)
        finally:
            self._after_order()

    def _after_order(self) -> None:
        self._said += self.brokerage.take()
        self._happen(self.source.after_order(self.now))

    # -- the operator of the market -----------------------------------------------------------

    def halt(self, symbol: str, halted: bool = True) -> None:
        """Stop the trading of one instrument now, or let it go on."""
        code = self.code(symbol)
        (self.halted.add if halted else self.halted.discard)(code)
        self.brokerage.halt(code, halted, self.now)
        self._said += self.tape.halt(code, halted, self.now)
        self._happen(self.source.halt(code, halted, self.now))

    def code(self, symbol: str) -> str:
        """The exchange's own code of what an alias such as VN30F1M stands for now."""
        instrument = self.source.instruments.get(symbol)
        return symbol if instrument is None else instrument.symbol

    def stood_for(self, symbol: str) -> list[tuple[date, date, str]]:
        """What the symbol stood for on the days played: first day, last day (open for the present), code."""
        runs = self._fronts.get(symbol)
        if runs is None:
            return [(date.min, date.max, symbol)] if symbol in self.listed else []
        ends = [begin - timedelta(days=1) for begin, _ in runs[1:]]
        return [(begin, end, code) for (begin, code), end in zip(runs, [*ends, date.max], strict=True)]

    def _list(self) -> None:
        self._instruments = {one.symbol: one for one in self.source.instruments.values()}
        self.listed |= self._instruments

    # -- what was said ------------------------------------------------------------------------

    def take(self) -> list[Statement | Public]:
        """What was said since the last call, in order."""
        said, self._said = self._said, []
        return said

    def _happen(self, happenings: Iterable[Happening]) -> None:
        for happening in happenings:
            self._one(happening)

    def _one(self, happening: Happening) -> None:
        house, tape = self.brokerage, self.tape
        public: list[Public] = []
        if isinstance(happening, Quote):
            public = tape.quote(happening)
        elif isinstance(happening, Trade):
            public = tape.trade(happening)
            self._mark(happening.symbol, happening.price)
        elif isinstance(happening, Bar):
            public = tape.bar(happening)
            self._mark(happening.symbol, happening.close)
        elif isinstance(happening, Indication):
            public = tape.indicate(happening)
        elif isinstance(happening, SessionChanged):
            public = self._enter(happening)
        elif isinstance(happening, DayStarted):
            public = self._start_day(happening)
        elif isinstance(happening, PositionSettled):
            house.settle(happening.ns, happening.instrument, happening.price)
        elif isinstance(happening, ContractRolled):
            self._list()
            house.roll(happening.symbol, happening.new, happening.ns)
        elif isinstance(happening, CorporateAction):
            house.act(happening)
        elif not isinstance(happening, TimerFired):
            house.hear((happening,))
        # The statements first: whoever traded hears of it no later than everybody else.
        self._said += house.take()
        self._said += public

    def _start_day(self, started: DayStarted) -> list[Public]:
        self._list()
        for symbol, instrument in self.source.instruments.items():
            runs = self._fronts.setdefault(symbol, [])
            if not runs or runs[-1][1] != instrument.symbol:
                runs.append((started.day, instrument.symbol))
        self.halted.clear()
        self.brokerage.start_day(started.ns, started.day, started.references, started.idle)
        references = {self.code(symbol): units for symbol, units in started.references.items()}
        idle = frozenset(map(self.code, started.idle))
        return self.tape.start_day(started.ns, started.day, self._instruments, references, idle)

    def _enter(self, changed: SessionChanged) -> list[Public]:
        session = Session(changed.session)
        self.brokerage.enter(changed.board, session, changed.ns)
        if changed.board is Board.DERIVATIVES and session is Session.C:
            self._settles = changed.ns + _SETTLED_AFTER
        return self.tape.enter(changed.board, str(session), changed.ns)

    def _mark(self, symbol: str, price: float) -> None:
        self.brokerage.mark(symbol, self._instruments[symbol].units(price), self.now)
