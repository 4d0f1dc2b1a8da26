"""Lesson: shares are bought in lots with cash, and can be sold when they have settled.

Shares bought today arrive on the afternoon of the second trading day after (T+2). A strategy that adds
to its position holds several purchases, each with its own day of arrival: `position.sellable` is
what has arrived, and a sale of more is refused.
"""

from algo import Bar, Strategy, zscore


class MeanReversionT2(Strategy):
    """Buy a share in tranches while it is far below its average; sell what has settled when it is back."""

    symbol: str = "FPT"
    period: int = 20  # days of the average
    depth: float = 1.5  # standard deviations below it at which to buy
    tranche: int = 100_000_000  # đồng for one day's purchase

    def on_start(self) -> None:
        """Daily values, whether the data has days or minutes."""
        self.score = self.indicator(zscore, self.symbol, self.period, width="1d")
        self.seen = 0

    def on_bar(self, bar: Bar) -> None:
        """Decide once for each complete day."""
        if not self.score.ready or len(self.score) == self.seen:
            return
        self.seen = len(self.score)
        if self.score[-1] < -self.depth:
            self.add(bar.close)
        elif self.score[-1] > 0:
            self.reduce()

    def add(self, close: float) -> None:
        """Buy one tranche, as far as the cash goes.

        A limit says how much cash is set aside; for a market order it would be that of the day's
        ceiling. One per cent above the last price, this limit still trades at the open if that is better.
        """
        price = self.round_price(self.symbol, close * 1.01, "up")
        money = min(self.tranche, self.buying_power(self.symbol) * 0.99)  # something is left for fees
        quantity = self.whole_lots(int(money / price))
        if quantity:
            self.buy(self.symbol, quantity, price)

    def reduce(self) -> None:
        """Sell what has arrived, in whole lots; the rest follows on the days after."""
        quantity = self.whole_lots(self.position(self.symbol).sellable)
        if quantity:
            self.sell(self.symbol, quantity)

    def whole_lots(self, quantity: int) -> int:
        """As much of `quantity` as one order may have."""
        lot = self.lot(self.symbol)
        return min(quantity, self.largest_order(self.symbol)) // lot * lot
