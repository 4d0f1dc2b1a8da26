"""What you need to test your own strategies: made bars, scripted markets, assertions that say why.

::

    from algo import testing

    def test_it_buys_a_rise():
        bars = testing.bars([1200, 1201, 1203, 1206, 1210])
        result = testing.play(MyStrategy, bars, {"fast": 2})
        testing.assert_trades(result, [("long", 1)])

Bars lie inside the sessions of the symbol's board, one after the other; prices are as you give them:
points for futures, đồng for shares. `play` runs them without fees and without the cap on a bar's
volume unless you ask for these, so that the numbers of a test can be worked out by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from algo.clock import DAY, at
from algo.data.series import Series
from algo.data.widths import parse_width
from algo.errors import SettingError
from algo.loading import load_strategy
from algo.market import VIETNAM, Session, day_sessions, instrument_of
from algo.model import Board, Level, Quote, Trade

if TYPE_CHECKING:
    from algo.result import Result
    from algo.strategy import Strategy

__all__ = [
    "along",
    "assert_flat",
    "assert_no_look_ahead",
    "assert_no_refusals",
    "assert_position",
    "assert_refused",
    "assert_trades",
    "bars",
    "candles",
    "load_strategy",
    "play",
    "quote",
    "trade",
]

START = date(2024, 1, 2)
VOLUME = 10_000

# -- bars -------------------------------------------------------------------------------------------


def bars(
    closes: Iterable[float],
    *,
    symbol: str = "VN30F1M",
    width: str = "1m",
    start: date = START,
    volume: int = VOLUME,
) -> Series:
    """Bars with these closes. Each opens at the close before it and reaches no further than the two."""
    values = list(closes)
    opens = values[:1] + values[:-1]
    rows = [(a, max(a, b), min(a, b), b) for a, b in zip(opens, values, strict=True)]
    return candles(rows, symbol=symbol, width=width, start=start, volume=volume)


def along(
    points: Sequence[float],
    steps: int = 10,
    *,
    symbol: str = "VN30F1M",
    width: str = "1m",
    start: date = START,
    volume: int = VOLUME,
) -> Series:
    """Bars whose closes go in straight lines from point to point, `steps` bars each, on the tick."""
    if len(points) < 2 or steps < 1:
        raise SettingError("a path needs two points or more, and a step or more between them")
    instrument = instrument_of(symbol)
    closes = [float(points[0])]
    for here, there in pairwise(points):
        line = [here + (there - here) * step / steps for step in range(1, steps + 1)]
        closes += [instrument.price(instrument.units(value)) for value in line]
    return bars(closes, symbol=symbol, width=width, start=start, volume=volume)


def candles(
    rows: Iterable[Sequence[float]],
    *,
    symbol: str = "VN30F1M",
    width: str = "1m",
    start: date = START,
    volume: int = VOLUME,
) -> Series:
    """Bars from rows of (open, high, low, close), or with the volume as a fifth."""
    import numpy as np

    table = [(*row, volume)[:5] for row in rows]
    if not table or any(len(row) != 5 for row in table):
        raise SettingError("a candle is (open, high, low, close) or has its volume as a fifth")
    instrument = instrument_of(symbol)
    length = parse_width(width)
    begin, end = _spans(instrument.board, start, length, len(table))
    columns = np.array(table, dtype=np.float64).T
    return Series(
        symbol=symbol.strip().upper(),
        time=np.array(end, dtype=np.int64),
        start=np.array(begin, dtype=np.int64),
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=columns[4].astype(np.int64),
        width=length,
        board=instrument.board,
    )


def _spans(board: Board, first: date, width: int, count: int) -> tuple[list[int], list[int]]:
    """When `count` bars begin and are complete: whole ones inside continuous sessions of trading days."""
    begins: list[int] = []
    ends: list[int] = []
    day = first - timedelta(days=1)
    while len(begins) < count:
        day = VIETNAM.next_trading_day(day)
        hours = day_sessions(board, day)
        if width >= DAY:
            begins.append(at(day, hours[1][0]))
            ends.append(at(day, hours[-1][0]))
            continue
        slots = [
            at(day, slot)
            for (opens, session), (closes, _) in pairwise(hours)
            if session is Session.LO
            for slot in range(opens, closes - width + 1, width)
        ]
        if not slots:
            raise SettingError("no session is that long: make bars of 1d, or narrower ones")
        begins += slots
        ends += [slot + width for slot in slots]
    return begins[:count], ends[:count]


# -- scripted markets ---------------------------------------------------------------------------------


def quote(bid: float | None, ask: float | None, quantity: int = 100, *, symbol: str = "VN30F1M") -> Quote:
    """A book of one level a side, for `play`; None is an empty side."""
    return Quote(
        symbol,
        0,
        () if bid is None else (Level(bid, quantity),),
        () if ask is None else (Level(ask, quantity),),
    )


def trade(price: float, quantity: int = 1, *, side: int = 0, symbol: str = "VN30F1M") -> Trade:
    """A trade on the exchange, for `play`."""
    return Trade(symbol, 0, price, quantity, side)


def play(
    strategy: type[Strategy],
    data: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    between: Mapping[int, Sequence[Quote | Trade]] | None = None,
    fees: Any = "none",
    participation: float | None = None,
    **settings: Any,
) -> Result:
    """Run `strategy` over `data` and give the result; raises what the strategy raises.

    `data` is bars of this module, or whatever `algo.backtest` takes, which also says what `settings`
    there are (cash, fill, slippage, limit, margin, limits, opening, actions, advance). Cash is a
    billion đồng in each account unless you say otherwise. `between` has quotes and trades by the
    number of the bar (of the moment, with several symbols) after which they come, from 1:
    ``{3: [quote(1201, 1202)]}``.
    """
    from algo.backtest import DEFAULT_CASH, Settings, load, prepare
    from algo.brokers.paper import FillRules

    series = load(data)
    accounts = {instrument_of(one.symbol, one.board).account for one in series.values()}
    settings.setdefault("cash", {str(account): DEFAULT_CASH for account in accounts})
    rules = {name: settings.pop(name) for name in ("fill", "slippage", "limit") if name in settings}
    wanted = Settings(rules=FillRules(participation=participation, **rules), fees=fees, **settings)
    run = prepare(strategy, series, wanted, parameters)

    def tell(_: object) -> None:
        moment = run.simulation.moments
        for number, event in enumerate((between or {}).get(moment, ()), start=1):
            run.simulation.hear(event._replace(ns=int(run.feed.times[moment - 1]) + number))

    result = run.execute(watch=tell if between else None)
    failure = run.simulation.failure
    if failure is not None:
        failure.result = result
        raise failure
    return result


# -- assertions -----------------------------------------------------------------------------------------


def assert_trades(result: Result, expected: Sequence[tuple[Any, ...]]) -> None:
    """The closed trades are these, in order of their exits.

    Each is (side, quantity), with the entry price and the exit price after them where they matter:
    ``[("long", 1, 1201.5, 1210.0), ("short", 1)]``.
    """
    columns = ["side", "quantity", "entry_price", "exit_price"]
    found = list(result.trades.loc[:, columns].itertuples(index=False, name=None))
    same = len(found) == len(expected) and all(
        _alike(one[: len(wanted)], wanted) for one, wanted in zip(found, expected, strict=True)
    )
    if not same:
        raise AssertionError(f"expected the trades {list(expected)}, but there were {found}{_hints(result)}")


def assert_position(result: Result, symbol: str, quantity: int) -> None:
    """At the end, `quantity` of `symbol` is held (an alias stands for all its contracts)."""
    fills = result.fills[result.fills["symbol"] == symbol]
    signs = fills["side"].map({"buy": 1, "sell": -1})
    held = int((fills["quantity"] * signs).sum())
    if held != quantity:
        raise AssertionError(
            f"expected to hold {quantity} {symbol} at the end, but it is {held}{_hints(result)}"
        )


def assert_flat(result: Result) -> None:
    """Nothing is held at the end."""
    for symbol in dict.fromkeys(result.fills["symbol"]):
        assert_position(result, str(symbol), 0)


def assert_no_refusals(result: Result) -> None:
    """No order was refused."""
    reasons = _refusals(result)
    if reasons:
        raise AssertionError(f"{len(reasons)} orders were refused: {'; '.join(dict.fromkeys(reasons))}")


def assert_refused(result: Result, text: str) -> None:
    """An order was refused with a reason that has `text` in it."""
    reasons = _refusals(result)
    if not any(text in reason for reason in reasons):
        said = "; ".join(dict.fromkeys(reasons)) or "none was"
        raise AssertionError(f"expected an order to be refused because of {text!r}, but {said}")


def assert_no_look_ahead(
    strategy: type[Strategy], data: Any, parameters: Mapping[str, Any] | None = None, *, cuts: int = 8
) -> None:
    """Decisions on the first bars are those on all bars, as `algo check` tests it."""
    from algo.backtest import load
    from algo.research.lookahead import look_ahead

    found = look_ahead(strategy, load(data), parameters=parameters, cuts=cuts)
    if found:
        raise AssertionError("it looks ahead: " + "; ".join(map(str, found)))


def _alike(found: Sequence[Any], wanted: Sequence[Any]) -> bool:
    return all(
        abs(a - b) < 1e-9 if isinstance(b, int | float) and not isinstance(a, str) else a == b
        for a, b in zip(found, wanted, strict=False)
    ) and len(found) == len(wanted)


def _refusals(result: Result) -> list[str]:
    orders = result.orders
    return [str(one) for one in orders.loc[orders["status"].isin(["refused", "rejected"]), "reason"]]


def _hints(result: Result) -> str:
    """What a person would look at next."""
    counts = result.orders["status"].value_counts().to_dict()
    orders = ", ".join(f"{number} {status}" for status, number in counts.items()) or "none placed"
    warnings = f"; warnings: {'; '.join(result.warnings)}" if result.warnings else ""
    return f" (orders: {orders}{warnings})"
