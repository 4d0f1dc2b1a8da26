"""The made-up market obeys the exchange, looks like one, and is the same for the same seed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from algo.clock import HOUR, MINUTE, at, local_date
from algo.data.continuous import rolls
from algo.data.hours import midnights
from algo.data.series import Series
from algo.data.synthetic import DAYS, START, SYMBOLS, make
from algo.errors import SettingError
from algo.market import (
    SESSIONS,
    VIETNAM,
    Contract,
    Session,
    band,
    instrument_of,
    last_trading_day,
    off_tick,
    session_codes,
)
from tests.generators.bars import same_bars

MARKET = make()
names = pytest.mark.parametrize("name", SYMBOLS)


def days_of(series: Series) -> list[np.ndarray]:
    """The positions of each day's bars."""
    return np.split(np.arange(len(series)), np.flatnonzero(np.diff(midnights(series.start))) + 1)


def test_the_same_seed_gives_the_same_bars() -> None:
    again = make(["FPT", "VN30F1M"])
    assert same_bars(again["FPT"], MARKET["FPT"])
    assert same_bars(again["VN30F1M"], MARKET["VN30F1M"])
    assert not same_bars(make(["FPT"], seed=2)["FPT"], MARKET["FPT"])


@names
def test_days_are_trading_days(name: str) -> None:
    days = [local_date(int(day)) for day in np.unique(midnights(MARKET[name].time))]
    assert days == VIETNAM.trading_days(START, days[-1])
    assert len(days) == DAYS


@names
def test_every_bar_lies_in_a_session(name: str) -> None:
    series = MARKET[name]
    sessions = [SESSIONS[code] for code in np.unique(session_codes(series.board, series.start))]
    assert set(sessions) == {Session.ATO, Session.LO, Session.ATC}
    assert (series.time - series.start == MINUTE).all()


@names
def test_auctions_print_one_price_and_much_volume(name: str) -> None:
    series = MARKET[name]
    codes = session_codes(series.board, series.start)
    auction = codes != SESSIONS.index(Session.LO)
    assert np.count_nonzero(auction) == 2 * DAYS
    assert (series.high[auction] == series.low[auction]).all()
    assert series.volume[auction].mean() > 3 * series.volume[~auction].mean()


@names
def test_prices_are_on_the_tick_and_in_the_band(name: str) -> None:
    series, instrument = MARKET[name], instrument_of(name)
    units = {
        column: np.rint(getattr(series, column) * instrument.scale).astype(np.int64)
        for column in ("high", "low")
    }
    for column in units.values():
        assert not off_tick(instrument, column).any()
    reference = None
    for day in days_of(series):
        rolled = (
            series.contract is not None and day[0] and series.contract[day[0]] != series.contract[day[0] - 1]
        )
        if reference is not None and not rolled:
            limits = band(instrument, reference, local_date(int(series.start[day[0]])))
            assert limits.floor <= units["low"][day].min()
            assert units["high"][day].max() <= limits.ceiling
        reference = round(series.close[day[-1]] * instrument.scale)


@names
def test_volume_comes_in_whole_lots(name: str) -> None:
    volume = MARKET[name].volume
    assert (volume > 0).all()
    assert (volume % (1 if name == "VN30F1M" else 100) == 0).all()


@names
def test_the_day_has_its_shape(name: str) -> None:
    """More turnover and wider bars at both ends of the day than at noon; a gap overnight."""
    series = MARKET[name]
    of_day = series.start - midnights(series.start)
    continuous = session_codes(series.board, series.start) == SESSIONS.index(Session.LO)
    noon = continuous & (of_day >= 11 * HOUR) & (of_day < 13 * HOUR + 30 * MINUTE)
    ends = continuous & ((of_day < 9 * HOUR + 45 * MINUTE) | (of_day >= 14 * HOUR))
    assert series.volume[ends].mean() > 1.5 * series.volume[noon].mean()
    step = np.abs(np.diff(np.log(series.close), prepend=np.log(series.close[0])))
    assert step[ends].mean() > 1.2 * step[noon].mean()
    first = [day[0] for day in days_of(series)][1:]
    assert step[first].mean() > 3 * step[continuous].mean()


def test_the_future_rolls_after_each_last_trading_day() -> None:
    series = MARKET["VN30F1M"]
    assert series.contract is not None
    found = rolls(series)
    assert len(found) >= 5
    for index in found:
        old, new = (Contract.parse(series.contract[at]) for at in (index - 1, index))
        assert new == old.shifted(1)
        assert local_date(int(series.time[index - 1])) == last_trading_day(old)


def test_the_market_moves_together() -> None:
    closes = [[MARKET[name].close[day[-1]] for day in days_of(MARKET[name])] for name in SYMBOLS]
    together = np.corrcoef(np.diff(np.log(np.array(closes)), axis=1))
    assert (together[0, 1:] > 0.4).all()
    daily = np.diff(np.log(closes[0])).std()
    assert 0.005 < daily < 0.03


def test_other_symbols_and_days_can_be_asked_for() -> None:
    found = make(["MSN", "msn"], start=date(2023, 1, 18), days=3)
    assert list(found) == ["MSN"]
    days = [local_date(int(day)) for day in np.unique(midnights(found["MSN"].time))]
    assert days == [date(2023, 1, 18), date(2023, 1, 19), date(2023, 1, 27)]
    assert int(found["MSN"].start[0]) == at(date(2023, 1, 18), 9 * HOUR + 14 * MINUTE)


@pytest.mark.parametrize(
    ("symbols", "days"), [(["VN30F2306"], 3), (["VN30F2M"], 3), (["FPT"], 0), (["?"], 3)]
)
def test_what_cannot_be_made_up(symbols: list[str], days: int) -> None:
    with pytest.raises(SettingError):
        make(symbols, days=days)
