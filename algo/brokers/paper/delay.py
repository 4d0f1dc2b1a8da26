"""The way of a command to the exchange: it acts later than it was sent."""

from __future__ import annotations

from collections import deque
from random import Random

from algo.brokers.paper.rules import ReplayRules
from algo.model import Command


class Delay:
    """Commands on their way, in the order in which they were sent: none overtakes another.

    The jitter comes from a generator with the rules' seed, so that a run can be repeated.
    """

    def __init__(self, rules: ReplayRules) -> None:
        self._rules = rules
        self._random = Random(rules.seed)  # noqa: S311 - a repeatable run, not a secret
        self._line: deque[tuple[int, Command]] = deque()
        self._last = 0

    @property
    def longest(self) -> int:
        """The longest time that a command can be on its way, in nanoseconds."""
        return self._rules.latency + self._rules.jitter

    def send(self, command: Command, ns: int) -> None:
        """Put a command on its way at `ns`."""
        extra = self._random.randint(0, self._rules.jitter) if self._rules.jitter else 0
        self._last = max(self._last, ns + self._rules.latency + extra)
        self._line.append((self._last, command))

    def arrive(self, ns: int) -> list[tuple[int, Command]]:
        """The commands that have arrived by `ns`, each with its own moment."""
        arrived = []
        while self._line and self._line[0][0] <= ns:
            arrived.append(self._line.popleft())
        return arrived
