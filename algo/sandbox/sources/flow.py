"""A market of its own: a seeded crowd sends orders into real order books, day after day, without any data.

VN30 futures of this month and the next, and shares of all three boards (see `cast`). What a share is worth
walks at random with the market and on its own, inside the day's band; a future is worth what the index of
HOSE's shares is, and a little more. Auctions open and close the boards, the market is busy at both ends of
the day, and everything that trades comes out of the books: prices, bars, settlement prices.

One seed, one market. `intensity` scales how many orders come: 1.0 is about a hundred thousand a day.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from heapq import heapify, heapreplace
from random import Random

from algo.brokers.paper import BookExchange, BookSettings, Indicated
from algo.clock import HOUR, MINUTE, SECOND, at
from algo.data.fastconnect.events import Indication
from algo.data.hours import open_and_close
from algo.errors import SettingError
from algo.market import (
    VIETNAM,
    Contract,
    Reference,
    Session,
    TradingCalendar,
    day_sessions,
    final_settlement_price,
    last_trading_day,
    reference_of,
)
from algo.model import (
    Board,
    BrokerEvent,
    Command,
    ContractRolled,
    DayStarted,
    Instrument,
    PositionSettled,
    SessionChanged,
    Trade,
)
from algo.sandbox.source import Happening, Stop
from algo.sandbox.sources.cast import CAST, MARKET_VOLATILITY, MadeUpPast, Nature, shape
from algo.sandbox.sources.crowd import CROWD, Crowd

_QUIET = (Session.C, Session.BREAK)
_DAY_OF_TRADING = 4 * HOUR + 30 * MINUTE
_FIRST_ORDERS = 30  # that stand in the book as soon as trading begins without an auction
_BASIS = 0.001  # by which a future is worth more than the index, a month


class SyntheticFlow:
    """The market from `day` (or the next trading day) on, without end. `natures` is who plays in it."""

    width = MINUTE

    def __init__(
        self,
        day: date,
        seed: int = 0,
        *,
        intensity: float = 1.0,
        natures: Mapping[str, Nature] = CAST,
        calendar: TradingCalendar = VIETNAM,
        settings: BookSettings | None = None,
    ) -> None:
        if not intensity > 0:
            raise SettingError(f"the intensity of a made-up market is above zero, not {intensity!r}")
        self._first = day if calendar.is_trading_day(day) else calendar.next_trading_day(day)
        self.calendar = calendar
        self._intensity = intensity
        self._random = Random(f"{seed} flow")  # noqa: S311  repeatable on purpose
        self.past = MadeUpPast(natures, self._first, seed, calendar)
        self.instruments: dict[str, Instrument] = {
            name: self.past.instrument(name, self._first) for name in natures
        }
        self._exchange = BookExchange(self.instruments, settings)
        self.exchange = self
        self._codes = {name: one.symbol for name, one in self.instruments.items()}
        self._crowds = {
            name: Crowd(name, nature, self._exchange.market(name), Random(f"{seed} crowd {name}"))  # noqa: S311
            for name, nature in natures.items()
        }
        self._references = {name: self.past.close(name) for name in natures}
        front = next((name for name, one in self.instruments.items() if one.board is Board.DERIVATIVES), None)
        self._index = 1000.0
        if front is not None:
            self._index = round(self.instruments[front].price(self._references[front]) / (1 + _BASIS), 2)
        self.bases = {Board.HOSE: self._index}
        self._fair = _Fair(natures, self._references, self._random)
        self._samples: dict[Session, list[Decimal]] = {}
        self._said: list[Happening] = []
        self._script = self._play()
        self._next: Stop | None = next(self._script)

    # -- what a world calls -------------------------------------------------------------------

    @property
    def next_stop(self) -> Stop | None:
        """When something happens next: there is always something."""
        return self._next

    def step(self) -> Sequence[Happening]:
        """Let it happen."""
        self._next = next(self._script)
        said, self._said = self._said, []
        return said

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """A customer's command; the crowd's events that it leads to stay here."""
        return _customers(self._exchange.execute(command, ns))

    def after_order(self, ns: int) -> Sequence[Happening]:
        """What a customer's order changed in public."""
        return self._public()

    def halt(self, symbol: str, halted: bool, ns: int) -> Sequence[Happening]:
        """Stop the trading of one instrument, or let it go on."""
        name = next((name for name, code in self._codes.items() if code == symbol), None)
        if name is None:
            return ()
        return [*_customers(self._exchange.halt(name, halted, ns)), *self._public()]

    # -- days ---------------------------------------------------------------------------------

    def _play(self) -> Iterator[Stop]:
        """Yields each stop before it happens."""
        day = self._first
        while True:
            yield Stop(at(day), "day")
            self._start_day(day)
            yield from self._day(day)
            self._end_day()
            day = self.calendar.next_trading_day(day)

    def _day(self, day: date) -> Iterator[Stop]:
        boards = sorted({one.board for one in self.instruments.values()})
        changes = sorted(
            (at(day, start), board, session)
            for board in boards
            for start, session in day_sessions(board, day)[1:]
        )
        opening = min(at(day, open_and_close(board)[0]) for board in boards)
        turns = [(opening + self._pause(name, opening, day), name) for name in self._crowds]
        heapify(turns)
        for ns, board, session in changes:
            while turns[0][0] < ns:
                due, name = turns[0]
                market = self._exchange.market(name)
                if market.board_session in _QUIET:
                    due = ns  # nobody comes until the next change of session
                elif not market.halted:
                    yield Stop(due, "event")
                    self._act(name, due, day)
                heapreplace(turns, (due + self._pause(name, due, day), name))
            yield Stop(ns, "session")
            self._enter(ns, board, session, day)

    def _pause(self, name: str, ns: int, day: date) -> int:
        """How long until somebody comes again."""
        where = min(max((ns - at(day, 9 * HOUR)) / (5 * HOUR + 45 * MINUTE), 0.0), 1.0)
        nature = self._crowds[name].nature
        pace = nature.pace * self._intensity * shape(where)
        return max(int(self._random.expovariate(pace / MINUTE)), SECOND // 1000)

    def _start_day(self, day: date) -> None:
        self._roll(day)
        self._exchange.start_day(day, self._references)
        self._fair.start_day(self._references)
        self._samples = {}
        self._said.append(DayStarted(at(day), day, dict(self._references)))

    def _end_day(self) -> None:
        """Tomorrow's reference prices, by each board's rule, and the index."""
        self._index = self._index_now()
        for name in self.instruments:
            engine = self._exchange.market(name).engine
            if engine.last is None:
                continue
            average = reference_of(engine.instrument.board) is Reference.AVERAGE
            self._references[name] = round(engine.value / engine.volume) if average else engine.last
            self._crowds[name].clear()

    def _roll(self, day: date) -> None:
        """Contracts that ended are settled, and what was the next month's becomes this month's."""
        ns = at(day)
        ended = [
            name
            for name, one in self.instruments.items()
            if one.board is Board.DERIVATIVES and self.past.instrument(name, day).symbol != one.symbol
        ]
        gone = {self.instruments[name].symbol: self._references[name] for name in ended}
        for name in ended:
            old = self.instruments[name]
            if last_trading_day(Contract.parse(old.symbol), self.calendar) < day:
                self._said.append(PositionSettled(ns, old, self._final(old), ns))
        # The later months first: a book stands for one contract at a time.
        for name in sorted(ended, reverse=True):
            old, new = self.instruments[name], self.past.instrument(name, day)
            self._said += _customers(self._exchange.roll(name, new, ns))
            self.instruments[name] = new
            self._codes[name] = new.symbol
            self._said.append(ContractRolled(ns, name, old, new))
            theory = self._index * (1 + _BASIS * (1 + ended.index(name)))
            self._references[name] = gone.get(new.symbol) or new.units(theory)

    def _final(self, contract: Instrument) -> int:
        """The final settlement price in units, from the index of the last half hour."""
        continuous, auction = (self._samples.get(one, []) for one in (Session.LO, Session.ATC))
        if len(continuous) <= 6:
            return contract.units(self._index)
        return contract.units(float(final_settlement_price(continuous, auction)))

    # -- the market ---------------------------------------------------------------------------

    def _enter(self, ns: int, board: Board, session: Session, day: date) -> None:
        before = {self._exchange.market(name).session for name in self._of(board)}
        self._said += _customers(self._exchange.enter(board, session, ns))
        # The print of an auction is told in the auction's session.
        public = self._public()
        self._said += (one for one in public if isinstance(one, Trade))
        self._said.append(SessionChanged(ns, board, session))
        self._said += (one for one in public if not isinstance(one, Trade))
        if session is Session.LO and Session.C in before:
            for name in self._of(board):
                for _ in range(_FIRST_ORDERS):
                    self._act(name, ns, day)

    def _of(self, board: Board) -> list[str]:
        return [name for name, one in self.instruments.items() if one.board is board]

    def _act(self, name: str, ns: int, day: date) -> None:
        market = self._exchange.market(name)
        fair = self._fair.at(name, ns)
        if market.engine.band is not None:
            fair = min(max(fair, market.engine.band.floor), market.engine.band.ceiling)
        command = self._crowds[name].act(fair, day)
        if command is not None:
            self._said += _customers(self._exchange.execute(command, ns))
            self._said += self._public()
        self._sample(ns, day)

    def _public(self) -> list[Happening]:
        """What everybody saw, by the exchange's own codes."""
        found: list[Happening] = []
        for one in self._exchange.take_public():
            code = self._codes[one.symbol]
            if isinstance(one, Indicated):
                found.append(Indication(code, one.ns, one.price or 0.0))
            else:
                found.append(one._replace(symbol=code))
        return found

    # -- the index ----------------------------------------------------------------------------

    def _index_now(self) -> float:
        """As `algo.sandbox.indices` has it: the prior value times the mean of the shares' changes."""
        ratios = [
            (self._exchange.market(name).engine.last or self._references[name]) / self._references[name]
            for name in self._of(Board.HOSE)
        ]
        return round(self._index * sum(ratios) / len(ratios), 2) if ratios else self._index

    def _sample(self, ns: int, day: date) -> None:
        """Note the index every quarter of a minute in the last half hour, for the final settlement price."""
        begin, end = at(day, 14 * HOUR + 15 * MINUTE), at(day, 14 * HOUR + 45 * MINUTE)
        if not begin <= ns < end:
            return
        session = Session.LO if ns < end - 15 * MINUTE else Session.ATC
        noted = self._samples.setdefault(session, [])
        due = (ns - begin) // (15 * SECOND) - (0 if session is Session.LO else 60)
        if len(noted) <= due:
            noted.append(Decimal(str(self._index_now())))


class _Fair:
    """What each instrument is worth to the crowd: a walk about the day's reference price."""

    def __init__(self, natures: Mapping[str, Nature], references: Mapping[str, int], random: Random) -> None:
        self._natures = natures
        self._random = random
        self._references = dict(references)
        self._market = 0.0
        self._own = dict.fromkeys(natures, 0.0)
        self._market_ns = 0
        self._own_ns = dict.fromkeys(natures, 0)
        self._shares = [name for name, nature in natures.items() if nature.board is Board.HOSE]

    def start_day(self, references: Mapping[str, int]) -> None:
        """Begin anew about the reference prices, with what happened over night."""
        self._references = dict(references)
        self._market = self._random.gauss(0.0, MARKET_VOLATILITY / 3)
        self._market_ns = 0
        for name, nature in self._natures.items():
            self._own[name] = self._random.gauss(0.0, nature.volatility / 3)
            self._own_ns[name] = 0

    def at(self, name: str, ns: int) -> float:
        """In price units, at a moment that is no earlier than the last one asked for."""
        self._market += self._step(ns - self._market_ns if self._market_ns else 0, MARKET_VOLATILITY)
        self._market_ns = ns
        nature = self._natures[name]
        passed = ns - self._own_ns[name] if self._own_ns[name] else 0
        self._own[name] += self._step(passed, nature.volatility)
        self._own_ns[name] = ns
        if nature.board is Board.DERIVATIVES and self._shares:
            # A future follows the shares of the index; what is its own fades away.
            self._own[name] *= 0.999
            move = sum(map(self._move, self._shares)) / len(self._shares) + self._own[name]
        else:
            move = self._move(name)
        return self._references[name] * math.exp(move)

    def _move(self, name: str) -> float:
        return self._natures[name].beta * self._market + self._own[name]

    def _step(self, passed: int, volatility: float) -> float:
        share = min(passed, HOUR) / _DAY_OF_TRADING
        return self._random.gauss(0.0, volatility * math.sqrt(share)) if share > 0 else 0.0


def _customers(events: Iterable[BrokerEvent]) -> list[BrokerEvent]:
    """The events that are not of the crowd's own orders."""
    return [event for event in events if not _order_id(event).startswith(CROWD)]


def _order_id(event: BrokerEvent) -> str:
    return getattr(event, "order_id", "")
