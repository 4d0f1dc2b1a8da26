"""Instruments from their symbols."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.market import Contract, instrument_of
from algo.model import Board, Instrument, Kind


@pytest.mark.parametrize(
    ("symbol", "board", "kind"),
    [
        ("FPT", Board.HOSE, Kind.SHARE),
        ("fpt ", Board.HOSE, Kind.SHARE),
        ("E1VFVN30", Board.HOSE, Kind.ETF),
        ("FUEVFVND", Board.HOSE, Kind.ETF),
        ("CVNM2401", Board.HOSE, Kind.WARRANT),
        ("CTG", Board.HOSE, Kind.SHARE),
        ("VN30F1M", Board.DERIVATIVES, Kind.FUTURE),
        ("VN30F2306", Board.DERIVATIVES, Kind.FUTURE),
        ("41I1GC000", Board.DERIVATIVES, Kind.FUTURE),
    ],
)
def test_symbols_tell_what_they_name(symbol, board, kind):
    found = instrument_of(symbol)
    assert (found.board, found.kind) == (board, kind)
    assert found.symbol == symbol.strip().upper()


def test_a_point_of_a_future_is_100_000_dong():
    future = instrument_of("VN30F1M")
    assert future.notional(future.units(1250.3), 2) == 2 * 125_030_000
    assert instrument_of("FPT").notional(100_500, 10) == 1_005_000


def test_the_board_may_be_told():
    assert instrument_of("SHS", Board.HNX) == Instrument("SHS", Board.HNX)
    assert instrument_of("OWN", Board.DERIVATIVES).kind is Kind.FUTURE
    assert instrument_of("FPT", adjusted=True).adjusted
    with pytest.raises(SettingError, match="VN30F1M is a future"):
        instrument_of("VN30F1M", Board.HOSE)


@pytest.mark.parametrize("wrong", ["", "  ", "A B", "đồng", "../x", "-A"])
def test_what_is_no_symbol(wrong):
    with pytest.raises(SettingError, match="not a symbol"):
        instrument_of(wrong)


@given(st.builds(Contract, st.integers(2017, 2040), st.integers(1, 12)))
def test_every_contract_is_a_future(contract):
    assert instrument_of(contract.code).kind is Kind.FUTURE
