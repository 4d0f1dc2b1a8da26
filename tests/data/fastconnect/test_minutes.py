"""Complete minutes from bars so far, compared with grouping the trades themselves."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import MINUTE, SECOND, at
from algo.data.fastconnect.channels import Channels
from algo.data.fastconnect.events import BarSoFar
from algo.data.fastconnect.minutes import GRACE, MinuteBars
from algo.errors import SettingError
from algo.model import Bar

OPEN = at(dt.date(2026, 6, 8), dt.time(9))

trades = st.lists(
    st.tuples(st.integers(0, 600), st.integers(100, 120), st.integers(1, 50)), min_size=1, max_size=60
).map(sorted)


def so_far(rows: list[tuple[int, int, int]]) -> list[BarSoFar]:
    """What the hub would send for trades of (second, price, quantity): a message a trade."""
    sent = []
    for _, group in groupby(rows, key=lambda row: row[0] // 60):
        seen: list[tuple[int, int, int]] = []
        for row in group:
            seen.append(row)
            prices = [float(one[1]) for one in seen]
            sent.append(
                BarSoFar(
                    "FPT", OPEN + row[0] * SECOND, prices[0], max(prices), min(prices), prices[-1],
                    sum(one[2] for one in seen),
                )
            )  # fmt: skip
    return sent


def grouped(rows: list[tuple[int, int, int]]) -> list[Bar]:
    found = []
    for minute, group in groupby(rows, key=lambda row: row[0] // 60):
        seen = list(group)
        prices = [float(one[1]) for one in seen]
        start = OPEN + minute * MINUTE
        found.append(
            Bar(
                "FPT", start + MINUTE, prices[0], max(prices), min(prices), prices[-1],
                sum(one[2] for one in seen), start, "FPT",
            )
        )  # fmt: skip
    return found


@given(trades, st.booleans(), st.integers(1, 3))
def test_bars_are_the_trades_grouped_by_the_minute(rows: list, ticking: bool, copies: int) -> None:
    maker, found = MinuteBars(), []
    for told in so_far(rows):
        if ticking:
            found += maker.advance(told.ns)
        for _ in range(copies):
            found += maker.take(told) or []
    last = found + maker.advance(OPEN + 11 * MINUTE + GRACE)
    assert last == grouped(rows)
    assert maker.due is None


@given(trades, st.data())
def test_a_subset_of_the_messages_that_has_each_minutes_last_gives_the_same_bars(
    rows: list, data: st.DataObject
) -> None:
    sent = so_far(rows)
    last = {told.ns // MINUTE: place for place, told in enumerate(sent)}
    kept = [told for place, told in enumerate(sent) if place in last.values() or data.draw(st.booleans())]
    maker, found = MinuteBars(), []
    for told in kept:
        found += maker.take(told) or []
    assert found + maker.advance(OPEN + 12 * MINUTE) == grouped(rows)


def test_a_bar_is_complete_when_its_minute_and_the_grace_are_over() -> None:
    maker = MinuteBars()
    (told,) = so_far([(59, 100, 7)])
    assert maker.take(told) == []
    assert maker.due == OPEN + MINUTE + GRACE
    assert maker.advance(OPEN + MINUTE + GRACE - 1) == []
    (bar,) = maker.advance(OPEN + MINUTE + GRACE)
    assert (bar.start, bar.ns, bar.volume) == (OPEN, OPEN + MINUTE, 7)
    assert maker.take(told) is None, "too late"
    assert maker.advance(OPEN + 9 * MINUTE) == []


def test_symbols_do_not_disturb_each_other() -> None:
    maker = MinuteBars()
    one = so_far([(1, 100, 1)])[0]
    maker.take(one._replace(symbol="B"))
    maker.take(one._replace(symbol="A"))
    assert maker.take(one._replace(symbol="C", ns=one.ns + MINUTE)) == []
    assert [bar.symbol for bar in maker.advance(OPEN + MINUTE + GRACE)] == ["A", "B"]
    assert [bar.symbol for bar in maker.advance(OPEN + 2 * MINUTE + GRACE)] == ["C"]


def test_channels_replace_their_symbols_and_add_up() -> None:
    wanted = Channels()
    assert wanted.add("X-TRADE", "ssi", "PAN") == "X-TRADE:SSI-PAN"
    assert wanted.add("X-TRADE", "SSI", "FPT") == "X-TRADE:SSI-PAN-FPT"
    assert wanted.add("MI", "VN30", "HNXIndex") == "MI:VN30-HNXIndex"
    assert wanted.add("F", "SSI", "all") == "F:ALL"
    assert wanted.texts == ("X-TRADE:SSI-PAN-FPT", "MI:VN30-HNXIndex", "F:ALL")
    for channel, symbols in (("Z", ["SSI"]), ("B", []), ("B", ["A-B"]), ("B", [""]), ("B", ["A:B"])):
        with pytest.raises(SettingError):
            wanted.add(channel, *symbols)
