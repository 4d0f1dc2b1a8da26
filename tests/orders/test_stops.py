"""Stops of shares that are kept here: set off once, by what was traded, and never with both legs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.paper.conditional import Watch
from algo.market import Session
from algo.model import (
    AmendOrder,
    Bar,
    CancelOrder,
    Level,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderStatus,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Quote,
    Side,
    Trade,
    Trigger,
    TriggerKind,
)
from algo.orders.stops import StopKeeper
from algo.orders.venue import Venue
from tests.generators.venues import NOON, order_of, venue_of

VENUE = venue_of("FPT", 80_000.0)


def placed(
    trigger: Trigger | None, side: Side = Side.SELL, price: int = 0, quantity: int = 100, venue: Venue = VENUE
) -> PlaceOrder:
    kind = OrderType.LO if price else OrderType.MTL
    return PlaceOrder(
        "10000004", "20230315-10000004", "one", venue.instrument, side, kind, price, quantity, trigger
    )


def keeper(*commands: PlaceOrder, venue: Venue = VENUE) -> StopKeeper:
    found = StopKeeper(lambda symbol: venue if symbol == venue.instrument.symbol else None)
    out, answers = found.take(commands, NOON)
    assert out == []
    assert answers == [OrderAccepted(one.order_id, NOON, waiting=True) for one in commands]
    return found


def trade(price: float, symbol: str = "FPT") -> Trade:
    return Trade(symbol, NOON, price, 100)


STOP = Trigger(TriggerKind.DOWN, 79_000)


def test_plain_orders_and_stops_of_contracts_go_on() -> None:
    future = venue_of("VN30F1M", 1200.0)
    found = StopKeeper(lambda _symbol: VENUE)
    commands = [placed(None), placed(Trigger(TriggerKind.DOWN, 11_000), venue=future)]
    assert found.take(commands, NOON) == (commands, [])
    assert len(found) == 0


@given(
    st.lists(st.integers(78_500, 81_500), max_size=15),
    st.sampled_from(["stop", "trail"]),
    st.sampled_from(Side),
)
def test_a_stop_is_set_off_as_the_broker_would(prices: list[int], what: str, side: Side) -> None:
    """The same trades under the broker's own watch of a conditional order."""
    sells = side is Side.SELL
    start = 79_000 if sells else 81_000
    kinds = (TriggerKind.DOWN, TriggerKind.TRAIL_DOWN) if sells else (TriggerKind.UP, TriggerKind.TRAIL_UP)
    trigger = Trigger(kinds[0], start) if what == "stop" else Trigger(kinds[1], start, 1_000)
    watch, found = Watch(trigger, side), keeper(placed(trigger, side))
    for price in prices:
        commands, news = found.hear(trade(price))
        if watch.see(price):
            (plain,) = commands
            assert isinstance(plain, PlaceOrder)
            assert (plain.trigger, plain.at_market, plain.quantity) == (None, True, 100)
            assert news == [OrderTriggered(plain.order_id, NOON)]
            assert len(found) == 0
            assert found.hear(trade(price)) == ([], [])
            return
        assert (commands, news) == ([], [])
    assert len(found) == 1


def test_what_is_only_quoted_sets_nothing_off_and_moves_no_trail() -> None:
    found = keeper(placed(Trigger(TriggerKind.TRAIL_DOWN, 79_000, 1_000)))
    wild = Quote("FPT", NOON, (Level(60_000.0, 100),), (Level(120_000.0, 100),))
    assert found.hear(wild) == ([], [])
    assert found.hear(trade(79_500)) == ([], [])


def test_other_symbols_and_closed_sessions_set_nothing_off() -> None:
    found = keeper(placed(STOP))
    assert found.hear(trade(70_000, "HPG")) == ([], [])
    venue = venue_of("FPT", 80_000.0)
    found = keeper(placed(STOP), venue=venue)
    for session in (Session.BREAK, Session.C):
        venue.enter(session)
        assert found.hear(trade(70_000)) == ([], [])
    venue.enter(Session.LO)
    assert len(found.hear(trade(70_000))[0]) == 1


