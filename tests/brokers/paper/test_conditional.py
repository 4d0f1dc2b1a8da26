"""Conditional orders against a simple model of each trigger, and the lives of two-legged ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.paper.conditional import exit_id, parent_of
from algo.market import Session
from algo.model import OrderAccepted, OrderTriggered, OrderType, Side, Trigger, TriggerKind
from tests.generators.trading_days import EDGE, INSTRUMENTS, SINCE, Hand, fills, refused, told

BUY, SELL = Side.BUY, Side.SELL
DOWN, UP, TRAIL_DOWN, TRAIL_UP = (
    TriggerKind.DOWN,
    TriggerKind.UP,
    TriggerKind.TRAIL_DOWN,
    TriggerKind.TRAIL_UP,
)
OCO, BULL_BEAR, MTL = TriggerKind.OCO, TriggerKind.BULL_BEAR, OrderType.MTL
FPT, _, _, VN30 = INSTRUMENTS


def floor() -> Hand:
    hand = Hand(VN30, SINCE)
    hand.until(Session.LO)
    return hand


def trade(hand: Hand, price: int, lots: int = 1) -> list:
    """Two of the crowd trade at `price`; gives what the trade set off, without their own events."""
    hand.place(SELL, lots, price)
    mine = {f"o{hand.count}", f"o{hand.count + 1}"}
    return [event for event in hand.place(BUY, lots, price) if event.order_id not in mine]


# -- the model ------------------------------------------------------------------------------------


def reached_at(trigger: Trigger, prices: list[int]) -> int | None:
    """The index of the first of `prices` that sets the trigger off. The first is the market when it came."""
    falls = trigger.kind in (DOWN, TRAIL_DOWN)
    for index, price in enumerate(prices):
        stop = trigger.price
        if trigger.step and index:
            extreme = max(prices[:index]) if falls else min(prices[:index])
            followed = extreme - trigger.step if falls else extreme + trigger.step
            stop = followed if not stop else max(stop, followed) if falls else min(stop, followed)
        if stop and (price <= stop if falls else price >= stop):
            return index
    return None


near = st.integers(11_990, 12_010)
triggers = st.one_of(
    st.builds(Trigger, st.sampled_from((DOWN, UP)), near),
    st.builds(Trigger, st.sampled_from((TRAIL_DOWN, TRAIL_UP)), near | st.just(0), st.integers(1, 8)),
)


@given(
    st.lists(triggers, min_size=1, max_size=6), st.lists(near, max_size=15), st.sampled_from((None, 12_000))
)
def test_each_order_is_set_off_by_the_first_match_that_reaches_its_trigger(
    triggers: list[Trigger], prices: list[int], before: int | None
) -> None:
    """The orders themselves bid the floor, so that they trade with nobody."""
    hand = floor()
    if before is not None:
        trade(hand, before)
    found: dict[str, int] = {}
    names = []
    low = hand.price(-EDGE)
    for trigger in triggers:
        events = hand.place(BUY, 1, low, trigger=trigger)
        names.append(f"o{hand.count}")
        assert events[0] == OrderAccepted(names[-1], hand.ns, "", waiting=True)
        found |= {event.order_id: 0 for event in events if isinstance(event, OrderTriggered)}
    for index, price in enumerate(prices, start=1):
        events = trade(hand, price)
        assert all(isinstance(event, OrderTriggered) for event in events)
        found |= {event.order_id: index for event in events}
    for name, trigger in zip(names, triggers, strict=True):
        seen = [before, *prices] if before is not None else prices
        index = reached_at(trigger, seen)
        expected = None if index is None else index + (before is None)
        assert found.get(name) == expected
    shown = sum(level.quantity for level in hand.exchange.depth(hand.symbol).bids)
    assert shown == len(found)
    assert sorted(hand.working()) == sorted(names)


# -- held back ------------------------------------------------------------------------------------


def test_a_stop_takes_what_is_there_when_it_is_set_off() -> None:
    hand = floor()
    hand.place(BUY, 5, 11_980)
    hand.place(SELL, 2, 0, MTL, Trigger(DOWN, 11_990))
    assert told(trade(hand, 11_990)) == ["OrderTriggered o2", "OrderFilled o2", "OrderFilled o1"]


def test_a_stop_that_finds_nobody_is_rejected() -> None:
    hand = floor()
    hand.place(SELL, 2, 0, MTL, Trigger(DOWN, 11_990))
    assert told(trade(hand, 11_990)) == ["OrderTriggered o1", "OrderRejected o1"]
    assert hand.working() == []


def test_one_stop_sets_off_the_next() -> None:
    hand = floor()
    hand.place(BUY, 1, 11_980)
    hand.place(BUY, 1, 11_970)
    hand.place(SELL, 1, 0, MTL, Trigger(DOWN, 11_980))
    hand.place(SELL, 1, 0, MTL, Trigger(DOWN, 11_990))
    assert told(trade(hand, 11_990)) == [
        "OrderTriggered o4", "OrderFilled o4", "OrderFilled o1",
        "OrderTriggered o3", "OrderFilled o3", "OrderFilled o2",
    ]  # fmt: skip


def test_every_print_of_a_sweep_counts() -> None:
    hand = floor()
    hand.place(SELL, 1, 0 + 11_990)
    hand.place(SELL, 1, 12_010)
    hand.place(BUY, 1, hand.price(-EDGE), trigger=Trigger(DOWN, 11_995))
    assert told(hand.place(BUY, 2, kind=MTL))[-1] == "OrderTriggered o3"


def test_triggers_sleep_in_auctions_and_wake_with_continuous_trading() -> None:
    hand = Hand(VN30, SINCE)
    assert told(hand.place(SELL, 1, 12_100, trigger=Trigger(DOWN, 12_000))) == ["OrderAccepted o1"]
    hand.until(Session.ATO)
    hand.place(BUY, 1, 12_000)
    hand.place(SELL, 1, 12_000)
    assert told(hand.until(Session.LO)) == ["OrderFilled o2", "OrderFilled o3", "OrderTriggered o1"]
    hand.place(SELL, 1, 12_100, trigger=Trigger(DOWN, 11_990))
    hand.until(Session.ATC)
    hand.place(BUY, 1, 11_900)
    hand.place(SELL, 1, 11_900)
    assert told(hand.until(Session.C))[2:] == ["OrderExpired o1", "OrderExpired o4"]


def test_a_held_order_can_be_changed_and_cancelled_in_any_session() -> None:
    hand = Hand(VN30, SINCE)
    hand.place(SELL, 1, 12_100, trigger=Trigger(DOWN, 11_990))
    hand.place(SELL, 1, 0, MTL, Trigger(DOWN, 11_990))
    assert told(hand.amend(1, price=12_090)) == ["OrderAmended o1"]
    assert told(hand.amend(1, lots=3)) == ["OrderAmended o1"]
    assert refused(hand.amend(2, price=12_090)) == "the order has no price to change"
    assert told(hand.cancel(2)) == ["OrderCancelled o2"]
    hand.until(Session.LO)
    trade(hand, 11_990)
    assert hand.exchange.depth(hand.symbol).asks == ((1209.0, 3),)
    assert trade(hand, 11_980) == []


def test_conditions_that_are_not_taken() -> None:
    hand = floor()
    assert "limit orders" in refused(hand.place(SELL, 1, 0, MTL, Trigger(OCO, 11_990)))
    assert "above zero" in refused(hand.place(SELL, 1, 12_000, trigger=Trigger(BULL_BEAR, profit_step=5)))
    assert "above the ceiling" in refused(hand.place(SELL, 1, 20_000, trigger=Trigger(DOWN, 11_990)))
    assert refused(hand.place(SELL, 1, 0, OrderType.ATO, Trigger(DOWN, 11_990)))
    hand.until(Session.BREAK)
    assert "BREAK" in refused(hand.place(SELL, 1, 12_000, trigger=Trigger(OCO, 11_990)))
    shares = Hand(FPT, SINCE)
    assert "odd lots" in refused(shares.place(SELL, 0, 50_000, trigger=Trigger(DOWN, 49_000), quantity=10))


# -- one cancels the other ------------------------------------------------------------------------


def test_the_target_of_an_oco_is_in_the_book_and_ends_its_stop() -> None:
    hand = floor()
    hand.place(SELL, 2, 12_010, trigger=Trigger(OCO, 11_990))
    assert hand.exchange.depth(hand.symbol).asks == ((1201.0, 2),)
    events = hand.place(BUY, 2, 12_010)
    assert [event.exit_reason for event in events[1:]] == ["", "take_profit"]
    assert trade(hand, 11_990) == []
    assert hand.working() == []


def test_the_stop_of_an_oco_takes_its_target_out_and_goes_to_the_edge_of_the_band() -> None:
    hand = floor()
    hand.place(BUY, 1, 11_950)
    hand.place(SELL, 3, 12_010, trigger=Trigger(OCO, 11_990))
    hand.place(BUY, 1, 12_010)
    events = trade(hand, 11_990)
    assert told(events) == ["OrderTriggered o2", "OrderFilled o2", "OrderFilled o1"]
    assert events[1].exit_reason == "stop_loss"
    # What is left cannot be lost: it offers the floor.
    assert hand.exchange.depth(hand.symbol).asks == ((VN30.price(hand.price(-EDGE)), 1),)


def test_an_oco_can_trail() -> None:
    hand = floor()
    hand.place(SELL, 1, 12_100, trigger=Trigger(OCO, 11_950, 20))
    assert trade(hand, 12_030) == []
    hand.place(BUY, 1, 12_000)
    assert trade(hand, 12_011) == []
    events = trade(hand, 12_010)
    assert told(events) == ["OrderTriggered o1", "OrderFilled o1", "OrderFilled o4"]
    assert events[1].exit_reason == "trailing"


def test_a_target_that_another_stop_took_needs_no_stop_any_more() -> None:
    hand = floor()
    hand.place(BUY, 1, 0, MTL, Trigger(DOWN, 11_990))
    hand.place(SELL, 1, 12_010, trigger=Trigger(OCO, 11_990))
    assert told(trade(hand, 11_990)) == ["OrderTriggered o1", "OrderFilled o1", "OrderFilled o2"]


def test_a_stop_that_comes_in_the_lunch_break_is_looked_at_when_trading_goes_on() -> None:
    hand = floor()
    trade(hand, 11_980)
    hand.until(Session.BREAK)
    assert told(hand.place(SELL, 1, 12_100, trigger=Trigger(DOWN, 11_990))) == ["OrderAccepted o3"]
    assert told(hand.until(Session.LO)) == ["OrderTriggered o3"]


# -- bull-bear ------------------------------------------------------------------------------------


def test_each_fill_of_a_bull_bear_order_brings_an_exit() -> None:
    hand = floor()
    hand.place(BUY, 3, 12_000, trigger=Trigger(BULL_BEAR, profit_step=20, loss_step=10))
    events = hand.place(SELL, 2, 12_000)
    assert told(events) == ["OrderAccepted o2", "OrderFilled o2", "OrderFilled o1", "OrderAccepted o1#1"]
    hand.place(SELL, 1, 12_000)
    assert hand.exchange.depth(hand.symbol).asks == ((1202.0, 3),)
    assert fills(hand.place(BUY, 2, 12_020)) == [("o4", 2, 12_020), ("o1#1", 2, 12_020)]
    hand.place(BUY, 1, 11_980)
    assert fills(trade(hand, 11_990)) == [("o1#2", 1, 11_980), ("o5", 1, 11_980)]


def test_of_a_sale_they_are_mirrored() -> None:
    hand = floor()
    hand.place(SELL, 1, 12_000, trigger=Trigger(BULL_BEAR, profit_step=20, loss_step=10))
    hand.place(BUY, 1, 12_000)
    assert hand.exchange.depth(hand.symbol).bids == ((1198.0, 1),)
    hand.place(SELL, 1, 12_050)
    assert fills(trade(hand, 12_010)) == [("o1#1", 1, 12_050), ("o3", 1, 12_050)]


def test_an_entry_that_traded_in_the_opening_auction_gets_its_exit_right_after() -> None:
    hand = Hand(VN30, SINCE)
    hand.until(Session.ATO)
    hand.place(BUY, 1, 12_000, trigger=Trigger(BULL_BEAR, profit_step=20, loss_step=10))
    hand.place(SELL, 1, 12_000)
    assert told(hand.until(Session.LO)) == ["OrderFilled o1", "OrderFilled o2", "OrderAccepted o1#1"]
    assert told(hand.cancel("o1#1")) == ["OrderCancelled o1#1"]


def test_one_that_traded_in_the_closing_auction_gets_none() -> None:
    hand = floor()
    hand.until(Session.ATC)
    hand.place(BUY, 1, 12_000, trigger=Trigger(BULL_BEAR, profit_step=20, loss_step=10))
    hand.place(SELL, 1, 12_000)
    assert told(hand.until(Session.C)) == ["OrderFilled o1", "OrderFilled o2"]


def test_a_target_beyond_the_band_stands_at_its_edge() -> None:
    hand = floor()
    hand.place(BUY, 1, 12_000, trigger=Trigger(BULL_BEAR, profit_step=5_000, loss_step=10))
    hand.place(SELL, 1, 12_000)
    assert hand.exchange.depth(hand.symbol).asks == ((VN30.price(hand.price(EDGE)), 1),)


def test_an_exit_names_its_entry() -> None:
    assert parent_of(exit_id("26030212345678", 2)) == "26030212345678"
    assert parent_of("26030212345678") == ""
