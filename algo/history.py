"""What a strategy may know of the past: bars and indicator values up to now, never beyond.

In a backtest the arrays are whole and are revealed bar by bar; in live they grow. Either way a reader
sees `n` rows. An indicator is a list of the values up to now: what is not in it cannot be read, and
reading it costs what reading a list costs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from math import isnan
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from algo.errors import ParameterError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLUMNS = ("open", "high", "low", "close", "volume")
_BLOCK = 256  # rows that are made ready to be revealed at a time


class History:
    """The bars of one symbol in one width; the first `n` are known.

    Arrays are float64 (volume and times int64). `time` is when each bar is complete, `start` when
    it began, both in nanoseconds since the epoch.

    Each item taken from `steps` reveals one more bar, to the indicators too. These iterators run without
    the interpreter, because a backtest takes an item for every bar. A new indicator makes new `steps`.
    """

    steps: Iterator[object]

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
        self._known = bytearray()  # as long as there are known rows: iterators can add to it
        self._lines: list[Indicator] = []
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
        self._restart()

    @property
    def n(self) -> int:
        """How many bars are known."""
        return len(self._known)

    @n.setter
    def n(self, n: int) -> None:
        self._known = bytearray(n)
        for line in self._lines:
            line.show(n)
        self._restart()

    def follow(self, line: Indicator) -> None:
        """Reveal the values of `line` along with the bars from now on."""
        line.show(self.n)
        self._lines.append(line)
        self._restart()

    def _restart(self) -> None:
        self.steps = chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[Iterator[object]]:
        """Iterators over what is not known yet; taking an item of theirs reveals one row."""
        known = self._known
        for first in range(len(known), self._capacity, _BLOCK):
            last = min(first + _BLOCK, self._capacity)
            counted = map(known.append, repeat(0, last - first))
            yield zip(counted, *(line.shown(first, last) for line in self._lines), strict=True)

    def column(self, name: str) -> NDArray[Any]:
        """The whole array behind column `name`, future included: for the framework, not for strategies."""
        array: NDArray[Any] = self._columns[name]
        return array[: self._capacity]

    def last(self, name: str) -> float | None:
        """The latest known value of column `name`, a plain number; None before the first bar."""
        n = len(self._known)
        value: float | None = self._columns[name].item(n - 1) if n else None
        return value

    def reveal_until(self, ns: int) -> None:
        """Reveal every bar that is complete at `ns`."""
        time, known = self._columns["time"], self._known
        while len(known) < self._capacity and time[len(known)] <= ns:
            next(self.steps)

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
        for line in self._lines:
            line.compute()
        self._restart()


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


class Indicator(list[float]):
    """One causal function of a symbol's bars: its values up to the present bar.

    ``self.fast[-1]`` is its present value, ``self.fast[-2]`` the one before, ``self.fast[-5:]`` the last
    five. A value before the function has enough bars is NaN, and `ready`, whether the present value
    exists, is False. An IndexError says that so many bars are not known. It is read and never
    written to; it is compared by identity, and there is no arithmetic with it, only with its values.
    """

    __slots__ = ("_all", "_first", "_function", "_history", "_whole", "name", "ready")

    def __init__(self, name: str, history: History, values: Floats, function: Callable[[], Floats]) -> None:
        super().__init__()
        self.name = name
        self.ready = False
        self._history = history
        self._function = function
        self._set(values)
        history.follow(self)

    def _set(self, values: Floats) -> None:
        self._all = values
        missing = np.isnan(values)
        self._first = int(np.argmin(missing)) if not missing.all() else len(values)
        self._whole = not missing[self._first :].any()

    def compute(self) -> None:
        """Compute again over a history that has grown, from its first bar: the bits of a backtest."""
        self._set(self._function())

    def show(self, n: int) -> None:
        """Hold the first `n` values."""
        super().__setitem__(slice(None), self._all[:n].tolist())
        self.ready = n > 0 and not isnan(self[-1])

    def shown(self, first: int, last: int) -> Iterator[None]:
        """An iterator over the values from `first` to `last` that adds each one it comes to."""
        values = self._all[first:last].tolist()
        if self._whole and first > self._first:  # it is ready and stays so
            return map(super().append, values)
        return map(self._add, values)

    def _add(self, value: float) -> None:
        super().append(value)
        self.ready = not isnan(value)

    @property
    def values(self) -> Floats:
        """Every value up to the present bar, as a read-only float64 array."""
        view = self._all[: len(self)].view()
        view.flags.writeable = False
        return view

    def __float__(self) -> float:
        return self[-1]

    def __repr__(self) -> str:
        return f"<Indicator {self.name} {self[-1] if self else 'no bars yet'}>"

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("an indicator is read, bar by bar; compare and compute with values such as [-1]")

    append = extend = insert = pop = remove = clear = sort = _refuse  # type: ignore[assignment]
    reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = __add__ = __mul__ = __rmul__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __eq__, __ne__, __hash__ = object.__eq__, object.__ne__, object.__hash__  # type: ignore[assignment]


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
