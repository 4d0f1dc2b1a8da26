"""A venue in the middle of a trading day, and orders for it."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from algo.clock import HOUR, MINUTE, at
from algo.history import History
from algo.market import Session, TradingCalendar, instrument_of
from algo.model import Account, Board, Instrument, Order, OrderType, Side, Trigger
from algo.orders import Venue
from algo.portfolio import Portfolio

DAY = date(2023, 3, 15)
NOON = at(DAY, 10 * HOUR)
DAYS = [date(2023, 3, day) for day in (13, 14, 15, 16, 17, 20, 21, 22)]


def venue_of(
    symbol: str = "FPT",
    last: float | None = 80_000.0,
    *,
    board: Board | None = None,
    reference: int | None = -1,
    session: Session = Session.LO,
    day: date = DAY,
    idle: bool = False,
) -> Venue:
    """A venue whose last bar closed at `last`; the reference is that price unless given."""
    instrument = instrument_of(symbol, board)
    history = None
    if last is not None:
        one, stamp = np.array([last]), np.array([at(day, 10 * HOUR)], dtype=np.int64)
        history = History(symbol, MINUTE, stamp, stamp - MINUTE, one, one, one, one, np.array([100]))
        history.n = 1
    venue = Venue(symbol, instrument, history)
    if reference == -1:
        reference = None if last is None else instrument.units(last)
    venue.start_day(day, reference, idle)
    venue.enter(session)
    return venue


def ledger_of(cash: int = 10**12, **more: Any) -> Portfolio:
    """A ledger at ten o'clock with this cash in both accounts and no marks."""
    ledger = Portfolio(dict.fromkeys(Account, cash), calendar=TradingCalendar.from_days(DAYS), **more)
    ledger.start_day(at(DAY))
    ledger.advance_to(NOON)
    return ledger


def order_of(
    venue: Venue,
    side: Side = Side.BUY,
    quantity: int = 100,
    price: float | None = None,
    *,
    order_type: OrderType | None = None,
    stop: Trigger | None = None,
    strategy: str = "one",
    **more: Any,
) -> Order:
    """An order as a desk would make it: at the market without a price."""
    kind = order_type or (OrderType.MARKET if price is None else OrderType.LO)
    return Order(
        strategy=strategy,
        symbol=venue.symbol,
        instrument=venue.instrument,
        side=side,
        quantity=quantity,
        order_type=kind,
        price=0 if price is None else venue.instrument.units(price),
        trigger=stop,
        created=NOON,
        **more,
    )


def held(ledger: Portfolio, instrument: Instrument, quantity: int, price: int) -> None:
    """Let the ledger hold a settled position."""
    ledger.open(instrument, quantity, price)
