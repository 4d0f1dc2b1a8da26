"""One instrument at the exchange, through the sessions of its day.

Price, then time; a trade prints at the resting order's price; auctions by `clearing`. The exchange
knows orders and no owners: two orders of one person trade with each other like any others. Keeping a
customer from that is the broker's duty. Odd lots have a book of their own, match in continuous trading
only, and neither move the last price nor show in public.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from algo.brokers.paper.admission import Admission
from algo.brokers.paper.auction import Clearing, Indicated, clearing
from algo.brokers.paper.book_ticket import BookTicket
from algo.brokers.paper.conditional import exit_id
from algo.brokers.paper.order_book import AHEAD, OrderBook, Resting
from algo.brokers.paper.rules import BookSettings
from algo.market import (
    KRX,
    Band,
    Session,
    band,
    can_cancel,
    keeps_priority,
    move,
)
from algo.model import (
    AmendOrder,
    BrokerEvent,
    CancelOrder,
    Command,
    Instrument,
    Level,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Quote,
    RequestRefused,
    Side,
    Trade,
)

_AUCTIONS = (Session.ATO, Session.ATC)
_SWEEPS = (OrderType.MTL, OrderType.MP)
_NOBODY = "nobody is on the other side"


class BookMarket:
    """The market of one instrument. `tape` and `changed` collect what the public sees of all markets.

    `last` is the day's last match in price units, `volume` and `value` (price units times quantity) what
    the public saw traded today.
    """

    def __init__(
        self,
        symbol: str,
        instrument: Instrument,
        settings: BookSettings,
        tape: list[Trade],
        changed: dict[str, None],
    ) -> None:
        self.symbol = symbol
        self.instrument = instrument
        self.session = Session.C
        self.halted = False
        self.band: Band | None = None
        self.last: int | None = None
        self.volume = 0
        self.value = 0
        self.ns = 0
        self._settings = settings
        self._admit(date.min)
        self._over = True
        self._tape = tape
        self._changed = changed
        self._book = OrderBook()
        self._odd_lots = OrderBook()
        self._tickets: dict[str, BookTicket] = {}
        self._waiting: list[BookTicket] = []
        self._prints: list[int] = []
        self._entries: list[tuple[BookTicket, int, int]] = []
        self._events: list[BrokerEvent] = []
        self._matches = 0

    # -- the day ------------------------------------------------------------------------------

    def start_day(self, day: date, reference: int | None, *, first_day: bool) -> None:
        """Begin a day that is closed still. ValueError while orders of the last one are left."""
        if self._tickets:
            raise ValueError(
                f"{self.symbol}: the last day was never closed, {len(self._tickets)} orders are left"
            )
        self.band = None if reference is None else band(self.instrument, reference, day, first_day=first_day)
        self._admit(day)
        self.session = Session.C
        self.halted = self._over = False
        self.last, self.volume, self.value = None, 0, 0
        self._touch()

    def _admit(self, day: date) -> None:
        self._day = day
        largest = self._settings.largest_order(self.instrument.board)
        self._admission = Admission(self.instrument, day, self.band, largest)

    def enter(self, session: Session, ns: int) -> list[BrokerEvent]:
        """Go into another session: an auction that ends trades, and orders end with their sessions."""
        if session is self.session:
            return []
        before, self.session, self.ns = self.session, session, ns
        self._touch()
        if session in (*_AUCTIONS, Session.HALT):
            return self._said()
        self._uncross()
        for ticket in list(self._tickets.values()):
            if ticket.order_type in (OrderType.ATO, OrderType.ATC):
                self._end(
                    OrderCancelled(
                        ticket.order_id, ns, "", f"the rest of an {ticket.order_type} order is cancelled"
                    )
                )
        if session not in (Session.LO, Session.BREAK) and before is not Session.C:
            self._close("the trading day ended")
        self._look_at_last()
        return self._said()

    def halt(self, halted: bool, ns: int) -> list[BrokerEvent]:
        """Stop trading in this instrument, or let it go on. Orders stay.

        An auction that would have ended meanwhile is held when trading goes on.
        """
        if halted is self.halted:
            return []
        self.halted, self.ns = halted, ns
        self._touch()
        if self.session not in _AUCTIONS:
            self._uncross()
        self._look_at_last()
        return self._said()

    def roll(self, instrument: Instrument, ns: int) -> list[BrokerEvent]:
        """Stand for another contract from now on: what is left of orders in the old one expires."""
        self.ns = ns
        self._close("the contract ended")
        self.instrument = instrument
        self.band = None  # until the next day begins
        self._admit(self._day)
        return self._said()

    def _close(self, reason: str) -> None:
        """End every order that is left."""
        self._over = True
        self._entries.clear()
        for ticket in list(self._tickets.values()):
            if ticket.order_type is OrderType.PLO:
                self._end(
                    OrderCancelled(ticket.order_id, self.ns, "", "the rest of a PLO order is cancelled")
                )
            else:
                self._end(OrderExpired(ticket.order_id, self.ns, reason))

    @property
    def _open(self) -> Session:
        """The session as this instrument has it."""
        return Session.HALT if self.halted else self.session

    # -- commands -----------------------------------------------------------------------------

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """Take one command and answer it; what it sets off in other orders follows."""
        self.ns = ns
        refusal = (
            self._place(command)
            if isinstance(command, PlaceOrder)
            else self._amend(command)
            if isinstance(command, AmendOrder)
            else self._cancel(command)
        )
        if refusal is not None:
            return [RequestRefused(command.request_id, command.order_id, ns, refusal)]
        self._settle()
        return self._said()

    def _place(self, command: PlaceOrder) -> str | None:
        kind = command.order_type
        if command.order_id in self._tickets:
            return "an order with this id is working"
        if self._over:
            return "the trading day is over"
        refusal = self._admission.placing(command, self._open)
        if refusal is not None:
            return refusal
        ticket = BookTicket(command, self._odd_lots if self._admission.odd(command.quantity) else self._book)
        if not ticket.waits:
            if kind in _SWEEPS and self._book.best(command.side.opposite) is None:
                return _NOBODY
            if kind is OrderType.PLO and self.last is None:
                return "there is no closing price today"
        self._begin(ticket)
        return None

    def _amend(self, command: AmendOrder) -> str | None:
        ticket = self._tickets.get(command.order_id)
        if ticket is None:
            return "the order is not working"
        price = command.price if command.price != ticket.limit else None
        quantity = command.quantity if command.quantity != ticket.quantity else None
        refusal = self._admission.amending(ticket, price, quantity, self._open)
        if refusal is not None:
            return refusal
        change = 0 if quantity is None else quantity - ticket.quantity
        ticket.quantity += change
        resting = ticket in ticket.book
        if resting and keeps_priority(price_changes=price is not None, quantity_change=change):
            ticket.book.reduce(ticket, -change)
        else:
            if resting:
                ticket.book.remove(ticket)
            ticket.leaves += change
            ticket.limit = ticket.limit if price is None else price
        self._touch()
        self._events.append(
            OrderAmended(ticket.order_id, self.ns, ticket.limit, ticket.quantity, command.request_id)
        )
        if resting and ticket not in ticket.book:
            self._send(ticket)
        return None

    def _cancel(self, command: CancelOrder) -> str | None:
        ticket = self._tickets.get(command.order_id)
        if ticket is None:
            return "the order is not working"
        board, session = self.instrument.board, self._open
        if not ticket.waits and not can_cancel(board, session, self._day):
            return f"{board} takes no cancel in session {session}"
        self._end(OrderCancelled(ticket.order_id, self.ns, command.request_id))
        return None

    # -- matching -----------------------------------------------------------------------------

    def _begin(self, ticket: BookTicket) -> None:
        """Accept an order: it waits for its trigger, or goes into the market."""
        self._tickets[ticket.order_id] = ticket
        self._events.append(OrderAccepted(ticket.order_id, self.ns, "", ticket.waits))
        if not ticket.waits:
            self._send(ticket)
        if ticket.watch is not None and ticket.leaves:
            self._waiting.append(ticket)
            if self._open is Session.LO and self.last is not None and ticket.watch.see(self.last):
                self._set_off(ticket)

    def _send(self, ticket: BookTicket) -> None:
        """Put an order into the market by the rules of its type."""
        kind, book, side = ticket.order_type, ticket.book, ticket.side
        if kind in (OrderType.ATO, OrderType.ATC):
            edge = None if self.band is None or self._day < KRX else self.band.edge(side)
            ticket.price = side * AHEAD if edge is None else edge
            self._rest(ticket)
        elif kind is OrderType.MOK and book.fillable(side, side * AHEAD, ticket.leaves) < ticket.leaves:
            self._end(OrderCancelled(ticket.order_id, self.ns, "", "a MOK order trades whole or not at all"))
        elif kind in (OrderType.MOK, OrderType.MAK):
            self._cross(ticket, side * AHEAD)
            if ticket.leaves:
                self._end(
                    OrderCancelled(ticket.order_id, self.ns, "", "the rest of a MAK order is cancelled")
                )
        elif kind in _SWEEPS:
            printed = self._cross(ticket, side * AHEAD)
            if printed is None:
                self._end(OrderRejected(ticket.order_id, self.ns, _NOBODY))
            elif ticket.leaves:
                self._rest_beyond(ticket, printed)
        else:
            ticket.price = (self.last or 0) if kind is OrderType.PLO else ticket.limit
            if self._open in (Session.LO, Session.PLO):
                self._cross(ticket, ticket.price)
            if ticket.leaves:
                self._rest(ticket)

    def _rest_beyond(self, ticket: BookTicket, printed: int) -> None:
        """Let the rest of a swept order stay as a limit one tick beyond its last print, inside the band."""
        if self.instrument.adjusted:
            price = max(printed + ticket.side, 1)
        else:
            price = move(self.instrument, printed, int(ticket.side), self._day)
        ticket.order_type = OrderType.LO
        ticket.price = ticket.limit = price if self.band is None else self.band.clamp(price)
        self._rest(ticket)

    def _rest(self, ticket: BookTicket) -> None:
        ticket.book.add(ticket)
        self._touch()

    def _cross(self, ticket: BookTicket, limit: int) -> int | None:
        """Trade against the other side down to `limit`; gives the last price, None without a trade."""
        price = None
        for other, size in ticket.book.take(ticket.side, limit, ticket.leaves):
            price = other.price
            ticket.leaves -= size
            self._match(ticket, other, price, size)
            if ticket.book is self._book:
                self._print(price, size, int(ticket.side))
        return price

    def _match(self, one: Resting, other: Resting, price: int, size: int) -> None:
        """Tell both orders of their trade."""
        self._matches += 1
        for order in (one, other):
            ticket = self._tickets[order.order_id]
            self._events.append(
                OrderFilled(ticket.order_id, self.ns, price, size, f"B{self._matches}", ticket.exit_reason)
            )
            ticket.traded += size
            if ticket.brings_exits:
                self._entries.append((ticket, price, size))
            if ticket.traded == ticket.quantity:
                self._forget(ticket)

    def _print(self, price: int, size: int, side: int) -> None:
        """Show a trade to the public."""
        self.last = price
        self.volume += size
        self.value += price * size
        self._prints.append(price)
        self._tape.append(Trade(self.symbol, self.ns, self.instrument.price(price), size, side))
        self._touch()

    def _uncross(self) -> None:
        """Trade a crossed book at the auction's one price, each side in its order."""
        found = None if self.halted else self._clearing()
        if found is None:
            return
        price, volume = found
        buys = self._book.take(Side.SELL, price, volume)
        sells = self._book.take(Side.BUY, price, volume)
        for buy, sell, size in _paired(buys, sells):
            self._match(buy, sell, price, size)
        self._print(price, volume, 0)
        self._prints.clear()  # no trigger counts in an auction

    def _clearing(self) -> Clearing | None:
        anchor = self.last if self.last is not None else None if self.band is None else self.band.reference
        return clearing(self._book, self.band, anchor)

    # -- conditional orders -------------------------------------------------------------------

    def _look_at_last(self) -> None:
        """Hold every trigger against the last match, as trading becomes continuous."""
        if self._open is Session.LO and self.last is not None:
            self._prints.append(self.last)
        self._settle()

    def _settle(self) -> None:
        """Set off what the last trades reached, and whatever that reaches in turn."""
        if self._open is not Session.LO:
            self._prints.clear()
            return
        while self._prints or self._entries:
            prints, self._prints = self._prints, []
            entries, self._entries = self._entries, []
            due = []
            for price in prints:
                for ticket in self._waiting:
                    if ticket.watch is not None and ticket not in due and ticket.watch.see(price):
                        due.append(ticket)
            for ticket in due:
                if ticket.order_id in self._tickets:  # an earlier one of them may have ended it
                    self._set_off(ticket)
            for entry, price, size in entries:
                entry.exits += 1
                name = exit_id(entry.order_id, entry.exits)
                command = entry.exit_command(name, price, size, self.instrument, self.band, self._day)
                self._begin(BookTicket(command, self._book))

    def _set_off(self, ticket: BookTicket) -> None:
        """Let a triggered order live: a stop beside a target takes the target's place at the band's edge."""
        self._waiting.remove(ticket)
        if ticket in ticket.book:
            ticket.book.remove(ticket)
        self._events.append(OrderTriggered(ticket.order_id, self.ns))
        ticket.set_off(None if self.band is None else self.band.edge(ticket.side))
        self._touch()
        self._send(ticket)

    # -- tickets ------------------------------------------------------------------------------

    def _end(self, event: OrderCancelled | OrderExpired | OrderRejected) -> None:
        ticket = self._tickets[event.order_id]
        if ticket in ticket.book:
            ticket.book.remove(ticket)
            self._touch()
        self._forget(ticket)
        self._events.append(event)

    def _drop_rest(self, ticket: BookTicket) -> None:
        reason = f"the rest of an order of type {ticket.order_type} is cancelled"
        self._end(OrderCancelled(ticket.order_id, self.ns, "", reason))

    def _forget(self, ticket: BookTicket) -> None:
        del self._tickets[ticket.order_id]
        if ticket.watch is not None and ticket in self._waiting:
            self._waiting.remove(ticket)

    def _touch(self) -> None:
        self._changed[self.symbol] = None

    def _said(self) -> list[BrokerEvent]:
        events, self._events = self._events, []
        return events

    # -- what is seen -------------------------------------------------------------------------

    def orders(self) -> list[BookTicket]:
        """The working orders, oldest first."""
        return list(self._tickets.values())

    def depth(self) -> Quote:
        """The displayed book. In an auction it may be crossed; orders at any price are not shown."""
        count = self._settings.levels(self.instrument.board)
        bids, asks = (self._shown(side, count) for side in (Side.BUY, Side.SELL))
        return Quote(self.symbol, self.ns, bids, asks)

    def _shown(self, side: Side, count: int) -> tuple[Level, ...]:
        if self.session is Session.PLO:
            return ()
        found: list[Level] = []
        for price, size in self._book.levels(side):
            if len(found) == count:
                break
            if abs(price) != AHEAD:
                found.append(Level(self.instrument.price(price), size))
        return tuple(found)

    def indication(self) -> Indicated | None:
        """What the auction would do if it ended now; None outside of auctions."""
        if self._open not in _AUCTIONS:
            return None
        found = self._clearing()
        price = None if found is None else self.instrument.price(found.price)
        return Indicated(self.symbol, self.ns, price, 0 if found is None else found.volume)


def _paired(
    buys: list[tuple[Resting, int]], sells: list[tuple[Resting, int]]
) -> Iterator[tuple[Resting, Resting, int]]:
    """Who trades with whom at one price: both lists in their order, each to the end."""
    mine = iter(sells)
    sell, offered = next(mine)
    for buy, wanted in buys:
        left = wanted
        while left:
            if not offered:
                sell, offered = next(mine)
            size = min(left, offered)
            left, offered = left - size, offered - size
            yield buy, sell, size
