"""Ticks: the ranges of each board, and putting prices on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.market import Snap, instrument_of, is_on_tick, move, off_tick, snap, tick, tick_array, tick_refusal
from algo.model import Side
from tests.generators.market import BSR, FPT, FUND, FUTURE, HNX_FUND, SHS, WARRANT, instruments, prices


@pytest.mark.parametrize(
    ("instrument", "price", "size"),
    [
        (FPT, 9_990, 10),
        (FPT, 10_000, 50),
        (FPT, 49_950, 50),
        (FPT, 50_000, 100),
        (FUND, 23_456, 10),
        (WARRANT, 60_000, 10),
        (SHS, 9_900, 100),
        (HNX_FUND, 12_345, 1),
        (BSR, 60_000, 100),
        (FUTURE, 12_503, 1),
    ],
)
def test_the_table(instrument, price, size):
    assert tick(instrument, price) == size


@given(instruments, st.floats(0.5, 3e6), st.sampled_from([*Snap, *Side]))
def test_snapped_prices_are_the_nearest_on_their_side(instrument, price, how):
    snapped = snap(instrument, price, how)
    assert is_on_tick(instrument, snapped)
    assert snap(instrument, snapped, how) == snapped
    size = tick(instrument, int(price))
    assert abs(snapped - price) <= (size / 2 if how is Snap.NEAREST else size) + 1e-6
    if how in (Snap.DOWN, Side.BUY):
        assert snapped <= price + 1e-6
    if how in (Snap.UP, Side.SELL):
        assert snapped >= price - 1e-6


@given(st.integers(1, 30_000))
def test_float_prices_on_the_tick_stay_where_they_are(units):
    shown = FUTURE.price(units)
    for how in Snap:
        assert snap(FUTURE, shown * FUTURE.scale, how) == units
        assert snap(FUTURE, (shown + 0.3 - 0.1 - 0.2) * FUTURE.scale, how) == units


@given(instruments, st.lists(prices, max_size=30))
def test_arrays_give_what_single_prices_give(instrument, values):
    array = np.array(values, dtype=np.int64)
    assert tick_array(instrument, array).tolist() == [tick(instrument, price) for price in values]
    assert off_tick(instrument, array).tolist() == [not is_on_tick(instrument, price) for price in values]


@given(instruments, prices, st.integers(-60, 60))
def test_moving_by_ticks_stays_on_the_tick_and_comes_back(instrument, price, ticks):
    start = snap(instrument, price, Snap.UP)
    there = move(instrument, start, ticks)
    assert is_on_tick(instrument, there)
    assert there > 0
    assert (there > start) is (ticks > 0)
    if there > tick(instrument, 0):
        assert move(instrument, there, -ticks) == start


def test_moving_crosses_ranges():
    assert move(FPT, 9_990, 2) == 10_050
    assert move(FPT, 10_050, -2) == 9_990
    assert move(FPT, 50_000, -1) == 49_950
    assert move(FPT, 10, -5) == 10


def test_refusals_name_price_and_tick():
    assert tick_refusal(FPT, 22_350) is None
    assert "22,310" in tick_refusal(FPT, 22_310)
    assert "50" in tick_refusal(FPT, 22_310)
    assert "not above zero" in tick_refusal(FUTURE, 0)
    assert tick_refusal(instrument_of("FPT", adjusted=True), 22_311) is None


def test_an_unknown_way_to_snap_is_refused():
    with pytest.raises(SettingError, match="sideways"):
        snap(FPT, 22_310, "sideways")  # type: ignore[arg-type]
