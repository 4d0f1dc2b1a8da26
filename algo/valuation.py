"""What the account was worth at each moment, from its fills, after the run and in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from algo.data.feed import BarFeed
from algo.model import Instrument
from algo.portfolio import Portfolio

Ints = NDArray[np.int64]


def equity_curve(
    feed: BarFeed,
    ledger: Portfolio,
    fill_moments: Sequence[int],
    moments: int,
    opening: Mapping[str, tuple[Instrument, int, int]],
) -> tuple[Ints, Ints]:
    """(equity, exposed) for the first `moments` moments of the feed.

    `equity` is đồng, positions at the last close of their symbol; `exposed` is 1 where anything was
    held. `opening` has positions held from before: symbol -> (instrument, quantity, price in units).
    """
    times = feed.times[:moments]
    symbol_of = {name: symbol for symbol, names in _names(feed).items() for name in names}
    cash: Ints = np.zeros(moments + 1, dtype=np.int64)
    cash[0] = ledger.opening
    held = {symbol: np.zeros(moments + 1, dtype=np.int64) for symbol in feed.series}
    for symbol, (instrument, number, price) in opening.items():
        held[symbol][0] += number
        # Opening shares are part of the opening capital, opening contracts only their profit since.
        cash[0] -= instrument.notional(price, number)
    for fill, moment in zip(ledger.fills, fill_moments, strict=True):
        change = fill.quantity * fill.side
        cash[moment] -= change * fill.units * fill.instrument.multiplier + fill.fee + fill.tax
        held[symbol_of[fill.instrument.symbol]][moment] += change
    for flow in ledger.flows:
        place = min(int(np.searchsorted(times, flow.ns, "left")), moments)  # beyond the end: not counted
        cash[place] += flow.amount
        if flow.quantity:
            held[symbol_of[flow.symbol]][place] += flow.quantity
    # In place where it can be: these arrays are as long as the run.
    equity: Ints = np.cumsum(cash[:moments], out=cash[:moments])
    exposed: Ints = np.zeros(moments, dtype=np.int64)
    for symbol, changes in held.items():
        if not changes.any():
            continue
        quantity = np.cumsum(changes[:moments], out=changes[:moments])
        begun = opening[symbol][2] if symbol in opening else None
        equity += quantity * _marks(feed, symbol, times, begun) * feed.instruments[symbol].multiplier
        exposed |= quantity != 0
    return equity, exposed


def _marks(feed: BarFeed, symbol: str, times: Ints, begun: int | None) -> Ints:
    """The symbol's last close at each moment, in price units; before its first bar its opening price."""
    one, scale = feed.series[symbol], feed.instruments[symbol].scale
    units = one.close * scale
    units += 0.5
    closes = np.floor(units, out=units).astype(np.int64)
    if one.time is feed.times:
        return closes[: len(times)]
    index = np.searchsorted(one.time, times, "right") - 1
    # Nothing but an opening position can be held before the first bar is complete.
    return np.where(index >= 0, closes[np.maximum(index, 0)], begun or closes[0])


def _names(feed: BarFeed) -> dict[str, set[str]]:
    """Each symbol of the feed with every instrument that stands behind it at some time."""
    names = {}
    for symbol, one in feed.series.items():
        contracts = set() if one.contract is None else {str(code) for code in set(one.contract.tolist())}
        names[symbol] = contracts | {symbol}
    return names
