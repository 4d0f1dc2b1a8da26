"""The book exchange rule by rule: sessions, order types and their remainders, amendments, halts."""

from __future__ import annotations

from datetime import date

import pytest

from algo.brokers.paper import BookSettings, Indicated
from algo.errors import SettingError
from algo.market import Session
from algo.model import Instrument, OrderType, Quote, Side, Trade
from tests.generators.trading_days import (
    BEFORE,
    EDGE,
    INSTRUMENTS,
    OUTSIDE,
    SINCE,
    Hand,
    fills,
    in_session,
    refused,
    told,
)

BUY, SELL = Side.BUY, Side.SELL
LO, MTL, MOK, MAK, MP = OrderType.LO, OrderType.MTL, OrderType.MOK, OrderType.MAK, OrderType.MP
ATO, ATC, PLO = OrderType.ATO, OrderType.ATC, OrderType.PLO
FPT, SHS, BSR, VN30 = INSTRUMENTS


# -- continuous trading ---------------------------------------------------------------------------


def test_the_better_price_goes_first_then_the_earlier_order_and_it_prints_at_the_resting_price() -> None:
    hand = in_session()
    hand.place(SELL, 2, 12_001)
    hand.place(SELL, 2, 12_000)
    hand.place(SELL, 2, 12_000)
    assert fills(hand.place(BUY, 5, 12_005)) == [
        ("o4", 2, 12_000), ("o2", 2, 12_000),
        ("o4", 2, 12_000), ("o3", 2, 12_000),
        ("o4", 1, 12_001), ("o1", 1, 12_001),
    ]  # fmt: skip
    trades = [item for item in hand.exchange.take_public() if isinstance(item, Trade)]
    assert [(t.price, t.quantity, t.side) for t in trades] == [(1200.0, 2, 1), (1200.0, 2, 1), (1200.1, 1, 1)]


def test_an_exchange_does_not_keep_a_person_from_trading_with_himself() -> None:
    hand = in_session()
    hand.place(BUY, 1, 12_000)
    assert fills(hand.place(SELL, 1, 12_000)) == [("o2", 1, 12_000), ("o1", 1, 12_000)]


@pytest.mark.parametrize(
    ("instrument", "day", "kind"),
    [(VN30, SINCE, MTL), (FPT, SINCE, MTL), (FPT, BEFORE, MP), (SHS, BEFORE, MTL)],
)
@pytest.mark.parametrize("side", Side)
def test_the_rest_of_a_sweep_stays_one_tick_beyond_its_last_print(
    instrument: Instrument, day: date, kind: OrderType, side: Side
) -> None:
    hand = in_session(instrument=instrument, day=day)
    hand.place(side.opposite, 1, hand.price(0))
    hand.place(side.opposite, 1, hand.price(2 * side))
    assert len(fills(hand.place(side, 5, kind=kind))) == 4
    quote = hand.exchange.depth(hand.symbol)
    (left,) = quote.bids if side is BUY else quote.asks
    assert left == (instrument.price(hand.price(3 * side)), 3 * hand.lot)


@pytest.mark.parametrize("side", Side)
def test_or_at_the_edge_of_the_band(side: Side) -> None:
    hand = in_session()
    edge = hand.price(EDGE * side)
    hand.place(side.opposite, 1, edge)
    hand.place(side, 2, kind=MTL)
    quote = hand.exchange.depth(hand.symbol)
    assert (quote.bids if side is BUY else quote.asks) == ((VN30.price(edge), 1),)


@pytest.mark.parametrize(("instrument", "day", "kind"), [(VN30, SINCE, MTL), (FPT, BEFORE, MP)])
def test_a_sweep_with_nobody_there_is_refused(instrument: Instrument, day: date, kind: OrderType) -> None:
    hand = in_session(instrument=instrument, day=day)
    hand.place(BUY, 1, hand.price(0))
    assert refused(hand.place(BUY, 1, kind=kind)) == "nobody is on the other side"
    assert hand.working() == ["o1"]


