"""The feed of a backtest: every bar once, in order, with the market's events between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo import CorporateAction
from algo.clock import HOUR, MINUTE, at
from algo.data.feed import CHUNK, BarFeed
from algo.data.series import Series, join
from algo.errors import DataError
from algo.market import band, instrument_of
from algo.model import (
    Bar,
    Board,
    ContractRolled,
    DayStarted,
    PositionSettled,
    SessionChanged,
)
from tests.generators.markets import FUTURE, SHARE, daily, flat, minutes
from tests.generators.runs import DAYS, seeds, walk


def feed_of(*data: Series, actions: Sequence[CorporateAction] = ()) -> BarFeed:
    return BarFeed({one.symbol: one for one in data}, actions)


def moments(feed: BarFeed) -> list[tuple[Bar, ...]]:
    return [moment for chunk in feed.chunks() for moment in chunk]


@given(
    st.lists(
        st.tuples(st.sampled_from((FUTURE, SHARE, "SSI")), st.integers(1, 700)),
        min_size=1,
        max_size=3,
        unique_by=lambda x: x[0],
    ),
    seeds,
)
def test_every_bar_comes_once_and_in_its_moment(chosen: list[tuple[str, int]], seed: int) -> None:
    data = [walk(symbol, bars, seed, gaps=0.3, width=5) for symbol, bars in chosen]
    if any(not len(one) for one in data):
        return
    feed = feed_of(*data)
    found = moments(feed)
    assert [moment[0].ns for moment in found] == feed.times.tolist()
    assert (np.diff(feed.times) > 0).all()
    for moment in found:
        assert len({bar.ns for bar in moment}) == 1
        names = [bar.symbol for bar in moment]
        assert names == [symbol for symbol, _ in chosen if symbol in names]
    assert sum(map(len, found)) == len(feed) == sum(map(len, data))
    for one in data:
        bars = [bar for moment in found for bar in moment if bar.symbol == one.symbol]
        for name in ("open", "high", "low", "close", "volume", "start"):
            assert [getattr(bar, name) for bar in bars] == getattr(one, name).tolist()
        expected = [one.symbol] * len(one) if one.contract is None else one.contract.tolist()
        assert [bar.contract for bar in bars] == expected


@given(seeds, st.integers(1, 400))
def test_events_are_in_order_and_each_day_is_whole(seed: int, bars: int) -> None:
    feed = feed_of(walk(FUTURE, bars, seed), walk(SHARE, bars, seed))
    times = [event.ns for event in feed.events]
    assert times == sorted(times)
    starts = [event for event in feed.events if isinstance(event, DayStarted)]
    assert [event.day for event in starts] == feed.days
    assert all(event.ns == at(event.day) for event in starts)
    for board in (Board.HOSE, Board.DERIVATIVES):
        sessions = [e.session for e in feed.events if isinstance(e, SessionChanged) and e.board is board]
        assert sessions == ["ATO", "LO", "BREAK", "LO", "ATC", "C"] * len(feed.days)


def test_bars_are_tuples_of_plain_numbers_across_chunks() -> None:
    feed = feed_of(walk(FUTURE, CHUNK * 2 + 3, 1))
    for (bar,) in moments(feed):
        assert type(bar) is Bar
        assert [type(value) for value in bar] == [str, int, float, float, float, float, int, int, str]


def test_rolls_settle_first_and_come_before_the_day() -> None:
    old = minutes(
        FUTURE, [*flat(1200, 2), (1200, 1210, 1200, 1209)], day=DAYS[0], contracts=["VN30F2303"] * 3
    )
    new = minutes(FUTURE, flat(1190, 2), day=DAYS[3], contracts=["VN30F2304"] * 2)
    feed = feed_of(join([old, new]))
    settled, rolled, started = [e for e in feed.events if e.ns == at(DAYS[3])]
    assert isinstance(settled, PositionSettled)
    assert (settled.instrument.symbol, settled.price, settled.as_of) == (
        "VN30F2303",
        12_090,
        int(old.time[-1]),
    )
    assert isinstance(rolled, ContractRolled)
    assert (rolled.old.symbol, rolled.new.symbol) == ("VN30F2303", "VN30F2304")  # type: ignore[union-attr]
    assert isinstance(started, DayStarted)
    assert FUTURE not in started.references


def test_a_roll_inside_a_day_comes_with_the_bar_that_begins_the_new_contract() -> None:
    data = minutes(FUTURE, flat(1200, 4), contracts=["VN30F2303"] * 2 + ["VN30F2304"] * 2)
    (rolled,) = [e for e in feed_of(data).events if isinstance(e, ContractRolled)]
    assert rolled.ns == int(data.start[2])


def test_a_days_reference_is_the_last_close_on_hose_and_the_average_on_upcom() -> None:
    rows = [(20_000, 20_000, 20_000, 20_000, 100), (20_000, 21_000, 20_000, 21_000, 300)]
    for board, reference in ((Board.HOSE, 21_000), (Board.UPCOM, 20_750)):
        first = minutes("BSR", rows, day=DAYS[0], board=board)
        feed = feed_of(join([first, minutes("BSR", flat(21_000, 1), day=DAYS[1], board=board)]))
        one, two = [e for e in feed.events if isinstance(e, DayStarted)]
        assert one.references == {}
        assert two.references == {"BSR": reference}


def test_a_day_whose_first_price_contradicts_the_band_has_none_and_is_counted() -> None:
    edge = band(instrument_of(SHARE), 80_000, DAYS[1])
    rows = [(80_000,) * 4, (edge.ceiling,) * 4, (edge.floor - 100,) * 4, (edge.floor,) * 4]
    feed = feed_of(daily(SHARE, rows, DAYS[:4]))
    references = [e.references for e in feed.events if isinstance(e, DayStarted)]
    assert references == [{}, {SHARE: 80_000}, {}, {SHARE: edge.floor - 100}]
    assert feed.unbanded == {SHARE: 1}


def test_corporate_actions_move_the_reference() -> None:
    rows = [(80_000,) * 4, (78_000,) * 4, (39_000,) * 4]
    actions = (
        CorporateAction(at(DAYS[1]), SHARE, dividend=2_000),
        CorporateAction(at(DAYS[2]), SHARE, ratio_new=2, ratio_old=1),
    )
    feed = feed_of(daily(SHARE, rows, DAYS[:3]), actions=actions)
    references = [e.references.get(SHARE) for e in feed.events if isinstance(e, DayStarted)]
    assert references == [None, 78_000, 39_000]
    assert not feed.unbanded
    assert [e for e in feed.events if isinstance(e, CorporateAction)] == list(actions)


def test_a_share_that_did_not_trade_for_long_is_idle() -> None:
    days = DAYS[:30]
    steady = daily("SSI", [(20_000,) * 4] * 30, days)
    rare = daily(SHARE, [(80_000,) * 4, (90_000,) * 4], [days[0], days[27]])
    feed = feed_of(steady, rare)
    started = next(e for e in feed.events if isinstance(e, DayStarted) and e.day == days[27])
    assert started.idle == {SHARE}
    assert started.references[SHARE] == 80_000
    sooner = daily(SHARE, [(80_000,) * 4, (81_000,) * 4], [days[0], days[25]])
    assert not any(e.idle for e in feed_of(steady, sooner).events if isinstance(e, DayStarted))


def test_the_days_of_the_data_are_the_trading_days() -> None:
    saturday = date(2023, 3, 4)
    feed = feed_of(daily(SHARE, [(80_000,) * 4] * 3, [date(2023, 3, 2), date(2023, 3, 3), saturday]))
    assert feed.calendar.is_trading_day(saturday)
    assert feed.days[-1] == saturday


def test_no_data_is_said() -> None:
    with pytest.raises(DataError, match="there is no data"):
        BarFeed({})
    with pytest.raises(DataError, match="FPT: there are no bars"):
        feed_of(minutes(SHARE, flat(80_000, 2)).take(slice(0)))


def test_a_contract_of_its_own_needs_no_alias() -> None:
    feed = feed_of(replace(minutes("VN30F2303", flat(1200, 2)), board=Board.DERIVATIVES))
    assert feed.instruments["VN30F2303"].shortable
    assert moments(feed)[0][0].contract == "VN30F2303"


def test_a_bar_ends_when_its_interval_does() -> None:
    (first, *_) = moments(feed_of(minutes(FUTURE, flat(1200, 2), day=DAYS[0], first=9 * 60)))[0]
    assert first.start == at(DAYS[0], 9 * HOUR)
    assert first.ns == first.start + MINUTE
