"""The made-up market: believable, repeatable, and nothing in it is made from nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.clock import HOUR, MINUTE, at, local_date
from algo.errors import SettingError
from algo.market import Contract, band, is_on_tick, last_trading_day, session_at, tick
from algo.model import Board, ContractRolled, DayStarted, OrderFilled, PositionSettled, Trade
from algo.sandbox.source import Candle, Stop
from algo.sandbox.sources.cast import CAST
from algo.sandbox.sources.flow import SyntheticFlow
from algo.sandbox.tape import Told, What
from algo.sandbox.world import World
from tests.generators.stepped import Overheard, quiet

DAY = date(2026, 6, 8)
SMALL = {name: CAST[name] for name in ("VN30F1M", "VN30F2M", "FPT", "SHS", "ACV")}


@pytest.fixture(scope="module")
def played() -> tuple[World, list[Any], list[Any]]:
    """A day of all nine instruments: the world after it, what was said, and the source's happenings."""
    source = Overheard(SyntheticFlow(DAY, seed=1, intensity=0.5))
    world = quiet(source)
    world.advance(at(DAY, 16 * HOUR))
    return world, world.take(), source.said


def told(said: list[Any], what: What, symbol: str) -> list[Any]:
    return [
        one.state for one in said if isinstance(one, Told) and one.what is what and one.state.symbol == symbol
    ]


def test_everything_trades_all_day_inside_its_band_and_on_its_tick(played: Any) -> None:
    world, _, happenings = played
    trades: Counter[str] = Counter()
    for one in happenings:
        if isinstance(one, Trade):
            instrument, state = world.instruments[one.symbol], world.tape.states[one.symbol]
            assert state.floor <= one.price <= state.ceiling
            assert is_on_tick(instrument, instrument.units(one.price), DAY)
            trades[one.symbol] += 1
    assert len(trades) == len(CAST)
    assert min(trades.values()) > 200


def test_trades_are_made_in_auctions_and_continuous_trading_alone(played: Any) -> None:
    world, _, happenings = played
    for one in happenings:
        if isinstance(one, Trade):
            board = world.instruments[one.symbol].board
            # The print of an auction is made at the moment when it ends.
            assert {session_at(board, one.ns), session_at(board, one.ns - 1)} & {"LO", "PLO", "ATO", "ATC"}


def test_the_book_is_deep_and_its_spread_is_narrow(played: Any) -> None:
    world, said, _ = played
    for symbol, instrument in world.instruments.items():
        books = [one for one in told(said, What.QUOTE, symbol) if one.session == "LO"][50:]
        spreads = [
            (instrument.units(one.asks[0].price) - instrument.units(one.bids[0].price))
            / tick(instrument, instrument.units(one.bids[0].price))
            for one in books
            if one.bids and one.asks
        ]
        assert 1 <= median(spreads) <= 3
        assert min(spreads) > 0, "a book in continuous trading is never crossed"
        assert median(min(len(one.bids), len(one.asks)) for one in books) >= 3


