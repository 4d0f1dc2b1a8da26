"""Checks of a sound series for what a careful user wants to know before believing it.

Nothing here makes bars unusable. A series with prices beyond what the exchange allows in a day, with
holes or with bars outside the sessions can be traded on, and results may suffer: `check` says so.
`repair` mends what has one plausible reading.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from algo.clock import DAY, MINUTE, local_date
from algo.data.findings import Finding, Severity, first_true
from algo.data.hours import blocks, distinct, midnights
from algo.data.series import PRICES, Floats, Ints, Series, stamp
from algo.errors import SettingError
from algo.market import CLOSURES, VIETNAM, band_percent, instrument_of, off_tick
from algo.model import Instrument

Mask = NDArray[np.bool_]

_LONGEST_HOLIDAY = 12 * DAY  # without a table of closures, a longer silence is a gap (Tet takes up to 10)
_LONGEST_SILENCE = 15 * MINUTE  # in a liquid series
_LIQUID = 0.8  # of the bars of the sessions are there (auctions give one bar each)
_BAND = 0.07  # of a symbol that follows no rule
_WIDEST_BAND = 0.4
_NOISE = 1e-6


def check(series: Series) -> list[Finding]:
    """Everything worth knowing about `series`, the gravest first; an empty list when it is clean."""
    if not len(series):
        return [Finding(series.symbol, "no bars", Severity.WARNING, 1, "the series is empty")]
    search = _Check(series)
    search.spikes()
    search.jumps()
    search.sessions()
    search.missing_days()
    search.silences()
    search.ticks()
    search.volumes()
    return search.findings


def repair(series: Series) -> tuple[Series, list[Finding]]:
    """Mend what has one plausible reading: a high or low beyond the possible is brought back to its body.

    Returns the mended series and what was done to it.
    """
    high, low = _spikes(series)
    if not (high.any() or low.any()):
        return series, []
    body_high = np.maximum(series.open, series.close)
    body_low = np.minimum(series.open, series.close)
    mended = replace(
        series, high=np.where(high, body_high, series.high), low=np.where(low, body_low, series.low)
    )
    done = [replace(finding, done=True) for finding in check(series) if finding.kind == "spike"]
    return mended, done


def instrument(series: Series) -> Instrument | None:
    """The instrument of a series, or None when its symbol follows no rule of the exchanges."""
    try:
        return instrument_of(series.symbol, series.board, adjusted=series.adjusted)
    except SettingError:
        return None


def off_tick_share(series: Series) -> float:
    """The share of bars with a price off the tick, from 0 to 1."""
    found = instrument(series)
    if found is None or not len(series):
        return 0.0
    return float(np.mean(_off_tick(series, found)))


def _off_tick(series: Series, found: Instrument) -> Mask:
    off = np.zeros(len(series), dtype=np.bool_)
    for name in PRICES:
        units = getattr(series, name) * found.scale
        whole = np.rint(units)
        off |= (np.abs(units - whole) > _NOISE) | off_tick(found, whole.astype(np.int64))
    return off


def _widest(series: Series) -> tuple[float, float]:
    """How far down and up, as ratios, a price may lie from another of its day: twice the daily band."""
    found = instrument(series)
    band = float(band_percent(found, local_date(int(series.time[0])))) if found else _BAND
    band = min(band, _WIDEST_BAND)
    return (1 - 2 * band) / (1 + 2 * band), (1 + 2 * band) / (1 - 2 * band)


def _spikes(series: Series) -> tuple[Mask, Mask]:
    """Bars whose high, and whose low, lies further from the body than a day's band lets any price."""
    if not len(series):
        return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_)
    down, up = _widest(series)
    high = series.high > np.maximum(series.open, series.close) * up
    low = series.low < np.minimum(series.open, series.close) * down
    return high, low


