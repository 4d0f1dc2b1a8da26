"""Bar stamps: from whatever a file writes to nanoseconds, and what they mean.

A stamp is a local date, a local date and time, an instant with a zone, or an epoch number. It marks
either the start or the end of its bar; which one is told by the stamps themselves, because no bar
ends at the moment when trading begins.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from algo.clock import DAY, MINUTE, SECOND, at
from algo.data.hours import blocks, distinct, midnights
from algo.data.series import Ints, width_name
from algo.errors import DataError
from algo.model import Board

NO_TIME = np.iinfo(np.int64).min
"""What stands for a stamp that cannot be read."""

_ENOUGH = 20  # steps, to say that a series is not a thin one of finer bars
_OFFSET = -at(date(1970, 1, 1))
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%Y", "%Y.%m.%d", "%Y%m%d")
_CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %I:%M:%S %p", " %I:%M %p")
_DAY_FIRST, _MONTH_FIRST = "%d/%m/%Y", "%m/%d/%Y"


def moments(dates: pa.ChunkedArray | None, clocks: pa.ChunkedArray | None) -> tuple[Ints, list[str]]:
    """Nanoseconds since the epoch of each row, `NO_TIME` where it cannot be read, and what was assumed."""
    notes: list[str] = []
    if dates is None:
        assert clocks is not None
        return _moments(clocks, notes), notes
    days = _moments(dates, notes)
    if clocks is None:
        return days, notes
    of_day = _of_day(clocks)
    if of_day is None:  # the column called time holds whole moments
        return _moments(clocks, []), []
    readable = (days != NO_TIME) & (of_day != NO_TIME)
    return np.where(readable, midnights(days) + of_day, NO_TIME), notes


def _moments(column: pa.ChunkedArray, notes: list[str]) -> Ints:
    kind = column.type
    if pa.types.is_dictionary(kind):
        if not column.num_chunks:
            return np.zeros(0, dtype=np.int64)
        column = column.unify_dictionaries()
        values = _moments(pa.chunked_array([column.chunk(0).dictionary]), notes)
        indices = pa.chunked_array([chunk.indices.cast(pa.int64()) for chunk in column.chunks])
        spread: Ints = np.append(values, NO_TIME)[indices.fill_null(-1).to_numpy()]
        return spread
    if pa.types.is_date(kind):
        return _local(column.cast(pa.date32()).cast(pa.timestamp("s")))
    if pa.types.is_timestamp(kind):
        return _local(column) if kind.tz is None else _numbers(column, kind.unit)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_numbers(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(pc.utf8_trim_whitespace(column), notes)
    return np.full(len(column), NO_TIME)


def _local(column: pa.ChunkedArray) -> Ints:
    """Naive timestamps, taken as Vietnamese local time."""
    values = _numbers(column, column.type.unit)
    return np.where(values == NO_TIME, NO_TIME, values - _OFFSET)


_SCALE = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}


def _numbers(column: pa.ChunkedArray, unit: str) -> Ints:
    whole = column.cast(pa.int64())
    missing = whole.null_count
    values: Ints = (whole.fill_null(0) if missing else whole).to_numpy()
    values = values * _SCALE[unit] if unit != "ns" else values
    if missing:
        values = np.where(column.is_valid().to_numpy(), values, NO_TIME)
    return values


def _from_numbers(column: pa.ChunkedArray) -> Ints:
    """20240131, 202401310930, 20240131093000, or seconds, milli-, micro- or nanoseconds since the epoch."""
    if pa.types.is_floating(column.type):
        column = pc.round(column)
        column = pc.if_else(pc.is_finite(column), column, None)
    values = _numbers(column.cast(pa.int64(), safe=False), "ns")
    known = values[values != NO_TIME]
    if not len(known):
        return values
    middle = int(np.median(known))
    for digits, low, high in ((8, 19_000_101, 21_001_231), (12, 19e10, 21e10), (14, 19e12, 21e12)):
        if low <= middle <= high:
            return _from_digits(values, digits)
    for limit, scale in ((1e8, 0), (1e11, SECOND), (1e14, 1_000_000), (1e17, 1_000)):
        if middle < limit:
            return (
                np.where(values == NO_TIME, NO_TIME, values * scale)
                if scale
                else np.full(len(values), NO_TIME)
            )
    return values


def _from_digits(values: Ints, digits: int) -> Ints:
    """Dates written as a number: yyyymmdd, with hhmm or hhmmss after it."""
    values = np.where(values == NO_TIME, 0, values)
    clock = np.zeros(len(values), dtype=np.int64)
    if digits > 8:
        values, clock = np.divmod(values, 10 ** (digits - 8))
        clock = _clock(clock * 100 if digits == 12 else clock)
    year, rest = np.divmod(values, 10_000)
    month, day = np.divmod(rest, 100)
    sound = (
        (year > 1900) & (year < 2200) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (clock >= 0)
    )
    months = np.where(sound, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(sound, day - 1, 0)
    sound &= days.astype("datetime64[M]") == months  # no 31 April
    found: Ints = days.astype(np.int64) * DAY - _OFFSET + clock
    return np.where(sound, found, NO_TIME)


def _clock(hhmmss: Ints) -> Ints:
    """Nanoseconds since midnight of hhmmss written as a number; negative when it is none."""
    hour, rest = np.divmod(hhmmss, 10_000)
    minute, second = np.divmod(rest, 100)
    sound = (hhmmss >= 0) & (hour < 24) & (minute < 60) & (second < 60)
    return np.where(sound, ((hour * 60 + minute) * 60 + second) * SECOND, -1)


def _of_day(column: pa.ChunkedArray) -> Ints | None:
    """Nanoseconds since midnight, or None when the column holds whole moments."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_time(kind):
        whole = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        return _numbers(whole.cast(pa.int64()), kind.unit)
    if pa.types.is_integer(kind):
        values = _numbers(column, "ns")
        largest = int(values.max(initial=0))
        if largest > 240_000:
            return None
        clock = _clock(values * 100 if largest <= 2400 else values)
        return np.where(clock < 0, NO_TIME, clock)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = pc.utf8_trim_whitespace(column)
        for form in ("%H:%M:%S", "%H:%M"):
            parsed = pc.strptime(text, format=form, unit="s", error_is_null=True)
            if parsed.null_count == column.null_count:
                values = _numbers(parsed, "s")
                return np.where(values == NO_TIME, NO_TIME, values % DAY)
    return None


