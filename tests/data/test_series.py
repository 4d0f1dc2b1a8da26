"""Series: what may be in one, cutting and joining, the DataFrame."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY, HOUR, MINUTE, at
from algo.data.series import Series, join, moment_ns, width_name
from algo.errors import DataError
from algo.model import Board
from tests.generators.bars import minute_series, same_bars, series_at

OPEN = at(date(2024, 3, 4), 9 * HOUR)


def some(n: int = 5) -> Series:
    return series_at([OPEN + (i + 1) * MINUTE for i in range(n)], MINUTE, Board.HOSE)


def test_arrays_are_read_only() -> None:
    series = some()
    with pytest.raises(ValueError, match="read-only"):
        series.close[0] = 1.0


def test_the_callers_own_array_stays_writable() -> None:
    series = some()
    close = series.close.copy()
    again = replace(series, close=close)
    close.flags.writeable = True
    assert again.close.flags.writeable is False
    assert close.flags.writeable is True


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("low", 0.0, "0 < low"),
        ("low", -5.0, "0 < low"),
        ("high", np.nan, "0 < low"),
        ("close", np.nan, "0 < low"),
        ("open", np.inf, "0 < low"),
        ("high", 1.0, "0 < low"),
        ("close", 1e9, "0 < low"),
        ("volume", -1, "negative volume"),
        ("time", OPEN, "no later"),
        ("start", OPEN + HOUR, "begins after"),
    ],
)
def test_a_bad_bar_is_refused_and_named(column: str, value: float, words: str) -> None:
    series = some()
    values = getattr(series, column).copy()
    values[3] = value
    with pytest.raises(DataError, match=words) as caught:
        replace(series, **{column: values})
    assert "\n" not in str(caught.value)
    assert "2024-03-04" in str(caught.value)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="one length"):
        replace(some(), volume=np.ones(3, dtype=np.int64))


@given(minute_series(), st.data())
def test_between_keeps_exactly_the_bars_inside(series: Series, data: st.DataObject) -> None:
    first = data.draw(st.integers(int(series.start[0]) - HOUR, int(series.time[-1]) + HOUR))
    last = data.draw(st.integers(first, int(series.time[-1]) + HOUR))
    found = series.between(first, last)
    inside = (series.start >= first) & (series.time <= last)
    assert found.time.tolist() == series.time[inside].tolist()


def test_dates_mean_whole_days() -> None:
    days = [date(2024, 3, day) for day in (4, 5, 6)]
    series = series_at([at(day, 9 * HOUR + i * MINUTE) for day in days for i in (1, 2)], MINUTE, Board.HOSE)
    assert series.between("2024-03-05", "2024-03-05").time.tolist() == series.time[2:4].tolist()
    assert series.between(date(2024, 3, 5)).time.tolist() == series.time[2:].tolist()
    assert series.between(to=datetime(2024, 3, 5, 9, 1)).time.tolist() == series.time[:3].tolist()


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "31/01/2024"])
def test_a_date_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="write 2024-01-31"):
        moment_ns(text)


@given(minute_series(), st.integers(0, 60), st.integers(0, 60))
def test_joined_parts_give_the_whole(series: Series, a: int, b: int) -> None:
    cut, overlap = sorted((min(a, len(series)), min(b, len(series))))
    assert same_bars(join([series.take(slice(0, overlap)), series.take(slice(cut, None))]), series)
    assert same_bars(join([series.take(slice(cut, None)), series.take(slice(0, overlap))]), series)


def test_at_equal_times_the_later_part_wins() -> None:
    series = some()
    newer = replace(series.take(slice(2, 4)), volume=np.array([7, 8]))
    assert join([series, newer]).volume.tolist()[2:4] == [7, 8]
    assert join([newer, series]).volume.tolist()[2:4] == series.volume.tolist()[2:4]


@pytest.mark.parametrize("change", [{"width": 5 * MINUTE}, {"adjusted": True}, {"symbol": "VCB"}])
def test_parts_of_different_kinds_do_not_join(change: dict[str, object]) -> None:
    with pytest.raises(DataError, match="cannot be joined"):
        join([some(), replace(some(), **change)])  # type: ignore[arg-type]


@given(minute_series())
def test_the_frame_has_every_bar_at_its_end(series: Series) -> None:
    frame = series.to_frame()
    assert str(frame.index.tz) == "Asia/Ho_Chi_Minh"
    assert frame.index.as_unit("ns").asi8.tolist() == series.time.tolist()
    assert frame["close"].tolist() == series.close.tolist()
    assert frame["volume"].tolist() == series.volume.tolist()
    assert frame.attrs["symbol"] == series.symbol


def test_widths_have_names() -> None:
    assert [width_name(w) for w in (MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY)] == [
        "1m",
        "15m",
        "1h",
        "4h",
        "1d",
    ]
