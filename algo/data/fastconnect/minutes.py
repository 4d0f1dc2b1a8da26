"""Complete minute bars from the hub's messages of bars so far.

The hub sends a minute's bar at each change of it, stamped with the last trade's time. The bar is complete
when a later minute's message of the symbol comes, or when market time has passed the minute's end. A
message that comes after that is late and changes nothing.
"""

from __future__ import annotations

from algo.clock import MINUTE, SECOND
from algo.data.fastconnect.events import BarSoFar
from algo.model import Bar

GRACE = 2 * SECOND
"""How long after its end a bar waits for messages that are still on their way."""


class MinuteBars:
    """The bars in the making, by symbol. It is told the time and reads no clock."""

    def __init__(self, grace: int = GRACE) -> None:
        self._grace = grace
        self._made: dict[str, Bar] = {}
        self._stamp: dict[str, int] = {}
        self._done: dict[str, int] = {}

    def take(self, told: BarSoFar) -> list[Bar] | None:
        """The bar that `told` completes, or none; None when it comes too late for its minute."""
        start = told.ns - told.ns % MINUTE
        held = self._made.get(told.symbol)
        if start < (self._done.get(told.symbol, 0) if held is None else held.start):
            return None
        if held is not None and start == held.start:
            newer = told.ns >= self._stamp[told.symbol]
            self._stamp[told.symbol] = max(told.ns, self._stamp[told.symbol])
            self._made[told.symbol] = held._replace(
                high=max(held.high, told.high),
                low=min(held.low, told.low),
                close=told.close if newer else held.close,
                volume=max(held.volume, told.volume),
            )
            return []
        self._stamp[told.symbol] = told.ns
        self._made[told.symbol] = Bar(
            told.symbol, start + MINUTE, *told[2:6], told.volume, start, told.symbol
        )
        if held is None:
            return []
        self._done[told.symbol] = held.ns
        return [held]

    def advance(self, now: int) -> list[Bar]:
        """Market time is `now`: the bars that it completes, by their end and then by symbol."""
        over = [bar for bar in self._made.values() if bar.ns + self._grace <= now]
        for bar in over:
            self._done[bar.symbol] = bar.ns
            del self._made[bar.symbol]
        return sorted(over, key=lambda bar: (bar.ns, bar.symbol))

    @property
    def due(self) -> int | None:
        """When `advance` will next complete a bar; None when none is in the making."""
        if not self._made:
            return None
        return min(bar.ns for bar in self._made.values()) + self._grace
