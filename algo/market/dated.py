"""A rule's value over time: every table of this room is one of these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

T = TypeVar("T")

KRX = date(2025, 5, 5)
"""The day the exchanges went over to the KRX trading system; many rules changed with it."""


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """Values with the first day on which each one holds, oldest first.

    The first value also holds before its day, so that a rule always has an answer.
    """

    rows: tuple[tuple[date, T], ...]

    def __post_init__(self) -> None:
        days = [day for day, _ in self.rows]
        if not days or days != sorted(set(days)):
            raise ValueError("a dated value needs rows with rising, different days")

    @classmethod
    def constant(cls, value: T) -> Dated[T]:
        """A value that never changed."""
        return cls(((date.min, value),))

    def at(self, day: date) -> T:
        """The value that holds on `day`."""
        found = self.rows[0][1]
        for start, value in self.rows[1:]:
            if start > day:
                break
            found = value
        return found
