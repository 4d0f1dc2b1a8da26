"""One instrument's limit order book: the better price first, and at one price the earlier order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator

from algo.model import Side

AHEAD = 1 << 40
"""A price beyond every other: +AHEAD buys before each limit, -AHEAD sells before each."""


class Resting:
    """What is left of an order in the book. `price` is in price units, `leaves` in shares or contracts."""

    __slots__ = ("leaves", "order_id", "price", "side")

    def __init__(self, order_id: str, side: Side, price: int, leaves: int) -> None:
        self.order_id = order_id
        self.side = side
        self.price = price
        self.leaves = leaves


class _Level:
    """The orders at one price, oldest first, and the sum of what they have left."""

    __slots__ = ("orders", "size")

    def __init__(self) -> None:
        self.orders: OrderedDict[str, Resting] = OrderedDict()
        self.size = 0


class _Half:
    """One side of the book. `ranks` are the prices times the side's sign, rising, so the best is last."""

    __slots__ = ("levels", "ranks", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = int(side)
        self.levels: dict[int, _Level] = {}
        self.ranks: list[int] = []

    def drop(self, price: int) -> None:
        """Forget a price at which nothing is left."""
        del self.levels[price]
        rank = price * self.sign
        if self.ranks[-1] == rank:
            self.ranks.pop()
        else:
            del self.ranks[bisect_left(self.ranks, rank)]


class OrderBook:
    """Both sides of one instrument's book. It trades only when told to: an auction's is crossed."""

    __slots__ = ("_buys", "_sells")

    def __init__(self) -> None:
        self._buys = _Half(Side.BUY)
        self._sells = _Half(Side.SELL)

    def _half(self, side: Side) -> _Half:
        return self._buys if side is Side.BUY else self._sells

    def add(self, order: Resting) -> None:
        """Put an order behind all others of its side and price."""
        half = self._half(order.side)
        level = half.levels.get(order.price)
        if level is None:
            level = half.levels[order.price] = _Level()
            insort(half.ranks, order.price * half.sign)
        level.orders[order.order_id] = order
        level.size += order.leaves

    def reduce(self, order: Resting, quantity: int) -> None:
        """Take `quantity` off an order; it keeps its place, and is gone when nothing is left."""
        half = self._half(order.side)
        level = half.levels[order.price]
        order.leaves -= quantity
        level.size -= quantity
        if not order.leaves:
            del level.orders[order.order_id]
            if not level.orders:
                half.drop(order.price)

    def remove(self, order: Resting) -> None:
        """Take an order out; what it has left stays written on it."""
        half = self._half(order.side)
        level = half.levels[order.price]
        level.size -= order.leaves
        del level.orders[order.order_id]
        if not level.orders:
            half.drop(order.price)

    def __contains__(self, order: Resting) -> bool:
        level = self._half(order.side).levels.get(order.price)
        return level is not None and order.order_id in level.orders

    def take(self, side: Side, limit: int, quantity: int) -> list[tuple[Resting, int]]:
        """Let an incoming order of `side` trade up to `quantity` at `limit` or better.

        Gives the resting orders that traded, best first, each with how much; they are reduced already.
        """
        half = self._half(side.opposite)
        found: list[tuple[Resting, int]] = []
        while quantity and half.ranks:
            price = half.ranks[-1] * half.sign
            if (limit - price) * side < 0:
                break
            order = next(iter(half.levels[price].orders.values()))
            size = min(order.leaves, quantity)
            self.reduce(order, size)
            quantity -= size
            found.append((order, size))
        return found

    def fillable(self, side: Side, limit: int, quantity: int) -> int:
        """How much of `quantity` an incoming order of `side` would get at `limit` or better."""
        half = self._half(side.opposite)
        found = 0
        for rank in reversed(half.ranks):
            price = rank * half.sign
            if found >= quantity or (limit - price) * side < 0:
                break
            found += half.levels[price].size
        return min(found, quantity)

    def best(self, side: Side) -> int | None:
        """The best price of a side, None when nobody is there."""
        half = self._half(side)
        return half.ranks[-1] * half.sign if half.ranks else None

    @property
    def crossed(self) -> bool:
        """Whether somebody bids at least what somebody else asks."""
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return bid is not None and ask is not None and bid >= ask

    def levels(self, side: Side) -> Iterator[tuple[int, int]]:
        """(price, quantity) of every price of a side, best first."""
        half = self._half(side)
        for rank in reversed(half.ranks):
            price = rank * half.sign
            yield price, half.levels[price].size

    def orders(self, side: Side) -> Iterator[Resting]:
        """Every order of a side in the order in which they trade."""
        half = self._half(side)
        for rank in reversed(half.ranks):
            yield from half.levels[rank * half.sign].orders.values()
