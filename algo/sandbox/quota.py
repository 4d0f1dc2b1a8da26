"""How often one may ask: rules as the service tells them, counted in real time. Pure.

A trading account and a market data key have a count of their own each (SSI's guide).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from algo.errors import SettingError
from algo.sandbox.answers import text
from algo.sandbox.messages import Response


class RateRule(NamedTuple):
    """At most `limit` calls in any `period` seconds to the endpoints that `endpoint` names.

    ``*`` is all, ``post:*`` and ``get:*`` go by method, ``*:*/name`` is one endpoint.
    """

    endpoint: str
    period: int
    limit: int

    def covers(self, method: str, path: str) -> bool:
        """Whether a call (both in lower case) counts."""
        wanted, _, place = self.endpoint.lower().rpartition(":")
        name = place.rpartition("/")[2]
        return wanted in ("", "*", method) and name in ("", "*", path.rpartition("/")[2])


TRADING_RULES = (RateRule("*", 1, 5), RateRule("*", 5, 30))
"""The sample of SSI's guide."""
DATA_RULES = (RateRule("*", 1, 10),)
"""SSI publishes none for market data."""
LIFTED = (RateRule("*", 1, 1_000_000),)
"""As good as none, and still a rule, because clients take an empty list for no answer."""


class Quota:
    """Counts the calls of each key under its rules."""

    def __init__(self, rules: Iterable[RateRule]) -> None:
        self._covering: dict[tuple[str, str], list[tuple[int, RateRule]]] = {}
        self._calls: dict[tuple[str, int], deque[float]] = {}
        self.rules: tuple[RateRule, ...] = ()
        self.set(rules)

    def set(self, rules: Iterable[RateRule]) -> None:
        """Put other rules in force; what was counted is forgotten. Raises SettingError."""
        self.rules = tuple(rules)
        if any(rule.period < 1 or rule.limit < 1 for rule in self.rules):
            raise SettingError("a rate limit admits at least 1 call in at least 1 second")
        self._covering.clear()
        self._calls.clear()

    def spend(self, key: str, method: str, path: str, wall: float) -> Response | None:
        """Count a call, or give the answer that refuses it. Method and path in lower case."""
        rules = self._covering.get((method, path))
        if rules is None:
            rules = [(n, rule) for n, rule in enumerate(self.rules) if rule.covers(method, path)]
            self._covering[method, path] = rules
        counts = []
        for number, rule in rules:
            calls = self._calls.get((key, number))
            if calls is None:
                calls = self._calls[key, number] = deque()
            while calls and calls[0] <= wall - rule.period:
                calls.popleft()
            if len(calls) >= rule.limit:
                return exceeded(rule, calls[0] + rule.period - wall)
            counts.append(calls)
        for calls in counts:
            calls.append(wall)
        return None

    def told(self) -> list[dict[str, object]]:
        """The rules in the service's words."""
        return [
            {"endpoint": rule.endpoint, "period": f"{rule.period}s", "limit": rule.limit}
            for rule in self.rules
        ]


def exceeded(rule: RateRule, wait: float) -> Response:
    """The answer to a call too many, which may come again after `wait` seconds."""
    words = f"API calls quota exceeded! maximum admitted {rule.limit} per {rule.period} s"
    return text(words, 429, (("Retry-After", str(max(1, math.ceil(wait)))),))
