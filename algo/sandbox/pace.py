"""How market time follows the machine's."""

from __future__ import annotations

from algo.clock import SECOND


class Pace:
    """Market time as a line over monotonic time: `speed` seconds of it pass in one of the machine's.

    Speed 0 is a clock that stands until it is stepped. When the machine cannot keep up, or a stretch without
    trading is left out, the line starts anew from where the market is; time never goes back.
    """

    def __init__(self, speed: float, market: int, monotonic: float) -> None:
        self._speed = speed
        self.restart(market, monotonic)

    @property
    def speed(self) -> float:
        """Seconds of market time in one of the machine's."""
        return self._speed

    def restart(self, market: int, monotonic: float) -> None:
        """Let the market be at `market` (ns) now."""
        self._market, self._monotonic = market, monotonic

    def change(self, speed: float, market: int, monotonic: float) -> None:
        """Run at another speed from `market` on."""
        self._speed = speed
        self.restart(market, monotonic)

    def due(self, monotonic: float) -> int:
        """The market time (ns) that it is at this moment."""
        return self._market + int(max(0.0, monotonic - self._monotonic) * self._speed * SECOND)
