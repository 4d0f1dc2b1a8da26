"""A customer of the paper broker: the account numbers, the ledger, and what open orders hold back of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from algo.errors import SettingError
from algo.market import VIETNAM, Fees, TradingCalendar, VietnamFees
from algo.model import Account, Side
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
    before are entered with ``customer.portfolio.open``. `reserved` is the đồng that open purchases hold back.
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
        self.margin_level = 0

    def interest(self, symbol: str) -> Interest:
        """What is open in an instrument."""
        found = self.interests.get(symbol)
        if found is None:
            found = self.interests[symbol] = Interest()
        return found

    def turnover(self, symbol: str, day: date) -> Turnover:
        """What was traded of an instrument on a day."""
        days = self.traded.setdefault(symbol, {})
        found = days.get(day)
        if found is None:
            found = days[day] = Turnover()
        return found

    @property
    def free_cash(self) -> int:
        """Đồng in the account for shares that no open purchase holds back."""
        return self.portfolio.cash[Account.EQUITY] - self.reserved

    def __repr__(self) -> str:
        return f"<Customer {self.name}>"


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
