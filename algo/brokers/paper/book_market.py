"""One instrument at the exchange, through the sessions of its day, with the conditional orders on it."""

from __future__ import annotations

from datetime import date

from algo.brokers.paper.admission import Admission
from algo.brokers.paper.auction import Indicated
from algo.brokers.paper.book_ticket import BookTicket
from algo.brokers.paper.conditional import exit_id
from algo.brokers.paper.matching_engine import NOBODY, SWEEPS, MatchingEngine
from algo.brokers.paper.rules import BookSettings
from algo.market import Session, band, can_cancel, keeps_priority
from algo.model import (
    AmendOrder,
    BrokerEvent,
    CancelOrder,
    Command,
    Instrument,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Quote,
    RequestRefused,
    Side,
    Trade,
)

_AUCTIONS = (Session.ATO, Session.ATC)


class BookMarket:
    """The market of one instrument. `engine` has its books, orders and the day's figures, to be read only."""

    def __init__(
        self, symbol: str, instrument: Instrument, settings: BookSettings, tape: list[Trade]
    ) -> None:
        self.engine = MatchingEngine(symbol, instrument, tape)
        self.board_session = Session.C
        self.halted = False
        self._settings = settings
        self._over = True
        self._waiting: list[BookTicket] = []
        self._admit()

    @property
    def session(self) -> Session:
        """The session as this instrument has it: HALT while it is halted."""
        return Session.HALT if self.halted else self.board_session

    # -- the day ------------------------------------------------------------------------------

    def start_day(self, day: date, reference: int | None, *, first_day: bool) -> None:
        """Begin a day, closed still. ValueError while orders of the last one are left."""
        engine = self.engine
        if engine.tickets:
            raise ValueError(f"{engine.symbol}: {len(engine.tickets)} orders are left of a day never closed")
        edges = None if reference is None else band(engine.instrument, reference, day, first_day=first_day)
        engine.start_day(day, edges)
        self.board_session = Session.C
        self.halted = self._over = False
        self._admit()

    def _admit(self) -> None:
        engine = self.engine
        largest = self._settings.largest_order(engine.instrument.board)
        self._admission = Admission(engine.instrument, engine.day, engine.band, largest)

    def enter(self, session: Session, ns: int) -> list[BrokerEvent]:
        """Go into another session: an auction that ends trades, and orders end with their sessions."""
        before, self.board_session, self.engine.ns = self.board_session, session, ns
        if session in (before, *_AUCTIONS, Session.HALT):
            return []
        ends = session not in (Session.LO, Session.BREAK)
        if not self.halted and not (ends and before is Session.HALT):
            self.engine.uncross()
        for ticket in self.orders():
            if ticket.order_type in (OrderType.ATO, OrderType.ATC):
                self.engine.drop_rest(ticket)
        if ends and before is not Session.C:
            self._close("the trading day ended")
            self._over = session is not Session.PLO
        self._look_at_last()
        return self._said()

    def halt(self, halted: bool, ns: int) -> list[BrokerEvent]:
        """Stop trading in this instrument, or let it go on. Orders stay.

        The trades of an auction that ended meanwhile are made when continuous trading goes on.
        """
        self.halted, self.engine.ns = halted, ns
        if self.session is Session.LO:
            self.engine.uncross()
        self._look_at_last()
        return self._said()

    def roll(self, instrument: Instrument, ns: int) -> list[BrokerEvent]:
        """Stand for another contract: what is left of orders in the old one expires.

        The new one has no band until the next day begins.
        """
        engine = self.engine
        engine.ns = ns
        self._close("the contract ended")
        engine.instrument = instrument
        engine.start_day(engine.day, None)
        self._admit()
        return self._said()

    def _close(self, reason: str) -> None:
        """End every order that is left."""
        engine = self.engine
        engine.entries.clear()
        self._waiting.clear()
        for ticket in self.orders():
            if ticket.order_type is OrderType.PLO:
                engine.drop_rest(ticket)
            else:
                engine.end(OrderExpired(ticket.order_id, engine.ns, reason))

    # -- commands -----------------------------------------------------------------------------

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """Take one command and answer it; what it sets off in other orders follows."""
        self.engine.ns = ns
        if isinstance(command, PlaceOrder):
            refusal = self._place(command)
        elif isinstance(command, AmendOrder):
            refusal = self._amend(command)
        else:
            refusal = self._cancel(command)
        if refusal is not None:
            return [RequestRefused(command.request_id, command.order_id, ns, refusal)]
        self._settle()
        return self._said()

    def _place(self, command: PlaceOrder) -> str | None:
        engine, kind = self.engine, command.order_type
        if command.order_id in engine.tickets:
            return "an order with this id is working"
        if self._over:
            return "the trading day is over"
        refusal = self._admission.placing(command, self.session)
        if refusal is not None:
            return refusal
        odd = self._admission.odd(command.quantity)
        ticket = BookTicket(command, engine.odd_lots if odd else engine.book)
        if not ticket.waits:
            if kind in SWEEPS and engine.book.best(command.side.opposite) is None:
                return NOBODY
            if kind is OrderType.PLO and engine.last is None:
                return "there is no closing price today"
        self._begin(ticket)
        return None

    def _amend(self, command: AmendOrder) -> str | None:
        engine = self.engine
        ticket = engine.tickets.get(command.order_id)
        if ticket is None:
            return "the order is not working"
        price = command.price if command.price != ticket.limit else None
        quantity = command.quantity if command.quantity != ticket.quantity else None
        refusal = self._admission.amending(ticket, price, quantity, self.session)
        if refusal is not None:
            return refusal
        change = 0 if quantity is None else quantity - ticket.quantity
        keeps = ticket.waits or keeps_priority(price_changes=price is not None, quantity_change=change)
        if not keeps:
            ticket.book.remove(ticket)
        if keeps and not ticket.waits:
            ticket.book.reduce(ticket, -change)
        else:
            ticket.leaves += change
        ticket.quantity += change
        ticket.limit = ticket.limit if price is None else price
        engine.events.append(
            OrderAmended(ticket.order_id, engine.ns, ticket.limit, ticket.quantity, command.request_id)
        )
        if not keeps:
            engine.send(ticket, self.session)
        return None

    def _cancel(self, command: CancelOrder) -> str | None:
        engine = self.engine
        ticket = engine.tickets.get(command.order_id)
        if ticket is None:
            return "the order is not working"
        if not ticket.waits and not can_cancel(engine.instrument.board, self.session, engine.day):
            return f"{engine.instrument.board} takes no cancel in session {self.session}"
        engine.end(OrderCancelled(ticket.order_id, engine.ns, command.request_id))
        return None

    def _begin(self, ticket: BookTicket) -> None:
        """Accept an order: it waits for its trigger, or goes into the market."""
        engine = self.engine
        engine.tickets[ticket.order_id] = ticket
        engine.events.append(OrderAccepted(ticket.order_id, engine.ns, "", ticket.waits))
        if not ticket.waits:
            engine.send(ticket, self.session)
        if ticket.watch is not None and ticket.leaves:
            if self.session is Session.LO and engine.last is not None and ticket.watch.see(engine.last):
                self._set_off(ticket)
            else:
                self._waiting.append(ticket)

    # -- conditional orders -------------------------------------------------------------------

    def _look_at_last(self) -> None:
        """Hold every trigger against the last match, as trading becomes continuous."""
        if self.engine.last is not None:
            self.engine.prints.append(self.engine.last)
        self._settle()

    def _settle(self) -> None:
        """Set off what the last trades reached, and whatever that reaches in turn."""
        engine = self.engine
        if self.session is not Session.LO:
            engine.prints.clear()
            return
        while engine.prints or engine.entries:
            prints, engine.prints = engine.prints, []
            entries, engine.entries = engine.entries, []
            for ticket in self._reached(prints):
                if ticket.leaves:  # one set off before may have traded with it
                    self._set_off(ticket)
            for entry, price, size in entries:
                entry.exits += 1
                name = exit_id(entry.order_id, entry.exits)
                command = entry.exit_command(name, price, size, engine.instrument, engine.band, engine.day)
                self._begin(BookTicket(command, engine.book))

    def _reached(self, prints: list[int]) -> list[BookTicket]:
        """The waiting orders whose triggers these prices reach, in the order in which they do."""
        if not self._waiting:
            return []
        tickets = self.engine.tickets
        waiting = [ticket for ticket in self._waiting if tickets.get(ticket.order_id) is ticket]
        reached: list[BookTicket] = []
        for price in prints:
            still: list[BookTicket] = []
            for ticket in waiting:
                hit = ticket.watch is not None and ticket.watch.see(price)
                (reached if hit else still).append(ticket)
            waiting = still
        self._waiting = waiting
        return reached

    def _set_off(self, ticket: BookTicket) -> None:
        """Let a triggered order live: a stop beside a target takes the target's place at the band's edge."""
        engine = self.engine
        if ticket in ticket.book:
            ticket.book.remove(ticket)
        engine.events.append(OrderTriggered(ticket.order_id, engine.ns))
        ticket.set_off(None if engine.band is None else engine.band.edge(ticket.side))
        engine.send(ticket, self.session)

    # -- what is seen -------------------------------------------------------------------------

    def _said(self) -> list[BrokerEvent]:
        events, self.engine.events = self.engine.events, []
        return events

    def orders(self) -> list[BookTicket]:
        """The working orders, oldest first."""
        return list(self.engine.tickets.values())

    def depth(self) -> Quote:
        """The displayed book. In an auction it may be crossed, after the close it is empty."""
        engine = self.engine
        count = 0 if self.board_session is Session.PLO else self._settings.levels(engine.instrument.board)
        return Quote(engine.symbol, engine.ns, engine.shown(Side.BUY, count), engine.shown(Side.SELL, count))

    def indication(self) -> Indicated | None:
        """What the auction would do if it ended now; None outside of auctions."""
        if self.session not in _AUCTIONS:
            return None
        engine = self.engine
        found = engine.clearing()
        price = None if found is None else engine.instrument.price(found.price)
        return Indicated(engine.symbol, engine.ns, price, 0 if found is None else found.volume)
