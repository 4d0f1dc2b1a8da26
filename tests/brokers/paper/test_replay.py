"""Orders in a replayed market: their place in the queue, delay, and what their own size does to prices."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.paper import PaperExchange, ReplayRules
from algo.clock import HOUR, MINUTE, at
from algo.errors import SettingError
from algo.market import instrument_of
from algo.model import (
    AmendOrder,
    BrokerEvent,
    CancelOrder,
    Level,
    OrderFilled,
    OrderType,
    PlaceOrder,
    Quote,
    RequestRefused,
    Side,
    Trade,
    Trigger,
    TriggerKind,
)

DAY = date(2026, 3, 2)
VN30 = instrument_of("VN30F1M")
BUY, SELL = Side.BUY, Side.SELL
Pairs = list[tuple[int, int]]


class Replay:
    """A replayed VN30F1M, told in units, one nanosecond after the other from ten o'clock."""

    def __init__(self, rules: ReplayRules | None = None, hour: int = 10 * HOUR) -> None:
        self.exchange = PaperExchange({"VN30F1M": VN30}, replay=rules)
        self.exchange.start_day(DAY, {"VN30F1M": 12_000})
        self.ns = at(DAY, hour)
        self.count = 0

    def quote(self, bids: Pairs, asks: Pairs) -> list[tuple[str, int, int]]:
        self.ns += 1
        sides = (tuple(Level(p / 10, q) for p, q in side) for side in (bids, asks))
        return fills(self.exchange.quote(Quote("VN30F1M", self.ns, *sides)))

    def trade(self, price: int, quantity: int, side: int = 0) -> list[tuple[str, int, int]]:
        self.ns += 1
        return fills(self.exchange.trade(Trade("VN30F1M", self.ns, price / 10, quantity, side)))

    def place(
        self,
        side: Side,
        quantity: int,
        price: int = 0,
        kind: OrderType | None = None,
        trigger: Trigger | None = None,
        market: bool = False,
    ) -> list[BrokerEvent]:
        self.ns += 1
        self.count += 1
        kind = kind or (OrderType.LO if price else OrderType.MTL)
        name = f"o{self.count}"
        command = PlaceOrder(name, name, "s", VN30, side, kind, price, quantity, trigger, market)
        return self.exchange.execute(command, self.ns)

    def amend(self, number: int, price: int | None = None, quantity: int | None = None) -> list[BrokerEvent]:
        self.ns += 1
        return self.exchange.execute(AmendOrder("r", f"o{number}", "s", VN30, price, quantity), self.ns)


def fills(events: list[BrokerEvent]) -> list[tuple[str, int, int]]:
    return [(e.order_id, e.quantity, e.price) for e in events if isinstance(e, OrderFilled)]


BOOK = ([(11_999, 10), (11_998, 20)], [(12_001, 10), (12_002, 20)])


# -- queues ---------------------------------------------------------------------------------------


def test_trades_at_the_price_wear_the_queue_down_before_they_reach_us() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_999)
    assert replay.trade(11_999, 6) == []
    assert replay.trade(11_999, 6) == [("o1", 2, 11_999)]
    assert replay.trade(11_999, 6) == [("o1", 2, 11_999)]


def test_a_trade_beyond_the_price_needs_no_queue() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_999)
    assert replay.trade(11_998, 3) == [("o1", 3, 11_999)]


def test_cancels_are_taken_to_be_behind_us_as_long_as_they_can() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_999)
    replay.quote([(11_999, 30)], BOOK[1])  # twenty came after us
    replay.quote([(11_999, 12)], BOOK[1])  # and eighteen went: all from behind
    assert replay.trade(11_999, 10) == []
    assert replay.trade(11_999, 1) == [("o1", 1, 11_999)]


def test_but_no_more_can_be_ahead_than_is_displayed() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_999)
    replay.quote([(11_999, 3)], BOOK[1])
    assert replay.trade(11_999, 7) == []  # this may be what shortened the queue
    assert replay.trade(11_999, 4) == [("o1", 1, 11_999)]


def test_a_trade_told_after_its_quote_is_not_counted_twice() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_999)
    replay.quote([(11_999, 4)], BOOK[1])
    assert replay.trade(11_999, 6) == []
    assert replay.trade(11_999, 4) == []
    assert replay.trade(11_999, 1) == [("o1", 1, 11_999)]


def test_an_aggressor_on_our_own_side_reaches_nobody_there() -> None:
    replay = Replay()
    replay.quote([(11_998, 5)], BOOK[1])
    replay.place(BUY, 4, 11_999)
    assert replay.trade(11_999, 5, side=1) == []
    assert replay.trade(11_999, 5, side=-1) == [("o1", 4, 11_999)]


def test_a_queue_that_is_not_displayed_is_not_empty() -> None:
    replay = Replay()
    replay.place(BUY, 4, 11_990)
    assert replay.trade(11_990, 1_000) == []
    replay.quote(*BOOK)
    assert replay.trade(11_990, 1_000) == []
    replay.quote([(11_991, 1), (11_990, 7)], BOOK[1])
    assert replay.trade(11_990, 8) == [("o1", 1, 11_990)]
    assert replay.trade(11_989, 1) == [("o1", 1, 11_990)]


