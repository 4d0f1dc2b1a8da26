"""The supervisor: what the broker says, or does not, becomes halts and alarms, and nothing is sent twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY as ONE_DAY
from algo.model import (
    Board,
    DayStarted,
    ForeignWorked,
    MarketDoubted,
    MarketTrusted,
    OperatorActed,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderRejected,
    OrderStatus,
    OrderView,
    PlaceOrder,
    RequestReceived,
    RequestRefused,
    RequestUnknown,
    SessionChanged,
    Side,
    SignInChanged,
    StreamLost,
    StreamRestored,
    Trade,
)
from algo.orders.controls import ALL, FLATTEN
from algo.orders.risk import Limits
from tests.generators.supervised import DAY, PRICE, Desk


def refused(order: Any) -> str:
    assert order.status is OrderStatus.REFUSED, order
    return str(order.reason)


# -- until both sides agree (22, 39) --------------------------------------------------------------


def test_nothing_is_entered_until_stream_books_and_holdings_were_had() -> None:
    desk = Desk(agreed=False)
    desk.agree()
    assert "not ready" in refused(desk.buy()), "the stream never was up"
    desk.step(StreamRestored(desk.now))
    assert "not ready" in refused(desk.buy())
    desk.books()
    assert "not ready" in refused(desk.buy())
    desk.holdings()
    assert desk.buy().status is OrderStatus.SUBMITTED


def test_a_break_needs_statements_that_were_asked_for_after_it() -> None:
    desk = Desk()
    desk.step(StreamLost(desk.now, "cut"))
    desk.agree()
    assert "stream is down" in refused(desk.buy())
    desk.wait(10)
    desk.step(StreamRestored(desk.now))
    desk.books(ago=1)
    desk.holdings()
    assert "not ready" in refused(desk.buy())
    desk.books()
    assert desk.buy().status is OrderStatus.SUBMITTED


def test_after_a_restart_all_is_compared_again() -> None:
    desk = Desk()
    desk.core.restart()
    desk.agree()
    assert "not ready" in refused(desk.buy())
    desk.step(StreamRestored(desk.now))
    desk.agree()
    assert desk.buy().status is OrderStatus.SUBMITTED


def test_a_stream_that_stays_down_is_told_once() -> None:
    desk = Desk()
    desk.step(StreamLost(desk.now, "cut"))
    desk.step(StreamRestored(desk.now))
    desk.wait(120)
    assert desk.kinds() == []
    desk.step(StreamLost(desk.now, "cut"))
    for _ in range(10):
        desk.wait(30)
    assert desk.kinds() == [("stream", ALL)]


# -- unknown requests (6) -------------------------------------------------------------------------


def unknown(desk: Desk) -> Any:
    order = desk.buy()
    desk.step(RequestUnknown(order.requests[0].request_id, order.order_id, desk.now, "timeout"))
    return order


def test_an_unknown_order_blocks_its_symbol_and_is_never_sent_again() -> None:
    desk = Desk()
    order = unknown(desk)
    desk.wait(16)
    assert ("unknown", "symbol:FPT") in desk.kinds()
    assert "fate" in refused(desk.buy())
    assert desk.buy("HPG", 100, 30_000).status is OrderStatus.SUBMITTED
    sent = [one for one in desk.sent if isinstance(one, PlaceOrder) and one.order_id == order.order_id]
    for _ in range(5):
        desk.wait(11)
        desk.books()
    assert order.status is OrderStatus.FAILED
    assert ("not received", ALL) in desk.kinds()
    assert desk.controls.halts == {}
    assert (
        len([o for o in desk.sent if isinstance(o, PlaceOrder) and o.order_id == order.order_id])
        == len(sent)
        == 1
    )


def test_a_later_sighting_reopens_it_with_an_alarm() -> None:
    desk = Desk()
    order = unknown(desk)
    for _ in range(5):
        desk.wait(11)
        desk.books()
    assert order.status is OrderStatus.FAILED
    desk.kinds()
    desk.step(OrderAccepted(order.order_id, desk.now, "B1"))
    assert order.status is OrderStatus.WORKING
    assert desk.kinds() == [("reopened", "symbol:FPT")]


@pytest.mark.parametrize("seen", ["book", "accepted", "received"])
def test_what_arrived_is_not_given_up(seen: str) -> None:
    desk = Desk()
    order = unknown(desk)
    request = order.requests[0].request_id
    if seen == "accepted":
        desk.step(OrderAccepted(order.order_id, desk.now, "B1"))
    elif seen == "received":
        desk.step(RequestReceived(request, order.order_id, desk.now))
    for _ in range(5):
        desk.wait(11)
        desk.books(*([request] if seen == "book" else []))
    assert not order.status.terminal
    assert (desk.controls.unknown == {}) == (seen != "book")


def test_a_break_of_the_stream_spoils_the_evidence() -> None:
    desk = Desk()
    order = unknown(desk)
    for _ in range(2):
        desk.wait(11)
        desk.books()
    desk.step(StreamLost(desk.now, "cut"))
    desk.step(StreamRestored(desk.now))
    for _ in range(4):
        desk.wait(11)
        desk.books()
        assert order.status is OrderStatus.SUBMITTED
    desk.wait(11)
    desk.books()
    assert order.status is OrderStatus.FAILED


# -- cancels and amendments (15, 18) --------------------------------------------------------------


def test_a_refused_cancel_is_asked_for_again_after_asking_a_few_times_then_told() -> None:
    desk = Desk()
    order = desk.works(desk.buy())
    desk.ask("cancel_all")
    for round_ in range(4):
        (cancel,) = desk.cancels()
        desk.step(RequestRefused(cancel.request_id, order.order_id, desk.now, "too late"))
        assert desk.cancels() == [], "not before it was asked how things stand"
        desk.wait(2)
        desk.books()
        if round_ == 3:
            assert desk.cancels() == []
    assert desk.kinds() == [("cancel", "symbol:FPT")]
    assert order.status is OrderStatus.WORKING


def test_a_cancel_refused_because_it_was_filled_is_over() -> None:
    desk = Desk()
    order = desk.works(desk.buy())
    desk.ask("cancel_all")
    (cancel,) = desk.cancels()
    desk.step(RequestRefused(cancel.request_id, order.order_id, desk.now, "too late"))
    desk.fills(order)
    desk.books()
    assert desk.cancels() == []
    assert order.status is OrderStatus.FILLED


def test_an_unknown_amendment_counts_at_its_worst() -> None:
    desk = Desk(limits=Limits(position=10))
    order = desk.works(desk.buy("VN30F2606", 2, 1900.0))
    desk.ask("amend", OrderView(order), quantity=8)
    request = order.requests[-1]
    desk.step(RequestUnknown(request.request_id, order.order_id, desk.now, "timeout"))
    assert order.worst_leaves == 8
    assert "limit" in refused(desk.buy("VN30F2606", 3, 1900.0))
    desk.step(OrderAmended(order.order_id, desk.now, 19_000, 8, request.request_id))
    assert desk.controls.unknown == {}
    assert order.leaves == 8


# -- others (33, 34) ------------------------------------------------------------------------------


def foreign(
    desk: Desk, filled: int = 0, quantity: int = 300, over: bool = False, side: Side = Side.BUY
) -> None:
    desk.step(ForeignWorked(desk.now, "X1", "FPT", side, 100_000, quantity, filled, over))


def test_an_order_by_hand_counts_and_is_never_touched() -> None:
    desk = Desk(account=Limits(position=1_000))
    foreign(desk, quantity=800)
    assert "account" in refused(desk.buy(quantity=300))
    assert desk.buy(quantity=200).status is OrderStatus.SUBMITTED
    desk.take_sent()
    desk.step(OperatorActed(desk.now, "kill", ""))
    desk.wait(5)
    assert all(one.order_id != "X1" for one in desk.sent)
    foreign(desk, filled=0, quantity=800, over=True)
    assert desk.controls.foreign == {}


def test_a_fill_by_hand_explains_the_position_and_halts_nothing() -> None:
    desk = Desk()
    foreign(desk, filled=100)
    desk.wait(60)
    desk.holdings(FPT=100)
    foreign(desk, filled=300, over=True)
    desk.wait(60)
    desk.holdings(FPT=300)
    assert desk.controls.halts == {}
    assert desk.controls.outside == {"FPT": 300}


def test_a_fill_by_hand_that_is_heard_after_a_break_explains_the_position_too() -> None:
    desk = Desk()
    desk.step(StreamLost(desk.now, "cut"))
    desk.step(StreamRestored(desk.now))
    foreign(desk, filled=100, over=True)
    desk.wait(60)
    desk.books()
    desk.holdings(FPT=100)
    assert desk.controls.halts == {}


def test_a_position_that_nothing_explains_halts_the_symbol_until_two_matches() -> None:
    desk = Desk()
    desk.fills(desk.works(desk.buy()))
    desk.wait(60)
    desk.holdings(FPT=400)
    assert desk.kinds() == [("mismatch", "symbol:FPT")]
    assert "no fill explains" in refused(desk.buy())
    assert desk.buy("HPG", 100, 30_000).status is OrderStatus.SUBMITTED
    for matches in range(2):
        assert "symbol:FPT" in desk.controls.halts, matches
        desk.wait(60)
        desk.holdings(FPT=400)
    assert desk.controls.halts == {}
    assert desk.controls.outside == {"FPT": 300}


def test_the_operator_may_accept_a_position() -> None:
    desk = Desk()
    desk.holdings(FPT=400)
    desk.step(OperatorActed(desk.now, "accept", "symbol:FPT"))
    assert desk.controls.halts == {}


# -- market and sign-in (23, 24, 37) --------------------------------------------------------------


def test_doubted_data_take_no_entries() -> None:
    desk = Desk()
    desk.step(MarketDoubted(desk.now, "FPT", "the book is crossed"))
    assert "crossed" in refused(desk.buy())
    assert desk.buy("HPG", 100, 30_000).status is OrderStatus.SUBMITTED
    desk.step(MarketTrusted(desk.now, "FPT"))
    assert desk.buy().status is OrderStatus.SUBMITTED


@pytest.mark.parametrize(("trading", "left"), [(False, 9_000.0), (True, 1_799.0)])
def test_a_sign_in_that_ends_takes_no_entries_and_is_told_once(trading: bool, left: float) -> None:
    desk = Desk()
    for _ in range(3):
        desk.step(SignInChanged(desk.now, trading, left, ""))
    assert desk.kinds() == [("sign-in", ALL)]
    refused(desk.buy())
    desk.step(SignInChanged(desk.now, True, 1_801.0))
    assert desk.buy().status is OrderStatus.SUBMITTED


# -- breakers and losses (40) ---------------------------------------------------------------------


def test_five_rejections_halt_one_strategy() -> None:
    desk = Desk()
    for _ in range(5):
        order = desk.buy()
        desk.step(RequestReceived(order.requests[0].request_id, order.order_id, desk.now))
        desk.step(OrderRejected(order.order_id, desk.now, "no such account"))
    assert desk.kinds() == [("breaker", "strategy:one")]
    assert "in a row" in refused(desk.buy())
    other = desk.ask("buy", "FPT", 100, 100_000, strategy="two")
    assert other is not None
    assert other.status is OrderStatus.SUBMITTED


def test_a_loss_above_the_limit_lets_reductions_pass_alone_until_the_next_day() -> None:
    desk = Desk(limits=Limits(daily_loss=5_000_000))
    desk.fills(desk.works(desk.buy("VN30F2606", 2, 1900.0)))
    desk.trade(VN30F2606=1860.0)
    assert desk.kinds() == [("daily loss", "strategy:one")]
    desk.trade()
    assert "reductions only" in refused(desk.buy("VN30F2606", 1, 1900.0)), "also when it comes back"
    closing = desk.ask("sell", "VN30F2606", 2, 1900.0)
    assert closing is not None
    assert closing.status is OrderStatus.SUBMITTED
    desk.fills(closing)
    desk.now += ONE_DAY
    desk.step(DayStarted(desk.now, DAY.replace(day=10), PRICE))
    assert desk.controls.halts == {}


# -- the end of the day (36) ----------------------------------------------------------------------


def test_what_is_left_of_an_earlier_day_is_over_whether_or_not_anybody_said_so() -> None:
    desk = Desk()
    order = desk.works(desk.buy())
    lost = unknown(desk)
    desk.now += ONE_DAY
    desk.step(DayStarted(desk.now, DAY.replace(day=10), PRICE))
    assert order.status is lost.status is OrderStatus.EXPIRED
    assert desk.controls.unknown == {}


# -- the kill switch ------------------------------------------------------------------------------


def test_a_kill_cancels_riskiest_first_and_sends_nothing_else() -> None:
    desk = Desk()
    prices = {"small": (100, 98_000), "large": (900, 99_000), "middle": (300, 100_000)}
    orders = {name: desk.works(desk.buy("FPT", *given)) for name, given in prices.items()}
    pending = desk.buy("HPG", 100, 30_000)
    desk.take_sent()
    step = desk.step(OperatorActed(desk.now, "kill", "bad news"))
    assert [one.order_id for one in step.commands] == [
        orders[n].order_id for n in ("large", "middle", "small")
    ]
    assert desk.kinds() == [("kill", ALL)]
    assert refused(desk.buy()) == "halted: bad news"
    assert len(desk.cancels()) == 3
    desk.step(OrderAccepted(pending.order_id, desk.now, "B9"))
    assert [one.order_id for one in desk.cancels()] == [pending.order_id], "as soon as its id is known"
    desk.step(OperatorActed(desk.now, "resume", ""))
    assert desk.buy().status is OrderStatus.SUBMITTED


def test_flattening_waits_for_the_cancels_and_tells_what_is_locked() -> None:
    desk = Desk()
    desk.fills(desk.works(desk.buy("FPT", 200, 100_000)))
    desk.fills(desk.works(desk.buy("VN30F2606", 2, 1900.0)))
    working = desk.works(desk.buy("VN30F2606", 1, 1895.0))
    desk.take_sent()
    desk.step(OperatorActed(desk.now, "flatten", ""))
    assert [type(one).__name__ for one in desk.take_sent()] == ["CancelOrder"]
    assert ("locked", "symbol:FPT") in desk.kinds(), "shares bought today cannot be sold"
    desk.step(OrderCancelled(working.order_id, desk.now))
    (close,) = desk.places()
    assert (close.instrument.symbol, close.side, close.quantity) == ("VN30F2606", Side.SELL, 2)
    order = desk.core.engine.manager.orders[close.order_id]
    assert order.tag == FLATTEN
    desk.wait(5)
    assert desk.places() == [], "once"


# -- stops that are kept here ---------------------------------------------------------------------


@pytest.mark.parametrize("how", ["halted", "killed", "free"])
def test_a_stop_that_enters_is_checked_when_it_is_reached(how: str) -> None:
    desk = Desk()
    stop = desk.buy("FPT", 100, None, stop=101_000)
    assert stop.status is OrderStatus.WAITING
    assert stop.held_by == "engine"
    if how == "halted":
        desk.holdings(FPT=300)
    elif how == "killed":
        desk.step(OperatorActed(desk.now, "kill", ""))
    desk.take_sent()
    desk.step(Trade("FPT", desk.now, 101_500.0, 100))
    sent = desk.places()
    if how == "free":
        assert [one.order_id for one in sent] == [stop.order_id]
        assert stop.status is OrderStatus.WORKING
    else:
        assert sent == []
        assert stop.status is OrderStatus.CANCELLED


def test_a_stop_that_protects_goes_out_while_halted() -> None:
    desk = Desk()
    desk.fills(desk.works(desk.buy("FPT", 100, 100_000)))
    desk.now += 4 * ONE_DAY
    desk.step(DayStarted(desk.now, DAY.replace(day=13), PRICE))
    desk.step(SessionChanged(desk.now, Board.HOSE, "LO"))
    desk.agree()
    stop = desk.ask("sell", "FPT", 100, None, stop=99_000)
    assert stop is not None
    assert stop.status is OrderStatus.WAITING, stop.reason
    desk.step(StreamLost(desk.now, "cut"))
    desk.take_sent()
    desk.step(Trade("FPT", desk.now, 98_900.0, 100))
    assert [one.order_id for one in desk.places()] == [stop.order_id]


# -- the same again -------------------------------------------------------------------------------

EVENTS = st.sampled_from(
    [
        "buy",
        "sell",
        "lost",
        "restored",
        "agree",
        "wait",
        "doubt",
        "trust",
        "kill",
        "resume",
        "fill",
        "reject",
        "unknown",
    ]
)


def _do(desk: Desk, what: str) -> None:
    last = next(
        (o for o in reversed(desk.core.engine.manager.every) if not o.status.terminal and o.order_id), None
    )
    if what in ("buy", "sell"):
        desk.ask(what, "VN30F2606", 1, 1900.0)
    elif what == "lost":
        desk.step(StreamLost(desk.now, "cut"))
    elif what == "restored":
        desk.step(StreamRestored(desk.now))
    elif what == "agree":
        desk.agree()
    elif what == "wait":
        desk.wait(7)
    elif what == "doubt":
        desk.step(MarketDoubted(desk.now, "", "no frame"))
    elif what == "trust":
        desk.step(MarketTrusted(desk.now, ""))
    elif what in ("kill", "resume"):
        desk.step(OperatorActed(desk.now, what, ""))
    elif last is not None and what == "fill":
        desk.fills(last)
    elif last is not None and what == "reject":
        desk.step(OrderRejected(last.order_id, desk.now, "no"))
    elif last is not None:
        desk.step(RequestUnknown(last.requests[-1].request_id, last.order_id, desk.now, "cut"))


@given(st.lists(EVENTS, max_size=40))
def test_nothing_is_placed_while_it_is_halted_and_the_same_story_gives_the_same_commands(
    story: list[str],
) -> None:
    first, second = Desk(), Desk()
    for what in story:
        first.take_sent()
        second.take_sent()
        controls = first.controls
        shut = bool(controls.killed or controls.ready or controls.doubts or controls.halts)
        held = sum(d.ledger.quantity("VN30F2606") for d in first.core.engine.desks.values())
        _do(first, what)
        _do(second, what)
        sent = first.places()
        assert [repr(one) for one in sent] == [repr(one) for one in second.places()]
        for one in sent:
            assert not controls.killed
            assert not shut or one.side * held < 0, f"{what}: {one}"
        assert len({one.request_id for one in sent}) == len(sent)
