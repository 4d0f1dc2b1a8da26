"""Lesson: a position that follows a signal. `target` says what to hold; algo trades the difference."""

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
