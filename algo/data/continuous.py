"""Continuous futures: which contract stands behind a series at each moment.

The series VN30F1M follows the contract nearest to expiry. It rolls after that contract's last
trading day: the next bar belongs to the next contract, at its own price, so the series jumps there.
Nothing is smoothed away; whoever holds a position through a roll has been settled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from algo.clock import local_date
from algo.data.hours import midnights
from algo.data.series import Ints, Objects, Series, join
from algo.errors import DataError
from algo.market import VIETNAM, TradingCalendar, is_alias, resolve

ALIAS = "VN30F1M"


def rolls(series: Series) -> Ints:
    """The indices of the first bar of each new contract; the bar before each is the last of the old one."""
    if series.contract is None:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(series.contract[1:] != series.contract[:-1]) + 1


def contracts_at(alias: str, times: Ints, calendar: TradingCalendar = VIETNAM) -> Objects:
    """The code of the contract that `alias` stands for at each of `times` (nanoseconds), by the calendar.

    Raises DataError when `alias` is none.
    """
    if not is_alias(alias):
        raise DataError(f"{alias} is no alias of a futures contract; use {ALIAS} or VN30F2M")
    days, where = np.unique(midnights(times), return_inverse=True)
    codes = [resolve(alias, local_date(int(day)), calendar) for day in days]
    return np.array(codes, dtype=object)[where]


def with_contracts(series: Series, calendar: TradingCalendar = VIETNAM) -> Series:
    """A continuous series that names its contracts; one that does not yet takes them from the calendar.

    A seller's file without codes is thereby taken to roll after each last trading day, as the exchange
    does; the notes say so.
    """
    if series.contract is not None or not is_alias(series.symbol):
        return series
    note = "the contracts are taken from the calendar: the data do not name them"
    return replace(
        series,
        contract=contracts_at(series.symbol, series.time, calendar),
        notes=(*series.notes, note),
    )


def splice(parts: Mapping[str, Series], alias: str = ALIAS, calendar: TradingCalendar = VIETNAM) -> Series:
    """The continuous series `alias` from the series of its contracts, each while it is in that place.

    `parts` maps contract codes to series that may overlap. A moment for which its contract has no bar
    is left out. Raises DataError when no part has a bar in its time.
    """
    pieces = []
    for code, part in parts.items():
        mine = np.asarray(contracts_at(alias, part.time, calendar) == code, dtype=np.bool_)
        if mine.any():
            piece = part.take(mine)
            names = np.full(len(piece), code, dtype=object)
            pieces.append(replace(piece, symbol=alias, contract=names))
    if not pieces:
        raise DataError(f"none of {', '.join(parts) or 'no contracts'} is {alias} at the time of its bars")
    return join(pieces)