@pytest.mark.parametrize(
    ("change", "filled"),
    [({"quantity": 2}, 2), ({"quantity": 5}, 0), ({"price": 11_998}, 0)],
    ids=["less keeps the place", "more loses it", "another price loses it"],
)
def test_an_amended_order_keeps_or_loses_its_place(change: dict[str, int], filled: int) -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_999)
    replay.trade(11_999, 10)
    replay.quote([(11_999, 8), (11_998, 20)], BOOK[1])
    replay.amend(1, **change)
    assert sum(quantity for _, quantity, _ in replay.trade(11_999, 8)) == filled


def test_two_of_our_orders_share_what_gets_through() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_999)
    replay.place(BUY, 4, 11_999)
    assert replay.trade(11_999, 16) == [("o1", 4, 11_999), ("o2", 2, 11_999)]


def test_the_market_that_comes_to_a_resting_order_pays_its_price() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 12_000)
    assert replay.quote([(11_997, 9)], [(11_998, 3), (12_000, 9)]) == [("o1", 3, 12_000), ("o1", 1, 12_000)]
    replay.place(BUY, 4, 12_000)
    assert replay.quote([(11_996, 9)], [(11_997, 3)]) == [("o2", 3, 11_997)]  # this one came to take


def test_an_order_that_comes_to_take_waits_for_the_next_quote() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 12_100)
    assert replay.trade(12_001, 50) == []
    assert replay.quote(*BOOK) == [("o1", 4, 12_001)]


@pytest.mark.parametrize("market", [True, False])
def test_or_takes_the_next_print_where_no_book_is_ever_seen(market: bool) -> None:
    replay = Replay()
    replay.trade(12_001, 50)
    replay.place(BUY, 4, 12_100, market=market)
    assert replay.trade(12_002, 3) == [("o1", 3, 12_002)]
    assert replay.trade(12_003, 3) == [("o1", 1, 12_003)]


def test_until_the_market_goes_away_from_it() -> None:
    replay = Replay()
    replay.trade(12_001, 50)
    replay.place(BUY, 4, 12_002)
    assert replay.trade(12_003, 3) == []
    assert replay.trade(12_001, 3) == [("o1", 3, 12_002)]


def test_the_better_of_our_prices_goes_first() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(BUY, 4, 11_998)
    replay.place(BUY, 4, 11_999)
    assert replay.trade(11_997, 6) == [("o2", 4, 11_999), ("o1", 2, 11_998)]


quantities = st.integers(1, 12)
tape = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.integers(11_997, 12_003), quantities, st.sampled_from((-1, 0, 1))),
        st.tuples(st.just("quote"), st.integers(11_997, 12_000), quantities, quantities),
    ),
    max_size=30,
)


@given(st.integers(11_997, 12_000), quantities, quantities, tape)
def test_a_resting_order_never_trades_before_what_was_displayed_ahead_of_it(
    price: int, mine: int, displayed: int, tape: list[tuple]
) -> None:
    """Until the price is passed, or the book shows less, no more reaches us than traded beyond the queue."""
    replay = Replay()
    replay.quote([(price, displayed)], [(12_050, 1)])
    replay.place(BUY, mine, price)
    traded = filled = 0
    for step in tape:
        match step:
            case ("trade", at_price, quantity, side):
                got = replay.trade(at_price, quantity, side)
                if at_price < price:
                    break
                traded += quantity if at_price == price and side != 1 else 0
            case ("quote", bid, size, _):
                got = replay.quote([(bid, size), (bid - 1, 1)], [(12_050, 1)])
                if bid < price or (bid == price and size < displayed):
                    break
                assert got == []
        assert all(at_price == price for _, _, at_price in got)
        filled += sum(quantity for _, quantity, _ in got)
        assert filled <= min(mine, max(traded - displayed, 0))


# -- sessions and order types ---------------------------------------------------------------------


def test_outside_of_continuous_trading_a_book_is_only_looked_at() -> None:
    replay = Replay(hour=14 * HOUR + 40 * MINUTE)
    replay.place(BUY, 1, 12_005)
    replay.place(SELL, 1, 0, trigger=Trigger(TriggerKind.DOWN, 12_010))
    replay.place(BUY, 1, kind=OrderType.ATC)
    assert replay.quote([(12_003, 5)], [(12_001, 5)]) == []
    assert sorted(replay.trade(12_002, 5)) == [("o1", 1, 12_002), ("o3", 1, 12_002)]
    assert [ticket.order_id for ticket in replay.exchange.orders()] == ["o2"]


def test_what_no_auction_filled_is_cancelled_when_continuous_trading_begins() -> None:
    replay = Replay()
    replay.place(BUY, 1, kind=OrderType.ATO)
    assert replay.quote(*BOOK) == []
    assert list(replay.exchange.orders()) == []


def test_mok_and_mak_meet_the_next_book_and_are_over() -> None:
    replay = Replay()
    replay.place(BUY, 11, 0, OrderType.MOK)
    replay.place(BUY, 12, 0, OrderType.MAK)
    assert replay.quote([], [(12_001, 10)]) == [("o2", 10, 12_001)]
    assert list(replay.exchange.orders()) == []


