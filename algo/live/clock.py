"""Market time of a live run: the machine's clock, or a sandbox's that runs at another speed or by steps."""

from __future__ import annotations

import time
from typing import Protocol

from algo.clock import SECOND


class MarketClock(Protocol):
    """`now` is market time in nanoseconds; `seconds_until` a moment, in seconds of the machine, or None when
    it comes by steps alone."""

    def now(self) -> int: ...
    def seconds_until(self, ns: int) -> float | None: ...


class RealClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns()

    def seconds_until(self, ns: int) -> float | None:
        """Seconds until `ns`, 0 when it has passed."""
        return max(0.0, (ns - time.time_ns()) / SECOND)


class ScaledClock:
    """A market that runs `speed` times as fast as the machine, since it was `base` at `since` (monotonic)."""

    def __init__(self, base: int, speed: float, since: float | None = None) -> None:
        self._base = base
        self._speed = speed
        self._since = time.monotonic() if since is None else since

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return self._base + round((time.monotonic() - self._since) * self._speed * SECOND)

    def seconds_until(self, ns: int) -> float | None:
        """Seconds of the machine until `ns`, 0 when it has passed."""
        return max(0.0, (ns - self.now()) / SECOND / self._speed)


class SteppedClock:
    """A market that moves when it is told."""

    def __init__(self, base: int) -> None:
        self._now = base

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return self._now

    def move(self, ns: int) -> None:
        """Market time is `ns`. It never goes back."""
        self._now = max(self._now, ns)

    def seconds_until(self, _ns: int) -> float | None:
        """None: it comes by steps alone."""
        return None
