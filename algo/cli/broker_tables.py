"""What the broker says, in tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from algo.clock import to_datetime
from algo.model import Account

if TYPE_CHECKING:
    from algo.brokers.base import BrokerCash, BrokerOrder, BrokerPosition, RateLimit

_MOODS = {"filled": "green", "rejected": "red", "cancelled": "dim", "expired": "dim"}


def orders(found: Sequence[BrokerOrder]) -> Group:
    """One row an order, oldest first; below, why some were refused."""
    table, reasons = _table("Orders", [], []), []
    table.padding, table.pad_edge = (
        (0, 1, 0, 0),
        False,
    )  # so that prices and ids are whole on a terminal of eighty columns
    for name in ("Time", "Order", "Symbol", "Side", "Type"):
        table.add_column(name, no_wrap=True)
    for name in ("Price", "Filled", "Average"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    for one in found:
        status = str(one.status) if one.status else one.wire_status
        if one.reason:
            reasons.append(Text(f"{one.broker_id}: {one.reason}", style="dim"))
        table.add_row(
            f"{to_datetime(one.created):%H:%M:%S}" if one.created else "", Text(one.broker_id),
            Text(one.symbol), one.side.name.lower(), str(one.order_type or "?"),
            _price(one.price / _scale(one.account)), f"{one.filled:,}/{one.quantity:,}",
            _price(one.average_price), Text(status, style=_MOODS.get(status, "")),
        )  # fmt: skip
    return Group(table, *reasons)


def positions(found: Sequence[BrokerPosition]) -> Table:
    """One row a symbol. SSI's quantity has what settled; `Bought` is of three days."""
    table = _table(
        "Positions", ["Account", "Symbol"], ["Quantity", "Sellable", "Bought", "Average", "Market", "Value"]
    )
    for one in found:
        value = ""
        if one.market_price and one.account is Account.EQUITY:
            value = f"{one.market_price * one.quantity:,.0f}"
        table.add_row(
            str(one.account), Text(one.symbol), f"{one.quantity:,}", f"{one.sellable:,}",
            f"{sum(one.bought):,}" if any(one.bought) else "", _price(one.average_price),
            _price(one.market_price), value,
        )  # fmt: skip
    return table


def balances(found: Sequence[BrokerCash]) -> Table:
    """One column an account, đồng."""
    table = _table("Balance, đ", [""], [str(one.account) for one in found])
    rows = ("cash", "buying_power", "withdrawable", "debt", "total", "margin_required")
    for name in rows:
        values = [getattr(one, name) for one in found]
        if any(value is not None for value in values):
            label = name.replace("_", " ").capitalize()
            table.add_row(label, *("" if value is None else f"{value:,}" for value in values))
    if any(one.margin_used is not None for one in found):
        used = ["" if one.margin_used is None else f"{one.margin_used:.2f} %" for one in found]
        table.add_row("Margin in use", *used)
    return table


def limits(found: Sequence[RateLimit]) -> Table:
    """One row a rule."""
    table = _table("Rate limits", ["Calls to"], ["At most", "In seconds"])
    for one in found:
        table.add_row(Text(one.pattern), f"{one.calls:,}", f"{one.seconds:g}")
    return table


def facts(names: dict[str, str], title: str) -> Table:
    """One row a fact."""
    table = Table(box=None, title=title, title_style="bold", title_justify="left", show_header=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in names.items():
        table.add_row(name, Text(value))
    return table


def order_facts(one: BrokerOrder) -> dict[str, Any]:
    """An order for JSON: prices as the market shows them, times in ISO form."""
    found = asdict(one)
    for name in ("created", "updated"):
        found[name] = to_datetime(found[name]).isoformat() if found[name] else None
    for name in ("price", "stop_price"):
        found[name] = found[name] / _scale(one.account)
    found["side"] = one.side.name.lower()
    return {name: value for name, value in found.items() if name not in ("order_id", "refused_request")}


def _scale(account: Account) -> int:
    return 10 if account is Account.DERIVATIVES else 1


def _price(value: float | None) -> str:
    return f"{value:,.10g}" if value else ""


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=None, title=title, title_style="bold", title_justify="left", header_style="dim",
                  padding=(0, 2, 0, 0))  # fmt: skip
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right")
    return table
