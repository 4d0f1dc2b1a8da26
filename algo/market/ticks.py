"""The price steps of the boards, and putting prices on them.

Ticks from the trading rules of HOSE and HNX: on HOSE 10 đồng below 10,000, 50 below 50,000, else
100, but 10 for exchange-traded funds and covered warrants; on HNX and UPCOM 100, but 1 for funds on
HNX; 0.1 point for VN30 futures. Each step is a multiple of the ones below, so a price that is
rounded up into the next range lies on that range's tick as well.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from algo.errors import SettingError
from algo.market.dated import Dated
from algo.model import Board, Instrument, Kind, Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Steps = tuple[tuple[int, int], ...]
"""(lowest price, tick) from there on, in đồng, rising."""

_HOSE: Dated[Steps] = Dated.constant(((0, 10), (10_000, 50), (50_000, 100)))
_TEN: Dated[Steps] = Dated.constant(((0, 10),))
_HUNDRED: Dated[Steps] = Dated.constant(((0, 100),))
_ONE: Dated[Steps] = Dated.constant(((0, 1),))

_STEPS: dict[tuple[Board, Kind], Dated[Steps]] = {
    (Board.HOSE, Kind.SHARE): _HOSE,
    (Board.HOSE, Kind.ETF): _TEN,
    (Board.HOSE, Kind.WARRANT): _TEN,
    (Board.HNX, Kind.ETF): _ONE,
}

_FUTURES_TICKS_A_POINT = 10
_NOISE = 1e-6  # of a price unit; what float arithmetic adds to a price that is meant to be whole


class Snap(StrEnum):
    """Which way to put a price on the tick."""

    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"


def _steps(instrument: Instrument, day: date | None) -> Steps:
    if instrument.kind is Kind.FUTURE:
        return ((0, max(instrument.scale // _FUTURES_TICKS_A_POINT, 1)),)
    table = _STEPS.get((instrument.board, instrument.kind), _HUNDRED)
    steps = table.at(day or date.max)
    if instrument.scale == 1:
        return steps
    return tuple((low * instrument.scale, size * instrument.scale) for low, size in steps)


def tick(instrument: Instrument, price: int, day: date | None = None) -> int:
    """The tick that is valid at `price`; both in price units. Without `day`, by today's rules."""
    found = 0
    for low, size in _steps(instrument, day):
        if price < low:
            break
        found = size
    return found or _steps(instrument, day)[0][1]


def is_on_tick(instrument: Instrument, price: int, day: date | None = None) -> bool:
    """Whether `price` (units) is a multiple of the tick valid there."""
    return price % tick(instrument, price, day) == 0


def snap(
    instrument: Instrument, price: float, how: Snap | Side = Snap.NEAREST, day: date | None = None
) -> int:
    """`price` (units, perhaps with a fraction) put on the tick, in whole units.

    A side chooses the careful way: a buy goes down and a sell goes up, never worse than asked.
    NEAREST goes up from the middle. Noise of float arithmetic is not taken for a fraction.
    """
    whole = round(price)
    exact = abs(price - whole) < _NOISE
    base = whole if exact else int(price // 1)
    size = tick(instrument, base, day)
    down = base - base % size
    if exact and down == base:
        return base
    match how:
        case Snap.DOWN | Side.BUY:
            return down
        case Snap.UP | Side.SELL:
            return down + size
        case Snap.NEAREST:
            return down + size if 2 * (price - down) >= size else down
    raise SettingError(f"cannot snap a price {how!r}: use up, down, nearest or a side")


def move(instrument: Instrument, price: int, ticks: int, day: date | None = None) -> int:
    """`price` (units, on the tick) moved by `ticks`, each as large as it is there; never below one tick."""
    for _ in range(abs(ticks)):
        if ticks > 0:
            price += tick(instrument, price, day)
        else:
            price -= tick(instrument, price - 1, day)
    return max(price, _steps(instrument, day)[0][1])


def tick_array(
    instrument: Instrument, prices: NDArray[np.int64], day: date | None = None
) -> NDArray[np.int64]:
    """The tick valid at each of `prices` (units); the same answer as `tick`."""
    import numpy as np

    steps = _steps(instrument, day)
    lows = np.array([low for low, _ in steps], dtype=np.int64)
    sizes = np.array([size for _, size in steps], dtype=np.int64)
    return sizes[np.maximum(np.searchsorted(lows, prices, side="right") - 1, 0)]


def off_tick(instrument: Instrument, prices: NDArray[np.int64], day: date | None = None) -> NDArray[np.bool_]:
    """Which of `prices` (units) do not lie on the tick. Adjusted series are judged as any other."""
    import numpy as np

    values = np.asarray(prices, dtype=np.int64)
    return np.asarray(values % tick_array(instrument, values, day) != 0, dtype=np.bool_)


def tick_refusal(instrument: Instrument, price: int, day: date | None = None) -> str | None:
    """Why an order cannot have this limit price (units), or None. Adjusted series have no ticks."""
    if price <= 0:
        return f"the price {instrument.price(price):g} is not above zero"
    if instrument.adjusted or is_on_tick(instrument, price, day):
        return None
    size = instrument.price(tick(instrument, price, day))
    return f"the price {instrument.price(price):,.10g} is not on the tick of {size:g}"
