"""Simple strategies fill for fill as in backtesting.py, on its own bundled daily bars of GOOG.

What makes the two mean the same:

- No cap on the share of a bar's volume and no slippage, because the other side knows neither, and a limit
  that is touched is filled, because the other side fills it so.
- Prices are chosen so that every one is a whole unit on the tick: cents become 0.1 points of a future
  (lifted by 1,000 dollars, so that no day leaves the band of 7 %), or 10 đồng of a covered warrant
  (whose band is wide enough for GOOG and whose tick is 10 đồng at any price).
- Cash is large, so that neither side refuses for want of it; fees are none, or flat for each unit and side.
- What is decided on a day's close is held over night by algo and goes out in the next day's opening
  auction: the next open, as there. Limit orders live for a day here and are cancelled by hand there.
- Shares are sold no sooner than three days after they were bought, which T+2 allows under the rule of
  those years.
- A bracket's stop and target lie so far apart that no bar opens beyond one and reaches the other: there
  algo takes the open, which came first, and the other side the stop.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from algo import FlatFees, Strategy
from algo.brokers.paper import FillRules
from algo.clock import HOUR, MINUTE, at
from algo.data.series import Series
from tests.generators.markets import FUTURE, prepared, series

backtesting = pytest.importorskip("backtesting")

WARRANT = "CGOO2401"
FEE = 3_000
SIZE = 100

Decide = Callable[["Signals", int], str]


def goog() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from backtesting.test import GOOG
    return GOOG


class Signals:
    """The prices as the market shows them, and two averages, for both sides alike."""

    def __init__(self, symbol: str) -> None:
        frame = goog()
        cents = np.round(frame[["Open", "High", "Low", "Close"]].to_numpy() * 100)
        self.prices: NDArray[Any] = (cents + 100_000) / 10 if symbol == FUTURE else cents * 10
        self.days = [moment.date() for moment in frame.index]
        self.frame = frame.copy()
        self.frame[["Open", "High", "Low", "Close"]] = self.prices
        self.symbol = symbol
        self.close = self.prices[:, 3]
        self.fast, self.slow = self.mean(7), self.mean(21)

    def mean(self, count: int) -> NDArray[Any]:
        found = np.full(len(self.close), np.nan)
        found[count - 1 :] = np.convolve(self.close, np.ones(count) / count, "valid")
        return found

    def series(self) -> Series:
        ends = [at(day, 14 * HOUR + 45 * MINUTE) for day in self.days]
        starts = [at(day, 9 * HOUR) for day in self.days]
        rows = [(*row, volume) for row, volume in zip(self.prices, self.frame["Volume"], strict=True)]
        return series(self.symbol, rows, ends, 24 * HOUR, start=starts)

    def tick(self) -> float:
        return 0.1 if self.symbol == FUTURE else 10.0


def run_algo(signals: Signals, act: Callable[[Any, int], None], fee: int) -> tuple[list[Any], int]:
    class Side(Strategy):
        def on_start(self) -> None:
            self.n = -1

        def on_bar(self, bar: Any) -> None:
            self.n += 1
            if self.n >= 25:
                act(self, self.n)

    run = prepared(
        Side,
        signals.series(),
        rules=FillRules("open", 0, "touch", None),
        fees=FlatFees(per_contract=fee) if fee else "none",
        cash=10**14,
    )
    result = run.execute()
    assert not result.error
    assert not [o for o in run.engine.manager.every if o.status == "refused"]
    index = {day: k for k, day in enumerate(signals.days)}
    trades = [
        (
            row.quantity if row.side == "long" else -row.quantity,
            index[row.entry_time.date()],
            round(row.entry_price, 6),
            index[row.exit_time.date()],
            round(row.exit_price, 6),
        )
        for row in result.trades.itertuples()
    ]
    return sorted(trades, key=lambda t: (t[3], t[1])), int(result.equity.iloc[-1]) - 10**14


def run_peer(signals: Signals, act: Callable[[Any, int], None], fee: int) -> tuple[list[Any], float]:
    from backtesting import Backtest
    from backtesting import Strategy as Peer

    unit = 100_000 if signals.symbol == FUTURE else 1  # đồng for a price of 1.0

    class Side(Peer):
        def init(self) -> None: ...

        def next(self) -> None:
            n = len(self.data) - 1
            if n >= 25:
                act(self, n)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bench = Backtest(
            signals.frame, Side, cash=10**10, commission=lambda size, price: abs(size) * fee / unit
        )
        stats = bench.run()
    trades = [
        (row.Size, row.EntryBar, round(row.EntryPrice, 6), row.ExitBar, round(row.ExitPrice, 6))
        for row in stats["_trades"].itertuples()
        if row.ExitBar <= len(signals.days) - 1
    ]
    return sorted(trades, key=lambda t: (t[3], t[1])), (
        stats["_equity_curve"]["Equity"].iloc[-1] - 10**10
    ) * unit


def same(signals: Signals, ours: Any, theirs: Any, fee: int, least: int) -> None:
    mine, gained = run_algo(signals, ours, fee)
    others, made = run_peer(signals, theirs, fee)
    assert mine == others
    assert len(mine) >= least
    assert gained == pytest.approx(made, rel=1e-6, abs=2)  # the other side counts in floats


@pytest.mark.parametrize("fee", [0, FEE])
def test_flips_at_the_market(fee: int) -> None:
    signals = Signals(FUTURE)

    def ours(s: Any, n: int) -> None:
        s.target(FUTURE, 3 if signals.fast[n] > signals.slow[n] else -3)

    def theirs(s: Any, n: int) -> None:
        if signals.fast[n] > signals.slow[n]:
            if not s.position.is_long:
                s.position.close()
                s.buy(size=3)
        elif not s.position.is_short:
            s.position.close()
            s.sell(size=3)

    same(signals, ours, theirs, fee, 60)


@pytest.mark.parametrize("symbol", [FUTURE, WARRANT])
def test_limit_entries_placed_anew_every_day(symbol: str) -> None:
    signals = Signals(symbol)
    below = 0.985 if symbol == WARRANT else 0.997

    def entry(n: int) -> float:
        step = signals.tick()
        return round(round(signals.close[n] * below / step) * step, 1)

    def ours(s: Any, n: int) -> None:
        position = s.position(symbol)
        if not position:
            s.buy(symbol, SIZE, entry(n))
        elif position.lots[0].entry_ns <= signal_end(signals, n - 4) and not s.orders:
            s.close(symbol)

    def theirs(s: Any, n: int) -> None:
        for order in s.orders:
            order.cancel()
        if not s.position:
            s.buy(size=SIZE, limit=entry(n))
        elif s.trades[0].entry_bar <= n - 4:
            s.position.close()

    same(signals, ours, theirs, FEE, 100)


def signal_end(signals: Signals, n: int) -> int:
    """When the bar of day `n` is complete, nanoseconds since the epoch."""
    return at(signals.days[n], 14 * HOUR + 45 * MINUTE)


@pytest.mark.parametrize("long", [True, False])
def test_brackets(long: bool) -> None:
    signals = Signals(FUTURE)
    sign = 1 if long else -1

    def exits(n: int) -> tuple[float, float]:
        return round(signals.close[n] * (1 - sign * 0.02), 1), round(signals.close[n] * (1 + sign * 0.03), 1)

    def ours(s: Any, n: int) -> None:
        if not s.position(FUTURE) and n % 3 == 0:
            stop, target = exits(n)
            (s.buy if long else s.sell)(FUTURE, 2, stop_loss=stop, take_profit=target)

    def theirs(s: Any, n: int) -> None:
        if not s.position and n % 3 == 0:
            stop, target = exits(n)
            (s.buy if long else s.sell)(size=2, sl=stop, tp=target)

    same(signals, ours, theirs, FEE, 80)


def test_a_long_only_cross_of_shares() -> None:
    signals = Signals(WARRANT)

    def ours(s: Any, n: int) -> None:
        position = s.position(WARRANT)
        if not position:
            if signals.fast[n] > signals.slow[n]:
                s.buy(WARRANT, SIZE)
        elif signals.fast[n] <= signals.slow[n] and position.lots[0].entry_ns <= signal_end(signals, n - 2):
            s.sell(WARRANT, SIZE)

    def theirs(s: Any, n: int) -> None:
        if not s.position:
            if signals.fast[n] > signals.slow[n]:
                s.buy(size=SIZE)
        elif signals.fast[n] <= signals.slow[n] and s.trades[0].entry_bar <= n - 2:
            s.position.close()

    same(signals, ours, theirs, FEE, 30)


def test_stop_entries() -> None:
    signals = Signals(FUTURE)

    def trigger(n: int) -> float:
        return round(float(signals.prices[n - 4 : n + 1, 1].max()), 1)

    def ours(s: Any, n: int) -> None:
        if not s.position(FUTURE):
            s.buy(FUTURE, 2, stop=trigger(n))
        elif signals.fast[n] <= signals.slow[n]:
            s.close(FUTURE)

    def theirs(s: Any, n: int) -> None:
        for order in s.orders:
            order.cancel()
        if not s.position:
            s.buy(size=2, stop=trigger(n))
        elif signals.fast[n] <= signals.slow[n]:
            s.position.close()

    same(signals, ours, theirs, FEE, 40)
