"""Stop, OCO and bull-bear orders at the paper broker."""

from __future__ import annotations

import pytest

from algo.brokers.paper.statements import (
    Refused,
    Stage,
)
from algo.market import Session
from algo.model import (
    Board,
    OrderType,
    Side,
    Trigger,
    TriggerKind,
)
from tests.generators.houses import VN30, House

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def house() -> House:
    return House().open()


def test_a_stop_waits_and_goes_on_as_an_order_of_its_own(house: House) -> None:
    stop = house.place(SELL, VN30, 0, 2, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    assert stop.stage is Stage.STOP_WAITING
    house.quote(VN30, 13_890, 13_900, 1)
    parent, child = house.broker.orders("an8")
    assert (parent.stage, parent.filled, parent.open) == (Stage.STOP_SENT, 0, 0)
    assert (child.parent, child.first_request_id) == (parent.order_id, parent.first_request_id)
    assert (child.filled, child.stage, child.trigger) == (1, Stage.PARTLY_FILLED, None)
    assert house.withdraw(parent) == parent
    assert house.withdraw(child).stage is Stage.PARTLY_FILLED_CANCELLED
    assert house.exchange.working == 0


def test_a_waiting_stop_can_be_withdrawn_at_any_hour(house: House) -> None:
    stop = house.place(SELL, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    house.go(12, Session.BREAK)
    assert house.withdraw(stop).stage is Stage.CANCELLED


def test_an_early_stop_waits_for_its_session_first() -> None:
    house = House().go(8)
    stop = house.place(SELL, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    assert stop.stage is Stage.STOP_BEFORE_SESSION
    house.go(8.75, Session.ATO, [Board.DERIVATIVES])
    assert house.now(stop).stage is Stage.STOP_WAITING


def test_the_target_of_an_oco_order_ends_it(house: House) -> None:
    house.place(BUY, VN30, 14_000, 1)
    house.trade(VN30, 13_999)
    oco = house.place(SELL, VN30, 14_100, 1, trigger=Trigger(TriggerKind.OCO, 13_900))
    assert oco.stage is Stage.STOP_WAITING
    house.trade(VN30, 14_101)
    assert house.now(oco).stage is Stage.STOP_SENT
    child = house.broker.orders("an8")[-1]
    assert (child.parent, child.stage, child.filled_value) == (oco.order_id, Stage.FILLED, 14_100)
    assert house.exchange.working == 0


def test_a_bull_bear_order_is_an_entry_with_exits_around_each_fill(house: House) -> None:
    steps = Trigger(TriggerKind.BULL_BEAR, profit_step=50, loss_step=30)
    house.place(BUY, VN30, 14_000, 3, trigger=steps)
    parent, entry = house.broker.orders("an8")
    assert (parent.stage, entry.stage, entry.parent) == (Stage.STOP_SENT, Stage.QUEUED, parent.order_id)
    house.quote(VN30, 13_980, 13_990, 1)
    house.trade(VN30, 13_999, 2)
    exits = house.broker.orders("an8")[2:]
    assert [(one.side, one.quantity, one.price, one.trigger) for one in exits] == [
        (SELL, 1, 14_040, Trigger(TriggerKind.OCO, 13_960)),
        (SELL, 2, 14_050, Trigger(TriggerKind.OCO, 13_970)),
    ]
    assert {one.parent for one in exits} == {parent.order_id}
    house.quote(VN30, 13_965, 13_970)  # the second stop, not the first
    assert house.broker.portfolio("an8").quantity(VN30.symbol) == 1
    house.trade(VN30, 14_041)
    assert house.broker.portfolio("an8").quantity(VN30.symbol) == 0
    assert house.exchange.working == 0


@pytest.mark.parametrize(
    ("price", "quantity", "code"), [(13_990, None, "ORD012"), (0, None, "ORD014"), (None, 0, "ORD006")]
)
def test_a_stop_at_the_market_has_no_price_to_change(
    price: int | None, quantity: int | None, code: str
) -> None:
    house = House().open()
    stop = house.place(SELL, VN30, 0, 2, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    assert house.change(stop, price, quantity)._replace(modified=0) == stop._replace(modified=0)
    assert house.failure().code == code


def test_a_waiting_stop_may_get_another_quantity(house: House) -> None:
    stop = house.place(SELL, VN30, 0, 2, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    changed = house.change(stop, quantity=3)
    assert (changed.quantity, changed.stage) == (3, Stage.STOP_WAITING)
    assert house.change(stop, quantity=400).quantity == 3
    assert house.failure().code == "ORD008"


@pytest.mark.parametrize(
    ("order_type", "price", "trigger"),
    [
        (OrderType.LO, 14_000, Trigger(TriggerKind.BULL_BEAR, profit_step=10)),
        (OrderType.MTL, 0, Trigger(TriggerKind.BULL_BEAR, profit_step=10, loss_step=10)),
        (OrderType.MTL, 0, Trigger(TriggerKind.OCO, 13_900)),
    ],
)
def test_orders_of_legs_need_all_of_them(
    house: House, order_type: OrderType, price: int, trigger: Trigger
) -> None:
    with pytest.raises(Refused) as refused:
        house.place(SELL, VN30, price, 1, order_type, trigger)
    assert refused.value.code == "ORD006"


def test_a_stop_is_not_taken_after_the_close() -> None:
    house = House().open().go(15, Session.C)
    stop = house.place(SELL, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    assert (stop.stage, house.failure().code) == (Stage.REJECTED, "ORD016")


def test_a_target_beyond_the_band_stands_at_its_edge(house: House) -> None:
    steps = Trigger(TriggerKind.BULL_BEAR, profit_step=2_000, loss_step=20_000)
    house.place(BUY, VN30, 14_000, 1, trigger=steps)
    house.trade(VN30, 13_999)
    target = house.broker.orders("an8")[-1]
    assert (target.price, target.trigger) == (14_980, Trigger(TriggerKind.OCO, 1))
    assert target.stage is Stage.STOP_WAITING
