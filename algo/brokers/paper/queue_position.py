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
from algo.model import Instrument, Quote, Side

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

    __slots__ = ("_places", "_shown")

    def __init__(self) -> None:
        self._shown: dict[Side, Levels] = {}
        self._places: dict[str, _Place] = {}

    @property
    def seen(self) -> bool:
        """Whether any quote was seen."""
        return bool(self._shown)

    def clear(self) -> None:
        """Forget the book, as between two days."""
        self._shown = {}
        self._places.clear()

    def show(self, quote: Quote, instrument: Instrument, tickets: list[Ticket]) -> dict[Side, Levels]:
        """Take a new book; gives what each side can take: the asks to a buyer, the bids to a seller."""
        resting = [ticket for ticket in tickets if ticket.rests]
        new = _sides(quote, instrument)
        self._shown = self._shown or new
        for ticket in resting:
            self.place(ticket)  # by the book that it came to
        self._shown = new
        for ticket in resting:
            displayed = self._displayed(ticket)
            if displayed is not None:
                self.place(ticket).see(displayed)
        return {side: [list(level) for level in new[side.opposite]] for side in Side}

    def place(self, ticket: Ticket) -> _Place:
        """The place of a resting order; one that came or changed since the last look joins the end."""
        place = self._places.get(ticket.order_id)
        if place is None or place.price != ticket.limit or place.since != ticket.arrived:
            offers = self._shown.get(ticket.side.opposite, [])
            takes = any((ticket.limit - price) * ticket.side >= 0 for price, _ in offers[:1])
            rests = bool(self._shown) and not takes
            place = _Place(ticket, self._displayed(ticket), rests)
            self._places[ticket.order_id] = place
        return place

    def rested(self, ticket: Ticket) -> bool:
        """Whether the order was in the book at the last quote already; from now on it is."""
        place = self.place(ticket)
        rests, place.rests = place.rests, True
        return rests

    def reach(self, ticket: Ticket, price: int, quantity: int, side: int) -> int:
        """How much of a public trade gets to this resting order; the trade wears down its queue.

        `side` is the trade's aggressor as a sign, 0 when not known.
        """
        place = self.place(ticket)
        beyond = (ticket.limit - price) * ticket.side
        if beyond > 0:
            place.ahead = place.untold = 0
            return quantity
        if beyond < 0 or side == ticket.side or place.ahead is None:
            return 0
        return place.wear(quantity)

    def _displayed(self, ticket: Ticket) -> int | None:
        """The size displayed at the order's price, None when that price lies beyond what is shown."""
        levels = self._shown.get(ticket.side)
        if not levels or (ticket.limit - levels[-1][0]) * ticket.side < 0:
            return None
        return next((size for price, size in levels if price == ticket.limit), 0)


def _sides(quote: Quote, instrument: Instrument) -> dict[Side, Levels]:
    return {
        Side.BUY: [[instrument.units(price), size] for price, size in quote.bids],
        Side.SELL: [[instrument.units(price), size] for price, size in quote.asks],
    }
