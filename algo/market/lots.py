"""How much an order may ask for: board lots, odd lots and the largest order.

Trading rules of HOSE and HNX. HOSE's lot was 10 until 2021-01-03; its odd lots trade on the
exchange since 2022-09-12. HNX and UPCOM publish no largest order that could be confirmed, so theirs
is a setting.
"""

from __future__ import annotations

from datetime import date

from algo.market.dated import Dated
from algo.model import Board, Instrument

_LOTS: dict[Board, Dated[int]] = {
    Board.HOSE: Dated(((date.min, 10), (date(2021, 1, 4), 100))),
    Board.HNX: Dated.constant(100),
    Board.UPCOM: Dated.constant(100),
    Board.DERIVATIVES: Dated.constant(1),
}

_ODD_LOTS: dict[Board, Dated[bool]] = {
    Board.HOSE: Dated(((date.min, False), (date(2022, 9, 12), True))),
    Board.HNX: Dated.constant(True),
    Board.UPCOM: Dated.constant(True),
    Board.DERIVATIVES: Dated.constant(False),
}

_LARGEST: dict[Board, int | None] = {
    Board.HOSE: 500_000,
    Board.HNX: None,
    Board.UPCOM: None,
    Board.DERIVATIVES: 500,
}


def lot(instrument: Instrument, day: date) -> int:
    """The board lot in shares or contracts; orders of a lot or more are multiples of it."""
    return _LOTS[instrument.board].at(day)


def is_odd_lot(instrument: Instrument, quantity: int, day: date) -> bool:
    """Whether `quantity` is less than one board lot."""
    return 0 < quantity < lot(instrument, day)


def takes_odd_lots(instrument: Instrument, day: date) -> bool:
    """Whether less than a board lot can be traded on the exchange."""
    return _ODD_LOTS[instrument.board].at(day)


def largest_order(instrument: Instrument) -> int | None:
    """The largest quantity in one order, None where no limit is known."""
    return _LARGEST[instrument.board]


def lot_refusal(
    instrument: Instrument, quantity: int, day: date, *, largest: int | None = None
) -> str | None:
    """Why an order cannot have this quantity, or None. `largest` replaces the board's largest order."""
    if quantity <= 0:
        return f"the quantity {quantity} is not above zero"
    limit = largest if largest is not None else largest_order(instrument)
    if limit is not None and quantity > limit:
        return f"the quantity {quantity:,} is above the largest order of {limit:,}"
    size = lot(instrument, day)
    if quantity % size == 0:
        return None
    if quantity > size:
        return f"the quantity {quantity:,} is not a multiple of the lot of {size}"
    if not takes_odd_lots(instrument, day):
        return f"{instrument.board} took no odd lots on {day}: the lot is {size}"
    return None
