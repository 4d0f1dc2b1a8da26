"""When a board trades, as the few spans that bars have to respect."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import pairwise

import numpy as np

from algo.clock import DAY, at
from algo.data.series import Ints
from algo.market import Session, day_sessions
from algo.model import Board

_NOT_TRADING = (Session.C, Session.BREAK)
_EPOCH_MIDNIGHT = at(date(1970, 1, 1))


@lru_cache
def blocks(board: Board) -> tuple[tuple[int, int], ...]:
    """The unbroken spans of trading of a day: (begin, end) in nanoseconds since local midnight.

    Auctions belong to the span that they open or close; only the lunch break divides a day.
    """
    rows = day_sessions(board, date.max)
    spans: list[tuple[int, int]] = []
    for (begin, session), (end, _) in pairwise(rows):
        if session in _NOT_TRADING:
            continue
        if spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return tuple(spans)


def open_and_close(board: Board) -> tuple[int, int]:
    """When the first session begins and the last one ends, in nanoseconds since local midnight."""
    spans = blocks(board)
    return spans[0][0], spans[-1][1]


def midnights(times: Ints) -> Ints:
    """The local midnight before (or at) each of `times`, both in nanoseconds since the epoch."""
    return times - (times - _EPOCH_MIDNIGHT) % DAY


def distinct(ordered: Ints) -> Ints:
    """Each value of an ordered array once."""
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered
