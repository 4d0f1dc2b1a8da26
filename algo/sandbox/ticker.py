"""What customers are told, as lines for a person at the console."""

from __future__ import annotations

from algo.brokers.paper.statements import OrderMatched, OrderRecord, OrderStated, RequestFailed, Statement
from algo.clock import to_datetime
from algo.model import Side


def line(statement: Statement) -> str:
    """One line, or '' for what a person need not see."""
    if isinstance(statement, OrderMatched):
        price = statement.order.instrument.price(statement.price)
        return (
            f"{_time(statement.ns)} fill     {_order(statement.order)}: {statement.quantity:,} at {price:,}"
        )
    if isinstance(statement, OrderStated):
        reason = f" ({statement.order.reason})" if statement.order.reason else ""
        return f"{_time(statement.ns)} order    {_order(statement.order)}: {statement.order.stage}{reason}"
    if isinstance(statement, RequestFailed):
        return f"{_time(statement.ns)} refused  {statement.code} {statement.text}"
    return ""


def _order(order: OrderRecord) -> str:
    side = "buy" if order.side is Side.BUY else "sell"
    at = f" {order.instrument.price(order.price):,}" if order.price else ""
    return f"{order.order_id} {side} {order.quantity:,} {order.instrument.symbol} {order.order_type}{at}"


def _time(ns: int) -> str:
    return f"{to_datetime(ns):%d/%m %H:%M:%S}"
