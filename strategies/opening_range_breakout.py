"""Lesson: orders that wait for a price, exits that come with them, and times of day.

The range of the first half hour is the market's first guess at the day. A stop order on either side of
it enters with the breakout; each carries its stop loss (the other side of the range) and its target.
One fill withdraws the other entry. Nothing is kept over night.
"""

from datetime import time
from math import inf

from algo import Bar, Fill, OrderView, Strategy


class OpeningRangeBreakout(Strategy):
    """Enter as the price leaves the first half hour's range; leave at a stop, a target or 14:20."""

    symbol: str = "VN30F1M"
    contracts: int = 1
    reward: float = 1.5  # from the entry to the target, in ranges

    def on_start(self) -> None:
        """Timers of every day: each runs before the bar that begins at its time."""
        self.entries: list[OrderView] = []
        self.high, self.low = 0.0, inf
        self.at(time(9, 30), self.enter)
        self.at(time(14, 20), self.leave)  # before the closing auction, where nothing can be cancelled

    def on_bar(self, bar: Bar) -> None:
        """Widen the range. `bar.time` is when the bar was complete: 09:00 ends the opening auction."""
        if time(9, 0) < bar.time.time() <= time(9, 30):
            self.high, self.low = max(self.high, bar.high), min(self.low, bar.low)

    def enter(self) -> None:
        """Wait for the breakout on both sides, a tick outside the range."""
        (high, low), (self.high, self.low) = (self.high, self.low), (0.0, inf)
        if high > low:
            tick, reach = self.tick(self.symbol), self.reward * (high - low)
            above, below = self.on_tick(high + tick), self.on_tick(low - tick)
            up, down = self.on_tick(above + reach), self.on_tick(below - reach)
            self.entries = [
                self.buy(self.symbol, self.contracts, stop=above, stop_loss=below, take_profit=up),
                self.sell(self.symbol, self.contracts, stop=below, stop_loss=above, take_profit=down),
            ]

    def on_tick(self, price: float) -> float:
        """Arithmetic with floats leaves the tick; an order's price must be on it."""
        return self.round_price(self.symbol, price)

    def on_fill(self, fill: Fill) -> None:
        """The breakout has a direction now: take the other entry back."""
        for order in self.entries:
            if order.side != fill.side:
                self.cancel(order)

    def leave(self) -> None:
        """Withdraw what waits and close what is open; the exits end with the position."""
        self.cancel_all(self.symbol)
        self.close(self.symbol)
