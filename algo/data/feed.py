"""The feed of a backtest: bars of many symbols in time order, and the market events between them.

Tuples are made in bulk, a chunk at a time, so that memory does not grow with the number of bars.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from algo.clock import DAY, HOUR, at
from algo.data.series import Series, width_name
from algo.errors import DataError
from algo.market import IDLE_DAYS, Reference, TradingCalendar, day_sessions, instrument_of, reference_of
from algo.model import (
    Bar,
    Board,
    ContractRolled,
    CorporateAction,
    DayStarted,
    Instrument,
    MarketEvent,
    PositionSettled,
    SessionChanged,
)

# Small enough that a chunk's tuples die before the garbage collector looks at them.
CHUNK = 256
_EPOCH = date(1970, 1, 1).toordinal()
_OFFSET = 7 * HOUR

Moments = Iterable[tuple[Bar, ...]]


def instrument_behind(series: Series, index: int = 0) -> Instrument:
    """The instrument that bar `index` of the series trades: the contract in front, or the symbol itself."""
    symbol = series.symbol if series.contract is None else str(series.contract[index])
    return instrument_of(symbol, Board(series.board), adjusted=series.adjusted)


class BarFeed:
    """Bars and market events of a set of series.

    `events` are day starts, session changes, rolls, settlements and corporate actions, in order.
    `times` are the moments at which bars become complete, strictly increasing int64 nanoseconds.
    `unbanded` counts, by symbol, the days whose first price contradicts the computed band (an
    ex-date, for instance): such a day has none.
    """

    def __init__(self, series: Mapping[str, Series], actions: Sequence[CorporateAction] = ()) -> None:
        if not series:
            raise DataError("there is no data: name at least one file or symbol with --data")
        for symbol, one in series.items():
            if not len(one):
                raise DataError(f"{symbol}: there are no bars in the chosen range")
        widths = {one.width: one for one in series.values()}
        if len(widths) > 1:
            # A wide bar's fills would be told hours after they happened, beside the narrow bars.
            narrow, wide = widths[min(widths)], widths[max(widths)]
            raise DataError(
                f"the bars of one run must be of one width: {narrow.symbol} has {width_name(narrow.width)}, "
                f"{wide.symbol} {width_name(wide.width)}; read them with --width, "
                "and use bars(symbol, width) for wider ones"
            )
        _refuse_shared_contracts(series)
        self.series = dict(series)
        self.unbanded: dict[str, int] = {}
        self.instruments = {symbol: instrument_behind(one) for symbol, one in self.series.items()}
        self._first_contracts = dict(self.instruments)
        self.times: NDArray[np.int64] = (
            next(iter(self.series.values())).time
            if len(self.series) == 1
            else np.unique(np.concatenate([one.time for one in self.series.values()]))
        )
        days = sorted({int(d) for one in self.series.values() for d in _changes(_days(one))})
        self.days = [date.fromordinal(d + _EPOCH) for d in days]
        self.calendar = TradingCalendar.from_days(self.days)
        self.events = self._events(days, actions)

    def __len__(self) -> int:
        """The number of bars."""
        return sum(len(one) for one in self.series.values())

    # -- bars ---------------------------------------------------------------------------------

    def chunks(self) -> Iterator[Moments]:
        """Moments in order, in chunks: each moment is the tuple of bars that became complete."""
        if len(self.series) == 1:
            yield from self._single(next(iter(self.series.values())))
        else:
            yield from self._merged()

    def _single(self, one: Series) -> Iterator[Moments]:
        for first in range(0, len(one), CHUNK):
            yield zip(_bars(one, first, min(first + CHUNK, len(one))))

    def _merged(self) -> Iterator[Moments]:
        places = dict.fromkeys(self.series, 0)
        for first in range(0, len(self.times), CHUNK):
            last = int(self.times[min(first + CHUNK, len(self.times)) - 1])
            found: list[Bar] = []
            for symbol, one in self.series.items():
                begin = places[symbol]
                end = int(np.searchsorted(one.time, last, "right"))
                found += _bars(one, begin, end)
                places[symbol] = end
            found.sort(key=_when)  # stable: symbols keep their order within a moment
            yield _grouped(found)

    # -- events -------------------------------------------------------------------------------

    def _events(self, days: list[int], actions: Sequence[CorporateAction]) -> list[MarketEvent]:
        boards = sorted({i.board for i in self.instruments.values()})
        rolls = self._rolls()
        references, idle = self._references(days, rolls, actions)
        by_day: dict[int, list[CorporateAction]] = {}
        for action in actions:
            # Without bars on the ex-date, the shares held are known and the price moves on the next day.
            place = bisect_left(days, (action.ns + _OFFSET) // DAY)
            if place < len(days):
                by_day.setdefault(days[place], []).append(action)
        events: list[MarketEvent] = []
        for number in days:
            day = date.fromordinal(number + _EPOCH)
            todays: list[MarketEvent] = []
            for roll in rolls.pop(number, ()):
                todays += roll
            todays.append(DayStarted(at(day), day, references.get(number, {}), idle.get(number, frozenset())))
            todays += by_day.get(number, ())
            midnight = at(day)
            todays += [
                SessionChanged(midnight + start, board, session)
                for board in boards
                for start, session in day_sessions(board, day)[1:]
            ]
            events += sorted(todays, key=lambda event: event.ns)  # stable: a midnight's roll goes first
        return events

    def _rolls(self) -> dict[int, list[list[MarketEvent]]]:
        """Day number -> what happens at the rolls before that day's first bar of the new contract."""
        rolls: dict[int, list[list[MarketEvent]]] = {}
        for symbol, one in self.series.items():
            if one.contract is None:
                continue
            days = _days(one)
            changed = np.flatnonzero(one.contract[1:] != one.contract[:-1]) + 1
            old = instrument_behind(one)
            for index in changed.tolist():
                new = instrument_behind(one, index)
                midnight = at(date.fromordinal(int(days[index]) + _EPOCH))
                last = int(one.time[index - 1])
                ns = midnight if last <= midnight else int(one.start[index])
                price = old.units(float(one.close[index - 1]))
                rolls.setdefault(int(days[index]), []).append(
                    [PositionSettled(ns, old, price, last), ContractRolled(ns, symbol, old, new)]
                )
                old = new
        return rolls

    def _references(
        self,
        days: list[int],
        rolls: Mapping[int, list[list[MarketEvent]]],
        actions: Sequence[CorporateAction],
    ) -> tuple[dict[int, dict[str, int]], dict[int, frozenset[str]]]:
        """Day number -> reference prices in units; a day whose first price contradicts its band has none."""
        from algo.market import band

        position = {number: k for k, number in enumerate(days)}
        ex: dict[str, list[tuple[int, CorporateAction]]] = {}
        for action in sorted(actions, key=lambda action: action.ns):
            ex.setdefault(action.symbol, []).append(((action.ns + _OFFSET) // DAY, action))
        references: dict[int, dict[str, int]] = {}
        idle: dict[int, set[str]] = {}
        rolled = {
            (e.symbol, number)
            for number, found in rolls.items()
            for pair in found
            for e in pair
            if isinstance(e, ContractRolled)
        }
        for symbol, one in self.series.items():
            instrument = self.instruments[symbol]
            numbers = _days(one)
            starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
            closes = _reference_prices(one, starts, instrument)
            for k in range(1, len(starts)):
                number = int(numbers[starts[k]])
                if (symbol, number) in rolled:
                    continue
                reference = float(closes[k - 1])
                for ex_day, action in ex.get(symbol, ()):
                    if int(numbers[starts[k - 1]]) < ex_day <= number:
                        reference = (reference - action.dividend) * action.ratio_old / action.ratio_new
                units = instrument.units(reference)
                first = position[number] - position[int(numbers[starts[k - 1]])] > IDLE_DAYS
                limits = band(instrument, max(units, 1), date.fromordinal(number + _EPOCH), first_day=first)
                opened = instrument.units(float(one.open[starts[k]]))
                if not limits.floor <= opened <= limits.ceiling:
                    self.unbanded[symbol] = self.unbanded.get(symbol, 0) + 1
                    continue
                references.setdefault(number, {})[symbol] = max(units, 1)
                if first:
                    idle.setdefault(number, set()).add(symbol)
        return references, {number: frozenset(symbols) for number, symbols in idle.items()}


def _refuse_shared_contracts(series: Mapping[str, Series]) -> None:
    """Two series of one contract would give it two prices, two rolls and two places in the account."""
    owner: dict[str, str] = {}
    for symbol, one in series.items():
        for code in {symbol} if one.contract is None else set(one.contract.tolist()):
            other = owner.setdefault(str(code), symbol)
            if other != symbol:
                raise DataError(f"{other} and {symbol} both have the contract {code}: run them apart")


def _days(one: Series) -> NDArray[np.int64]:
    """The local day number of each bar, by its beginning."""
    numbers: NDArray[np.int64] = (one.start + _OFFSET) // DAY
    return numbers


def _changes(numbers: NDArray[np.int64]) -> list[int]:
    """Each run's value once, in order: the days of a series, without sorting its bars."""
    found: list[int] = numbers[np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))].tolist()
    return found


