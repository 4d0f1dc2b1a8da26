"""The broker's books: whose accounts there are, the orders of the day, and how everything stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from algo.brokers.paper import balances
from algo.brokers.paper.balances import (
    Advance,
    CashBalance,
    ContractPosition,
    DerivativesBalance,
    StockPosition,
)
from algo.brokers.paper.blotter import Blotter
from algo.brokers.paper.checks import Checks
from algo.brokers.paper.customers import Customer, Sale
from algo.brokers.paper.funds import sellable
from algo.brokers.paper.listings import Listing
from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.statements import OrderRecord, Refused
from algo.errors import SettingError
from algo.model import Account, Instrument, Side
from algo.portfolio import Portfolio, advance_fee


class Accounts:
    """Customers, instruments and orders, and every question about them. `now` is the last moment heard of.

    Questions about an account that nobody has raise Refused.
    """

    def __init__(
        self, customers: Iterable[Customer], instruments: Mapping[str, Instrument], settings: HouseSettings
    ) -> None:
        self.customers = list(customers)
        self.settings = settings
        self.now = 0
        self.blotter = Blotter()
        self.listings: dict[str, Listing] = {}
        self._of_feed: dict[str, Listing] = {}
        self._owners: dict[str, tuple[Customer, Account]] = {}
        self._checks = Checks(self.listings, settings)
        for symbol, instrument in instruments.items():
            self._list(symbol, instrument)
        for number, customer in enumerate(self.customers):
            customer.prefix = f"{chr(ord('a') + number // 100)}{number % 100:02d}"
            customer.portfolio.mark = self.mark_of
            for account, name in customer.accounts.items():
                if name in self._owners:
                    raise SettingError(f"two customers have the account {name}")
                self._owners[name] = (customer, account)

    def _list(self, symbol: str, instrument: Instrument) -> Listing:
        listing = self.listings.get(instrument.symbol)
        if listing is None:
            listing = self.listings[instrument.symbol] = Listing(instrument)
        self._of_feed[symbol] = listing
        return listing

    def _owner(self, account: str) -> tuple[Customer, Account]:
        found = self._owners.get(account)
        if found is None:
            raise Refused("Account is not exist.")
        return found

    def _of(self, account: str, kind: Account) -> Customer:
        customer, own = self._owner(account)
        if own is not kind:
            raise Refused("Account is not exist.")
        customer.portfolio.advance_to(max(self.now, customer.portfolio.ns))
        return customer

    # -- market -------------------------------------------------------------------------------

    def listing(self, symbol: str) -> Listing:
        """What is known of a symbol, the feed's or the contract's own. Raises Refused for an unknown one."""
        found = self._of_feed.get(symbol) or self.listings.get(symbol)
        if found is None:
            raise Refused(f"Symbol {symbol} does not exist", "ORD001")
        return found

    def mark_of(self, instrument: Instrument) -> int | None:
        """The last price of an instrument in units, before the day's first the reference."""
        listing = self.listings.get(instrument.symbol)
        return None if listing is None else listing.mark

    # -- orders -------------------------------------------------------------------------------

    def orders(self, account: str) -> list[OrderRecord]:
        """Today's orders of an account as they stand, oldest first."""
        self._owner(account)
        return [slip.record() for slip in self.blotter.of(account)]

    def order(self, order_id: str) -> OrderRecord | None:
        """Today's order of an id, lasting or temporary."""
        slip = self.blotter.find(order_id)
        return None if slip is None else slip.record()

    def last_error(self, order_id: str) -> OrderRecord | None:
        """The order as the last failed request about it left it: that request's id, rejected, the reason."""
        slip = self.blotter.find(order_id)
        return None if slip is None else slip.error

    def history(self, account: str, first: date, last: date) -> list[OrderRecord]:
        """The orders of an account from one day to another, both included, oldest first."""
        self._owner(account)
        return self.blotter.history(account, first, last)

    # -- money and positions ------------------------------------------------------------------

    def owner(self, account: str) -> Customer | None:
        """Whose account a number is."""
        found = self._owners.get(account)
        return None if found is None else found[0]

    def kind(self, account: str) -> Account:
        """What an account is for."""
        return self._owner(account)[1]

    def portfolio(self, account: str) -> Portfolio:
        """The ledger that an account is kept in."""
        return self._owner(account)[0].portfolio

    def stock_positions(self, account: str) -> list[StockPosition]:
        """The shares in an account."""
        customer = self._of(account, Account.EQUITY)
        return balances.stock_positions(customer, self.listings, self.blotter.day)

    def contract_positions(self, account: str) -> list[ContractPosition]:
        """The contracts in an account, those closed today among them."""
        customer = self._of(account, Account.DERIVATIVES)
        return balances.contract_positions(customer, self.listings, self.blotter.day)

    def cash_balance(self, account: str) -> CashBalance:
        """The money of an account for shares."""
        customer = self._of(account, Account.EQUITY)
        return balances.cash_balance(customer, self.listings, self.blotter.day)

    def derivatives_balance(self, account: str) -> DerivativesBalance:
        """The money and margin of an account for derivatives."""
        customer = self._of(account, Account.DERIVATIVES)
        return balances.derivatives_balance(customer, self.listings, self.blotter.day, self.settings)

    def max_buy(self, account: str, instrument: Instrument, price: int = 0) -> int:
        """The largest purchase at `price` (units; 0: at any price) that the account can carry now."""
        return self._most(account, instrument, Side.BUY, price)

    def max_sell(self, account: str, instrument: Instrument, price: int = 0) -> int:
        """The largest sale that the account can deliver or carry now."""
        return self._most(account, instrument, Side.SELL, price)

    def _most(self, account: str, instrument: Instrument, side: Side, price: int) -> int:
        listing = self.listing(instrument.symbol)
        customer = self._of(account, listing.instrument.account)
        if listing.instrument.account is Account.EQUITY:
            if side is Side.BUY:
                return balances.most_shares(customer, listing, price)
            return max(sellable(customer, listing.instrument.symbol), 0)
        low, high = 0, 2 * self.settings.position_limit
        while low < high:
            middle = (low + high + 1) // 2
            if self._checks.contracts(customer, listing, side, price, middle) is None:
                low = middle
            else:
                high = middle - 1
        return low

    def unsettled_sales(self, account: str) -> list[Sale]:
        """Sales whose money has not arrived, oldest first."""
        customer = self._of(account, Account.EQUITY)
        return [sale for sale in customer.sales if sale.due > customer.portfolio.ns]

    def advances(self, account: str) -> list[Advance]:
        """Sale money on its way, and what can be used of it before it arrives."""
        return balances.advances(self._of(account, Account.EQUITY))

    def advance_fee(self, account: str, due: int, amount: int) -> int:
        """What using `amount` đồng of the sale money of `due` now would cost."""
        return advance_fee(self._of(account, Account.EQUITY).portfolio, self.now, due, amount)
