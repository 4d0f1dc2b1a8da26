"""A run beside a sandbox that this client steps: market time moves only when everything here is quiet.

One stop after another happens over there (the open of a bar, its range, a session, a day); between two stops
the client has heard of everything, acted on it, and its orders have been answered. Timers fire in their order
between the stops. So the same bars give the same fills as a backtest, over real sockets, and nothing depends
on how fast the machine is.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from algo.clock import local_date
from algo.data.fastconnect.events import BarSoFar
from algo.live.clock import SteppedClock
from algo.model import Bar, TimerFired

if TYPE_CHECKING:
    from algo.live.control import Control
    from algo.live.trading import Trading

OPEN, RANGE, DAY = "open", "range", "day"


class SteppedBars:
    """Bars of any width as the hub tells them: complete at the stop in which they were told."""

    due: int | None = None

    def __init__(self) -> None:
        self._told: dict[str, BarSoFar] = {}

    def take(self, told: BarSoFar) -> list[Bar] | None:
        """Keep it: the stop's end completes it."""
        self._told[told.symbol] = told
        return []

    def advance(self, now: int) -> list[Bar]:
        """The bars of the stop that ends at `now`."""
        told, self._told = self._told, {}
        return [
            Bar(one.symbol, now, one.open, one.high, one.low, one.close, one.volume, one.ns, one.symbol)
            for _, one in sorted(told.items())
        ]


class Stepper:
    """Drives one run through a sandbox's days. `bars` is the maker that the run's feed was given."""

    def __init__(self, trading: Trading, control: Control, clock: SteppedClock, bars: SteppedBars) -> None:
        self._trading = trading
        self._control = control
        self._clock = clock
        self._bars = bars
        self.stops = 0
        self._data_id = -1
        self._told = -1
        self._seen = 0
        """How many commands have been answered and heard of."""

    async def run(self, until: int | None = None) -> None:
        """Step until the market has no more stops, or until market time `until`."""
        state = await self._control.state()
        while (following := state["next"]) is not None:
            if until is not None and following["ns"] > until:
                break
            await self._timers(following["ns"], following["kind"])
            state = await self._control.step()
            self.stops += 1
            await self._happened(state)

    async def _timers(self, ns: int, kind: str) -> None:
        """What is due before the stop: at its very moment too, when it is the open of a bar."""
        engine = self._trading.core.engine
        while (due := engine.next_timer) < ns or (due == ns and kind == OPEN):
            if due > self._clock.now():
                self._clock.move(due)
                await self._control.approach(due)
            self._trading.runtime.post([TimerFired(due)])
            await self.quiet()

    async def _happened(self, state: dict[str, Any]) -> None:
        now = int(state["now"])
        self._clock.move(now)
        trading = self._trading
        if state["data_id"] != self._data_id:
            self._data_id = state["data_id"]
            await trading.feed.settled()
            while trading.feed.waiting:
                await asyncio.sleep(0)
        await self._heard(int(state["told"]))
        if state["stop"] == DAY:
            trading.runtime.post(trading.view.start_day(local_date(now), now))
            await trading.subscribe()
            await trading.feed.settled()
        for bar in self._bars.advance(now):
            trading.runtime.post(trading.view.hear(bar, now))
        trading.runtime.post(trading.view.flush(now, whole=True))
        await self.quiet()

    async def quiet(self) -> None:
        """Until all that is here was applied, sent, answered over there and heard of."""
        runtime = self._trading.runtime
        while True:
            before = runtime.counts.commands
            await runtime.quiet()
            if runtime.counts.commands == self._seen and before == self._seen:
                return
            self._seen = runtime.counts.commands
            state = await self._control.state()
            await self._heard(int(state["told"]))

    async def _heard(self, told: int) -> None:
        """Until the order stream has brought all that was told so far, and it was handed over."""
        if told == self._told:
            return
        self._told = told
        stream = self._trading.broker.stream
        await stream.settled()
        while stream.waiting:
            await asyncio.sleep(0)
