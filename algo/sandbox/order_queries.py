"""Orders as queries show them: today's book, the book with each order's last error, and history."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from algo.brokers.paper.statements import OrderRecord, Stage
from algo.sandbox.answers import Denied, milliseconds
from algo.sandbox.fields import Fields
from algo.sandbox.order_requests import LETTERS, market_of
from algo.sandbox.world import World

STATUSES = {
    Stage.RECEIVED: "RS",
    Stage.SENT: "SD",
    Stage.QUEUED: "QU",
    Stage.PARTLY_FILLED: "PF",
    Stage.FILLED: "FF",
    Stage.PARTLY_FILLED_CANCELLED: "FFPC",
    Stage.AMENDING: "WM",
    Stage.CANCELLING: "WC",
    Stage.CANCELLED: "CL",
    Stage.REJECTED: "RJ",
    Stage.EXPIRED: "EX",
    Stage.BEFORE_SESSION: "IAV",
    Stage.STOP_BEFORE_SESSION: "SOI",
    Stage.STOP_WAITING: "SOR",
    Stage.STOP_SENT: "SOS",
}
"""The order status table of SSI's specification 2.4."""


def book(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """Today's orders."""
    return {"account": account, "orders": [item(order) for order in world.brokerage.orders(account)]}


def audit(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """Today's orders, each with the last request about it that failed."""
    return {
        "account": account,
        "orders": [_audited(world, order) for order in world.brokerage.orders(account)],
    }


def history(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """Orders of a period. Raises Denied without its dates."""
    start, end = day(fields, "startdate", "Start Date"), day(fields, "enddate", "End Date")
    found = world.brokerage.history(account, start, end)
    return {"orderHistories": [item(order) for order in found], "account": account}


def item(order: OrderRecord) -> dict[str, Any]:
    """One order, with the fields of newer servers."""
    scale = order.instrument.scale
    return {
        "uniqueID": order.request_id,
        "orderID": order.order_id,
        "buySell": LETTERS[order.side],
        "price": order.price / scale,
        "quantity": order.quantity,
        "filledQty": order.filled,
        "orderStatus": STATUSES[order.stage],
        "marketID": market_of(order.instrument),
        "inputTime": milliseconds(order.created),
        "modifiedTime": milliseconds(order.modified),
        "instrumentID": order.instrument.symbol,
        "orderType": order.order_type.value,
        "cancelQty": order.cancelled,
        "avgPrice": average(order),
        "isForcesell": "T" if order.forced else "F",
        "isShortsell": "F",
        "rejectReason": order.reason,
        "note": "",
    }


def average(order: OrderRecord) -> float:
    """The average price of an order's fills, 0.0 before the first."""
    return order.filled_value / order.filled / order.instrument.scale if order.filled else 0.0


def day(fields: Fields, name: str, label: str) -> date:
    """A date as ``dd/MM/yyyy``. Raises Denied."""
    text = fields.text(name)
    if not text:
        raise Denied(f"'{label}' must not be empty; {label.replace(' ', '')} is required.")
    try:
        return datetime.strptime(text, "%d/%m/%Y").date()
    except ValueError:
        raise Denied(f"{label} must be in the format dd/MM/yyyy") from None


def _audited(world: World, order: OrderRecord) -> dict[str, Any]:
    error = world.brokerage.last_error(order.order_id)
    last = None if error is None else item(error) | {"orderStatus": "RJ", "lastErrorEvent": None}
    return item(order) | {"lastErrorEvent": last}