def test_mok_is_all_or_nothing_and_mak_what_it_can() -> None:
    hand = in_session()
    hand.place(SELL, 2, 12_000)
    assert told(hand.place(BUY, 3, kind=MOK)) == ["OrderAccepted o2", "OrderCancelled o2"]
    assert told(hand.place(BUY, 3, kind=MAK)) == [
        "OrderAccepted o3", "OrderFilled o3", "OrderFilled o1", "OrderCancelled o3",
    ]  # fmt: skip
    hand.place(SELL, 3, 12_000)
    assert len(fills(hand.place(BUY, 3, kind=MOK))) == 2
    assert told(hand.place(BUY, 3, kind=MAK)) == ["OrderAccepted o6", "OrderCancelled o6"]


# -- auctions -------------------------------------------------------------------------------------


def test_an_auction_shows_where_it_stands_and_trades_at_one_price_when_it_ends() -> None:
    hand = in_session(Session.ATO)
    assert hand.exchange.take_public()[1:] == [Indicated(hand.symbol, hand.ns, None, 0)]
    hand.place(BUY, 5, 12_010)
    hand.place(SELL, 3, 11_990)
    quote, indicated = hand.exchange.take_public()
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask) == (1201.0, 1199.0)
    assert indicated == Indicated(hand.symbol, hand.ns, 1200.0, 3)
    assert fills(hand.until(Session.LO)) == [("o1", 3, 12_000), ("o2", 3, 12_000)]
    trade, quote = hand.exchange.take_public()
    assert trade == Trade(hand.symbol, hand.ns, 1200.0, 3, 0)
    assert quote.bids == ((1201.0, 2),)
    assert hand.exchange.close_price(hand.symbol) == 12_000


def test_the_close_auctions_price_is_nearest_the_last_match() -> None:
    hand = in_session()
    hand.place(BUY, 1, 11_950)
    hand.place(SELL, 1, 11_950)
    hand.until(Session.ATC)
    hand.place(BUY, 1, 12_010)
    hand.place(SELL, 1, 11_940)
    assert fills(hand.until(Session.C)) == [("o3", 1, 11_950), ("o4", 1, 11_950)]


@pytest.mark.parametrize(("session", "kind"), [(Session.ATO, ATO), (Session.ATC, ATC)])
def test_before_krx_auction_orders_go_ahead_of_every_limit(session: Session, kind: OrderType) -> None:
    hand = in_session(session, FPT, BEFORE)
    hand.place(BUY, 1, hand.price(EDGE))
    hand.place(BUY, 1, kind=kind)
    hand.place(SELL, 1, hand.price(0))
    assert fills(hand.enter(Session.BREAK))[0] == ("o2", 100, 50_000)


@pytest.mark.parametrize(("session", "kind"), [(Session.ATO, ATO), (Session.ATC, ATC)])
def test_since_krx_they_queue_among_orders_at_the_edge_of_the_band(session: Session, kind: OrderType) -> None:
    hand = in_session(session, FPT, SINCE)
    hand.place(BUY, 1, hand.price(EDGE))
    hand.place(BUY, 1, kind=kind)
    hand.place(BUY, 1, hand.price(EDGE - 10))
    hand.place(SELL, 2, hand.price(0))
    assert [name for name, *_ in fills(hand.enter(Session.BREAK))] == ["o1", "o4", "o2", "o4"]


def test_without_a_band_they_go_first() -> None:
    hand = Hand(VN30, SINCE, referenced=False)
    hand.until(Session.ATO)
    hand.place(BUY, 1, 12_345)
    hand.place(BUY, 1, kind=ATO)
    hand.place(SELL, 1, 12_300)
    assert hand.exchange.depth(hand.symbol).bids == ((1234.5, 1),)
    assert fills(hand.until(Session.LO))[0] == ("o2", 1, 12_345)


