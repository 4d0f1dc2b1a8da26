"""Futures margin: what a position ties up, and how much of it there may be.

Initial margin rates from the depository's notices. A broker asks for more and says how much, so a
rate of one's own can be given everywhere. Warning levels as in SSI's API.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from algo.errors import SettingError
from algo.market.dated import Dated
from algo.model import Instrument

INITIAL_MARGIN: Dated[Fraction] = Dated(
    (
        (date(2017, 8, 10), Fraction(10, 100)),
        (date(2018, 7, 18), Fraction(13, 100)),
        (date(2022, 12, 15), Fraction(17, 100)),
    )
)
"""The depository's initial margin as a fraction of the contract's value."""

POSITION_LIMIT = 5_000
"""The most contracts that a person may hold, long or short."""

WARNING_LEVELS: tuple[int, ...] = (75, 85, 90)
"""Percent of the margin assets in use at which a broker warns, asks for more, and closes."""


def initial_margin_rate(day: date) -> Fraction:
    """The depository's rate on `day`."""
    return INITIAL_MARGIN.at(day)


def initial_margin(
    instrument: Instrument, price: int, quantity: int, day: date, rate: Fraction | None = None
) -> int:
    """What `quantity` contracts (of either sign) at `price` (units) tie up, in đồng, rounded up."""
    share = rate if rate is not None else initial_margin_rate(day)
    if share <= 0:
        raise SettingError("the initial margin rate must be above zero")
    value = instrument.notional(price, abs(quantity))
    return -(-value * share.numerator // share.denominator)


def position_refusal(position: int, limit: int = POSITION_LIMIT) -> str | None:
    """Why a position (of either sign) cannot be held, or None."""
    if abs(position) <= limit:
        return None
    return f"a position of {abs(position):,} contracts is above the limit of {limit:,}"


def warning_level(used: int, assets: int, levels: tuple[int, ...] = WARNING_LEVELS) -> int:
    """How many of `levels` (percent, rising) the margin in use has reached; both sums in đồng.

    With nothing in use it is 0; with something in use and no assets left, all of them.
    """
    if used <= 0:
        return 0
    return sum(used * 100 >= level * max(assets, 0) for level in levels)
