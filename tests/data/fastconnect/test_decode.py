"""The hub's broadcasts: every sample of the specification, made messages, and whatever else may come."""

from __future__ import annotations

import json
import math
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import HOUR, MINUTE, at
from algo.data.fastconnect.decode import Decoder
from algo.data.fastconnect.events import (
    BarSoFar,
    DayLimits,
    Doubtful,
    ForeignRoom,
    IndexValue,
    Indication,
    OddLots,
    StatusChanged,
    Trusted,
    Unread,
)
from algo.market import Band, instrument_of
from algo.model import Board, Level, Quote, SessionChanged, Trade
from tests.data.fastconnect.messages import SAMPLES, broadcast

DAY = date(2023, 8, 14)
NOW = at(DAY, 15 * HOUR)


def told(kind: str, **changes: object) -> list:
    return Decoder().decode(broadcast(kind, SAMPLES[kind] | changes), NOW)


def test_a_status_tells_the_session_of_its_board() -> None:
    ns = at(DAY, time(13))
    assert told("F") == [
        StatusChanged("SSI", ns, Board.HOSE, "LO", "N"),
        SessionChanged(ns, Board.HOSE, "LO"),
    ]


def test_a_quote_has_as_many_levels_as_are_filled() -> None:
    (quote,) = told("X-QUOTE")
    assert quote == Quote(
        "ACB",
        at(DAY, time(14, 0, 28)),
        (Level(22900.0, 290900), Level(22850.0, 454200), Level(22800.0, 678800)),
        (Level(22950.0, 109100), Level(23000.0, 208600), Level(23050.0, 207200)),
    )


def test_a_trade_comes_with_the_limits_of_the_day() -> None:
    ns = at(DAY, time(14, 7, 53))
    limits = DayLimits("ACB", ns, DAY, 21300.0, 22900.0, 24500.0)
    assert told("X-TRADE") == [limits, Trade("ACB", ns, 22950.0, 100, -1)]
    assert limits.band(instrument_of("ACB")) == Band(21300, 22900, 24500)
    assert told("X-TRADE", Side="BU")[1].side == 1
    assert told("X-TRADE", Side="unknown")[1].side == 0


def test_a_snapshot_is_both_in_one() -> None:
    limits, trade, quote = told("X")
    assert (limits.ceiling, trade.price, len(quote.bids), len(quote.asks)) == (23400.0, 21800.0, 10, 10)
    assert quote.asks[9] == Level(22800.0, 17000)


def test_the_other_channels() -> None:
    (room,) = told("R")
    assert room == ForeignRoom(
        "SSI", at(DAY, time(14, 24, 2)), 1501130137, 806887173, 863352, 825308, 25123543200.0, 24016462800.0
    )
    (index,) = told("MI")
    assert isinstance(index, IndexValue)
    assert (index.symbol, index.value, index.estimate, index.advances) == ("VN30", 1238.76, 1200.03, 25)
    (odd,) = told("OL")
    assert isinstance(odd, OddLots)
    assert (odd.bids[2], odd.asks[0], odd.last_quantity) == (Level(22600.0, 2016), Level(22750.0, 132), 9193)
    (bar,) = told("B")
    assert bar == BarSoFar("VN30F2403", at(date(2024, 3, 4), time(10, 51, 24)), *[1265.6] * 4, 9)


def test_a_message_without_a_date_is_of_today() -> None:
    (bar,) = Decoder().decode(broadcast("B", SAMPLES["B, as it was once"]), NOW)
    assert bar == BarSoFar("X26", at(DAY, time(14, 28, 33)), *[16000.0] * 4, 5000)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_read_the_same_in_any_case_and_wrapping(name: str) -> None:
    kind, content = name.split(",", maxsplit=1)[0], SAMPLES[name]
    expected = Decoder().decode(broadcast(kind, content), NOW)
    assert not [event for event in expected if isinstance(event, Unread)]
    lower = {key.lower(): value for key, value in content.items()}
    upper = {key.upper(): str(value) if isinstance(value, float) else value for key, value in content.items()}
    for argument in (
        broadcast(kind, lower),
        broadcast(kind, upper),
        {"DataType": kind, "Content": content},
        {"datatype": kind.lower(), "content": json.dumps(lower)},
        json.dumps({"DATATYPE": kind, "CONTENT": upper}),
    ):
        assert Decoder().decode(argument, NOW) == expected


