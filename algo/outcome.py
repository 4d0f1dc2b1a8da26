"""What a run gives, once it is over: from engine, ledger and the bars that it saw to a `Result`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from algo.clock import to_datetime
from algo.data.feed import BarFeed
from algo.engine import Engine
from algo.model import Instrument, Order
from algo.portfolio import Portfolio
from algo.result import Result
from algo.strategy import Strategy
from algo.valuation import equity_curve

if TYPE_CHECKING:
    from algo.data.series import Series


def collect(
    strategy: Strategy,
    engine: Engine,
    ledger: Portfolio,
    feed: BarFeed,
    fill_moments: Sequence[int],
    moments: int,
    *,
    opening: Mapping[str, tuple[Instrument, int, int]],
    settings: Mapping[str, Any],
    warnings: Sequence[str],
    messages: Sequence[tuple[int, str]],
    error: str = "",
) -> Result:
    """The result of one strategy over the first `moments` of a feed.

    `fill_moments` has, for each fill of the ledger, the moment that it belongs to; `opening` what was held
    before: symbol -> (instrument, quantity, price in units). `messages` come with their market time.
    """
    import numpy as np
    import pandas as pd

    from algo.clock import HO_CHI_MINH
    from algo.report.statistics import statistics
    from algo.result import trades_frame

    equity, exposed = equity_curve(feed, ledger, fill_moments, moments, opening)
    index = pd.DatetimeIndex(feed.times[:moments].view("datetime64[ns]"), tz="UTC").tz_convert(HO_CHI_MINH)
    curve = pd.Series(equity, index=index, name="equity")
    exposure = pd.Series(exposed, index=index, name="exposure")
    symbols = {}
    for symbol, one in feed.series.items():
        symbols[symbol] = symbol
        for code in () if one.contract is None else set(one.contract.tolist()):
            symbols[str(code)] = symbol
    trades = trades_frame(ledger.round_trips, symbols, ledger.fills)
    fills = {
        "value": np.array([fill.value for fill in ledger.fills]),
        "fee": np.array([fill.fee for fill in ledger.fills]),
        "tax": np.array([fill.tax for fill in ledger.fills]),
    }
    last = int(feed.times[moments - 1]) if moments else 0
    bars = sum(int(np.searchsorted(one.time, last, "right")) for one in feed.series.values())
    stats = statistics(curve, trades, fills, exposure, bars=bars, opening=ledger.opening)
    stats["fees"], stats["taxes"] = ledger.fees, ledger.taxes
    result = Result(
        strategy=type(strategy).__name__,
        parameters=dict(strategy.parameters),
        settings=dict(settings),
        data=[_facts(one) for one in feed.series.values()],
        equity=curve,
        exposure=exposure,
        stats=stats,
        warnings=list(warnings),
        messages=list(messages),
        error=error,
        _fills=ledger.fills,
        _orders=_orders(engine, ledger),
        _trades=ledger.round_trips,
        _symbols=symbols,
        _series=feed.series,
    )
    result.__dict__["trades"] = trades
    return result


def _orders(engine: Engine, ledger: Portfolio) -> list[Order]:
    """Every order of the strategy that the ledger belongs to."""
    name = next(desk.name for desk in engine.desks.values() if desk.ledger is ledger)
    if len(engine.desks) == 1:
        return engine.manager.every
    return [order for order in engine.manager.every if order.strategy == name]


def _facts(one: Series) -> dict[str, Any]:
    from algo.data.series import width_name

    return {
        "symbol": one.symbol,
        "from": to_datetime(int(one.start[0])).isoformat(),
        "to": to_datetime(int(one.time[-1])).isoformat(),
        "bars": len(one),
        "width": width_name(one.width),
        "board": str(one.board),
        "adjusted": one.adjusted,
        "notes": list(one.notes),
    }
