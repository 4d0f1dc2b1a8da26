"""Indicators that TA-Lib lacks, or calls otherwise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algo.clock import DAY, HOUR
from algo.errors import DataError, ParameterError
from algo.indicators.classics import highest, lowest
from algo.indicators.inputs import Array, Arrays2, as_arrays, pair, whole_number

_LOCAL = 7 * HOUR  # Vietnamese time is UTC+7 the whole year
_LONGEST = 100_000  # TA-Lib's longest period


def donchian(high: ArrayLike, low: ArrayLike, period: int = 20) -> Arrays2:
    """Donchian channel (upper, lower): the highest high and the lowest low of `period` bars.

    This bar is included, so a close can never lie outside: a breakout compares with the bar before.
    """
    top, bottom = as_arrays("donchian", ("high", "low"), (high, low))
    return highest(top, period), lowest(bottom, period)


def zscore(close: ArrayLike, period: int = 20) -> Array:
    """How many standard deviations the value lies above the mean of the last `period` values.

    The deviation is divided by `period`, as in `stddev`. Where the window is flat it is 0.
    """
    (values,) = as_arrays("zscore", ("close",), (close,))
    if not 2 <= whole_number("zscore", "period", period) <= _LONGEST:
        raise ParameterError(f"zscore: period must be from 2 to {_LONGEST}, not {period}")
    result = np.full(values.size, np.nan)
    last = values[period - 1 :]
    mean, square = np.zeros(last.size), np.zeros(last.size)
    # Distances from the window's own last value, added in order: a flat window gives exactly zero,
    # no running sum drifts, and every window is added up alike however long the history is.
    for back in range(period if last.size else 0):
        mean += values[back : back + last.size] - last
    mean /= period
    for back in range(period if last.size else 0):
        square += (values[back : back + last.size] - last - mean) ** 2
    spread = np.sqrt(square / period)
    result[period - 1 :] = np.where(spread == 0, 0.0, -mean / np.where(spread == 0, 1.0, spread))
    return result


def session_vwap(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, time: ArrayLike
) -> Array:
    """Volume-weighted average of the typical price (high + low + close) / 3 since the day began.

    `time` is nanoseconds since the epoch; the average starts afresh with each local calendar day.
    NaN until the day's first volume.
    """
    names = ("high", "low", "close", "volume")
    tops, bottoms, closes, volumes = as_arrays("session_vwap", names, (high, low, close, volume))
    stamps = np.asarray(time, dtype=np.int64)
    if stamps.shape != closes.shape:
        raise DataError(f"session_vwap: {closes.size} bars need as many times, not {stamps.size}")
    value = (tops + bottoms + closes) / 3 * volumes
    result = np.full(closes.size, np.nan)
    days = (stamps + _LOCAL) // DAY
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), closes.size]
    for start, end in pairwise(edges):
        traded = np.cumsum(volumes[start:end])
        np.divide(np.cumsum(value[start:end]), traded, out=result[start:end], where=traded > 0)
    return result


def crossed_above(a: ArrayLike, b: ArrayLike) -> NDArray[np.bool_]:
    """True at a bar where `a` is above `b` and at the bar before was not. Either may be one number.

    False where a value is NaN, and at the first bar.
    """
    left, right = pair("crossed_above", a, b)
    result = np.zeros(left.size, dtype=np.bool_)
    result[1:] = (left[1:] > right[1:]) & (left[:-1] <= right[:-1])
    return result


def crossed_below(a: ArrayLike, b: ArrayLike) -> NDArray[np.bool_]:
    """True at a bar where `a` is below `b` and at the bar before was not. Either may be one number.

    False where a value is NaN, and at the first bar.
    """
    left, right = pair("crossed_below", a, b)
    result = np.zeros(left.size, dtype=np.bool_)
    result[1:] = (left[1:] < right[1:]) & (left[:-1] >= right[:-1])
    return result