def test_a_trade_is_told_once() -> None:
    decoder = Decoder()
    sample = SAMPLES["X-TRADE"]

    def trades(**changes: object) -> list:
        events = decoder.decode(broadcast("X-TRADE", sample | changes), NOW)
        return [(event.price, event.quantity) for event in events if isinstance(event, Trade)]

    assert trades() == [(22950.0, 100)]
    assert trades() == []
    assert trades(EstMatchedPrice=22950.0) == []
    assert trades(TotalVol=8797900.0, LastVol=200.0) == [(22950.0, 200)]
    assert trades() == [], "a message that is late sets nothing back"
    assert trades(TotalVol=8797900.0, LastVol=200.0) == []
    assert trades(TradingDate="15/08/2023", TotalVol=500.0, LastVol=500.0) == [(22950.0, 500)]
    assert trades(TradingDate="15/08/2023", LastVol=0.0, LastPrice=0.0) == []


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 2)), min_size=1, max_size=20))
def test_every_trade_of_a_day_is_told_once_however_often_it_is_sent(sent: list[tuple[int, int]]) -> None:
    decoder = Decoder()
    total, heard = 0, []
    for quantity, repeats in sent:
        total += quantity
        volumes = {"LastVol": float(quantity), "TotalVol": float(total)}
        text = broadcast("X-TRADE", SAMPLES["X-TRADE"] | volumes)
        for _ in range(1 + repeats):
            heard += [event.quantity for event in decoder.decode(text, NOW) if isinstance(event, Trade)]
    assert heard == [quantity for quantity, _ in sent]


def test_limits_are_told_when_they_change() -> None:
    decoder = Decoder()

    def limits(**changes: object) -> list:
        events = decoder.decode(broadcast("X-TRADE", SAMPLES["X-TRADE"] | changes), NOW)
        return [(event.day, event.reference) for event in events if isinstance(event, DayLimits)]

    assert limits() == [(DAY, 22900.0)]
    assert limits(Time="14:08:00") == []
    assert limits(TradingDate="15/08/2023") == [(date(2023, 8, 15), 22900.0)]
    assert limits() == [], "yesterday's message says nothing of today"
    assert limits(TradingDate="15/08/2023", Ceiling=0.0) == []


def test_an_auction_indicates_its_price() -> None:
    events = told("X-TRADE", TradingSession="ATC", LastVol=0.0)
    assert [event for event in events if isinstance(event, Indication)] == [
        Indication("ACB", at(DAY, time(14, 7, 53)), 22900.0)
    ]
    assert not [event for event in told("X-TRADE") if isinstance(event, Indication)]


def test_sessions_follow_the_board_and_not_one_symbol() -> None:
    decoder = Decoder()

    def sessions(kind: str = "F", **changes: object) -> list:
        events = decoder.decode(broadcast(kind, SAMPLES[kind] | changes), NOW)
        return [(str(e.board), e.session) for e in events if isinstance(e, SessionChanged)]

    assert sessions(TradingSession="ATO", Time="09:00:00") == [("HOSE", "ATO")]
    assert sessions(TradingSession="ATO", Time="09:00:01", Symbol="VCB") == []
    assert sessions(TradingSession="LO", Time="09:15:00") == [("HOSE", "LO")]
    assert sessions(TradingSession="ATO", Time="09:14:59", Symbol="HPG") == [], "older than what is known"
    assert sessions(TradingSession="H", TradingStatus="H", Time="10:00:00") == []
    assert sessions(TradingSession="C", TradingStatus="S", Time="10:00:00", Symbol="XYZ") == []
    assert sessions(TradingSession="LO", MarketId="DER", Exchange="DER") == [("DERIVATIVES", "LO")]
    assert sessions(TradingSession="LO", MarketId="HNXBOND", Exchange="") == []
    assert decoder.session(Board.HOSE) == "LO"
    assert sessions("MI", TradingSession="H", TradingDate="14/08/2023") == [("HOSE", "HALT")]


def test_a_session_that_is_not_known_is_reported_and_changes_nothing() -> None:
    status, unread = told("F", TradingSession="Z9")
    assert isinstance(status, StatusChanged)
    assert status.session == "Z9"
    assert isinstance(unread, Unread)


