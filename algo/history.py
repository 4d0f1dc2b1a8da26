"""What a strategy may know of the past: bars and indicator values up to now, never beyond.

In a backtest the arrays are whole and a cursor reveals them bar by bar; in live they grow. Either
way a reader sees `n` rows. Values come out of memoryviews, which give plain Python floats quickly
and copy nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from math import isnan
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from algo.errors import LookAheadError, ParameterError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLUMNS = ("open", "high", "low", "close", "volume")


class History:
    """The bars of one symbol in one width; the first `n` are known.

    Arrays are float64 (volume and times int64). `time` is when each bar is complete, `start` when
    it began, both in nanoseconds since the epoch.
    """

    def __init__(
        self,
        symbol: str,
        width: int,
        time: Ints,
        start: Ints,
        open: Floats,
        high: Floats,
        low: Floats,
        close: Floats,
        volume: Ints,
    ) -> None:
        self.symbol = symbol
        self.width = width
        self.n = 0
        self._capacity = len(time)
        self._columns: dict[str, Any] = {
            "time": time,
            "start": start,
            "open": open,
            "high": high,
            "low": low,
            "close": close,
            "volume": volume,
        }

    def column(self, name: str) -> NDArray[Any]:
        """The whole array behind column `name`, future included: for the framework, not for strategies."""
        array: NDArray[Any] = self._columns[name]
        return array[: self._capacity]

    def last(self, name: str) -> float:
        """The latest known value of column `name`, a plain number; there must be one."""
        value: float = self._columns[name].item(self.n - 1)
        return value

    def reveal_until(self, ns: int) -> None:
        """Reveal every bar that is complete at `ns`."""
        time = self._columns["time"]
        while self.n < self._capacity and time[self.n] <= ns:
            self.n += 1

    def append(self, row: Sequence[float]) -> None:
        """Add one complete bar (time, start, open, high, low, close, volume) and reveal it."""
        self.extend(row)
        self.n = self._capacity

    def extend(self, row: Sequence[float]) -> None:
        """Add one bar behind those that there are, to be revealed when its time has come."""
        if self._capacity == len(self._columns["time"]):
            for name, array in self._columns.items():
                grown = np.empty(max(64, 2 * len(array)), dtype=array.dtype)
                grown[: len(array)] = array
                self._columns[name] = grown
        for name, value in zip(("time", "start", "open", "high", "low", "close", "volume"), row, strict=True):
            self._columns[name][self._capacity] = value
        self._capacity += 1


class Bars:
    """Complete bars of one symbol and width, oldest first, up to now.

    ``bars.close[-1]`` is the last close, ``bars.close[-20:]`` the last twenty. Arrays are read-only
    views: float64 prices, int64 volume, int64 `ns` (when each bar was complete).
    """

    __slots__ = ("_history",)

    def __init__(self, history: History) -> None:
        self._history = history

    def _view(self, name: str) -> NDArray[Any]:
        view = self._history.column(name)[: self._history.n].view()
        view.flags.writeable = False
        return view

    @property
    def ns(self) -> Ints:
        """When each bar was complete, nanoseconds since the epoch."""
        return self._view("time")

    @property
    def open(self) -> Floats:
        """First prices."""
        return self._view("open")

    @property
    def high(self) -> Floats:
        """Highest prices."""
        return self._view("high")

    @property
    def low(self) -> Floats:
        """Lowest prices."""
        return self._view("low")

    @property
    def close(self) -> Floats:
        """Last prices."""
        return self._view("close")

    @property
    def volume(self) -> Ints:
        """Shares or contracts traded."""
        return self._view("volume")

    def __len__(self) -> int:
        return self._history.n

    def __repr__(self) -> str:
        return f"<Bars {self._history.symbol} {len(self)}>"


class Indicator:
    """One causal function of a symbol's bars, readable up to the present bar.

    ``self.fast[-1]`` is its present value, ``self.fast[-2]`` the one before. A value before the
    function has enough bars is NaN, and `ready` is False.
    """

    __slots__ = ("_first", "_function", "_history", "_padded", "_sound", "_values", "name")

    def __init__(self, name: str, history: History, values: Floats, function: Callable[[], Floats]) -> None:
        self.name = name
        self._history = history
        self._function = function
        self._set(values)

    def _set(self, values: Floats) -> None:
        self._values = values
        # One NaN in front: the value at the end of n bars is number n, and before the first bar
        # there is none to be had. A memoryview gives plain floats, and quickly.
        self._padded = memoryview(np.concatenate(([np.nan], values)))  # type: ignore[arg-type]
        missing = np.isnan(values)
        self._first = int(np.argmin(missing)) if not missing.all() else len(values)
        self._sound = -1 if missing[self._first :].any() else len(values)

    def _refresh(self) -> None:
        # The history has grown past what was computed (live): compute again from the same first bar,
        # so that the values are the very bits a backtest shows.
        self._set(self._function())

    def __getitem__(self, index: int) -> float:
        n = self._history.n
        if index == -1 and 0 < n <= self._sound:  # what strategies ask for at every bar
            value: float = self._padded[n]
            return value
        if n > len(self._values):
            self._refresh()
        if index < 0:
            index += n
        if 0 <= index < n:
            value = self._padded[index + 1]
            return value
        raise LookAheadError(f"{self.name}: {n} bars are known; read indices from -{n} to -1")

    @property
    def ready(self) -> bool:
        """Whether the present value exists."""
        n = self._history.n
        if n > self._sound:
            if n > len(self._values):
                self._refresh()
            return not isnan(self._padded[n])
        return n > self._first

    @property
    def values(self) -> Floats:
        """Every value up to the present bar, as a read-only float64 array."""
        if self._history.n > len(self._values):
            self._refresh()
        view = self._values[: self._history.n].view()
        view.flags.writeable = False
        return view

    def __len__(self) -> int:
        return self._history.n

    def __float__(self) -> float:
        return self[-1]

    def __repr__(self) -> str:
        return f"<Indicator {self.name} {self[-1] if self._history.n else 'no bars yet'}>"


class Histories(Protocol):
    """Where the engine finds the bars of a symbol in a width; None is the width they come in."""

    def history(self, symbol: str, width: str | None) -> History:
        """The history; raises DataError for a symbol or width that cannot be had."""
        ...


def indicator(history: History, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Apply `function` to `history` and wrap what it gives: one Indicator, or a tuple of them.

    The function's parameters named open, high, low, close, volume, time or start are filled with
    the arrays of that name; a first parameter of any other name gets the closes. The other
    arguments follow in their order.
    """
    inputs = _inputs(function)
    label = getattr(function, "__name__", "indicator")

    def compute() -> Any:
        arrays = [history.column(name) for name in inputs]
        return function(*arrays, *arguments, **named)

    first = compute()
    shown = ", ".join([repr(a) for a in arguments] + [f"{k}={v!r}" for k, v in named.items()])
    name = f"{label}({shown})"
    length = len(history.column("close"))
    if isinstance(first, tuple):
        return tuple(
            Indicator(f"{name}[{k}]", history, _checked(name, part, length), _part(compute, name, history, k))
            for k, part in enumerate(first)
        )
    return Indicator(name, history, _checked(name, first, length), _part(compute, name, history, None))


def _part(compute: Callable[[], Any], name: str, history: History, index: int | None) -> Callable[[], Floats]:
    def again() -> Floats:
        result = compute()
        return _checked(name, result if index is None else result[index], len(history.column("close")))

    return again


def _inputs(function: Callable[..., Any]) -> list[str]:
    known = {*COLUMNS, "time", "start"}
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ["close"]
    names: list[str] = []
    for parameter in parameters:
        if parameter.name not in known or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.KEYWORD_ONLY,
        ):
            break
        names.append(parameter.name)
    return names or ["close"]


def _checked(name: str, values: Any, length: int) -> Floats:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != (length,):
        raise ParameterError(
            f"{name} gave {array.shape} values for {length} bars; an indicator gives one value a bar"
        )
    return array
