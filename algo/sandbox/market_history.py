"""What the market was until now: the past of the source, the days played since, and today so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from algo.clock import local_date
from algo.market import Reference, band, instrument_of, reference_of
from algo.model import Board, Instrument
from algo.sandbox.indices import NAMES
from algo.sandbox.source import Candle
from algo.sandbox.world import World

_LOOK_BACK = 400  # days, for the trading day before one


class DayFigures(NamedTuple):
    """A day of a symbol. Prices as shown, 0.0 for limits that are not known; `value` is đồng."""

    symbol: str
    day: date
    floor: float
    reference: float
    ceiling: float
    open: float
    high: float
    low: float
    close: float
    average: float
    volume: int
    value: int


class IndexDay(NamedTuple):
    """A day of an index."""

    day: date
    value: float
    prior: float
    volume: int
    turnover: int
    session: str


class MarketHistory:
    """Reads a world. Symbols are the exchange's codes, or aliases, which are followed through their rolls."""

    def __init__(self, world: World) -> None:
        self._world = world

    def instrument(self, symbol: str) -> Instrument | None:
        """What a symbol names, also when it trades no more."""
        world = self._world
        found = world.instruments.get(world.code(symbol))
        if found is None and (symbol in world.listed or self._trading_days(symbol, date.max, 1)):
            found = world.listed.get(symbol) or instrument_of(symbol)
        return found

    def candles(self, symbol: str, first: date, last: date) -> list[Candle]:
        """The bars of those days, both included, oldest first."""
        world = self._world
        found = list(world.source.past.candles(symbol, first, last))
        codes: dict[str, list[tuple[date, date]]] = {}
        for begin, end, code in world.stood_for(symbol):
            codes.setdefault(code, []).append((max(first, begin), min(last, end)))
        for code, spans in codes.items():
            for begin, end in spans:
                found += world.tape.minutes(code, begin, end)
        return found

    def days(self, symbol: str, first: date, last: date) -> list[DayFigures]:
        """The days of a symbol on which it traded, both included, oldest first."""
        instrument = self.instrument(symbol)
        if instrument is None:
            return []
        earlier = self._trading_days(symbol, first, 1)
        found: list[DayFigures] = []
        before: DayFigures | None = None
        start = earlier[0] if earlier else first
        for day, group in groupby(self.candles(symbol, start, last), lambda bar: local_date(bar.start)):
            before = self._figures(symbol, instrument, day, list(group), before)
            if first <= day:
                found.append(before)
        return found

    def index_days(self, index: str, first: date, last: date) -> list[IndexDay]:
        """The days of an index. What lies before the first played day is computed back from its members."""
        board = next((board for board, name in NAMES.items() if name.upper() == index.upper()), None)
        if board is None:
            return []
        indices = self._world.tape.indices
        name = NAMES[board]
        rows = [(row.day, row.state) for row in indices.days.get(name, ())]
        state = indices.states.get(name)
        if state is None:
            return []
        if self._world.tape.day is not None:
            rows.append((self._world.tape.day, state))
        played = [
            IndexDay(day, one.value, one.prior, one.volume, one.turnover, one.session) for day, one in rows
        ]
        earlier = self._index_past(board, played[0].prior, first, played[0].day) if played else []
        return [row for row in [*earlier, *played] if first <= row.day <= last]

    # -- inside -------------------------------------------------------------------------------

    def _trading_days(self, symbol: str, before: date, count: int) -> Sequence[date]:
        """The last `count` days before that day on which the symbol traded, oldest first."""
        world = self._world
        bound = min(before, local_date(world.now) + timedelta(days=1))
        played = [
            day
            for begin, end, code in world.stood_for(symbol)
            for day in world.tape.traded_days(code)
            if begin <= day <= end and day < bound
        ]
        return [*world.source.past.days(symbol, bound, count), *played][-count:]

    def _figures(
        self,
        symbol: str,
        instrument: Instrument,
        day: date,
        bars: list[Candle],
        before: DayFigures | None,
    ) -> DayFigures:
        volume, value = sum(bar.volume for bar in bars), sum(bar.value for bar in bars)
        worth = instrument.scale * instrument.multiplier
        close = bars[-1].close
        floor, reference, ceiling = self._limits(symbol, instrument, day, before)
        return DayFigures(
            symbol,
            day,
            floor,
            reference,
            ceiling,
            bars[0].open,
            max(bar.high for bar in bars),
            min(bar.low for bar in bars),
            close,
            round(value / volume / worth, 4) if volume else close,
            volume,
            value,
        )

    def _limits(
        self, symbol: str, instrument: Instrument, day: date, before: DayFigures | None
    ) -> tuple[float, float, float]:
        """As they were told on a day that was played, else about the day before by the rules."""
        code = next((code for begin, end, code in self._world.stood_for(symbol) if begin <= day <= end), "")
        state = self._world.tape.state_on(code, day)
        if state is not None:
            return state.floor, state.reference, state.ceiling
        if before is None:
            return 0.0, 0.0, 0.0
        average = reference_of(instrument.board) is Reference.AVERAGE
        units = instrument.units(before.average if average else before.close)
        limits = band(instrument, max(units, 1), day)
        floor, reference, ceiling = map(instrument.price, limits)
        return floor, reference, ceiling

    def _index_past(self, board: Board, value: float, first: date, until: date) -> list[IndexDay]:
        """Backwards from `value`, the index before the day `until`, by the members' changes."""
        members = [one.symbol for one in self._world.instruments.values() if one.board is board]
        back = first - timedelta(days=_LOOK_BACK // 20)
        closes: dict[date, dict[str, DayFigures]] = {}
        for symbol in members:
            for figures in self.days(symbol, back, until - timedelta(days=1)):
                closes.setdefault(figures.day, {})[symbol] = figures
        found: list[IndexDay] = []
        days = sorted(closes, reverse=True)
        for day, earlier in zip(days, [*days[1:], None], strict=True):
            rows = closes[day]
            prior = value
            if earlier is not None:
                ratios = [
                    one.close / closes[earlier][symbol].close
                    for symbol, one in rows.items()
                    if symbol in closes[earlier]
                ]
                prior = round(value / (sum(ratios) / len(ratios)), 2) if ratios else value
            volume, turnover = sum(r.volume for r in rows.values()), sum(r.value for r in rows.values())
            found.append(IndexDay(day, value, prior, volume, turnover, "C"))
            value = prior
        return found[::-1]
