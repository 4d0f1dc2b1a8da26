"""The paper broker at an exchange that answers late: fills cross with changes and cancels."""

from __future__ import annotations

from datetime import timedelta

from algo.brokers.paper.statements import Stage
from algo.model import (
    AmendOrder,
    BrokerEvent,
    Command,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    OrderType,
    RequestRefused,
    Side,
    Trigger,
    TriggerKind,
)
from tests.generators.houses import FPT, MONDAY, VN30, House

BUY, SELL = Side.BUY, Side.SELL


class Slow:
    """An exchange that only takes note; the test says what it reports."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        self.commands.append(command)
        return []


def slow() -> tuple[House, Slow]:
    house = House().open()
    house.broker.exchange = exchange = Slow()
    return house, exchange


def test_a_fill_between_a_change_and_its_effect_is_not_the_change_s_doing() -> None:
    house, exchange = slow()
    order = house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    assert house.change(house.broker.orders("an1")[0], quantity=500).stage is Stage.AMENDING
    reserved = house.broker.customers[0].reserved
    assert reserved >= 500 * 100_000  # the worse of the two versions
    house.told([OrderFilled(key, house.ns, 100_000, 100, "1")])
    filled = house.broker.orders("an1")[0]
    assert (filled.stage, filled.request_id, filled.quantity) == (Stage.PARTLY_FILLED, "1", 300)
    command = exchange.commands[-1]
    assert isinstance(command, AmendOrder)
    house.told([OrderAmended(key, house.ns, 100_000, 500, command.request_id)])
    changed = house.broker.orders("an1")[0]
    assert (changed.quantity, changed.filled, changed.open, changed.request_id) == (500, 100, 400, "2")
    assert order.order_id.startswith("T")


def test_an_order_that_fills_while_it_is_withdrawn_is_filled() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    order = house.broker.orders("an1")[0]
    house.withdraw(order)
    cancel = exchange.commands[-1]
    house.told([
        OrderFilled(key, house.ns, 100_000, 300, "1"),
        RequestRefused(cancel.request_id, key, house.ns, "the order is not working"),
    ])  # fmt: skip
    house.hear()
    assert house.now(order).stage is Stage.FILLED
    assert house.failure().request_id == cancel.request_id
    assert house.broker.customers[0].reserved == 0


def test_a_change_that_the_exchange_refuses_leaves_the_order_as_it_was() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    before = house.broker.orders("an1")[0]
    reserved = house.broker.customers[0].reserved
    house.change(before, quantity=400)
    house.told([RequestRefused(exchange.commands[-1].request_id, key, house.ns, "not now")])
    house.hear()
    after = house.now(before)
    assert after._replace(modified=0) == before._replace(modified=0)
    assert house.stages(before)[-2:] == [Stage.AMENDING, Stage.QUEUED]
    assert house.broker.customers[0].reserved == reserved


def test_an_order_that_the_exchange_refuses_keeps_its_temporary_id() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    command = exchange.commands[0]
    assert house.withdraw(house.broker.orders("an1")[0]).stage is Stage.SENT
    assert house.failure().code == "ORD012"
    house.told([RequestRefused(command.request_id, command.order_id, house.ns, "full")])
    house.hear()
    order = house.broker.orders("an1")[0]
    assert (order.stage, order.reason) == (Stage.REJECTED, "full")
    assert order.order_id.startswith("T")
    assert house.broker.customers[0].reserved == 0


def test_what_is_heard_late_is_stated_no_earlier_than_what_was_stated_before() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    order = house.broker.orders("an1")[0]
    before = house.ns
    house.withdraw(order)
    house.told([OrderFilled(key, before, 100_000, 100, "1")])
    assert house.now(order).modified == house.ns > before
    (fill,) = house.broker.portfolio("an1").fills
    assert fill.ns == before


def test_a_fill_that_crossed_with_a_cancel_counts() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    order = house.broker.orders("an1")[0]
    house.withdraw(order)
    house.told([
        OrderCancelled(key, house.ns, exchange.commands[-1].request_id),
        OrderFilled(key, house.ns, 100_000, 100, "1"),
    ])  # fmt: skip
    late = house.now(order)
    assert (late.stage, late.filled, late.cancelled) == (Stage.PARTLY_FILLED_CANCELLED, 100, 200)
    assert house.broker.portfolio("an1").quantity("FPT") == 100
    for event in (
        OrderAmended(key, house.ns, 99_000, 300),
        OrderCancelled(key, house.ns),
        OrderExpired(key, house.ns),
        OrderRejected(key, house.ns, "late"),
    ):
        house.told([event])
    assert house.now(order) == late


def test_a_set_off_stop_that_finds_nobody_is_rejected_and_its_parent_is_not() -> None:
    house, exchange = slow()
    house.place(SELL, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    key = exchange.commands[0].order_id
    house.told([
        OrderAccepted(key, house.ns, "", True),
        OrderTriggered(key, house.ns),
        OrderRejected(key, house.ns, "nobody is on the other side"),
    ])  # fmt: skip
    assert [one.stage for one in house.broker.orders("an8")] == [Stage.STOP_SENT, Stage.REJECTED]
    assert house.broker.customers[0].interest(VN30.symbol).selling == 0


def test_an_order_is_neither_changed_nor_withdrawn_twice_at_a_time() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    house.told([OrderAccepted(exchange.commands[0].order_id, house.ns)])
    order = house.broker.orders("an1")[0]
    house.withdraw(order)
    count = len(exchange.commands)
    house.change(order, price=99_000)
    assert house.failure().code == "ORD012"
    house.withdraw(order)
    assert house.failure().code == "ORD012"
    assert len(exchange.commands) == count


def test_orders_left_by_an_exchange_that_said_nothing_are_over_the_next_day() -> None:
    house, _ = slow()
    house.place(BUY, FPT, 100_000, 300)
    house.start_day(MONDAY + timedelta(days=1))
    assert [one.stage for one in house.broker.history("an1", MONDAY, MONDAY)] == [Stage.EXPIRED]
    assert house.broker.customers[0].reserved == 0
