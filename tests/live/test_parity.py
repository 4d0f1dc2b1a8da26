"""The same strategy over the same bars trades the same in a backtest and through the sandbox, fill by fill.

The sandbox is the real server on real sockets; the client signs, sends and hears as it does with the broker.
Time moves by the client's steps alone, so nothing here depends on the machine's speed.

One thing is compared without its minute: a market order in the closing auction is an ATC order on the wire,
whose fill is dated at the auction's end, where a backtest dates it at its beginning. Its price is the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from algo import backtest
from algo.clock import HOUR, MINUTE, local_date, time_of_day
from algo.data import synthetic
from algo.data.widths import finished, widen
from algo.strategy import Strategy
from strategies.mean_reversion_t2 import MeanReversionT2
from strategies.monthly_rebalance import MonthlyRebalance
from strategies.opening_range_breakout import OpeningRangeBreakout
from strategies.sma_cross import SmaCross
from strategies.two_sided_quoter import TwoSidedQuoter
from tests.generators.sandboxes import CASH, setup_of, stage, stepped_through

DAYS = 60
LESSONS: list[tuple[type[Strategy], dict[str, Any], list[str], str, int]] = [
    (SmaCross, {}, ["VN30F1M"], "15m", 20),
    (TwoSidedQuoter, {}, ["VN30F1M"], "10m", 100),
    (OpeningRangeBreakout, {}, ["VN30F1M"], "15m", 100),
    (MeanReversionT2, {"period": 5, "depth": 0.5}, ["FPT"], "1d", 15),
    (MonthlyRebalance, {"lookback": 5, "top": 2}, ["FPT", "HPG", "VCB"], "1d", 4),
]
counted: list[int] = []


def data_of(symbols: list[str], width: str) -> dict[str, Any]:
    made = synthetic.make(symbols, days=DAYS)
    return {symbol: widen(one, width, finished(one)) for symbol, one in made.items()}


def facts(fills: list[Any]) -> list[tuple[Any, ...]]:
    found = []
    for f in fills:
        auction = 14 * HOUR + 30 * MINUTE <= time_of_day(f.ns) <= 14 * HOUR + 46 * MINUTE
        when = (local_date(f.ns), "ATC") if auction else f.ns
        found.append((when, f.symbol, f.side, f.units, f.quantity, f.fee, f.tax, f.exit_reason))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "parameters", "symbols", "width", "least"), LESSONS)
async def test_a_lesson_trades_the_same_through_the_sandbox(
    tmp_path: Path,
    strategy: type[Strategy],
    parameters: dict[str, Any],
    symbols: list[str],
    width: str,
    least: int,
) -> None:
    data = data_of(symbols, width)
    expected = backtest(strategy, data, parameters=parameters, cash=CASH)
    async with stage(data, tmp_path) as on:
        trading = await stepped_through(on, setup_of(on, strategy, parameters))
    ledger = trading.core.engine.desks["trader"].ledger
    found = facts(ledger.fills)
    assert found == facts(expected._fills)
    assert len(found) >= least
    counted.append(len(found))
    if len(counted) == len(LESSONS):
        assert sum(counted) >= 300
