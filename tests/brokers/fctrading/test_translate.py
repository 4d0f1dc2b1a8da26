"""Our words and the broker's: bodies as the official client's, samples through the domain and back."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssi_fctrading.models import fcmodel_requests as official

from algo.brokers.fctrading import translate
from algo.brokers.fctrading.credentials import Accounts
from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import OrderEvent
from algo.brokers.fctrading.models import OrderBook, OrderItem
from algo.brokers.fctrading.snapshot import stated
from algo.brokers.fctrading.standing import Standing
from algo.brokers.fctrading.statuses import STATUSES, code, meaning
from algo.errors import RequestNotSent
from algo.market import instrument_of
from algo.model import (
    Account,
    AmendOrder,
    Board,
    CancelOrder,
    OrderStatus,
    OrderType,
    PlaceOrder,
    Side,
    Trigger,
    TriggerKind,
)

ACCOUNTS = Accounts("0901351", "0901358")
ORDER_ID = "20260611-10000017"
BOARDS = {
    Board.HOSE: instrument_of("SSI"),
    Board.HNX: instrument_of("SHS", Board.HNX),
    Board.UPCOM: instrument_of("BSR", Board.UPCOM),
    Board.DERIVATIVES: instrument_of("VN30F2612"),
}
TYPES = [kind for kind in OrderType if kind is not OrderType.MARKET]
TRIGGERS = {
    TriggerKind.DOWN: Trigger(TriggerKind.DOWN, 13_960),
    TriggerKind.UP: Trigger(TriggerKind.UP, 14_105),
    TriggerKind.TRAIL_DOWN: Trigger(TriggerKind.TRAIL_DOWN, 13_900, 15),
    TriggerKind.TRAIL_UP: Trigger(TriggerKind.TRAIL_UP, 0, 15),
    TriggerKind.OCO: Trigger(TriggerKind.OCO, 13_900),
    TriggerKind.BULL_BEAR: Trigger(TriggerKind.BULL_BEAR, 0, 0, 50, 25),
}


def theirs(request: object) -> bytes:
    return json.dumps(dataclasses.asdict(request)).encode()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("board", BOARDS)
def test_a_place_is_the_official_clients_body(board: Board, kind: OrderType) -> None:
    instrument = BOARDS[board]
    derivative = board is Board.DERIVATIVES
    units = (14_025 if derivative else 21_050) if kind is OrderType.LO else 0
    price = {14_025: 1402.5, 21_050: 21050.0, 0: 0.0}[units]
    for side, letter in ((Side.BUY, "B"), (Side.SELL, "S")):
        command = PlaceOrder("10000017", ORDER_ID, "s", instrument, side, kind, units, 300)
        number = translate.account_of(instrument, ACCOUNTS)
        mine = translate.new_order(command, number, "", "AA:BB")
        other = official.NewOrder(
            "0901358" if derivative else "0901351", "10000017", instrument.symbol,
            "VNFE" if derivative else "VN", letter, kind.value, price, 300, deviceId="AA:BB",
        )  # fmt: skip
        assert mine.body() == theirs(other)


@pytest.mark.parametrize("kind", TriggerKind)
def test_a_conditional_order_is_the_official_clients_body(kind: TriggerKind) -> None:
    trigger = TRIGGERS[kind]
    command = PlaceOrder(
        "7", ORDER_ID, "s", BOARDS[Board.DERIVATIVES], Side.SELL, OrderType.LO, 14_025, 2, trigger
    )
    mine = translate.new_order(command, "0901358", "1234", "d")
    other = official.NewOrder(
        "0901358", "7", "VN30F2612", "VNFE", "S", "LO", 1402.5, 2, True, trigger.price / 10, kind.value,
        trigger.step / 10, trigger.loss_step / 10, trigger.profit_step / 10, code="1234", deviceId="d",
    )  # fmt: skip
    assert mine.body() == theirs(other)


@pytest.mark.parametrize("board", BOARDS)
def test_amend_and_cancel_are_the_official_clients_bodies(board: Board) -> None:
    instrument = BOARDS[board]
    derivative = board is Board.DERIVATIVES
    order = Standing(ORDER_ID, instrument, Side.SELL, OrderType.LO, 21_000, 300, conditional=False)
    order.broker_id = "12658867"
    number, market = ("0901358", "VNFE") if derivative else ("0901351", "VN")
    scale = 10 if derivative else 1
    for price, quantity in ((20_900, None), (None, 200), (20_900, 200)):
        mine = translate.modify_order(
            AmendOrder("8", ORDER_ID, "s", instrument, price, quantity), order, number, "", "d"
        )
        other = official.ModifyOrder(
            number, "8", "12658867", market, instrument.symbol, (price or 21_000) / scale, quantity or 300,
            "S", "LO", deviceId="d",
        )  # fmt: skip
        assert mine.body() == theirs(other)
    mine = translate.cancel_order(CancelOrder("9", ORDER_ID, "s", instrument), order, number, "", "d")
    assert mine.body() == theirs(
        official.CancelOrder(number, "9", "12658867", market, instrument.symbol, "S", deviceId="d")
    )


@pytest.mark.parametrize(
    "change",
    [
        {"request_id": "123456789"},
        {"request_id": "12 4"},
        {"order_type": OrderType.MARKET},
        {"trigger": TRIGGERS[TriggerKind.DOWN]},
    ],
)
def test_what_cannot_be_said_is_not_sent(change: dict) -> None:
    fields: dict = {
        "request_id": "10000017", "order_id": ORDER_ID, "strategy": "s", "instrument": BOARDS[Board.HOSE],
        "side": Side.BUY, "order_type": OrderType.LO, "price": 21_000, "quantity": 100,
    }  # fmt: skip
    with pytest.raises(RequestNotSent) as caught:
        translate.new_order(PlaceOrder(**fields | change), "0901351", "planted-code", "d")
    assert "planted-code" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_account_that_is_not_there() -> None:
    with pytest.raises(RequestNotSent, match=r"accounts\.derivatives"):
        translate.account_of(BOARDS[Board.DERIVATIVES], Accounts("0901351"))


# Statuses


@pytest.mark.parametrize("name", STATUSES)
def test_every_status_has_its_meaning_in_any_case(name: str) -> None:
    assert meaning(name) is meaning(name.lower()) is meaning(name.title()) is STATUSES[name]


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("stop", [False, True])
def test_a_status_written_is_read_again(status: OrderStatus, filled: bool, stop: bool) -> None:
    written = code(status, filled=filled, stop=stop)
    ours_alone = {OrderStatus.CREATED, OrderStatus.HELD, OrderStatus.REFUSED, OrderStatus.FAILED}
    if status in ours_alone:
        assert written is None
    else:
        assert written is not None
        assert STATUSES[written].status is status


# Samples through the domain and back


@pytest.mark.parametrize("name", ["order_event", "order_event_live"])
def test_an_order_event_keeps_what_the_domain_keeps(samples: dict, name: str) -> None:
    event = EventDecoder().decode(json.dumps(samples[name]))
    order = translate.order_of(event)
    back = translate.event_of(order, event.account, event.notify_id)
    dropped = {"raw", "channel", "unique_id"}
    for field in set(OrderEvent._fields) - dropped:
        assert getattr(back, field) == getattr(event, field), field
    assert translate.order_of(back) == order


def test_every_order_of_a_query_keeps_what_the_domain_keeps(samples: dict) -> None:
    books = [samples["order_book"], samples["audit_order_book"]]
    items = [item for book in books for item in OrderBook.read(book).orders]
    items += [OrderItem.read(samples["order_item_live"])]
    items += [OrderItem.read(item) for item in samples["order_history"]["data"]["orderHistories"]]
    for item in items:
        order = stated(item, Account.DERIVATIVES, "0901358", lambda event: "")
        event = translate.event_of(order, "0901358")
        assert (
            event.order_id, event.unique_id, event.instrument_id, event.market_id, event.buy_sell,
            event.order_type, event.price, event.quantity, event.filled_quantity, event.cancel_quantity,
            event.average_price, event.status, event.input_time, event.modified_time,
        ) == (
            item.order_id, item.unique_id, item.instrument_id, item.market_id, item.buy_sell,
            item.order_type, item.price, item.quantity, item.filled_quantity, item.cancel_quantity,
            item.average_price, item.status, int(item.input_time), int(item.modified_time),
        )  # fmt: skip
        assert translate.order_of(event) == dataclasses.replace(order, refused_request="", refusal="")
    audited = stated(items[1], Account.DERIVATIVES, "1184418", lambda event: ORDER_ID)
    assert (audited.refused_request, audited.refusal) == ("73885550", "Invalid market status")
    assert audited.order_id == ORDER_ID


@given(st.floats(allow_nan=False), st.sampled_from([1, 10]))
def test_a_price_is_whole_units_or_none(price: float, scale: int) -> None:
    found = translate.units(price, scale)
    assert found >= 0
    if 1 <= price < 1e12:
        assert abs(found - price * scale) <= 0.5 + price * scale * 1e-15


@pytest.mark.parametrize("units", range(1, 30_000, 97))
def test_units_survive_the_wire(units: int) -> None:
    for scale in (1, 10):
        assert translate.units(json.loads(json.dumps(units / scale)), scale) == units
