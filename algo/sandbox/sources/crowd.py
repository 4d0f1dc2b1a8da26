"""The crowd around one instrument: what somebody does next, given what the instrument is worth to them.

Nobody in it knows more than the book, a notion of the price, and dice. Most come with a limit beside the
price, so that the book is several levels deep; some take what is there, rather the side that is cheap or
dear; the rest think again and cancel or move their orders. The book follows the notion of the price because
orders on its wrong side are taken.
"""

from __future__ import annotations

import math
from datetime import date
from random import Random

from algo.brokers.paper.book_market import BookMarket
from algo.market import Session, can_amend, can_cancel, legal_types, lot, market_order_type, tick
from algo.model import AmendOrder, CancelOrder, Command, OrderType, PlaceOrder, Side
from algo.sandbox.sources.cast import Nature

CROWD = "~"
"""What the order ids of the crowd begin with; no customer's does."""
_DEEP = 60  # orders in the book from which on as many go as come
_AUCTIONS = {Session.ATO: OrderType.ATO, Session.ATC: OrderType.ATC}


class Crowd:
    """Makes commands for one instrument. It remembers its orders, some of which may be over."""

    def __init__(self, symbol: str, nature: Nature, market: BookMarket, random: Random) -> None:
        self.symbol = symbol
        self.nature = nature
        self._market = market
        self._random = random
        self._orders: list[str] = []
        self._count = 0

    def clear(self) -> None:
        """The day is over, and all orders with it."""
        self._orders.clear()

    def act(self, fair: float, day: date) -> Command | None:
        """What somebody does now who thinks that the price is `fair` (units); None: nothing after all."""
        session = self._market.session
        if session in _AUCTIONS:
            return self._in_auction(fair, session, day)
        if session is Session.PLO:
            return self._place(self._side(), OrderType.PLO, 0, day)
        if session is not Session.LO:
            return None
        dice = self._random.random()
        crowded = len(self._market.engine.tickets) / _DEEP
        if dice < 0.22:
            return self._take(fair, day)
        if dice < 0.22 + 0.4 * min(crowded, 1.5):
            return self._think_again(fair, day)
        return self._provide(fair, day)

    # -- what somebody may do -----------------------------------------------------------------

    def _provide(self, fair: float, day: date) -> Command:
        side = self._side()
        return self._place(side, OrderType.LO, self._beside(fair, side, day), day)

    def _take(self, fair: float, day: date) -> Command | None:
        book = self._market.engine.book
        bid, ask = book.best(Side.BUY), book.best(Side.SELL)
        side = self._side()
        if ask is not None and ask < fair:
            side = Side.BUY
        elif bid is not None and bid > fair:
            side = Side.SELL
        there = ask if side is Side.BUY else bid
        if there is None:
            return None
        instrument = self._market.engine.instrument
        kind = market_order_type(instrument.board, Session.LO, day)
        if kind in (OrderType.MTL, OrderType.MP) and self._random.random() < 0.2:
            return self._place(side, kind, 0, day)
        return self._place(side, OrderType.LO, there, day)

    def _think_again(self, fair: float, day: date) -> Command | None:
        """Cancel the one of two orders that is farther from the price, or move it."""
        board = self._market.engine.instrument.board
        if not can_cancel(board, self._market.session, day):
            return None
        tickets = self._market.engine.tickets
        found = [ticket for _ in range(2) if (ticket := tickets.get(self._any_order()))]
        if not found:
            return None
        ticket = max(found, key=lambda one: abs(one.limit - fair))
        self._count += 1
        name, instrument = f"{CROWD}{self.symbol}{self._count}", self._market.engine.instrument
        if self._random.random() < 0.15 and ticket.limit and can_amend(board, self._market.session, day):
            price = self._beside(fair, ticket.side, day)
            if price != ticket.limit:
                return AmendOrder(name, ticket.order_id, CROWD, instrument, price)
        return CancelOrder(name, ticket.order_id, CROWD, instrument)

    def _in_auction(self, fair: float, session: Session, day: date) -> Command | None:
        kind = _AUCTIONS[session]
        board = self._market.engine.instrument.board
        side = self._side()
        if kind in legal_types(board, session, day) and self._random.random() < 0.15:
            return self._place(side, kind, 0, day)
        price = self._on_tick(fair + self._random.gauss(0.0, 4.0) * self._tick(fair, day), side, day)
        return self._place(side, OrderType.LO, price, day)

    # -- orders -------------------------------------------------------------------------------

    def _place(self, side: Side, kind: OrderType, price: int, day: date) -> PlaceOrder:
        self._count += 1
        name = f"{CROWD}{self.symbol}{self._count}"
        instrument = self._market.engine.instrument
        size = max(round(self.nature.size * self._random.lognormvariate(-0.5, 1.0)), 1)
        if kind is OrderType.LO:
            self._orders.append(name)
        return PlaceOrder(
            name, name, CROWD, instrument, side, kind, price, min(size, 400) * lot(instrument, day)
        )

    def _any_order(self) -> str:
        """Any of the crowd's orders; those that are over are forgotten as they are met."""
        orders, tickets = self._orders, self._market.engine.tickets
        while orders:
            place = int(self._random.random() * len(orders))
            if orders[place] in tickets:
                return orders[place]
            orders[place] = orders[-1]
            orders.pop()
        return ""

    def _side(self) -> Side:
        return Side.BUY if self._random.random() < 0.5 else Side.SELL

    def _beside(self, fair: float, side: Side, day: date) -> int:
        """A limit on the order's own side of the price: mostly near it, sometimes far away."""
        step = self._tick(fair, day)
        away = 0 if self._is_wide(step) else int(self._random.expovariate(0.35)) * step
        near = (
            (math.ceil(fair / step) - 1) * step if side is Side.BUY else (math.floor(fair / step) + 1) * step
        )
        return self._on_tick(near - side * away, side, day)

    def _is_wide(self, step: int) -> bool:
        """Whether there is room between the best prices, or a side has none: somebody will step in."""
        book = self._market.engine.book
        bid, ask = book.best(Side.BUY), book.best(Side.SELL)
        return bid is None or ask is None or ask - bid > 2 * step

    def _on_tick(self, price: float, side: Side, day: date) -> int:
        instrument, limits = self._market.engine.instrument, self._market.engine.band
        units = max(int(price), 1)
        size = tick(instrument, units, day)
        units = max(units // size * size, size)
        return units if limits is None else limits.clamp(units)

    def _tick(self, fair: float, day: date) -> int:
        return tick(self._market.engine.instrument, max(int(fair), 1), day)
