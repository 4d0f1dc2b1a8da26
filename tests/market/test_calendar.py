"""Trading days: the notices' closures, guesses outside, and calendars made of data."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.market import CLOSURES, VIETNAM, TradingCalendar
from tests.generators.market import days


@pytest.mark.parametrize("year", sorted(CLOSURES))
def test_closures_are_weekdays_of_their_year(year):
    assert all(day.year == year and day.weekday() < 5 for day in CLOSURES[year])


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (date(2023, 1, 19), True),
        (date(2023, 1, 20), False),
        (date(2023, 1, 27), True),
        (date(2024, 4, 18), False),
        (date(2024, 5, 4), False),  # a Saturday worked to make up for a bridge day
        (date(2025, 1, 24), True),
        (date(2025, 2, 3), True),
        (date(2026, 2, 13), True),
        (date(2026, 2, 20), False),
        (date(2026, 2, 23), True),
        (date(2026, 9, 3), True),
    ],
)
def test_dated_examples(day, opens):
    assert VIETNAM.is_trading_day(day) is opens


def test_years_without_a_table_are_guessed_from_public_holidays():
    assert VIETNAM.is_guess(date(2022, 2, 3))
    assert not VIETNAM.is_trading_day(date(2022, 2, 1))  # Tet
    assert not VIETNAM.is_trading_day(date(2030, 4, 30))
    assert VIETNAM.is_guess(date(2030, 4, 29))
    assert not VIETNAM.is_guess(date(2030, 4, 28))  # a Sunday is certain
    assert not VIETNAM.is_guess(date(2025, 4, 7))


def test_an_unconfirmed_closure_is_a_guess_until_the_user_replaces_it():
    day = date(2026, 11, 24)
    assert not VIETNAM.is_trading_day(day)
    assert VIETNAM.is_guess(day)
    confirmed_open = TradingCalendar({**CLOSURES, 2026: CLOSURES[2026] - {day}})
    assert confirmed_open.is_trading_day(day)
    assert not confirmed_open.is_guess(day)


def test_a_user_adds_a_year_or_a_day():
    calendar = TradingCalendar({**CLOSURES, 2027: [date(2027, 1, 1)]})
    assert not calendar.is_guess(date(2027, 1, 4))
    assert not calendar.is_trading_day(date(2027, 1, 1))
    storm = date(2024, 9, 9)
    closed = VIETNAM.with_closures(storm)
    assert VIETNAM.is_trading_day(storm)
    assert not closed.is_trading_day(storm)
    assert not closed.is_guess(storm)
    assert closed.with_closures(date(2024, 9, 10)).next_trading_day(date(2024, 9, 6)) == date(2024, 9, 11)


def test_a_closure_under_the_wrong_year_is_refused():
    with pytest.raises(SettingError, match="2028"):
        TradingCalendar({2027: [date(2028, 1, 3)]})


@given(days, st.integers(1, 12))
def test_the_nth_day_is_a_count(day, n):
    later = VIETNAM.next_trading_day(day, n)
    assert len(VIETNAM.trading_days(day + timedelta(days=1), later)) == n
    assert VIETNAM.is_trading_day(later)
    earlier = VIETNAM.previous_trading_day(day, n)
    assert len(VIETNAM.trading_days(earlier, day - timedelta(days=1))) == n


@given(st.sets(days, min_size=1, max_size=40), days)
def test_a_calendar_of_data_is_its_days_inside_and_the_table_outside(known, day):
    calendar = TradingCalendar.from_days(known)
    inside = min(known) <= day <= max(known)
    assert calendar.is_trading_day(day) is (day in known if inside else VIETNAM.is_trading_day(day))
    assert calendar.is_guess(day) is (not inside and VIETNAM.is_guess(day))


def test_a_calendar_without_data_is_the_table():
    calendar = TradingCalendar.from_days([])
    assert calendar.next_trading_day(date(2024, 2, 7)) == date(2024, 2, 15)


def test_counting_starts_at_one():
    with pytest.raises(ValueError, match="from 1"):
        VIETNAM.next_trading_day(date(2024, 1, 2), 0)
