"""Wide bars: against a plain reading of the rules, bar by bar, and never from the future."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY, HOUR, MINUTE, at, local_date, time_of_day
from algo.data.hours import blocks
from algo.data.series import Series, width_name
from algo.data.synthetic import make
from algo.data.widths import Builder, finished, parse_width, widen
from algo.errors import SettingError
from algo.model import Bar, Board
from tests.generators.bars import minute_series, same_bars, series_at

wides = st.sampled_from((15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, DAY))


def bars_of(series: Series) -> list[Bar]:
    columns = (series.time, series.open, series.high, series.low, series.close, series.volume, series.start)
    contract = [series.symbol] * len(series) if series.contract is None else series.contract.tolist()
    rows = zip(*(column.tolist() for column in columns), contract, strict=True)
    return [Bar(series.symbol, *row) for row in rows]


def edges(board: Board, narrow: int, wide: int) -> list[tuple[int, int]]:
    """Every bucket of a day as (start, end), written out; the last of a span waits for one narrow bar."""
    found = []
    spans = blocks(board)
    if wide == DAY:
        return [(spans[0][0], spans[-1][1] + narrow)]
    for begin, end in spans:
        start = begin
        for edge in range(wide, DAY, wide):
            if begin < edge < end:
                found.append((start, edge))
                start = edge
        found.append((start, end + narrow))
    return found


def plain(series: Series, wide: int) -> list[Bar]:
    """The rules of the module's docstring, one bar at a time, with all of time known."""
    buckets: dict[tuple[date, int, int], list[Bar]] = {}
    for bar in bars_of(series):
        for start, end in edges(series.board, series.width, wide):
            if time_of_day(bar.ns) <= end:
                buckets.setdefault((local_date(bar.ns), start, end), []).append(bar)
                break
    return [
        Bar(
            series.symbol,
            at(day, end),
            parts[0].open,
            max(part.high for part in parts),
            min(part.low for part in parts),
            parts[-1].close,
            sum(part.volume for part in parts),
            at(day, start),
            parts[-1].contract,
        )
        for (day, start, end), parts in sorted(buckets.items())
        if at(day, end) <= series.time[-1]
    ]


@given(minute_series(), wides)
def test_whole_arrays_follow_the_rules(series: Series, wide: int) -> None:
    expected = plain(series, wide) if wide != series.width else bars_of(series)
    assert bars_of(widen(series, wide)) == expected


@given(minute_series(widths=st.sampled_from((MINUTE, 5 * MINUTE))), wides)
def test_bar_by_bar_gives_the_same_bars(series: Series, wide: int) -> None:
    builder = Builder(series.board, series.width, wide)
    found = [(bar.ns, wide_bar) for bar in bars_of(series) for wide_bar in builder.push(bar)]
    assert [wide_bar for _, wide_bar in found] == bars_of(widen(series, wide))
    assert all(wide_bar.ns <= now for now, wide_bar in found)


@given(minute_series(widths=st.just(MINUTE)), wides, st.integers(1, 90))
def test_a_wide_bar_never_changes_once_seen(series: Series, wide: int, n: int) -> None:
    whole = widen(series, wide)
    known = series.take(slice(0, n))
    early = widen(known, wide)
    seen = whole.take(whole.time <= known.time[-1])
    assert same_bars(early, seen)


@given(minute_series(widths=st.just(MINUTE)), wides)
def test_time_alone_completes_a_bar(series: Series, wide: int) -> None:
    builder = Builder(series.board, MINUTE, wide)
    found = [one for bar in bars_of(series) for one in builder.push(bar)]
    late = int(series.time[-1]) + DAY
    assert found + builder.advance(late) == bars_of(widen(series, wide, late))
    assert builder.advance(late) == []


def test_the_closing_auction_belongs_to_its_day() -> None:
    """Its print is stamped 14:45, so its minute is over at 14:46: the day's close must be that price."""
    day = date(2024, 3, 4)
    minutes = [9 * HOUR + MINUTE, 14 * HOUR + 30 * MINUTE, 14 * HOUR + 46 * MINUTE]
    series = series_at([at(day, minute) for minute in minutes], MINUTE, Board.HOSE)
    daily = widen(series, "1d")
    assert daily.close.tolist() == [series.close[-1]]
    assert daily.time.tolist() == [at(day, 14 * HOUR + 46 * MINUTE)]
    assert daily.start.tolist() == [at(day, 9 * HOUR)]


def test_an_hour_is_cut_at_lunch() -> None:
    day = date(2024, 3, 4)
    series = series_at([at(day, 9 * HOUR + i * MINUTE) for i in range(1, 151)], MINUTE, Board.HOSE)
    hours = widen(series, "1h", finished(series))
    assert [time_of_day(int(ns)) // MINUTE for ns in hours.start] == [540, 600, 660]
    assert [time_of_day(int(ns)) // MINUTE for ns in hours.time] == [600, 660, 691]
    assert hours.volume.sum() == series.volume.sum()


def test_a_half_day_is_no_day_yet() -> None:
    series = make(["FPT"], days=2)["FPT"]
    morning = series.take(series.time <= at(date(2025, 7, 2), 11 * HOUR + 30 * MINUTE))
    assert len(widen(morning, "1d")) == 1
    assert len(widen(series, "1d", finished(series))) == 2


def test_the_same_width_is_the_same_series() -> None:
    series = make(["FPT"], days=1)["FPT"]
    assert widen(series, "1m") is series


def test_contracts_stay_with_their_bars() -> None:
    series = make(["VN30F1M"], days=20)["VN30F1M"]
    daily = widen(series, "1d", finished(series))
    assert daily.contract is not None
    assert series.contract is not None
    assert daily.contract.tolist() == series.contract[:: len(series) // 20].tolist()


def test_no_bars_give_no_bars() -> None:
    empty = make(["FPT"], days=1)["FPT"].take(slice(0))
    assert len(widen(empty, "15m")) == 0
    assert widen(empty, "15m").width == 15 * MINUTE
    assert finished(empty) == 0


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("1m", MINUTE),
        ("5m", 5 * MINUTE),
        ("15min", 15 * MINUTE),
        ("1h", HOUR),
        ("60m", HOUR),
        ("1d", DAY),
        ("D", DAY),
        (" 2 hours ", 2 * HOUR),
        ("5T", 5 * MINUTE),
        ("30s", MINUTE // 2),
    ],
)
def test_widths_as_people_write_them(text: str, width: int) -> None:
    assert parse_width(text) == width
    assert parse_width(width) == width
    assert parse_width(width_name(width)) == width


@pytest.mark.parametrize("text", ["", "fast", "7m", "0m", "-5m", "1w", "2d", "1.5h", 0, -1])
def test_what_is_no_width(text: str | int) -> None:
    with pytest.raises(SettingError, match="1m, 5m, 15m"):
        parse_width(text)


def test_wide_bars_give_no_narrow_ones() -> None:
    series = make(["FPT"], days=1)["FPT"]
    daily = widen(series, "1d", finished(series))
    with pytest.raises(SettingError, match="cannot be built"):
        widen(daily, "15m")
    with pytest.raises(SettingError, match="cannot be built"):
        widen(widen(series, "15m"), "20m")
    with pytest.raises(SettingError, match="already"):
        Builder(Board.HOSE, "1m", "1m")
    assert np.all(daily.volume > 0)