@pytest.mark.parametrize(("session", "kind"), [(Session.ATO, ATO), (Session.ATC, ATC)])
def test_what_an_auction_leaves_of_them_is_cancelled(session: Session, kind: OrderType) -> None:
    hand = in_session(session)
    hand.place(BUY, 3, kind=kind)
    hand.place(SELL, 1, hand.price(0))
    hand.place(SELL, 1, hand.price(EDGE))
    events = hand.enter(Session.BREAK)
    assert told(events) == [
        "OrderFilled o1",
        "OrderFilled o2",
        "OrderFilled o1",
        "OrderFilled o3",
        "OrderCancelled o1",
    ]
    assert hand.working() == []


# -- sessions -------------------------------------------------------------------------------------


def test_a_limit_lives_from_the_first_session_to_the_end_of_the_closing_auction() -> None:
    hand = in_session(Session.ATO)
    hand.place(BUY, 1, 11_990)
    for session in (Session.LO, Session.BREAK, Session.LO, Session.ATC):
        assert hand.until(session) == []
        assert hand.working() == ["o1"]
    assert told(hand.until(Session.C)) == ["OrderExpired o1"]
    assert refused(hand.place(BUY, 1, 11_990)) == "the trading day is over"


def test_after_the_close_plo_trades_at_the_closing_price_and_its_rest_is_cancelled() -> None:
    hand = in_session(Session.ATC, SHS)
    hand.place(BUY, 1, hand.price(1))
    hand.place(SELL, 1, hand.price(1))
    hand.place(SELL, 1, hand.price(2))
    assert told(hand.until(Session.PLO)) == ["OrderFilled o1", "OrderFilled o2", "OrderExpired o3"]
    hand.place(BUY, 3, kind=PLO)
    assert hand.exchange.depth("SHS").bids == ()
    assert fills(hand.place(SELL, 1, kind=PLO)) == [("o5", 100, hand.price(1)), ("o4", 100, hand.price(1))]
    assert "no cancel in session PLO" in refused(hand.cancel(4))
    assert told(hand.until(Session.C)) == ["OrderCancelled o4"]


def test_plo_needs_a_closing_price() -> None:
    hand = in_session(Session.PLO, SHS)
    assert refused(hand.place(BUY, 1, kind=PLO)) == "there is no closing price today"


@pytest.mark.parametrize("session", [Session.ATO, Session.BREAK, Session.ATC])
def test_there_is_no_amending_and_cancelling_outside_continuous_trading(session: Session) -> None:
    hand = in_session(Session.ATO)
    hand.place(BUY, 2, 11_990)
    if session is not Session.ATO:
        hand.until(session)
    assert "no amendment in session" in refused(hand.amend(1, lots=1))
    assert "no cancel in session" in refused(hand.cancel(1))


@pytest.mark.parametrize(
    ("session", "kind", "price"),
    [
        (Session.LO, ATO, 0),
        (Session.ATO, MTL, 0),
        (Session.BREAK, LO, 12_000),
        (Session.LO, OrderType.MARKET, 0),
    ],
)
def test_a_session_takes_its_own_order_types(session: Session, kind: OrderType, price: int) -> None:
    hand = in_session(session)
    assert refused(hand.place(BUY, 1, price, kind))
    assert hand.working() == []


@pytest.mark.parametrize(
    ("instrument", "quantity", "away", "reason"),
    [
        (VN30, 501, 0, "largest order"),
        (FPT, 150, 0, "not a multiple of the lot"),
        (FPT, 100, OUTSIDE, "above the ceiling"),
        (FPT, 100, None, "not on the tick"),
    ],
)
def test_the_exchange_checks_what_an_exchange_checks(
    instrument: Instrument, quantity: int, away: int | None, reason: str
) -> None:
    hand = in_session(instrument=instrument)
    price = hand.price(0) + 1 if away is None else hand.price(away)
    assert reason in refused(hand.place(BUY, 0, price, quantity=quantity))


