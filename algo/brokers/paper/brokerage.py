"""The broker between customers and an exchange: takes requests, checks them, keeps the accounts, says all.

It has no clock and no feed: every call brings market time, and whoever runs the market tells it of sessions,
prices and what the exchange reports. At one moment the exchange is told first, then its events are heard
here, then this broker enters the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Protocol

from algo.brokers.paper import funds
from algo.brokers.paper.accounts import Accounts
from algo.brokers.paper.checks import well_formed
from algo.brokers.paper.customers import Customer
from algo.brokers.paper.forced_sales import closing_orders
from algo.brokers.paper.listings import SHUT
from algo.brokers.paper.reports import CANCEL, EXPIRE, MODIFY, NEW, Reports
from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.slips import Slip
from algo.brokers.paper.statements import (
    API,
    ChangeOrder,
    NewOrder,
    PositionsChanged,
    Refused,
    Stage,
    Statement,
    WithdrawOrder,
)
from algo.clock import MINUTE
from algo.market import Session, can_cancel, daily_settlement_price
from algo.model import (
    Account,
    AmendOrder,
    Board,
    BrokerEvent,
    CancelOrder,
    Command,
    CorporateAction,
    Instrument,
    OrderType,
    PlaceOrder,
    Trigger,
    TriggerKind,
)
from algo.portfolio import draw_advance, settle_daily

_AT_MARKET = (OrderType.MTL, OrderType.MP)
_EARLY = (Stage.BEFORE_SESSION, Stage.STOP_BEFORE_SESSION)
_DIGITS = 8  # of a request's number
_PATIENCE = MINUTE  # between two tries to close a customer's positions


class Exchange(Protocol):
    """What matches orders."""

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """Take one command at market time `ns` and answer it, at least in part."""
        ...


class Brokerage(Accounts):
    """The broker of `customers` at `exchange`. `instruments`: the feed's symbols and what they stand for."""

    def __init__(
        self,
        customers: Iterable[Customer],
        instruments: Mapping[str, Instrument],
        exchange: Exchange,
        settings: HouseSettings | None = None,
    ) -> None:
        super().__init__(customers, instruments, settings if settings is not None else HouseSettings())
        self.exchange = exchange
        self._reports = Reports(self.blotter)

    # -- requests -----------------------------------------------------------------------------

    def place(self, order: NewOrder, ns: int) -> None:
        """Take a new order. Raises Refused for what is turned down at once; the rest shows in statements.

        An order by hand, of another channel than the API, needs no request id: it is given one.
        """
        self._advance(ns)
        customer, account = self._owner(order.account)
        listing = self.listings.get(order.instrument.symbol) or self._of_feed.get(order.instrument.symbol)
        if listing is None:
            raise Refused(f"Symbol {order.instrument.symbol} does not exist", "ORD001")
        if listing.instrument.account is not account:
            raise Refused("The account is not opened for this market", "ORD025")
        well_formed(order)
        if order.channel == API or order.request_id:
            self._note(customer, order.request_id)
        else:
            order = replace(order, request_id=self.blotter.number(customer))
        customer.portfolio.advance_to(self.now)
        slip = self.blotter.receive(order, customer, listing, ns)
        self.blotter.state(slip, ns, NEW)
        refusal = self._checks.new(slip)
        if refusal is not None:
            self._reports.reject(slip, refusal, ns)
        elif listing.early:
            stage = Stage.STOP_BEFORE_SESSION if slip.waits else Stage.BEFORE_SESSION
            self._reports.accept(slip, ns, stage)
            self._reports.recount(slip)
        else:
            self._send(slip, ns)

    def change(self, change: ChangeOrder, ns: int) -> None:
        """Ask for another price or quantity of an order. Raises Refused for what is turned down at once.

        What stays the same may be stated too.
        """
        self._advance(ns)
        slip = self._request(change)
        price = None if change.price is None or change.price == slip.price else change.price
        quantity = None if change.quantity is None or change.quantity == slip.quantity else change.quantity
        refusal = self._checks.change(slip, price, quantity)
        if refusal is not None:
            self.blotter.fail(slip, change.request_id, refusal.code, refusal.text, ns)
            return
        slip.request_id = change.request_id
        if slip.stage in _EARLY:
            slip.caused = change.request_id
            slip.price = slip.price if price is None else price
            slip.quantity = slip.quantity if quantity is None else quantity
            self._reports.recount(slip)
            self.blotter.state(slip, ns, MODIFY)
            return
        slip.pending[change.request_id] = change
        slip.stage = Stage.AMENDING
        self._reports.recount(slip)
        self.blotter.state(slip, ns, MODIFY)
        instrument = slip.listing.instrument
        command = AmendOrder(change.request_id, slip.exchange_id, "", instrument, price, quantity)
        self.hear(self.exchange.execute(command, ns))

    def withdraw(self, withdrawal: WithdrawOrder, ns: int) -> None:
        """Ask for the end of an order. Raises Refused for what is turned down at once."""
        self._advance(ns)
        slip = self._request(withdrawal)
        refusal = self._checks.withdrawal(slip)
        if refusal is not None:
            self.blotter.fail(slip, withdrawal.request_id, refusal.code, refusal.text, ns)
        else:
            self._withdraw(slip, withdrawal, ns)

    def _withdraw(self, slip: Slip, withdrawal: WithdrawOrder, ns: int) -> None:
        slip.request_id = withdrawal.request_id
        if slip.stage in _EARLY:
            slip.caused = withdrawal.request_id
            self._reports.end(slip, Stage.CANCELLED, "", ns, CANCEL)
            return
        slip.pending[withdrawal.request_id] = withdrawal
        slip.stage = Stage.CANCELLING
        self.blotter.state(slip, ns, CANCEL)
        instrument = slip.listing.instrument
        command = CancelOrder(withdrawal.request_id, slip.exchange_id, "", instrument)
        self.hear(self.exchange.execute(command, ns))

    def advance_cash(self, account: str, due: int, amount: int, ns: int) -> int:
        """Let a customer use `amount` đồng of the sale money of `due` now; gives the fee. Raises Refused."""
        self._advance(ns)
        customer, _ = self._owner(account)
        customer.portfolio.advance_to(ns)
        available = next((one.available for one in self.advances(account) if one.due == due), 0)
        if not 0 < amount <= available:
            raise Refused(f"Only {available:,} can be advanced, not {amount:,}", "ORD040")
        customer.advanced[due] = customer.advanced.get(due, 0) + amount
        return draw_advance(customer.portfolio, ns, due, amount)

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

    def _send(self, slip: Slip, ns: int) -> None:
        """Pass an order on to the exchange. What a bull-bear order sends is its entry."""
        trigger = slip.trigger
        if trigger is not None and trigger.kind is TriggerKind.BULL_BEAR:
            slip = self._reports.become(slip, ns)
            slip.exits = trigger
        slip.stage = Stage.SENT
        self._reports.recount(slip)
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

    def _send_exits(self, entry: Slip, price: int, quantity: int, ns: int) -> None:
        """After a fill of a bull-bear entry: a target and a stop around it; one ends the other.

        A target that the day's band does not reach stands at its edge.
        """
        steps = entry.exits
        if steps is None:
            return
        side = entry.side
        target, stop = price + side * steps.profit_step, max(price - side * steps.loss_step, 1)
        limits = entry.listing.band
        target = max(target if limits is None else limits.clamp(target), 1)
        order = NewOrder(
            entry.account,
            entry.first_request_id,
            entry.listing.instrument,
            side.opposite,
            OrderType.LO,
            target,
            quantity,
            Trigger(TriggerKind.OCO, stop),
            entry.channel,
        )
        slip = self.blotter.receive(order, entry.customer, entry.listing, ns)
        slip.parent = entry.parent
        self.blotter.state(slip, ns, NEW)
        self._send(slip, ns)

    # -- the market ---------------------------------------------------------------------------

    def start_day(
        self, ns: int, day: date, references: Mapping[str, int], idle: frozenset[str] = frozenset()
    ) -> None:
        """Begin a trading day: ids begin anew, yesterday's orders are over, nights are charged."""
        self._advance(ns)
        for slip in self.blotter.slips.values():
            if not slip.stage.over:
                self._reports.end(slip, Stage.EXPIRED, "the trading day ended", ns, EXPIRE)
        self.blotter.start_day(day)
        for symbol, listing in self._of_feed.items():
            listing.start_day(day, references.get(symbol), idle=symbol in idle)
        for customer in self.customers:
            customer.start_day(ns, day)

    def enter(self, board: Board, session: Session, ns: int) -> None:
        """Take note that a board is in another session; at its opening the orders that wait for it go out."""
        self._advance(ns)
        here = [one for one in self.listings.values() if one.instrument.board is board]
        opening = session not in SHUT and not all(one.opened for one in here)
        for listing in here:
            listing.enter(session)
        for slip in list(self.blotter.slips.values()):
            if slip.stage in _EARLY and slip.listing.instrument.board is board:
                refusal = self._checks.rules(slip) if opening else None
                if refusal is not None:
                    self._reports.reject(slip, refusal, ns)
                elif opening:
                    self._send(slip, ns)
                elif session is Session.C:
                    self._reports.end(slip, Stage.EXPIRED, "the trading day ended", ns, EXPIRE)
        if board is Board.DERIVATIVES:
            self._watch(self.customers)

    def halt(self, symbol: str, halted: bool, ns: int) -> None:
        """Take note that trading in an instrument is stopped, or goes on."""
        self._advance(ns)
        self.listing(symbol).halted = halted

    def hear(self, events: Iterable[BrokerEvent]) -> None:
        """Take what the exchange reports; events of orders that are not this broker's are skipped."""
        reports = self._reports
        reports.hear(events)
        while reports.entered:
            self._send_exits(*reports.entered.pop(0), self.now)
        if reports.traded:
            traded, reports.traded = reports.traded, []
            self._watch(traded)

    def mark(self, symbol: str, units: int, ns: int = 0) -> None:
        """Take note of the last price (units) of a symbol."""
        self._advance(ns)
        listing = self.listing(symbol)
        listing.last = units
        if listing.instrument.shortable:
            name = listing.instrument.symbol
            self._watch([one for one in self.customers if one.portfolio.quantity(name)])

    def roll(self, symbol: str, instrument: Instrument, ns: int, reference: int | None = None) -> None:
        """Let `symbol` stand for another contract, with today's `reference` where it is known."""
        self._advance(ns)
        old = self._of_feed[symbol]
        listing = self._list(symbol, instrument)
        if listing is not old:
            listing.start_day(old.day, reference, idle=False)
            listing.opened = old.opened
            listing.enter(old.session)

    def settle(self, ns: int, instrument: Instrument, price: int) -> None:
        """Close what is held of a contract that ended, in cash at its final `price` (units), for the tax."""
        self._advance(ns)
        for customer in self.customers:
            customer.portfolio.advance_to(ns)
            if customer.portfolio.settle(ns, instrument, price) is not None:
                self._positions_changed(customer, ns)
        self._watch(self.customers)

    def settle_daily(self, ns: int, auction: Mapping[str, int] | None = None) -> None:
        """End the day of futures: profit becomes cash at the closing auction's price, else the day's last.

        `auction` has that auction's prices in units by symbol. Does nothing where the house does not do so.
        """
        self._advance(ns)
        if not self.settings.daily_settlement:
            return
        for symbol, listing in self._of_feed.items():
            instrument = listing.instrument
            price = daily_settlement_price((auction or {}).get(symbol), listing.last)
            if not instrument.shortable or price is None:
                continue
            for customer in self.customers:
                if customer.portfolio.quantity(instrument.symbol):
                    settle_daily(customer.portfolio, instrument, price)
                    self._positions_changed(customer, ns)
        self._watch(self.customers)

    def act(self, action: CorporateAction) -> None:
        """Apply a dividend or a split to what customers hold."""
        self._advance(action.ns)
        for customer in self.customers:
            customer.portfolio.act(action)

    def take(self) -> list[Statement]:
        """What was said since the last call, in order."""
        said, self.blotter.statements = self.blotter.statements, []
        return said

    def _advance(self, ns: int) -> None:
        if ns > self.now:
            self.now = ns

    def _positions_changed(self, customer: Customer, ns: int) -> None:
        account = customer.accounts.get(Account.DERIVATIVES)
        if account is not None:
            self.blotter.statements.append(PositionsChanged(ns, account))

    # -- margin -------------------------------------------------------------------------------

    def _watch(self, customers: Iterable[Customer]) -> None:
        """Look at the margin of customers; close positions of those beyond the last level."""
        levels = self.settings.levels
        for customer in customers:
            customer.margin_level = funds.level_of(customer, levels)
            beyond = customer.margin_level == len(levels) and self.settings.forced_close
            if beyond and not customer.forcing and self.now >= customer.forced_at + _PATIENCE:
                self._close_by_force(customer)

    def _close_by_force(self, customer: Customer) -> None:
        """Withdraw the customer's orders of futures, and bring the margin in use below the first level."""
        customer.forced_at = ns = self.now
        account = customer.accounts[Account.DERIVATIVES]
        for slip in list(self.blotter.of(account)):
            listing = slip.listing
            legal = slip.waits or can_cancel(listing.instrument.board, listing.session, listing.day)
            if legal and not slip.stage.over and not slip.pending:
                self._withdraw(slip, WithdrawOrder(account, self.blotter.number(customer), slip.key), ns)
        for order in closing_orders(customer, self.listings, account, self.settings.levels[0]):
            numbered = replace(order, request_id=self.blotter.number(customer))
            listing = self.listings[order.instrument.symbol]
            slip = self.blotter.receive(numbered, customer, listing, ns)
            slip.forced = True
            slip.reason = "closed by the broker for want of margin"
            customer.forcing += 1
            self.blotter.state(slip, ns, NEW)
            self._send(slip, ns)
