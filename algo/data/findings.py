"""What a look at market data found, in a form for tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # not usable until it is repaired
    WARNING = "warning"  # usable; results may suffer
    INFO = "info"  # good to know


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault in one symbol's bars.

    `first` is the first example in words. `remedy` is what mends it, for example "row dropped":
    already when `done`, else on a repair; it is empty when nothing can be done about it.
    """

    symbol: str
    kind: str
    severity: Severity
    count: int
    first: str
    remedy: str = ""
    done: bool = False

    def __str__(self) -> str:
        """One line for a note or a message."""
        times = "" if self.count == 1 else f" ({self.count:,} times)"
        return f"{self.kind}{times}: {self.first}" + (f"; {self.remedy}" if self.done else "")


def first_true(mask: NDArray[np.bool_]) -> int:
    """The first index at which `mask` holds; the mask must hold somewhere."""
    return int(np.argmax(mask))
