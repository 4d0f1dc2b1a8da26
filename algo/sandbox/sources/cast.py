"""Who plays in the made-up market: the instruments, how they move, and what they did before the first day.

The prices are made up and say nothing about the companies whose symbols they bear. Everything follows from
the seed: a day's bars are the same whenever they are asked for.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import NamedTuple

from algo.clock import MINUTE, at
from algo.market import (
    Band,
    Session,
    Snap,
    TradingCalendar,
    band,
    day_sessions,
    instrument_of,
    is_alias,
    is_contract,
    resolve,
    snap,
)
from algo.model import Board, Instrument
from algo.sandbox.source import Candle

MARKET_VOLATILITY = 0.009
"""How far the market moves in a day (standard deviation of its log return)."""
PAST_DAYS = 260
"""Trading days known before the first one."""
_AUCTIONS = (Session.ATO, Session.ATC)


class Nature(NamedTuple):
    """How an instrument behaves: price before the first day, its share of the market's moves, its own daily
    volatility, a usual order in lots, and how many orders come in a usual minute."""

    board: Board
    price: float
    beta: float
    volatility: float
    size: float
    pace: float


CAST: Mapping[str, Nature] = {
    "VN30F1M": Nature(Board.DERIVATIVES, 1_480.0, 1.0, 0.0006, 4.0, 200.0),
    "VN30F2M": Nature(Board.DERIVATIVES, 1_482.0, 1.0, 0.0006, 2.0, 60.0),
    "FPT": Nature(Board.HOSE, 118_000.0, 1.0, 0.009, 8.0, 36.0),
    "HPG": Nature(Board.HOSE, 22_700.0, 1.1, 0.010, 30.0, 36.0),
    "VCB": Nature(Board.HOSE, 57_000.0, 0.8, 0.007, 8.0, 24.0),
    "MBB": Nature(Board.HOSE, 24_300.0, 1.1, 0.009, 25.0, 30.0),
    "SHS": Nature(Board.HNX, 17_600.0, 1.3, 0.014, 20.0, 20.0),
    "PVS": Nature(Board.HNX, 33_500.0, 1.0, 0.012, 10.0, 15.0),
    "ACV": Nature(Board.UPCOM, 96_800.0, 0.7, 0.010, 4.0, 12.0),
}
"""The instruments of the market; futures by the place of their contract."""


def shape(where: float) -> float:
    """How busy the market is at `where` of its day (0 to 1), about 1: busy at both ends, quiet at noon."""
    return 0.6 + 1.2 * (2 * where - 1) ** 2


class MadeUpPast:
    """The days before `first`: daily moves from one walk, minutes as a bridge between the day's ends."""

    def __init__(
        self, natures: Mapping[str, Nature], first: date, seed: int, calendar: TradingCalendar
    ) -> None:
        self._natures = natures
        self._seed = seed
        self._calendar = calendar
        begin = calendar.previous_trading_day(first, PAST_DAYS + 1)
        self._days = calendar.trading_days(begin, first - timedelta(days=1))
        self._bands: dict[str, list[Band]] = {}
        self._closes: dict[str, list[int]] = {}
        for name in natures:
            self._walk(name)
        self._day_candles = lru_cache(512)(self._made)

    def close(self, name: str) -> int:
        """The last close before the first day, in price units."""
        return self._closes[name][-1]

    def candles(self, symbol: str, first: date, last: date) -> Sequence[Candle]:
        """The minutes of those days, both included, oldest first."""
        found: list[Candle] = []
        for number in range(max(bisect_left(self._days, first), 1), bisect_right(self._days, last)):
            name = self._name(symbol, self._days[number])
            if name:
                found += (candle._replace(symbol=symbol) for candle in self._day_candles(name, number))
        return found

    def days(self, symbol: str, before: date, count: int) -> Sequence[date]:
        """The last `count` days on which the symbol traded before that day, oldest first."""
        known = self._days[1 : bisect_left(self._days, before)]
        return [day for day in known if self._name(symbol, day)][-count:]

    def _name(self, symbol: str, day: date) -> str:
        """Who of the cast a symbol was on that day, '' when nobody."""
        if symbol in self._natures:
            return symbol
        if not is_contract(symbol):
            return ""
        return next(
            (name for name in self._natures if is_alias(name) and self._behind(name, day) == symbol), ""
        )

    def _behind(self, name: str, day: date) -> str:
        return resolve(name, day, self._calendar)

    def instrument(self, name: str, day: date) -> Instrument:
        """What one of the cast trades on that day."""
        return instrument_of(self._behind(name, day), self._natures[name].board)

    def _walk(self, name: str) -> None:
        """Closes by day, backwards from the price that the cast is given."""
        nature = self._natures[name]
        market, own = Random(f"{self._seed} market"), Random(f"{self._seed} {name}")  # noqa: S311
        instrument = self.instrument(name, self._days[-1])
        price = float(instrument.units(nature.price))
        closes = [snap(instrument, price, Snap.NEAREST, self._days[-1])]
        for day in reversed(self._days[:-1]):
            move = nature.beta * market.gauss(0.0, MARKET_VOLATILITY) + own.gauss(0.0, nature.volatility)
            price /= math.exp(min(max(move, -0.05), 0.05))
            closes.append(max(snap(instrument, price, Snap.NEAREST, day), 1))
        closes.reverse()
        self._closes[name] = closes

    def _made(self, name: str, number: int) -> tuple[Candle, ...]:
        """A day's minutes: from near the last close to this one, inside the band."""
        day, nature = self._days[number], self._natures[name]
        random = Random(f"{self._seed} {name} {day}")  # noqa: S311
        instrument = self.instrument(name, day)
        before, close = self._closes[name][number - 1], self._closes[name][number]
        limits = band(instrument, before, day)
        minutes = _minutes(nature.board, day)
        spread = nature.volatility * before / math.sqrt(len(minutes)) * 1.5
        path, value = [], before + (close - before) * random.random() * 0.4
        for _ in minutes:
            value += random.gauss(0.0, spread)
            path.append(value)
        drift = (close - path[-1]) / len(path)
        lot = 1 if nature.board is Board.DERIVATIVES else 100
        found: list[Candle] = []
        last = limits.clamp(snap(instrument, path[0], Snap.NEAREST, day))
        for place, ((start, auction), raw) in enumerate(zip(minutes, path, strict=True), 1):
            price = limits.clamp(snap(instrument, raw + drift * place, Snap.NEAREST, day))
            price = close if place == len(path) else price
            opened = price if auction else last
            reach = [random.gauss(0.0, spread / 2) for _ in range(2)]
            high = max(
                opened, price, 0 if auction else snap(instrument, price + abs(reach[0]), Snap.DOWN, day)
            )
            low = min(
                opened,
                price,
                high if auction else snap(instrument, max(price - abs(reach[1]), 1), Snap.UP, day),
            )
            high, low, last = limits.clamp(high), limits.clamp(low), price
            busy = shape(place / len(path)) * (6.0 if auction else 1.0) * random.lognormvariate(-0.2, 0.6)
            volume = max(round(nature.size * nature.pace * 0.3 * busy), 1) * lot
            ns = at(day, start)
            o, h, lo, c = map(instrument.price, (opened, high, low, price))
            found.append(Candle(name, ns, ns, ns, o, h, lo, c, volume, instrument.notional(price, volume)))
        return tuple(found)


@lru_cache(16)
def _minutes(board: Board, day: date) -> tuple[tuple[int, bool], ...]:
    """The minutes of a day that have a bar, and whether it is an auction's only print."""
    found: list[tuple[int, bool]] = []
    for (begin, session), (end, _) in pairwise(day_sessions(board, day)):
        if session in _AUCTIONS:
            found.append((end, True))
        elif session is Session.LO:
            found += ((start, False) for start in range(begin, end, MINUTE))
    # The opening auction prints at the first moment of continuous trading, in that minute's bar.
    prints = {start for start, auction in found if auction}
    return tuple(row for row in found if row[1] or row[0] not in prints)
