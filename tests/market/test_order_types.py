"""What each session takes, and what may be done to an order in it."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import MINUTE, at, local_date, to_datetime
from algo.market import (
    KRX,
    VIETNAM,
    Session,
    TradingCalendar,
    amend_refusal,
    can_amend,
    can_cancel,
    keeps_priority,
    legal_types,
    market_order_type,
    next_market_session,
    session_at,
    transitions,
    type_refusal,
)
from algo.model import Board, OrderType
from tests.generators.market import boards, days

BEFORE = date(2025, 4, 29)
SESSION = st.sampled_from(tuple(Session))
T = OrderType


@pytest.mark.parametrize(
    ("board", "session", "day", "types"),
    [
        (Board.HOSE, Session.ATO, KRX, "LO ATO"),
        (Board.HOSE, Session.LO, BEFORE, "LO MP"),
        (Board.HOSE, Session.LO, KRX, "LO MTL"),
        (Board.HOSE, Session.ATC, BEFORE, "LO ATC"),
        (Board.HOSE, Session.BREAK, KRX, ""),
        (Board.HOSE, Session.PT, KRX, ""),
        (Board.HNX, Session.LO, BEFORE, "LO MTL MOK MAK"),
        (Board.HNX, Session.ATC, KRX, "LO ATC"),
        (Board.HNX, Session.PLO, KRX, "PLO"),
        (Board.UPCOM, Session.LO, KRX, "LO"),
        (Board.DERIVATIVES, Session.ATO, BEFORE, "LO ATO"),
        (Board.DERIVATIVES, Session.LO, KRX, "LO MTL MOK MAK"),
        (Board.DERIVATIVES, Session.ATC, BEFORE, "LO ATC"),
        (Board.DERIVATIVES, Session.HALT, BEFORE, ""),
        (Board.DERIVATIVES, Session.C, BEFORE, ""),
    ],
)
def test_the_table(board, session, day, types):
    assert legal_types(board, session, day) == {OrderType(name) for name in types.split()}


@pytest.mark.parametrize(
    ("board", "session", "day", "wire"),
    [
        (Board.HOSE, Session.LO, BEFORE, T.MP),
        (Board.HOSE, Session.LO, KRX, T.MTL),
        (Board.HOSE, Session.ATO, KRX, T.ATO),
        (Board.DERIVATIVES, Session.ATC, KRX, T.ATC),
        (Board.DERIVATIVES, Session.LO, BEFORE, T.MTL),
        (Board.UPCOM, Session.LO, KRX, T.LO),
        (Board.HNX, Session.PLO, KRX, None),
        (Board.HOSE, Session.BREAK, KRX, None),
    ],
)
def test_the_wire_type_of_a_market_order(board, session, day, wire):
    assert market_order_type(board, session, day) is wire


@given(boards, SESSION, days, st.sampled_from(tuple(OrderType)), st.booleans())
def test_a_refusal_is_the_opposite_of_legal(board, session, day, kind, odd):
    wire = market_order_type(board, session, day, odd_lot=odd)
    legal = legal_types(board, session, day, odd_lot=odd)
    assert wire is None or wire in legal
    allowed = wire is not None if kind is T.MARKET else kind in legal
    reason = type_refusal(board, session, day, kind, odd_lot=odd)
    assert (reason is None) is allowed
    assert reason is None or kind in reason
    if odd:
        assert legal <= {T.LO}


def test_market_orders_wait_for_the_next_session_that_takes_them():
    friday = date(2024, 3, 15)
    cases = [
        (Board.DERIVATIVES, time(11, 45), at(friday, time(13)), Session.LO),
        (Board.DERIVATIVES, time(10), at(friday, time(10)), Session.LO),
        (Board.HNX, time(14, 50), at(date(2024, 3, 18), time(9)), Session.LO),
        (Board.HOSE, time(16), at(date(2024, 3, 18), time(9)), Session.ATO),
        (Board.HOSE, time(0), at(friday, time(9)), Session.ATO),
    ]
    for board, clock, ns, session in cases:
        assert next_market_session(board, at(friday, clock)) == (ns, session)
    # An odd lot waits for the same sessions, but over Tet that is a week away.
    tet = at(date(2024, 2, 7), time(15))
    found = next_market_session(Board.UPCOM, tet, odd_lot=True)
    assert found == (at(date(2024, 2, 15), time(9)), Session.LO)


@given(boards, days, st.integers(0, 24 * 60 - 1), st.booleans())
def test_the_next_market_session_is_the_first_one(board, day, minute, odd):
    ns = at(day, minute * MINUTE)
    then, session = next_market_session(board, ns, odd_lot=odd)
    assert then >= ns
    assert session_at(board, then, VIETNAM) is session
    assert market_order_type(board, session, local_date(then), odd_lot=odd) is not None
    ahead = day
    while ahead <= to_datetime(then).date():
        for moment, other in transitions(board, ahead, VIETNAM):
            if ns < moment < then:
                assert market_order_type(board, other, ahead, odd_lot=odd) is None
        ahead += timedelta(days=1)


def test_a_calendar_that_never_opens_is_said():
    closed = TradingCalendar({2024: [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]})
    with pytest.raises(ValueError, match="no trading day"):
        next_market_session(Board.HOSE, at(date(2024, 5, 2)), closed)


@given(boards, SESSION, days, st.booleans(), st.booleans())
def test_amending(board, session, day, price, quantity):
    continuous = session is Session.LO
    assert can_cancel(board, session, day) is continuous
    assert can_amend(board, session, day) is (continuous and (board is not Board.HOSE or day >= KRX))
    reason = amend_refusal(board, session, day, price=price, quantity=quantity)
    possible = (
        can_amend(board, session, day) and (price or quantity) and not (price and quantity and day >= KRX)
    )
    assert (reason is None) is bool(possible)


def test_amending_over_time():
    def refusal(board, day, **changes):
        return amend_refusal(board, Session.LO, day, **{"price": False, "quantity": False, **changes})

    assert "cancel and place" in refusal(Board.HOSE, BEFORE, price=True)
    assert refusal(Board.HNX, BEFORE, price=True, quantity=True) is None
    assert "one in each" in refusal(Board.HNX, KRX, price=True, quantity=True)
    assert refusal(Board.HOSE, KRX, quantity=True) is None


@pytest.mark.parametrize(
    ("price", "change", "keeps"),
    [(False, -100, True), (False, 100, False), (True, 0, False), (True, -100, False)],
)
def test_only_a_reduction_keeps_its_time(price, change, keeps):
    assert keeps_priority(price_changes=price, quantity_change=change) is keeps