def test_there_is_more_volume_at_both_ends_of_the_day(played: Any) -> None:
    world, _, _ = played
    volume: Counter[int] = Counter()
    for symbol, instrument in world.instruments.items():
        if instrument.board is Board.HOSE:
            for candle in world.tape.candles[symbol]:
                volume[(candle.start - at(DAY)) // (30 * MINUTE)] += candle.volume
    half_hours = [volume[number] for number in (18, 19, 20, 21, 22, 26, 27, 28)]
    assert half_hours[0] > 1.3 * half_hours[4]
    assert half_hours[-1] > 1.3 * half_hours[5]


def test_auctions_open_and_close_the_boards_that_have_them(played: Any) -> None:
    world, said, _ = played
    for symbol, instrument in world.instruments.items():
        sessions = {one.session for one in told(said, What.ESTIMATE, symbol) if one.estimate}
        expected = {Board.UPCOM: set(), Board.HNX: {"ATC"}}.get(instrument.board, {"ATO", "ATC"})
        assert sessions == expected
        if expected:
            last = told(said, What.TRADE, symbol)[-1]
            close = at(DAY, 14 * HOUR + 45 * MINUTE)
            assert last.ns >= close


def test_bars_are_the_sum_of_the_trades(played: Any) -> None:
    world, _, happenings = played
    for symbol, candles in world.tape.candles.items():
        trades = [one for one in happenings if isinstance(one, Trade) and one.symbol == symbol]
        assert sum(candle.volume for candle in candles) == sum(one.quantity for one in trades)
        assert world.tape.states[symbol].volume == sum(one.quantity for one in trades)
        for candle in candles:
            prices = [one.price for one in trades if candle.start <= one.ns < candle.start + MINUTE]
            assert (candle.open, candle.high, candle.low, candle.close) == (
                prices[0], max(prices), min(prices), prices[-1],
            )  # fmt: skip
        assert all(one.start < other.start for one, other in pairwise(candles))


def test_after_the_close_no_order_is_left(played: Any) -> None:
    world, _, _ = played
    for name in CAST:
        assert world.source._exchange.market(name).orders() == []


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_one_seed_is_one_market(seed: int) -> None:
    def said() -> list[Any]:
        world = quiet(SyntheticFlow(DAY, seed, intensity=0.1, natures=SMALL))
        world.advance(at(DAY, 10 * HOUR))
        return world.take()

    first = said()
    assert first == said()
    assert any(isinstance(one, Candle) for one in first)


def test_another_seed_is_another_market() -> None:
    worlds = [quiet(SyntheticFlow(DAY, seed, intensity=0.1, natures=SMALL)) for seed in (1, 2)]
    for world in worlds:
        world.advance(at(DAY, 10 * HOUR))
    assert worlds[0].take() != worlds[1].take()


def test_a_night_and_a_weekend_are_one_step() -> None:
    world = quiet(SyntheticFlow(date(2026, 6, 5), intensity=0.05, natures=SMALL))  # a Friday
    stops: list[Stop] = []
    while local_date(world.now) < date(2026, 6, 9):
        stop = world.step()
        assert stop is not None
        stops.append(stop)
    closing = max(n for n, stop in enumerate(stops) if local_date(stop.ns) == date(2026, 6, 5))
    assert stops[closing + 1] == Stop(at(date(2026, 6, 8)), "day")
    assert [stop.kind for stop in stops].count("day") == 3
    assert [stop.kind for stop in stops].count("settlement") == 2


def test_tomorrow_s_limits_are_about_today_by_each_board_s_rule() -> None:
    source = Overheard(SyntheticFlow(DAY, intensity=0.1, natures=SMALL))
    world = quiet(source)
    world.advance(at(DAY, 16 * HOUR))
    closes = dict(world.tape.states)
    world.advance(at(date(2026, 6, 9)))
    started = [one for one in source.said if isinstance(one, DayStarted)][-1]
    for name, instrument in source.instruments.items():
        before = closes[instrument.symbol]
        value = before.average if instrument.board is Board.UPCOM else before.last
        assert abs(started.references[name] - instrument.units(value)) <= 1
        state = world.tape.states[instrument.symbol]
        limits = band(instrument, started.references[name], date(2026, 6, 9))
        assert (state.floor, state.ceiling) == (
            instrument.price(limits.floor),
            instrument.price(limits.ceiling),
        )


def test_futures_roll_after_their_last_day_at_the_price_of_the_index() -> None:
    expiry = last_trading_day(Contract(2026, 6))
    source = Overheard(SyntheticFlow(expiry, seed=3, intensity=0.2))
    world = quiet(source)
    world.advance(at(expiry, 16 * HOUR))
    june, july = world.code("VN30F1M"), world.code("VN30F2M")
    values = [
        one.value for one in world.take() if type(one).__name__ == "IndexState" and one.name == "VN30"
        and one.ns >= at(expiry, 14 * HOUR + 15 * MINUTE)
    ]  # fmt: skip
    july_close = world.tape.states[july].last
    world.step()
    settled = [one for one in source.said if isinstance(one, PositionSettled)]
    assert [one.instrument.symbol for one in settled] == [june]
    assert min(values) - 0.1 <= settled[0].instrument.price(settled[0].price) <= max(values) + 0.1
    rolls = [one for one in source.said if isinstance(one, ContractRolled)]
    assert [(one.symbol, one.old and one.old.symbol, one.new.symbol) for one in rolls] == [
        ("VN30F2M", july, "41I1G8000"), ("VN30F1M", june, july),
    ]  # fmt: skip
    assert (world.code("VN30F1M"), world.code("VN30F2M")) == (july, "41I1G8000")
    assert world.tape.states[july].reference == july_close
    world.advance(at(date(2026, 6, 19), 10 * HOUR))
    assert all(world.tape.states[world.code(name)].volume for name in ("VN30F1M", "VN30F2M"))


def test_quantity_is_conserved_and_customers_meet_the_crowd() -> None:
    from algo.model import OrderType, PlaceOrder, Side

    source = Overheard(SyntheticFlow(DAY, seed=5, intensity=0.3, natures=SMALL))
    world = quiet(source)
    world.advance(at(DAY, 10 * HOUR))
    fpt = source.instruments["FPT"]
    world.take()
    before = world.tape.states["FPT"].volume
    events = source.exchange.execute(
        PlaceOrder("1", "mine", "", fpt, Side.BUY, OrderType.MTL, 0, 1_000), world.now
    )
    filled = sum(one.quantity for one in events if isinstance(one, OrderFilled))
    assert {one.order_id for one in events} == {"mine"}
    assert filled > 0
    world._after_order()
    assert world.tape.states["FPT"].volume == before + filled
    assert told(world.take(), What.TRADE, "FPT")


def test_the_past_goes_on_into_the_first_day() -> None:
    source = SyntheticFlow(DAY, seed=7)
    for name, instrument in source.instruments.items():
        yesterday = date(2026, 6, 5)
        candles = source.past.candles(instrument.symbol, yesterday, DAY)
        assert candles == source.past.candles(instrument.symbol, yesterday, DAY)
        assert {local_date(candle.start) for candle in candles} == {yesterday}
        assert instrument.units(candles[-1].close) == source.past.close(name)
        limits = None
        for day in source.past.days(name, DAY, 30):
            rows = source.past.candles(name, day, day)
            assert all(
                one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high for one in rows
            )
            traded = source.past.instrument(name, day)
            assert all(is_on_tick(traded, traded.units(one.high), day) for one in rows)
            if limits is not None:
                assert limits[0] <= traded.units(min(one.low for one in rows))
            limits = band(traded, traded.units(rows[-1].close), day)
        assert len(source.past.days(name, DAY, 250)) == 250


def test_a_halted_instrument_does_not_trade(played: Any) -> None:
    world = quiet(SyntheticFlow(DAY, intensity=0.3, natures=SMALL))
    world.advance(at(DAY, 10 * HOUR))
    world.halt("FPT")
    world.take()
    world.advance(world.now + 20 * MINUTE)
    said = world.take()
    assert not told(said, What.TRADE, "FPT")
    assert told(said, What.TRADE, "SHS")
    world.halt("FPT", False)
    world.advance(world.now + 20 * MINUTE)
    assert told(world.take(), What.TRADE, "FPT")


def test_no_crowd_is_no_market() -> None:
    with pytest.raises(SettingError):
        SyntheticFlow(DAY, intensity=0)
