"""A customer of the paper broker: the account numbers, the ledger, and what open orders hold back of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from algo.errors import SettingError
from algo.market import VIETNAM, Fees, TradingCalendar, VietnamFees
from algo.model import Account, Instrument, Side
from algo.portfolio import Portfolio

AT_ANY = 1 << 62
"""Stands for the limit of a purchase at any price; that of a sale at any price is 0."""


class Interest:
    """What a customer's orders in one instrument could still trade, by side, and at which limits.

    Stop orders that wait are not in it: they are not in the market.
    """

    __slots__ = ("buying", "limits", "selling")

    def __init__(self) -> None:
        self.buying = 0
        self.selling = 0
        self.limits: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}

    def add(self, side: Side, limit: int, quantity: int) -> None:
        """Count `quantity` more (or fewer) at `limit` price units."""
        if side is Side.BUY:
            self.buying += quantity
        else:
            self.selling += quantity
        limits = self.limits[side]
        left = limits.get(limit, 0) + quantity
        if left:
            limits[limit] = left
        else:
            del limits[limit]

    def crosses(self, side: Side, price: int) -> bool:
        """Whether an order at `price` would trade with one of the customer's own."""
        own = self.limits[side.opposite]
        if not own:
            return False
        return price >= min(own) if side is Side.BUY else price <= max(own)

    def opposes(self, side: Side) -> bool:
        """Whether anything is open on the other side."""
        return bool(self.selling if side is Side.BUY else self.buying)

    def growth(self, held: int, side: Side | None = None, more: int = 0) -> int:
        """By how much a net position `held` could grow in size, `more` being asked for on `side` as well."""
        buying = self.buying + (more if side is Side.BUY else 0)
        selling = self.selling + (more if side is Side.SELL else 0)
        return max(abs(held + buying), abs(held - selling), abs(held)) - abs(held)


class Customer:
    """One person with an account for shares and one for derivatives.

    `accounts` are their numbers, `cash` the đồng in them at the beginning. `margin` replaces the dated
    initial margin rate of futures; with `advance` sale money can be used at once for its fee. Positions from
    before are entered with ``customer.portfolio.open``.

    `reserved` is the đồng that open purchases hold back. `sales` are those whose money is on its way,
    `advanced` what was used of it before it arrives, by the moment when it does. `booked` is the profit in
    cash of each future when the day began, `charged` what fees and taxes had come to by then.
    `margin_level` counts the warning levels reached, `forcing` the open orders with which the broker closes
    positions, the last of them begun at `forced_at`.
    """

    def __init__(
        self,
        name: str,
        accounts: Mapping[Account, str],
        cash: Mapping[Account, int],
        *,
        fees: Fees | None = None,
        calendar: TradingCalendar = VIETNAM,
        margin: Fraction | None = None,
        advance: bool = False,
    ) -> None:
        if not accounts or not all(accounts.values()):
            raise SettingError(f"customer {name!r} needs the number of an account")
        self.name = name
        self.accounts = dict(accounts)
        self.portfolio = Portfolio(
            cash,
            fees=fees if fees is not None else VietnamFees(),
            calendar=calendar,
            margin=margin,
            advance=advance,
        )
        self.reserved = 0
        self.prefix = "a00"
        self.requests: set[int] = set()
        self.interests: dict[str, Interest] = {}
        self.traded: dict[str, dict[date, Turnover]] = {}
        self.sales: list[Sale] = []
        self.advanced: dict[int, int] = {}
        self.booked: dict[str, int] = {}
        self.charged = 0
        self.margin_level = 0
        self.forcing = 0
        self.forced_at = 0

    def interest(self, symbol: str) -> Interest:
        """What is open in an instrument."""
        found = self.interests.get(symbol)
        if found is None:
            found = self.interests[symbol] = Interest()
        return found

    def turnover(self, symbol: str, day: date) -> Turnover:
        """What was traded of an instrument on a day, to be added to."""
        days = self.traded.setdefault(symbol, {})
        found = days.get(day)
        if found is None:
            found = days[day] = Turnover()
        return found

    def start_day(self, ns: int, today: date) -> None:
        """Begin a trading day: requests are numbered anew, contracts pay for the night."""
        portfolio = self.portfolio
        self.requests.clear()
        self.charged = portfolio.fees + portfolio.taxes
        portfolio.start_day(ns)
        self.sales = [sale for sale in self.sales if sale.due > ns]
        self.advanced = {due: amount for due, amount in self.advanced.items() if due > ns}
        oldest = portfolio.calendar.previous_trading_day(today, 2)
        for symbol, days in self.traded.items():
            self.traded[symbol] = {day: one for day, one in days.items() if day >= oldest}
        self.booked = {
            symbol: position.realised + position.paid
            for symbol, position in portfolio.positions.items()
            if position.instrument.shortable
        }

    @property
    def free_cash(self) -> int:
        """Đồng in the account for shares that no open purchase holds back."""
        return self.portfolio.cash[Account.EQUITY] - self.reserved

    def __repr__(self) -> str:
        return f"<Customer {self.name}>"


class Sale(NamedTuple):
    """Shares that were sold and whose money arrives at `due`. `net` is đồng after fee and tax."""

    ns: int
    due: int
    instrument: Instrument
    price: int
    quantity: int
    net: int

    @property
    def value(self) -> int:
        """Đồng before fee and tax."""
        return self.instrument.notional(self.price, self.quantity)


class Turnover:
    """Quantities and values (price units times quantity) of one instrument on one day."""

    __slots__ = ("bought", "bought_value", "sold", "sold_value")

    def __init__(self) -> None:
        self.bought = self.bought_value = self.sold = self.sold_value = 0

    def add(self, side: Side, price: int, quantity: int) -> None:
        """Count a fill."""
        if side is Side.BUY:
            self.bought += quantity
            self.bought_value += price * quantity
        else:
            self.sold += quantity
            self.sold_value += price * quantity
