"""Price bands: examples of the feed, and the properties that every band has."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.market import (
    Band,
    Reference,
    Snap,
    band,
    band_arrays,
    band_percent,
    band_refusal,
    instrument_of,
    is_on_tick,
    reference_of,
    snap,
    tick,
)
from algo.model import Board, Side
from tests.generators.market import BSR, FPT, FUND, FUTURE, SHS, WARRANT, days, instruments, prices

DAY = date(2024, 3, 12)


@pytest.mark.parametrize(
    ("instrument", "reference", "floor", "ceiling"),
    [
        (FPT, 22_300, 20_750, 23_850),  # from the data feed
        (FPT, 10_000, 9_300, 10_700),
        (FPT, 9_990, 9_300, 10_650),  # the ceiling lies in the next range
        (FPT, 53_500, 49_800, 57_200),
        (FPT, 100, 90, 110),  # 7 % is less than a tick
        (FUND, 23_450, 21_810, 25_090),
        (SHS, 500, 400, 600),
        (SHS, 100, 100, 200),
        (BSR, 20_100, 17_100, 23_100),
        (FUTURE, 12_503, 11_628, 13_378),
    ],
)
def test_dated_examples(instrument, reference, floor, ceiling):
    assert band(instrument, reference, DAY) == Band(floor, reference, ceiling)


@pytest.mark.parametrize(
    ("instrument", "ceiling"), [(FPT, 24_000), (SHS, 26_000), (BSR, 28_000), (FUTURE, 21_400)]
)
def test_the_first_day_is_wider(instrument, ceiling):
    assert band(instrument, 20_000, DAY, first_day=True).ceiling == ceiling


def test_the_reference_is_made_differently():
    assert [reference_of(board) for board in Board] == [
        Reference.CLOSE,
        Reference.CLOSE,
        Reference.AVERAGE,
        Reference.SETTLEMENT,
    ]


@given(instruments, prices, days, st.booleans())
def test_every_band_is_on_the_tick_and_inside_its_percent(instrument, price, day, first):
    found = band(instrument, price, day, first_day=first)
    share = band_percent(instrument, day, first_day=first)
    reference = found.reference
    assert all(is_on_tick(instrument, edge) for edge in found)
    assert 0 < found.floor <= reference <= found.ceiling
    size = tick(instrument, reference)
    if found.ceiling - reference > size:
        assert found.ceiling - reference <= reference * share
    if reference - found.floor > size:
        assert reference - found.floor <= reference * share
    # One tick further out would leave the percent, unless the smallest price is in the way.
    assert found.ceiling + tick(instrument, found.ceiling) > reference * (1 + share)
    if found.floor > tick(instrument, 0):
        assert found.floor - tick(instrument, found.floor - 1) < reference * (1 - share)
    assert found.floor < found.ceiling


@given(instruments, st.lists(prices, min_size=1, max_size=30), days, st.booleans())
def test_arrays_give_what_single_references_give(instrument, references, day, adjusted):
    chosen = instrument_of(instrument.symbol, instrument.board, adjusted=adjusted)
    floors, ceilings = band_arrays(chosen, np.array(references, dtype=np.int64), day)
    bands = [band(chosen, reference, day) for reference in references]
    assert floors.tolist() == [one.floor for one in bands]
    assert ceilings.tolist() == [one.ceiling for one in bands]


@given(prices)
def test_an_adjusted_series_has_a_band_of_whole_units(price):
    adjusted = instrument_of("FPT", adjusted=True)
    found = band(adjusted, price, DAY)
    assert found.reference == price
    assert found.floor < found.ceiling
    if found.ceiling > price + 1:
        assert found.ceiling == price * 107 // 100


def test_a_warrant_moves_with_its_share():
    share = band(FPT, 22_300, DAY)
    reach = Fraction(share.ceiling - share.reference, 5)
    found = band(WARRANT, 1_000, DAY, move=int(reach))
    assert found == Band(690, 1_000, 1_310)
    assert band(WARRANT, 1_000, DAY).ceiling >= found.ceiling


@given(instruments, prices, prices)
def test_clamping_and_refusing_agree(instrument, reference, price):
    limits = band(instrument, reference, DAY)
    wanted = snap(instrument, price, Snap.UP)
    clamped = limits.clamp(wanted)
    assert limits.contains(clamped)
    assert (band_refusal(instrument, limits, wanted) is None) is (clamped == wanted)


def test_edges_and_reasons():
    limits = band(FUTURE, 12_503, DAY)
    assert limits.edge(Side.BUY) == limits.ceiling
    assert limits.edge(Side.SELL) == limits.floor
    assert "ceiling of 1,337.8" in band_refusal(FUTURE, limits, 13_379)
    assert "floor of 1,162.8" in band_refusal(FUTURE, limits, 11_627)


def test_a_reference_of_nothing_is_refused():
    with pytest.raises(SettingError, match="FPT"):
        band(FPT, 0, DAY)
    with pytest.raises(SettingError, match="FPT"):
        band_arrays(FPT, np.array([1, 0]), DAY)


def test_an_own_percent_replaces_the_boards():
    assert band(FPT, 20_000, DAY, percent=Fraction(1, 2)) == Band(10_000, 20_000, 30_000)
