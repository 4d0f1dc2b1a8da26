"""algo beside backtesting.py and backtrader: one strategy, the same bars, the same trades.

    pip install .[peers]
    python benchmarks/backtest_vs_peers.py [--bars 300000] [--rounds 3] [--json]

Every side holds one contract in the direction of the faster of two averages (20 and 50 bars) over
random-walk minute bars inside VN30F sessions, trades at the next bar's open and pays the same fee a
side. algo has its legality checks, limits, order states, fees and ledger on. The trades of algo and
backtesting.py are asserted equal, one by one. Timed is the run with its statistics and its table of
trades, not the reading of the data beforehand, on every side; the best of the rounds counts, and the
sides take turns. On a busy machine the ratios of processor time say more than those of the clock.
Memory is the growth of the peak from the first number of bars to ten times as many, in a process of
its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from algo import FlatFees, Limits, Strategy, backtest, sma
from algo.clock import MINUTE, at
from algo.data import load

Run = Callable[[], Any]
FEE = 5_000  # đồng a contract and side
POINT = 100_000
CASH = 100_000_000_000


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


def random_walk(bars: int, seed: int = 7) -> pd.DataFrame:
    """Minute bars of a seeded random walk in 0.1 points, indexed by when each bar begins."""
    rng = np.random.default_rng(seed)
    morning, afternoon = range(9 * 60, 11 * 60 + 30), range(13 * 60, 14 * 60 + 45)
    minutes = np.array([*morning, *afternoon], dtype=np.int64) * MINUTE
    days: list[int] = []
    day = date(2018, 7, 18)  # the margin rate is constant from here for years
    while len(days) * len(minutes) < bars:
        if day.weekday() < 5:
            days.append(at(day))
        day += timedelta(1)
    start = (np.array(days, dtype=np.int64)[:, None] + minutes).ravel()[:bars]
    # A step pulled gently towards 1,200 points stays inside every day's band.
    ticks = np.empty(bars)
    noise = rng.normal(0, 5, bars)
    level = 12_000.0
    for k in range(bars):
        level += noise[k] - (level - 12_000) * 1e-4
        ticks[k] = level
    close = np.round(ticks)
    opened = np.round(np.concatenate([[12_000], close[:-1]]) + rng.normal(0, 2, bars))
    high = np.maximum(opened, close) + rng.integers(0, 5, bars)
    low = np.minimum(opened, close) - rng.integers(0, 5, bars)
    index = pd.DatetimeIndex(start.astype("datetime64[ns]")).tz_localize("UTC").tz_convert("Asia/Ho_Chi_Minh")
    return pd.DataFrame(
        {
            "Open": opened / 10,
            "High": high / 10,
            "Low": low / 10,
            "Close": close / 10,
            "Volume": rng.integers(100, 2_000, bars),
        },
        index=index,
    )


def algo_run(data: pd.DataFrame) -> Run:
    series = load(data, symbol="VN30F1M", stamp="start")
    return lambda: backtest(
        SmaCross, series, cash=CASH, fees=FlatFees(per_contract=FEE),
        limits=Limits(order_quantity=10, position=5, daily_loss=CASH),
    )  # fmt: skip


def backtesting_run(data: pd.DataFrame) -> Run:
    import talib
    from backtesting import Backtest
    from backtesting import Strategy as Peer

    def average(values: Any, period: int) -> Any:
        found = talib.SMA(values, period)
        # It calls `next` first on the bar after the first value; this lets both sides begin together.
        found[period - 2] = values[period - 2]
        return found

    class Cross(Peer):
        fast = 20
        slow = 50

        def init(self):
            self.fast_ma = self.I(average, self.data.Close, self.fast)
            self.slow_ma = self.I(average, self.data.Close, self.slow)

        def next(self):
            if self.fast_ma[-1] > self.slow_ma[-1]:
                if not self.position.is_long:
                    self.position.close()
                    self.buy(size=1)
            elif not self.position.is_short:
                self.position.close()
                self.sell(size=1)

    # Prices are points: fees are scaled to points too, so that profit times 100,000 is đồng.
    naive = data.tz_localize(None)
    peer = Backtest(
        naive, Cross, cash=CASH / POINT, commission=lambda size, _price: abs(size) * FEE / POINT, margin=0.5
    )
    return peer.run


def backtrader_run(data: pd.DataFrame) -> Run:
    import backtrader as bt

    class Cross(bt.Strategy):
        params = (("fast", 20), ("slow", 50))

        def __init__(self):
            self.fast_ma = bt.ind.SMA(self.data.close, period=self.p.fast)
            self.slow_ma = bt.ind.SMA(self.data.close, period=self.p.slow)

        def next(self):
            self.order_target_size(target=1 if self.fast_ma[0] > self.slow_ma[0] else -1)

    cerebro = bt.Cerebro(stdstats=False)
    naive = data.tz_localize(None)
    cerebro.adddata(bt.feeds.PandasData(dataname=naive, timeframe=bt.TimeFrame.Minutes))
    cerebro.addstrategy(Cross)
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer, _name="trades")
    cerebro.addanalyzer(bt.analyzers.DrawDown, _name="drawdown")
    cerebro.addanalyzer(bt.analyzers.SharpeRatio, _name="sharpe")
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=FEE, margin=20_000_000, mult=POINT)
    return cerebro.run


def assert_same(ours: Any, theirs: Any) -> int:
    """Compare closed trades one by one; gives their number."""
    peer = theirs["_trades"].sort_values(["ExitTime", "EntryTime"]).reset_index(drop=True)
    mine = ours.trades
    # backtesting.py closes what is open at the end only when asked to.
    assert len(mine) == len(peer), (len(mine), len(peer))
    side = np.where(mine["side"] == "long", 1, -1)
    assert (peer["Size"].to_numpy() == side).all()
    assert np.allclose(peer["EntryPrice"], mine["entry_price"], atol=1e-9)
    assert np.allclose(peer["ExitPrice"], mine["exit_price"], atol=1e-9)
    assert (peer["EntryTime"] == mine["entry_time"].dt.tz_localize(None)).all()
    assert (peer["ExitTime"] == mine["exit_time"].dt.tz_localize(None)).all()
    assert np.allclose(peer["PnL"] * POINT, mine["pnl"], atol=1)
    return len(mine)


def timed(run: Run) -> tuple[float, float, Any]:
    """Seconds of the clock and of the processor, and what the run gave."""
    gc.collect()
    begin, used = time.perf_counter(), time.process_time()
    result = run()
    return time.perf_counter() - begin, time.process_time() - used, result


def peak_memory(bars: int) -> int:
    """Peak resident bytes of a process that makes `bars` bars and backtests them."""
    found = subprocess.run(
        [sys.executable, __file__, "--peak", str(bars)], check=True, capture_output=True, text=True
    )
    return int(found.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bars", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--skip-backtrader", action="store_true", help="it takes a minute")
    parser.add_argument("--skip-memory", action="store_true")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        algo_run(random_walk(options.peak))()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        return
    growth = None
    if not options.skip_memory:  # first: a process begins with the peak of the one that starts it
        small, large = peak_memory(options.bars), peak_memory(10 * options.bars)
        growth = (large - small) / (9 * options.bars)
    warnings.filterwarnings("ignore")
    data = random_walk(options.bars)
    best: dict[str, float] = {}
    processor: dict[str, float] = {}

    def measured(name: str, run: Run) -> Any:
        seconds, used, result = timed(run)
        best[name] = min(best.get(name, np.inf), seconds)
        processor[name] = min(processor.get(name, np.inf), used)
        return result

    trades = 0
    for _ in range(options.rounds):
        mine = measured("algo", algo_run(data))
        trades = assert_same(mine, measured("backtesting.py", backtesting_run(data)))
    if not options.skip_backtrader:
        measured("backtrader", backtrader_run(data))
    figures: dict[str, dict[str, Any]] = {"trades": {"value": trades, "unit": "trades, equal on both sides"}}
    ratios: dict[str, float] = {}
    for name, seconds in best.items():
        figures[name] = {"value": round(options.bars / seconds), "unit": "bars/s"}
        if name != "algo":
            key = "vs_" + name.replace(".", "_")
            ratios[key] = round(seconds / best["algo"], 2)
            ratios[f"{key}_processor"] = round(processor[name] / processor["algo"], 2)
    if growth is not None:
        figures["memory"] = {"value": round(growth), "unit": "bytes of peak a bar"}
    if options.json:
        print(json.dumps({"figures": figures, "ratios": ratios}, indent=2))
        return
    table = Table(title=f"SmaCross over {options.bars:,} minute bars")
    for column in ("what", "figure", "unit", "algo is faster by", "in processor time"):
        table.add_column(column, justify="left" if column in ("what", "unit") else "right")
    for name, figure in figures.items():
        key = "vs_" + name.replace(".", "_")
        times = [f"{ratios[k]} times" if k in ratios else "" for k in (key, f"{key}_processor")]
        table.add_row(name, f"{figure['value']:,}", figure["unit"], *times)
    Console().print(table)


if __name__ == "__main__":
    main()