@given(st.integers(77_000, 83_000), st.integers(0, 2_000))
def test_one_quantity_is_never_sold_twice_by_a_target_and_a_stop(low: int, width: int) -> None:
    found = keeper(placed(Trigger(TriggerKind.OCO, 79_000), price=81_000))
    high = low + width
    bar = Bar("FPT", NOON, low, high, low, high, 100, NOON - 1, "FPT")
    commands, news = found.hear((bar,))
    reached = low <= 79_000 or high >= 81_000
    assert len(commands) == len(news) == reached
    if reached:
        (plain,) = commands
        assert isinstance(plain, PlaceOrder)
        stopped = low <= 79_000  # the worse of two that a bar may hide
        assert (plain.price == 81_000) == (not stopped)
        assert plain.at_market == stopped
        assert found.hear(trade(60_000)) == found.hear(trade(90_000)) == ([], [])


def test_a_stop_with_a_limit_keeps_it() -> None:
    commands, _ = keeper(placed(STOP, price=78_900)).hear(trade(79_000))
    (plain,) = commands
    assert isinstance(plain, PlaceOrder)
    assert (plain.order_type, plain.price, plain.trigger) == (OrderType.LO, 78_900, None)


def test_amending_and_cancelling_are_answered_here() -> None:
    found = keeper(placed(STOP, price=78_900))
    order_id = "20230315-10000004"
    out, answers = found.take([AmendOrder("2", order_id, "one", VENUE.instrument, None, 300)], NOON)
    assert (out, answers) == ([], [OrderAmended(order_id, NOON, 78_900, 300, "2")])
    (plain,) = found.hear(trade(79_000))[0]
    assert isinstance(plain, PlaceOrder)
    assert (plain.quantity, plain.price) == (300, 78_900)
    cancel = CancelOrder("3", order_id, "one", VENUE.instrument)
    assert found.take([cancel], NOON) == ([cancel], []), "it is at the broker now"
    found = keeper(placed(STOP))
    assert found.take([cancel], NOON) == ([], [OrderCancelled(order_id, NOON, "3")])
    assert found.hear(trade(70_000)) == ([], [])


@pytest.mark.parametrize("reason", ["halted: bad news", None])
def test_a_stop_that_may_not_go_out_ends_with_the_reason(reason: str | None) -> None:
    found = StopKeeper(lambda _symbol: VENUE, lambda _order_id: reason)
    found.take([placed(Trigger(TriggerKind.UP, 81_000), Side.BUY)], NOON)
    commands, news = found.hear(trade(81_000))
    assert len(found) == 0
    if reason is None:
        assert len(commands) == 1
    else:
        assert commands == []
        assert isinstance(news[0], OrderCancelled)
        assert reason in news[0].reason


def test_taking_a_stop_up_again_keeps_its_trail() -> None:
    command = placed(Trigger(TriggerKind.TRAIL_DOWN, 79_000, 1_000))
    order = order_of(VENUE, Side.SELL, 100, stop=command.trigger)
    order.order_id, order.status, order.held_by = command.order_id, OrderStatus.WAITING, "engine"
    found = keeper(command)
    found.hear(trade(81_000))
    found.adopt(order)
    assert len(found.hear(trade(80_000))[0]) == 1, "the trail stands at 80,000"
    fresh = StopKeeper(lambda _symbol: VENUE)
    fresh.adopt(order)
    assert fresh.hear(trade(80_000)) == ([], []), "nothing is known of a trail: it begins anew"
    assert len(fresh.hear(trade(79_000))[0]) == 1


def test_a_stop_that_is_over_is_watched_no_more() -> None:
    found = keeper(placed(STOP))
    found.expire("20230315-10000004")
    found.expire("another")
    assert found.hear(trade(70_000)) == ([], [])
