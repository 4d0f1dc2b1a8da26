"""Replay of bars into the paper exchange, in exactly the order of a backtest.

For each moment at which bars become complete, as in `algo.simulation`: market events up to the bars'
beginning; "open", when waiting orders trade on the open; market events inside; "range", when they trade
inside the bar; market events at its end; "bar", when it is told. A stop ends as soon as an order traded, so
that whoever steps the market can answer a fill before anything else happens, as a strategy in a backtest
does. When nothing was said in the last "range", it tells the bars itself and there is no "bar".

A client gets the fills of a backtest when it fires its own timers due up to an "open" stop before it, those
due before a "range" stop before it, and takes what a stop told before it goes on to the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from algo.brokers.paper import FillRules, PaperExchange, ReplayRules
from algo.clock import at
from algo.data.feed import BarFeed
from algo.data.series import Series
from algo.errors import DataError
from algo.market import is_alias
from algo.model import (
    Bar,
    Board,
    ContractRolled,
    CorporateAction,
    DayStarted,
    Instrument,
    MarketEvent,
    SessionChanged,
)
from algo.sandbox.source import Happening, Stop
from algo.sandbox.sources.past import SeriesPast

_NEVER = 1 << 62


class BarReplay:
    """The bars of `series` from `day` on; what lies before is the past.

    Raises DataError when there is no bar on or after `day`.
    """

    def __init__(
        self,
        series: Mapping[str, Series],
        actions: Sequence[CorporateAction] = (),
        rules: FillRules | None = None,
        replay: ReplayRules | None = None,
        day: date | None = None,
    ) -> None:
        played = {name: one if day is None else one.between(day) for name, one in series.items()}
        if not any(map(len, played.values())):
            raise DataError(f"the data have no bars on or after {day}")
        played = {name: one for name, one in played.items() if len(one)}
        self._feed = BarFeed(played, actions)
        self.width = next(iter(played.values())).width
        self._rules = rules if rules is not None else FillRules()
        self.instruments: dict[str, Instrument] = dict(self._feed.instruments)
        self.exchange = PaperExchange(self.instruments, self._rules, replay)
        self.calendar = self._feed.calendar
        future = next((one for one in played.values() if is_alias(one.symbol)), None)
        self.bases = {} if future is None else {Board.HOSE: float(future.open[0])}
        self.past = SeriesPast(series, at(self._feed.days[0]))
        self._events: deque[MarketEvent] = deque(self._feed.events)
        if len(series) and at(self._feed.days[0]) > min(int(one.start[0]) for one in series.values()):
            self._limit_first_day(BarFeed(series, actions))
        self._halted: set[str] = set()
        self._bars: tuple[Bar, ...] = ()
        self._closing: list[SessionChanged] = []
        self._said: list[Happening] = []
        self._now = 0
        self._script = self._play()
        self._next = next(self._script, None)

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
        """Nothing: orders of customers do not move a replayed market."""
        return ()

    def halt(self, symbol: str, halted: bool, ns: int) -> Sequence[Happening]:
        """A halted instrument neither trades nor has bars; its bars of that time are lost."""
        (self._halted.add if halted else self._halted.discard)(symbol)
        return ()

    # -- the script ---------------------------------------------------------------------------

    def _play(self) -> Iterator[Stop]:
        """Yields each stop before it happens."""
        for chunk in self._feed.chunks():
            for bars in chunk:
                yield from self._moment(bars)
        yield from self._due(_NEVER)
        yield self._stop(self._now, "end")

    def _moment(self, bars: tuple[Bar, ...]) -> Iterator[Stop]:
        exchange, ns = self.exchange, bars[0].ns
        self._bars = bars
        start = min(bar.start for bar in bars)
        yield from self._due(start)
        yield self._stop(start, "open")
        self._said += exchange.release(start)
        for bar in self._trading(bars):
            events = exchange.open_bar(bar)
            if events:
                self._said += events
                yield self._stop(start, "open")
        yield from self._due(ns - 1)
        yield self._stop(ns, "range")
        self._said += exchange.release(ns - 1)
        for bar in self._trading(bars):
            events = exchange.range_bar(bar)
            while events:
                self._said += events
                yield self._stop(ns, "range")
                events = exchange.late_stops(bar)
        for closed in self._closing:
            self._said += exchange.close_day(closed.board, ns)
        self._closing.clear()
        if self._rules.fill != "close":
            yield from self._due(ns)
        if self._said:
            yield self._stop(ns, "bar")
        for bar in self._trading(bars):
            exchange.see(bar)
            self._said.append(bar._replace(symbol=bar.contract))

    def _due(self, until: int) -> Iterator[Stop]:
        events = self._events
        while events and events[0].ns <= until:
            kind = "session" if isinstance(events[0], SessionChanged) else "day"
            yield self._stop(events[0].ns, kind)
            self._market_event(events.popleft())

    def _market_event(self, event: MarketEvent) -> None:
        exchange = self.exchange
        if isinstance(event, DayStarted):
            exchange.start_day(event.day, event.references, event.idle)
        elif isinstance(event, ContractRolled):
            self._said += exchange.roll(event.symbol, event.new, event.ns)
            self.instruments[event.symbol] = event.new
        elif isinstance(event, SessionChanged) and event.session == "C":
            # As in a backtest: the closing auction's print comes in a bar that begins at the close, and
            # a wide bar may lie across it.
            if any(bar.start <= event.ns < bar.ns and self._on(bar, event.board) for bar in self._bars):
                self._closing.append(event)
            else:
                self._said += exchange.close_day(event.board, event.ns)
        self._said.append(event)

    def _trading(self, bars: Iterable[Bar]) -> Iterator[Bar]:
        return (bar for bar in bars if bar.contract not in self._halted)

    def _on(self, bar: Bar, board: Board) -> bool:
        return self.instruments[bar.symbol].board is board

    def _stop(self, ns: int, kind: str) -> Stop:
        """Time never goes back: the bars of one moment may begin before the last moment."""
        return Stop(max(ns, self._now), kind)

    def _limit_first_day(self, whole: BarFeed) -> None:
        """The first day that is played has limits when the bars before it tell its reference prices."""
        first = self._feed.days[0]
        known = next(e for e in whole.events if isinstance(e, DayStarted) and e.day == first)
        self._events = deque(
            known if isinstance(e, DayStarted) and e.day == first else e for e in self._feed.events
        )
