"""Between our words and the broker's, both ways: commands to requests, the broker's orders to facts. Pure.

Market VN is shares, VNFE is derivatives; each has an account of its own. The broker keeps conditional orders
of derivatives only.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from algo.brokers.base import BrokerOrder
from algo.brokers.fctrading import requests
from algo.brokers.fctrading.api import DERIVATIVES
from algo.brokers.fctrading.credentials import Accounts
from algo.brokers.fctrading.events import OrderEvent
from algo.brokers.fctrading.models import OrderItem
from algo.brokers.fctrading.standing import Standing
from algo.brokers.fctrading.statuses import code, meaning
from algo.errors import RequestNotSent, SettingError
from algo.fastconnect.wire import plain, whole
from algo.market import instrument_of
from algo.model import (
    Account,
    AmendOrder,
    CancelOrder,
    Instrument,
    OrderStatus,
    OrderType,
    PlaceOrder,
    Side,
    Trigger,
    TriggerKind,
)

EQUITY = "VN"
MILLISECOND = 1_000_000
_SIDES = {"B": Side.BUY, "S": Side.SELL}
_LETTERS: dict[Side, requests.Side] = {Side.BUY: "B", Side.SELL: "S"}


def market_of(instrument: Instrument) -> requests.Market:
    """The broker's name of the market that an instrument trades on."""
    return "VNFE" if instrument.account is Account.DERIVATIVES else "VN"


def account_of(instrument: Instrument, accounts: Accounts) -> str:
    """The account that its orders go to. Raises RequestNotSent when the person named none."""
    number = accounts.of(instrument.account)
    if not number:
        raise RequestNotSent(
            f"no {instrument.account} account: name accounts.{instrument.account} in the credentials"
        )
    return number


# Commands to requests


def new_order(command: PlaceOrder, account: str, code: str, device_id: str) -> requests.NewOrder:
    """The request that places an order. Raises RequestNotSent for what the API cannot say."""
    instrument, trigger = command.instrument, command.trigger
    if command.order_type is OrderType.MARKET:
        raise RequestNotSent("a market order needs the type that carries it: ask for MTL, ATO, ATC or LO")
    if trigger is not None and instrument.account is not Account.DERIVATIVES:
        raise RequestNotSent("the broker keeps conditional orders of derivatives only")
    try:
        return requests.NewOrder(
            account=account,
            request_id=command.request_id,
            instrument_id=instrument.symbol,
            market=market_of(instrument),
            buy_sell=_LETTERS[command.side],
            order_type=command.order_type.value,
            price=instrument.price(command.price) if command.order_type is OrderType.LO else 0.0,
            quantity=command.quantity,
            code=code,
            device_id=device_id,
            **({} if trigger is None else _stop_fields(instrument, trigger)),
        )
    except ValidationError as error:
        raise RequestNotSent(_told(error)) from None


def _stop_fields(instrument: Instrument, trigger: Trigger) -> dict[str, Any]:
    return {
        "stop_order": True,
        "stop_price": instrument.price(trigger.price),
        "stop_type": trigger.kind.value,
        "stop_step": instrument.price(trigger.step),
        "loss_step": instrument.price(trigger.loss_step),
        "profit_step": instrument.price(trigger.profit_step),
    }


def modify_order(
    command: AmendOrder, order: Standing, account: str, code: str, device_id: str
) -> requests.ModifyOrder:
    """The request that changes a standing order. What stays is stated too. Raises RequestNotSent."""
    instrument = order.instrument
    price = order.price if command.price is None else command.price
    try:
        return requests.ModifyOrder(
            account=account,
            request_id=command.request_id,
            order_id=order.broker_id,
            market_id=market_of(instrument),
            instrument_id=instrument.symbol,
            price=instrument.price(price),
            quantity=order.quantity if command.quantity is None else command.quantity,
            buy_sell=_LETTERS[order.side],
            order_type=order.order_type.value,
            code=code,
            device_id=device_id,
            user_agent="",
        )
    except ValidationError as error:
        raise RequestNotSent(_told(error)) from None


def cancel_order(
    command: CancelOrder, order: Standing, account: str, code: str, device_id: str
) -> requests.CancelOrder:
    """The request that takes a standing order back. Raises RequestNotSent."""
    try:
        return requests.CancelOrder(
            account=account,
            request_id=command.request_id,
            order_id=order.broker_id,
            market_id=market_of(order.instrument),
            instrument_id=order.instrument.symbol,
            buy_sell=_LETTERS[order.side],
            code=code,
            device_id=device_id,
            user_agent="",
        )
    except ValidationError as error:
        raise RequestNotSent(_told(error)) from None


def _told(error: ValidationError) -> str:
    """The fields that do not fit, without their values: one of them is the person's code."""
    found = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors(include_input=False)}
    return plain("not sent: " + "; ".join(f"{name}: {text}" for name, text in sorted(found.items())))


# The broker's orders to facts, and back


