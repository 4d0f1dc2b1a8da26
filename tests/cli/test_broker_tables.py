"""What the broker says, on eighty columns: ids, prices and reasons are whole."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from algo.brokers.base import BrokerOrder, BrokerPosition
from algo.cli import broker_tables
from algo.model import Account, OrderStatus, OrderType, Side


def shown(table: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def order(broker_id: str, status: OrderStatus, reason: str = "") -> BrokerOrder:
    return BrokerOrder(
        account=Account.EQUITY, order_id="", broker_id=broker_id, request_id="10000017", symbol="FPT",
        side=Side.SELL, order_type=OrderType.LO, price=120_500, quantity=200, filled=100, cancelled=0,
        average_price=117_200.0, status=status, wire_status="", reason=reason,
        created=1_751_421_651_000_000_000, updated=0,
    )  # fmt: skip


def test_ids_prices_and_reasons_of_orders_are_whole() -> None:
    why = (
        "the price 120,550 is not on the tick of 100, and that is only the beginning of what there is to say"
    )
    lines = shown(
        broker_tables.orders(
            [
                order("T20250702a0006919669", OrderStatus.CANCELLED),
                order("25070200000002", OrderStatus.REJECTED, why),
            ]
        )
    )
    assert lines[2].split() == [
        "09:00:51", "T20250702a0006919669", "FPT", "sell", "LO", "120,500", "100/200", "117,200", "cancelled",
    ]  # fmt: skip
    assert lines[3].split()[-1] == "rejected"
    assert " ".join(lines[4:]).startswith(f"25070200000002: {why[:60]}")


def test_shares_that_have_not_settled_are_seen() -> None:
    position = BrokerPosition(Account.EQUITY, "FPT", 0, 0, bought=(100, 0, 200))
    assert shown(broker_tables.positions([position]))[2].split() == ["equity", "FPT", "0", "0", "300"]
