"""New, changed and withdrawn orders: from the wire's fields to the broker's requests, and the echo.

An answer means received, no more; it names no order id. Both families of endpoints (with and without ``der``)
take shares and derivatives, as official clients need it.
"""

from __future__ import annotations

from typing import Any

from algo.brokers.paper.statements import ChangeOrder, NewOrder, OrderRecord, WithdrawOrder
from algo.errors import SettingError
from algo.model import Account, Instrument, OrderType, Side, Trigger, TriggerKind
from algo.sandbox.answers import Denied
from algo.sandbox.fields import INVALID, Fields
from algo.sandbox.world import World

EQUITY, DERIVATIVES = "VN", "VNFE"
LETTERS = {Side.BUY: "B", Side.SELL: "S"}
_SIDES = {"B": Side.BUY, "S": Side.SELL}
_TYPES = {kind.value: kind for kind in OrderType if kind is not OrderType.MARKET}
_TRIGGERS = {kind.value: kind for kind in TriggerKind}
_CHANNEL = "TA"


def market_of(instrument: Instrument) -> str:
    """The wire's name of an instrument's market."""
    return DERIVATIVES if instrument.account is Account.DERIVATIVES else EQUITY


def place(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """Receive a new order. Raises Denied, or Refused from the broker."""
    request_id = _request_id(fields)
    symbol = fields.needed("instrumentid", "Instrument ID").upper()
    market = fields.needed("market", "Market").upper()
    letter = fields.needed("buysell", "Buy Sell").upper()
    type_name = fields.needed("ordertype", "Order Type").upper()
    channel = fields.text("channelid") or _CHANNEL
    price, quantity = fields.real("price"), fields.count("quantity")
    stop_order, stop_type = fields.flag("stoporder"), fields.text("stoptype")
    stop_price, stop_step = fields.real("stopprice"), fields.real("stopstep")
    loss_step, profit_step = fields.real("lossstep"), fields.real("profitstep")
    fields.needed("deviceid", "Device Id")
    instrument = _instrument(world, symbol, market)
    order_type = _order_type(type_name)
    _check_quantity(quantity)
    if order_type is OrderType.LO and not price:
        raise Denied("'Price' must be greater than '0'.")
    if order_type is not OrderType.LO and price:
        raise Denied("Price is null or equal zero when order is market order")
    trigger = None
    if stop_order:
        trigger = _trigger(instrument, stop_type.upper(), stop_price, stop_step, loss_step, profit_step)
    world.place(
        NewOrder(
            account=account,
            request_id=request_id,
            instrument=instrument,
            side=_side(letter),
            order_type=order_type,
            price=units(instrument, price),
            quantity=quantity,
            trigger=trigger,
        )
    )
    return {
        "requestID": request_id,
        "requestData": {
            "instrumentID": symbol,
            "market": market,
            "buySell": letter,
            "orderType": type_name,
            "channelID": channel,
            "price": price,
            "quantity": quantity,
            "account": account,
            "stopOrder": stop_order,
            "stopPrice": stop_price,
            "stopType": stop_type,
            "stopStep": stop_step,
            "lossStep": loss_step,
            "profitStep": profit_step,
        },
    }


def change(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """Receive a change of an order's price or total quantity. Raises Denied, or Refused from the broker."""
    request_id = _request_id(fields)
    order_id = fields.needed("orderid", "Order ID")
    symbol = fields.needed("instrumentid", "Instrument ID").upper()
    market = fields.needed("marketid", "Market ID").upper()
    letter = fields.needed("buysell", "Buy Sell").upper()
    type_name = fields.needed("ordertype", "Order Type").upper()
    price, quantity = fields.real("price"), fields.count("quantity")
    fields.needed("deviceid", "Device Id")
    instrument = _instrument(world, symbol, market)
    _side(letter)
    _order_type(type_name)
    _check_quantity(quantity)
    _matches(world.brokerage.order(order_id), account, instrument, letter)
    new_price = units(instrument, price) or None
    world.change(ChangeOrder(account, request_id, order_id, new_price, quantity))
    return {
        "requestID": request_id,
        "requestData": {
            "orderID": order_id,
            "price": price,
            "quantity": quantity,
            "account": account,
            "instrumentID": symbol,
            "marketID": market,
            "buySell": letter,
            "orderType": type_name,
        },
    }


def withdraw(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """Receive a withdrawal of an order. Raises Denied, or Refused from the broker."""
    request_id = _request_id(fields)
    order_id = fields.needed("orderid", "Order ID")
    symbol = fields.needed("instrumentid", "Instrument ID").upper()
    market = fields.needed("marketid", "Market ID").upper()
    letter = fields.needed("buysell", "Buy Sell").upper()
    fields.needed("deviceid", "Device Id")
    _side(letter)
    _matches(world.brokerage.order(order_id), account, _instrument(world, symbol, market), letter)
    world.withdraw(WithdrawOrder(account, request_id, order_id))
    return {
        "requestID": request_id,
        "requestData": {
            "orderID": order_id,
            "account": account,
            "marketID": market,
            "instrumentID": symbol,
            "buySell": letter,
            "requestID": request_id,
        },
    }


def units(instrument: Instrument, price: float) -> int:
    """A price of the wire in price units. Raises Denied when it lies between two."""
    exact = price * instrument.scale
    whole = round(exact)
    if abs(exact - whole) > 1e-6:
        raise Denied("ORD004 Price is not a multiple of the tick size")
    return whole


def _request_id(fields: Fields) -> str:
    found = fields.needed("requestid", "Request ID")
    if len(found) > 8 or not (found.isascii() and found.isdecimal()):
        raise Denied("Request ID must be a number of at most 8 digits")
    return found


def _side(letter: str) -> Side:
    try:
        return _SIDES[letter]
    except KeyError:
        raise Denied("Buy Sell must be B or S") from None


def _order_type(name: str) -> OrderType:
    try:
        return _TYPES[name]
    except KeyError:
        raise Denied("ORD010 Order type is invalid") from None


def _instrument(world: World, symbol: str, market: str) -> Instrument:
    instrument = world.instruments.get(symbol)
    if instrument is None:
        raise Denied("ORD001 Instrument does not exist")
    if market != market_of(instrument):
        raise Denied("Market ID is invalid")
    return instrument


def _check_quantity(quantity: int) -> None:
    if quantity < 1:
        raise Denied("'Quantity' must be greater than '0'.")


def _matches(order: OrderRecord | None, account: str, instrument: Instrument, letter: str) -> None:
    """The order must be the one that the other fields describe."""
    if order is None or order.account != account:
        raise Denied("ORD013 Order is not exist")
    if order.instrument != instrument or LETTERS[order.side] != letter:
        raise Denied(INVALID)


def _trigger(
    instrument: Instrument, kind: str, price: float, step: float, loss_step: float, profit_step: float
) -> Trigger:
    if instrument.account is not Account.DERIVATIVES:
        raise Denied("Stop order is for derivatives only")
    if kind not in _TRIGGERS:
        raise Denied("Stop type is invalid")
    try:
        return Trigger(
            _TRIGGERS[kind],
            units(instrument, price),
            units(instrument, step),
            units(instrument, profit_step),
            units(instrument, loss_step),
        )
    except SettingError as error:
        raise Denied(str(error)) from None