def order_of(event: OrderEvent, order_id: str = "") -> BrokerOrder:
    """The facts of a stream event. What its fields do not say is left at none."""
    scale = scale_of(event.market_id, event.instrument_id)
    known = meaning(event.status)
    return BrokerOrder(
        account=Account.DERIVATIVES if scale != 1 else Account.EQUITY,
        broker_id=event.order_id,
        request_id=event.orig_request_id or event.unique_id,
        order_id=order_id,
        symbol=event.instrument_id,
        side=_SIDES.get(event.buy_sell.strip().upper(), Side.BUY),
        order_type=type_of(event.order_type),
        price=units(event.price, scale),
        quantity=event.quantity,
        filled=event.filled_quantity,
        cancelled=event.cancel_quantity,
        average_price=event.average_price,
        status=known.status if known else None,
        wire_status=event.status,
        reason=reason_of(event.reject_reason),
        created=event.input_time * MILLISECOND,
        updated=event.modified_time * MILLISECOND,
        stop=stop_of(event.stop_type) if event.stop_order else None,
        stop_price=units(event.stop_price, scale) if event.stop_order else 0,
        parent=event.orig_order_id,
    )


def event_of(order: BrokerOrder, account: str, notify_id: int = 0) -> OrderEvent:
    """The stream event that states the same facts."""
    scale = 10 if order.account is Account.DERIVATIVES else 1
    status = order.wire_status
    if not status and order.status is not None:
        filled = 0 < order.filled < order.quantity
        status = code(order.status, filled=filled, stop=order.stop is not None) or ""
    return OrderEvent(
        notify_id=notify_id,
        order_id=order.broker_id,
        unique_id=order.request_id,
        orig_request_id=order.request_id,
        account=account,
        instrument_id=order.symbol,
        market_id=DERIVATIVES if order.account is Account.DERIVATIVES else EQUITY,
        buy_sell=_LETTERS[order.side],
        order_type=order.order_type.value if order.order_type else "",
        price=order.price / scale,
        quantity=order.quantity,
        filled_quantity=order.filled,
        cancel_quantity=order.cancelled,
        open_quantity=_open(order),
        average_price=order.average_price,
        status=status,
        reject_reason=order.reason,
        input_time=order.created // MILLISECOND,
        modified_time=order.updated // MILLISECOND,
        channel="TA",
        orig_order_id=order.parent,
        stop_order=order.stop is not None,
        stop_price=order.stop_price / scale,
        stop_type=order.stop.value if order.stop else "",
        stop_step=0.0,
        profit_price=0.0,
        raw={},
    )


def event_of_item(item: OrderItem, number: str, account: Account) -> OrderEvent:
    """An order of a query as if the stream had told it. It has no notify id."""
    market = DERIVATIVES if account is Account.DERIVATIVES else EQUITY
    average = item.average_price or 0.0
    return OrderEvent(
        notify_id=0,
        order_id=item.order_id,
        unique_id=item.unique_id,
        orig_request_id="",
        account=number,
        instrument_id=item.instrument_id,
        market_id=item.market_id or market,
        buy_sell=item.buy_sell,
        order_type=item.order_type,
        price=item.price or 0.0,
        quantity=item.quantity,
        filled_quantity=item.filled_quantity,
        cancel_quantity=item.cancel_quantity or 0,
        open_quantity=max(item.quantity - item.filled_quantity - (item.cancel_quantity or 0), 0),
        average_price=average,
        status=item.status,
        reject_reason=item.reject_reason,
        input_time=whole(item.input_time) or 0,
        modified_time=whole(item.modified_time) or 0,
        channel="",
        orig_order_id="",
        stop_order=False,
        stop_price=0.0,
        stop_type="",
        stop_step=0.0,
        profit_price=0.0,
        raw={},
    )


def scale_of(market_id: str, symbol: str) -> int:
    """Price units in a price of 1.0: by the market, or by the symbol when the market is not named."""
    if market_id:
        return 10 if market_id.strip().upper() == DERIVATIVES else 1
    try:
        return instrument_of(symbol).scale
    except SettingError:
        return 1


def units(price: float, scale: int) -> int:
    """A price of the wire in price units, rounded to the nearest; 0 for one that is none."""
    return int(price * scale + 0.5) if 0 < price < 1e12 else 0


def type_of(name: str) -> OrderType | None:
    """Our order type of the wire's name, None when it is not known."""
    try:
        found = OrderType(name.strip().upper())
    except ValueError:
        return None
    return None if found is OrderType.MARKET else found


def stop_of(letter: str) -> TriggerKind | None:
    """Our trigger of the wire's `stopType`, None when it is not known."""
    try:
        return TriggerKind(letter.strip().upper())
    except ValueError:
        return None


def reason_of(text: str) -> str:
    """Why an order was rejected, in one line; the broker writes '' or '0' for no reason."""
    line = plain(text)
    return "" if line == "0" else line


def _open(order: BrokerOrder) -> int:
    over = order.status is not None and (order.status.terminal or order.status is OrderStatus.FILLED)
    return 0 if over else max(order.quantity - order.filled - order.cancelled, 0)
