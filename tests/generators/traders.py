"""Strategies that look ahead in all the ways people found, an honest one, and one that acts at random."""

from __future__ import annotations

import random
from datetime import time, timedelta

from algo import Strategy, atr, donchian, session_vwap, sma

HONEST = """
import numpy as np
from algo import Strategy, sma


class Honest(Strategy):
    symbol: str = "VN30F1M"

    def on_start(self):
        self.average = self.indicator(sma, self.symbol, 5)
        self.closes = []

    def on_bar(self, bar):
        self.closes.append(bar.close)
        if self.average.ready:
            self.target(self.symbol, 1 if bar.close > self.average[-1] else -1)
"""

_INDICATOR = """
import numpy as np
import pandas as pd
from algo import Strategy


def {name}(close):
    series = pd.Series(close)
    return ({formula}).to_numpy()


class Cheat(Strategy):
    symbol: str = "VN30F1M"

    def on_start(self):
        self.sign = self.indicator({name}, self.symbol)

    def on_bar(self, bar):
        self.target(self.symbol, 1 if self.sign[-1] > {level} else -1)
"""

_TABLE = """
import pandas as pd
from algo import Strategy

{load}


class Cheat(Strategy):
    symbol: str = "VN30F1M"
    {own}

    def on_bar(self, bar):
        number = len(self.bars(self.symbol))
        table = {table}
        if number + 3 < len(table):
            self.target(self.symbol, 1 if table[number + 3] > bar.close else -1)
"""

# What each cheat is, and the kind of difference that gives it away.
INDICATOR_CHEATS = {
    "centred window": _INDICATOR.format(
        name="centred", formula="series - series.rolling(5, center=True).mean()", level="0.0"
    ),
    "negative shift": _INDICATOR.format(name="shifted", formula="series.shift(-1) - series", level="0.0"),
    "backward fill": _INDICATOR.format(
        name="filled", formula="series.where(series.diff() > 0).bfill() - series", level="0.0"
    ),
    "scaled by the highest of all": _INDICATOR.format(
        name="scaled", formula="series / series.max()", level="0.995"
    ),
    "z-score over all": _INDICATOR.format(
        name="standard", formula="(series - series.mean()) / series.std()", level="0.0"
    ),
}  # fmt: skip
TABLE_CHEATS = {
    "global table": _TABLE.format(
        load="DATA = pd.read_csv('bars.csv')", own="", table="DATA['Close'].to_numpy()"
    ),
    "global table in thousands, newest first": _TABLE.format(
        load="DATA = pd.read_csv('bars.csv')[['Close']].iloc[::-1] / 1000", own="",
        table="DATA['Close'].to_numpy()[::-1] * 1000",
    ),
    "list in a dict": _TABLE.format(
        load="KNOWN = {'prices': pd.read_csv('bars.csv')['Close'].tolist()}", own="", table="KNOWN['prices']"
    ),
    "prices by moment": _TABLE.format(
        load="KNOWN = pd.read_csv('bars.csv', index_col=0)['Close'].to_dict()", own="",
        table="list(KNOWN.values())",
    ),
    "closure": _TABLE.format(
        load="def made():\n    prices = pd.read_csv('bars.csv')['Close'].tolist()\n"
        "    return lambda: prices\nask = made()",
        own="", table="ask()",
    ),
    "attribute of the instance": _TABLE.format(
        load="", own="def on_start(self):\n        self.future = pd.read_csv('bars.csv')['Open'].to_numpy()",
        table="self.future",
    ),
}  # fmt: skip
CHEATS = {**INDICATOR_CHEATS, **TABLE_CHEATS}


class RandomTrader(Strategy):
    """Does anything that the past allows, by dice thrown in one order: orders, exits, amends, timers."""

    symbol: str = "VN30F1M"
    seed: int = 0

    def on_start(self) -> None:
        self.dice = random.Random(self.seed)
        width = self.dice.choice([None, "5m", "15m", "1d"])
        self.average = self.indicator(sma, self.symbol, self.dice.randint(2, 9), width=width)
        self.range = self.indicator(atr, self.symbol, 5)
        self.high, self.low = self.indicator(donchian, self.symbol, 7, width=width)
        self.vwap = self.indicator(session_vwap, self.symbol)
        self.every(timedelta(minutes=self.dice.randint(3, 90)), self.now_and_then)
        self.at(time(14, self.dice.randint(0, 29)), self.now_and_then)

    def now_and_then(self) -> None:
        closes = self.bars(self.symbol).close
        if len(closes):
            self.move(float(closes[-1]))

    def on_bar(self, bar) -> None:  # type: ignore[no-untyped-def]
        if self.dice.random() < 0.2:
            self.move(bar.close)

    def on_order(self, order) -> None:  # type: ignore[no-untyped-def]
        if order.reason and self.dice.random() < 0.1:
            self.cancel_all()

    def move(self, close: float) -> None:
        lot = self.lot(self.symbol)
        quantity = lot * self.dice.randint(1, 5)
        near = self.round_price(self.symbol, close * self.dice.uniform(0.995, 1.005))
        up = self.round_price(self.symbol, close * 1.01, "up")
        down = self.round_price(self.symbol, close * 0.99, "down")
        act = self.dice.randint(0, 7)
        if act == 0:
            self.target(self.symbol, quantity if self.average.ready and close > self.average[-1] else 0)
        elif act == 1:
            self.buy(self.symbol, quantity, near, stop_loss=down, take_profit=up)
        elif act == 2:
            self.sell(self.symbol, quantity, near)
        elif act == 3:
            self.buy(self.symbol, quantity, stop=up, tif="gtc")
        elif act == 4 and self.orders:
            self.amend(self.dice.choice(self.orders), price=near)
        elif act == 5 and self.orders:
            self.cancel(self.dice.choice(self.orders))
        elif act == 6:
            self.close(self.symbol)
        elif self.low.ready and self.vwap.ready and close > self.vwap[-1] and self.range.ready:
            self.sell(self.symbol, quantity, trailing=self.tick(self.symbol) * 20)
