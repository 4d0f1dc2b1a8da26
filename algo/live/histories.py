"""Histories that grow bar by bar: what a live strategy may know of the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from algo.data.series import Series
from algo.data.widths import Builder, parse_width, widen
from algo.errors import DataError
from algo.history import History
from algo.model import Bar, Board


class LiveHistories:
    """Bars of the symbols of one run, all of one `width` in nanoseconds, and wider ones built from them.

    `warm` has the bars from before, by symbol. `take` adds the complete bars of one moment; the engine
    reveals them.
    """

    def __init__(self, boards: Mapping[str, Board], width: int, warm: Mapping[str, Series]) -> None:
        self._boards = dict(boards)
        self._width = width
        self._warm = dict(warm)
        self._base: dict[str, History] = {}
        self._wide: dict[tuple[str, int], tuple[History, Builder]] = {}
        for symbol in boards:
            one = self._base[symbol] = _history(symbol, width, warm.get(symbol))
            one.n = len(one.column("time"))

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
        rows = [base.column(name) for name in ("time", "start", "open", "high", "low", "close", "volume")]
        last = self._warm.get(symbol)
        wide = _history(symbol, wanted, widen(last, wanted) if last is not None and len(last) else None)
        done = int(wide.column("start")[-1]) if len(wide.column("start")) else 0
        # What the finished buckets do not hold goes into the builder, so that it can be finished too.
        for row in zip(*(column.tolist() for column in rows), strict=True):
            bar = Bar(symbol, row[0], row[2], row[3], row[4], row[5], row[6], row[1], symbol)
            for complete in builder.push(bar):
                if complete.start > done:
                    wide.extend(_row(complete))
        return wide, builder

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
        return base is not None and (not base.n or bar.ns > base.last("time"))


def _row(bar: Bar) -> tuple[float, ...]:
    return bar.ns, bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume


def _history(symbol: str, width: int, warm: Series | None) -> History:
    if warm is None:
        ints, floats = np.zeros(0, dtype=np.int64), np.zeros(0)
        return History(symbol, width, ints, ints, floats, floats, floats, floats, ints)
    return History(
        symbol, width, warm.time.copy(), warm.start.copy(), warm.open.copy(), warm.high.copy(),
        warm.low.copy(), warm.close.copy(), warm.volume.copy(),
    )  # fmt: skip
