"""Asking the broker how things stand. What could not be had is None, with the reason beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from algo.brokers.base import AccountSnapshot, BrokerCash, BrokerOrder, BrokerPosition, RateLimit
from algo.brokers.fctrading import translate
from algo.brokers.fctrading.api import TradingApi
from algo.brokers.fctrading.events import OrderEvent
from algo.brokers.fctrading.models import DerivativeHolding, OrderItem, StockHolding
from algo.errors import BrokerError, ProtocolError, RequestRefused
from algo.model import Account

T = TypeVar("T")
Owner = Callable[[OrderEvent], str]
"""The id of the own order that a statement is about, '' for none."""


async def of_account(api: TradingApi, account: Account, number: str, owner: Owner) -> AccountSnapshot:
    """Ask for orders, positions and money of one account, all at once."""
    problems: list[str] = []

    async def had(what: str, query: Awaitable[T]) -> T | None:
        try:
            return await query
        except BrokerError as error:
            problems.append(f"{what}: {error}")
            return None

    orders, positions, cash = await asyncio.gather(
        had("orders", orders_of(api, account, number, owner)),
        had("positions", positions_of(api, account, number)),
        had("cash", cash_of(api, account, number)),
    )
    return AccountSnapshot(account, orders, positions, cash, tuple(problems))


async def orders_of(api: TradingApi, account: Account, number: str, owner: Owner) -> tuple[BrokerOrder, ...]:
    """Today's orders with their last refused request. Raises BrokerError."""
    try:
        book = await api.audit_order_book(number)
    except (RequestRefused, ProtocolError):
        book = await api.order_book(number)
    if book.account and book.account != number:
        raise ProtocolError("the order book is that of another account")
    return tuple(stated(item, account, number, owner) for item in book.orders)


def stated(item: OrderItem, account: Account, number: str, owner: Owner) -> BrokerOrder:
    """One order of the book as a fact."""
    event = translate.event_of_item(item, number, account)
    order = translate.order_of(event, owner(event))
    error = item.last_error
    if error is None or not error.unique_id:
        return order
    return replace(order, refused_request=error.unique_id, refusal=translate.reason_of(error.reject_reason))


async def positions_of(api: TradingApi, account: Account, number: str) -> tuple[BrokerPosition, ...]:
    """What is held. Raises BrokerError."""
    if account is Account.EQUITY:
        return tuple(_shares(one) for one in (await api.stock_position(number)).holdings)
    return tuple(_contracts(one) for one in (await api.derivative_position(number)).open)


def _shares(held: StockHolding) -> BrokerPosition:
    return BrokerPosition(
        Account.EQUITY,
        held.instrument_id,
        held.on_hand,
        held.sellable,
        held.average_price,
        held.market_price or None,
        (held.buy_t0 or 0, held.buy_t1 or 0, held.buy_t2 or 0),
        (held.sell_t0 or 0, held.sell_t1 or 0, held.sell_t2 or 0),
    )


def _contracts(held: DerivativeHolding) -> BrokerPosition:
    average = held.bid_average if held.net >= 0 else held.ask_average
    return BrokerPosition(
        Account.DERIVATIVES,
        held.instrument_id,
        held.net,
        abs(held.net),
        average or held.trade_price or None,
        held.market_price or None,
    )


async def cash_of(api: TradingApi, account: Account, number: str) -> BrokerCash:
    """Money and buying power. Raises BrokerError."""
    if account is Account.EQUITY:
        cash = await api.cash_balance(number)
        return BrokerCash(
            account, cash.cash, cash.purchasing_power, cash.withdrawable, cash.debt, cash.total_assets
        )
    found = await api.derivative_balance(number)
    assets, margin = found.internal_assets, found.internal_margin
    free = assets.ee if assets is not None and assets.ee is not None else found.withdrawable
    return BrokerCash(
        account,
        found.balance,
        free or 0,
        found.withdrawable,
        found.loan,
        assets.total_value if assets is not None else None,
        margin.required if margin is not None else None,
        margin.account_ratio if margin is not None else None,
    )


async def rate_limits(api: TradingApi) -> tuple[RateLimit, ...] | None:
    """The rate limits, None when the broker does not tell them."""
    try:
        return tuple(RateLimit(rule.pattern, rule.period, rule.limit) for rule in await api.rate_limit())
    except BrokerError:
        return None
