"""Faults of rows as a file has them: those that no series may have, and what mends them.

Two rows for one time, a high below its low or a missing price make a bar unusable: a `Series` cannot
hold them, so they are errors until a repair is asked for. Three small faults have one harmless
reading each and are mended at once, with a finding that says so: a row that repeats another, an open
or close outside its bar's range (the range is widened), and a missing volume (taken as zero).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algo.data.findings import Finding, Severity, first_true
from algo.data.series import PRICES, Floats, Ints, Objects, stamp
from algo.data.stamps import NO_TIME

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Rows:
    """One symbol's rows in the order of the file; prices may be anything, `row` counts from 1."""

    time: Ints  # as stamped
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats | Ints
    row: Ints
    contract: Objects | None = None

    def __len__(self) -> int:
        return len(self.time)

    def take(self, index: NDArray[Any] | slice) -> Rows:
        """The rows that `index` picks, in its order."""
        columns: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            columns[field.name] = None if column is None else column[index]
        return Rows(**columns)

    def where(self, index: int) -> str:
        """The row's place in words."""
        time = int(self.time[index])
        return f"row {self.row[index]:,}" + (f", {stamp(time)}" if time != NO_TIME else "")


def mend(rows: Rows, symbol: str, repair: bool) -> tuple[Rows, list[Finding]]:
    """Find the faults of `rows` and mend those that are harmless, or all of them with `repair`.

    When a finding of severity ERROR is not `done`, the rows that come back cannot be used.
    """
    search = _Search(rows, symbol, repair)
    search.reversed()
    search.unreadable()
    search.volumes()
    search.order()
    search.duplicates()
    search.ranges()
    return search.rows, search.findings


class _Search:
    """The steps of `mend`, each on what the ones before it left."""

    def __init__(self, rows: Rows, symbol: str, repair: bool) -> None:
        self.rows = rows
        self.symbol = symbol
        self.repair = repair
        self.findings: list[Finding] = []

    def _fault(
        self, mask: Mask, kind: str, say: Callable[[int], str], remedy: str, harmless: bool = False
    ) -> bool:
        """Record a fault where `mask` holds; True when it is there and to be mended now."""
        if not mask.any():
            return False
        done = harmless or self.repair
        first = first_true(mask)
        severity = Severity.WARNING if harmless else Severity.ERROR
        text = f"{self.rows.where(first)}: {say(first)}"
        self.findings.append(
            Finding(self.symbol, kind, severity, int(np.count_nonzero(mask)), text, remedy, done)
        )
        return done

    def reversed(self) -> None:
        """Newest first is a layout, not a fault."""
        time = self.rows.time
        if len(time) > 1 and time[0] > time[-1] and (time[1:] <= time[:-1]).all():
            self.rows = self.rows.take(slice(None, None, -1))
            first = f"the rows run from {stamp(int(time[0]))} back to {stamp(int(time[-1]))}"
            self.findings.append(
                Finding(self.symbol, "newest first", Severity.INFO, 1, first, "rows turned round", True)
            )

    def unreadable(self) -> None:
        """No time, or a price that is missing, infinite, zero or negative."""
        rows = self.rows
        if self._fault(
            rows.time == NO_TIME, "no time", lambda _: "no date and time to be read", "row dropped"
        ):
            self.rows = rows = rows.take(rows.time != NO_TIME)
        bad = np.zeros(len(rows), dtype=np.bool_)
        for name in PRICES:
            bad |= ~np.isfinite(getattr(rows, name))
        if self._fault(bad, "missing price", lambda at: _prices(rows, at), "row dropped"):
            self.rows = rows = rows.take(~bad)
        bad = np.zeros(len(rows), dtype=np.bool_)
        for name in PRICES:
            bad |= getattr(rows, name) <= 0
        if self._fault(bad, "price not above zero", lambda at: _prices(rows, at), "row dropped"):
            self.rows = rows.take(~bad)

    def volumes(self) -> None:
        """A missing volume is taken as none; a negative one is an error."""
        rows = self.rows
        if rows.volume.dtype.kind == "f":
            missing = ~np.isfinite(rows.volume)
            if self._fault(
                missing, "missing volume", lambda _: "no volume", "volume taken as zero", harmless=True
            ):
                rows.volume = np.where(missing, 0.0, rows.volume)
        negative = rows.volume < 0
        if self._fault(
            negative, "negative volume", lambda at: f"volume {rows.volume[at]:g}", "volume taken as zero"
        ):
            rows.volume = np.where(negative, 0, rows.volume)

    def order(self) -> None:
        """A row that is earlier than one before it."""
        rows = self.rows
        time = rows.time
        if (time[1:] >= time[:-1]).all():
            return
        latest = np.maximum.accumulate(time)
        early = time < latest
        if self._fault(
            early,
            "out of order",
            lambda at: f"it comes after {stamp(int(latest[at]))}",
            "rows sorted by time",
        ):
            self.rows = rows.take(np.argsort(time, kind="stable"))

    def duplicates(self) -> None:
        """Two rows for one time: the same twice is harmless, two different ones are an error."""
        rows = self.rows
        again = np.append(False, rows.time[1:] == rows.time[:-1])
        if not again.any():
            return
        at = np.flatnonzero(again)
        same = np.ones(len(at), dtype=np.bool_)
        for name in (*PRICES, "volume"):
            column = getattr(rows, name)
            # A missing value was found before; here it only has to equal itself.
            same &= np.isclose(column[at], column[at - 1], rtol=0, atol=0, equal_nan=True)
        repeated = np.zeros(len(rows), dtype=np.bool_)
        repeated[at[same]] = True
        if self._fault(
            repeated, "repeated row", lambda _: "the same as the row before", "row taken once", True
        ):
            self.rows = rows = rows.take(~repeated)
        again = np.append(rows.time[1:] == rows.time[:-1], False)
        if self._fault(
            again, "duplicate time", lambda at: f"{rows.where(at + 1)} has other prices", "last row kept"
        ):
            self.rows = rows.take(~again)

    def ranges(self) -> None:
        """A high below its low is an error; an open or close outside the range widens it."""
        rows = self.rows
        upside_down = rows.high < rows.low
        if self._fault(upside_down, "high below low", lambda at: _prices(rows, at), "high and low swapped"):
            low = np.where(upside_down, rows.high, rows.low)
            rows.high = np.where(upside_down, rows.low, rows.high)
            rows.low = low
            upside_down[:] = False
        outside = (rows.high < np.maximum(rows.open, rows.close)) | (
            rows.low > np.minimum(rows.open, rows.close)
        )
        outside &= ~upside_down
        if self._fault(
            outside,
            "open or close outside its bar",
            lambda at: _prices(rows, at),
            "range widened",
            harmless=True,
        ):
            rows.high = np.maximum(rows.high, np.maximum(rows.open, rows.close))
            rows.low = np.minimum(rows.low, np.minimum(rows.open, rows.close))


def _prices(rows: Rows, at: int) -> str:
    return ", ".join(f"{name} {getattr(rows, name)[at]:g}" for name in PRICES)
