"""The day's price limits about the reference price.

Trading rules of HOSE and HNX: the ceiling is rounded down and the floor up to the tick valid at that
price; where both meet the reference, they are moved out by one tick.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from algo.errors import SettingError
from algo.market.dated import Dated
from algo.market.ticks import Snap, snap, tick, tick_array
from algo.model import Board, Instrument, Kind, Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IDLE_DAYS = 25
"""After this many trading days without a trade, a share starts anew with the first day's band."""


class Reference(StrEnum):
    """What the reference price of a day is made of."""

    CLOSE = "previous close"
    AVERAGE = "previous day's weighted average price"
    SETTLEMENT = "previous daily settlement price"


class Band(NamedTuple):
    """The lowest, the reference and the highest price of a day, in price units."""

    floor: int
    reference: int
    ceiling: int

    def contains(self, price: int) -> bool:
        """Whether an order may have this price."""
        return self.floor <= price <= self.ceiling

    def clamp(self, price: int) -> int:
        """`price`, or the edge of the band that it lies beyond."""
        return min(max(price, self.floor), self.ceiling)

    def edge(self, side: Side) -> int:
        """The price that trades before all others: the ceiling to buy, the floor to sell."""
        return self.ceiling if side is Side.BUY else self.floor


_PERCENT: dict[Board, Dated[Fraction]] = {
    Board.HOSE: Dated.constant(Fraction(7, 100)),
    Board.HNX: Dated.constant(Fraction(10, 100)),
    Board.UPCOM: Dated.constant(Fraction(15, 100)),
    Board.DERIVATIVES: Dated.constant(Fraction(7, 100)),
}

# A contract's first day has the ordinary band about its theoretical price.
_FIRST_DAY: dict[Board, Dated[Fraction]] = {
    Board.HOSE: Dated.constant(Fraction(20, 100)),
    Board.HNX: Dated.constant(Fraction(30, 100)),
    Board.UPCOM: Dated.constant(Fraction(40, 100)),
    Board.DERIVATIVES: Dated.constant(Fraction(7, 100)),
}

# A covered warrant moves with its underlying share, many times as far in percent. Without knowing
# the share's own band this is a wide guess that keeps legal prices legal.
_WARRANT = Fraction(1)

_REFERENCE = {
    Board.HOSE: Reference.CLOSE,
    Board.HNX: Reference.CLOSE,
    Board.UPCOM: Reference.AVERAGE,
    Board.DERIVATIVES: Reference.SETTLEMENT,
}


def reference_of(board: Board) -> Reference:
    """What the reference price is on `board`."""
    return _REFERENCE[board]


def band_percent(instrument: Instrument, day: date, *, first_day: bool = False) -> Fraction:
    """How far a price may go from the reference, as a fraction of it."""
    if instrument.kind is Kind.WARRANT:
        return _WARRANT
    return (_FIRST_DAY if first_day else _PERCENT)[instrument.board].at(day)


@lru_cache(1 << 12)  # the feed, the exchange and the venue ask for the same day's
def band(
    instrument: Instrument,
    reference: int,
    day: date,
    *,
    first_day: bool = False,
    percent: Fraction | None = None,
    move: int | None = None,
) -> Band:
    """The band of `day` about `reference` (units).

    `first_day` is for a share's first day and its return after `IDLE_DAYS`; `percent` replaces the
    board's. `move` is how far a covered warrant may go, in units: the distance from the
    reference to the ceiling of its underlying share, divided by the conversion ratio. A reference
    off the tick is put on it first, except on an adjusted series, where every whole unit is a price.
    """
    if reference <= 0:
        raise SettingError(f"{instrument.symbol}: the reference price must be above zero")
    share = percent if percent is not None else band_percent(instrument, day, first_day=first_day)
    smallest = 1 if instrument.adjusted else tick(instrument, 0, day)
    if not instrument.adjusted:
        reference = max(snap(instrument, reference, Snap.NEAREST, day), smallest)
    reach = move if move is not None else reference * share.numerator // share.denominator
    ceiling = reference + reach
    floor = max(reference - reach, smallest)
    if not instrument.adjusted:
        ceiling = snap(instrument, ceiling, Snap.DOWN, day)
        floor = snap(instrument, floor, Snap.UP, day)
    if ceiling == floor == reference:
        step = smallest if instrument.adjusted else tick(instrument, reference, day)
        return Band(max(reference - step, smallest), reference, reference + step)
    return Band(floor, reference, ceiling)


def band_arrays(
    instrument: Instrument, references: NDArray[np.int64], day: date
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Floors and ceilings (units) about many references by the rules of `day`; the same as `band`."""
    import numpy as np

    values = np.asarray(references, dtype=np.int64)
    if (values <= 0).any():
        raise SettingError(f"{instrument.symbol}: every reference price must be above zero")
    share = band_percent(instrument, day)
    if instrument.adjusted:
        middle, smallest = values, 1
    else:
        size = tick_array(instrument, values, day)
        smallest = tick(instrument, 0, day)
        middle = np.maximum((2 * values + size) // (2 * size) * size, smallest)
    reach = middle * share.numerator // share.denominator
    ceilings = middle + reach
    floors = np.maximum(middle - reach, smallest)
    step = np.ones_like(middle)
    if not instrument.adjusted:
        ceilings = ceilings // (high := tick_array(instrument, ceilings, day)) * high
        floors = -(-floors // (low := tick_array(instrument, floors, day))) * low
        step = tick_array(instrument, middle, day)
    tight = (ceilings == middle) & (floors == middle)
    ceilings = np.where(tight, middle + step, ceilings)
    floors = np.where(tight, np.maximum(middle - step, smallest), floors)
    return floors, ceilings


def band_refusal(instrument: Instrument, band: Band, price: int) -> str | None:
    """Why an order cannot have this limit price (units) today, or None."""
    if band.contains(price):
        return None
    edge, value = (
        ("below the floor", band.floor) if price < band.floor else ("above the ceiling", band.ceiling)
    )
    return f"the price {instrument.price(price):,.10g} is {edge} of {instrument.price(value):,.10g}"
