"""What trades with what in one instrument: its books, its working orders and their matches.

Price, then time; a trade prints at the resting order's price, an auction at its one price. The engine
knows orders and no owners: two orders of one person trade with each other like any others. Keeping a
customer from that is the broker's duty. Odd lots have a book of their own, match in continuous trading
only, and neither move the last price nor show in public.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from algo.brokers.paper.auction import Clearing, clearing
from algo.brokers.paper.book_ticket import BookTicket
from algo.brokers.paper.order_book import AHEAD, OrderBook, Resting
from algo.market import KRX, Band, Session, move
from algo.model import (
    BrokerEvent,
    Instrument,
    Level,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderType,
    Side,
    Trade,
)

SWEEPS = (OrderType.MTL, OrderType.MP)
NOBODY = "nobody is on the other side"


class MatchingEngine:
    """The books of one instrument. `tape` collects the public's trades of all markets.

    `last` is the day's last match in price units, `volume` and `value` (price units times quantity) what
    the public saw traded today. `tickets` are the working orders, oldest first. For whoever drives it:
    `events` are what happened and was not told yet, `prints` the prices that traded, `entries` the
    fills of bull-bear orders as (order, price, quantity).
    """

    def __init__(self, symbol: str, instrument: Instrument, tape: list[Trade]) -> None:
        self.symbol = symbol
        self.instrument = instrument
        self.day = date.min
        self.band: Band | None = None
        self.last: int | None = None
        self.volume = 0
        self.value = 0
        self.ns = 0
        self.book = OrderBook()
        self.odd_lots = OrderBook()
        self.tickets: dict[str, BookTicket] = {}
        self.events: list[BrokerEvent] = []
        self.prints: list[int] = []
        self.entries: list[tuple[BookTicket, int, int]] = []
        self._tape = tape
        self._matches = 0

    def start_day(self, day: date, band: Band | None) -> None:
        """Begin a day in which nothing has traded."""
        self.day, self.band = day, band
        self.last, self.volume, self.value = None, 0, 0

    # -- orders -------------------------------------------------------------------------------

    def send(self, ticket: BookTicket, session: Session) -> None:
        """Put an order into the market by the rules of its type."""
        kind, side = ticket.order_type, ticket.side
        if kind in (OrderType.ATO, OrderType.ATC):
            edge = None if self.band is None or self.day < KRX else self.band.edge(side)
            ticket.price = side * AHEAD if edge is None else edge
            ticket.book.add(ticket)
        elif kind is OrderType.MOK and not self._whole(ticket):
            self.end(OrderCancelled(ticket.order_id, self.ns, "", "a MOK order trades whole or not at all"))
        elif kind in (OrderType.MOK, OrderType.MAK):
            self._cross(ticket, side * AHEAD)
            if ticket.leaves:
                self.drop_rest(ticket)
        elif kind in SWEEPS:
            printed = self._cross(ticket, side * AHEAD)
            if printed is None:
                self.end(OrderRejected(ticket.order_id, self.ns, NOBODY))
            elif ticket.leaves:
                self._rest_beyond(ticket, printed)
        else:
            ticket.price = (self.last or 0) if kind is OrderType.PLO else ticket.limit
            if session in (Session.LO, Session.PLO):
                self._cross(ticket, ticket.price)
            if ticket.leaves:
                ticket.book.add(ticket)

    def end(self, event: OrderCancelled | OrderExpired | OrderRejected) -> None:
        """Take an order out of the market, and say why."""
        ticket = self.tickets.pop(event.order_id)
        if ticket in ticket.book:
            ticket.book.remove(ticket)
        self.events.append(event)

    def drop_rest(self, ticket: BookTicket) -> None:
        """Cancel what is left of an order whose type does not wait."""
        reason = f"the rest of an order of type {ticket.order_type} is cancelled"
        self.end(OrderCancelled(ticket.order_id, self.ns, "", reason))

    def _whole(self, ticket: BookTicket) -> bool:
        return ticket.book.fillable(ticket.side, ticket.side * AHEAD, ticket.leaves) == ticket.leaves

    def _rest_beyond(self, ticket: BookTicket, printed: int) -> None:
        """Let the rest of a swept order stay as a limit one tick beyond its last print, inside the band."""
        if self.instrument.adjusted:
            price = max(printed + ticket.side, 1)
        else:
            price = move(self.instrument, printed, int(ticket.side), self.day)
        ticket.order_type = OrderType.LO
        ticket.price = ticket.limit = price if self.band is None else self.band.clamp(price)
        ticket.book.add(ticket)

    # -- matches ------------------------------------------------------------------------------

    def _cross(self, ticket: BookTicket, limit: int) -> int | None:
        """Trade against the other side down to `limit`; gives the last price, None without a trade."""
        price = None
        for other, size in ticket.book.take(ticket.side, limit, ticket.leaves):
            price = other.price
            ticket.leaves -= size
            self._match(ticket, other, price, size)
            if ticket.book is self.book:
                self._print(price, size, int(ticket.side))
                self.prints.append(price)
        return price

    def uncross(self) -> None:
        """Trade a crossed book at the auction's one price, each side in its order."""
        found = self.clearing()
        if found is None:
            return
        price, volume = found
        buys = self.book.take(Side.SELL, price, volume)
        sells = self.book.take(Side.BUY, price, volume)
        for buy, sell, size in _paired(buys, sells):
            self._match(buy, sell, price, size)
        self._print(price, volume, 0)

    def clearing(self) -> Clearing | None:
        """Where the book would trade as an auction."""
        anchor = self.last
        if anchor is None and self.band is not None:
            anchor = self.band.reference
        return clearing(self.book, self.band, anchor)

    def _match(self, one: Resting, other: Resting, price: int, size: int) -> None:
        """Tell both orders of their trade."""
        self._matches += 1
        for order in (one, other):
            ticket = self.tickets[order.order_id]
            self.events.append(
                OrderFilled(ticket.order_id, self.ns, price, size, f"B{self._matches}", ticket.exit_reason)
            )
            ticket.traded += size
            if ticket.brings_exits:
                self.entries.append((ticket, price, size))
            if ticket.traded == ticket.quantity:
                del self.tickets[ticket.order_id]

    def _print(self, price: int, size: int, side: int) -> None:
        """Show a trade to the public."""
        self.last = price
        self.volume += size
        self.value += price * size
        self._tape.append(Trade(self.symbol, self.ns, self.instrument.price(price), size, side))

    def shown(self, side: Side, count: int) -> tuple[Level, ...]:
        """The first `count` price levels of a side; orders at any price are not shown."""
        found: list[Level] = []
        for price, size in self.book.levels(side):
            if len(found) == count:
                break
            if abs(price) != AHEAD:
                found.append(Level(self.instrument.price(price), size))
        return tuple(found)


def _paired(
    buys: list[tuple[Resting, int]], sells: list[tuple[Resting, int]]
) -> Iterator[tuple[Resting, Resting, int]]:
    """Who trades with whom at one price: both lists in their order, each to the end."""
    others = iter(sells)
    sell, offered = next(others)
    for buy, wanted in buys:
        left = wanted
        while left:
            if not offered:
                sell, offered = next(others)
            size = min(left, offered)
            left, offered = left - size, offered - size
            yield buy, sell, size