def _from_text(column: pa.ChunkedArray, notes: list[str]) -> Ints:
    sample = column.drop_null().slice(0, 100)
    forms = sorted(
        (day + clock for clock in _CLOCKS for day in _DATES), key=lambda form: _unread(sample, form)
    )
    if _unread(sample, forms[0]) and (zoned := _zoned(column)) is not None:
        return zoned
    # A file of the first days of its months reads both ways, so a second form may do better later on.
    forms = [form for form in forms if _unread(sample, form) == _unread(sample, forms[0])]
    form = min(forms, key=lambda form: _unread(column, form))
    if form.startswith(_DAY_FIRST) and form.replace(_DAY_FIRST, _MONTH_FIRST) in forms:
        swapped = form.replace(_DAY_FIRST, _MONTH_FIRST)
        if _unread(column, swapped) == _unread(column, form):
            notes.append("dates such as 03/04/2024 are taken as day/month/year")
    parsed = pc.strptime(column, format=form, unit="s", error_is_null=True)
    return np.where(_no_such_day(column, parsed, form), NO_TIME, _local(parsed))


def _no_such_day(column: pa.ChunkedArray, parsed: pa.ChunkedArray, form: str) -> NDArray[np.bool_]:
    """Where the text names a day such as 30 February, which parsing takes for one of March."""
    found: NDArray[np.bool_] = pc.fill_null(pc.less_equal(pc.day(parsed), 3), False).to_numpy()
    suspects = np.flatnonzero(found)
    found = np.zeros(len(column), dtype=np.bool_)
    if len(suspects):
        texts = [column.take(suspects), pc.strftime(parsed.take(suspects), format=form)]
        plain, again = (
            pc.replace_substring_regex(pc.utf8_upper(text), r"(^|\D)0(\d)", r"\1\2") for text in texts
        )
        found[suspects] = pc.not_equal(plain, again).to_numpy()
    return found


