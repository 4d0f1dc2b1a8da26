"""Checks: a clean market has no findings; each planted oddity is found, and nothing is refused for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import HOUR, MINUTE, at
from algo.data.checks import check, off_tick_share, repair
from algo.data.findings import Finding, Severity
from algo.data.hours import midnights
from algo.data.series import Series
from algo.data.synthetic import make
from algo.data.widths import finished, widen
from algo.model import Board
from tests.generators.bars import minute_series, same_bars, series_at

MARKET = make(days=8)
SHARE = MARKET["FPT"]


def found(series: Series) -> dict[str, Finding]:
    return {one.kind: one for one in check(series)}


def changed(series: Series, at: int, **values: float) -> Series:
    columns = {name: getattr(series, name).copy() for name in values}
    for name, value in values.items():
        columns[name][at] = value
    return replace(series, **columns)


@pytest.mark.parametrize("name", list(MARKET))
@pytest.mark.parametrize("width", ["1m", "15m", "1d"])
def test_a_clean_market_has_no_findings(name: str, width: str) -> None:
    series = MARKET[name]
    assert check(widen(series, width, finished(series))) == []


@given(minute_series())
def test_no_series_is_refused(series: Series) -> None:
    for one in check(series):
        assert one.count > 0
        assert one.first
        assert one.severity is not Severity.ERROR
        assert "\n" not in str(one)


@given(st.integers(0, len(SHARE) - 1), st.booleans())
def test_a_spike_is_found_and_brought_back(where: int, up: bool) -> None:
    body = max(SHARE.open[where], SHARE.close[where]), min(SHARE.open[where], SHARE.close[where])
    odd = changed(SHARE, where, **({"high": body[0] * 2} if up else {"low": 100.0}))
    finding = found(odd)["spike"]
    assert finding.count == 1
    mended, done = repair(odd)
    assert "spike" not in found(mended)
    assert [one.done for one in done] == [True]
    assert (mended.high[where], mended.low[where]) == (
        (body[0], SHARE.low[where]) if up else (SHARE.high[where], body[1])
    )
    others = np.arange(len(SHARE)) != where
    assert same_bars(mended.take(others), SHARE.take(others))


def test_a_repair_of_clean_bars_changes_nothing() -> None:
    assert repair(SHARE) == (SHARE, [])


def test_a_move_inside_the_band_is_no_spike() -> None:
    """From floor to ceiling in one bar, 7 % each way, is what the exchange allows."""
    odd = changed(
        SHARE,
        50,
        low=float(SHARE.close[50] * 0.93 // 100 * 100),
        high=float(SHARE.close[50] * 1.07 // 100 * 100),
    )
    assert check(odd) == []


def test_a_split_that_was_not_adjusted_for() -> None:
    half = {
        name: np.where(np.arange(len(SHARE)) >= 500, getattr(SHARE, name) // 200 * 100, getattr(SHARE, name))
        for name in ("open", "high", "low", "close")
    }
    finding = found(replace(SHARE, **half))["jump"]
    assert finding.count == 1
    assert "split" in finding.first


def test_a_roll_is_no_jump() -> None:
    future = make(["VN30F1M"], days=20)["VN30F1M"]
    assert future.contract is not None
    later = future.contract != future.contract[0]
    raised = {
        name: np.where(later, np.round(getattr(future, name) * 1.5, 1), getattr(future, name))
        for name in ("open", "high", "low", "close")
    }
    assert "jump" not in found(replace(future, **raised))
    assert "jump" in found(replace(future, contract=None, **raised))


def test_prices_off_the_tick() -> None:
    odd = changed(SHARE, 3, high=float(SHARE.high[3] + 1))
    assert found(odd)["price off the tick"].count == 1
    assert off_tick_share(odd) == 1 / len(SHARE)
    assert check(replace(odd, adjusted=True)) == []


def test_a_hole_in_a_session() -> None:
    of_day = SHARE.start - midnights(SHARE.start)
    day = midnights(SHARE.start) == midnights(SHARE.start)[500]
    hole = day & (of_day >= 10 * HOUR) & (of_day < 10 * HOUR + 40 * MINUTE)
    finding = found(SHARE.take(~hole))["gap in a session"]
    assert finding.count == 1
    assert "10:00" in finding.first
    assert "10:40" in finding.first


def test_a_thin_series_has_no_holes() -> None:
    thin = SHARE.take(np.arange(len(SHARE)) % 40 == 0)
    assert "gap in a session" not in found(thin)


def test_days_that_are_not_there() -> None:
    second = np.unique(midnights(SHARE.time))[1]
    finding = found(SHARE.take(midnights(SHARE.time) != second))["missing day"]
    assert (finding.count, finding.first) == (1, "2025-07-02: no bar")


def test_long_silences_before_the_known_closures() -> None:
    times = [at(date(2015, 1, day), 14 * HOUR + 45 * MINUTE) for day in (5, 6, 26, 27)]
    finding = found(series_at(times, MINUTE, Board.HOSE))["missing days"]
    assert finding.count == 1
    assert "2015-01-06" in finding.first


def test_bars_outside_the_sessions() -> None:
    day = date(2024, 3, 4)
    times = [9 * HOUR + 16 * MINUTE, 11 * HOUR + 31 * MINUTE, 12 * HOUR, 14 * HOUR + 46 * MINUTE, 16 * HOUR]
    findings = found(series_at([at(day, one) for one in times], MINUTE, Board.HOSE))
    assert findings["bar at the end of a session"].count == 2
    assert findings["bar at the end of a session"].severity is Severity.INFO
    assert findings["bar outside the sessions"].count == 2
    closed = series_at(
        [at(date(2024, 3, 2), 10 * HOUR), at(date(2024, 4, 18), 10 * HOUR)], MINUTE, Board.HOSE
    )
    assert found(closed)["bar on a closed day"].count == 2


def test_bars_without_volume() -> None:
    finding = found(changed(SHARE, 3, volume=0))["no volume"]
    assert (finding.count, finding.severity) == (1, Severity.INFO)


def test_an_empty_series_is_said_to_be_empty() -> None:
    assert [one.kind for one in check(SHARE.take(slice(0)))] == ["no bars"]


def test_symbols_that_follow_no_rule_are_checked_as_far_as_it_goes() -> None:
    odd = replace(changed(SHARE, 3, low=1.0), symbol="ngô")
    assert "spike" in found(odd)
    warrant = replace(SHARE, symbol="CFPT2401")
    assert "spike" not in found(warrant)
