"""Replay of quotes and trades into the paper exchange.

Ticks come from a Parquet or CSV file (`read_ticks`) or as values. Days and sessions come from the ticks' own
dates and the boards' hours; a day's reference prices are the day before's by each board's rule, the first
day's are given or not known. A board's orders of the day end a minute after its close, because the print of
the closing auction comes at the close or a little later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from algo.brokers.paper import FillRules, PaperExchange, ReplayRules
from algo.clock import MINUTE, at, local_date
from algo.data.fastconnect.decode import DEPTH
from algo.data.stamps import NO_TIME, moments
from algo.data.tables import read_file
from algo.errors import DataError
from algo.market import (
    Contract,
    Reference,
    TradingCalendar,
    instrument_of,
    is_contract,
    last_trading_day,
    reference_of,
    transitions,
)
from algo.model import Board, DayStarted, Instrument, Level, PositionSettled, Quote, SessionChanged, Trade
from algo.sandbox.source import Happening, Stop
from algo.sandbox.sources.past import SeriesPast

Tick = Quote | Trade
_CLOSING = MINUTE


class TickReplay:
    """The market that `ticks`, in the order of time, tell of.

    `boards` says where a symbol trades when its form does not tell (HOSE otherwise); `references` are the
    first day's reference prices as the market shows them. With `day` the days before it are not played; they
    tell its reference prices. Raises DataError without ticks, and for ticks out of order.
    """

    width = MINUTE

    def __init__(
        self,
        ticks: Iterable[Tick],
        *,
        boards: Mapping[str, Board] | None = None,
        references: Mapping[str, float] | None = None,
        rules: FillRules | None = None,
        replay: ReplayRules | None = None,
        day: date | None = None,
    ) -> None:
        self._ticks = list(ticks)
        for one, other in zip(self._ticks, self._ticks[1:], strict=False):
            if other.ns < one.ns:
                raise DataError(
                    f"{other.symbol}: the tick of {other.time} comes after a later one: sort them"
                )
        begin = 0 if day is None else bisect_left(self._ticks, at(day), key=lambda tick: tick.ns)
        earlier, self._ticks = self._ticks[:begin], self._ticks[begin:]
        if not self._ticks:
            raise DataError("there are no quotes or trades to replay" + (f" from {day} on" if day else ""))
        symbols = sorted({tick.symbol for tick in self._ticks})
        self.instruments: dict[str, Instrument] = {
            symbol: instrument_of(symbol, (boards or {}).get(symbol)) for symbol in symbols
        }
        self.exchange = PaperExchange(self.instruments, rules, replay)
        self.calendar = TradingCalendar.from_days({local_date(tick.ns) for tick in self._ticks})
        self.past = SeriesPast({}, 0)
        self.bases: dict[Board, float] = {}
        self._references = {
            symbol: self.instruments[symbol].units(price)
            for symbol, price in (references or {}).items()
            if symbol in self.instruments
        }
        self._day_totals: dict[str, _Totals] = {}
        self._halted: set[str] = set()
        self._said: list[Happening] = []
        self._now = 0
        for _, group in groupby(earlier, lambda tick: local_date(tick.ns)):
            self._close_day()
            for tick in group:
                self._count(tick)
        self._script = self._play()
        self._next: Stop | None = next(self._script)

    @property
    def next_stop(self) -> Stop | None:
        """When something happens next; None after the end."""
        return self._next

    def step(self) -> Sequence[Happening]:
        """Let it happen."""
        if self._next is not None:
            self._now = self._next.ns
            self._next = next(self._script, None)
        said, self._said = self._said, []
        return said

    def after_order(self, ns: int) -> Sequence[Happening]:
        """Nothing: the orders of customers do not move a replayed market."""
        return ()

    def halt(self, symbol: str, halted: bool, ns: int) -> Sequence[Happening]:
        """The ticks of a halted instrument are lost."""
        (self._halted.add if halted else self._halted.discard)(symbol)
        return ()

    # -- the script ---------------------------------------------------------------------------

    def _play(self) -> Iterator[Stop]:
        """Yields each stop before it happens."""
        for day, ticks in groupby(self._ticks, lambda tick: local_date(tick.ns)):
            yield Stop(at(day), "day")
            self._start_day(day)
            yield from self._day(day, ticks)
        yield Stop(self._now, "end")

    def _day(self, day: date, ticks: Iterable[Tick]) -> Iterator[Stop]:
        boards = sorted({one.board for one in self.instruments.values()})
        due: list[tuple[int, Board, str]] = []
        for board in boards:
            changes = transitions(board, day)
            due += ((ns, board, str(session)) for ns, session in changes)
            due.append((changes[-1][0] + _CLOSING, board, ""))
        due.sort(key=lambda one: one[0])
        for tick in ticks:
            while due and due[0][0] <= tick.ns:
                yield from self._session(*due.pop(0))
            yield Stop(max(tick.ns, self._now), "event")
            if tick.symbol not in self._halted:
                self._tick(tick)
        for rest in due:
            yield from self._session(*rest)

    def _session(self, ns: int, board: Board, session: str) -> Iterator[Stop]:
        yield Stop(max(ns, self._now), "session" if session else "event")
        if session:
            self._said.append(SessionChanged(ns, board, session))
        else:
            self._said += self.exchange.close_day(board, ns)

    def _tick(self, tick: Tick) -> None:
        if isinstance(tick, Quote):
            self._said += self.exchange.quote(tick)
        else:
            self._said += self.exchange.trade(tick)
            self._count(tick)
        self._said.append(tick)

    def _count(self, tick: Tick) -> None:
        if isinstance(tick, Trade) and tick.symbol in self.instruments:
            totals = self._day_totals.setdefault(tick.symbol, _Totals())
            totals.add(self.instruments[tick.symbol].units(tick.price), tick.quantity)

    def _close_day(self) -> None:
        """The day before tells the reference prices of the next one."""
        for symbol, totals in self._day_totals.items():
            average = reference_of(self.instruments[symbol].board) is Reference.AVERAGE
            self._references[symbol] = round(totals.value / totals.volume) if average else totals.last
        self._day_totals = {}

    def _start_day(self, day: date) -> None:
        ns = at(day)
        self._close_day()
        for symbol, instrument in list(self.instruments.items()):
            ended = is_contract(symbol) and last_trading_day(Contract.parse(symbol)) < day
            if ended and symbol in self._references:
                self._said.append(PositionSettled(ns, instrument, self._references.pop(symbol), ns))
        self.exchange.start_day(day, self._references)
        self._said.append(DayStarted(ns, day, dict(self._references)))


class _Totals:
    """What a symbol traded in a day, in price units."""

    def __init__(self) -> None:
        self.last = 0
        self.volume = 0
        self.value = 0

    def add(self, units: int, quantity: int) -> None:
        """One trade more."""
        self.last = units
        self.volume += quantity
        self.value += units * quantity


def holds_ticks(path: str | Path) -> bool:
    """Whether a file has quotes or trades, as `read_ticks` takes them, and not bars. Raises DataError."""
    names = {str(name).strip().lower() for name in read_file(Path(path).expanduser()).column_names}
    told = {"price", "quantity"} <= names or bool({"bid_price_1", "ask_price_1"} & names)
    return told and not {"open", "high", "low", "close"} & names


def read_ticks(path: str | Path) -> list[Tick]:
    """The quotes and trades in a Parquet or CSV file, in the file's order.

    Columns: `time` (anything that a bar's time may be; local time without a zone) and `symbol`; for a trade
    `price`, `quantity` and perhaps `side` (1 or B: the buyer came to the seller; -1 or S; else unknown); for
    a quote `bid_price_1`, `bid_quantity_1`, `ask_price_1`, `ask_quantity_1`, up to 10. Prices are as the
    market shows them. A row may have both, and is then the trade before the quote; where there is no price or
    no quantity, the column is empty or 0. Raises DataError for what cannot be read.
    """
    table = read_file(Path(path).expanduser())
    table = table.rename_columns([str(name).strip().lower() for name in table.column_names])
    names = set(table.column_names)
    for needed in ("time", "symbol"):
        if needed not in names:
            raise DataError(f"{path} has no column {needed}; it has {', '.join(table.column_names)}")
    times, _ = moments(table.column("time"), None)
    columns = {name: table.column(name).to_pylist() for name in names - {"time"}}
    found: list[Tick] = []
    for row, ns in enumerate(times.tolist()):
        if ns == NO_TIME:
            raise DataError(f"{path}: the time of row {row + 1:,} cannot be read")
        symbol = str(columns["symbol"][row]).strip().upper()
        price, quantity = _number(columns, "price", row), _number(columns, "quantity", row)
        if price > 0 and quantity > 0:
            found.append(Trade(symbol, ns, price, int(quantity), _side(columns, row)))
        bids, asks = _levels(columns, "bid", row), _levels(columns, "ask", row)
        if bids or asks:
            found.append(Quote(symbol, ns, bids, asks))
    return found


def _levels(columns: Mapping[str, list[Any]], side: str, row: int) -> tuple[Level, ...]:
    found = []
    for number in range(1, DEPTH + 1):
        price = _number(columns, f"{side}_price_{number}", row)
        quantity = _number(columns, f"{side}_quantity_{number}", row)
        if price > 0 and quantity > 0:
            found.append(Level(price, int(quantity)))
    return tuple(found)


def _number(columns: Mapping[str, list[Any]], name: str, row: int) -> float:
    value = columns[name][row] if name in columns else None
    try:
        return float(value) if value not in (None, "") else 0.0
    except (TypeError, ValueError):
        raise DataError(f"{name} of row {row + 1:,} is {value!r}, which is no number") from None


def _side(columns: Mapping[str, list[Any]], row: int) -> int:
    value = str(columns["side"][row]).strip().upper() if "side" in columns else ""
    if value in ("1", "1.0", "B", "BU", "BUY"):
        return 1
    return -1 if value in ("-1", "-1.0", "S", "SD", "SELL") else 0
