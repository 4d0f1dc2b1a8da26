"""The histories of stored series: what a backtest reveals bar by bar."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from algo.errors import DataError
from algo.history import History

if TYPE_CHECKING:
    from algo.data.series import Series


class Store:
    """The histories of a backtest: whole arrays, revealed bar by bar. Wider bars are built once."""

    def __init__(self, series: Mapping[str, Series]) -> None:
        self._series = series
        self._made: dict[tuple[str, str | None], History] = {}

    def history(self, symbol: str, width: str | None) -> History:
        """The history of `symbol` in `width` ("15m", "1d"), or in the width of the data."""
        key = (symbol, width)
        if key not in self._made:
            one = self._series.get(symbol)
            if one is None:
                near = difflib.get_close_matches(symbol, self._series, 1)
                hint = (
                    f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(self._series))}"
                )
                raise DataError(f"no data for {symbol!r} in this run{hint}")
            self._made[key] = _history(one, width)
            if width is not None and self._made[key].width == one.width:
                self._made[key] = self.history(symbol, None)
        return self._made[key]


def _history(one: Series, width: str | None) -> History:
    if width is not None:
        from algo.data.widths import parse_width, widen

        wanted = parse_width(width)
        if wanted < one.width:
            raise DataError(f"{one.symbol}: bars of {width} cannot be built from wider ones")
        if wanted != one.width:
            one = widen(one, wanted)
    return History(
        one.symbol, one.width, one.time, one.start, one.open, one.high, one.low, one.close, one.volume
    )
