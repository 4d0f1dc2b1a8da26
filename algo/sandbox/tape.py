"""The public tape: what the market shows of every symbol, as messages and as state.

What happened becomes messages that carry all that a subscriber is told, so that they can be put into words
later, in any number of channels, without a look at a state that has moved on. Prices are as the market
shows them (đồng, points), 0.0 before there is one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from algo.clock import DAY, MINUTE, at
from algo.data.fastconnect.events import Indication
from algo.market import Session, band
from algo.model import Bar, Board, Instrument, Level, Quote, Trade
from algo.sandbox.indices import IndexBoard, IndexState
from algo.sandbox.source import Candle

_PRINTS = 60
"""Last trades of a symbol that are kept for whoever looks at the tape."""


class What(StrEnum):
    """What a message is about."""

    STATUS = "status"
    LIMITS = "limits"
    QUOTE = "quote"
    TRADE = "trade"
    ESTIMATE = "estimate"


class Snapshot(NamedTuple):
    """Everything that is shown of a symbol at `ns`.

    `session` is the board's, `status` N (normal) or H (halted). `quantity` and `side` are the last trade's,
    `prior` is the price before it. `volume` and `value` (đồng) are the day's. `estimate` is the price at
    which an auction would match now.
    """

    symbol: str
    ns: int
    board: Board
    session: str = str(Session.C)
    status: str = "N"
    floor: float = 0.0
    reference: float = 0.0
    ceiling: float = 0.0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    last: float = 0.0
    quantity: int = 0
    side: int = 0
    prior: float = 0.0
    volume: int = 0
    value: int = 0
    average: float = 0.0
    estimate: float = 0.0
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()

    @property
    def change(self) -> float:
        """The last price less the reference price; 0.0 when either is missing."""
        return self.last - self.reference if self.last and self.reference else 0.0


class Told(NamedTuple):
    """Something of a symbol changed; this is all of it afterwards."""

    what: What
    state: Snapshot


class DayRow(NamedTuple):
    """A day of a symbol, over."""

    day: date
    state: Snapshot


Public = Told | Candle | IndexState
"""What the market tells everybody."""


class Tape:
    """The state of every symbol, today's bars, and the days that are over. It makes the messages."""

    def __init__(self, bases: Mapping[Board, float] | None = None) -> None:
        self.states: dict[str, Snapshot] = {}
        self.candles: dict[str, list[Candle]] = {}
        self.days: dict[str, list[DayRow]] = {}
        self.prints: defaultdict[str, deque[Snapshot]] = defaultdict(lambda: deque(maxlen=_PRINTS))
        self.sessions: dict[Board, str] = {}
        self.indices = IndexBoard(bases)
        self.day: date | None = None
        self._instruments: dict[str, Instrument] = {}

    # -- the day ------------------------------------------------------------------------------

    def start_day(
        self,
        ns: int,
        day: date,
        instruments: dict[str, Instrument],
        references: dict[str, int],
        idle: frozenset[str],
    ) -> list[Public]:
        """A new day for the instruments that trade on it, with its limits."""
        self._end_day()
        self.day = day
        self._instruments = dict(instruments)
        self.states = {
            symbol: self._fresh(symbol, ns, day, references.get(symbol), first_day=symbol in idle)
            for symbol in instruments
        }
        found: list[Public] = [Told(What.LIMITS, state) for state in self.states.values()]
        return found + list(self.indices.start_day(ns, self.states.values()))

    def _fresh(self, symbol: str, ns: int, day: date, units: int | None, *, first_day: bool) -> Snapshot:
        instrument = self._instruments[symbol]
        state = Snapshot(symbol, ns, instrument.board, self.sessions.get(instrument.board, str(Session.C)))
        if units is None:
            return state
        limits = band(instrument, units, day, first_day=first_day)
        floor, reference, ceiling = map(instrument.price, limits)
        return state._replace(floor=floor, reference=reference, ceiling=ceiling, prior=reference)

    def _end_day(self) -> None:
        if self.day is None:
            return
        for symbol, state in self.states.items():
            if state.volume:
                self.days.setdefault(symbol, []).append(DayRow(self.day, state))
        self.indices.end_day(self.day)

    def enter(self, board: Board, session: str, ns: int) -> list[Public]:
        """The board went into another session: every instrument of it tells so."""
        self.sessions[board] = session
        found: list[Public] = []
        for symbol, state in self.states.items():
            if state.board is board:
                changed = state._replace(ns=ns, session=session, estimate=0.0)
                self.states[symbol] = changed
                found.append(Told(What.STATUS, changed))
        return found + list(self.indices.enter(board, session, ns))

    def halt(self, symbol: str, halted: bool, ns: int) -> list[Public]:
        """The trading of one instrument stops or goes on."""
        state = self.states.get(symbol)
        if state is None:
            return []
        return [self._told(What.STATUS, state._replace(ns=ns, status="H" if halted else "N"))]

    # -- what happens -------------------------------------------------------------------------

    def quote(self, quote: Quote) -> list[Public]:
        """The displayed book changed."""
        state = self.states[quote.symbol]
        return [self._told(What.QUOTE, state._replace(ns=quote.ns, bids=quote.bids, asks=quote.asks))]

    def indicate(self, indication: Indication) -> list[Public]:
        """An auction would match at another price."""
        state = self.states[indication.symbol]
        return [self._told(What.ESTIMATE, state._replace(ns=indication.ns, estimate=float(indication.price)))]

    def trade(self, trade: Trade) -> list[Public]:
        """A trade: the last price, the minute so far, and the indices that the symbol is in."""
        start = trade.ns - trade.ns % MINUTE
        price = float(trade.price)
        value = self._value(trade.symbol, price, trade.quantity)
        candles = self.candles.setdefault(trade.symbol, [])
        held = candles[-1] if candles else None
        if held is not None and held.start == start:
            candles[-1] = held._replace(
                ns=trade.ns,
                high=max(held.high, price),
                low=min(held.low, price),
                close=price,
                volume=held.volume + trade.quantity,
                value=held.value + value,
            )
        else:
            candles.append(
                Candle(trade.symbol, trade.ns, start, trade.ns, *(price,) * 4, trade.quantity, value)
            )
        state = self.states[trade.symbol]
        told = self._print(state, trade.ns, (price,) * 4, trade.quantity, trade.side, value)
        return [told, candles[-1], *self.indices.trade(told.state)]

    def bar(self, bar: Bar) -> list[Public]:
        """A replayed bar, complete: its one message, and one print of its whole volume at its close."""
        prices = (float(bar.open), float(bar.high), float(bar.low), float(bar.close))
        value = self._value(bar.symbol, bar.close, bar.volume)
        candle = Candle(bar.symbol, bar.start, bar.start, bar.start, *prices, bar.volume, value)
        self.candles.setdefault(bar.symbol, []).append(candle)
        found: list[Public] = [candle]
        if bar.volume:
            told = self._print(self.states[bar.symbol], bar.ns, prices, bar.volume, 0, value)
            found += [told, *self.indices.trade(told.state)]
        return found

    # -- inside -------------------------------------------------------------------------------

    def _print(
        self,
        state: Snapshot,
        ns: int,
        prices: tuple[float, float, float, float],
        quantity: int,
        side: int,
        value: int,
    ) -> Told:
        opened, high, low, close = prices
        instrument = self._instruments[state.symbol]
        volume, total = state.volume + quantity, state.value + value
        told = self._told(
            What.TRADE,
            state._replace(
                ns=ns,
                open=state.open or opened,
                high=max(state.high, high),
                low=min(state.low or low, low),
                last=close,
                quantity=quantity,
                side=side,
                prior=state.last or state.prior,
                volume=volume,
                value=total,
                average=total / volume / (instrument.scale * instrument.multiplier),
            ),
        )
        self.prints[state.symbol].append(told.state)
        return told

    def _told(self, what: What, state: Snapshot) -> Told:
        self.states[state.symbol] = state
        return Told(what, state)

    def _value(self, symbol: str, price: float, quantity: int) -> int:
        instrument = self._instruments[symbol]
        return instrument.notional(instrument.units(price), quantity)

    def state_on(self, symbol: str, day: date) -> Snapshot | None:
        """How a symbol stood at the end of a day that was played, or stands today; None when it was not."""
        if day == self.day:
            return self.states.get(symbol)
        return next((row.state for row in self.days.get(symbol, ()) if row.day == day), None)

    def minutes(self, symbol: str, first: date, last: date) -> list[Candle]:
        """The bars of the days played so far, both days included; oldest first."""
        found = self.candles.get(symbol, [])
        begin = bisect_left(found, at(first), key=_start)
        return found[begin : bisect_left(found, at(last) + DAY, key=_start)]

    def traded_days(self, symbol: str) -> list[date]:
        """The days played so far on which the symbol traded, oldest first."""
        found = [row.day for row in self.days.get(symbol, ())]
        state = self.states.get(symbol)
        if self.day is not None and state is not None and state.volume:
            found.append(self.day)
        return found


def _start(candle: Candle) -> int:
    return candle.start
