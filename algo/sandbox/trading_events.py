"""What the broker states, as the texts of the trading stream: newest fields, in the order of live servers.

A text is one JSON object ``{"type": …, "data": …}``. Its id is put in by `numbered`, so that all of it can be
made before the id is known.
"""

from __future__ import annotations

from typing import Any

from algo.brokers.paper.statements import (
    OrderMatched,
    OrderStated,
    PositionsChanged,
    RequestFailed,
    Statement,
)
from algo.sandbox.answers import encode, milliseconds
from algo.sandbox.holdings import open_and_closed
from algo.sandbox.order_queries import STATUSES, average
from algo.sandbox.order_requests import LETTERS, market_of
from algo.sandbox.world import World

GENERIC = "ERR500"
_ADDRESS = "127.0.0.1"


def event_text(statement: Statement, notify_id: int, world: World) -> str:
    """The event that tells `statement` under an id."""
    owner = world.brokerage.owner(account_of(statement))
    prefix = owner.prefix if owner is not None else ""
    if isinstance(statement, OrderStated):
        kind, data = "orderEvent", _order(statement, notify_id, prefix)
    elif isinstance(statement, OrderMatched):
        kind, data = "orderMatchEvent", _match(statement, notify_id, prefix)
    elif isinstance(statement, RequestFailed):
        kind, data = "orderError", _error(statement, notify_id, prefix)
    else:
        kind, data = "clientPortfolioEvent", _portfolio(statement, notify_id, world)
    return encode({"type": kind, "data": data}).decode()


def account_of(statement: Statement) -> str:
    """The account that a statement is about."""
    if isinstance(statement, OrderStated | OrderMatched):
        return statement.order.account
    return statement.account


def _order(statement: OrderStated, notify_id: int, prefix: str) -> dict[str, Any]:
    order = statement.order
    scale = order.instrument.scale
    trigger = order.trigger
    changed = milliseconds(order.modified)
    return {
        "orderID": order.order_id,
        "notifyID": notify_id,
        "data": None,
        "instrumentID": order.instrument.symbol,
        "lastAction": statement.action,
        "uniqueID": order.request_id,
        "buySell": LETTERS[order.side],
        "orderType": order.order_type.value,
        "ipAddress": _ADDRESS,
        "price": order.price / scale,
        "prefix": prefix,
        "quantity": order.quantity,
        "brokerId": "",
        "marketID": market_of(order.instrument),
        "origOrderId": order.parent,
        "brokerIdUpdate": None,
        "account": order.account,
        "cancelQty": order.cancelled,
        "osQty": order.open,
        "filledQty": order.filled,
        "avgPrice": average(order),
        "channel": order.channel,
        "inputTime": milliseconds(order.created),
        "modifiedTime": changed,
        "isForceSell": "T" if order.forced else "F",
        "isShortSell": "F",
        "orderStatus": STATUSES[order.stage],
        "rejectReason": order.reason,
        "origRequestID": order.first_request_id,
        "stopOrder": trigger is not None,
        "stopPrice": trigger.price / scale if trigger else 0.0,
        "stopType": trigger.kind.value if trigger else "",
        "stopStep": trigger.step / scale if trigger else 0.0,
        "profitPrice": trigger.profit_step / scale if trigger else 0.0,
        "modifiable": not order.stage.over,
        "note": "",
        "approveComment": "",
        "orderApproval": False,
        "taxRate": 0.0,
        "feeRate": 0.0,
        "source": "",
        "lastOrderUpdateTime": changed,
        "exchangeReplyTime": changed,
        "isCloseout": order.forced,
        "isOrderMM": False,
    }


def _match(statement: OrderMatched, notify_id: int, prefix: str) -> dict[str, Any]:
    order = statement.order
    return {
        "orderID": order.order_id,
        "notifyID": notify_id,
        "instrumentID": order.instrument.symbol,
        "uniqueID": order.request_id,
        "buySell": LETTERS[order.side],
        "matchPrice": statement.price / order.instrument.scale,
        "ipAddress": _ADDRESS,
        "matchQty": statement.quantity,
        "prefix": prefix,
        "account": order.account,
        "matchTime": milliseconds(statement.ns),
    }


def _error(statement: RequestFailed, notify_id: int, prefix: str) -> dict[str, Any]:
    order = statement.order
    if order is None:
        return {
            "message": statement.text,
            "notifyID": notify_id,
            "data": None,
            "errorCode": statement.code or GENERIC,
            "uniqueID": statement.request_id,
            "connectionID": "",
            "ipAddress": _ADDRESS,
            "prefix": prefix,
        }
    scale = order.instrument.scale
    trigger = order.trigger
    return {
        "message": statement.text,
        "notifyID": notify_id,
        "errorCode": statement.code or GENERIC,
        "uniqueID": statement.request_id,
        "orderID": order.order_id,
        "instrumentID": order.instrument.symbol,
        "ipAddress": _ADDRESS,
        "buySell": LETTERS[order.side],
        "prefix": prefix,
        "orderType": order.order_type.value,
        "price": order.price / scale,
        "quantity": order.quantity,
        "marketID": market_of(order.instrument),
        "origOrderId": order.parent,
        "account": order.account,
        "channel": order.channel,
        "inputTime": milliseconds(order.created),
        "modifiedTime": milliseconds(statement.ns),
        "isForceSell": "T" if order.forced else "F",
        "isShortSell": "F",
        "origRequestID": order.first_request_id,
        "stopOrder": trigger is not None,
        "stopPrice": trigger.price / scale if trigger else 0.0,
        "stopType": trigger.kind.value if trigger else "",
        "stopStep": trigger.step / scale if trigger else 0.0,
        "profitPrice": trigger.profit_step / scale if trigger else 0.0,
        "modifiable": not order.stage.over,
        "note": "",
    }


def _portfolio(statement: PositionsChanged, notify_id: int, world: World) -> dict[str, Any]:
    held, closed = open_and_closed(world, statement.account)
    return {
        "account": statement.account,
        "notifyID": notify_id,
        "data": None,
        "clientPortfoliosOpen": [_misspelt(one) for one in held],
        "uniqueID": None,
        "clientPortfoliosClose": [_misspelt(one) for one in closed] or None,
        "connectionID": "",
        "ipAddress": None,
        "prefix": None,
    }


def _misspelt(holding: dict[str, Any]) -> dict[str, Any]:
    """The stream spells one name differently from the query."""
    return {"martketID" if name == "marketID" else name: value for name, value in holding.items()}
