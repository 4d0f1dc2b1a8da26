"""What was before the first day that is played, from series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from algo.clock import DAY, at, local_date
from algo.data.feed import instrument_behind
from algo.data.series import Series
from algo.sandbox.source import Candle

_EPOCH = at(date(1970, 1, 1))


class SeriesPast:
    """The bars of `series` that begin before `end` (nanoseconds since the epoch).

    A series of contracts is found by its alias and by each contract's code.
    """

    def __init__(self, series: Mapping[str, Series], end: int) -> None:
        self._series = {name: one.take(one.start < end) for name, one in series.items()}
        self._codes: dict[str, str] = {}
        for name, one in self._series.items():
            for code in () if one.contract is None else dict.fromkeys(one.contract.tolist()):
                self._codes[str(code)] = name

    def candles(self, symbol: str, first: date, last: date) -> Sequence[Candle]:
        """The bars of those days, both included, oldest first."""
        one = self._of(symbol)
        if one is None:
            return ()
        begin = int(np.searchsorted(one.start, at(first), "left"))
        end = int(np.searchsorted(one.start, at(last + timedelta(days=1)), "left"))
        if begin >= end:
            return ()
        instrument = instrument_behind(one, begin)
        worth = instrument.scale * instrument.multiplier
        columns = (one.start, one.open, one.high, one.low, one.close, one.volume)
        rows = zip(*(column[begin:end].tolist() for column in columns), strict=True)
        return [
            Candle(symbol, start, start, start, o, h, lo, c, volume, round(c * volume * worth))
            for start, o, h, lo, c, volume in rows
        ]

    def days(self, symbol: str, before: date, count: int) -> Sequence[date]:
        """The last `count` days on which the symbol traded before that day, oldest first."""
        one = self._of(symbol)
        if one is None:
            return ()
        numbers = np.unique((one.start[one.start < at(before)] - _EPOCH) // DAY)
        return [local_date(_EPOCH + int(number) * DAY) for number in numbers[-count:]]

    def _of(self, symbol: str) -> Series | None:
        found = self._series.get(symbol)
        if found is not None:
            return found
        name = self._codes.get(symbol)
        if name is None:
            return None
        one = self._series[name]
        assert one.contract is not None
        return one.take(np.asarray(one.contract == symbol, dtype=np.bool_))
