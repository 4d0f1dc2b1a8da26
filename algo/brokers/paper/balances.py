"""How an account stands, as its owner may ask: positions, cash, margin, what could be bought and sold."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from algo.brokers.paper import funds
from algo.brokers.paper.customers import Customer, Turnover
from algo.brokers.paper.funds import Listings
from algo.brokers.paper.listings import Listing
from algo.brokers.paper.settings import HouseSettings
from algo.clock import local_date
from algo.market import settles_at
from algo.model import Account, Instrument, Side
from algo.portfolio import on_the_way

Days = tuple[int, int, int]
"""A quantity for today, the trading day before, and the one before that."""


class StockPosition(NamedTuple):
    """Shares of one instrument. `quantity` is all that is owned, `settled` what has arrived.

    `bought` and `sold` are the quantities of each day that have not settled yet. `sellable` is settled and
    not on sale; `on_sale` is what open sales want. `average_price` is as the market shows prices, without
    fees; `mark` is the last price in units, `value` đồng at it (at cost without a mark).
    """

    instrument: Instrument
    quantity: int
    settled: int
    bought: Days
    sold: Days
    sellable: int
    on_sale: int
    average_price: float
    mark: int | None
    value: int


class ContractPosition(NamedTuple):
    """Contracts of one instrument. Prices are as the market shows them, 0 where there is none; profits đồng.

    `bought` and `sold` are today's quantities, `bid_average` and `ask_average` their average prices; without
    a trade today those of the position. `floating` is profit that is no cash yet, `trading` what became cash
    today, fees aside.
    """

    instrument: Instrument
    net: int
    bought: int
    sold: int
    bid_average: float
    ask_average: float
    average_price: float
    mark: int | None
    floating: int
    trading: int

    @property
    def long(self) -> int:
        """Contracts held long."""
        return max(self.net, 0)

    @property
    def short(self) -> int:
        """Contracts held short."""
        return max(-self.net, 0)


class CashBalance(NamedTuple):
    """The account for shares, in đồng.

    `reserved` is held back by open purchases, `free` the rest of `cash`. `receiving` arrives today, with the
    next trading day, and later. `matched_*` are today's fills, `open_sales` the value of open sales.
    """

    cash: int
    reserved: int
    free: int
    receiving: Days
    matched_buys: int
    matched_sales: int
    open_sales: int
    advanced: int
    charges_today: int
    shares: int
    total: int


class DerivativesBalance(NamedTuple):
    """The account for derivatives, in đồng. `charges_today` are fees and taxes of both accounts.

    `assets` are cash and floating profit. `margin` is bound by positions, `open_margin` by open orders, and
    `free` may be bound by new positions. `used` is margin in percent of the assets, `level` how many of the
    warning `levels` it has reached.
    """

    cash: int
    floating: int
    trading: int
    charges_today: int
    assets: int
    margin: int
    open_margin: int
    free: int
    withdrawable: int
    used: float
    level: int
    levels: tuple[int, int, int]


class Advance(NamedTuple):
    """Sale money that arrives at `due`, in đồng: before and after charges, used already, still to be had."""

    due: int
    value: int
    net: int
    advanced: int
    available: int


def stock_positions(customer: Customer, listings: Listings, today: date) -> list[StockPosition]:
    """The shares held, on their way, or sold in the last days."""
    portfolio = customer.portfolio
    days = _last_days(customer, today)
    pending = [day for day in days if settles_at(day, portfolio.calendar) > portfolio.ns]
    found = []
    for symbol, position in portfolio.positions.items():
        if position.instrument.account is not Account.EQUITY:
            continue
        sold = _by_day(customer.traded.get(symbol, {}), days, pending)
        if not position.quantity and not any(sold):
            continue
        bought = [0, 0, 0]
        for lot in position.lots:
            if lot.sellable_at > portfolio.ns:
                age = sum(local_date(lot.entry_ns) < day for day in days)
                bought[min(age, 2)] += lot.quantity
        listing = listings.get(symbol)
        interest = customer.interests.get(symbol)
        found.append(
            StockPosition(
                instrument=position.instrument,
                quantity=position.quantity,
                settled=position.sellable,
                bought=(bought[0], bought[1], bought[2]),
                sold=sold,
                sellable=max(funds.sellable(customer, symbol), 0),
                on_sale=interest.selling if interest is not None else 0,
                average_price=position.average_price or 0.0,
                mark=None if listing is None else listing.mark,
                value=position.value,
            )
        )
    return found


def contract_positions(customer: Customer, listings: Listings, today: date) -> list[ContractPosition]:
    """The contracts held, and those closed today."""
    found = []
    for symbol, position in customer.portfolio.positions.items():
        instrument = position.instrument
        traded = customer.traded.get(symbol, {}).get(today)
        if instrument.account is not Account.DERIVATIVES or not (position.quantity or traded):
            continue
        traded = traded or Turnover()
        average = position.average_price or 0.0
        listing = listings.get(symbol)
        found.append(
            ContractPosition(
                instrument=instrument,
                net=position.quantity,
                bought=traded.bought,
                sold=traded.sold,
                bid_average=_average(instrument, traded.bought_value, traded.bought)
                or (average if position.quantity > 0 else 0.0),
                ask_average=_average(instrument, traded.sold_value, traded.sold)
                or (average if position.quantity < 0 else 0.0),
                average_price=average,
                mark=None if listing is None else listing.mark,
                floating=position.value,
                trading=position.realised + position.paid - customer.booked.get(symbol, 0),
            )
        )
    return found


def cash_balance(customer: Customer, listings: Listings, today: date) -> CashBalance:
    """The account for shares."""
    portfolio = customer.portfolio
    tomorrow = portfolio.calendar.next_trading_day(today)
    receiving = [0, 0, 0]
    for due, amount in on_the_way(portfolio):
        day = local_date(due)
        receiving[0 if day <= today else 1 if day <= tomorrow else 2] += amount
    bought = sold = open_sales = 0
    for symbol, days in customer.traded.items():
        one = days.get(today)
        if one is not None and symbol in listings and not listings[symbol].instrument.shortable:
            bought += one.bought_value
            sold += one.sold_value
    for symbol, interest in customer.interests.items():
        listing = listings.get(symbol)
        if listing is not None and interest.selling and not listing.instrument.shortable:
            prices = interest.limits[Side.SELL].items()
            open_sales += sum((price or listing.mark or 0) * quantity for price, quantity in prices)
    positions = portfolio.positions.values()
    shares = sum(p.value for p in positions if not p.instrument.shortable)
    cash = portfolio.cash[Account.EQUITY]
    return CashBalance(
        cash=cash,
        reserved=customer.reserved,
        free=customer.free_cash,
        receiving=(receiving[0], receiving[1], receiving[2]),
        matched_buys=bought,
        matched_sales=sold,
        open_sales=open_sales,
        advanced=sum(customer.advanced.values()),
        charges_today=portfolio.fees + portfolio.taxes - customer.charged,
        shares=shares,
        total=cash + portfolio.receivable + shares,
    )


def derivatives_balance(
    customer: Customer, listings: Listings, today: date, settings: HouseSettings
) -> DerivativesBalance:
    """The account for derivatives."""
    portfolio = customer.portfolio
    contracts = contract_positions(customer, listings, today)
    assets, margin = funds.margin_assets(customer), portfolio.margin_used()
    bound = funds.open_margin(customer, listings)
    free = funds.usable_margin(customer, settings) - bound
    cash = portfolio.cash[Account.DERIVATIVES]
    return DerivativesBalance(
        cash=cash,
        floating=assets - cash,
        trading=sum(one.trading for one in contracts),
        charges_today=portfolio.fees + portfolio.taxes - customer.charged,
        assets=assets,
        margin=margin,
        open_margin=bound,
        free=free,
        withdrawable=max(min(free, cash), 0),
        used=100 * margin / assets if assets > 0 else 100.0 if margin else 0.0,
        level=funds.level_of(customer, settings.levels),
        levels=settings.levels,
    )


def advances(customer: Customer) -> list[Advance]:
    """Sale money on its way, by the moment when it arrives."""
    found: dict[int, tuple[int, int]] = {}
    for sale in customer.sales:
        if sale.due > customer.portfolio.ns:
            value, net = found.get(sale.due, (0, 0))
            found[sale.due] = (value + sale.value, net + sale.net)
    return [
        Advance(due, value, net, used, net - used)
        for due, (value, net) in sorted(found.items())
        for used in [net if customer.portfolio.advance else customer.advanced.get(due, 0)]
    ]


def most_shares(customer: Customer, listing: Listing, price: int) -> int:
    """The largest purchase in whole lots that free cash pays at `price` (units; 0: the worst of the day)."""
    at = price or listing.worst(Side.BUY)
    free = customer.free_cash
    if at is None or free <= 0:
        return 0
    low, high = 0, free // (at * listing.lot)
    while low < high:
        middle = (low + high + 1) // 2
        if funds.purchase_cost(customer, listing, at, middle * listing.lot) <= free:
            low = middle
        else:
            high = middle - 1
    return low * listing.lot


def _last_days(customer: Customer, today: date) -> tuple[date, date, date]:
    calendar = customer.portfolio.calendar
    return today, calendar.previous_trading_day(today), calendar.previous_trading_day(today, 2)


def _by_day(traded: dict[date, Turnover], days: tuple[date, date, date], pending: list[date]) -> Days:
    """What was sold on each of `days` whose settlement is still to come."""
    first, second, third = (traded[day].sold if day in traded and day in pending else 0 for day in days)
    return first, second, third


def _average(instrument: Instrument, value: int, quantity: int) -> float:
    return value / quantity / instrument.scale if quantity else 0.0
