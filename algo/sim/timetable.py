"""How market time follows virtual time: at its own speed while things happen, faster over the dull stretches.

A trading day has hours in which nothing is tried. They pass quickly, so that a day costs a second; where
faults happen and where both sides must come to agree, a second is a second.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from algo.clock import SECOND


class Stretch(NamedTuple):
    """From market time `ns` on, `speed` seconds of the market pass in one virtual second."""

    ns: int
    speed: float


class Timetable:
    """Stretches in order. Virtual time 0 is the moment at which the first one begins."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = list(stretches)
        self._market = [one.ns for one in stretches]
        self._virtual = [0.0]
        for one, after in pairwise(stretches):
            self._virtual.append(self._virtual[-1] + (after.ns - one.ns) / SECOND / one.speed)

    def market(self, seconds: float) -> int:
        """Market time (ns) at a virtual moment."""
        place = max(bisect_right(self._virtual, seconds) - 1, 0)
        one = self._stretches[place]
        return one.ns + round((seconds - self._virtual[place]) * one.speed * SECOND)

    def virtual(self, ns: int) -> float:
        """The virtual moment of a market time."""
        place = max(bisect_right(self._market, ns) - 1, 0)
        one = self._stretches[place]
        return self._virtual[place] + (ns - one.ns) / SECOND / one.speed

    def speed(self, seconds: float) -> float:
        """How fast the market is at a virtual moment."""
        return self._stretches[max(bisect_right(self._virtual, seconds) - 1, 0)].speed
