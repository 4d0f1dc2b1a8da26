"""Halts, and many symbols over many days at the book exchange."""

from __future__ import annotations

import pickle
from datetime import date

import pytest
from hypothesis import given

from algo.brokers.paper import BookExchange, Indicated
from algo.market import Session, instrument_of
from algo.model import Board, CancelOrder, Instrument, OrderType, PlaceOrder, Side
from tests.generators.trading_days import (
    INSTRUMENTS,
    SINCE,
    Day,
    Hand,
    days,
    fills,
    in_session,
    refused,
    told,
)

BUY, SELL = Side.BUY, Side.SELL
LO, ATO = OrderType.LO, OrderType.ATO
FPT, SHS, _, VN30 = INSTRUMENTS


# -- halts ----------------------------------------------------------------------------------------


def test_a_halted_symbol_takes_nothing_and_goes_on_with_what_it_had() -> None:
    hand = in_session()
    hand.place(BUY, 1, 11_990)
    assert hand.exchange.halt(hand.symbol, True, hand.ns) == []
    assert "session HALT" in refused(hand.place(SELL, 1, 11_990))
    assert "session HALT" in refused(hand.cancel(1))
    assert hand.exchange.halt(hand.symbol, False, hand.ns) == []
    assert len(fills(hand.place(SELL, 1, 11_990))) == 2


def test_an_auction_that_a_halt_outlasts_trades_when_trading_goes_on() -> None:
    hand = in_session(Session.ATO)
    hand.place(BUY, 1, 12_010)
    hand.place(SELL, 1, 11_990)
    hand.place(SELL, 1, kind=ATO)
    hand.exchange.halt(hand.symbol, True, hand.ns)
    assert hand.exchange.market(hand.symbol).indication() is None
    assert told(hand.until(Session.LO)) == ["OrderCancelled o3"]
    assert fills(hand.exchange.halt(hand.symbol, False, hand.ns)) == [("o1", 1, 12_000), ("o2", 1, 12_000)]


def test_a_halt_to_the_close_ends_without_a_trade() -> None:
    hand = in_session(Session.ATC)
    hand.place(BUY, 1, 12_010)
    hand.place(SELL, 1, 11_990)
    hand.exchange.halt(hand.symbol, True, hand.ns)
    assert told(hand.until(Session.C)) == ["OrderExpired o1", "OrderExpired o2"]


def test_a_halt_of_the_whole_board_is_a_session() -> None:
    hand = in_session(Session.ATO)
    hand.place(BUY, 1, 12_010)
    hand.place(SELL, 1, 11_990)
    assert hand.enter(Session.HALT) == []
    assert len(fills(hand.enter(Session.LO))) == 2


# -- many symbols, many days ----------------------------------------------------------------------


def test_symbols_and_boards_have_lives_of_their_own() -> None:
    exchange = BookExchange({"FPT": FPT, "SHS": SHS, "VN30F1M": VN30})
    exchange.start_day(SINCE, {"FPT": 50_000, "SHS": 15_000, "VN30F1M": 12_000})
    exchange.enter(Board.HNX, Session.LO, 1)

    def place(name: str, instrument: Instrument, price: int) -> str:
        command = PlaceOrder(name, name, "s", instrument, BUY, LO, price, 100)
        return refused(exchange.execute(command, 2))

    assert place("a", SHS, 15_000) == ""
    assert "session C" in place("b", FPT, 50_000)
    assert place("c", instrument_of("VNM"), 50_000) == "no such instrument: VNM"
    assert place("a", SHS, 15_000) == "an order with this id is working"
    assert refused(exchange.execute(CancelOrder("x", "a", "s", FPT), 3)) == "the order is not working"
    with pytest.raises(ValueError, match="never closed"):
        exchange.start_day(date(2026, 3, 3), {})
    exchange.enter(Board.HNX, Session.C, 4)
    exchange.start_day(date(2026, 3, 3), {})
    assert exchange.close_price("SHS") is None


def test_a_contract_that_ends_takes_its_orders_with_it() -> None:
    old, new = instrument_of("41I1G3000"), instrument_of("41I1G4000")
    exchange = BookExchange({"VN30F1M": old})
    exchange.start_day(SINCE, {"VN30F1M": 12_000})
    exchange.enter(Board.DERIVATIVES, Session.LO, 1)
    exchange.execute(PlaceOrder("a", "a", "s", old, BUY, LO, 12_000, 1), 2)
    assert told(exchange.roll("VN30F1M", new, 3)) == ["OrderExpired a"]
    assert refused(exchange.execute(PlaceOrder("b", "b", "s", old, BUY, LO, 12_000, 1), 4))
    exchange.enter(Board.DERIVATIVES, Session.C, 5)
    exchange.start_day(date(2026, 3, 3), {"VN30F1M": 12_000})
    exchange.enter(Board.DERIVATIVES, Session.LO, 6)
    assert not refused(exchange.execute(PlaceOrder("c", "c", "s", new, BUY, LO, 12_000, 1), 7))


# -- what is published ----------------------------------------------------------------------------


def test_what_did_not_change_is_not_published_again() -> None:
    hand = in_session(Session.ATO)
    hand.place(BUY, 1, 11_990)
    assert len(hand.exchange.take_public()) == 2
    assert hand.exchange.take_public() == []
    hand.place(BUY, 1, 11_000)  # refused
    assert hand.exchange.take_public() == []
    hand.place(BUY, 1, 11_980)
    (quote,) = hand.exchange.take_public()
    assert not isinstance(quote, Indicated)
    hand.until(Session.LO)
    assert hand.exchange.take_public() == []


# -- state ----------------------------------------------------------------------------------------


def lived(day: Day, *, stored: bool) -> list:
    """A day's events and public messages; when `stored`, the exchange is put away and back at each step."""
    hand = Hand(day.instrument, day.day)
    found: list = []
    for step in day.steps:
        if stored:
            hand.exchange = pickle.loads(pickle.dumps(hand.exchange))
        found += hand.do(step)
        found += hand.exchange.take_public()
    return found


@given(days())
def test_an_exchange_that_is_put_away_and_taken_back_goes_on_as_if_nothing_had_been(day: Day) -> None:
    assert lived(day, stored=True) == lived(day, stored=False)
