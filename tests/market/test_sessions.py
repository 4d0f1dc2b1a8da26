"""Sessions over the day: the table of hours, its edges, and whole arrays."""

from __future__ import annotations

from datetime import date, time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY, at
from algo.market import SESSIONS, VIETNAM, Session, day_sessions, session_at, session_codes, transitions
from algo.model import Board
from tests.generators.market import boards, days

DAY_OF_2024 = date(2024, 3, 12)
TIMES = [(8, 44), (8, 45), (9, 0), (9, 15), (11, 29), (11, 30), (13, 0), (14, 30), (14, 45), (15, 0)]
EXPECTED = {
    Board.HOSE: "C C ATO LO LO BREAK LO ATC C C",
    Board.HNX: "C C LO LO LO BREAK LO ATC PLO C",
    Board.UPCOM: "C C LO LO LO BREAK LO LO LO C",
    Board.DERIVATIVES: "C ATO LO LO LO BREAK LO ATC C C",
}


@pytest.mark.parametrize("board", Board)
def test_the_hours_of_each_board(board):
    seen = [session_at(board, at(DAY_OF_2024, time(*clock))) for clock in TIMES]
    assert " ".join(seen) == EXPECTED[board]


@pytest.mark.parametrize("board", Board)
def test_sessions_are_half_open(board):
    for (ns, session), (_, before) in zip(
        transitions(board, DAY_OF_2024), day_sessions(board, DAY_OF_2024), strict=False
    ):
        assert session_at(board, ns) is session
        assert session_at(board, ns - 1) is before


def test_feed_codes_are_understood():
    assert Session("H") is Session("HALT") is Session.HALT
    assert Session("ATO") is Session.ATO
    with pytest.raises(ValueError, match="XYZ"):
        Session("XYZ")


@given(boards, days)
def test_transitions_rise_and_end_closed(board, day):
    changes = transitions(board, day, VIETNAM)
    assert bool(changes) is VIETNAM.is_trading_day(day)
    if changes:
        moments = [ns for ns, _ in changes]
        assert moments == sorted(set(moments))
        assert changes[-1][1] is Session.C
        assert at(day) < moments[0]
        assert moments[-1] < at(day) + DAY


@given(
    boards,
    st.lists(st.integers(at(date(2017, 1, 1)), at(date(2027, 1, 1))), max_size=30),
    st.sampled_from([None, VIETNAM]),
)
def test_arrays_give_what_single_moments_give(board, moments, calendar):
    codes = session_codes(board, np.array(moments, dtype=np.int64), calendar)
    assert [SESSIONS[code] for code in codes] == [session_at(board, ns, calendar) for ns in moments]


@given(boards, days, st.integers(-2, 2))
def test_arrays_agree_at_every_edge(board, day, offset):
    moments = [ns + offset for ns, _ in transitions(board, day)]
    codes = session_codes(board, np.array(moments, dtype=np.int64))
    assert [SESSIONS[code] for code in codes] == [session_at(board, ns) for ns in moments]


def test_a_closed_day_is_closed_when_a_calendar_says_so():
    noon = at(date(2024, 4, 18), time(10))
    assert session_at(Board.HOSE, noon) is Session.LO
    assert session_at(Board.HOSE, noon, VIETNAM) is Session.C
