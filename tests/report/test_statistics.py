"""Statistics equal the reference libraries, and say None where nothing can be told."""

from __future__ import annotations

import json
import warnings
from typing import Any

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algo.report.statistics import daily_equity, drawdown, statistics
from tests.generators.results import FILL_COLUMNS, TRADE_COLUMNS, ZONE, made_result

NO_TRADES = pd.DataFrame(columns=TRADE_COLUMNS)
NO_FILLS = pd.DataFrame(columns=FILL_COLUMNS)


def figures(values: Any, index: Any, **more: Any) -> dict[str, Any]:
    equity = pd.Series(values, index=index)
    held = more.pop("exposure", pd.Series(False, index=equity.index))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return statistics(
            equity, more.pop("trades", NO_TRADES), more.pop("fills", NO_FILLS), held, bars=len(equity), **more
        )


def days(count: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2022-01-03 15:00", periods=count, tz=ZONE)


@st.composite
def intraday_equity(draw: st.DrawFn) -> pd.Series[Any]:
    """Whole đồng above 0 at some bars of each of some days, never the same every day."""
    count = draw(st.integers(3, 60))
    per_day = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    index = pd.DatetimeIndex(
        [
            day.normalize() + pd.Timedelta(hours=9 + hour)
            for day, bars in zip(days(count), per_day, strict=True)
            for hour in range(bars)
        ]
    )
    steps = draw(st.lists(st.floats(-0.05, 0.05), min_size=len(index), max_size=len(index)))
    values = np.round(100_000_000 * np.cumprod(1 + np.array(steps)))
    return pd.Series(values, index=index)


def agrees(mine: float | None, theirs: float) -> bool:
    """Both numbers within rounding, or both say that it cannot be told."""
    if mine is None:
        return not np.isfinite(theirs)
    return mine == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@given(equity=intraday_equity())
@settings(max_examples=100, deadline=None)
def test_daily_figures_equal_empyrical(equity: pd.Series[Any]) -> None:
    got = figures(equity.to_numpy(), equity.index)
    # The daily returns as anyone would make them with pandas.
    returns = equity.resample("D").last().dropna().pct_change().dropna()
    with np.errstate(all="ignore"):
        assert agrees(got["volatility_pct"], 100 * empyrical.annual_volatility(returns))
        assert agrees(got["cagr_pct"], 100 * empyrical.cagr(returns))
        assert agrees(got["max_drawdown_pct"], 100 * empyrical.max_drawdown(returns))
        assert agrees(got["calmar"], empyrical.calmar_ratio(returns))
        if returns.std() > 1e-12:
            assert agrees(got["sharpe"], empyrical.sharpe_ratio(returns))
            assert agrees(got["sortino"], empyrical.sortino_ratio(returns))
    assert got["best_day_pct"] == pytest.approx(100 * returns.max())
    assert got["worst_day_pct"] == pytest.approx(100 * returns.min())
    per_bar = equity.pct_change().dropna()
    assert got["max_drawdown_intraday_pct"] == pytest.approx(100 * empyrical.max_drawdown(per_bar), abs=1e-9)
    assert got["max_drawdown_intraday_pct"] <= got["max_drawdown_pct"] + 1e-9


@pytest.mark.slow
def test_daily_figures_equal_quantstats() -> None:
    from quantstats import stats as quantstats  # takes seconds to import

    for seed in range(10):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(20, 600))
        values = np.round(1e8 * np.cumprod(1 + rng.normal(0.0004, 0.01, count)))
        got = figures(values, days(count))
        returns = pd.Series(values, index=days(count).tz_localize(None).normalize()).pct_change().dropna()
        assert got["sharpe"] == pytest.approx(quantstats.sharpe(returns))
        assert got["sortino"] == pytest.approx(quantstats.sortino(returns))
        assert got["volatility_pct"] == pytest.approx(100 * quantstats.volatility(returns))
        assert got["cagr_pct"] == pytest.approx(100 * quantstats.cagr(returns))
        assert got["max_drawdown_pct"] == pytest.approx(100 * quantstats.max_drawdown(returns))
        assert got["calmar"] == pytest.approx(quantstats.calmar(returns))
        assert got["best_day_pct"] == pytest.approx(100 * quantstats.best(returns))
        assert got["worst_day_pct"] == pytest.approx(100 * quantstats.worst(returns))


profits = st.lists(st.integers(-(10**9), 10**9), max_size=40)


@given(profits=profits, seed=st.integers(0, 1000))
@example(profits=[], seed=0)
@example(profits=[0], seed=0)
@example(profits=[5, 5, 5], seed=0)
@settings(max_examples=100, deadline=None)
def test_trade_figures_equal_a_plain_fold(profits: list[int], seed: int) -> None:
    moments = days(len(profits) + 1)
    rows = [
        ["FPT", "long", 100, moments[0], 1.0, leave, 1.0, pnl, 0, 0, ""]
        for leave, pnl in zip(moments[1:], profits, strict=True)
    ]
    trades = pd.DataFrame(rows, columns=TRADE_COLUMNS).sample(frac=1, random_state=seed)
    got = figures([1e8] * 3, days(3), trades=trades)
    wins = [pnl for pnl in profits if pnl > 0]
    losses = [pnl for pnl in profits if pnl < 0]
    run = longest = 0
    for pnl in profits:
        run = run + 1 if pnl < 0 else 0
        longest = max(longest, run)
    assert got["trades"] == len(profits)
    assert got["max_losing_streak"] == longest
    assert got["win_rate_pct"] == (pytest.approx(100 * len(wins) / len(profits)) if profits else None)
    assert got["profit_factor"] == (pytest.approx(sum(wins) / -sum(losses)) if losses else None)
    assert got["expectancy"] == (pytest.approx(sum(profits) / len(profits)) if profits else None)
    assert got["best_trade"] == max(profits, default=None)
    assert got["worst_trade"] == min(profits, default=None)
    if len(set(profits)) > 1:
        spread = pd.Series(profits, dtype=float).std()
        assert got["sqn"] == pytest.approx(np.mean(profits) / spread * len(profits) ** 0.5)


