"""How fast the data service may be asked. SSI publishes no limit for it, so it is learned from refusals."""

from __future__ import annotations

from collections import deque

UNLEARNED = (2, 1.0)
"""Calls, and the seconds in which they may be made, until a refusal names the limit."""
SLACK = 0.05
"""Seconds by which the period is stretched, because calls bunch up on their way."""


class Pace:
    """When the next call may go. Ask `delay`, then `spend` when the call is really made. Pure."""

    def __init__(self, limit: tuple[int, float] = UNLEARNED) -> None:
        self.limit = limit
        self._calls: deque[float] = deque(maxlen=limit[0])
        self._blocked = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next call may go; 0 means now."""
        until = max(now, self._blocked)
        calls, period = self.limit
        if len(self._calls) >= calls:
            until = max(until, self._calls[-calls] + period + SLACK)
        return until - now

    def spend(self, now: float) -> None:
        """Count a call that goes out at `now`."""
        self._calls.append(now)

    def refused(self, wait: float, now: float, told: tuple[int, float] | None = None) -> None:
        """The limit was passed: hold calls for `wait` seconds, and take the limit that the answer named.

        When it named none, the period is doubled, up to a minute.
        """
        self._blocked = max(self._blocked, now + wait)
        calls, period = self.limit
        self.limit = told or (calls, min(60.0, period * 2))
        self._calls = deque(self._calls, maxlen=self.limit[0])
