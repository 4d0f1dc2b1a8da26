"""The one price of a call auction.

The exchange's rule: the price with the greatest volume; among those one at which one side fills
wholly; then the one nearest the day's last match, or nearest the reference if there was none; a last
tie goes to the higher price (not confirmed). Every price on the tick inside the band is a
candidate, also one that nobody named. At any price as much trades as the smaller side has there, so
one side always fills wholly and the second condition never decides; and as the prices of the greatest
volume lie side by side, the last tie comes only where no anchor is known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from algo.brokers.paper.order_book import AHEAD, OrderBook
from algo.market import Band
from algo.model import Side


class Clearing(NamedTuple):
    """What an auction would do now: its price in price units, and how much trades there."""

    price: int
    volume: int


class Indicated(NamedTuple):
    """At what price (as the market shows it) and volume an auction would trade now; None and 0: nothing."""

    symbol: str
    ns: int
    price: float | None
    volume: int


def clearing(book: OrderBook, band: Band | None, anchor: int | None) -> Clearing | None:
    """The price and volume at which the book would trade as an auction, None when nothing would.

    `anchor` is the day's last match, or the reference, on the tick; without one the higher price is
    taken at once. Orders at any price (`AHEAD`) count at every price and set none.
    """
    bid, ask = book.best(Side.BUY), book.best(Side.SELL)
    if bid is None or ask is None or bid < ask:
        return None
    low, high = (ask, bid) if band is None else (max(ask, band.floor), min(bid, band.ceiling))
    demand, supply = _Sums(book.levels(Side.BUY)), _Sums(book.levels(Side.SELL))
    # Volume rises with the price at a seller's limit alone and falls beyond a buyer's alone. So the prices
    # of the greatest volume are one stretch, and the best of them is an end of it or the anchor inside it.
    candidates = {*demand.prices, *supply.prices, *([] if anchor is None else [anchor])}
    best: Clearing | None = None
    for price in candidates:
        if not low <= price <= high or abs(price) == AHEAD:
            continue
        volume = min(demand.from_(price), supply.up_to(price))
        if volume and (best is None or _better(price, volume, best, anchor)):
            best = Clearing(price, volume)
    return best


def _better(price: int, volume: int, best: Clearing, anchor: int | None) -> bool:
    if volume != best.volume:
        return volume > best.volume
    if anchor is not None:
        near, other = abs(price - anchor), abs(best.price - anchor)
        if near != other:
            return near < other
    return price > best.price


class _Sums:
    """How much one side has at each price and beyond."""

    def __init__(self, levels: Iterable[tuple[int, int]]) -> None:
        rows = sorted(levels)
        self.prices = [price for price, _ in rows]
        self._sums = [0, *accumulate(quantity for _, quantity in rows)]

    def up_to(self, price: int) -> int:
        """The quantity at `price` and below."""
        return self._sums[bisect_right(self.prices, price)]

    def from_(self, price: int) -> int:
        """The quantity at `price` and above."""
        return self._sums[-1] - self._sums[bisect_left(self.prices, price)]
