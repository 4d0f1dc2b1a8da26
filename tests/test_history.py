"""What may be known of the past: bars and indicators up to now, in a backtest and as they grow."""

from __future__ import annotations

from operator import add, delitem, ge, gt, iadd, imul, le, lt, mul, setitem
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.clock import MINUTE
from algo.errors import ParameterError
from algo.history import Bars, History, indicator
from algo.indicators import donchian, ema, rsi, sma

COLUMNS = ("open", "high", "low", "close")
prices = st.floats(1.0, 1e6, allow_nan=False)
rows = st.lists(st.tuples(prices, prices, prices, prices, st.integers(0, 10**6)), min_size=1, max_size=40)


def history_of(found: list[tuple[Any, ...]], n: int | None = None) -> History:
    table = np.array(found, dtype=np.float64).reshape(-1, 5)
    time = np.arange(1, len(found) + 1, dtype=np.int64) * MINUTE
    history = History(
        "FPT",
        MINUTE,
        time,
        time - MINUTE,
        *(table[:, k].copy() for k in range(4)),
        table[:, 4].astype(np.int64),
    )
    history.n = len(found) if n is None else n
    return history


def growing() -> History:
    none, whole = np.empty(0), np.empty(0, dtype=np.int64)
    return History("FPT", MINUTE, whole, whole, none, none, none, none, whole)


@given(rows)
def test_a_history_that_grows_shows_what_a_whole_one_shows(found: list[tuple[Any, ...]]) -> None:
    whole, grown = history_of(found, 0), growing()
    for number, row in enumerate(found, 1):
        grown.append((number * MINUTE, (number - 1) * MINUTE, *row))
        whole.reveal_until(number * MINUTE)
        assert grown.n == whole.n == number
        for name in (*COLUMNS, "volume"):
            assert getattr(Bars(grown), name).tolist() == getattr(Bars(whole), name).tolist()
        assert Bars(grown).ns.tolist() == Bars(whole).ns.tolist()


@settings(max_examples=50)
@given(rows, st.integers(2, 6))
def test_an_indicator_over_a_growing_history_has_the_same_bits(
    found: list[tuple[Any, ...]], period: int
) -> None:
    whole, grown = history_of(found, 0), growing()
    lines = [(indicator(h, f, period)) for f in (sma, ema) for h in (whole, grown)]
    upper = [indicator(h, donchian, period)[0] for h in (whole, grown)]
    pairs = [*zip(lines[::2], lines[1::2], strict=True), tuple(upper)]
    for number, row in enumerate(found, 1):
        grown.append((number * MINUTE, (number - 1) * MINUTE, *row))
        whole.n = number
        for a, b in pairs:
            assert a.ready == b.ready
            assert a.values.tobytes() == b.values.tobytes()
            assert np.array([a[-1]]).tobytes() == np.array([b[-1]]).tobytes()
            assert len(a) == len(b) == number


@given(st.integers(0, 12), st.integers(-20, 20))
def test_an_index_reads_what_is_known_or_nothing(n: int, index: int) -> None:
    history = history_of([(k, k, k, k, k) for k in range(1, 13)], n)
    line = indicator(history, lambda close: close * 2)
    if -n <= index < n:
        assert line[index] == [2.0 * k for k in range(1, n + 1)][index]
    else:
        with pytest.raises(IndexError):
            line[index]


def test_an_indicator_is_only_read() -> None:
    line = indicator(history_of([(k, k, k, k, k) for k in range(1, 6)], 3), lambda close: close)
    other = indicator(line._history, lambda close: close)
    assert (line[-2:], list(line)) == ([2.0, 3.0], [1.0, 2.0, 3.0])
    assert line != other
    assert len({line, other}) == 2
    changes: list[tuple[Any, ...]] = [
        (line.append, 4.0), (line.extend, [4.0]), (line.insert, 0, 4.0), (line.pop,), (line.remove, 1.0),
        (line.clear,), (line.sort,), (line.reverse,), (setitem, line, -1, 7.0), (delitem, line, -1),
        (iadd, line, [7.0]), (imul, line, 2), (add, line, other), (mul, line, 2), (mul, 2, line),
        (lt, line, other), (le, line, other), (gt, line, other), (ge, line, other),
    ]  # fmt: skip
    for change, *given_ in changes:
        with pytest.raises(TypeError):
            change(*given_)
    assert list(line) == [1.0, 2.0, 3.0]


@given(st.integers(1, 600), st.data())
def test_steps_reveal_bars_and_indicators_together(length: int, data: st.DataObject) -> None:
    found = [(k, k, k, k, k) for k in range(1, length + 1)]
    history = history_of(found, 0)
    holes = data.draw(st.sets(st.integers(1, length), max_size=5))
    joins = sorted(data.draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=3)))
    lines: list[Any] = []

    def holed(close: Any) -> Any:
        return np.where(np.isin(close, [*holes]), np.nan, close)

    for n in range(length):
        lines += [indicator(history, holed) for _ in range(joins.count(n))]
        next(history.steps)
        assert history.n == n + 1 == len(Bars(history))
        for line in lines:
            assert (len(line), line.ready) == (n + 1, n + 1 not in holes)
            assert not line.ready or line[-1] == n + 1 == line.values[-1]
    assert next(history.steps, None) is None
    assert history.n == length


def test_ready_tells_whether_the_present_value_exists() -> None:
    history = history_of([(k, k, k, k, k) for k in range(1, 8)], 0)
    line = indicator(history, sma, 3)
    seen = []
    for n in range(8):
        history.n = n
        seen.append(line.ready)
    assert seen == [False, False, False, True, True, True, True, True]


def test_ready_knows_of_holes() -> None:
    history = history_of([(k, k, k, k, k) for k in range(1, 6)], 0)
    line = indicator(history, lambda close: np.where(close == 3, np.nan, close))
    seen = []
    for n in range(1, 6):
        history.n = n
        seen.append(line.ready)
    assert seen == [True, True, False, True, True]
    never = indicator(history, lambda close: close * np.nan)
    assert not never.ready


def test_arrays_are_read_only_and_end_now() -> None:
    history = history_of([(k, k, k, k, k) for k in range(1, 6)], 3)
    bars, line = Bars(history), indicator(history, lambda close: close)
    for array in (bars.close, bars.volume, bars.ns, line.values):
        assert len(array) == 3
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    assert len(bars) == 3


def test_inputs_are_filled_by_name_and_the_rest_in_order() -> None:
    history = history_of([(1, 4, 0.5, 2, 9), (2, 6, 1.5, 3, 8)])
    spread = indicator(history, lambda high, low, factor: (high - low) * factor, 10)
    assert spread.values.tolist() == [35.0, 45.0]
    other = indicator(history, lambda values, shift: values + shift, 0.5)  # any other name gets the closes
    assert other.values.tolist() == [2.5, 3.5]
    volumes = indicator(history, lambda close, volume: close * volume)
    assert volumes.values.tolist() == [18.0, 24.0]
    assert indicator(history, rsi, period=14).name == "rsi(period=14)"
    assert float(spread) == 45.0


@pytest.mark.parametrize(
    "function", [lambda close: close[1:], lambda close: 1.0, lambda close: close[:, None]]
)
def test_an_indicator_gives_one_value_a_bar(function: Any) -> None:
    with pytest.raises(ParameterError, match="one value a bar"):
        indicator(history_of([(1, 1, 1, 1, 1)] * 3), function)
