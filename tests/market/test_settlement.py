"""When trades settle, and the prices at which futures do."""

from __future__ import annotations

import statistics
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import at, local_date
from algo.errors import DataError
from algo.market import (
    VIETNAM,
    TradingCalendar,
    daily_settlement_price,
    expiry_cash_day,
    final_settlement_price,
    settles_at,
)
from tests.generators.market import days

# 2022's own closures, so that the examples do not rest on a guess.
CALENDAR = TradingCalendar({2022: [date(2022, 9, 1), date(2022, 9, 2)]})


@pytest.mark.parametrize(
    ("bought", "when", "clock"),
    [
        (date(2022, 8, 23), date(2022, 8, 26), time(0)),
        (date(2022, 8, 24), date(2022, 8, 29), time(0)),
        (date(2022, 8, 25), date(2022, 8, 29), time(13)),  # the first to arrive under the new rule
        (date(2022, 8, 30), date(2022, 9, 5), time(13)),  # over National Day
        (date(2022, 10, 7), date(2022, 10, 11), time(13)),
    ],
)
def test_dated_examples(bought, when, clock):
    assert settles_at(bought, CALENDAR) == at(when, clock)


def test_tet_is_waited_for():
    assert settles_at(date(2024, 2, 6)) == at(date(2024, 2, 15), time(13))


@given(days)
def test_later_trades_never_settle_earlier(day):
    first = VIETNAM.next_trading_day(day)
    then = VIETNAM.next_trading_day(first)
    assert settles_at(first) <= settles_at(then)
    assert len(VIETNAM.trading_days(first, local_date(settles_at(first)))) in (3, 4)


def test_expiry_pays_on_the_next_trading_day():
    assert expiry_cash_day(date(2024, 4, 17)) == date(2024, 4, 19)


values = st.decimals(Decimal(800), Decimal(1600), places=2)


@given(st.lists(values, min_size=7, max_size=40), st.lists(values, max_size=40))
def test_the_final_price_is_the_mean_without_the_extremes(continuous, auction):
    left = list(continuous)
    for _ in range(3):
        left.remove(max(left))
        left.remove(min(left))
    mean = statistics.mean(Fraction(value) for value in left + auction)
    expected = (Decimal(mean.numerator) / Decimal(mean.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    price = final_settlement_price(continuous, auction)
    assert price == expected
    assert (
        final_settlement_price([float(one) for one in continuous], [float(one) for one in auction]) == price
    )


def test_a_final_price_by_hand():
    continuous = [1, 2, 3, 1250.10, 1250.11, 9001, 9002, 9003]
    assert final_settlement_price(continuous, [1250.12]) == Decimal("1250.11")
    assert final_settlement_price(continuous, []) == Decimal("1250.11")  # 1250.105, half up
    with pytest.raises(DataError, match="more than 6"):
        final_settlement_price([1250.0] * 6, [1250.0])


@pytest.mark.parametrize(
    ("auction", "last", "price"), [(12_503, 12_490, 12_503), (None, 12_490, 12_490), (None, None, None)]
)
def test_the_daily_price(auction, last, price):
    assert daily_settlement_price(auction, last) == price