class _Check:
    """The steps of `check`."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.findings: list[Finding] = []
        # A daily bar is known by its day, any other by the moment at which it begins.
        self.day: Ints = midnights(series.time)
        self.days: Ints = distinct(self.day)
        self.daily = series.width >= DAY

    def _found(self, mask: Mask, kind: str, severity: Severity, text: str, remedy: str = "") -> None:
        count = int(np.count_nonzero(mask))
        if count:
            at = first_true(mask)
            first = f"{self._when(at)}: {text.format(**self._prices(at))}"
            self.findings.append(Finding(self.series.symbol, kind, severity, count, first, remedy))

    def _when(self, at: int) -> str:
        return stamp(int(self.day[at] if self.daily else self.series.start[at]))

    def _prices(self, at: int) -> dict[str, str]:
        values = {name: f"{getattr(self.series, name)[at]:g}" for name in (*PRICES, "volume")}
        values["before"] = f"{self.series.close[at - 1]:g}" if at else "none"
        return values

    def spikes(self) -> None:
        """A high or low that no day's band allows beside the open and close."""
        high, low = _spikes(self.series)
        self._found(
            high | low,
            "spike",
            Severity.WARNING,
            "high {high} and low {low} beside open {open} and close {close}",
            "high and low brought back to the open and close",
        )

    def jumps(self) -> None:
        """A close further from the close before it than the band allows: an action not adjusted for?"""
        close: Floats = self.series.close
        down, up = _widest(self.series)
        step = close[1:] / close[:-1]
        far = np.append(False, (step < down) | (step > up))
        contract = self.series.contract
        if contract is not None and far.any():
            far[1:] &= contract[1:] == contract[:-1]
        self._found(far, "jump", Severity.WARNING, "close {close} after {before}: a split or dividend?")

    def sessions(self) -> None:
        """Bars that begin outside the board's sessions, and bars on days that do not trade."""
        if not self.daily:
            of_day = self.series.start - self.day
            inside = np.zeros(len(self.series), dtype=np.bool_)
            at_close = np.zeros(len(self.series), dtype=np.bool_)
            for begin, end in blocks(self.series.board):
                inside |= (of_day >= begin) & (of_day < end)
                at_close |= of_day == end
            self._found(
                at_close,
                "bar at the end of a session",
                Severity.INFO,
                "the last prints, stamped as the session ends",
            )
            self._found(
                ~inside & ~at_close, "bar outside the sessions", Severity.WARNING, "no session is open then"
            )
        closed = np.array([not _trades(int(day)) for day in self.days])
        if closed.any():
            mask = closed[np.searchsorted(self.days, self.day)]
            self._found(mask, "bar on a closed day", Severity.WARNING, "the exchanges were closed")

    def missing_days(self) -> None:
        """Trading days without a bar: by the table of closures where there is one."""
        days = self.days
        if len(days) < 2:
            return
        first, last = local_date(int(days[0])), local_date(int(days[-1]))
        present = {local_date(int(day)) for day in days}
        known = max(first, date(min(CLOSURES), 1, 1))
        missing = [
            day for day in VIETNAM.trading_days(known, last) if day not in present and day.year in CLOSURES
        ]
        if missing:
            self.findings.append(
                Finding(
                    self.series.symbol, "missing day", Severity.WARNING, len(missing), f"{missing[0]}: no bar"
                )
            )
        silent = np.append(False, np.diff(days) > _LONGEST_HOLIDAY)
        silent &= np.array([local_date(int(day)).year not in CLOSURES for day in days])
        if silent.any():
            at = first_true(silent)
            text = f"no bar from {stamp(int(days[at - 1]))} to {stamp(int(days[at]))}"
            self.findings.append(
                Finding(self.series.symbol, "missing days", Severity.WARNING, int(silent.sum()), text)
            )

    def silences(self) -> None:
        """Holes inside the sessions of a series that otherwise has a bar for nearly every interval."""
        if self.daily:
            return
        series = self.series
        spans = blocks(series.board)
        full = sum(end - begin for begin, end in spans) / series.width * len(self.days)
        if len(series) < _LIQUID * full:
            return
        of_day = series.start - self.day
        span = np.searchsorted([begin for begin, _ in spans], of_day, side="right")
        inside = np.append(0, [end for _, end in spans])[span] > of_day
        together = (self.day[1:] == self.day[:-1]) & (span[1:] == span[:-1]) & inside[1:]
        hole = (series.start[1:] - series.time[:-1] >= max(_LONGEST_SILENCE, 2 * series.width)) & together
        # The closing auction prints once, at its end: the silence before it is no hole.
        auction = of_day[1:] + series.width >= spans[-1][1]
        hole &= ~auction
        if hole.any():
            at = first_true(hole)
            text = f"{stamp(int(series.time[at]))}: no bar until {stamp(int(series.start[at + 1]))}"
            self.findings.append(
                Finding(series.symbol, "gap in a session", Severity.WARNING, int(hole.sum()), text)
            )

    def ticks(self) -> None:
        """Prices off the tick; on an adjusted series that is as it should be."""
        found = instrument(self.series)
        if found is not None and not self.series.adjusted:
            off = _off_tick(self.series, found)
            self._found(
                off,
                "price off the tick",
                Severity.WARNING,
                "open {open}, high {high}, low {low}, close {close}",
            )

    def volumes(self) -> None:
        """Bars in which nothing traded: nothing fills in them."""
        self._found(self.series.volume == 0, "no volume", Severity.INFO, "nothing traded, so nothing fills")


def _trades(midnight: int) -> bool:
    day = local_date(midnight)
    return VIETNAM.is_trading_day(day) if day.year in CLOSURES else day.weekday() < 5
