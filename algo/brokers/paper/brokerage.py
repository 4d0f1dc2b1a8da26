"""The broker between customers and an exchange: takes requests, checks them, keeps the accounts, says all.

It has no clock and no feed: every call brings market time, and whoever runs the market tells it of sessions,
prices and what the exchange reports. Of one moment the exchange is told first, then its events are heard
here, then this broker enters the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from algo.brokers.paper import funds, legality
from algo.brokers.paper.blotter import Blotter
from algo.brokers.paper.customers import Customer
from algo.brokers.paper.legality import Refusal
from algo.brokers.paper.listings import Listing
from algo.brokers.paper.reports import CANCEL, EXPIRE, MODIFY, NEW, Reports
from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.slips import Slip
from algo.brokers.paper.statements import (
    ChangeOrder,
    NewOrder,
    OrderRecord,
    Refused,
    Stage,
    Statement,
    WithdrawOrder,
)
from algo.errors import SettingError
from algo.market import Session
from algo.model import (
    Account,
    AmendOrder,
    Board,
    BrokerEvent,
    CancelOrder,
    Command,
    Instrument,
    OrderType,
    PlaceOrder,
    Side,
)
from algo.portfolio import Portfolio

_AT_MARKET = (OrderType.MTL, OrderType.MP)
_EARLY = (Stage.BEFORE_SESSION, Stage.STOP_BEFORE_SESSION)
_DIGITS = 8  # of a request's number


class Exchange(Protocol):
    """What matches orders."""

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """Take one command at market time `ns` and answer it, at least in part."""
        ...


class Brokerage:
    """The broker of `customers` at `exchange`. `instruments`: the feed's symbols and what they stand for."""

    def __init__(
        self,
        customers: Iterable[Customer],
        instruments: Mapping[str, Instrument],
        exchange: Exchange,
        settings: HouseSettings | None = None,
    ) -> None:
        self.customers = list(customers)
        self.exchange = exchange
        self.settings = settings if settings is not None else HouseSettings()
        self.now = 0
        self.blotter = Blotter()
        self.reports = Reports(self.blotter)
        self.listings: dict[str, Listing] = {}
        self._of_feed: dict[str, Listing] = {}
        self._owners: dict[str, tuple[Customer, Account]] = {}
        for symbol, instrument in instruments.items():
            self._list(symbol, instrument)
        for number, customer in enumerate(self.customers):
            customer.prefix = f"a{number:02d}"
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

    # -- requests -----------------------------------------------------------------------------

    def place(self, order: NewOrder, ns: int) -> None:
        """Take a new order. Raises Refused for what is turned down at once; the rest shows in statements."""
        self._advance(ns)
        customer, account = self._owner(order.account)
        listing = self.listings.get(order.instrument.symbol) or self._of_feed.get(order.instrument.symbol)
        if listing is None:
            raise Refused(f"Symbol {order.instrument.symbol} does not exist", "ORD001")
        if listing.instrument.account is not account:
            raise Refused("The account is not opened for this market", "ORD025")
        _well_formed(order)
        self._note(customer, order.request_id)
        customer.portfolio.advance_to(ns)
        slip = self.blotter.receive(order, customer, listing, ns)
        self.blotter.state(slip, ns, NEW)
        refusal = self._refusal(slip)
        if refusal is not None:
            self.reports.reject(slip, refusal, ns)
        elif listing.early:
            stage = Stage.STOP_BEFORE_SESSION if slip.waits else Stage.BEFORE_SESSION
            self.reports.accept(slip, ns, stage)
            self.reports.recount(slip)
        else:
            self._send(slip, ns)

    def change(self, change: ChangeOrder, ns: int) -> None:
        """Ask for another price or quantity of an order. Raises Refused for what is turned down at once."""
        self._advance(ns)
        slip = self._request(change)
        price = None if change.price is None or change.price == slip.price else change.price
        quantity = None if change.quantity is None or change.quantity == slip.quantity else change.quantity
        refusal = self._change_refusal(slip, price, quantity)
        if refusal is not None:
            self.blotter.fail(slip, change.request_id, refusal.code, refusal.text, ns)
            return
        slip.request_id = change.request_id
        if slip.stage in _EARLY:
            slip.caused = change.request_id
            slip.price = slip.price if price is None else price
            slip.quantity = slip.quantity if quantity is None else quantity
            self.reports.recount(slip)
            self.blotter.state(slip, ns, MODIFY)
            return
        slip.pending[change.request_id] = change
        slip.stage = Stage.AMENDING
        self.blotter.state(slip, ns, MODIFY)
        instrument = slip.listing.instrument
        self.hear(
            self.exchange.execute(
                AmendOrder(change.request_id, slip.exchange_id, "", instrument, price, quantity), ns
            )
        )

    def withdraw(self, withdrawal: WithdrawOrder, ns: int) -> None:
        """Ask for the end of an order. Raises Refused for what is turned down at once."""
        self._advance(ns)
        slip = self._request(withdrawal)
        refusal = None
        if slip.stage.over:
            refusal = Refusal("ORD012", f"the order cannot be cancelled: {slip.stage}")
        elif not (slip.waits or slip.stage in _EARLY):
            refusal = legality.withdrawal_refusal(slip.listing)
        if refusal is not None:
            self.blotter.fail(slip, withdrawal.request_id, refusal.code, refusal.text, ns)
            return
        slip.request_id = withdrawal.request_id
        if slip.stage in _EARLY:
            slip.caused = withdrawal.request_id
            self.reports.end(slip, Stage.CANCELLED, "", ns, CANCEL)
            return
        slip.pending[withdrawal.request_id] = withdrawal
        slip.stage = Stage.CANCELLING
        self.blotter.state(slip, ns, CANCEL)
        instrument = slip.listing.instrument
        self.hear(
            self.exchange.execute(CancelOrder(withdrawal.request_id, slip.exchange_id, "", instrument), ns)
        )

    def _owner(self, account: str) -> tuple[Customer, Account]:
        found = self._owners.get(account)
        if found is None:
            raise Refused("Account is not exist.")
        return found

    def _request(self, request: ChangeOrder | WithdrawOrder) -> Slip:
        """The order that a request is about."""
        customer, _ = self._owner(request.account)
        slip = self.blotter.find(request.order_id)
        if slip is None or slip.account != request.account:
            raise Refused("Order is not found", "ORD013")
        self._note(customer, request.request_id)
        customer.portfolio.advance_to(self.now)
        return slip

    def _note(self, customer: Customer, request_id: str) -> None:
        """Let every request number be used once a day."""
        if not (request_id.isascii() and request_id.isdigit() and len(request_id) <= _DIGITS):
            raise Refused(f"Request ID is a number of at most {_DIGITS} digits", "ORD006")
        number = int(request_id)
        if number in customer.requests:
            raise Refused(f"Duplicate request ID {request_id}", "ORD006")
        customer.requests.add(number)

    def _refusal(self, slip: Slip) -> Refusal | None:
        """What speaks against a new order now."""
        listing, customer = slip.listing, slip.customer
        if listing.early and not self.settings.early:
            return Refusal("ORD016", "Invalid market status")
        return (
            legality.order_refusal(
                listing, slip.side, slip.order_type, slip.price, slip.quantity, slip.trigger
            )
            or (
                legality.opposite_refusal(customer, listing, slip.side, slip.price)
                if slip.trigger is None
                else None
            )
            or self._funds_refusal(slip, slip.price, slip.quantity)
        )

    def _funds_refusal(self, slip: Slip, price: int, quantity: int, own: int = 0) -> Refusal | None:
        if slip.listing.instrument.account is Account.EQUITY:
            return funds.share_refusal(slip.customer, slip.listing, slip.side, price, quantity, own)
        return funds.contract_refusal(
            slip.customer,
            self.listings,
            slip.listing,
            slip.side,
            price,
            quantity,
            position_limit=self.settings.position_limit,
            closing_only=slip.customer.margin_level >= 2,
        )

    def _change_refusal(self, slip: Slip, price: int | None, quantity: int | None) -> Refusal | None:
        """What speaks against a change now."""
        listing = slip.listing
        if slip.stage.over or slip.stage is Stage.CANCELLING:
            return Refusal("ORD012", f"the order cannot be changed: {slip.stage}")
        if price is None and quantity is None:
            return Refusal("ORD014", "the price and the quantity are the same as before")
        if not (slip.waits or slip.stage in _EARLY):
            refusal = legality.change_refusal(listing, price=price is not None, quantity=quantity is not None)
            if refusal is not None:
                return refusal
        if price is not None:
            if slip.order_type is not OrderType.LO or price <= 0:
                return Refusal("ORD006", "the order has no price to change" if price > 0 else "no price")
            refusal = legality.price_refusal(listing, price, inside=slip.trigger is None)
            if refusal is None and slip.counted:
                refusal = self._crossing(slip, price)
            if refusal is not None:
                return refusal
        if quantity is not None:
            if quantity <= slip.filled:
                return Refusal("ORD031", f"{slip.filled:,} have traded already")
            refusal = legality.quantity_refusal(listing, quantity)
            if refusal is not None:
                return refusal
        if quantity is None and slip.side is Side.SELL:
            return None
        asked = (slip.quantity if quantity is None else quantity) - slip.filled
        at = slip.price if price is None else price
        if listing.instrument.account is Account.EQUITY:
            own = slip.reserved if slip.side is Side.BUY else slip.counted
            return self._funds_refusal(slip, at, asked, own)
        more = asked - slip.counted
        return self._funds_refusal(slip, at, more) if more > 0 else None

    def _crossing(self, slip: Slip, price: int) -> Refusal | None:
        interest = slip.customer.interest(slip.listing.instrument.symbol)
        if interest.crosses(slip.side, price):
            return Refusal("ORD009", "the new price would trade with an opposite order of your own")
        return None

    def _send(self, slip: Slip, ns: int) -> None:
        """Pass an order on to the exchange."""
        slip.stage = Stage.SENT
        self.reports.recount(slip)
        self.blotter.state(slip, ns, NEW)
        command = PlaceOrder(
            slip.first_request_id,
            slip.exchange_id,
            "",
            slip.listing.instrument,
            slip.side,
            slip.order_type,
            slip.price,
            slip.quantity,
            slip.trigger,
            slip.order_type in _AT_MARKET,
        )
        self.hear(self.exchange.execute(command, ns))

    # -- the market ---------------------------------------------------------------------------

    def start_day(
        self, ns: int, day: date, references: Mapping[str, int], idle: frozenset[str] = frozenset()
    ) -> None:
        """Begin a trading day: ids begin anew, yesterday's orders are over, nights are charged."""
        self._advance(ns)
        for slip in self.blotter.slips.values():
            if not slip.stage.over:
                self.reports.end(slip, Stage.EXPIRED, "the trading day ended", ns, EXPIRE)
        self.blotter.start_day(day)
        for symbol, listing in self._of_feed.items():
            listing.start_day(day, references.get(symbol), idle=symbol in idle)
        for customer in self.customers:
            customer.requests.clear()
            customer.portfolio.start_day(ns)

    def enter(self, board: Board, session: Session, ns: int) -> None:
        """Take note that a board is in another session; at its opening the orders that wait for it go out."""
        self._advance(ns)
        here = [one for one in self.listings.values() if one.instrument.board is board]
        opening = session is not Session.C and any(one.early for one in here)
        for listing in here:
            listing.enter(session)
        waiting = [
            slip
            for slip in self.blotter.slips.values()
            if slip.stage in _EARLY and slip.listing.instrument.board is board
        ]
        for slip in waiting:
            if opening:
                self._send(slip, ns)
            elif session is Session.C:
                self.reports.end(slip, Stage.EXPIRED, "the trading day ended", ns, EXPIRE)

    def halt(self, symbol: str, halted: bool, ns: int) -> None:
        """Take note that trading in an instrument is stopped, or goes on."""
        self._advance(ns)
        self._of_feed[symbol].halted = halted

    def hear(self, events: Iterable[BrokerEvent]) -> None:
        """Take what the exchange reports; events of orders that are not this broker's are skipped."""
        self.reports.hear(events)

    def mark(self, symbol: str, units: int, ns: int = 0) -> None:
        """Take note of the last price (units) of a symbol."""
        self._advance(ns)
        listing = self._of_feed.get(symbol) or self.listings[symbol]
        listing.last = units

    def mark_of(self, instrument: Instrument) -> int | None:
        """The last price of an instrument in units, before the day's first the reference."""
        listing = self.listings.get(instrument.symbol)
        return None if listing is None else listing.mark

    def take(self) -> list[Statement]:
        """What was said since the last call, in order."""
        said, self.blotter.statements = self.blotter.statements, []
        return said

    def _advance(self, ns: int) -> None:
        if ns > self.now:
            self.now = ns

    # -- queries ------------------------------------------------------------------------------

    def owner(self, account: str) -> Customer | None:
        """Whose account a number is."""
        found = self._owners.get(account)
        return None if found is None else found[0]

    def portfolio(self, account: str) -> Portfolio:
        """The ledger that an account is kept in. Raises Refused for an unknown number."""
        return self._owner(account)[0].portfolio

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


def _well_formed(order: NewOrder) -> None:
    """Raise Refused for an order that says nothing sensible."""
    if order.quantity <= 0:
        raise Refused("Quantity must be greater than zero", "ORD006")
    if order.order_type is OrderType.MARKET:
        raise Refused(f"Order type {order.order_type} does not exist", "ORD010")
    if order.order_type is OrderType.LO:
        if order.price <= 0:
            raise Refused("Price must be greater than zero", "ORD006")
    elif order.price:
        raise Refused("Price is null or equal zero when order is market order", "ORD006")
    if order.trigger is not None and order.instrument.account is not Account.DERIVATIVES:
        raise Refused("Stop orders are taken for derivatives only", "ORD010")
