"""A made-up market: minute bars with the shape of Vietnamese trading, for demos, tests and benchmarks.

Every bar obeys the exchange: sessions with the lunch break, an opening and a closing auction that
print once, prices on the tick and inside the day's band about the last close, whole lots. Turnover
and volatility are high at the open and the close and low at noon, days open with a gap, and the
future follows the same market as the shares, through its rolls. Real symbols make the output easy to
read; the prices are made up and say nothing about those companies.

The same seed gives the same bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algo.clock import MINUTE, at
from algo.data.catalog import Catalog, Entry
from algo.data.continuous import ALIAS, contracts_at
from algo.data.series import Floats, Ints, Series
from algo.errors import SettingError
from algo.market import VIETNAM, Session, TradingCalendar, band, day_sessions, instrument_of, tick_array
from algo.model import Board, Instrument

SYMBOLS = (ALIAS, "FPT", "HPG", "VCB")
START = date(2025, 7, 1)
DAYS = 126  # six months
SEED = 1

_AUCTIONS = (Session.ATO, Session.ATC)
_OVERNIGHT = 0.25  # of a day's variance comes in the opening gap
_MARKET_VOLATILITY = 0.011  # of a day
_DRIFT = 0.15  # how far a day's expected return may lean, in daily volatilities
_PERSISTENCE = 0.9  # of that lean from one day to the next


class _Nature(NamedTuple):
    """How a symbol behaves: first price, sensitivity to the market, own volatility a day, turnover."""

    price: float
    beta: float
    volatility: float
    volume: float  # shares or contracts in an average minute


_NATURES = {
    ALIAS: _Nature(1_480.0, 1.0, 0.002, 700.0),
    "FPT": _Nature(118_000.0, 1.0, 0.011, 22_000.0),
    "HPG": _Nature(22_700.0, 1.2, 0.012, 120_000.0),
    "VCB": _Nature(57_000.0, 0.7, 0.008, 18_000.0),
}


@dataclass(frozen=True, slots=True)
class _Grid:
    """The minutes of a board's day that have a bar."""

    start: Ints  # nanoseconds since midnight
    auction: NDArray[np.bool_]
    shape: Floats  # of volatility and turnover, mean 1


def make(
    symbols: Sequence[str] = SYMBOLS,
    *,
    start: date = START,
    days: int = DAYS,
    seed: int = SEED,
    calendar: TradingCalendar = VIETNAM,
) -> dict[str, Series]:
    """Minute bars by symbol for `days` trading days from `start` on.

    VN30F1M names its contracts and rolls after their last trading days. Raises SettingError for a
    symbol that is none, for single contracts, or without a day.
    """
    if days < 1:
        raise SettingError(f"a market of {days} days has no bars: ask for at least 1")
    dates = calendar.trading_days(start, start + timedelta(days=2 * days + 30))[:days]
    market = _market(dates, seed)
    return {
        name: _series(name, dates, market, seed)
        for name in dict.fromkeys(one.strip().upper() for one in symbols)
    }


def fill(
    catalog: Catalog,
    symbols: Sequence[str] = SYMBOLS,
    *,
    start: date = START,
    days: int = DAYS,
    seed: int = SEED,
) -> list[Entry]:
    """Make a market and keep it in `catalog`, marked as synthetic, in place of an earlier one.

    Raises CatalogError rather than touch real bars that the catalog has.
    """
    made = make(symbols, start=start, days=days, seed=seed)
    source = f"algo data demo, seed {seed}"
    for name, series in made.items():
        if name in catalog and not all(entry.synthetic for entry in catalog.show(name)):
            catalog.save(series, source=source, synthetic=True)  # refuses, and says why
    return [catalog.save(series, source=source, synthetic=True, replace_all=True) for series in made.values()]


def _grid(board: Board) -> _Grid:
    starts: list[int] = []
    auction: list[bool] = []
    rows = day_sessions(board, START)
    for (begin, session), (end, _) in pairwise(rows):
        if session in _AUCTIONS:  # prints once, as it ends
            starts.append(end - MINUTE)
            auction.append(True)
        elif session is Session.LO:
            starts.extend(range(begin, end, MINUTE))
            auction.extend([False] * ((end - begin) // MINUTE))
    start = np.array(starts, dtype=np.int64)
    where = (start - start[0]) / (start[-1] - start[0])
    shape = 0.6 + 1.6 * (2 * where - 1) ** 2
    return _Grid(start, np.array(auction), shape / shape.mean())


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])


def _market(dates: Sequence[date], seed: int) -> Floats:
    """The market's log returns: a row a day, a column a minute of the derivatives board's day."""
    random = _generator(seed, "market")
    shape = _grid(Board.DERIVATIVES).shape
    returns: Floats = random.normal(size=(len(dates), len(shape))) * np.sqrt(
        shape / len(shape) * (1 - _OVERNIGHT)
    )
    returns[:, 0] = random.normal(size=len(dates)) * np.sqrt(_OVERNIGHT)
    lean = 0.0
    for number, shock in enumerate(random.normal(size=len(dates))):
        lean = _PERSISTENCE * lean + np.sqrt(1 - _PERSISTENCE**2) * _DRIFT * shock
        returns[number] += lean / len(shape)
    # Fat tails: some days move twice as much as others.
    calm = np.exp(0.35 * random.normal(size=(len(dates), 1)))
    return _MARKET_VOLATILITY * calm * returns


