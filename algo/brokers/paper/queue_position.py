"""Where resting orders stand in the queues of a replayed market.

The replayed book has none of our orders in it. In front of an order is what was displayed at its price
when it came. Trades at that price wear this down. When the displayed size falls without a trade,
somebody cancelled, and that is taken to have been behind us for as long as it can have been: what is
ahead is never more than what is displayed, and falls no further. A trade that is told after the book
that shows it is not counted twice. A price beyond what is displayed tells nothing: the queue there is
not known, and only a trade beyond the price shows that it is gone.
"""

from __future__ import annotations

from algo.brokers.paper.ticket import Ticket
from algo.model import Instrument, Quote, Side, Trade

Levels = list[list[int]]
"""Price in units and displayed quantity, best first."""


class _Place:
    """One order's place. `ahead` is None while the queue is not known.

    `untold` is by how much the book showed it shorter without a trade so far. `rests` says that the
    order was in the book before the quote at hand, so that it takes nothing.
    """

    __slots__ = ("ahead", "price", "rests", "since", "untold")

    def __init__(self, ticket: Ticket, ahead: int | None, rests: bool) -> None:
        self.price = ticket.limit
        self.since = ticket.arrived
        self.ahead = ahead
        self.rests = rests
        self.untold = 0

    def see(self, displayed: int) -> None:
        """The book shows this much at the price."""
        if self.ahead is None:
            self.ahead = displayed
        elif displayed < self.ahead:
            self.untold += self.ahead - displayed
            self.ahead = displayed

    def wear(self, quantity: int) -> int:
        """A trade of this much was made at the price; gives what of it got past the queue."""
        told = min(quantity, self.untold)
        self.untold -= told
        quantity -= told
        ahead = self.ahead or 0
        self.ahead = max(ahead - quantity, 0)
        return max(quantity - ahead, 0)


class Queues:
    """The displayed book of one symbol, and the places of our orders in it. Keeps no order alive."""

    __slots__ = ("_last", "_places", "_quote", "_sides")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything, as between two days."""
        self._quote: Quote | None = None
        self._sides: dict[Side, Levels] = {}  # of the quote, made when somebody asks
        self._last = 0
        self._places: dict[str, _Place] = {}

    @property
    def seen(self) -> bool:
        """Whether any quote was seen."""
        return self._quote is not None

    def note(self, quote: Quote) -> None:
        """Take a new book while no order of ours is there."""
        self._quote, self._sides = quote, {}

    def show(self, quote: Quote, tickets: list[Ticket]) -> dict[Side, Levels]:
        """Take a new book; gives what each side can take: the asks to a buyer, the bids to a seller."""
        instrument = tickets[0].instrument
        resting = [ticket for ticket in tickets if ticket.rests]
        if self._quote is None:
            self.note(quote)
        for ticket in resting:
            self.place(ticket)  # by the book that it came to
        self.note(quote)
        for ticket in resting:
            displayed = self._displayed(ticket)
            if displayed is not None:
                self.place(ticket).see(displayed)
        sides = self._levels(instrument)
        return {side: [list(level) for level in sides[side.opposite]] for side in Side}

    def place(self, ticket: Ticket) -> _Place:
        """The place of a resting order; one that came or changed since the last look joins the end."""
        place = self._places.get(ticket.order_id)
        if place is None or place.price != ticket.limit or place.since != ticket.arrived:
            place = _Place(ticket, self._displayed(ticket), not self._comes_to_take(ticket))
            self._places[ticket.order_id] = place
        return place

    def rested(self, ticket: Ticket) -> bool:
        """Whether the order was in the book before the quote at hand; from now on it is."""
        place = self.place(ticket)
        rests, place.rests = place.rests, True
        return rests

    def reach(self, ticket: Ticket, trade: Trade, price: int, auction: bool) -> tuple[int, int]:
        """At which price a public trade at `price` fills this limit order, and how much of it gets there.

        The trade wears down the queue. An order that came to take waits for the next quote, or takes the
        trade's price where no book is ever seen. An auction has one price for all.
        """
        place = self.place(ticket)
        beyond = (ticket.limit - price) * ticket.side
        at = price if auction else ticket.limit
        if not auction and not place.rests:
            place.rests = not self.seen and beyond < 0  # the market went away from it
            return price, 0 if self.seen or beyond < 0 else trade.quantity
        if beyond > 0:
            place.ahead = place.untold = 0
            return at, trade.quantity
        if beyond < 0 or trade.side == ticket.side or place.ahead is None:
            return at, 0
        return at, place.wear(trade.quantity)

    def hear(self, price: int) -> None:
        """Remember the last traded price."""
        self._last = price

    def _comes_to_take(self, ticket: Ticket) -> bool:
        """Whether a limit order that comes now takes what it finds, as far as can be seen."""
        if self._quote is not None:
            offers = self._levels(ticket.instrument)[ticket.side.opposite]
            return bool(offers) and (ticket.limit - offers[0][0]) * ticket.side >= 0
        return ticket.at_market or (self._last != 0 and (ticket.limit - self._last) * ticket.side > 0)

    def _displayed(self, ticket: Ticket) -> int | None:
        """The size displayed at the order's price, None when that price lies beyond what is shown."""
        levels = self._levels(ticket.instrument)[ticket.side]
        if not levels or (ticket.limit - levels[-1][0]) * ticket.side < 0:
            return None
        return next((size for price, size in levels if price == ticket.limit), 0)

    def _levels(self, instrument: Instrument) -> dict[Side, Levels]:
        if not self._sides:
            bids, asks = ((), ()) if self._quote is None else (self._quote.bids, self._quote.asks)
            self._sides = {
                Side.BUY: [[instrument.units(price), size] for price, size in bids],
                Side.SELL: [[instrument.units(price), size] for price, size in asks],
            }
        return self._sides
