"""Cash, settled shares, margin and what a customer may ask about them, at the paper broker."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from algo.brokers.paper.customers import Customer
from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.statements import HOUSE, OrderRecord, PositionsChanged, Refused, Stage
from algo.clock import HOUR, SECOND, at
from algo.errors import SettingError
from algo.market import VIETNAM, NoFees, Session
from algo.model import (
    Account,
    BrokerEvent,
    CorporateAction,
    OrderType,
    PlaceOrder,
    RequestRefused,
    Side,
    Trigger,
    TriggerKind,
)
from tests.generators.houses import CASH, FPT, MONDAY, NEXT, SHS, VN30, House, customer

BUY, SELL = Side.BUY, Side.SELL
DAYS = [MONDAY + timedelta(days=number) for number in range(5)]


@pytest.fixture
def house() -> House:
    return House().open()


def bought(house: House, quantity: int = 1_000, price: int = 100_000) -> OrderRecord:
    order = house.place(BUY, FPT, price, quantity)
    house.trade(FPT, price - 100)
    return house.now(order)


# -- shares ---------------------------------------------------------------------------------------


def test_a_purchase_needs_its_value_and_the_fee_beside_what_others_hold_back() -> None:
    exactly = 100_000 * 1_000 + 150_000 + 9  # and a đồng for each further fill that might round up
    house = House(cash={Account.EQUITY: 2 * exactly - 1}).open()
    assert house.place(BUY, FPT, 100_000, 1_000).stage is Stage.QUEUED
    second = house.place(BUY, FPT, 100_000, 1_000)
    assert (second.stage, house.failure().code) == (Stage.REJECTED, "ORD008")
    house.withdraw(house.broker.orders("an1")[0])
    assert house.place(BUY, FPT, 100_000, 1_000).stage is Stage.QUEUED
    assert house.broker.cash_balance("an1").reserved == exactly


def test_a_purchase_at_any_price_needs_the_ceiling() -> None:
    house = House(cash={Account.EQUITY: 10_700_000}).open()
    assert house.place(BUY, FPT, 0, 100, OrderType.MTL).stage is Stage.REJECTED
    house = House(cash={Account.EQUITY: 10_716_050}).open()
    assert house.place(BUY, FPT, 0, 100, OrderType.MTL).stage is Stage.QUEUED


def test_shares_are_sold_from_13_00_of_the_second_day_and_once_only(house: House) -> None:
    bought(house)
    for day, clock, allowed in ((0, 14, 0), (1, 14, 0), (2, 11, 0), (2, 13, 1_000)):
        if house.day != DAYS[day]:
            house.start_day(DAYS[day])
        house.go(clock, Session.LO)
        assert house.broker.max_sell("an1", FPT) == allowed
        order = house.place(SELL, FPT, 105_000, 600)
        assert order.stage is (Stage.QUEUED if allowed else Stage.REJECTED)
    assert house.broker.max_sell("an1", FPT) == 400
    assert house.place(SELL, FPT, 105_000, 600).stage is Stage.REJECTED
    assert house.failure().code == "ORD007"
    assert house.change(order, quantity=1_000).quantity == 1_000
    assert house.change(order, quantity=1_100).quantity == 1_000


def test_the_days_of_purchases_and_sales_are_told_apart() -> None:
    house = House().open()
    house.broker.portfolio("an1").open(FPT, 500, 90_000)
    for day, quantity in zip(DAYS[:3], (100, 200, 300), strict=True):
        if house.day != day:
            house.start_day(day)
        house.open()
        bought(house, quantity)
        house.place(SELL, FPT, 101_000, 100)
        house.trade(FPT, 101_100)
    (position,) = house.broker.stock_positions("an1")
    assert (position.bought, position.sold) == ((300, 200, 100), (100, 100, 100))
    assert (position.quantity, position.settled) == (800, 200)
    house.go(13, Session.LO)
    (position,) = house.broker.stock_positions("an1")
    assert (position.bought, position.sold) == ((300, 200, 0), (100, 100, 0))
    assert (position.settled, position.value) == (300, 800 * 101_100)
    house.place(SELL, FPT, 106_000, 200)
    (position,) = house.broker.stock_positions("an1")
    assert (position.on_sale, position.sellable) == (200, 100)


def test_the_largest_purchase_is_one_that_is_taken_and_a_lot_more_is_not(house: House) -> None:
    most = house.broker.max_buy("an1", FPT, 99_900)
    assert house.place(BUY, FPT, 99_900, most + 100).stage is Stage.REJECTED
    assert house.place(BUY, FPT, 99_900, most).stage is Stage.QUEUED
    assert house.broker.max_buy("an1", FPT, 99_900) == 0


def test_the_largest_position_is_one_that_is_taken_and_a_contract_more_is_not(house: House) -> None:
    most = house.broker.max_buy("an8", VN30, 14_000)
    assert house.place(BUY, VN30, 14_000, most + 1).stage is Stage.REJECTED
    assert house.place(BUY, VN30, 14_000, most).stage is Stage.QUEUED
    house.trade(VN30, 13_999)
    assert house.broker.max_sell("an8", VN30, 14_000) == 2 * most  # turned round, it binds no more


def test_the_balance_adds_up_while_money_is_on_its_way(house: House) -> None:
    house.broker.portfolio("an1").open(FPT, 1_000, 90_000)
    before = house.broker.cash_balance("an1")
    house.place(SELL, FPT, 100_000, 400)
    house.trade(FPT, 100_100)
    house.place(SELL, FPT, 105_000, 300)
    now = house.broker.cash_balance("an1")
    net = 40_000_000 - 60_000 - 40_000
    assert (now.cash, now.receiving) == (before.cash, (0, 0, net))
    assert (now.matched_sales, now.open_sales, now.charges_today) == (40_000_000, 31_500_000, 100_000)
    assert now.total == now.cash + net + 600 * 100_100
    (sale,) = house.broker.unsettled_sales("an1")
    assert (sale.net, sale.due) == (net, at(DAYS[2], 13 * HOUR))
    house.start_day(DAYS[2])
    assert house.broker.cash_balance("an1").receiving == (net, 0, 0)
    house.go(13)
    house.broker.mark("FPT", 100_000, house.ns)
    assert house.broker.cash_balance("an1").cash == before.cash + net
    assert house.broker.unsettled_sales("an1") == []


def test_cash_in_advance_is_had_up_to_what_is_on_its_way(house: House) -> None:
    house.broker.portfolio("an1").open(FPT, 1_000, 90_000)
    house.place(SELL, FPT, 100_000, 400)
    house.trade(FPT, 100_100)
    (offer,) = house.broker.advances("an1")
    assert (offer.value, offer.net, offer.available) == (40_000_000, 39_900_000, 39_900_000)
    fee = house.broker.advance_fee("an1", offer.due, 10_000_000)
    assert house.broker.advance_cash("an1", offer.due, 10_000_000, house.ns) == fee == 7_500
    (offer,) = house.broker.advances("an1")
    assert (offer.advanced, offer.available) == (10_000_000, 29_900_000)
    assert house.broker.cash_balance("an1").cash == CASH[Account.EQUITY] + 10_000_000 - fee
    for amount in (0, 29_900_001):
        with pytest.raises(Refused) as refused:
            house.broker.advance_cash("an1", offer.due, amount, house.ns)
        assert refused.value.code == "ORD040"


def test_with_advance_sale_money_buys_at_once() -> None:
    house = House(customer(cash={Account.EQUITY: 0}, advance=True)).open()
    house.broker.portfolio("an1").open(FPT, 1_000, 90_000)
    assert house.place(BUY, SHS, 20_000).stage is Stage.REJECTED
    house.place(SELL, FPT, 100_000, 1_000)
    house.trade(FPT, 100_100)
    assert house.place(BUY, SHS, 20_000).stage is Stage.QUEUED
    (offer,) = house.broker.advances("an1")
    assert offer.available == 0


def test_dividends_and_splits_reach_everybody() -> None:
    house = House(customer("an"), customer("binh"))
    for account in ("an1", "binh1"):
        house.broker.portfolio(account).open(FPT, 100, 90_000)
    house.broker.act(CorporateAction(house.ns, "FPT", dividend=1_000, ratio_new=2))
    for account in ("an1", "binh1"):
        (position,) = house.broker.stock_positions(account)
        assert position.quantity == 200
        assert house.broker.cash_balance(account).cash == CASH[Account.EQUITY] + 95_000


def test_one_account_s_questions_are_not_the_other_s(house: House) -> None:
    for question in (house.broker.stock_positions, house.broker.cash_balance, house.broker.advances):
        with pytest.raises(Refused, match="not exist"):
            question("an8")
    for question in (house.broker.contract_positions, house.broker.derivatives_balance):
        with pytest.raises(Refused, match="not exist"):
            question("an1")
    with pytest.raises(Refused, match="not exist"):
        house.broker.orders("nobody")
    assert [house.broker.kind(account) for account in ("an1", "an8")] == list(Account)
    assert house.broker.owner("nobody") is None


# -- futures --------------------------------------------------------------------------------------

ONE = 14_000 * 10_000 * 17 // 100  # đồng of margin for a contract at 1,400 points


def futures(money: int, **more: object) -> House:
    person = customer(cash={Account.DERIVATIVES: money}, fees=NoFees(), **more)
    return House(person, settings=HouseSettings()).open()


def test_margin_counts_open_orders_of_every_contract_and_spares_what_closes() -> None:
    house = futures(3 * ONE * 100 // 85 + 1)
    assert house.place(BUY, VN30, 14_000, 2).stage is Stage.QUEUED
    assert house.place(BUY, NEXT, 14_000, 2).stage is Stage.REJECTED
    assert house.failure().code == "ORD008"
    assert house.place(BUY, NEXT, 13_900, 1).stage is Stage.QUEUED
    house.trade(VN30, 13_999)
    assert house.place(BUY, VN30, 13_990, 1).stage is Stage.REJECTED
    assert house.place(SELL, VN30, 14_010, 2).stage is Stage.QUEUED  # closes
    assert house.place(SELL, VN30, 14_010, 2).stage is Stage.QUEUED  # reverses, and binds no more
    assert house.place(SELL, VN30, 14_010, 1).stage is Stage.REJECTED


def test_a_broker_may_ask_for_more_margin_than_the_depository() -> None:
    house = futures(3 * ONE * 100 // 85 + 1, margin=Fraction(17 * 3, 200))
    assert house.place(BUY, VN30, 14_000, 3).stage is Stage.REJECTED
    assert house.place(BUY, VN30, 14_000, 2).stage is Stage.QUEUED


def test_nobody_holds_more_than_the_limit() -> None:
    person = customer(cash={Account.DERIVATIVES: 10**13})
    house = House(person, settings=HouseSettings(position_limit=700)).open()
    assert house.place(BUY, VN30, 14_000, 500).stage is Stage.QUEUED
    assert house.place(BUY, VN30, 14_000, 201).stage is Stage.REJECTED
    assert house.place(BUY, VN30, 14_000, 200).stage is Stage.QUEUED
    assert house.place(SELL, VN30, 14_010, 500).stage is Stage.QUEUED


def test_the_profit_of_the_day_is_cash_in_the_evening_and_nothing_is_lost() -> None:
    house = futures(10 * ONE)
    house.place(BUY, VN30, 14_000, 2)
    house.trade(VN30, 13_999)
    house.trade(VN30, 14_050)
    (position,) = house.broker.contract_positions("an8")
    assert (position.net, position.floating, position.trading) == (2, 1_000_000, 0)
    assert (position.bid_average, position.ask_average) == (1_400.0, 0.0)
    assert (position.long, position.short) == (2, 0)
    total = house.broker.derivatives_balance("an8").assets
    house.broker.settle_daily(house.ns, {VN30.symbol: 14_040})
    balance = house.broker.derivatives_balance("an8")
    assert (balance.cash, balance.floating, balance.assets) == (10 * ONE + 800_000, 200_000, total)
    (position,) = house.broker.contract_positions("an8")
    assert (position.floating, position.trading) == (200_000, 800_000)
    assert any(isinstance(one, PositionsChanged) for one in house.hear())
    house.start_day(DAYS[1], {VN30.symbol: 14_040})
    house.open().place(SELL, VN30, 14_060, 2)
    house.trade(VN30, 14_061)
    (position,) = house.broker.contract_positions("an8")
    assert (position.net, position.trading) == (0, 400_000)
    assert house.broker.derivatives_balance("an8").cash == 10 * ONE + 1_200_000
    house.start_day(DAYS[2])
    assert house.broker.contract_positions("an8") == []


def test_a_day_without_a_match_settles_nothing() -> None:
    house = futures(10 * ONE)
    house.broker.portfolio("an8").open(VN30, 1, 13_000)
    house.broker.settle_daily(house.ns)
    assert house.broker.derivatives_balance("an8").cash == 10 * ONE
    house.broker.settle_daily(house.ns, {VN30.symbol: 13_500})
    assert house.broker.derivatives_balance("an8").cash == 10 * ONE + 5_000_000


def test_a_contract_that_ends_is_paid_out_for_the_tax() -> None:
    house = House().open()
    house.broker.portfolio("an8").open(VN30, -2, 14_000)
    house.broker.settle(house.ns, VN30, 13_900)
    tax = (13_900 * 2 * 10_000 * 17 + 100_000) // 200_000
    assert house.broker.derivatives_balance("an8").cash == CASH[Account.DERIVATIVES] + 2_000_000 - tax
    assert house.broker.contract_positions("an8")[:1] == []
    assert house.broker.portfolio("an8").quantity(VN30.symbol) == 0


def test_an_alias_rolls_to_the_next_contract(house: House) -> None:
    house.broker.portfolio("an8").open(VN30, 1, 14_000)
    later = NEXT.__class__("VN30F2510", NEXT.board, NEXT.kind, NEXT.scale, NEXT.multiplier)
    house.told(house.exchange.roll(VN30.symbol, later, house.ns))
    house.broker.roll(VN30.symbol, later, house.ns)
    assert house.place(BUY, later, 14_100, 1).stage is Stage.QUEUED
    house.broker.mark(VN30.symbol, 14_100, house.ns)
    assert house.broker.mark_of(later) == 14_100
    assert house.broker.mark_of(VN30) == 14_000


def test_the_levels_warn_then_take_closing_orders_only_then_close() -> None:
    house = futures(10 * ONE)
    house.place(BUY, VN30, 14_000, 7)
    house.trade(VN30, 13_999)
    house.trade(VN30, 14_000)
    person = house.broker.customers[0]
    assert person.margin_level == 0
    house.trade(VN30, 13_710)  # 20.3 of 238 million lost: 74.97 % of the rest is in use
    assert person.margin_level == 0
    house.trade(VN30, 13_700)
    assert person.margin_level == 1
    house.trade(VN30, 13_240)
    assert person.margin_level == 2
    assert house.place(BUY, VN30, 13_200, 1).stage is Stage.REJECTED
    stop = house.place(SELL, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_000))
    assert house.place(SELL, VN30, 13_500, 1).stage is Stage.QUEUED
    resting = house.broker.orders("an8")[-1]
    house.trade(VN30, 13_060)
    assert person.margin_level == 3
    forced = house.broker.orders("an8")[-1]
    assert (forced.forced, forced.channel, forced.order_type, forced.side) == (
        True,
        HOUSE,
        OrderType.MTL,
        SELL,
    )
    assert house.now(resting).stage is house.now(stop).stage is Stage.CANCELLED
    assert person.forcing == 1
    house.quote(VN30, 13_060, 13_070)
    assert house.now(forced).stage is Stage.FILLED
    assert person.forcing == 0
    assert person.margin_level <= 1
    balance = house.broker.derivatives_balance("an8")
    assert balance.used <= 75
    # and no more than that: with one contract more it would have been above
    assert (balance.margin + 13_060 * 10_000 * 17 // 100) * 100 > 75 * balance.assets


def test_the_largest_position_is_closed_first_and_no_more_than_needed() -> None:
    house = futures(10 * ONE)
    house.place(SELL, NEXT, 14_100, 2)
    house.place(BUY, VN30, 14_000, 6)
    house.trade(NEXT, 14_101)
    house.trade(VN30, 13_999)
    house.broker.mark(VN30.symbol, 13_000, house.ns)
    forced = [one for one in house.broker.orders("an8") if one.forced]
    assert [(one.instrument, one.side, one.quantity) for one in forced] == [(VN30, SELL, 3)]


def test_what_one_position_does_not_free_the_next_one_does() -> None:
    house = futures(10 * ONE)
    house.place(SELL, NEXT, 14_100, 3)
    house.place(BUY, VN30, 14_000, 4)
    house.trade(NEXT, 14_101)
    house.trade(VN30, 13_999)
    house.broker.mark(NEXT.symbol, 15_000, house.ns)
    house.broker.mark(VN30.symbol, 10_500, house.ns)
    forced = [one for one in house.broker.orders("an8") if one.forced]
    assert [(one.instrument, one.side, one.quantity) for one in forced] == [(VN30, SELL, 4), (NEXT, BUY, 1)]


def test_a_position_that_cannot_trade_now_is_closed_when_the_session_takes_it() -> None:
    house = futures(10 * ONE)
    house.place(BUY, VN30, 14_000, 8)
    house.trade(VN30, 13_999)
    house.go(12, Session.BREAK)
    house.broker.mark(VN30.symbol, 13_300, house.ns)
    assert [one.forced for one in house.broker.orders("an8")] == [False]
    house.go(13, Session.LO)
    assert [one.forced for one in house.broker.orders("an8")] == [False, True]


def test_a_closing_order_that_nobody_takes_is_tried_again_after_a_minute_not_at_once() -> None:
    house = futures(10 * ONE)
    house.place(BUY, VN30, 14_000, 8)
    house.trade(VN30, 13_999)
    commands: list[PlaceOrder] = []

    class Nobody:
        def execute(self, command: PlaceOrder, ns: int) -> list[BrokerEvent]:
            commands.append(command)
            return [RequestRefused(command.request_id, command.order_id, ns, "nobody is on the other side")]

    house.broker.exchange = Nobody()  # type: ignore[assignment]
    start = house.ns
    for seconds, tries in ((0, 1), (1, 1), (59, 1), (60, 2), (61, 2)):
        house.broker.mark(VN30.symbol, 13_100, start + seconds * SECOND)
        assert len(commands) == tries
    assert house.broker.customers[0].forcing == 0


def test_a_house_that_never_closes_by_force_only_warns() -> None:
    person = customer(cash={Account.DERIVATIVES: 10 * ONE}, fees=NoFees())
    house = House(person, settings=HouseSettings(forced_close=False)).open()
    house.place(BUY, VN30, 14_000, 8)
    house.trade(VN30, 13_999)
    house.broker.mark(VN30.symbol, 13_100, house.ns)
    assert person.margin_level == 3
    assert len(house.broker.orders("an8")) == 1


@pytest.mark.parametrize("levels", [(85, 75, 90), (0, 85, 90), (75, 85)])
def test_levels_rise(levels: tuple[int, int, int]) -> None:
    with pytest.raises(SettingError):
        HouseSettings(levels=levels)


def test_an_account_belongs_to_one_person() -> None:
    with pytest.raises(SettingError, match="two customers"):
        House(customer("an"), customer("an"))
    with pytest.raises(SettingError, match="number of an account"):
        Customer("x", {}, {})


def test_the_calendar_of_these_days_has_no_holiday() -> None:
    assert VIETNAM.trading_days(DAYS[0], DAYS[-1]) == DAYS