def _reference_prices(one: Series, starts: NDArray[np.int64], instrument: Instrument) -> NDArray[np.float64]:
    """Each day's price that the next day's band lies about: last close, or the weighted average (UPCOM)."""
    ends = np.append(starts[1:], len(one)) - 1
    closes: NDArray[np.float64] = one.close[ends]
    if reference_of(instrument.board) is not Reference.AVERAGE:
        return closes
    volume = np.add.reduceat(one.volume, starts)
    value = np.add.reduceat(one.close * one.volume, starts)
    averages: NDArray[np.float64] = np.where(volume > 0, value / np.maximum(volume, 1), closes)
    return averages


def _when(bar: Bar) -> int:
    return bar[1]


def _bars(one: Series, first: int, last: int) -> Iterator[Bar]:
    symbol = one.symbol
    rows = zip(
        repeat(symbol),
        one.time[first:last].tolist(),
        one.open[first:last].tolist(),
        one.high[first:last].tolist(),
        one.low[first:last].tolist(),
        one.close[first:last].tolist(),
        one.volume[first:last].tolist(),
        one.start[first:last].tolist(),
        repeat(symbol) if one.contract is None else one.contract[first:last].tolist(),
        strict=False,
    )
    return map(tuple.__new__, repeat(Bar), rows)


def _grouped(bars: list[Bar]) -> Iterator[tuple[Bar, ...]]:
    group: list[Bar] = []
    for bar in bars:
        if group and group[0][1] != bar[1]:
            yield tuple(group)
            group = []
        group.append(bar)
    if group:
        yield tuple(group)