@pytest.mark.parametrize(
    ("session", "status", "halted"),
    [("LO", "N", False), ("LO", "H", True), ("H", "N", True), ("LO", "??", True), ("LO", "ND", False)],
)
def test_an_instrument_is_halted_when_in_doubt(session: str, status: str, halted: bool) -> None:
    (event, *_) = told("F", TradingSession=session, TradingStatus=status)
    assert event.halted is halted


def test_orders_at_the_auctions_price_are_no_level() -> None:
    (quote, *_) = told("X-QUOTE", BidPrice1=0.0, BidVol1=5000.0, TradingSession="ATO")
    assert quote.bid == 22850.0


def test_a_crossed_book_is_doubtful_until_it_is_not() -> None:
    decoder = Decoder()

    def news(**changes: object) -> list:
        return decoder.decode(broadcast("X-QUOTE", SAMPLES["X-QUOTE"] | changes), NOW)[1:]

    ns = at(DAY, time(14, 0, 28))
    assert news(BidPrice1=23000.0, TradingSession="ATC") == []
    (doubt,) = news(BidPrice1=22950.0)
    assert isinstance(doubt, Doubtful)
    assert decoder.books.doubts("ACB")
    assert news(BidPrice1=23000.0) == []
    assert news() == [Trusted("ACB", ns)]
    assert not decoder.books.doubts("ACB")


def test_what_is_no_number_is_absent() -> None:
    (bar,) = told("B", Volume=0)
    assert bar.volume == 0
    text = broadcast("X-TRADE", SAMPLES["X-TRADE"]).replace('\\"NaN\\"', "NaN")
    assert "NaN" in text
    assert len(Decoder().decode(text, NOW)) == 2
    for change in ({"Close": math.nan}, {"Close": "NaN"}, {"Low": 0.0}, {"High": 1.0}, {"Volume": -1}):
        (unread,) = told("B", **change)
        assert isinstance(unread, Unread)


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        None,
        7,
        {},
        {"DataType": "ZZ", "Content": "{}"},
        {"DataType": "B"},
        {"DataType": "B", "Content": "no"},
        {"DataType": "B", "Content": {"Symbol": "X", "Time": "25:00:00"}},
        {"DataType": "B", "Content": {"Symbol": "X", "Time": "10:00:00", "TradingDate": "31/02/2024"}},
        {"DataType": "MI", "Content": {"IndexId": "VN30", "Time": "10:00:00"}},
    ],
    ids=repr,
)
def test_what_cannot_be_read_is_kept(argument: object) -> None:
    (unread,) = Decoder().decode(argument, NOW)
    assert isinstance(unread, Unread)
    assert unread.raw == argument
    assert unread.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_nothing_that_comes_is_fatal(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([name for name in SAMPLES if "," not in name]))
    names = st.sampled_from(sorted(SAMPLES[kind]))
    content = SAMPLES[kind] | data.draw(st.dictionaries(names, json_values, max_size=4))
    decoder = Decoder()
    events = decoder.decode({"DataType": kind, "Content": content}, NOW)
    events += decoder.decode(data.draw(json_values), NOW)
    for event in events:
        if isinstance(event, BarSoFar):
            assert 0 < event.low <= min(event.open, event.close) <= event.high
            assert event.volume >= 0
        if isinstance(event, Quote):
            assert all(level.price > 0 and level.quantity > 0 for level in event.bids + event.asks)


levels = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**7)), max_size=10)


@given(levels, levels, st.integers(0, 23 * 60 + 59))
def test_a_made_quote_comes_back(bids: list, asks: list, minute: int) -> None:
    content: dict = {"Symbol": "FPT", "TradingDate": "08/06/2026", "TradingSession": "LO", "Exchange": "HOSE"}
    content["Time"] = f"{minute // 60:02}:{minute % 60:02}:00"
    for side, found in (("Bid", bids), ("Ask", asks)):
        for n in range(1, 11):
            price, quantity = found[n - 1] if n <= len(found) else (0, 0)
            content |= {f"{side}Price{n}": float(price), f"{side}Vol{n}": float(quantity)}
    quote = Decoder().decode(broadcast("X-QUOTE", content), NOW)[0]
    ns = at(date(2026, 6, 8), minute * MINUTE)
    assert quote == Quote("FPT", ns, tuple(Level(*x) for x in bids), tuple(Level(*x) for x in asks))
