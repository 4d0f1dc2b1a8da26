"""The market of a simulation: a few instruments and a small crowd, awake while the traders are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from algo.clock import MINUTE, SECOND
from algo.model import Board
from algo.sandbox.sources.cast import Nature
from algo.sandbox.sources.flow import SyntheticFlow

CAST: Mapping[str, Nature] = {
    "VN30F1M": Nature(Board.DERIVATIVES, 1_480.0, 1.0, 0.0006, 4.0, 40.0),
    "FPT": Nature(Board.HOSE, 118_000.0, 1.0, 0.009, 8.0, 16.0),
    "HPG": Nature(Board.HOSE, 22_700.0, 1.1, 0.010, 30.0, 16.0),
    "SHS": Nature(Board.HNX, 17_600.0, 1.3, 0.014, 20.0, 10.0),
}
"""Who plays, with how many orders come in a minute of virtual time."""


class SmallCrowd(SyntheticFlow):
    """A made-up market in which so many orders come in a minute of virtual time, at any speed."""

    def __init__(self, day: date, seed: int, speed: Callable[[int], float]) -> None:
        """`speed` gives how fast the market is at a market time."""
        self._speed = speed
        super().__init__(day, seed, natures=CAST)

    def _pause(self, name: str, ns: int, day: date) -> int:
        pace = CAST[name].pace / max(self._speed(ns), 1.0)
        return max(int(self._random.expovariate(pace / MINUTE)), SECOND // 1000)
