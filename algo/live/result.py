"""The result of a live run: what its strategies traded, over the bars that they saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from algo.data.feed import BarFeed
from algo.data.series import Series
from algo.live.core import Core
from algo.model import Bar, OrderStatus
from algo.outcome import collect
from algo.report.warnings import counted, ranked
from algo.result import Result


def result_of(
    core: Core, name: str, settings: Mapping[str, Any], messages: Sequence[tuple[int, str]] = ()
) -> Result | None:
    """The result of the strategy of that name; None when it saw no bar."""
    series = {
        symbol: _series(bars, core.plan.width, core.plan.contracts[symbol].adjusted)
        if symbol in core.plan.contracts
        else _series(bars, core.plan.width)
        for symbol, bars in core.bars.items()
        if bars
    }
    if not series:
        return None
    feed, desk = BarFeed(series), core.engine.desks[name]
    ends = [fill.ns for fill in desk.ledger.fills]
    last = len(feed.times) - 1
    moments = np.minimum(np.searchsorted(feed.times, ends, "left"), last).tolist()
    failure = desk.failure
    return collect(
        desk.strategy,
        core.engine,
        desk.ledger,
        feed,
        moments,
        len(feed.times),
        opening={},
        settings=settings,
        warnings=_warnings(core, name),
        messages=messages,
        error=str(failure) if failure is not None else "",
    )


def _series(bars: list[Bar], width: int, adjusted: bool = False) -> Series:
    first = bars[0]
    columns = list(zip(*bars, strict=True))
    contracts = np.array(columns[8], dtype=object) if first.contract != first.symbol else None
    from algo.market import instrument_of

    return Series(
        symbol=first.symbol,
        time=np.array(columns[1], dtype=np.int64),
        open=np.array(columns[2]),
        high=np.array(columns[3]),
        low=np.array(columns[4]),
        close=np.array(columns[5]),
        volume=np.array(columns[6], dtype=np.int64),
        width=width,
        start=np.array(columns[7], dtype=np.int64),
        contract=contracts,
        board=instrument_of(first.contract).board,
        adjusted=adjusted,
    )


def _warnings(core: Core, name: str) -> list[str]:
    desk = core.engine.desks[name]
    found = []
    if desk.failure is not None:
        found.append(f"stopped early: {desk.failure}")
    if core.controls.killed:
        found.append(f"killed: {core.controls.killed}")
    found += [f"halted: {reason}" for reason in core.controls.halts.values()]
    refused = [
        order.reason
        for order in core.engine.manager.every
        if order.strategy == name and order.status in (OrderStatus.REFUSED, OrderStatus.REJECTED)
    ]
    if refused:
        found.append(f"{counted(len(refused), 'order')} refused: {ranked(refused)}")
    found += [
        f"open at the end: {position.quantity:,} {position.symbol}, valued at the last close"
        for position in desk.ledger.held()
    ]
    return found
