"""Public messages on the wire: key for key as the service sends them, and read back without loss."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY, SECOND, at
from algo.data.fastconnect.channels import Channel
from algo.data.fastconnect.decode import Decoder
from algo.data.fastconnect.events import (
    BarSoFar,
    DayLimits,
    ForeignRoom,
    IndexValue,
    Indication,
    OddLots,
    StatusChanged,
    Unread,
)
from algo.market import Session
from algo.model import Board, Level, Quote, SessionChanged, Trade
from algo.sandbox.indices import NAMES, IndexState
from algo.sandbox.market_messages import MARKETS, broadcast, channels
from algo.sandbox.source import Candle
from algo.sandbox.tape import Snapshot, Told, What
from tests.data.fastconnect.messages import SAMPLES

MIDNIGHT = at(date(2026, 6, 8))
BOARDS = st.sampled_from(list(Board))
SESSIONS = st.sampled_from([str(one) for one in Session if one is not Session.HALT])
SECONDS = st.integers(0, DAY // SECOND - 1).map(lambda second: MIDNIGHT + second * SECOND)
PRICES = st.integers(1, 3_000_000).map(lambda units: units / 10)
SIZES = st.integers(1, 10**9)


@st.composite
def books(draw: Any, count: int, sign: int) -> tuple[Level, ...]:
    prices = sorted(draw(st.sets(PRICES, max_size=count)), reverse=sign < 0)
    return tuple(Level(price, draw(SIZES)) for price in prices)


@st.composite
def snapshots(draw: Any) -> Snapshot:
    board = draw(BOARDS)
    shown = 3 if board is Board.HOSE else 10
    floor, reference, ceiling = sorted(draw(st.tuples(PRICES, PRICES, PRICES)))
    low, first, last, high = sorted(draw(st.tuples(PRICES, PRICES, PRICES, PRICES)))
    quantity = draw(SIZES)
    return Snapshot(
        symbol=draw(st.sampled_from(["FPT", "41I1G6000", "E1VFVN30"])),
        ns=draw(SECONDS),
        board=board,
        session=draw(SESSIONS),
        status=draw(st.sampled_from(["N", "H"])),
        floor=floor,
        reference=reference,
        ceiling=ceiling,
        open=first,
        high=high,
        low=low,
        last=last,
        quantity=quantity,
        side=draw(st.sampled_from([-1, 0, 1])),
        prior=draw(PRICES),
        volume=quantity + draw(st.integers(0, 10**9)),
        value=draw(st.integers(0, 10**15)),
        average=draw(PRICES),
        estimate=draw(st.one_of(st.just(0.0), PRICES)),
        bids=draw(books(shown, -1)),
        asks=draw(books(shown, 1)),
    )


def decoded(channel: Channel, public: Any) -> list[Any]:
    found = Decoder().decode(broadcast(channel, public), 0)
    assert not [one for one in found if isinstance(one, Unread)]
    return [one for one in found if type(one).__name__ not in ("Doubtful", "Trusted")]


@given(snapshots())
def test_a_status_is_read_back(state: Snapshot) -> None:
    told, *rest = decoded(Channel.STATUS, Told(What.STATUS, state))
    assert told == StatusChanged(state.symbol, state.ns, state.board, state.session, state.status)
    assert rest == ([SessionChanged(state.ns, state.board, state.session)] if state.status == "N" else [])


@given(snapshots())
def test_a_quote_is_read_back(state: Snapshot) -> None:
    assert decoded(Channel.QUOTE, Told(What.QUOTE, state)) == [
        Quote(state.symbol, state.ns, state.bids, state.asks)
    ]


@given(snapshots(), st.sampled_from([Channel.TRADE, Channel.SNAPSHOT]))
def test_a_trade_is_read_back_with_limits_and_indication(state: Snapshot, channel: Channel) -> None:
    expected: list[Any] = [
        DayLimits(state.symbol, state.ns, date(2026, 6, 8), state.floor, state.reference, state.ceiling)
    ]
    if state.estimate and state.session in ("ATO", "ATC"):
        expected.append(Indication(state.symbol, state.ns, state.estimate))
    side = state.side if channel is Channel.TRADE else 0  # X has no Side
    expected.append(Trade(state.symbol, state.ns, state.last, state.quantity, side))
    if channel is Channel.SNAPSHOT:
        expected.append(Quote(state.symbol, state.ns, state.bids, state.asks))
    assert decoded(channel, Told(What.TRADE, state)) == expected


@given(st.data(), SECONDS, st.integers(0, 10**9), st.integers(0, 10**15))
def test_a_bar_is_read_back(data: Any, ns: int, volume: int, value: int) -> None:
    low, one, other, high = sorted(data.draw(st.tuples(PRICES, PRICES, PRICES, PRICES)))
    opened, close = data.draw(st.permutations([one, other]))
    candle = Candle("41I1G6000", ns, ns - ns % (60 * SECOND), ns, opened, high, low, close, volume, value)
    assert decoded(Channel.BAR, candle) == [BarSoFar("41I1G6000", ns, opened, high, low, close, volume)]


@given(st.data(), SECONDS, SESSIONS, st.sampled_from(list(NAMES)))
def test_an_index_is_read_back(data: Any, ns: int, session: str, board: Board) -> None:
    value, prior, estimate = (data.draw(st.integers(1, 10**7)) / 100 for _ in range(3))
    counts = [data.draw(st.integers(0, 500)) for _ in range(5)]
    state = IndexState(NAMES[board], ns, board, session, value, prior, estimate, 7_000, 10**14, *counts)
    told, changed = decoded(Channel.INDEX, state)
    assert told == IndexValue(
        NAMES[board], ns, value, prior, estimate, round(value - prior, 2), 7_000.0, 1e14, *counts
    )
    assert changed == SessionChanged(ns, board, session)


@given(snapshots())
def test_rooms_and_odd_lots_are_read_back(state: Snapshot) -> None:
    (room,) = decoded(Channel.ROOM, Told(What.LIMITS, state))
    assert isinstance(room, ForeignRoom)
    assert room[:4] == (state.symbol, state.ns, 490_000_000, 490_000_000)
    (odd,) = decoded(Channel.ODD_LOT, Told(What.LIMITS, state))
    assert isinstance(odd, OddLots)
    assert (odd.symbol, odd.bids, odd.reference) == (state.symbol, (), state.reference)


def sample_of(channel: Channel) -> Any:
    state = Snapshot("SSI", MIDNIGHT, Board.HNX, "LO", bids=(Level(1.0, 2),))
    if channel is Channel.BAR:
        return Candle("SSI", MIDNIGHT, MIDNIGHT, MIDNIGHT, 1.0, 1.0, 1.0, 1.0, 1, 1)
    if channel is Channel.INDEX:
        return IndexState("VN30", MIDNIGHT, Board.HOSE, "LO", 1.0, 1.0, 1.0)
    return Told(What.TRADE, state)


@pytest.mark.parametrize("channel", list(Channel))
def test_the_keys_come_in_the_order_of_the_service(channel: Channel) -> None:
    outer = json.loads(broadcast(channel, sample_of(channel)))
    assert list(outer) == ["DataType", "Content"]
    assert outer["DataType"] == channel
    assert list(json.loads(outer["Content"])) == list(SAMPLES[channel])


@pytest.mark.parametrize(
    "channel", [Channel.QUOTE, Channel.TRADE, Channel.SNAPSHOT, Channel.BAR, Channel.ROOM]
)
def test_numbers_print_as_the_service_prints_them(channel: Channel) -> None:
    """A whole number has its .0 where the sample has it."""
    inner = json.loads(json.loads(broadcast(channel, sample_of(channel)))["Content"])
    for key, value in SAMPLES[channel].items():
        if key not in ("AvgPrice", "Highest", "Lowest"):
            assert type(inner[key]) is type(value), key


def test_the_average_of_nothing_is_no_number() -> None:
    content = json.loads(json.loads(broadcast(Channel.TRADE, sample_of(Channel.TRADE)))["Content"])
    assert content["AvgPrice"] == "NaN"


def test_a_board_shows_no_more_levels_than_it_does() -> None:
    levels = tuple(Level(float(price), 1) for price in range(1, 11))
    for board in Board:
        state = Snapshot("SSI", MIDNIGHT, board, "LO", asks=levels)
        (quote,) = decoded(Channel.QUOTE, Told(What.QUOTE, state))
        assert len(quote.asks) == (3 if board is Board.HOSE else 10)


def test_futures_have_no_room_and_no_odd_lots() -> None:
    for board in Board:
        found = channels(Told(What.LIMITS, Snapshot("SSI", MIDNIGHT, board)))
        assert (Channel.ROOM in found) == (board is not Board.DERIVATIVES)
        assert MARKETS[board] in broadcast(found[0], Told(What.LIMITS, Snapshot("SSI", MIDNIGHT, board)))


def test_a_halted_board_is_told_by_its_code() -> None:
    state = Snapshot("SSI", MIDNIGHT, Board.HNX, "HALT", "H")
    content = json.loads(json.loads(broadcast(Channel.STATUS, Told(What.STATUS, state)))["Content"])
    assert content["TradingSession"] == "H"
    (told,) = decoded(Channel.STATUS, Told(What.STATUS, state))
    assert told.halted
