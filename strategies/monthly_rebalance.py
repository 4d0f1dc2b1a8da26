"""Lesson: many shares at once, whole lots, and cash that comes back two days after a sale.

`on_bars` has all bars of one moment. Once a month the shares that rose most are chosen, each for an
equal part of the money. Sales go out first; each following day buys with what has arrived.
"""

from algo import Bar, Strategy, roc


class MonthlyRebalance(Strategy):
    """Hold the shares that rose most over the last months, in equal parts."""

    top: int = 5
    lookback: int = 60  # days
    slack: float = 0.2  # of a part: smaller differences are left alone

    def on_start(self) -> None:
        """One indicator for each symbol that the data has; nothing is chosen yet."""
        self.rise = {s: self.indicator(roc, s, self.lookback, width="1d") for s in self.universe}
        self.chosen: list[str] = []
        self.today = self.now.date()

    def on_bars(self, bars: dict[str, Bar]) -> None:
        """Act once a day, on the shares that trade; choose anew on the first day of a month."""
        before, self.today = self.today, self.now.date()
        if self.today == before:
            return
        if self.today.month != before.month:
            ready = [symbol for symbol in bars if self.rise[symbol].ready]
            self.chosen = sorted(ready, key=lambda symbol: self.rise[symbol][-1])[-self.top :]
        part = self.portfolio.equity / self.top
        cash = 0.99 * min(self.buying_power(symbol) for symbol in bars)  # something is left for fees
        for symbol, bar in bars.items():
            cash -= self.adjust(bar, part if symbol in self.chosen else 0.0, cash)

    def adjust(self, bar: Bar, part: float, cash: float) -> float:
        """Bring one share to its part of the money; gives the đồng that this sets aside."""
        position, lot = self.position(bar.symbol), self.lot(bar.symbol)
        if part and abs(part - position.value) < self.slack * part:
            return 0.0
        price = self.round_price(bar.symbol, bar.close * 1.02, "up")  # a limit bounds the cash it takes
        change = int(part / price) - position.quantity
        most = min(position.sellable if change < 0 else cash / price, self.largest_order(bar.symbol))
        quantity = int(min(abs(change), most)) // lot * lot
        if not quantity:
            return 0.0
        if change < 0:
            self.sell(bar.symbol, quantity)
            return 0.0
        self.buy(bar.symbol, quantity, price)
        return quantity * price
