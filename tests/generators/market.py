"""Instruments, prices and days for properties about the market's rules."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from algo.market import instrument_of
from algo.model import Board, Instrument

FPT = instrument_of("FPT")
SHS = instrument_of("SHS", Board.HNX)
BSR = instrument_of("BSR", Board.UPCOM)
FUND = instrument_of("E1VFVN30")
HNX_FUND = instrument_of("FUEHNX30", Board.HNX)
WARRANT = instrument_of("CVNM2401")
FUTURE = instrument_of("VN30F1M")

INSTRUMENTS: tuple[Instrument, ...] = (FPT, SHS, BSR, FUND, HNX_FUND, WARRANT, FUTURE)

instruments = st.sampled_from(INSTRUMENTS)
boards = st.sampled_from(tuple(Board))
days = st.dates(date(2017, 8, 10), date(2026, 12, 31))
prices = st.one_of(
    st.integers(1, 2_000_000),
    st.integers(1, 2_000),
    st.sampled_from((9_990, 10_000, 10_010, 49_950, 50_000, 50_050)),
)
