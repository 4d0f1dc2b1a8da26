"""Reading bars from files and DataFrames: by detection, with an override for every guess.

`read` gives series to use; `examine` gives the same with everything that was found, for a table, and
also for rows that cannot be used. What was assumed is in the notes of each series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from algo.clock import DAY
from algo.data.checks import check, off_tick_share
from algo.data.checks import repair as repair_series
from algo.data.columns import recognise
from algo.data.continuous import splice
from algo.data.faults import Rows, mend
from algo.data.findings import Finding, Severity
from algo.data.hours import midnights, open_and_close
from algo.data.series import PRICES, Floats, Ints, Series
from algo.data.stamps import find_width, mark, moments
from algo.data.symbols import board_named, boards_of, groups_of, symbol_in
from algo.data.tables import SUFFIXES, counts, from_frame, numbers, read_file
from algo.data.widths import finished, parse_width, widen
from algo.errors import DataError, SettingError
from algo.market import is_alias, is_contract
from algo.model import Board

if TYPE_CHECKING:
    import pandas as pd

    Source = str | Path | pd.DataFrame | Series | Mapping[str, "Source"]

Unit = Literal["dong", "thousand", "point"]

_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("dong", "đồng", "vnd", "1"), "dong"),
    **dict.fromkeys(("thousand", "thousand dong", "nghìn", "k", "1000"), "thousand"),
    **dict.fromkeys(("point", "points", "điểm"), "point"),
}
_THOUSAND = 1_000.0
_ADJUSTED = 0.01  # of the bars off the tick: more than faults make, and an exchange makes none


@dataclass(frozen=True, slots=True)
class Reading:
    """One symbol as read: its series, or None when its rows cannot be used, and all findings."""

    symbol: str
    source: str
    series: Series | None
    findings: tuple[Finding, ...]

    @property
    def error(self) -> Finding | None:
        """The first finding that makes the rows unusable."""
        return next((one for one in self.findings if one.severity is Severity.ERROR and not one.done), None)


@dataclass(frozen=True, slots=True)
class _Overrides:
    """What the caller knows better than detection; None where it does not."""

    symbol: str | None
    unit: Unit | None
    adjusted: bool | None
    stamp: str | None
    board: Board | None
    width: int | None
    columns: Mapping[str, str] | None
    repair: bool


def read(source: Source, **overrides: Any) -> Series | dict[str, Series]:
    """The bars in `source`: one series, or a dict by symbol when there are several symbols.

    `source` is a path to a CSV or Parquet file or to a folder of them, a DataFrame, a Series, or a
    mapping of symbols to such sources. Keyword arguments are those of `examine`. The notes of each
    series say what was assumed and what its check found. Raises DataError, naming the first bad row
    and the repair, when rows cannot be used; nothing is sorted or dropped silently.
    """
    found: dict[str, Series] = {}
    for reading in examine(source, **overrides):
        if reading.series is None:
            raise DataError(refusal(reading))
        if reading.symbol in found:
            raise DataError(
                f"{reading.symbol} comes twice, the second time in {reading.source}: read one of them"
            )
        found[reading.symbol] = reading.series
    return next(iter(found.values())) if len(found) == 1 and not isinstance(source, Mapping) else found


def examine(
    source: Source,
    *,
    symbol: str | None = None,
    unit: str | None = None,
    adjusted: bool | None = None,
    stamp: str | None = None,
    board: str | None = None,
    width: str | int | None = None,
    columns: Mapping[str, str] | None = None,
    repair: bool = False,
) -> list[Reading]:
    """Read `source` and report on each symbol in it; only a source that is no table of bars raises.

    Args:
        source: as for `read`.
        symbol: the symbol; else from a symbol column, from contract codes, or from the file's name.
        unit: "dong", "thousand" (đồng) or "point"; else by the size of the prices.
        adjusted: whether prices were adjusted for corporate actions; else by how many are off the tick.
        stamp: "start" or "end", what a bar's stamp marks; else by the stamps at opening times.
        board: HOSE, HNX, UPCOM or DERIVATIVES; else from a column, the symbol's form, or HOSE.
        width: the width of bars to have, as "15m" or in nanoseconds; finer ones are built to it. Of a
            series too thin to tell, the width of its bars. Else the commonest step.
        columns: the names of columns by role (date, clock, open, high, low, close, volume, symbol, board).
        repair: mend what can be mended, and say so in the findings.
    """
    known = _Overrides(
        symbol=symbol.strip().upper() if symbol else None,
        unit=_unit(unit),
        adjusted=adjusted,
        stamp=_stamp(stamp),
        board=_board(board),
        width=None if width is None else parse_width(width),
        columns=columns,
        repair=repair,
    )
    return _examine(source, known)


def _examine(source: Source, known: _Overrides) -> list[Reading]:
    if isinstance(source, Series):
        series = reshaped(source, known.symbol, known.width)
        return [Reading(series.symbol, "the series", series, tuple(check(series)))]
    if isinstance(source, Mapping):
        return [
            one
            for name, part in source.items()
            for one in _examine(part, replace(known, symbol=name.strip().upper()))
        ]
    if not isinstance(source, (str, Path)):
        if not hasattr(source, "columns"):
            raise DataError(f"no bars can be read from a {type(source).__name__}: give a path or a DataFrame")
        name = str(getattr(source, "attrs", {}).get("symbol") or "")
        return _symbols(from_frame(source, "the DataFrame"), "the DataFrame", name, known)
    path = Path(source).expanduser()
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
        if not files:
            raise DataError(f"{path}: no CSV or Parquet file in this folder")
        return [one for file in files for one in _examine(file, known)]
    return _symbols(read_file(path), str(path), symbol_in(path.stem), known)


def reshaped(series: Series, symbol: str | None, width: int | None) -> Series:
    """A series under another symbol or in wider bars; None leaves it as it is."""
    if symbol and symbol != series.symbol:
        series = replace(series, symbol=symbol)
    return series if width is None else widen(series, width, finished(series))


def _symbols(table: pa.Table, source: str, named: str, known: _Overrides) -> list[Reading]:
    """Split a table by symbol and make a reading of each; `named` is the symbol that its name carries."""
    if not table.num_rows:
        raise DataError(f"{source}: no rows")
    roles = recognise(table.column_names, known.columns, source)
    times, notes = moments(
        *(table.column(roles[role]) if role in roles else None for role in ("date", "clock"))
    )
    rows = Rows(
        time=times,
        open=numbers(table.column(roles["open"])),
        high=numbers(table.column(roles["high"])),
        low=numbers(table.column(roles["low"])),
        close=numbers(table.column(roles["close"])),
        volume=counts(table.column(roles["volume"])),
        row=np.arange(1, len(times) + 1),
    )
    boards = {} if known.board else boards_of(table, roles)
    groups = groups_of(rows, table, roles, source, known.symbol, named)
    del table, times, rows
    readings = [_reading(name, group, source, boards.get(name), known, notes) for name, group in groups]
    if known.symbol and is_alias(known.symbol) and len(readings) > 1:
        parts = {one.symbol: one.series for one in readings if one.series is not None}
        findings = tuple(finding for one in readings for finding in one.findings)
        whole = splice(parts, known.symbol) if len(parts) == len(readings) else None
        return [Reading(known.symbol, source, whole, findings)]
    return readings


def _reading(
    symbol: str, rows: Rows, source: str, board: Board | None, known: _Overrides, notes: list[str]
) -> Reading:
    """Make the series of one symbol, by detection where `known` does not say."""
    rows, findings = mend(rows, symbol, known.repair)
    reading = Reading(symbol, source, None, tuple(findings))
    if reading.error or not len(rows):
        return reading
    notes = [*notes]
    future = is_alias(symbol) or is_contract(symbol)
    board = known.board or board or (Board.DERIVATIVES if future else None)
    if board is None:
        board = Board.HOSE
        notes.append("the board is assumed to be HOSE")
    width = find_width(rows.time, source, known.width)
    start, end, said = _spans(rows.time, board, width, known.stamp)
    if said:
        notes.append(said)
    prices = _prices(rows, board, known.unit, notes)
    series = Series(
        symbol=symbol,
        time=end,
        start=start,
        volume=np.rint(rows.volume).astype(np.int64, copy=False),
        width=width,
        contract=rows.contract,
        board=board,
        adjusted=bool(known.adjusted),
        open=prices["open"],
        high=prices["high"],
        low=prices["low"],
        close=prices["close"],
    )
    del rows, prices
    if known.adjusted is None and board is not Board.DERIVATIVES:
        share = off_tick_share(series)
        if share > _ADJUSTED:
            series = replace(series, adjusted=True)
            notes.append(
                f"prices are taken as adjusted for corporate actions: {share:.0%} of bars are off the tick"
            )
    if known.width is not None:
        series = widen(series, known.width, finished(series))
    if known.repair:
        series, done = repair_series(series)
        findings += done
    findings += check(series)
    notes += [str(one) for one in findings if one.severity is not Severity.INFO]
    return Reading(symbol, source, replace(series, notes=tuple(notes)), tuple(findings))


def _spans(times: Ints, board: Board, width: int, stamp: str | None) -> tuple[Ints, Ints, str]:
    """When each bar began and was complete, and what was assumed, in words."""
    if width >= DAY:
        day = midnights(times)
        opening, closing = open_and_close(board)
        return day + opening, day + closing, ""
    said = f"bar stamps are {stamp}s"
    if stamp is None:
        stamp, said = mark(times, board, width)
    return (times, times + width, said) if stamp == "start" else (times - width, times, said)


def _prices(rows: Rows, board: Board, unit: Unit | None, notes: list[str]) -> dict[str, Floats]:
    """The prices in đồng or points."""
    prices: dict[str, Floats] = {name: getattr(rows, name) for name in PRICES}
    if board is Board.DERIVATIVES:
        if unit in {"dong", "thousand"}:
            raise SettingError(f"futures are quoted in points: unit {unit!r} is for shares")
        return prices
    if unit == "point":
        raise SettingError("shares are quoted in đồng or thousands of đồng: unit 'point' is for futures")
    if unit is None:
        unit = _guess_unit(rows.close)
        if unit == "thousand":
            notes.append("prices are taken as thousands of đồng, because most are below 1,000")
    if unit == "dong":
        return prices
    # The product of a decimal such as 1.0005 may fall a hair short of its half: take that off first.
    return {
        name: np.maximum(np.floor(np.round(values * _THOUSAND, 6) + 0.5), 1.0)
        for name, values in prices.items()
    }


def _guess_unit(close: Floats) -> Unit:
    """Thousands of đồng when prices are small; a penny share at 400, 410, 420 đồng is in đồng."""
    if float(np.median(close)) >= _THOUSAND:
        return "dong"
    return "dong" if bool((close >= 100).all() and (close % 10 == 0).all()) else "thousand"


def refusal(reading: Reading) -> str:
    """Why a reading has no series and what to do about it, in one line."""
    error = reading.error
    if error is None:
        return f"{reading.source}: no rows of {reading.symbol} can be used"
    more = f" (and {error.count - 1:,} more)" if error.count > 1 else ""
    place = reading.source
    command = f"algo data import {place} --repair" if Path(place).suffix else "repair=True"
    return f"{place}: {error.kind} at {error.first}{more}; mend it with {command}: {error.remedy}"


def _unit(text: str | None) -> Unit | None:
    if text is None:
        return None
    if (unit := _UNITS.get(text.strip().lower())) is None:
        raise SettingError(f"unknown unit {text!r}: use dong, thousand or point")
    return unit


def _stamp(text: str | None) -> str | None:
    if text is None:
        return None
    if text.strip().lower() not in {"start", "end"}:
        raise SettingError(f"bar stamps are at the start or the end, not {text!r}")
    return text.strip().lower()


def _board(text: str | None) -> Board | None:
    if text is None:
        return None
    if (board := board_named(text)) is None:
        raise SettingError(f"unknown board {text!r}: use {', '.join(Board)}")
    return board