def test_costs_turnover_and_exposure() -> None:
    result = made_result(bars=2000, trades=25, seed=3)
    stats = result.stats
    assert stats["fees"] == result.trades["fees"].sum() == result.fills["fee"].sum() > 0
    assert stats["taxes"] == result.trades["taxes"].sum() > 0
    assert stats["net_profit"] == result.trades["pnl"].sum() == stats["closing"] - stats["opening"]
    assert stats["return_pct"] == pytest.approx(100 * stats["net_profit"] / 200_000_000)
    assert stats["traded_value"] == result.fills["value"].sum()
    assert stats["turnover"] == pytest.approx(result.fills["value"].sum() / result.equity.mean())
    assert stats["exposure_pct"] == pytest.approx(100 * (result.exposure != 0).mean())
    hours = (result.trades["exit_time"] - result.trades["entry_time"]).mean() / pd.Timedelta(hours=1)
    assert stats["avg_holding_hours"] == pytest.approx(hours)
    assert (stats["start"], stats["bars"]) == ("2023-01-03T09:01:00+07:00", 2000)


def test_opening_counts_what_the_first_bar_cost() -> None:
    got = figures([99.0, 99.0, 120.0], days(3), opening=100)
    assert (got["net_profit"], got["return_pct"]) == (20, pytest.approx(20))
    assert got["max_drawdown_intraday_pct"] == pytest.approx(-1)
    assert got["max_drawdown_pct"] == 0


def test_longest_drawdown_is_from_the_high_until_it_is_reached_again() -> None:
    index = days(8)  # Monday to Friday, then Monday to Wednesday
    assert figures([1, 2, 1, 1, 2, 3, 3, 4], index)["max_drawdown_days"] == 3
    assert figures([5, 2, 1, 1, 2, 3, 3, 4], index)["max_drawdown_days"] == 9
    assert figures(range(1, 9), index)["max_drawdown_days"] == 0


def test_days_are_local_days() -> None:
    # 16:59 and 17:01 UTC lie on two local days.
    index = pd.DatetimeIndex(["2024-01-02 16:59", "2024-01-02 17:01", "2024-01-03 02:00"], tz="UTC")
    equity = pd.Series([1.0, 2.0, 3.0], index=index)
    assert daily_equity(equity).tolist() == [1.0, 3.0]
    assert figures(equity.to_numpy(), index)["start"] == "2024-01-02T23:59:00+07:00"
    assert figures(equity.to_numpy(), index.tz_convert(ZONE).tz_localize(None))["days"] == 2


DEGENERATE = {
    "nothing": ([], days(0)),
    "one bar": ([1e8], days(1)),
    "one day": ([1e8, 2e8], pd.DatetimeIndex(["2024-01-02 09:00", "2024-01-02 10:00"], tz=ZONE)),
    "flat": ([1e8] * 30, days(30)),
    "only up": ([1e8, 2e8, 3e8], days(3)),
    "wiped out": ([1e8, 5e7, 0.0], days(3)),
    "below zero": ([1e8, -5e7, -6e7, 1e7], days(4)),
    "never any money": ([0.0, 0.0, 0.0], days(3)),
    "up beyond counting": ([1.0, 1e9], days(2)),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_runs_give_none_or_zero_and_no_warning(name: str) -> None:
    got = figures(*DEGENERATE[name])
    json.dumps(got, allow_nan=False)
    assert all(type(value) in (int, float, str, type(None)) for value in got.values())
    for key in ("trades", "fills", "fees", "taxes", "traded_value", "turnover", "exposure_pct"):
        assert got[key] == 0
    for key in ("win_rate_pct", "profit_factor", "expectancy", "best_trade", "sqn"):
        assert got[key] is None


def test_what_degenerate_runs_say() -> None:
    flat = figures(*DEGENERATE["flat"])
    assert (flat["volatility_pct"], flat["cagr_pct"], flat["max_drawdown_pct"]) == (0, 0, 0)
    assert (flat["sharpe"], flat["sortino"], flat["calmar"]) == (None, None, None)
    one_day = figures(*DEGENERATE["one day"])
    assert (one_day["return_pct"], one_day["sharpe"], one_day["cagr_pct"]) == (100, None, None)
    up = figures(*DEGENERATE["only up"])
    assert up["sharpe"] > 0 and up["sortino"] is None and up["calmar"] is None
    assert figures(*DEGENERATE["wiped out"])["cagr_pct"] == -100
    ruined = figures(*DEGENERATE["below zero"])
    assert ruined["max_drawdown_pct"] == pytest.approx(-160) and ruined["sharpe"] is None
    assert figures(*DEGENERATE["up beyond counting"])["cagr_pct"] is None


def test_drawdown_of_losses_before_any_gain_is_zero() -> None:
    assert drawdown(np.array([-1.0, -2.0, 4.0, 3.0])).tolist() == [0, 0, 0, -0.25]


def test_every_figure_is_defined_in_the_docstring() -> None:
    text = statistics.__doc__ or ""
    words = set(text.replace(",", " ").split())
    assert [name for name in figures([1.0], days(1)) if name not in words] == []
