"""Which of the broker's orders are cancelled from outside a run, and when that is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from algo.brokers.base import AccountSnapshot, BrokerOrder, Snapshot
from algo.clock import HOUR, at
from algo.live import kill as module
from algo.live.kill import kill
from algo.market import instrument_of
from algo.model import (
    Account,
    CancelOrder,
    Order,
    OrderStatus,
    OrderType,
    PlaceOrder,
    RequestReceived,
    Side,
    TriggerKind,
)
from algo.orders.request_id import RequestIds

DAY = date(2026, 6, 9)
INSTRUMENT = instrument_of("VN30F2606")
PLACED = PlaceOrder(
    RequestIds(10).take(), f"{DAY:%Y%m%d}-1", "trader", INSTRUMENT, Side.SELL, OrderType.LO, 18_900, 2
)


def stated(broker_id: str, wire_status: str, status: OrderStatus, **changes: Any) -> BrokerOrder:
    order = BrokerOrder(
        account=Account.DERIVATIVES, broker_id=broker_id, request_id=str(PLACED.request_id), order_id="",
        symbol=INSTRUMENT.symbol, side=Side.SELL, order_type=OrderType.LO, price=18_900, quantity=2, filled=0,
        cancelled=0, average_price=0.0, status=status, wire_status=wire_status, reason="",
        created=at(DAY, 10 * HOUR), updated=at(DAY, 10 * HOUR), stop=TriggerKind.DOWN,
    )  # fmt: skip
    return replace(order, **changes)


class House:
    """A broker that carries out cancels, each of the order that it was told last under that id."""

    def __init__(self, *orders: BrokerOrder) -> None:
        self.orders = {one.broker_id: one for one in orders}
        self.known: dict[str, str] = {}
        self.cancelled: list[str] = []

    def adopt(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self.known[order.order_id] = order.broker_id

    async def send(self, command: Any) -> Any:
        assert isinstance(command, CancelOrder)
        broker_id = self.known[command.order_id]
        self.cancelled.append(broker_id)
        if self.orders[broker_id].wire_status != "SOS":
            self.orders[broker_id] = replace(
                self.orders[broker_id], status=OrderStatus.CANCELLED, wire_status="CL"
            )
        return RequestReceived(command.request_id, command.order_id, 0)

    async def snapshot(self) -> Snapshot:
        books = AccountSnapshot(Account.DERIVATIVES, tuple(self.orders.values()), (), None)
        return Snapshot(0, 0, (books,), ())


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)


async def killed(house: House) -> Any:
    owners = {int(PLACED.request_id): PLACED.order_id}
    return await kill(house, {PLACED.order_id: PLACED}, owners, 0, DAY)  # type: ignore[arg-type]


PARENT = stated("1", "SOS", OrderStatus.WORKING)


async def test_a_stop_that_was_set_off_is_over_when_the_order_that_it_became_is() -> None:
    house = House(PARENT, stated("2", "FF", OrderStatus.FILLED, filled=2))
    found = await killed(house)
    assert found.done
    assert house.cancelled == []


async def test_of_a_stop_that_was_set_off_the_order_that_it_became_is_cancelled() -> None:
    house = House(PARENT, stated("2", "QU", OrderStatus.WORKING))
    found = await killed(house)
    assert found.done
    assert house.cancelled == ["2"]


async def test_a_stop_that_was_set_off_and_became_nothing_that_is_seen_is_still_open() -> None:
    found = await killed(House(PARENT))
    assert not found.done
    assert [one.broker_id for one in found.open] == ["1"]


async def test_each_order_of_one_request_is_cancelled_by_its_own_id() -> None:
    house = House(*(stated(name, "QU", OrderStatus.WORKING) for name in ("1", "2", "3")))
    found = await killed(house)
    assert found.done
    assert sorted(house.cancelled) == ["1", "2", "3"]
