"""The broker's rate limits, kept by account. Pure: moments are seconds of a monotonic clock, given.

Each rule admits so many calls in any window of its length. A fifth of each rule is kept for cancels; the
others wait for what is left. Rules are learned from the `rateLimit` endpoint and from the text of a 429.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from algo.brokers.fctrading.endpoints import Endpoint, Kind

CANCEL_SHARE = 5
"""One in so many calls is kept for cancels."""
SLACK = 0.05
"""Seconds by which windows are stretched, because calls bunch up on their way."""
_PERIOD = re.compile(r"(\d{0,6})\s*(ms|s|m|h|d)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Rule:
    """At most `limit` calls in any `period` seconds to the endpoints that `pattern` names.

    Patterns: ``*`` all, ``post:*`` and ``get:*`` by method, ``*:*/name`` or ``post:*/name`` one endpoint.
    """

    pattern: str
    period: float
    limit: int

    def covers(self, endpoint: Endpoint) -> bool:
        """Whether a call of `endpoint` counts."""
        method, _, path = self.pattern.lower().rpartition(":")
        if method not in {"", "*", endpoint.method.lower()}:
            return False
        name = path.rsplit("/", 1)[-1]
        return name in {"*", "", endpoint.name}

    def room(self, kind: Kind) -> int:
        """How many of the calls a kind may use: a cancel all, the others four fifths, one at least."""
        if kind is Kind.CANCEL:
            return self.limit
        return max(1, self.limit - -(-self.limit // CANCEL_SHARE))


UNLEARNED = (Rule("*", 1.0, 5),)
"""What is assumed until the broker tells its rules."""


def parse_rule(pattern: str, period: str, limit: int) -> Rule | None:
    """The rule of the broker's own words, or None when they make no sense."""
    found = _PERIOD.fullmatch(period.strip())
    if not found or limit < 1 or not pattern.strip():
        return None
    seconds = int(found[1] or 1) * _SECONDS[found[2].lower()]
    return Rule(pattern.strip(), seconds, limit) if seconds > 0 else None


class Quota:
    """When the next call may go. Ask `delay`, then `spend` when the call is really made."""

    def __init__(self, rules: Iterable[Rule] = UNLEARNED) -> None:
        self._rules = tuple(rules)
        self._calls: dict[tuple[str, Rule], deque[float]] = {}
        self._covering: dict[Endpoint, tuple[Rule, ...]] = {}
        self._blocked: dict[str, float] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        return self._rules

    def learn(self, rules: Iterable[Rule]) -> None:
        """Replace the rules by those that the broker names; an answer without any changes nothing.

        Calls that a new rule did not count yet count as none: the broker forgives or says 429.
        """
        self._rules = tuple(rules) or self._rules
        self._covering.clear()

    def delay(self, account: str, endpoint: Endpoint, now: float) -> float:
        """Seconds until the call may go; 0 means now."""
        until = self._blocked.get(account, now)
        for rule in self._rules_for(endpoint):
            calls = self._calls.get((account, rule))
            room = rule.room(endpoint.kind)
            if calls is not None and len(calls) >= room:
                until = max(until, calls[-room] + rule.period + SLACK)
        return max(0.0, until - now)

    def spend(self, account: str, endpoint: Endpoint, now: float) -> None:
        """Count a call that goes out at `now`."""
        for rule in self._rules_for(endpoint):
            calls = self._calls.setdefault((account, rule), deque(maxlen=rule.limit))
            calls.append(now)

    def refused(self, account: str, wait: float, now: float, told: tuple[int, float] | None = None) -> None:
        """A 429: hold the account's calls for `wait` seconds, and learn.

        `told` is the limit that the answer named, as (calls, seconds). When it named none, half of the
        present limit is tried, until the broker names its rules again.
        """
        self._blocked[account] = max(self._blocked.get(account, now), now + wait)
        if told is None:
            present = [rule.limit for rule in self._rules if rule.pattern == "*" and rule.period == 1.0]
            told = (max(1, min(present, default=UNLEARNED[0].limit) // 2), 1.0)
        limit, period = told
        same = [rule for rule in self._rules if rule.pattern == "*" and rule.period == period]
        if not same or same[0].limit > limit:
            others = tuple(rule for rule in self._rules if rule not in same)
            self.learn((*others, Rule("*", period, limit)))

    def _rules_for(self, endpoint: Endpoint) -> tuple[Rule, ...]:
        found = self._covering.get(endpoint)
        if found is None:
            found = tuple(rule for rule in self._rules if rule.covers(endpoint))
            self._covering[endpoint] = found
        return found
