"""Quantities: lots by their dates, odd lots, the largest order."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.market import is_odd_lot, largest_order, lot, lot_refusal, takes_odd_lots
from algo.model import Board
from tests.generators.market import FPT, FUTURE, SHS, days, instruments


@pytest.mark.parametrize(
    ("instrument", "day", "size", "odd"),
    [
        (FPT, date(2020, 12, 31), 10, False),
        (FPT, date(2021, 1, 3), 10, False),
        (FPT, date(2021, 1, 4), 100, False),
        (FPT, date(2022, 9, 9), 100, False),
        (FPT, date(2022, 9, 12), 100, True),
        (SHS, date(2019, 1, 2), 100, True),
        (FUTURE, date(2024, 1, 2), 1, False),
    ],
)
def test_lots_by_date(instrument, day, size, odd):
    assert lot(instrument, day) == size
    assert takes_odd_lots(instrument, day) is odd


@pytest.mark.parametrize(
    ("instrument", "quantity", "day", "reason"),
    [
        (FPT, 100, date(2024, 1, 2), None),
        (FPT, 99, date(2024, 1, 2), None),
        (FPT, 99, date(2022, 9, 9), "no odd lots"),
        (FPT, 150, date(2024, 1, 2), "multiple"),
        (FPT, 30, date(2020, 6, 1), None),
        (FPT, 500_000, date(2024, 1, 2), None),
        (FPT, 500_100, date(2024, 1, 2), "500,000"),
        (FUTURE, 501, date(2024, 1, 2), "500"),
        (SHS, 9_000_000, date(2024, 1, 2), None),
        (FPT, 0, date(2024, 1, 2), "above zero"),
        (FPT, -100, date(2024, 1, 2), "above zero"),
    ],
)
def test_refusals(instrument, quantity, day, reason):
    found = lot_refusal(instrument, quantity, day)
    assert found is None if reason is None else reason in found


def test_a_broker_may_set_its_own_largest_order():
    assert "1,000" in lot_refusal(SHS, 1_100, date(2024, 1, 2), largest=1_000)
    assert largest_order(SHS) is None


@given(instruments, st.integers(-10, 600_000), days)
def test_what_is_legal(instrument, quantity, day):
    size = lot(instrument, day)
    whole = quantity % size == 0
    odd = is_odd_lot(instrument, quantity, day)
    assert odd is (0 < quantity < size)
    limit = largest_order(instrument) or quantity
    legal = 0 < quantity <= limit and (whole or (odd and takes_odd_lots(instrument, day)))
    assert (lot_refusal(instrument, quantity, day) is None) is legal
    if instrument.board is Board.DERIVATIVES:
        assert not odd
