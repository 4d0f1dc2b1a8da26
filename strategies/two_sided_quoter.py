"""Lesson: orders that rest in the book, and are moved instead of replaced.

The quoter offers to buy a little below the price and to sell a little above it. `buy` and `sell` give
the order at once; `amend` moves it when the market moves, which costs its place in the queue but no
moment out of the market. Orders can be amended and cancelled in continuous trading only: in the
auctions and the lunch break a quote stays as it is, so both are withdrawn before the closing auction.
"""

from datetime import time

from algo import Bar, OrderView, Strategy, atr


class TwoSidedQuoter(Strategy):
    """Quote both sides of the last price, leaning against what is held already."""

    symbol: str = "VN30F1M"
    size: int = 1
    limit: int = 5  # the most contracts to hold, long or short
    away: float = 1.5  # from the price to each quote, in usual ranges of a bar
    lean: float = 0.3  # by which both quotes move for each contract held, in the same

    def on_start(self) -> None:
        """No quotes yet; every day they are gone before 14:30."""
        self.reach = self.indicator(atr, self.symbol, 50)
        self.bid: OrderView | None = None
        self.ask: OrderView | None = None
        self.at(time(14, 29), self.cancel_all)

    def on_bar(self, bar: Bar) -> None:
        """Move the quotes to where they belong now."""
        if not self.reach.ready or self.session(self.symbol) != "LO" or bar.time.time() >= time(14, 29):
            return
        held, reach = self.position(self.symbol).quantity, self.reach[-1]
        middle = bar.close - self.lean * reach * held
        self.bid = self.quote(self.bid, 1, middle - self.away * reach, held + self.size <= self.limit)
        self.ask = self.quote(self.ask, -1, middle + self.away * reach, held - self.size >= -self.limit)

    def quote(self, order: OrderView | None, side: int, price: float, wanted: bool) -> OrderView | None:
        """Place, amend or cancel one side's order, and give the order that stands for it."""
        floor, ceiling = self.band(self.symbol) or (price, price)
        price = min(max(price, floor), ceiling)
        price = self.round_price(self.symbol, price, "down" if side > 0 else "up")
        if order is None or not order.is_open:
            trade = self.buy if side > 0 else self.sell
            return trade(self.symbol, self.size, price) if wanted else None
        if not wanted:
            self.cancel(order)
        elif order.price != price:
            self.amend(order, price=price)
        return order
