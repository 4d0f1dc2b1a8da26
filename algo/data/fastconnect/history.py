"""Bars of the data service as series: complete ones only, so that the live feed can go on where they end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from algo.clock import DAY, MINUTE, at
from algo.data.fastconnect.answers import DailyBar, MinuteBar
from algo.data.hours import open_and_close
from algo.data.series import Series
from algo.market import kind_of
from algo.model import Board, Kind


class _Row(NamedTuple):
    start: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: int


def minute_series(symbol: str, bars: Iterable[MinuteBar], now: int, board: Board | None = None) -> Series:
    """The minutes of `symbol` that are complete at `now` (nanoseconds since the epoch).

    A row's time is that of its first trade, so it is floored to the minute. Two rows of one minute are one
    bar; a row without sound prices is left out and noted.
    """
    rows, unsound = [], 0
    for bar in bars:
        start = at(bar.day, bar.time - bar.time % MINUTE)
        row = _row(bar, start, start + MINUTE)
        unsound += row is None
        if row is not None and row.end <= now:
            rows.append(row)
    return _series(symbol, rows, MINUTE, unsound, board)


def daily_series(symbol: str, bars: Iterable[DailyBar], now: int, board: Board | None = None) -> Series:
    """The days of `symbol` that are over at `now`; a day ends with its board's last session."""
    home = board or _board(symbol)
    opening, closing = open_and_close(home)
    rows: dict[int, _Row] = {}
    unsound = 0
    for bar in bars:
        row = _row(bar, at(bar.day, opening), at(bar.day, closing))
        unsound += row is None
        if row is not None and row.end <= now:
            rows[row.start] = row
    return _series(symbol, list(rows.values()), DAY, unsound, home)


def _row(bar: DailyBar | MinuteBar, start: int, end: int) -> _Row | None:
    open_, high, low, close, volume = bar.open, bar.high, bar.low, bar.close, bar.volume
    if open_ is None or high is None or low is None or close is None or volume is None:
        return None
    if not 0 < low <= min(open_, close) <= max(open_, close) <= high or volume < 0:
        return None
    return _Row(start, end, open_, high, low, close, volume)


def _series(symbol: str, rows: list[_Row], width: int, unsound: int, board: Board | None) -> Series:
    merged = _merged(sorted(rows, key=lambda row: row.start))
    columns = list(zip(*merged, strict=True)) or [()] * len(_Row._fields)
    start, end, open_, high, low, close, volume = columns
    return Series(
        symbol=symbol,
        time=np.array(end, dtype=np.int64),
        open=np.array(open_, dtype=np.float64),
        high=np.array(high, dtype=np.float64),
        low=np.array(low, dtype=np.float64),
        close=np.array(close, dtype=np.float64),
        volume=np.array(volume, dtype=np.int64),
        width=width,
        start=np.array(start, dtype=np.int64),
        board=board or _board(symbol),
        notes=(f"{unsound} rows of the data service had no sound prices",) if unsound else (),
    )


def _merged(rows: Sequence[_Row]) -> list[_Row]:
    """One row a minute. A row that is there twice counts once."""
    found: list[_Row] = []
    for row in dict.fromkeys(rows):
        last = found[-1] if found else None
        if last is None or last.start != row.start:
            found.append(row)
            continue
        found[-1] = last._replace(
            high=max(last.high, row.high),
            low=min(last.low, row.low),
            close=row.close,
            volume=last.volume + row.volume,
        )
    return found


def _board(symbol: str) -> Board:
    return Board.DERIVATIVES if kind_of(symbol) is Kind.FUTURE else Board.HOSE