def test_the_largest_order_of_hnx_is_a_setting() -> None:
    hand = Hand(SHS, settings=BookSettings(largest=1_000))
    hand.until(Session.LO)
    assert "largest order" in refused(hand.place(BUY, 11, hand.price(0)))
    with pytest.raises(SettingError):
        BookSettings(depth=0)


# -- amendments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "first"),
    [
        pytest.param({"lots": 2}, "o1", id="less keeps the place"),
        pytest.param({"lots": 4}, "o2", id="more loses it"),
        pytest.param({"price": 12_000}, "o1", id="a better price goes first"),
    ],
)
def test_what_an_amendment_does_to_the_place_in_the_queue(change: dict[str, int], first: str) -> None:
    hand = in_session()
    hand.place(BUY, 3, 11_990)
    hand.place(BUY, 3, 11_990)
    assert told(hand.amend(1, **change)) == ["OrderAmended o1"]
    assert fills(hand.place(SELL, 1, 11_990))[1][0] == first


def test_going_away_and_coming_back_goes_to_the_end() -> None:
    hand = in_session()
    hand.place(BUY, 3, 11_990)
    hand.place(BUY, 3, 11_990)
    hand.amend(1, price=11_980)
    hand.amend(1, price=11_990)
    assert fills(hand.place(SELL, 1, 11_990))[1][0] == "o2"


def test_an_amended_price_that_crosses_trades_at_once() -> None:
    hand = in_session()
    hand.place(SELL, 2, 12_000)
    hand.place(BUY, 3, 11_990)
    assert told(hand.amend(2, price=12_010)) == ["OrderAmended o2", "OrderFilled o2", "OrderFilled o1"]
    assert hand.exchange.depth(hand.symbol).bids == ((1201.0, 1),)


def test_amendments_that_are_not_taken() -> None:
    hand = in_session()
    hand.place(BUY, 3, 11_990)
    hand.place(SELL, 2, 11_990)
    assert refused(hand.amend(1, price=11_980, lots=4)) == "change price or quantity, one in each request"
    assert refused(hand.amend(1, lots=2)) == "2 have traded already"
    assert refused(hand.amend(1, price=11_990)) == "the amendment changes neither price nor quantity"
    assert "ceiling" in refused(hand.amend(1, price=20_000))
    assert "largest" in refused(hand.amend(1, lots=501))
    assert refused(hand.amend(2, lots=5)) == "the order is not working"
    assert hand.exchange.depth(hand.symbol).bids == ((1199.0, 1),)


def test_hose_took_no_amendments_before_krx_and_hnx_took_both_at_once() -> None:
    hand = in_session(instrument=FPT, day=BEFORE)
    hand.place(BUY, 1, hand.price(0))
    assert "cancel and place again" in refused(hand.amend(1, lots=2))
    hand = in_session(instrument=SHS, day=BEFORE)
    hand.place(BUY, 1, hand.price(0))
    assert told(hand.amend(1, price=hand.price(1), lots=2)) == ["OrderAmended o1"]
    assert hand.exchange.depth("SHS").bids == ((15_100.0, 200),)


# -- odd lots -------------------------------------------------------------------------------------


def test_odd_lots_trade_with_odd_lots_and_nobody_sees_it() -> None:
    hand = in_session(instrument=FPT)
    hand.place(SELL, 1, hand.price(0))
    assert refused(hand.place(BUY, 0, kind=MTL, quantity=50))
    hand.exchange.take_public()
    hand.place(BUY, 0, hand.price(1), quantity=50)
    assert hand.working() == ["o1", "o3"]
    assert fills(hand.place(SELL, 0, hand.price(1), quantity=30)) == [("o4", 30, 50_100), ("o3", 30, 50_100)]
    assert not any(isinstance(item, Trade) for item in hand.exchange.take_public())
    assert hand.exchange.close_price("FPT") is None
    assert "between board lots and odd lots" in refused(hand.amend(3, lots=1))
    assert told(hand.cancel(3)) == ["OrderCancelled o3"]
