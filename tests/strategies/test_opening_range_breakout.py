from datetime import time

import numpy as np
import pytest

from algo import Result, backtest
from algo.data import Series, synthetic
from strategies.opening_range_breakout import OpeningRangeBreakout


@pytest.fixture(scope="module")
def future() -> Series:
    return synthetic.make(["VN30F1M"], days=60, seed=3)["VN30F1M"]


@pytest.fixture(scope="module")
def result(future: Series) -> Result:
    return backtest(OpeningRangeBreakout, future)


def test_every_evening_is_flat(result: Result) -> None:
    fills = result.fills
    signed = fills.quantity.where(fills.side == "buy", -fills.quantity)
    assert (signed.groupby(fills.time.dt.date).sum() == 0).all()
    assert fills.time.dt.time.max() < time(14, 30)


def test_an_entry_is_a_breakout_of_the_first_half_hour(result: Result, future: Series) -> None:
    bars = future.to_frame()
    opening = bars[[time(9, 0) < moment.time() <= time(9, 30) for moment in bars.index]]
    days = np.array([moment.date() for moment in opening.index])
    high, low = opening.high.groupby(days).max(), opening.low.groupby(days).min()
    for trade in result.trades.itertuples():
        day = trade.entry_time.date()
        if trade.side == "long":
            assert trade.entry_price >= high[day] + 0.1 - 1e-9
        else:
            assert trade.entry_price <= low[day] - 0.1 + 1e-9


def test_the_exits_are_the_stop_the_target_and_the_evening(result: Result) -> None:
    trades = result.trades
    reasons = trades.groupby("exit_reason").pnl
    assert set(reasons.groups) == {"stop_loss", "take_profit", "signal"}
    assert (reasons.get_group("take_profit") > 0).all()
    assert (reasons.get_group("stop_loss") < 0).all()
    evening = trades[trades.exit_reason == "signal"]
    assert (evening.exit_time.dt.time >= time(14, 20)).all()
