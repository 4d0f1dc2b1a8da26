"""Stamps: every way of writing a moment gives the same nanoseconds as datetime does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY, HOUR, MINUTE, at, to_ns
from algo.data.stamps import NO_TIME, find_width, mark, moments
from algo.errors import DataError
from algo.model import Board

seconds = st.datetimes(datetime(2000, 7, 28), datetime(2035, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
many = st.lists(seconds, min_size=1, max_size=20)


def read(*columns: list[object] | None) -> list[int]:
    dates, clocks = (None if column is None else pa.chunked_array([pa.array(column)]) for column in columns)
    return moments(dates, clocks)[0].tolist()


@given(
    many, st.sampled_from(("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d %H:%M:%S"))
)
def test_text_with_the_year_first(found: list[datetime], form: str) -> None:
    assert read([one.strftime(form) for one in found], None) == [to_ns(one) for one in found]


@given(
    many, st.sampled_from(("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")), st.sampled_from(("", " %H:%M", " %I:%M %p"))
)
def test_text_with_the_day_first(found: list[datetime], form: str, clock: str) -> None:
    expected = [at(one.date(), one.hour * HOUR + one.minute * MINUTE if clock else 0) for one in found]
    assert read([one.strftime(form + clock) for one in found], None) == expected


@given(many.filter(lambda found: any(one.day > 12 for one in found)))
def test_text_with_the_month_first(found: list[datetime]) -> None:
    assert read([one.strftime("%m/%d/%Y") for one in found], None) == [at(one.date()) for one in found]


def test_days_and_months_that_could_be_swapped_are_said() -> None:
    column = pa.chunked_array([pa.array(["03/04/2024", "05/06/2024"])])
    times, notes = moments(column, None)
    assert times.tolist() == [at(date(2024, 4, 3)), at(date(2024, 6, 5))]
    assert notes == ["dates such as 03/04/2024 are taken as day/month/year"]


@given(many, st.sampled_from(((1, "s"), (1_000, "ms"), (1_000_000, "us"), (1_000_000_000, "ns"))))
def test_epoch_numbers_and_zoned_columns(found: list[datetime], unit: tuple[int, str]) -> None:
    expected = [to_ns(one) for one in found]
    numbers = [ns // 1_000_000_000 * unit[0] for ns in expected]
    assert read(numbers, None) == expected
    zoned = pa.chunked_array([pa.array(numbers, pa.timestamp(unit[1], "UTC"))])
    assert moments(zoned, None)[0].tolist() == expected
    local = pa.chunked_array(
        [pa.array([number + 7 * 3600 * unit[0] for number in numbers], pa.timestamp(unit[1]))]
    )
    assert moments(local, None)[0].tolist() == expected


@given(many)
def test_zoned_text(found: list[datetime]) -> None:
    text = [(one - timedelta(hours=7)).replace(tzinfo=UTC).isoformat() for one in found]
    assert read(text, None) == [to_ns(one) for one in found]


@given(many)
def test_dates_as_numbers(found: list[datetime]) -> None:
    assert read([int(one.strftime("%Y%m%d")) for one in found], None) == [at(one.date()) for one in found]
    assert read([int(one.strftime("%Y%m%d%H%M%S")) for one in found], None) == [to_ns(one) for one in found]
    minutes = [one.replace(second=0) for one in found]
    assert read([int(one.strftime("%Y%m%d%H%M")) for one in found], None) == [to_ns(one) for one in minutes]


@given(many, st.sampled_from(("text", "short", "number", "time")))
def test_a_date_and_a_time_column(found: list[datetime], kind: str) -> None:
    found = [one.replace(second=0) for one in found] if kind == "short" else found
    write = {
        "text": lambda one: one.strftime("%H:%M:%S"),
        "short": lambda one: one.strftime("%H:%M"),
        "number": lambda one: int(one.strftime("%H%M%S")),
        "time": lambda one: one.time(),
    }[kind]
    # 2400 and below would read as hours and minutes: keep one afternoon second in the column.
    last = datetime(2024, 1, 2, 14, 30)
    clocks = [write(one) for one in [*found, last]]
    dates = [one.date() for one in [*found, last]]
    assert read(dates, clocks) == [to_ns(one) for one in [*found, last]]
    assert read([day.isoformat() for day in dates], clocks) == [to_ns(one) for one in [*found, last]]


def test_a_time_column_may_hold_whole_moments() -> None:
    assert read(None, ["2024-03-04 09:15:00"]) == [at(date(2024, 3, 4), 9 * HOUR + 15 * MINUTE)]
    assert read([date(2024, 3, 4)], ["2024-03-04 09:15:00"]) == [at(date(2024, 3, 4), 9 * HOUR + 15 * MINUTE)]


@pytest.mark.parametrize(
    "column",
    [
        ["soon", "2024-03-04"],
        [None, "2024-03-04"],
        ["2024-02-30", "2024-03-04"],
        [20240230, 20240304],
        [None, 20240304],
    ],
)
def test_what_cannot_be_read_has_no_time(column: list[object]) -> None:
    assert read(column, None) == [NO_TIME, at(date(2024, 3, 4))]
    assert read([7, 8], None) == [NO_TIME, NO_TIME]
    assert read([True, False], None) == [NO_TIME, NO_TIME]


@given(
    st.sampled_from((MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)),
    st.sets(st.integers(0, 59), min_size=30, max_size=60),
)
def test_the_width_is_the_step_of_a_fairly_full_series(width: int, slots: set[int]) -> None:
    times = np.array(sorted(at(date(2024, 3, 4)) + slot * width for slot in slots), dtype=np.int64)
    assert find_width(times, "it") == width


def test_days_are_days_even_if_one_is_alone() -> None:
    assert find_width(np.array([at(date(2024, 3, 4))]), "it") == DAY
    stamped = [at(date(2024, 3, day), 15 * HOUR) for day in (4, 5, 6, 7, 8, 11)]
    assert find_width(np.array(stamped), "it") == DAY


@pytest.mark.parametrize("step", [7 * MINUTE, 7 * DAY, 30 * DAY])
def test_widths_that_no_bar_has(step: int) -> None:
    with pytest.raises(DataError, match="it: "):
        find_width(np.arange(5) * step + at(date(2024, 3, 4)), "it")


def test_an_opening_auction_does_not_make_ends_look_like_starts() -> None:
    """A derivatives minute file that stamps ends has 09:00, the end of the auction, but never 13:00."""
    day = at(date(2024, 3, 4))
    ends = [
        9 * HOUR,
        *range(9 * HOUR + MINUTE, 11 * HOUR + 31 * MINUTE, MINUTE),
        *range(13 * HOUR + MINUTE, 14 * HOUR, MINUTE),
    ]
    times = np.array([day + one for one in ends], dtype=np.int64)
    assert mark(times, Board.DERIVATIVES, MINUTE)[0] == "end"
    assert mark(times - MINUTE, Board.DERIVATIVES, MINUTE)[0] == "start"


def test_a_wanted_width_is_believed_only_of_thin_bars() -> None:
    """Dense 15-minute bars that were called 5-minute ones would be seen ten minutes too early."""
    start = at(date(2024, 3, 4), 9 * HOUR)
    dense = np.arange(30) * 15 * MINUTE + start
    assert find_width(dense, "it", HOUR) == 15 * MINUTE
    with pytest.raises(DataError, match="15m wide"):
        find_width(dense, "it", 5 * MINUTE)
    with pytest.raises(DataError, match="1d wide"):
        find_width(np.arange(5) * DAY + at(date(2024, 3, 4)), "it", MINUTE)
    thin = start + np.array([0, 5, 10, 22, 27, 32]) * MINUTE
    assert find_width(thin, "it", MINUTE) == MINUTE
    assert find_width(thin[:1], "it", MINUTE) == MINUTE
