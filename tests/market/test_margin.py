"""Futures margin by date, position limit, warnings."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.market import initial_margin, initial_margin_rate, position_refusal, warning_level
from tests.generators.market import FUTURE, days


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (date(2017, 8, 10), 10),
        (date(2018, 7, 17), 10),
        (date(2018, 7, 18), 13),
        (date(2022, 12, 14), 13),
        (date(2022, 12, 15), 17),
        (date(2026, 1, 5), 17),
    ],
)
def test_rates_by_date(day, percent):
    assert initial_margin_rate(day) == Fraction(percent, 100)


@given(st.integers(1, 30_000), st.integers(-5_000, 5_000), days)
def test_margin_is_the_rate_of_the_value_rounded_up(price, quantity, day):
    exact = Fraction(price, 10) * 100_000 * abs(quantity) * initial_margin_rate(day)
    assert 0 <= initial_margin(FUTURE, price, quantity, day) - exact < 1


def test_a_brokers_own_rate():
    day = date(2024, 3, 12)
    assert initial_margin(FUTURE, 12_503, -2, day) == 42_510_200
    assert initial_margin(FUTURE, 12_503, 2, day, Fraction("0.185")) == 46_261_100
    with pytest.raises(SettingError, match="above zero"):
        initial_margin(FUTURE, 12_503, 1, day, Fraction(0))


@pytest.mark.parametrize(
    ("used", "level"), [(0, 0), (749, 0), (750, 1), (849, 1), (850, 2), (900, 3), (2_000, 3)]
)
def test_warning_levels(used, level):
    assert warning_level(used, 1_000) == level


def test_no_assets_left_is_the_highest_warning():
    assert warning_level(1, 0) == warning_level(1, -5) == 3
    assert warning_level(0, 0) == 0
    assert warning_level(60, 100, (50, 70)) == 1


def test_the_position_limit():
    assert position_refusal(5_000) is position_refusal(-5_000) is None
    assert "5,001" in position_refusal(-5_001)
    assert "of 10" in position_refusal(11, limit=10)
