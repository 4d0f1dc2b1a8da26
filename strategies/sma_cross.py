"""Lesson: indicators that are read bar by bar, and a target instead of orders.

An indicator is made once and shows its value of the present bar. `target` says what to hold: it sends the
one order that is needed, also through zero, and none while the position is right.
"""

from algo import Strategy, sma


class SmaCross(Strategy):
    """Hold one contract in the direction of the faster average."""

    symbol: str = "VN30F1M"
    fast: int = 20
    slow: int = 50

    def on_start(self):
        self.fast_ma = self.indicator(sma, self.symbol, self.fast)
        self.slow_ma = self.indicator(sma, self.symbol, self.slow)

    def on_bar(self, bar):
        if self.slow_ma.ready:
            self.target(bar.symbol, 1 if self.fast_ma[-1] > self.slow_ma[-1] else -1)
