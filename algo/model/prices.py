"""Market data as named tuples, because they are made by the million.

Prices are floats as the market shows them: đồng for shares, points for futures. `ns` is
nanoseconds since the epoch; `time` is the same moment as an aware local datetime.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from algo.clock import to_datetime


class Bar(NamedTuple):
    """What a symbol did in one interval. `ns` is when it is complete and may be seen.

    `volume` is in shares or contracts. `contract` is the contract behind an alias such as VN30F1M,
    else the symbol itself.
    """

    symbol: str
    ns: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    start: int
    contract: str

    @property
    def time(self) -> datetime:
        """When the bar is complete, in Asia/Ho_Chi_Minh."""
        return to_datetime(self.ns)


class Level(NamedTuple):
    """One price level of a book: price and displayed quantity."""

    price: float
    quantity: int


class Quote(NamedTuple):
    """The displayed book of a symbol, best level first. Either side may be empty."""

    symbol: str
    ns: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    @property
    def time(self) -> datetime:
        """When the quote was published, in Asia/Ho_Chi_Minh."""
        return to_datetime(self.ns)

    @property
    def bid(self) -> float | None:
        """The best bid, or None when nobody bids."""
        return self.bids[0].price if self.bids else None

    @property
    def ask(self) -> float | None:
        """The best ask, or None when nobody offers."""
        return self.asks[0].price if self.asks else None


class Trade(NamedTuple):
    """One trade on the exchange. `side` is +1 when the buyer was the aggressor, -1 the seller, 0 unknown."""

    symbol: str
    ns: int
    price: float
    quantity: int
    side: int = 0

    @property
    def time(self) -> datetime:
        """When the trade was published, in Asia/Ho_Chi_Minh."""
        return to_datetime(self.ns)
