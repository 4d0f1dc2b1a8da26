"""Series: the bars of one symbol as arrays, checked once in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from algo.clock import DAY, HOUR, at, to_datetime, to_ns
from algo.errors import DataError
from algo.model import Board

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

Moment = int | str | date | datetime
"""A moment as a person writes it: nanoseconds, a date, a datetime, or ISO text of either."""

PRICES = ("open", "high", "low", "close")
_COLUMNS = ("time", "start", *PRICES, "volume")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The bars of one symbol, oldest first, as read-only arrays of one length.

    `time` is when a bar is complete and may be seen, `start` when it began, both in nanoseconds
    since the epoch. Prices are đồng for shares and points for futures; `volume` is in shares or
    contracts. `width` is the length of a bar in nanoseconds; a daily bar begins with its board's
    first session and ends with its last. `contract` names the contract behind each bar of a
    continuous future, else it is None. `adjusted` prices were changed for corporate actions and lie
    off the tick. `notes` say in words what was assumed or found on reading.

    Raises DataError when times do not strictly increase, a price is not a positive number, an open
    or close lies outside its bar, or a volume is negative.
    """

    symbol: str
    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Ints
    width: int
    start: Ints
    contract: Objects | None = None
    board: Board = Board.HOSE
    adjusted: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            kind = np.float64 if name in PRICES else np.int64
            self._freeze(name, np.asarray(getattr(self, name), dtype=kind))
        if self.contract is not None:
            self._freeze("contract", np.asarray(self.contract, dtype=object))
        object.__setattr__(self, "board", Board(self.board))
        self._check()

    def _freeze(self, name: str, values: NDArray[Any]) -> None:
        view = np.ascontiguousarray(values).view()
        view.flags.writeable = False
        object.__setattr__(self, name, view)

    def _check(self) -> None:
        columns: list[NDArray[Any]] = [getattr(self, name) for name in _COLUMNS]
        if self.contract is not None:
            columns.append(self.contract)
        if any(column.shape != (len(self.time),) for column in columns):
            raise DataError(f"{self.symbol}: all columns of a series must be flat and of one length")
        if self.width <= 0:
            raise DataError(f"{self.symbol}: the width of a bar must be positive")
        ordered = self.time[1:] > self.time[:-1]
        body_high = np.maximum(self.open, self.close)
        body_low = np.minimum(self.open, self.close)
        # NaN fails every comparison, so these also refuse what is not a number.
        inside = (self.low > 0) & (self.low <= body_low) & (body_high <= self.high) & (self.high < np.inf)
        for sound, fault in (
            (ordered, "comes no later than the bar before it"),
            (inside, "needs 0 < low <= open, close <= high"),
            (self.volume >= 0, "has a negative volume"),
            (self.start <= self.time, "begins after it ends"),
        ):
            if not sound.all():
                index = int(np.argmin(sound)) + len(self) - len(sound)
                raise DataError(f"{self.symbol}: the bar of {stamp(int(self.time[index]))} {fault}")

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        if not len(self):
            return f"<Series {self.symbol} {width_name(self.width)}: no bars>"
        first, last = stamp(int(self.time[0])), stamp(int(self.time[-1]))
        return f"<Series {self.symbol} {width_name(self.width)}: {len(self):,} bars, {first} to {last}>"

    def take(self, index: slice | NDArray[Any]) -> Series:
        """The bars that `index` (a slice, a mask or increasing positions) picks. A slice copies nothing."""
        columns = {name: getattr(self, name)[index] for name in _COLUMNS}
        contract = None if self.contract is None else self.contract[index]
        return replace(self, contract=contract, **columns)

    def between(self, from_: Moment | None = None, to: Moment | None = None) -> Series:
        """The bars that begin at or after `from_` and are complete by `to`; a date means that whole day."""
        first = 0 if from_ is None else int(np.searchsorted(self.start, moment_ns(from_), "left"))
        last = len(self) if to is None else int(np.searchsorted(self.time, moment_ns(to, end=True), "right"))
        return self.take(slice(first, max(first, last)))

    def to_frame(self) -> pd.DataFrame:
        """A DataFrame indexed by `time` (when each bar is complete, Asia/Ho_Chi_Minh).

        Columns: open, high, low, close, volume, and contract when there is one. Its `attrs` name the
        symbol.
        """
        import pandas as pd

        index = pd.DatetimeIndex(self.time.view("datetime64[ns]"), name="time")
        columns: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in (*PRICES, "volume")}
        if self.contract is not None:
            columns["contract"] = self.contract
        frame = pd.DataFrame(columns, index=index.tz_localize("UTC").tz_convert("Asia/Ho_Chi_Minh"))
        frame.attrs["symbol"] = self.symbol
        return frame


def join(parts: Sequence[Series]) -> Series:
    """One series from several of the same symbol and width; at equal times a later part's bar wins.

    Raises DataError when there are no parts or they differ in kind.
    """
    if not parts:
        raise DataError("no series to join")
    first = parts[0]
    for part in parts[1:]:
        for name in ("symbol", "width", "board", "adjusted"):
            if getattr(part, name) != getattr(first, name):
                raise DataError(
                    f"{first.symbol}: series that differ in {name} cannot be joined "
                    f"({getattr(first, name)} and {getattr(part, name)})"
                )
        if (part.contract is None) != (first.contract is None):
            raise DataError(f"{first.symbol}: one part names its contracts and another does not")
    if len(parts) == 1:
        return first
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    contract = None
    if first.contract is not None:
        contract = np.concatenate([part.contract for part in parts if part.contract is not None])
    order = np.argsort(columns["time"], kind="stable")
    ordered = columns["time"][order]
    order = order[np.append(ordered[1:] != ordered[:-1], True)]
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    return replace(
        first,
        contract=None if contract is None else contract[order],
        notes=notes,
        **{name: values[order] for name, values in columns.items()},
    )


def moment_ns(moment: Moment, end: bool = False) -> int:
    """`moment` in nanoseconds; a bare date is its midnight, or with `end` the midnight after it."""
    if isinstance(moment, str):
        text = moment.strip()
        try:
            moment = date.fromisoformat(text)
        except ValueError:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise DataError(
                    f"{text!r} is not a date or a time; write 2024-01-31 or 2024-01-31T09:30"
                ) from None
    if isinstance(moment, datetime):
        return to_ns(moment)
    if isinstance(moment, date):
        return at(moment + timedelta(days=1) if end else moment)
    return int(moment)


def stamp(ns: int) -> str:
    """A moment as people read it, for example ``2024-01-31 09:30``; midnight shows the date alone."""
    moment = to_datetime(ns)
    if not (moment.hour or moment.minute or moment.second):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def width_name(width: int) -> str:
    """A width as people write it: 1m, 5m, 1h, 1d. The inverse of `widths.parse_width`."""
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (HOUR // 60, "m")):
        if width % unit == 0:
            return f"{width // unit}{letter}"
    return f"{width // 1_000_000_000}s"
