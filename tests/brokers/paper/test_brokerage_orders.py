"""What becomes of orders at the paper broker: stages, changes, withdrawals, days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.statements import (
    OrderMatched,
    OrderStated,
    PositionsChanged,
    Refused,
    Stage,
)
from algo.market import Session
from algo.model import (
    Board,
    OrderAccepted,
    OrderFilled,
    OrderType,
    Side,
)
from tests.generators.houses import FPT, MONDAY, SHS, VN30, House

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def house() -> House:
    return House().open()


def test_an_order_s_life_from_receipt_to_the_last_fill(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, 300)
    house.quote(FPT, 99_800, 99_900, 100)
    house.quote(FPT, 99_800, 100_000, 1_000)
    done = house.now(order)
    assert house.stages(order) == [
        Stage.RECEIVED, Stage.SENT, Stage.QUEUED, Stage.PARTLY_FILLED, Stage.FILLED
    ]  # fmt: skip
    assert (done.filled, done.open, done.cancelled) == (300, 0, 0)
    assert done.filled_value == 99_900 * 100 + 100_000 * 200
    ids = [one.order.order_id for one in house.said if isinstance(one, OrderStated)]
    assert ids == ["T20250707a0000000001"] * 2 + ["25070700000001"] * 3
    matched = [(one.price, one.quantity) for one in house.said if isinstance(one, OrderMatched)]
    assert matched == [(99_900, 100), (100_000, 200)]
    assert not [one for one in house.said if isinstance(one, PositionsChanged)]


def test_fills_of_contracts_change_the_positions(house: House) -> None:
    house.place(BUY, VN30, 14_000, 1)
    house.trade(VN30, 13_999, 1)
    assert [type(one) for one in house.said[-3:]] == [OrderStated, OrderMatched, PositionsChanged]


def test_both_ids_of_an_order_find_it(house: House) -> None:
    order = house.place(BUY, FPT, 100_000)
    assert house.broker.order("T20250707a0000000001") == house.broker.order(order.order_id) == order


def test_a_change_goes_through_amending_and_keeps_the_id(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, 300)
    changed = house.change(order, price=99_000, quantity=300)  # the quantity is stated and stays
    assert (changed.order_id, changed.price, changed.stage) == (order.order_id, 99_000, Stage.QUEUED)
    assert (changed.request_id, changed.first_request_id) == ("2", "1")
    assert house.stages(order)[-2:] == [Stage.AMENDING, Stage.QUEUED]
    assert house.change(order, quantity=200).open == 200


@pytest.mark.parametrize(
    ("price", "quantity", "code"),
    [
        (None, None, "ORD014"),
        (100_000, 300, "ORD014"),
        (99_000, 200, "ORD006"),
        (107_100, None, "ORD003"),
        (99_050, None, "ORD004"),
        (None, 250, "ORD005"),
        (None, 100, "ORD031"),
        (None, 400_000, "ORD008"),
    ],
)
def test_a_change_that_cannot_be_leaves_the_order_and_is_remembered(
    house: House, price: int | None, quantity: int | None, code: str
) -> None:
    house.place(BUY, FPT, 100_000, 300)
    house.quote(FPT, 99_800, 99_900, 100)
    before = house.broker.orders("an1")[0]
    after = house.change(before, price, quantity)
    assert after == before
    assert house.failure().code == code
    error = house.broker.last_error(before.order_id)
    assert error is not None
    assert (error.stage, error.request_id, error.reason) == (Stage.REJECTED, "2", house.failure().text)


def test_nothing_is_changed_or_withdrawn_in_an_auction(house: House) -> None:
    order = house.place(BUY, FPT, 100_000)
    house.go(14.6, Session.ATC)
    assert house.change(order, price=99_000) == order
    assert house.failure().code == "ORD011"
    assert house.withdraw(order) == order
    assert house.failure().code == "ORD011"


def test_a_withdrawal_goes_through_cancelling(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, 300)
    house.quote(FPT, 99_800, 99_900, 100)
    gone = house.withdraw(order)
    assert house.stages(order)[-2:] == [Stage.CANCELLING, Stage.PARTLY_FILLED_CANCELLED]
    assert (gone.filled, gone.cancelled, gone.open, gone.request_id) == (100, 200, 0, "2")
    other = house.withdraw(house.place(BUY, FPT, 100_000))
    assert (other.stage, other.cancelled) == (Stage.CANCELLED, 100)
    assert house.withdraw(other) == other
    assert house.failure().code == "ORD012"


def test_orders_of_the_day_expire_and_are_filed() -> None:
    house = House().open()
    order = house.place(BUY, FPT, 100_000)
    house.go(15, Session.C)
    assert house.now(order).stage is Stage.EXPIRED
    tuesday = MONDAY + timedelta(days=1)
    house.start_day(tuesday)
    assert house.broker.orders("an1") == []
    second = house.open().place(BUY, FPT, 100_000)
    assert (order.order_id, second.order_id) == ("25070700000001", "25070800000001")
    assert [one.order_id for one in house.broker.history("an1", MONDAY, tuesday)] == [
        order.order_id,
        second.order_id,
    ]
    assert [one.stage for one in house.broker.history("an1", MONDAY, MONDAY)] == [Stage.EXPIRED]
    assert house.broker.history("an1", date(2025, 7, 1), date(2025, 7, 6)) == []


def test_an_order_before_the_session_waits_and_goes_out_at_the_open() -> None:
    house = House().go(8)
    order = house.place(BUY, FPT, 100_000)
    assert (order.stage, order.order_id) == (Stage.BEFORE_SESSION, "25070700000001")
    assert house.change(order, price=99_000).price == 99_000
    other = house.place(BUY, FPT, 98_000)
    assert house.withdraw(other).stage is Stage.CANCELLED
    assert house.place(BUY, FPT, 0, order_type=OrderType.ATC).stage is Stage.REJECTED
    assert house.exchange.working == 0
    house.go(9, Session.ATO, [Board.HOSE])
    assert house.now(order).stage is Stage.QUEUED
    assert house.exchange.working == 1
    assert house.stages(order) == [
        Stage.RECEIVED, Stage.BEFORE_SESSION, Stage.BEFORE_SESSION, Stage.SENT, Stage.QUEUED
    ]  # fmt: skip


def test_a_share_that_is_halted_at_the_open_gets_no_orders_and_a_halted_board_opens_nothing() -> None:
    house = House().go(8)
    halted, other = house.place(BUY, FPT, 100_000), house.place(BUY, SHS, 20_000)
    house.broker.halt("FPT", True, house.ns)
    house.go(8.9, Session.HALT, [Board.HNX])
    house.go(9, Session.ATO, [Board.HOSE])
    assert house.now(halted).stage is Stage.REJECTED
    assert house.now(halted).order_id == halted.order_id
    assert house.failure().code == "ORD017"
    assert house.now(other).stage is Stage.BEFORE_SESSION
    house.go(9.5, Session.LO, [Board.HNX])
    assert house.now(other).stage is Stage.QUEUED
    assert house.broker.cash_balance("an1").reserved == 20_000 * 100 + 3_000


def test_a_house_may_take_no_early_orders() -> None:
    house = House(settings=HouseSettings(early=False)).go(8)
    assert house.place(BUY, FPT, 100_000).stage is Stage.REJECTED


def test_an_early_order_holds_cash_back_from_its_receipt() -> None:
    house = House().go(8)
    house.place(BUY, FPT, 100_000, 9_000)
    assert house.place(BUY, FPT, 100_000, 2_000).stage is Stage.REJECTED


def test_an_order_by_hand_gets_a_number_of_its_own(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, request="", channel="IM")
    assert (order.channel, order.stage) == ("IM", Stage.QUEUED)
    assert house.place(BUY, FPT, 100_000, request="", channel="IM").request_id != order.request_id
    with pytest.raises(Refused):
        house.place(BUY, FPT, 100_000, request=order.request_id)


def test_events_of_other_people_s_orders_are_nothing(house: House) -> None:
    house.told([OrderAccepted("crowd-1", house.ns), OrderFilled("crowd-1", house.ns, 100_000, 100, "1")])
    assert house.hear() == []


def test_contracts_may_be_added_to_an_order_as_far_as_the_margin_goes(house: House) -> None:
    order = house.place(BUY, VN30, 14_000, 2)
    most = house.broker.max_buy("an8", VN30, 14_000)
    assert house.change(order, quantity=2 + most + 1).quantity == 2
    assert house.change(order, quantity=2 + most).quantity == 2 + most


def test_a_new_price_does_not_trade_with_one_s_own(house: House) -> None:
    order = house.place(BUY, VN30, 14_000, 1)
    house.place(SELL, VN30, 14_010, 1)
    assert house.change(order, price=14_009).price == 14_009
    assert house.change(order, price=14_010).price == 14_009
    assert house.failure().code == "ORD009"
    house.broker.halt(VN30.symbol, True, house.ns)
    assert house.change(order, price=14_000).price == 14_009
    assert house.failure().code == "ORD017"


def test_without_a_reference_the_last_price_stands_in_for_the_band() -> None:
    house = House()
    house.start_day(MONDAY, {"SHS": 20_000})
    house.open()
    assert house.place(BUY, FPT, 0, 100, OrderType.MTL).stage is Stage.REJECTED
    assert house.failure().code == "ORD008"
    assert house.broker.max_buy("an1", FPT) == house.broker.max_buy("an8", VN30) == 0
    house.broker.mark("FPT", 100_000, house.ns)
    house.place(BUY, FPT, 0, 100, OrderType.MTL)
    assert house.broker.cash_balance("an1").reserved == 107_000 * 100 + 16_050


def test_unknown_symbols_have_no_listing(house: House) -> None:
    with pytest.raises(Refused, match="does not exist"):
        house.broker.halt("XXX", True, house.ns)


def test_an_early_order_of_a_board_that_never_opens_expires() -> None:
    house = House().go(8)
    order = house.place(BUY, SHS, 20_000)
    house.go(15, Session.C)
    assert house.now(order).stage is Stage.EXPIRED
