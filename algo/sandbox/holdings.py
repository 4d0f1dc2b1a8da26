"""What an account holds and how much more it could trade, as queries and the stream show it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from typing import Any

from algo.brokers.paper.funds import free_margin
from algo.brokers.paper.statements import OrderRecord
from algo.clock import local_date
from algo.market import initial_margin_rate
from algo.model import Account, Fill, Instrument, Side
from algo.portfolio import Portfolio, Position
from algo.sandbox.answers import Denied
from algo.sandbox.fields import Fields
from algo.sandbox.house import House
from algo.sandbox.order_requests import market_of, units

_DAYS = 3
"""Trading days that purchases and sales are shown by: today, the one before, and the one before that."""


def stocks(house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """The shares of an account: those on hand have settled, the others stand under their day."""
    portfolio = house.brokerage.portfolio(account)
    if not is_of(house, account, Account.EQUITY):
        return {"account": account, "totalMarketValue": 0, "stockPositions": []}
    days = recent_days(house, portfolio)
    sold = [sales_of(portfolio, day) for day in days]
    selling: Counter[str] = Counter()
    for order in house.brokerage.orders(account):
        if order.side is Side.SELL:
            selling[order.instrument.symbol] += order.open
    names = {position.symbol for position in portfolio.held()} | {name for day in sold for name in day}
    found = [
        _stock(portfolio, name, house.now, days, [day[name] for day in sold], selling[name])
        for name in sorted(names)
        if not portfolio.positions[name].instrument.shortable
    ]
    worth = sum(one.value for one in portfolio.held() if not one.instrument.shortable)
    return {"account": account, "totalMarketValue": worth, "stockPositions": found}


def _stock(
    portfolio: Portfolio, name: str, ns: int, days: list[date], sold: list[int], selling: int
) -> dict[str, Any]:
    position = portfolio.positions[name]
    bought = dict.fromkeys(days, 0)
    settled = 0
    for lot in position.lots:
        day = local_date(lot.entry_ns)
        if lot.sellable_at <= ns:
            settled += lot.quantity
        else:
            # Whatever has not settled was bought within these days, but for a calendar that changed since.
            bought[day if day in bought else days[-1]] += lot.quantity
    return {
        "marketID": market_of(position.instrument),
        "instrumentID": position.symbol,
        "onHand": settled,
        "block": 0,
        "bonus": 0,
        "buyT0": bought[days[0]],
        "buyT1": bought[days[1]],
        "buyT2": bought[days[2]],
        "sellT0": sold[0],
        "sellT1": sold[1],
        "sellT2": sold[2],
        "avgPrice": position.average_price or 0.0,
        "mortgage": 0,
        "sellableQty": max(settled - selling, 0),
        "holdForTrade": selling,
        "marketPrice": portfolio.mark(position.instrument) or 0,
    }


def contracts(house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """The contracts of an account. They are kept net, so a summary is no different."""
    held, closed = open_and_closed(house, account)
    return {"account": account, "openPosition": held, "closePosition": closed}


def open_and_closed(house: House, account: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The contracts of a derivatives account: open, and closed today."""
    portfolio = house.brokerage.portfolio(account)
    if not is_of(house, account, Account.DERIVATIVES):
        return [], []
    traded = {
        fill.instrument.symbol
        for fill in fills_of(portfolio, recent_days(house, portfolio)[0])
        if fill.instrument.shortable
    }
    held, closed = [], []
    for position in portfolio.positions.values():
        if not position.instrument.shortable:
            continue
        if position.quantity:
            held.append(_contract(portfolio, position))
        elif position.symbol in traded:
            closed.append(_contract(portfolio, position))
    return held, closed


def _contract(portfolio: Portfolio, position: Position) -> dict[str, Any]:
    instrument, net = position.instrument, position.quantity
    mark = portfolio.mark(instrument)
    average = position.average_price or 0.0
    return {
        "marketID": market_of(instrument),
        "instrumentID": instrument.symbol,
        "longQty": max(net, 0),
        "shortQty": max(-net, 0),
        "net": net,
        "bidAvgPrice": average if net > 0 else 0.0,
        "askAvgPrice": average if net < 0 else 0.0,
        "tradePrice": average,
        "marketPrice": 0.0 if mark is None else instrument.price(mark),
        "floatingPL": float(position.open_profit),
        "tradingPL": float(position.realised),
    }


def max_buy(house: House, fields: Fields, account: str) -> dict[str, Any]:
    """The most of an instrument that could be bought at a price. Raises Denied."""
    instrument = _instrument(house, fields)
    price = units(instrument, fields.real("price"))
    most = house.brokerage.max_buy(account, instrument, price)
    ratio = Fraction(1)
    if instrument.shortable:
        portfolio = house.brokerage.portfolio(account)
        ratio = portfolio.margin_rate or initial_margin_rate(portfolio.date)
    return {
        "account": account,
        "maxBuyQty": most,
        "marginRatio": f"{float(100 * ratio):g}%",
        "purchasingPower": free(house, account),
    }


def max_sell(house: House, fields: Fields, account: str) -> dict[str, Any]:
    """The most of an instrument that could be sold; official clients send a price or none. Raises Denied."""
    instrument = _instrument(house, fields)
    return {"account": account, "maxSellQty": house.brokerage.max_sell(account, instrument)}


def is_of(house: House, account: str, kind: Account) -> bool:
    """Whether an account is one for shares, or for derivatives."""
    owner = house.brokerage.owner(account)
    return owner is not None and owner.accounts.get(kind) == account


def free(house: House, account: str) -> int:
    """Đồng of an account that nothing holds back: cash for shares, or margin for futures."""
    owner = house.brokerage.owner(account)
    if owner is None:
        return 0
    if is_of(house, account, Account.EQUITY):
        return max(owner.free_cash, 0)
    return max(free_margin(owner, house.brokerage.listings), 0)


def recent_days(house: House, portfolio: Portfolio) -> list[date]:
    """Today and the trading days before it, latest first."""
    today = local_date(house.now)
    return [today, *(portfolio.calendar.previous_trading_day(today, n) for n in range(1, _DAYS))]


def fills_of(portfolio: Portfolio, day: date) -> list[Fill]:
    """The fills of one day; newer ones are gone through first, older ones not at all."""
    found = []
    for fill in reversed(portfolio.fills):
        when = local_date(fill.ns)
        if when < day:
            break
        if when == day:
            found.append(fill)
    return found


def sales_of(portfolio: Portfolio, day: date) -> Counter[str]:
    """Shares sold on a day, by symbol."""
    sold: Counter[str] = Counter()
    for fill in fills_of(portfolio, day):
        if fill.side is Side.SELL and not fill.instrument.shortable:
            sold[fill.instrument.symbol] += fill.quantity
    return sold


def open_value(orders: list[OrderRecord], side: Side) -> int:
    """Đồng that open orders of one side are worth at their prices."""
    return sum(one.instrument.notional(one.price, one.open) for one in orders if one.side is side)


def _instrument(house: House, fields: Fields) -> Instrument:
    instrument = house.instruments.get(fields.needed("instrumentid", "Instrument ID").upper())
    if instrument is None:
        raise Denied("ORD001 Instrument does not exist")
    return instrument
