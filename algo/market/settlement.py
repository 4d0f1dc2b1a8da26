"""When trades are settled, and at what price futures are.

Shares: the depository's rules (VSD, decision 109 of 2022) bring shares and sale money by 13:00 of
T+2 since 2022-08-29, for whatever arrives from that day on; before, they came after the close of
T+2 and could be used on T+3. Futures: HNX's contract specification of the VN30 future.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from algo.clock import HOUR, at
from algo.errors import DataError
from algo.market.calendar import VIETNAM, TradingCalendar

_AFTERNOON_FROM = date(2022, 8, 29)
_AFTERNOON = 13 * HOUR
_DROPPED = 3  # values left out at either end of the continuous part


def settles_at(day: date, calendar: TradingCalendar = VIETNAM) -> int:
    """When shares bought on `day` can be sold, and money of shares sold on it be used.

    Nanoseconds since the epoch: 13:00 of T+2, or the start of T+3 under the older rule.
    """
    second = calendar.next_trading_day(day, 2)
    if second >= _AFTERNOON_FROM:
        return at(second, _AFTERNOON)
    return at(calendar.next_trading_day(second))


def expiry_cash_day(last_day: date, calendar: TradingCalendar = VIETNAM) -> date:
    """The day on which the money of a contract that expired on `last_day` moves: the next one."""
    return calendar.next_trading_day(last_day)


def final_settlement_price(
    continuous: Sequence[Decimal | float], auction: Sequence[Decimal | float]
) -> Decimal:
    """The price in index points, to 2 decimals, at which a contract is settled on its last day.

    `continuous` holds the values of VN30 in the last 15 minutes of continuous trading and `auction`
    those of the 15 minutes of the closing auction. The mean of all, less the 3 highest and the 3
    lowest continuous ones.
    """
    if len(continuous) <= 2 * _DROPPED:
        raise DataError(f"the final settlement price needs more than {2 * _DROPPED} continuous index values")
    kept = sorted(map(_exact, continuous))[_DROPPED:-_DROPPED]
    kept.extend(map(_exact, auction))
    mean = sum(kept, Fraction(0)) / len(kept)
    # Decimal division would round once before quantize does; whole hundredths round once only.
    hundredths = (200 * mean.numerator + mean.denominator) // (2 * mean.denominator)
    return (Decimal(hundredths) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def daily_settlement_price(auction: int | None, last: int | None) -> int | None:
    """The day's settlement price (units): that of the closing auction, else the last match, else None."""
    return auction if auction is not None else last


def _exact(value: Decimal | float) -> Fraction:
    """The value as written: 1250.37 means 125037/100, not its nearest binary fraction."""
    return Fraction(value) if isinstance(value, Decimal) else Fraction(repr(float(value)))
