"""Wide bars from narrow ones: 15 minutes, an hour or a day from minutes, complete bars only.

A wide bar takes the bars that become complete inside its bucket. Buckets stand at round clock times
(a quarter hour at :00, :15, :30, :45) and are cut where trading breaks: an hour before lunch is the
half hour to 11:30. A day is one bucket.

The last bucket before a break or the close is complete one narrow bar after trading stops, because
the prints of a closing auction are stamped at that very moment and come in the narrow bar after it.
A daily bar made of minutes is therefore complete at 14:46 on HOSE. A bar that becomes complete in a
break counts to the next bucket, and one that does so after the close counts to none.

`widen` (over a whole array) and `Builder` (bar by bar) give the same bars.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from algo.clock import DAY, HOUR, MINUTE, SECOND, at, local_date
from algo.data.hours import blocks, midnights
from algo.data.series import Ints, Series, width_name
from algo.errors import SettingError
from algo.model import Bar, Board

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_WORDS = {"min": "m", "t": "m", "hour": "h", "day": "d"}


def parse_width(text: str | int) -> int:
    """Nanoseconds of a width written as 1m, 5m, 15m, 1h or 1d; whole nanoseconds pass through.

    Raises SettingError for anything else, and for a width that does not divide a day.
    """
    if not isinstance(text, str):
        width = int(text)
    else:
        found = re.fullmatch(r"(\d*)\s*([a-z]+?)s?", text.strip().lower())
        unit = _UNITS.get(_WORDS.get(found[2], found[2])) if found else None
        if found is None or unit is None:
            raise SettingError(f"{text!r} is not a width; write 1m, 5m, 15m, 1h or 1d")
        width = int(found[1] or 1) * unit
    if width <= 0 or DAY % width:
        raise SettingError(f"a bar of {text} does not divide a day; use 1m, 5m, 15m, 1h or 1d")
    return width


class _Plan:
    """The buckets of one board, narrow width and wide width."""

    def __init__(self, board: Board, narrow: int, wide: int) -> None:
        if wide % narrow:
            raise SettingError(
                f"{width_name(wide)} bars cannot be built from {width_name(narrow)} bars; "
                f"use a multiple of {width_name(narrow)}"
            )
        self.narrow, self.wide = narrow, wide
        spans = blocks(board)
        if wide == DAY:
            spans = ((spans[0][0], spans[-1][1]),)
        self.begins: Ints = np.array([begin for begin, _ in spans], dtype=np.int64)
        self.ends: Ints = np.array([end for _, end in spans], dtype=np.int64)

    def edges(self, times: Ints) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        """For each completion time: its bucket's start, the bucket's completion, and whether it has one."""
        base = midnights(times)
        # A bar at midnight sharp would be the day's before; no board trades then.
        of_day = times - base
        span = np.searchsorted(self.ends + self.narrow, of_day, side="left")
        inside = span < len(self.ends)
        span = np.minimum(span, len(self.ends) - 1)
        begin, end = self.begins[span], self.ends[span]
        upper = -(-np.maximum(of_day, begin + 1) // self.wide) * self.wide
        last = upper >= end
        lower = np.where(last, (end - 1) // self.wide * self.wide, upper - self.wide)
        return (
            base + np.maximum(lower, begin),
            base + np.where(last, end + self.narrow, upper),
            inside,
        )

    def edge(self, time: int) -> tuple[int, int] | None:
        """The start and the completion of the bucket of one bar, or None when it has none."""
        base = at(local_date(time))
        of_day = time - base
        for begin, end in zip(self.begins.tolist(), self.ends.tolist(), strict=True):
            if of_day <= end + self.narrow:
                upper = -(-max(of_day, begin + 1) // self.wide) * self.wide
                if upper >= end:
                    return base + max((end - 1) // self.wide * self.wide, begin), base + end + self.narrow
                return base + max(upper - self.wide, begin), base + upper
        return None


def widen(series: Series, width: int | str, now: int | None = None) -> Series:
    """The bars of `width` that are complete at `now`, by default at the end of the last narrow bar.

    The result's `time` is the moment from which a bar may be seen. The series itself is returned
    when it has that width already. Raises SettingError when `width` is no multiple of its width.
    """
    wide = parse_width(width)
    if wide == series.width:
        return series
    plan = _Plan(series.board, series.width, wide)
    limit = (int(series.time[-1]) if len(series) else 0) if now is None else now
    start, end, inside = plan.edges(series.time)
    if not inside.all():
        series, start, end = series.take(inside), start[inside], end[inside]
    if not len(series):
        return replace(series.take(slice(0)), width=wide)
    first = np.flatnonzero(np.append(True, end[1:] != end[:-1]))
    last = np.append(first[1:], len(series)) - 1
    complete = slice(0, int(np.searchsorted(end[last], limit, side="right")))
    return replace(
        series,
        time=end[first][complete],
        start=start[first][complete],
        open=series.open[first][complete],
        high=np.maximum.reduceat(series.high, first)[complete],
        low=np.minimum.reduceat(series.low, first)[complete],
        close=series.close[last][complete],
        volume=np.add.reduceat(series.volume, first)[complete],
        contract=None if series.contract is None else series.contract[last][complete],
        width=wide,
    )


def finished(series: Series) -> int:
    """The `now` for `widen` when no more bars follow: the last bucket that the data fill is complete."""
    return int(series.time[-1]) + series.width if len(series) else 0


class Builder:
    """Wide bars from narrow ones, one at a time, for a feed that grows.

    `push` takes each narrow bar as it becomes complete and `advance` the passing of time; both
    return the wide bar that became complete, or None.
    """

    def __init__(self, board: Board, narrow: int | str, wide: int | str) -> None:
        self._plan = _Plan(board, parse_width(narrow), parse_width(wide))
        if self._plan.narrow == self._plan.wide:
            raise SettingError(f"the bars are {width_name(self._plan.wide)} wide already")
        self._bar: Bar | None = None

    def push(self, bar: Bar) -> list[Bar]:
        """Add a narrow bar. Returns the wide bars that are complete now, oldest first (at most two)."""
        # Buckets are closed on the right: whatever ends before this bar can take no more.
        done = self.advance(bar.ns - 1)
        edge = self._plan.edge(bar.ns)
        if edge is not None:
            held = self._bar
            self._bar = (
                bar._replace(start=edge[0], ns=edge[1])
                if held is None
                else held._replace(
                    high=max(held.high, bar.high),
                    low=min(held.low, bar.low),
                    close=bar.close,
                    volume=held.volume + bar.volume,
                    contract=bar.contract,
                )
            )
        return done + self.advance(bar.ns)

    def advance(self, now: int) -> list[Bar]:
        """Tell the time. Returns the wide bar that it completes, if any."""
        if self._bar is None or self._bar.ns > now:
            return []
        done, self._bar = self._bar, None
        return [done]
