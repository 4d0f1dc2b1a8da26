"""An exchange of one instrument as one would write it on a page: one list, sorted anew for each trade.

It knows plain orders, no conditions and no odd lots. It shares the tables of `algo.market` with the
real one, and no code of the paper exchange.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from algo.market import KRX, Band, Session, band, can_amend, can_cancel, legal_types, tick
from algo.model import Instrument, OrderType, Side

FIRST = 10**12  # the rank of an order that goes before every price


@dataclass
class Plain:
    """One order. `price` is None when it trades at any price."""

    name: str
    side: Side
    kind: OrderType
    price: int | None
    total: int
    left: int
    turn: int

    @property
    def rank(self) -> tuple[int, int]:
        """Who goes first: the better price, then the earlier turn."""
        return (-FIRST if self.price is None else -self.side * self.price, self.turn)

    def takes(self, price: int) -> bool:
        """Whether it would trade at `price`."""
        return self.price is None or (self.price - price) * self.side >= 0


def auction_price(
    orders: list[tuple[Side, int | None, int]], prices: list[int], anchor: int | None
) -> tuple[int, int] | None:
    """(price, volume) by trying every one of `prices`; orders are (side, price or None, quantity)."""
    found = []
    for price in prices:
        bought = sum(q for side, p, q in orders if side is Side.BUY and (p is None or p >= price))
        sold = sum(q for side, p, q in orders if side is Side.SELL and (p is None or p <= price))
        volume = min(bought, sold)
        one_side_whole = volume in (bought, sold)
        distance = 0 if anchor is None else abs(price - anchor)
        found.append((volume, one_side_whole, -distance, price))
    volume, _, _, price = max(found)
    return (price, volume) if volume else None


def every_price(instrument: Instrument, edges: Band, day: date) -> list[int]:
    """Every price on the tick from floor to ceiling."""
    prices = [edges.floor]
    while prices[-1] < edges.ceiling:
        prices.append(prices[-1] + tick(instrument, prices[-1], day))
    return prices


class SecondExchange:
    """What must happen. `fills` counts quantity by (order, price); `over` are orders that ended unfilled."""

    def __init__(self, instrument: Instrument, day: date, reference: int) -> None:
        self.instrument, self.day = instrument, day
        self.band = band(instrument, reference, day)
        self.prices = every_price(instrument, self.band, day)
        self.session = Session.C
        self.last: int | None = None
        self.orders: list[Plain] = []
        self.turns = 0
        self.fills: Counter[tuple[str, int]] = Counter()
        self.over: set[str] = set()

    def enter(self, session: Session) -> None:
        """The board goes into another session."""
        ended, self.session = self.session, session
        if ended in (Session.ATO, Session.ATC):
            self._auction()
        for order in list(self.orders):
            lives = order.kind is OrderType.LO and session in (Session.LO, Session.BREAK, Session.ATC)
            if not lives and ended is not Session.C:
                self._drop(order)

    def place(self, name: str, side: Side, kind: OrderType, price: int, quantity: int) -> bool:
        """A new order; whether it is taken."""
        against = any(order.side is not side for order in self.orders)
        if kind not in legal_types(self.instrument.board, self.session, self.day):
            return False
        if kind is OrderType.LO and price not in self.prices:
            return False
        if kind in (OrderType.MTL, OrderType.MP) and not against:
            return False
        if kind is OrderType.PLO and self.last is None:
            return False
        at = price if kind is OrderType.LO else self.last if kind is OrderType.PLO else None
        if kind in (OrderType.ATO, OrderType.ATC) and self.day >= KRX:
            at = self.band.edge(side)
        self._add(Plain(name, side, kind, at, quantity, quantity, 0))
        return True

    def cancel(self, name: str) -> bool:
        """An order's end; whether that is taken."""
        order = self._find(name)
        if order is None or not can_cancel(self.instrument.board, self.session, self.day):
            return False
        self._drop(order)
        return True

    def amend(self, name: str, price: int | None, total: int | None) -> bool:
        """Another price or total quantity; whether that is taken."""
        order = self._find(name)
        if order is None or not can_amend(self.instrument.board, self.session, self.day):
            return False
        new_price = order.price if price is None else price
        new_total = order.total if total is None else total
        changes = (new_price != order.price) + (new_total != order.total)
        done = order.total - order.left
        if changes == 0 or (changes == 2 and self.day >= KRX) or new_total <= done:
            return False
        if new_price not in self.prices:
            return False
        later = new_price != order.price or new_total > order.total
        order.price, order.total, order.left = new_price, new_total, new_total - done
        if later:
            self.orders.remove(order)
            self._add(order)
        return True

    def _find(self, name: str) -> Plain | None:
        return next((order for order in self.orders if order.name == name), None)

    def _add(self, order: Plain) -> None:
        self.turns += 1
        order.turn = self.turns
        if self.session in (Session.ATO, Session.ATC):
            self.orders.append(order)
            return
        against = sorted((o for o in self.orders if o.side is not order.side), key=lambda o: o.rank)
        within = [o for o in against if o.price is not None and order.takes(o.price)]
        if order.kind is OrderType.MOK and sum(o.left for o in within) < order.left:
            self.over.add(order.name)
            return
        printed = 0
        for other in within:
            if order.left:
                printed = other.price or 0
                self._trade(order, other, printed)
        if not order.left:
            return
        if order.kind in (OrderType.MAK, OrderType.MOK):
            self.over.add(order.name)
            return
        if order.kind in (OrderType.MTL, OrderType.MP):
            where = self.prices.index(printed) + int(order.side)
            order.price = self.prices[min(max(where, 0), len(self.prices) - 1)]
            order.kind = OrderType.LO
        self.orders.append(order)

    def _auction(self) -> None:
        book = [(o.side, o.price, o.left) for o in self.orders]
        found = auction_price(book, self.prices, self.band.reference if self.last is None else self.last)
        if found is None:
            return
        price, volume = found
        ranked = sorted((o for o in self.orders if o.takes(price)), key=lambda o: o.rank)
        for side in Side:
            left = volume
            for order in [o for o in ranked if o.side is side]:
                part = min(left, order.left)
                left -= part
                if part:
                    self._fill(order, price, part)
        self.last = price

    def _trade(self, one: Plain, other: Plain, price: int) -> None:
        size = min(one.left, other.left)
        self._fill(one, price, size)
        self._fill(other, price, size)
        self.last = price

    def _fill(self, order: Plain, price: int, quantity: int) -> None:
        self.fills[order.name, price] += quantity
        order.left -= quantity
        if not order.left and order in self.orders:
            self.orders.remove(order)

    def _drop(self, order: Plain) -> None:
        self.orders.remove(order)
        self.over.add(order.name)
