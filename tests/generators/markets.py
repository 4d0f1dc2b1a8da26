"""Small written markets and strategies that follow a script, to show one rule at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from algo.backtest import Run, Settings, prepare
from algo.brokers.paper import FillRules
from algo.clock import HOUR, MINUTE, at
from algo.data.series import Series
from algo.model import Board
from algo.result import Result
from algo.strategy import Strategy

FUTURE, SHARE = "VN30F1M", "FPT"
WEDNESDAY = date(2023, 3, 15)

Row = Sequence[float]
"""open, high, low, close and perhaps volume."""


def series(
    symbol: str,
    rows: Sequence[Row],
    times: Sequence[int],
    width: int = MINUTE,
    *,
    board: Board | None = None,
    contracts: Sequence[str] | None = None,
    adjusted: bool = False,
    start: Sequence[int] | None = None,
) -> Series:
    """Bars complete at `times`, `width` long."""
    table = np.array([(*row, 100_000)[:5] for row in rows], dtype=np.float64).reshape(-1, 5)
    moments = np.array(times, dtype=np.int64)
    return Series(
        symbol=symbol,
        time=moments,
        start=moments - width if start is None else np.array(start, dtype=np.int64),
        open=table[:, 0],
        high=table[:, 1],
        low=table[:, 2],
        close=table[:, 3],
        volume=table[:, 4].astype(np.int64),
        width=width,
        board=board or (Board.DERIVATIVES if symbol.startswith("VN30F") else Board.HOSE),
        contract=None if contracts is None else np.array(contracts, dtype=object),
        adjusted=adjusted,
    )


def minutes(
    symbol: str, rows: Sequence[Row], *, day: date = WEDNESDAY, first: int = 9 * 60 + 15, **more: Any
) -> Series:
    """One minute bar after the other, the first one beginning `first` minutes after midnight."""
    begin = at(day) + first * MINUTE
    return series(symbol, rows, [begin + (k + 1) * MINUTE for k in range(len(rows))], **more)


def daily(symbol: str, rows: Sequence[Row], days: Sequence[date], **more: Any) -> Series:
    """Daily bars, from 9:00 to 14:45."""
    ends = [at(day, 14 * HOUR + 45 * MINUTE) for day in days]
    starts = [at(day, 9 * HOUR) for day in days]
    return series(symbol, rows, ends, 24 * HOUR, start=starts, **more)


def flat(price: float, count: int, volume: int = 100_000) -> list[Row]:
    """Bars in which nothing happens."""
    return [(price, price, price, price, volume)] * count


Act = Callable[[Any, Any], Any]


class Scripted(Strategy):
    """Does what its plan says at the n-th bar it hears (from 1), and keeps what it is told."""

    _plan: Mapping[int, Act] = {}
    _first: Callable[[Any], Any] | None = None

    def on_start(self) -> None:
        self.n = 0
        self.told: list[tuple[str, str]] = []
        self.views: list[Any] = []
        self.filled: list[Any] = []
        self.rolls: list[Any] = []
        if self._first is not None:
            type(self)._first(self)

    def on_bar(self, bar: Any) -> None:
        self.n += 1
        act = self._plan.get(self.n)
        if act is not None:
            self.views.append(act(self, bar))

    def on_order(self, order: Any) -> None:
        self.told.append((str(order.status), order.reason))

    def on_fill(self, fill: Any) -> None:
        self.filled.append(fill)

    def on_roll(self, roll: Any) -> None:
        self.rolls.append(roll)


def scripted(
    plan: Mapping[int, Act], first: Callable[[Any], Any] | None = None, **members: Any
) -> type[Scripted]:
    """A strategy class with this plan; `members` replace its methods."""
    return type("Plan", (Scripted,), {"_plan": dict(plan), "_first": first, **members})


def prepared(strategy: type[Strategy], *data: Series, rules: FillRules | None = None, **settings: Any) -> Run:
    """A run ready to be executed, without fees unless told."""
    settings.setdefault("fees", "none")
    if len({Board.DERIVATIVES is one.board for one in data}) == 2:
        settings.setdefault("cash", {"equity": 10**12, "derivatives": 10**12})
    settings.setdefault("cash", 10**12)
    parameters = settings.pop("parameters", None)
    return prepare(
        strategy,
        {one.symbol: one for one in data},
        Settings(rules=rules or FillRules(participation=None), **settings),
        parameters,
    )


def played(
    strategy: type[Strategy], *data: Series, rules: FillRules | None = None, **settings: Any
) -> tuple[Any, Result]:
    """The strategy after its run, and the result."""
    run = prepared(strategy, *data, rules=rules, **settings)
    result = run.execute()
    return run.strategy, result


def fills(result: Result) -> list[tuple[str, int, float]]:
    """(side, quantity, price) of each fill."""
    return [("buy" if f.side > 0 else "sell", f.quantity, f.price) for f in result._fills]


def statuses(result: Result) -> list[str]:
    """The last status of each order, oldest first."""
    return [str(order.status) for order in result._orders]
