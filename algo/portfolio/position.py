"""The net holding of one instrument, with the lots it is made of."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from algo.model import Instrument
from algo.portfolio.lots import Lot

if TYPE_CHECKING:
    from algo.portfolio.ledger import Portfolio


class Position:
    """The net holding of one instrument; `quantity` is negative when short.

    `cost` is đồng paid or received at the fill prices for what is open, `paid` the đồng of its profit that
    daily settlements have turned into cash already: the sums over the lots.
    """

    __slots__ = ("_portfolio", "cost", "instrument", "lots", "paid", "quantity", "realised")

    def __init__(self, instrument: Instrument, portfolio: Portfolio) -> None:
        self.instrument = instrument
        self.quantity = 0
        self.cost = 0
        self.paid = 0
        self.realised = 0
        self.lots: deque[Lot] = deque()
        self._portfolio = portfolio

    @property
    def symbol(self) -> str:
        """The instrument's own symbol: the contract's code for a future."""
        return self.instrument.symbol

    @property
    def average_price(self) -> float | None:
        """Average entry price of what is open, as the market shows prices; None when flat."""
        if not self.quantity:
            return None
        return self.cost / (abs(self.quantity) * self.instrument.multiplier * self.instrument.scale)

    @property
    def sellable(self) -> int:
        """How much can be sold now: settled shares, or the whole long position of a future."""
        return self.sellable_at(self._portfolio.ns)

    def sellable_at(self, ns: int) -> int:
        """How much can be sold at `ns`, open orders not considered."""
        if self.instrument.shortable:
            return max(self.quantity, 0)
        return sum(lot.quantity for lot in self.lots if lot.sellable_at <= ns)

    @property
    def value(self) -> int:
        """Đồng it is worth at its mark: market value of shares; of futures the profit that is no cash yet."""
        quantity, instrument = self.quantity, self.instrument
        if not quantity:
            return 0
        mark = self._portfolio.mark(instrument)
        if mark is None:
            return -self.paid if instrument.shortable else self.cost
        worth = mark * quantity * instrument.multiplier
        if not instrument.shortable:
            return worth
        return (worth - self.cost if quantity > 0 else worth + self.cost) - self.paid

    @property
    def open_profit(self) -> int:
        """Đồng gained on what is open, at its mark, before fees; 0 without a mark."""
        mark = self._portfolio.mark(self.instrument)
        if mark is None or not self.quantity:
            return 0
        worth = mark * self.quantity * self.instrument.multiplier
        return worth - self.cost if self.quantity > 0 else worth + self.cost

    def __bool__(self) -> bool:
        return self.quantity != 0

    def __repr__(self) -> str:
        return f"<Position {self.quantity} {self.symbol}>"
