"""What an account holds and how much more it could trade, as queries and the stream show it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from algo.brokers.paper.balances import ContractPosition, StockPosition
from algo.market import initial_margin_rate
from algo.model import Account, Instrument
from algo.sandbox.answers import Denied
from algo.sandbox.fields import Fields
from algo.sandbox.order_requests import market_of, units
from algo.sandbox.world import World


def stocks(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """The shares of an account: those on hand have settled, the others stand under their day.

    An account for derivatives has none; one official client asks for both in one go.
    """
    held = world.brokerage.stock_positions(account) if is_for(world, account, Account.EQUITY) else []
    return {
        "account": account,
        "totalMarketValue": sum(one.value for one in held),
        "stockPositions": [_stock(one) for one in held],
    }


def _stock(held: StockPosition) -> dict[str, Any]:
    return {
        "marketID": market_of(held.instrument),
        "instrumentID": held.instrument.symbol,
        "onHand": held.settled,
        "block": 0,
        "bonus": 0,
        "buyT0": held.bought[0],
        "buyT1": held.bought[1],
        "buyT2": held.bought[2],
        "sellT0": held.sold[0],
        "sellT1": held.sold[1],
        "sellT2": held.sold[2],
        "avgPrice": held.average_price,
        "mortgage": 0,
        "sellableQty": held.sellable,
        "holdForTrade": held.on_sale,
        "marketPrice": held.mark or 0,
    }


def contracts(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """The contracts of an account. They are kept net, so a summary is no different."""
    held, closed = open_and_closed(world, account)
    return {"account": account, "openPosition": held, "closePosition": closed}


def open_and_closed(world: World, account: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The contracts of an account: open, and closed today. An account for shares has none."""
    held: list[dict[str, Any]] = []
    closed: list[dict[str, Any]] = []
    if is_for(world, account, Account.DERIVATIVES):
        for one in world.brokerage.contract_positions(account):
            (held if one.net else closed).append(_contract(one))
    return held, closed


def _contract(held: ContractPosition) -> dict[str, Any]:
    return {
        "marketID": market_of(held.instrument),
        "instrumentID": held.instrument.symbol,
        "longQty": held.long,
        "shortQty": held.short,
        "net": held.net,
        "bidAvgPrice": held.bid_average,
        "askAvgPrice": held.ask_average,
        "tradePrice": held.average_price,
        "marketPrice": 0.0 if held.mark is None else held.instrument.price(held.mark),
        "floatingPL": float(held.floating),
        "tradingPL": float(held.trading),
    }


def max_buy(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """The most of an instrument that could be bought at a price. Raises Denied, or Refused."""
    instrument = _instrument(world, fields)
    price = units(instrument, fields.real("price"))
    most = world.brokerage.max_buy(account, instrument, price)
    ratio = Fraction(1)
    if instrument.shortable:
        portfolio = world.brokerage.portfolio(account)
        ratio = portfolio.margin_rate or initial_margin_rate(portfolio.date)
        power = world.brokerage.derivatives_balance(account).free
    else:
        power = world.brokerage.cash_balance(account).free
    return {
        "account": account,
        "maxBuyQty": most,
        "marginRatio": f"{float(100 * ratio):g}%",
        "purchasingPower": max(power, 0),
    }


def max_sell(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """The most of an instrument that could be sold; official clients send a price or none."""
    instrument = _instrument(world, fields)
    price = units(instrument, fields.real("price"))
    return {"account": account, "maxSellQty": world.brokerage.max_sell(account, instrument, price)}


def is_for(world: World, account: str, kind: Account) -> bool:
    """Whether an account is one for shares, or for derivatives. Raises Refused for an unknown one."""
    return world.brokerage.kind(account) is kind


def _instrument(world: World, fields: Fields) -> Instrument:
    instrument = world.instruments.get(fields.needed("instrumentid", "Instrument ID").upper())
    if instrument is None:
        raise Denied("ORD001 Instrument does not exist")
    return instrument
