"""Series of bars as a market might give them: thin or dense, with stragglers and bars off the grid."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import strategies as st

from algo.clock import MINUTE, at
from algo.data.hours import blocks
from algo.data.series import Series
from algo.market import VIETNAM
from algo.model import Board

WIDTHS = (MINUTE, 5 * MINUTE, 15 * MINUTE)


@st.composite
def minute_series(
    draw: st.DrawFn,
    boards: st.SearchStrategy[Board] = st.sampled_from(tuple(Board)),
    widths: st.SearchStrategy[int] = st.sampled_from(WIDTHS),
    strays: bool = True,
    days: int = 3,
) -> Series:
    """Bars narrower than an hour on a few trading days; with `strays`, also outside the sessions."""
    board, width = draw(boards), draw(widths)
    slots: list[int] = []
    for begin, end in blocks(board):
        slots.extend(range(begin, end, width))
        if strays:
            slots.extend(range(end, end + 4 * width, width))
            slots.append(begin - width)
    first = draw(st.dates(date(2023, 1, 3), date(2026, 6, 30)))
    times: set[int] = set()
    for day in VIETNAM.trading_days(first, date(2026, 12, 31))[: draw(st.integers(1, days))]:
        shift = draw(st.sampled_from((0, 0, 0, 17_000_000_000))) if strays else 0
        kept = draw(st.lists(st.sampled_from(slots), min_size=1, max_size=30, unique=True))
        times.update(at(day) + slot + width + shift for slot in kept)
    return series_at(sorted(times), width, board, draw(st.integers(0, 2**32 - 1)))


def series_at(times: list[int], width: int, board: Board, seed: int = 0) -> Series:
    """Bars that are complete at `times`, with prices on the tick drawn from `seed`."""
    random = np.random.default_rng(seed)
    n = len(times)
    future = board is Board.DERIVATIVES
    step = 0.1 if future else 100.0
    body = random.integers(100, 200, (2, n))
    high = body.max(axis=0) + random.integers(0, 5, n)
    low = body.min(axis=0) - random.integers(0, 5, n)
    time = np.array(times, dtype=np.int64)
    prices = {
        name: np.round(values * step * (100 if future else 1), 1)
        for name, values in zip(("open", "close", "high", "low"), (*body, high, low), strict=True)
    }
    return Series(
        symbol="VN30F1M" if future else "FPT",
        time=time,
        start=time - width,
        volume=random.integers(0, 50, n) * 100,
        width=width,
        board=board,
        **prices,
    )


def same_bars(one: Series, other: Series) -> bool:
    """Whether two series hold the same bars of the same thing, to the bit; their notes may differ."""
    columns = ("time", "start", "open", "high", "low", "close", "volume")
    alike = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in columns)
    if (one.contract is None) != (other.contract is None):
        return False
    if one.contract is not None and other.contract is not None:
        alike = alike and one.contract.tolist() == other.contract.tolist()
    kinds = ("symbol", "width", "board", "adjusted")
    return alike and all(getattr(one, name) == getattr(other, name) for name in kinds)
