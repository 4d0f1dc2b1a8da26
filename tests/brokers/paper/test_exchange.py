"""The paper exchange, rule by rule, and what no bar may ever make it do."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.paper import FillRules, PaperExchange
from algo.clock import MINUTE, at
from algo.errors import SettingError
from algo.market import band, instrument_of
from algo.model import (
    AmendOrder,
    Bar,
    Board,
    BrokerEvent,
    CancelOrder,
    Instrument,
    Level,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Quote,
    RequestRefused,
    Side,
    Trade,
    Trigger,
    TriggerKind,
)

DAY = date(2023, 3, 15)
TEN = at(DAY, 10 * 60 * MINUTE)
VN30 = instrument_of("VN30F1M")
FPT = instrument_of("FPT")
BUY, SELL = Side.BUY, Side.SELL
ANY = FillRules(participation=None)
TOUCH = FillRules(limit="touch", participation=None)
CLOSE = FillRules("close", participation=None)


class Floor:
    """An exchange of one symbol, fed bar after bar; prices here are in units."""

    def __init__(self, rules: FillRules = ANY, instrument: Instrument = VN30) -> None:
        self.exchange = PaperExchange({instrument.symbol: instrument}, rules)
        self.instrument = instrument
        self.ns = TEN
        self.count = 0

    def place(
        self,
        side: Side,
        quantity: int = 1,
        price: int = 0,
        *,
        kind: OrderType | None = None,
        trigger: Trigger | None = None,
        market: bool | None = None,
    ) -> list[BrokerEvent]:
        self.count += 1
        kind = kind or (OrderType.LO if price else OrderType.MTL)
        at_market = kind is OrderType.MTL if market is None else market
        name = f"o{self.count}"
        command = PlaceOrder(
            f"r{self.count}", name, "s", self.instrument, side, kind, price, quantity, trigger, at_market
        )
        return self.exchange.execute(command, self.ns)

    def cancel(self, number: int) -> list[BrokerEvent]:
        return self.exchange.execute(CancelOrder("r0", f"o{number}", "s", self.instrument), self.ns)

    def amend(self, number: int, price: int | None = None, quantity: int | None = None) -> list[BrokerEvent]:
        command = AmendOrder("r0", f"o{number}", "s", self.instrument, price, quantity)
        return self.exchange.execute(command, self.ns)

    def bar(self, open_: int, high: int, low: int, close: int, volume: int = 10_000) -> list[BrokerEvent]:
        """The next minute; gives what happened in it."""
        prices = (self.instrument.price(units) for units in (open_, high, low, close))
        symbol = self.instrument.symbol
        bar = Bar(symbol, self.ns + MINUTE, *prices, volume, self.ns, symbol)
        events = self.exchange.open_bar(bar)
        found = events + self.exchange.range_bar(bar)
        self.ns = bar.ns
        self.exchange.see(bar)
        return found


def trades(events: list[BrokerEvent]) -> list[tuple[str, int, int]]:
    return [(e.order_id, e.quantity, e.price) for e in events if isinstance(e, OrderFilled)]


def kinds(events: list[BrokerEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


# -- market orders --------------------------------------------------------------------------------


def test_a_market_order_trades_at_the_next_open() -> None:
    floor = Floor()
    floor.bar(12_000, 12_010, 11_990, 12_005)
    assert kinds(floor.place(BUY)) == ["OrderAccepted"]
    events = floor.bar(12_007, 12_030, 12_001, 12_020)
    assert trades(events) == [("o1", 1, 12_007)]
    assert events[0].ns == floor.ns - MINUTE


def test_or_at_this_close() -> None:
    floor = Floor(CLOSE)
    floor.bar(12_000, 12_010, 11_990, 12_005)
    assert trades(floor.place(BUY)) == [("o1", 1, 12_005)]


def test_at_the_close_of_a_later_bar_when_it_was_not_sent_at_a_bars_end() -> None:
    floor = Floor(CLOSE)
    floor.place(BUY)
    assert trades(floor.bar(12_007, 12_030, 12_001, 12_020)) == [("o1", 1, 12_020)]


@pytest.mark.parametrize(("side", "price"), [(BUY, 12_003), (SELL, 11_997)])
@pytest.mark.parametrize("rules", [FillRules("open", 3), FillRules("close", 3)])
def test_slippage_is_paid_in_ticks(side: Side, price: int, rules: FillRules) -> None:
    floor = Floor(rules)
    floor.bar(11_950, 12_050, 11_950, 12_000)
    events = floor.place(side) + floor.bar(12_000, 12_050, 11_950, 12_010)
    assert trades(events) == [("o1", 1, price)]


@pytest.mark.parametrize(("side", "price"), [(BUY, 12_001), (SELL, 11_998)])
def test_slippage_never_leaves_the_bar(side: Side, price: int) -> None:
    floor = Floor(FillRules(slippage=5))
    floor.place(side)
    assert trades(floor.bar(12_000, 12_001, 11_998, 12_000)) == [("o1", 1, price)]


def test_slippage_counts_the_ticks_of_each_price() -> None:
    floor = Floor(FillRules(slippage=3), FPT)
    floor.place(BUY, 100)
    assert trades(floor.bar(49_950, 51_000, 49_000, 50_000, 100_000)) == [("o1", 100, 50_200)]


def test_a_market_order_carried_by_a_limit_at_the_bands_edge_slips_too() -> None:
    share = instrument_of("BSR", Board.UPCOM)
    floor = Floor(FillRules(slippage=1), share)
    floor.place(BUY, 100, 23_000, market=True)
    assert trades(floor.bar(20_000, 21_000, 19_900, 20_500, 100_000)) == [("o1", 100, 20_100)]


def test_it_takes_no_price_beyond_that_limit() -> None:
    share = instrument_of("BSR", Board.UPCOM)
    floor = Floor(ANY, share)
    floor.place(BUY, 100, 20_000, market=True)
    assert trades(floor.bar(20_100, 20_200, 20_100, 20_200)) == []
    assert trades(floor.bar(19_900, 20_200, 19_900, 20_200)) == [("o1", 100, 19_900)]


# -- limit orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("rules", "filled"), [(ANY, []), (TOUCH, [("o1", 1, 11_990)])])
def test_a_limit_that_is_only_touched(rules: FillRules, filled: list[tuple[str, int, int]]) -> None:
    floor = Floor(rules)
    floor.place(BUY, 1, 11_990)
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005)) == filled


@pytest.mark.parametrize(
    ("side", "limit", "bar"),
    [(BUY, 11_990, (12_000, 12_010, 11_989, 12_005)), (SELL, 12_010, (12_000, 12_011, 11_990, 12_005))],
)
def test_a_limit_that_is_traded_through_fills_at_its_price(
    side: Side, limit: int, bar: tuple[int, int, int, int]
) -> None:
    floor = Floor()
    floor.place(side, 1, limit)
    assert trades(floor.bar(*bar)) == [("o1", 1, limit)]


@pytest.mark.parametrize(("side", "limit", "open_"), [(BUY, 11_990, 11_980), (SELL, 12_010, 12_020)])
def test_a_gap_over_the_limit_gives_the_better_open(side: Side, limit: int, open_: int) -> None:
    floor = Floor()
    floor.place(side, 1, limit)
    assert trades(floor.bar(open_, 12_030, 11_970, 12_000)) == [("o1", 1, open_)]


def test_an_order_sent_inside_a_bar_waits_for_the_next() -> None:
    floor = Floor()
    floor.ns += 1
    floor.place(BUY, 1, 11_990)
    floor.ns -= 1
    assert trades(floor.bar(11_980, 12_010, 11_980, 12_005)) == []
    assert trades(floor.bar(11_980, 12_010, 11_980, 12_005)) == [("o1", 1, 11_980)]


def test_the_band_cuts_a_bar() -> None:
    exchange = PaperExchange({"VN30F1M": VN30}, ANY)
    exchange.start_day(DAY, {"VN30F1M": 12_000})
    limits = band(VN30, 12_000, DAY)
    for number, side in enumerate((BUY, SELL)):
        exchange.execute(
            PlaceOrder(f"r{number}", f"o{number}", "s", VN30, side, OrderType.MTL, 0, 1, None, True), TEN
        )
    wild = Bar("VN30F1M", TEN + MINUTE, 1300.0, 1400.0, 1100.0, 1200.0, 100, TEN, "VN30F1M")
    assert {e.price for e in exchange.open_bar(wild) if isinstance(e, OrderFilled)} == {limits.ceiling}
    outside = Bar("VN30F1M", TEN + MINUTE, 1300.0, 1400.0, 1300.0, 1350.0, 100, TEN, "VN30F1M")
    exchange.execute(PlaceOrder("r9", "o9", "s", VN30, BUY, OrderType.MTL, 0, 1, None, True), TEN)
    assert exchange.open_bar(outside) == exchange.range_bar(outside) == []


# -- the share of the volume ----------------------------------------------------------------------


def test_at_most_a_share_of_the_volume_trades_and_the_rest_waits() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(BUY, 25)
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005, 109)) == [("o1", 10, 12_000)]
    assert trades(floor.bar(12_005, 12_010, 11_990, 12_005, 0)) == []
    assert trades(floor.bar(12_006, 12_010, 11_990, 12_005, 100)) == [("o1", 10, 12_006)]
    assert trades(floor.bar(12_007, 12_010, 11_990, 12_005, 1_000)) == [("o1", 5, 12_007)]
    assert floor.exchange.capped == 3
    assert floor.exchange.working == 0


def test_the_share_is_of_all_orders_together_the_first_ones_first() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(BUY, 6)
    floor.place(BUY, 6)
    floor.place(BUY, 6, 12_001)
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005, 100)) == [("o1", 6, 12_000), ("o2", 4, 12_000)]


def test_a_part_of_shares_is_whole_lots() -> None:
    floor = Floor(FillRules(participation=0.10), FPT)
    floor.exchange.start_day(DAY, {})
    floor.place(BUY, 1_000)
    assert trades(floor.bar(80_000, 81_000, 79_000, 80_000, 2_990)) == [("o1", 200, 80_000)]


def test_nothing_trades_without_volume_even_without_a_cap() -> None:
    floor = Floor()
    floor.place(BUY)
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005, 0)) == []


# -- stops ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "kind", "stop", "bar", "price"),
    [
        (SELL, TriggerKind.DOWN, 11_990, (12_000, 12_010, 11_980, 12_000), 11_990),
        (SELL, TriggerKind.DOWN, 11_990, (11_970, 12_010, 11_960, 12_000), 11_970),
        (BUY, TriggerKind.UP, 12_010, (12_000, 12_020, 11_990, 12_000), 12_010),
        (BUY, TriggerKind.UP, 12_010, (12_030, 12_040, 11_990, 12_000), 12_030),
        (SELL, TriggerKind.DOWN, 11_990, (12_000, 12_010, 11_990, 12_000), 11_990),
    ],
)
def test_a_stop_trades_at_its_trigger_or_the_worse_open(
    side: Side, kind: TriggerKind, stop: int, bar: tuple[int, int, int, int], price: int
) -> None:
    floor = Floor()
    (accepted,) = floor.place(side, trigger=Trigger(kind, stop))
    assert isinstance(accepted, OrderAccepted)
    assert accepted.waiting
    assert trades(floor.bar(12_000, 12_001, 11_999, 12_000)) == []
    events = floor.bar(*bar)
    assert kinds(events) == ["OrderTriggered", "OrderFilled"]
    assert trades(events) == [("o1", 1, price)]
    assert events[1].exit_reason == "stop_loss"  # type: ignore[union-attr]


def test_a_stop_slips_inside_the_bar() -> None:
    floor = Floor(FillRules(slippage=4))
    floor.place(SELL, trigger=Trigger(TriggerKind.DOWN, 11_990))
    assert trades(floor.bar(12_000, 12_000, 11_988, 11_995)) == [("o1", 1, 11_988)]


def test_a_stop_with_a_limit_rests_when_the_market_jumps_over_it() -> None:
    floor = Floor()
    floor.place(BUY, 1, 12_012, trigger=Trigger(TriggerKind.UP, 12_010))
    assert kinds(floor.bar(12_020, 12_030, 12_015, 12_020)) == ["OrderTriggered"]
    assert trades(floor.bar(12_020, 12_030, 12_011, 12_020)) == [("o1", 1, 12_012)]


def test_the_stop_comes_before_the_target_when_a_bar_has_both() -> None:
    floor = Floor()
    floor.place(SELL, 1, 12_050, trigger=Trigger(TriggerKind.OCO, 11_950))
    events = floor.bar(12_000, 12_060, 11_940, 12_055)
    assert trades(events) == [("o1", 1, 11_950)]
    assert events[-1].exit_reason == "stop_loss"  # type: ignore[union-attr]


def test_a_target_alone_is_a_limit() -> None:
    floor = Floor()
    floor.place(SELL, 1, 12_050, trigger=Trigger(TriggerKind.OCO, 11_950))
    events = floor.bar(12_000, 12_060, 11_960, 12_055)
    assert trades(events) == [("o1", 1, 12_050)]
    assert events[-1].exit_reason == "take_profit"  # type: ignore[union-attr]


def test_an_open_beyond_the_target_gives_the_open() -> None:
    floor = Floor()
    floor.place(SELL, 1, 12_050, trigger=Trigger(TriggerKind.OCO, 11_950))
    assert trades(floor.bar(12_070, 12_080, 11_940, 12_055)) == [("o1", 1, 12_070)]


def test_an_oco_sold_in_part_never_sells_more_than_its_quantity() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(SELL, 15, 12_050, trigger=Trigger(TriggerKind.OCO, 11_950))
    assert trades(floor.bar(12_000, 12_060, 11_960, 12_055, 100)) == [("o1", 10, 12_050)]
    assert trades(floor.bar(11_960, 12_000, 11_940, 11_990, 100)) == [("o1", 5, 11_950)]
    assert floor.exchange.working == 0


def test_a_trailing_stop_follows_the_best_price_afterwards() -> None:
    floor = Floor()
    floor.place(SELL, trigger=Trigger(TriggerKind.TRAIL_DOWN, 11_980, 20))
    assert trades(floor.bar(12_000, 12_100, 11_985, 12_090)) == []  # now at 12,080
    assert trades(floor.bar(12_095, 12_120, 12_081, 12_110)) == []  # now at 12,100
    events = floor.bar(12_105, 12_110, 12_090, 12_095)
    assert trades(events) == [("o1", 1, 12_100)]
    assert events[-1].exit_reason == "trailing"  # type: ignore[union-attr]


def test_a_trailing_stop_that_the_bar_passed_on_its_way_back_is_hit() -> None:
    floor = Floor()
    floor.place(BUY, trigger=Trigger(TriggerKind.TRAIL_UP, 12_020, 20))
    assert trades(floor.bar(12_000, 12_010, 11_950, 12_000)) == [("o1", 1, 11_970)]


def test_a_trailing_stop_never_moves_away() -> None:
    floor = Floor()
    floor.place(SELL, trigger=Trigger(TriggerKind.TRAIL_DOWN, 11_980, 20))
    floor.bar(12_000, 12_050, 12_000, 12_045)  # now at 12,030
    floor.bar(12_040, 12_041, 12_031, 12_035)
    assert trades(floor.bar(12_032, 12_033, 12_030, 12_031)) == [("o1", 1, 12_030)]


# -- explicit types -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "parts"), [(OrderType.MAK, [("o1", 10, 12_000)]), (OrderType.MOK, [])])
def test_mak_takes_what_it_can_and_mok_all_or_nothing(
    kind: OrderType, parts: list[tuple[str, int, int]]
) -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(BUY, 15, kind=kind)
    events = floor.bar(12_000, 12_010, 11_990, 12_005, 100)
    assert trades(events) == parts
    assert isinstance(events[-1], OrderCancelled)
    assert floor.exchange.working == 0


def test_mok_trades_whole_when_there_is_enough() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(BUY, 10, kind=OrderType.MOK)
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005, 100)) == [("o1", 10, 12_000)]


def test_ato_trades_on_the_open_and_its_rest_is_cancelled() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(SELL, 15, kind=OrderType.ATO)
    events = floor.bar(12_000, 12_010, 11_990, 12_005, 100)
    assert kinds(events) == ["OrderFilled", "OrderCancelled"]
    assert trades(events) == [("o1", 10, 12_000)]


def test_atc_trades_at_the_close_also_of_the_bar_it_came_into() -> None:
    floor = Floor()
    floor.ns += 30
    floor.place(SELL, 1, kind=OrderType.ATC)
    floor.ns -= 30
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005)) == [("o1", 1, 12_005)]


def test_plo_trades_at_the_last_close() -> None:
    share = instrument_of("SHS", Board.HNX)
    floor = Floor(ANY, share)
    floor.bar(10_000, 10_300, 9_900, 10_200)
    assert trades(floor.place(BUY, 100, kind=OrderType.PLO)) == [("o1", 100, 10_200)]


def test_a_market_order_is_not_cancelled_whatever_type_it_became() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(BUY, 15, kind=OrderType.ATO, market=True)
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005, 100)) == [("o1", 10, 12_000)]
    assert trades(floor.bar(12_001, 12_010, 11_990, 12_005, 100)) == [("o1", 5, 12_001)]


# -- amend, cancel, end of day --------------------------------------------------------------------


def test_cancel_takes_the_rest_out_once() -> None:
    floor = Floor()
    floor.place(BUY, 1, 11_000)
    assert isinstance(floor.cancel(1)[0], OrderCancelled)
    assert isinstance(floor.cancel(1)[0], RequestRefused)
    assert trades(floor.bar(10_900, 12_010, 10_900, 12_005)) == []


def test_an_amended_price_counts_from_the_next_bar_on() -> None:
    floor = Floor()
    floor.place(BUY, 2, 11_000)
    (amended,) = floor.amend(1, price=11_995)
    assert isinstance(amended, OrderAmended)
    assert (amended.price, amended.quantity) == (11_995, 2)
    assert trades(floor.bar(12_000, 12_010, 11_990, 12_005)) == [("o1", 2, 11_995)]


def test_a_new_price_or_a_larger_quantity_loses_the_place_a_smaller_quantity_keeps_it() -> None:
    for change, first in (({"price": 12_001}, "o2"), ({"quantity": 9}, "o2"), ({"quantity": 7}, "o1")):
        floor = Floor(FillRules(participation=0.10))
        floor.place(BUY, 8, 12_001)
        floor.place(BUY, 8, 12_001)
        floor.amend(1, **change)
        assert trades(floor.bar(12_000, 12_010, 11_990, 12_005, 100))[0][0] == first


def test_refused_amendments() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(BUY, 15)
    floor.bar(12_000, 12_010, 11_990, 12_005, 100)
    (event,) = floor.amend(1, quantity=10)
    assert isinstance(event, RequestRefused)
    assert event.reason == "10 have traded already"
    (event,) = floor.amend(1, price=12_000)
    assert isinstance(event, RequestRefused)
    assert event.reason == "the order has no price to change"
    (event,) = floor.amend(7, quantity=10)
    assert isinstance(event, RequestRefused)


def test_the_day_ends_every_order_of_its_board() -> None:
    floor = Floor()
    floor.place(BUY, 1, 11_000)
    floor.place(SELL, trigger=Trigger(TriggerKind.DOWN, 11_000))
    assert floor.exchange.close_day(Board.HOSE, floor.ns) == []
    assert kinds(floor.exchange.close_day(Board.DERIVATIVES, floor.ns)) == ["OrderExpired"] * 2
    assert floor.exchange.working == 0
    assert list(floor.exchange.orders()) == []


def test_a_roll_ends_the_orders_in_the_old_contract() -> None:
    floor = Floor()
    floor.place(BUY, 1, 11_000)
    (event,) = floor.exchange.roll("VN30F1M", instrument_of("VN30F2304"), floor.ns)
    assert isinstance(event, OrderExpired)
    (refused,) = floor.cancel(1)
    assert isinstance(refused, RequestRefused)


def test_what_the_exchange_does_not_know_is_refused() -> None:
    floor = Floor()
    stranger = PlaceOrder("r", "o", "s", FPT, BUY, OrderType.LO, 80_000, 100)
    (event,) = floor.exchange.execute(stranger, TEN)
    assert isinstance(event, RequestRefused)
    bull = Trigger(TriggerKind.BULL_BEAR, profit_step=10, loss_step=10)
    (event,) = floor.place(BUY, 1, 12_000, trigger=bull)
    assert isinstance(event, RequestRefused)


def test_a_trailing_stop_that_is_moved_and_hit_in_one_bar_keeps_to_its_limit() -> None:
    floor = Floor()
    floor.place(SELL, 1, 11_952, trigger=Trigger(TriggerKind.TRAIL_DOWN, 11_950, 1))
    assert kinds(floor.bar(11_951, 11_952, 11_951, 11_951)) == ["OrderTriggered"]
    assert trades(floor.bar(11_951, 11_953, 11_951, 11_951)) == [("o1", 1, 11_952)]


# -- quotes and trades ----------------------------------------------------------------------------


def test_a_quote_fills_what_takes_it_level_by_level_and_no_more_than_shown() -> None:
    floor = Floor()
    floor.place(BUY, 8)
    floor.place(BUY, 8, 12_001)
    book = Quote("VN30F1M", TEN, (Level(1199.9, 5),), (Level(1200.0, 5), Level(1200.1, 5), Level(1200.2, 9)))
    assert trades(floor.exchange.quote(book)) == [
        ("o1", 5, 12_000),
        ("o1", 3, 12_001),
        ("o2", 2, 12_001),
    ]


def test_a_quote_sets_off_a_stop() -> None:
    floor = Floor()
    floor.place(SELL, 1, trigger=Trigger(TriggerKind.DOWN, 11_990))
    assert floor.exchange.quote(Quote("VN30F1M", TEN, (Level(1199.1, 5),), ())) == []
    events = floor.exchange.quote(Quote("VN30F1M", TEN, (Level(1198.9, 5),), ()))
    assert kinds(events) == ["OrderTriggered", "OrderFilled"]
    assert trades(events) == [("o1", 1, 11_989)]


def test_a_trade_through_a_limit_fills_it_at_its_price_up_to_its_size() -> None:
    floor = Floor()
    floor.place(BUY, 3, 11_990)
    floor.place(BUY, 3, 11_990)
    assert floor.exchange.trade(Trade("VN30F1M", TEN, 1199.0, 5)) == []
    assert trades(floor.exchange.trade(Trade("VN30F1M", TEN, 1198.9, 5))) == [
        ("o1", 3, 11_990),
        ("o2", 2, 11_990),
    ]


# -- always ---------------------------------------------------------------------------------------

rules_of = st.builds(
    FillRules,
    fill=st.sampled_from(("open", "close")),
    slippage=st.integers(0, 4),
    limit=st.sampled_from(("through", "touch")),
    participation=st.sampled_from((None, 0.1, 0.5, 1.0)),
)
units = st.integers(11_950, 12_050)
triggers = st.one_of(
    st.none(),
    st.builds(Trigger, st.sampled_from((TriggerKind.DOWN, TriggerKind.UP, TriggerKind.OCO)), units),
    st.builds(
        Trigger,
        st.sampled_from((TriggerKind.TRAIL_DOWN, TriggerKind.TRAIL_UP, TriggerKind.OCO)),
        units,
        st.integers(1, 30),
    ),
)
orders = st.tuples(
    st.just("place"),
    st.sampled_from(Side),
    st.integers(1, 30),
    st.one_of(st.just(0), units),
    triggers,
    st.sampled_from((OrderType.MTL, OrderType.MAK, OrderType.MOK, OrderType.ATO, OrderType.ATC)),
)
bars = st.builds(
    lambda prices, volume: ("bar", prices[0], max(prices), min(prices), prices[1], volume),
    st.lists(units, min_size=4, max_size=4),
    st.integers(0, 200),
)
changes = st.one_of(
    st.tuples(st.just("cancel"), st.integers(1, 10)),
    st.tuples(st.just("amend"), st.integers(1, 10), st.none() | units, st.none() | st.integers(1, 30)),
)


@given(
    rules_of, st.none() | st.integers(11_000, 13_000), st.lists(st.one_of(orders, bars, changes), max_size=25)
)
def test_no_sequence_gives_a_fill_that_the_market_could_not(
    rules: FillRules, reference: int | None, steps: list[tuple]
) -> None:
    floor = Floor(rules)
    floor.exchange.start_day(DAY, {} if reference is None else {"VN30F1M": reference})
    edges = None if reference is None else band(VN30, reference, DAY)
    asked: dict[str, int] = {}
    limit: dict[str, int] = {}
    sides: dict[str, Side] = {}
    done: dict[str, int] = defaultdict(int)
    ended: set[str] = set()
    last: tuple[int, int, int] | None = None
    at_last = 0
    for step in steps:
        match step:
            case ("place", side, quantity, price, trigger, kind):
                if price or trigger is not None:
                    kind = OrderType.LO if price else OrderType.MTL
                events = floor.place(side, quantity, price, kind=kind, trigger=trigger)
                name = f"o{floor.count}"
                asked[name], sides[name] = quantity, side
                # A stop that was set off may trade beyond the price of its other leg.
                limit[name] = 0 if trigger is not None and trigger.kind is TriggerKind.OCO else price
            case ("cancel", number):
                events = floor.cancel(number)
            case ("amend", number, None, None):
                events = []
            case ("amend", number, price, quantity):
                events = floor.amend(number, price, quantity)
                for event in events:
                    if isinstance(event, OrderAmended):
                        asked[event.order_id] = event.quantity
                        limit[event.order_id] = event.price if limit[event.order_id] else 0
            case ("bar", open_, high, low, close, volume):
                at_last = 0
                events = floor.bar(open_, high, low, close, volume)
                last = (low, high, volume)
        for event in events:
            if isinstance(event, RequestRefused):
                continue
            if not isinstance(event, OrderAccepted):
                assert event.order_id not in ended
            if isinstance(event, OrderCancelled):
                ended.add(event.order_id)
            if not isinstance(event, OrderFilled):
                continue
            low, high, volume = last
            assert low <= event.price <= high
            assert edges is None or edges.contains(event.price)
            name = event.order_id
            if limit[name]:
                assert (limit[name] - event.price) * sides[name] >= 0
            done[name] += event.quantity
            at_last += event.quantity
            assert done[name] <= asked[name]
            if done[name] == asked[name]:
                ended.add(name)
            if rules.participation is not None:
                assert at_last <= volume * rules.participation
    alive = {ticket.order_id for ticket in floor.exchange.orders()}
    assert alive.isdisjoint(ended)
    assert floor.exchange.working == len(alive)
    for ticket in floor.exchange.orders():
        assert ticket.leaves == asked[ticket.order_id] - done[ticket.order_id] > 0


@pytest.mark.parametrize(
    "bad",
    [
        {"fill": "middle"},
        {"limit": "near"},
        {"slippage": -1},
        {"slippage": 0.5},
        {"slippage": True},
        {"participation": 0},
        {"participation": 1.1},
    ],
)
def test_impossible_rules_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        FillRules(**bad)  # type: ignore[arg-type]


def test_triggered_events_come_once() -> None:
    floor = Floor(FillRules(participation=0.10))
    floor.place(SELL, 25, trigger=Trigger(TriggerKind.DOWN, 11_990))
    events = [e for _ in range(4) for e in floor.bar(11_980, 12_000, 11_970, 11_990, 100)]
    assert sum(isinstance(event, OrderTriggered) for event in events) == 1
    assert sum(quantity for _, quantity, _ in trades(events)) == 25
