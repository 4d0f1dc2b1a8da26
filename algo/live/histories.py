"""Histories that grow bar by bar: what a live strategy may know of the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from algo.data.widths import Builder, parse_width
from algo.errors import DataError
from algo.history import History
from algo.model import Bar, Board


class LiveHistories:
    """Bars of the symbols of one run, all of one `width` in nanoseconds, and wider ones built from them.

    `take` adds the complete bars of one moment, which the engine reveals; `warm` adds and reveals bars
    from before.
    """

    def __init__(self, boards: Mapping[str, Board], width: int) -> None:
        self._boards = dict(boards)
        self._width = width
        self._base = {symbol: _empty(symbol, width) for symbol in boards}
        self._wide: dict[tuple[str, int], tuple[History, Builder]] = {}

    def history(self, symbol: str, width: str | None) -> History:
        """The history of `symbol` in `width` ("15m", "1d"), or in the width of the feed."""
        base = self._base.get(symbol)
        if base is None:
            raise DataError(f"no data for {symbol!r} in this run; it has {', '.join(sorted(self._base))}")
        wanted = self._width if width is None else parse_width(width)
        if wanted == self._width:
            return base
        if wanted < self._width:
            raise DataError(f"{symbol}: bars of {width} cannot be built from wider ones")
        key = (symbol, wanted)
        if key not in self._wide:
            self._wide[key] = self._widened(symbol, wanted, base)
        return self._wide[key][0]

    def _widened(self, symbol: str, wanted: int, base: History) -> tuple[History, Builder]:
        builder = Builder(self._boards[symbol], self._width, wanted)
        wide = _empty(symbol, wanted)
        names = ("time", "open", "high", "low", "close", "volume", "start")
        columns = [base.column(name)[: base.n].tolist() for name in names]
        for row in zip(*columns, strict=True):
            for complete in builder.push(Bar._make((symbol, *row, symbol))):
                wide.extend(_row(complete))
        return wide, builder

    def warm(self, bars: Iterable[Bar]) -> None:
        """Add bars from before and reveal them."""
        for bar in bars:
            if self.follows(bar):
                self.take((bar,))
                next(self._base[bar.symbol].steps)

    def take(self, bars: Iterable[Bar]) -> None:
        """Add the bars that are complete now; wide bars that they finish are added too."""
        for bar in bars:
            base = self._base[bar.symbol]
            base.extend(_row(bar))
            for (symbol, _), (wide, builder) in self._wide.items():
                if symbol == bar.symbol:
                    for complete in builder.push(bar):
                        wide.extend(_row(complete))

    def advance(self, now: int) -> None:
        """Market time is `now`: wide bars whose end has passed are complete."""
        for wide, builder in self._wide.values():
            for complete in builder.advance(now):
                wide.extend(_row(complete))

    def follows(self, bar: Bar) -> bool:
        """Whether `bar` is newer than what its history has, so that it may be added."""
        base = self._base.get(bar.symbol)
        return base is not None and bar.ns > (base.last("time") or 0)


def _row(bar: Bar) -> tuple[float, ...]:
    return bar.ns, bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume


def _empty(symbol: str, width: int) -> History:
    ints, floats = np.zeros(0, dtype=np.int64), np.zeros(0)
    return History(symbol, width, ints, ints, floats, floats, floats, floats, ints)