def test_the_rest_of_a_sweep_rests_one_tick_beyond() -> None:
    replay = Replay()
    replay.place(BUY, 12)
    assert replay.quote([], [(12_001, 10)]) == [("o1", 10, 12_001)]
    assert replay.quote([], [(12_003, 10)]) == []
    assert replay.trade(12_001, 9) == [("o1", 2, 12_002)]


def test_a_sweep_that_finds_nobody_is_rejected() -> None:
    replay = Replay()
    replay.place(BUY, 12)
    assert replay.quote([(12_000, 1)], []) == []
    assert list(replay.exchange.orders()) == []


def test_a_strategys_market_order_goes_on_until_it_is_filled() -> None:
    replay = Replay()
    replay.place(BUY, 12, market=True)
    assert replay.quote([], [(12_001, 10)]) == [("o1", 10, 12_001)]
    assert replay.quote([], [(12_003, 10)]) == [("o1", 2, 12_003)]


def test_where_no_book_is_ever_seen_it_trades_at_the_next_print() -> None:
    replay = Replay()
    replay.place(BUY, 2, market=True)
    assert replay.trade(12_001, 9) == [("o1", 2, 12_001)]


def test_a_stop_with_a_limit_rests_after_it_was_set_off() -> None:
    replay = Replay()
    replay.quote(*BOOK)
    replay.place(SELL, 2, 11_998, trigger=Trigger(TriggerKind.DOWN, 11_995))
    assert replay.trade(11_995, 5) == []
    replay.quote([(11_994, 5)], [(11_996, 5)])
    assert replay.trade(11_999, 5) == [("o1", 2, 11_998)]


# -- latency and impact ---------------------------------------------------------------------------


def test_an_order_acts_when_it_arrives() -> None:
    replay = Replay(ReplayRules(latency=3))
    assert replay.place(BUY, 1, market=True) == []
    assert replay.quote(*BOOK) == []
    assert replay.quote(*BOOK) == []
    assert replay.quote(*BOOK) == [("o1", 1, 12_001)]


def test_a_cancel_can_come_too_late() -> None:
    replay = Replay(ReplayRules(latency=5))
    replay.place(BUY, 1, market=True)
    replay.ns += 4
    replay.exchange.execute(CancelOrder("c", "o1", "s", VN30), replay.ns)
    assert replay.quote(*BOOK) == [("o1", 1, 12_001)]
    assert isinstance(replay.exchange.release(replay.ns + 5)[0], RequestRefused)


@given(st.integers(0, 50), st.lists(st.integers(0, 30), min_size=1, max_size=10), st.integers(0, 2**32))
def test_jitter_is_bounded_repeatable_and_lets_nothing_overtake(
    jitter: int, gaps: list[int], seed: int
) -> None:
    def arrivals() -> list[tuple[str, int]]:
        replay = Replay(ReplayRules(latency=10, jitter=jitter, seed=seed))
        sent = {}
        for gap in gaps:
            replay.ns += gap
            replay.place(BUY, 1, 11_200)
            sent[f"o{replay.count}"] = replay.ns
        events = replay.exchange.release(replay.ns + 10 + jitter)
        assert [event.order_id for event in events] == list(sent)
        assert [event.ns for event in events] == sorted(event.ns for event in events)
        assert all(10 <= event.ns - sent[event.order_id] <= 10 + jitter for event in events)
        return [(event.order_id, event.ns) for event in events]

    assert arrivals() == arrivals()


def test_orders_on_their_way_end_with_the_day() -> None:
    replay = Replay(ReplayRules(latency=1_000))
    replay.place(BUY, 1, 11_990)
    kinds = [type(event).__name__ for event in replay.exchange.close_day(VN30.board, replay.ns)]
    assert kinds == ["OrderAccepted", "OrderExpired"]


def test_beyond_its_share_of_what_is_displayed_an_order_pays_more() -> None:
    replay = Replay(ReplayRules(impact_share=0.5, impact_ticks=2))
    replay.place(BUY, 13, market=True)
    assert replay.quote(*BOOK) == [("o1", 5, 12_001), ("o1", 5, 12_003), ("o1", 3, 12_002)]


def test_a_limit_bounds_what_it_pays() -> None:
    replay = Replay(ReplayRules(impact_share=0.5, impact_ticks=2))
    replay.place(SELL, 13, 11_998)
    assert replay.quote(*BOOK) == [("o1", 5, 11_999)]


def test_a_resting_order_moves_nothing() -> None:
    replay = Replay(ReplayRules(impact_share=0.0, impact_ticks=2))
    replay.quote(*BOOK)
    replay.place(BUY, 4, 12_000)
    assert replay.quote([], [(12_000, 9)]) == [("o1", 4, 12_000)]


@pytest.mark.parametrize(
    "bad",
    [{"latency": -1}, {"jitter": 0.5}, {"impact_ticks": True}, {"impact_share": 1.5}, {"impact_share": "x"}],
)
def test_impossible_rules_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        ReplayRules(**bad)  # type: ignore[arg-type]
