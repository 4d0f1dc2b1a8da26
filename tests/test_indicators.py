"""Indicators are causal to the bit, equal their definitions, and refuse what makes no sense."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from algo import indicators
from algo.clock import DAY, HOUR, MINUTE
from algo.errors import DataError, InputError, ParameterError

OFFERED = indicators.offered()
AVERAGES = tuple(range(9))


def bars(seed: int, count: int, lead: int = 0, holes: int = 0) -> dict[str, Any]:
    """Bars on a tick of 0.1 with flat stretches, jumps and idle bars; `lead` NaNs first, `holes` later."""
    rng = np.random.default_rng(seed)
    steps = rng.choice([0.0, 0.0, 0.1, -0.1, 0.7, -1.3, 5.0], count)
    close = np.round(1000 + np.cumsum(steps), 1)
    open_ = np.concatenate([close[:1], close[:-1]])
    table = {
        "open": open_,
        "high": np.maximum(open_, close) + rng.integers(0, 4, count) / 10,
        "low": np.minimum(open_, close) - rng.integers(0, 4, count) / 10,
        "close": close,
        "volume": rng.integers(0, 500, count).astype(float),
        "periods": rng.integers(2, 30, count).astype(float),
    }
    for column in table.values():
        column[:lead] = np.nan
        column[rng.integers(0, count, holes)] = np.nan
    table["time"] = 1_700_000_000_000_000_000 + np.cumsum(rng.integers(1, 90, count)) * MINUTE
    table["a"], table["b"] = table["close"], table["open"]
    return table


def call(name: str, table: dict[str, Any], options: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """The outputs of indicator `name`, its leading parameters filled by name as the framework does."""
    function = OFFERED[name]
    wanted = [key for key in inspect.signature(function).parameters if key in table]
    result = function(*(table[key] for key in wanted), **options)
    return result if isinstance(result, tuple) else (result,)


def draw_options(data: st.DataObject, name: str) -> dict[str, Any]:
    """Options around the defaults, many of them legal."""
    options: dict[str, Any] = {}
    for key, parameter in inspect.signature(OFFERED[name]).parameters.items():
        if parameter.default is parameter.empty:
            continue
        if "matype" in key:
            options[key] = data.draw(st.sampled_from(AVERAGES), label=key)
        elif isinstance(parameter.default, int):
            options[key] = data.draw(st.integers(2, 40), label=key)
        else:
            options[key] = parameter.default * data.draw(st.sampled_from([0.5, 1.0, 1.25]), label=key)
    return options


@pytest.mark.parametrize("name", OFFERED)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_old_values_never_change_as_history_grows(name: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(30, 160))
    table = bars(
        data.draw(st.integers(0, 2**32 - 1)),
        count,
        lead=data.draw(st.sampled_from([0, 0, 0, 7])),
        holes=data.draw(st.sampled_from([0, 0, 0, 2])),
    )
    defaults = data.draw(st.booleans())
    options = {} if defaults else draw_options(data, name)
    with np.errstate(all="ignore"):
        try:
            whole = call(name, table, options)
        except ParameterError:
            if defaults:
                raise
            return
        cuts = data.draw(st.lists(st.integers(0, count - 1), min_size=4, max_size=4))
        for cut in [0, 1, count - 1, *cuts]:
            part = call(name, {key: column[:cut].copy() for key, column in table.items()}, options)
            for old, new in zip(part, whole, strict=True):
                assert new.shape == (count,)
                assert old.tobytes() == new[:cut].tobytes()


def test_every_function_of_ta_lib_is_offered_and_equals_it() -> None:
    table = bars(5, 300)
    for upper in talib.get_functions():
        function = OFFERED[upper.lower()]
        assert function is getattr(indicators, upper.lower())
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__doc__
        if upper == "DONCHIAN":
            continue  # ours gives two arrays
        keys = [key for key in inspect.signature(function).parameters if key in table]
        expected = getattr(talib, upper)(*(table[key] for key in keys))
        with np.errstate(all="ignore"):
            ours = call(upper.lower(), table, {})
        for mine, theirs in zip(ours, expected if isinstance(expected, tuple) else (expected,), strict=True):
            assert mine.dtype == np.float64
            known = ~np.isnan(mine)
            assert np.array_equal(mine[known], theirs[known].astype(float))
            assert np.all(np.isnan(theirs[~known]) if theirs.dtype == float else theirs[~known] == 0)


def test_written_out_functions_have_ta_libs_defaults() -> None:
    for name in indicators.__all__:
        if name.upper() not in talib.get_functions() or name == "donchian":
            continue
        mine = inspect.signature(getattr(indicators, name))
        made = inspect.signature(indicators.ta_lib.made(name.upper()))
        assert [(p.name, p.default) for p in mine.parameters.values()] == [
            (p.name, p.default) for p in made.parameters.values()
        ]


def test_whole_number_outputs_are_nan_until_known() -> None:
    table = bars(1, 60)
    (found,) = call("maxindex", table, {"period": 10})
    assert np.isnan(found[:9]).all() and np.isfinite(found[9:]).all()
    assert found[9] == np.argmax(table["close"][:10])


def test_session_vwap_restarts_each_local_day_and_waits_for_volume() -> None:
    # Local midnight is 17:00 UTC: two bars of one day, then two of the next, in one UTC date.
    midnight = 1_699_981_200_000_000_000
    assert (midnight + 7 * HOUR) % DAY == 0
    time = np.array([midnight - 2 * MINUTE, midnight - MINUTE, midnight + MINUTE, midnight + 2 * MINUTE])
    close = np.array([10.0, 20.0, 40.0, 50.0])
    got = indicators.session_vwap(close, close, close, [1, 3, 0, 2], time)
    np.testing.assert_array_equal(got, [10.0, (10 + 60) / 4, np.nan, 50.0])


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 80), period=st.integers(2, 30))
@settings(max_examples=60, deadline=None)
def test_own_indicators_equal_brute_force(seed: int, count: int, period: int) -> None:
    table = bars(seed, count) if count else {key: np.empty(0) for key in ("high", "low", "close", "open")}
    upper, lower = indicators.donchian(table["high"], table["low"], period)
    score = indicators.zscore(table["close"], period)
    above = indicators.crossed_above(table["close"], table["open"])
    below = indicators.crossed_below(table["close"], table["open"])
    for i in range(count):
        window = slice(i - period + 1, i + 1)
        if i < period - 1:
            assert np.isnan([upper[i], lower[i], score[i]]).all()
        else:
            assert upper[i] == table["high"][window].max()
            assert lower[i] == table["low"][window].min()
            values = table["close"][window]
            flat = np.ptp(values) == 0
            expected = 0.0 if flat else (values[-1] - values.mean()) / values.std()
            assert score[i] == pytest.approx(expected, abs=1e-9)
        a, b = table["close"], table["open"]
        assert above[i] == (i > 0 and a[i] > b[i] and not a[i - 1] > b[i - 1])
        assert below[i] == (i > 0 and a[i] < b[i] and not a[i - 1] < b[i - 1])


def test_crossings_take_a_level_and_ignore_nan() -> None:
    a = [1.0, 3.0, 2.0, np.nan, 5.0, 1.0]
    assert indicators.crossed_above(a, 2).tolist() == [False, True, False, False, False, False]
    assert indicators.crossed_below(2, a).tolist() == [False, True, False, False, False, False]
    assert indicators.crossed_below(a, 2).tolist() == [False, False, False, False, False, True]
    with pytest.raises(DataError, match="at least one"):
        indicators.crossed_above(1, 2)


@pytest.mark.parametrize("period", [0, -3, 2.5, "20", True, None, 10**12, np.nan])
@pytest.mark.parametrize("name", ["sma", "hma", "highest", "atr", "donchian", "zscore"])
def test_an_impossible_period_is_one_clear_line(name: str, period: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        call(name, bars(1, 50), {"period": period})
    text = str(caught.value)
    assert "\n" not in text
    assert "period" in text
    assert repr(period) in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, 2.0], [1.0], [1.0, 2.0]), "equally long, not 2, 1, 2"),
        ((["x", "y"], [1.0, 1.0], [1.0, 2.0]), "must be numbers"),
        ((np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2))), "one-dimensional"),
        ((1.0, 1.0, 1.0), "one-dimensional"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        indicators.atr(*arguments)


def test_infinite_option_and_unknown_name() -> None:
    with pytest.raises(ParameterError, match="nbdevup must be a number"):
        indicators.bbands([1.0] * 30, nbdevup=float("inf"))
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = indicators.no_such_thing
    assert "supertrend" in dir(indicators)


def test_ta_lib_is_not_imported_before_the_first_use() -> None:
    code = "import sys, algo.indicators; print('talib' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
