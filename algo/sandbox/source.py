"""Where a world's market comes from: stops in time, and what happens at each of them.

A source owns its exchange and tells everything as happenings, in the order of the market: what its board does
(days, sessions, rolls, settlements), what became of orders, and what is public. The world gives each to
whom it concerns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from algo.data.fastconnect.events import Indication
from algo.market import TradingCalendar
from algo.model import Bar, Board, BrokerEvent, Command, Instrument, MarketEvent, Quote, Trade


class Stop(NamedTuple):
    """A moment at which something happens.

    `kind` is "day" (midnight of a trading day: rolls, settlements, the day's limits), "session" (a board's
    session changes), "open" (orders trade on the open of replayed bars), "range" (they trade inside of them),
    "bar" (they are complete and told), "event" (a quote, a trade, orders of the crowd), "settlement" (the
    futures' profit of the day becomes cash) or "end" (nothing more comes).
    """

    ns: int
    kind: str


Happening = MarketEvent | BrokerEvent | Bar | Quote | Trade | Indication
"""What a source tells. Quotes, trades, bars and indications carry the exchange's own code as their symbol;
days and rolls speak of the source's symbols."""


class Exchange(Protocol):
    """What takes the orders of customers and crowd."""

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """Take one command at market time `ns` and answer it."""
        ...


class Candle(NamedTuple):
    """A bar as the data service knows it: `start` and `ns` in nanoseconds since the epoch, prices as shown.

    `first` and `ns` are the moments of its first and its last trade (of a replayed bar, its start: more is
    not known); `value` is đồng.
    """

    symbol: str
    ns: int
    start: int
    first: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    value: int


class Past(Protocol):
    """What was before the first day that is played."""

    def candles(self, symbol: str, first: date, last: date) -> Sequence[Candle]:
        """The bars of those days, both included, oldest first, as finely as they are known."""
        ...

    def days(self, symbol: str, before: date, count: int) -> Sequence[date]:
        """The last `count` days on which the symbol traded before that day, oldest first."""
        ...


class Source(Protocol):
    """A market. `instruments` maps its symbols, such as VN30F1M, to what they stand for now."""

    @property
    def exchange(self) -> Exchange:
        """What takes the customers' orders."""
        ...

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Its symbols, and what they stand for now."""
        ...

    @property
    def width(self) -> int:
        """Nanoseconds of the bars that it tells."""
        ...

    @property
    def past(self) -> Past:
        """What was before the first day that is played."""
        ...

    @property
    def calendar(self) -> TradingCalendar:
        """Which days trade: the ledgers of its customers count T+2 by it."""
        ...

    @property
    def bases(self) -> Mapping[Board, float]:
        """What the index of a board was before the first day, where that is not the usual."""
        ...

    @property
    def next_stop(self) -> Stop | None:
        """When something happens next; None after the end."""
        ...

    def step(self) -> Sequence[Happening]:
        """Let it happen."""
        ...

    def after_order(self, ns: int) -> Sequence[Happening]:
        """What a customer's request at `ns` led to in public."""
        ...

    def halt(self, symbol: str, halted: bool, ns: int) -> Sequence[Happening]:
        """Stop the trading of one instrument, or let it go on."""
        ...
