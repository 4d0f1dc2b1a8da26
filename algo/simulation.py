"""One strategy over a feed: the loop that backtest and paper run share.

The order of things within a bar is the order in which they happen in the market: what is due before
it begins, its open, what is due inside it, its range, what is due at its end, and only then the
strategy, who sees the bar when it is complete.
"""

from __future__ import annotations

import gc
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice

import numpy as np

from algo.brokers.paper import FillRules, PaperExchange
from algo.data.feed import BarFeed
from algo.engine import NEVER, Engine
from algo.errors import StrategyError
from algo.model import (
    Bar,
    Board,
    BrokerEvent,
    Command,
    ContractRolled,
    DayStarted,
    MarketEvent,
    PositionSettled,
    Quote,
    SessionChanged,
    TimerFired,
    Trade,
)
from algo.portfolio import Portfolio


class Simulation:
    """Runs an engine against a paper exchange over a feed of bars.

    `fill_moments` has, for each fill of the ledger, the index of the moment it belongs to.
    """

    def __init__(self, engine: Engine, ledger: Portfolio, feed: BarFeed, rules: FillRules) -> None:
        self.engine = engine
        self.ledger = ledger
        self.feed = feed
        self.exchange = PaperExchange(feed.instruments, rules)
        self.fill_moments: list[int] = []
        self.moments = 0
        self._times = memoryview(np.ascontiguousarray(feed.times))  # type: ignore[arg-type]
        # Each event with its time and the first moment that it comes before or with.
        times = np.array([event.ns for event in feed.events], dtype=np.int64)
        stops = np.searchsorted(feed.times, times).tolist()
        self._events = deque(zip(times.tolist(), stops, feed.events, strict=True))
        self._next, self._stop = feed.events[0].ns, 0
        self._late = rules.fill == "close"
        self._bars: tuple[Bar, ...] = ()
        self._closing: list[SessionChanged] = []

    @property
    def failure(self) -> StrategyError | None:
        """Why the run ended early, if it did."""
        return self.engine.failures[0] if self.engine.failures else None

    def run(
        self,
        watch: Callable[[tuple[Bar, ...]], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Go through the whole feed. A strategy that raises ends it.

        `watch` is called after each moment, `on_progress` now and then with how many moments are done.
        """
        engine, exchange = self.engine, self.exchange
        self._pump(engine.start(self._next), 0)
        self._heed()
        try:
            for chunk in self.feed.chunks():
                moments = iter(chunk)
                if on_progress is not None:
                    on_progress(self.moments)
                while True:
                    moment = None
                    if exchange.working or watch is not None or self._stop <= self.moments:
                        moment = next(moments, None)
                        if moment is None:
                            break
                        self._market(moment, self.moments)
                    quiet = self._stop - self.moments
                    if moment is None:
                        commands, count = engine.run(islice(moments, quiet))
                        if not count:
                            break
                    elif quiet < 2 or exchange.working or watch is not None:
                        commands, count = engine.step(moment), 1
                    else:
                        commands, count = engine.run(chain((moment,), islice(moments, quiet - 1)))
                    self.moments += count
                    if commands:
                        for bar in engine.last:
                            exchange.see(bar)
                        self._pump(commands, self.moments - 1)
                    if watch is not None and moment is not None:
                        watch(moment)
                    if engine.next_timer < self._next:
                        self._heed()
                    if engine.failures:
                        return
        finally:
            self.finish()

    def _heed(self) -> None:
        """Note what comes next, an event or a timer, and the first moment that it comes before."""
        ns, self._stop = self._events[0][:2] if self._events else (NEVER, len(self._times))
        self._next = min(ns, self.engine.next_timer)
        if self._next < ns:
            self._stop = bisect_left(self._times, self._next, self.moments)

    def hear(self, event: Quote | Trade) -> None:
        """A quote or a trade comes in between bars: orders fill on it, then the strategy is told."""
        moment = max(self.moments - 1, 0)
        self._due(event.ns, moment)
        self._take(
            self.exchange.quote(event) if isinstance(event, Quote) else self.exchange.trade(event), moment
        )
        self._pump(self.engine.step(event), moment)

    def finish(self) -> None:
        """Tell the strategy that there is nothing more."""
        end = int(self.feed.times[self.moments - 1]) if self.moments else self._next
        self._pump(self.engine.stop(end), max(self.moments - 1, 0))

    def _market(self, bars: tuple[Bar, ...], moment: int) -> None:
        """Everything that happens in the market before the strategy sees these bars."""
        exchange, ns = self.exchange, bars[0][1]
        self._bars = bars
        start = bars[0].start if len(bars) == 1 else min(bar.start for bar in bars)
        if self._next <= start:
            self._due(start, moment)
        if exchange.working:
            for bar in bars:
                events = exchange.open_bar(bar)
                if events:
                    self._take(events, moment)
        if self._next < ns:
            self._due(ns - 1, moment)
        if exchange.working:
            for bar in bars:
                events = exchange.range_bar(bar)
                while events:
                    self._take(events, moment)
                    events = exchange.late_stops(bar)
        if self._closing:
            for closed in self._closing:
                self._take(exchange.close_day(closed.board, ns), moment)
            self._closing.clear()
        if self._next <= ns and not self._late:
            self._due(ns, moment, timers=False)

    def _due(self, until: int, moment: int, *, timers: bool = True) -> None:
        """Market events and timers up to and including `until`, in order."""
        events, engine = self._events, self.engine
        while True:
            event_ns = events[0][0] if events else NEVER
            timer_ns = engine.next_timer if timers else NEVER
            if event_ns <= timer_ns:
                if event_ns > until:
                    break
                self._market_event(events.popleft()[2], moment)
            elif timer_ns > until:
                break
            else:
                self._pump(engine.step(TimerFired(timer_ns)), moment)
        self._heed()

    def _market_event(self, event: MarketEvent, moment: int) -> None:
        exchange = self.exchange
        if isinstance(event, SessionChanged):
            if exchange.working and event.session == "C":
                # The print of the closing auction comes in a bar that begins at the close, and a wide
                # bar may lie across it: the orders of the day are still there for such a bar.
                if any(bar.start <= event.ns < bar.ns and self._on(bar, event.board) for bar in self._bars):
                    self._closing.append(event)
                else:
                    self._take(exchange.close_day(event.board, event.ns), moment)
        elif isinstance(event, DayStarted):
            exchange.start_day(event.day, event.references, event.idle)
        elif isinstance(event, ContractRolled):
            self._take(exchange.roll(event.symbol, event.new, event.ns), moment)
        commands = self.engine.step(event)
        if commands:
            self._pump(commands, moment)
        elif event.__class__ is PositionSettled:
            self._date_fills(moment)

    def _on(self, bar: Bar, board: Board) -> bool:
        return self.feed.instruments[bar.symbol].board is board

    def _take(self, events: Iterable[BrokerEvent], moment: int) -> None:
        step = self.engine.step
        for event in events:
            commands = step(event)
            if commands:
                self._pump(commands, moment)
        self._date_fills(moment)

    def _pump(self, commands: Sequence[Command], moment: int) -> None:
        """Send commands and apply what comes back, until both sides are quiet."""
        engine, execute = self.engine, self.exchange.execute
        queue = list(commands)
        for command in queue:
            for event in execute(command, engine.now):
                queue += engine.step(event)
        self._date_fills(moment)

    def _date_fills(self, moment: int) -> None:
        missing = len(self.ledger.fills) - len(self.fill_moments)
        if missing:
            self.fill_moments += [moment] * missing


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for cycles of garbage some hundred times less often, and not at all among what was kept.

    What a run makes is kept, or dies by its reference count; looking for cycles among the kept orders
    again and again would cost a tenth of the run.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(500_000, *thresholds[1:])
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()  # with unfreeze: what is young becomes old without a look at each
            gc.unfreeze()
        gc.set_threshold(*thresholds)