def _unread(column: pa.ChunkedArray, form: str) -> int:
    return int(pc.strptime(column, format=form, unit="s", error_is_null=True).null_count)


def _zoned(column: pa.ChunkedArray) -> Ints | None:
    """ISO text with a zone or a fraction of a second."""
    for kind in (pa.timestamp("ns", "UTC"), pa.timestamp("ns")):
        try:
            read = column.cast(kind)
        except pa.ArrowInvalid:
            continue
        return _numbers(read, "ns") if kind.tz else _local(read)
    return None


def find_width(times: Ints, source: str, wanted: int | None = None) -> int:
    """The width of the bars: the commonest step between stamps, or a finer one that is common too.

    `wanted` is believed where the stamps are too few to tell, and for a thin series, whose steps are
    multiples of it but not all of the commonest one. Raises DataError when there are too few bars to
    tell, they are wider than a day, or wider than `wanted`.
    """
    steps = np.diff(times[:200_000])
    steps = steps[steps > 0]
    whole_days = bool(len(times)) and bool((times == midnights(times)).all())
    if whole_days and (not len(steps) or int(np.median(steps)) < 5 * DAY):
        width = DAY
    elif not len(steps):
        if wanted is None:
            raise DataError(f"{source}: too few bars to tell their width; give it, for example width='1m'")
        return wanted
    else:
        values, counts = np.unique(steps, return_counts=True)
        width = int(values[counts >= max(1, counts.max() // 5)][0])
        dense = len(steps) >= _ENOUGH and not (steps % width).any()
        if wanted is not None and wanted < width and not dense and not (whole_days and wanted < DAY):
            return wanted
        if width > 4 * DAY:
            raise DataError(f"{source}: bars wider than a day cannot be used; get daily or finer bars")
        width = DAY if width >= DAY // 2 else width
    if DAY % width:
        raise DataError(
            f"{source}: the stamps are mostly {width / MINUTE:g} minutes apart, which is no width of a bar; "
            "give it, for example width='1m'"
        )
    if wanted is not None and wanted < width:
        raise DataError(f"{source}: the bars are {width_name(width)} wide; no finer ones can be made of them")
    return width


def mark(times: Ints, board: Board, width: int) -> tuple[str, str]:
    """Whether stamps are "start" or "end" of their bars, and why, in words."""
    if width == DAY:
        return "start", "daily bars end with the board's last session"
    of_day: NDArray[np.int64] = times - midnights(times)
    rare = len(distinct(midnights(times))) // 20
    # 09:00 is no opening on the derivatives board: a bar of the opening auction may end there.
    openings = {begin: int(np.count_nonzero(of_day == begin)) for begin, _ in blocks(board)}
    closings = {end: int(np.count_nonzero(of_day == end)) for _, end in blocks(board)}
    opening = max(openings, key=openings.__getitem__)
    closing = max(closings, key=closings.__getitem__)
    if openings[opening] > rare:
        return "start", f"bar stamps are taken as starts, because {_hhmm(opening)} is stamped"
    if not openings[opening] and closings[closing] > rare:
        return "end", f"bar stamps are taken as ends, because {_hhmm(closing)} is stamped and no opening is"
    return "start", "bar stamps are assumed to be starts, the careful choice: the stamps do not tell"


def _hhmm(of_day: int) -> str:
    return f"{of_day // (60 * MINUTE):02d}:{of_day // MINUTE % 60:02d}"