def _series(name: str, dates: Sequence[date], market: Floats, seed: int) -> Series:
    instrument = instrument_of(name)
    future = instrument.board is Board.DERIVATIVES
    if future and name != ALIAS:
        raise SettingError(f"of futures, only {ALIAS} can be made up, not {name}")
    random = _generator(seed, name)
    nature = _NATURES.get(name) or _Nature(float(random.uniform(12_000, 90_000)), 1.0, 0.012, 30_000.0)
    grid = _grid(instrument.board)
    own = random.normal(size=(len(dates), len(grid.start))) * np.sqrt(grid.shape / len(grid.shape))
    # A share's first bar is the auction at 09:15: what the market did before it is in its gap.
    whole = _grid(Board.DERIVATIVES).start
    upto = np.searchsorted(whole, grid.start, side="right") - 1
    moves = nature.beta * np.cumsum(market, axis=1)[:, upto] + nature.volatility * np.cumsum(own, axis=1)
    midnights = np.array([at(day) for day in dates], dtype=np.int64)
    start = (midnights[:, None] + grid.start).ravel()
    contract = contracts_at(name, start) if future else None
    basis = _rolled(contract, len(grid.start), random)
    prices = _days(instrument, nature, grid, dates, moves, basis, random)
    open_, high, low, close = (
        np.concatenate(column) / instrument.scale for column in zip(*prices, strict=True)
    )
    return Series(
        symbol=name,
        time=start + MINUTE,
        start=start,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=_volume(grid, moves, nature, 1 if future else 100, random),
        width=MINUTE,
        contract=contract,
        board=instrument.board,
        notes=(f"synthetic bars of seed {seed}: no price in them is real",),
    )


def _rolled(
    contract: NDArray[np.object_] | None, minutes: int, random: np.random.Generator
) -> dict[int, float]:
    """By number of the day, how much dearer a new contract is than the one before it."""
    if contract is None:
        return {}
    first = np.flatnonzero(contract[1:] != contract[:-1]) + 1
    return {int(index) // minutes: float(random.normal(0.001, 0.003)) for index in first}


def _days(
    instrument: Instrument,
    nature: _Nature,
    grid: _Grid,
    dates: Sequence[date],
    moves: Floats,
    basis: dict[int, float],
    random: np.random.Generator,
) -> list[tuple[Ints, Ints, Ints, Ints]]:
    """Open, high, low and close in price units of each day, each on the tick and inside the band."""
    reference = instrument.units(nature.price)
    found: list[tuple[Ints, Ints, Ints, Ints]] = []
    minutes = len(grid.start)
    for number, day in enumerate(dates):
        limits = band(instrument, round(reference * (1 + basis.get(number, 0.0))), day)

        def on_tick(values: Floats | Ints, low: int = limits.floor, high: int = limits.ceiling) -> Ints:
            units = np.clip(np.rint(values).astype(np.int64), low, high)
            size = tick_array(instrument, units)
            nearest: Ints = (2 * units + size) // (2 * size) * size
            return np.clip(nearest, low, high)

        close = on_tick(limits.reference * np.exp(moves[number]))
        step = tick_array(instrument, close)
        before = np.append(close[0], close[:-1])
        open_ = on_tick(before + step * random.integers(-1, 2, minutes))
        reach = 1.2 * np.sqrt(grid.shape)
        high = on_tick(np.maximum(open_, close) + step * random.poisson(reach))
        low = on_tick(np.minimum(open_, close) - step * random.poisson(reach))
        for column in (open_, high, low):
            column[grid.auction] = close[grid.auction]
        found.append(
            (
                open_,
                np.maximum(high, np.maximum(open_, close)),
                np.minimum(low, np.minimum(open_, close)),
                close,
            )
        )
        reference = int(close[-1])
    return found


def _volume(grid: _Grid, moves: Floats, nature: _Nature, lot: int, random: np.random.Generator) -> Ints:
    """Whole lots: more at the open and close, in the auctions, and when prices move."""
    shape = np.where(grid.auction, 6.0, 1.0) * grid.shape**1.5
    stir = np.abs(np.diff(moves, axis=1, prepend=0.0))
    stir = 0.5 + stir / np.maximum(stir.mean(axis=0), 1e-12) / 2
    volume = nature.volume * shape * np.minimum(stir, 4.0) * random.lognormal(-0.18, 0.6, moves.shape)
    lots: Ints = np.maximum(np.rint(volume / lot), 1).astype(np.int64)
    return (lots * lot).ravel()
