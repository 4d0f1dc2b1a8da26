"""What a crowd does on one instrument from the open to the close, and a hand that does it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from hypothesis import strategies as st

from algo.brokers.paper import BookExchange, BookSettings
from algo.clock import at
from algo.market import Session, band, day_sessions, instrument_of, legal_types, lot, move
from algo.model import (
    AmendOrder,
    Board,
    BrokerEvent,
    CancelOrder,
    Instrument,
    OrderFilled,
    OrderType,
    PlaceOrder,
    RequestRefused,
    Side,
    Trigger,
)

BEFORE, SINCE = date(2024, 6, 3), date(2026, 3, 2)  # Mondays before and after KRX
INSTRUMENTS = (
    instrument_of("FPT"),
    instrument_of("SHS", Board.HNX),
    instrument_of("BSR", Board.UPCOM),
    instrument_of("VN30F1M"),
)
REFERENCES = {Board.HOSE: 50_000, Board.HNX: 15_000, Board.UPCOM: 20_000, Board.DERIVATIVES: 12_000}


class Place(NamedTuple):
    """A new order `away` ticks from the reference."""

    side: Side
    kind: OrderType
    away: int
    lots: int


class Amend(NamedTuple):
    """Another price or size for the order with this number."""

    number: int
    away: int | None
    lots: int | None


class Cancel(NamedTuple):
    """The end of the order with this number."""

    number: int


class Next(NamedTuple):
    """The next session."""


class Day(NamedTuple):
    """One instrument's day, from the first session to the close: what is done, step by step."""

    instrument: Instrument
    day: date
    steps: list[Place | Amend | Cancel | Next]


EDGE, OUTSIDE = 40, 90  # ticks that stand for the edge of the band, and for a price beyond it
_away = st.sampled_from((-2, -1, -1, 0, 0, 0, 1, 1, 2, -EDGE, EDGE, OUTSIDE))
_lots = st.integers(1, 6)


@st.composite
def days(draw: st.DrawFn) -> Day:
    """A day with a crowd in each session: mostly orders that the session takes, close to the reference."""
    instrument, day = draw(st.sampled_from(INSTRUMENTS)), draw(st.sampled_from((BEFORE, SINCE)))
    steps: list[Place | Amend | Cancel | Next] = []
    placed = 0
    for _, session in day_sessions(instrument.board, day)[1:]:
        steps.append(Next())
        legal = sorted(legal_types(instrument.board, session, day))
        busy = {Session.LO: 14, Session.BREAK: 1, Session.C: 1}.get(session, 7)
        for _ in range(draw(st.integers(0, busy))):
            what = draw(st.sampled_from(("place",) * 6 + ("amend",) * 3 + ("cancel",)))
            number = draw(st.integers(max(placed - 4, 1), max(placed, 1)))
            if what == "cancel":
                steps.append(Cancel(number))
            elif what == "amend":
                away, lots = draw(st.sampled_from(((1, 0), (0, 1), (0, 1), (1, 1))))
                steps.append(Amend(number, draw(_away) if away else None, draw(_lots) if lots else None))
            else:
                kinds = legal * 4 + ["LO"] * 16 + [kind for kind in OrderType if kind is not OrderType.MARKET]
                placed += 1
                kind = OrderType(draw(st.sampled_from(kinds)))
                steps.append(Place(draw(st.sampled_from(Side)), kind, draw(_away), draw(_lots)))
    return Day(instrument, day, steps)


class Hand:
    """Places orders at a book exchange of one instrument, by small numbers: the first is `o1`."""

    def __init__(
        self,
        instrument: Instrument,
        day: date = SINCE,
        *,
        referenced: bool = True,
        settings: BookSettings | None = None,
    ) -> None:
        self.instrument, self.day = instrument, day
        self.symbol = instrument.symbol
        self.reference = REFERENCES[instrument.board]
        self.exchange = BookExchange({self.symbol: instrument}, settings)
        self.exchange.start_day(day, {self.symbol: self.reference} if referenced else {})
        self.sessions = [session for _, session in day_sessions(instrument.board, day)][1:]
        self.lot = lot(instrument, day)
        self.ns = at(day)
        self.count = 0

    def price(self, away: int) -> int:
        """The price so many ticks from the reference; `EDGE` is the edge of the band."""
        if abs(away) == EDGE:
            return band(self.instrument, self.reference, self.day).edge(Side(away // EDGE))
        return move(self.instrument, self.reference, away, self.day)

    def enter(self, session: Session) -> list[BrokerEvent]:
        self.ns += 1
        return self.exchange.enter(self.instrument.board, session, self.ns)

    def until(self, session: Session) -> list[BrokerEvent]:
        """Go through the day's sessions to the next one of this kind."""
        events: list[BrokerEvent] = []
        while self.sessions:
            now = self.sessions.pop(0)
            events += self.enter(now)
            if now is session:
                return events
        raise AssertionError(f"{self.instrument.board} has no {session} any more")

    def place(
        self,
        side: Side,
        lots: int,
        price: int = 0,
        kind: OrderType = OrderType.LO,
        trigger: Trigger | None = None,
        *,
        quantity: int = 0,
    ) -> list[BrokerEvent]:
        self.count += 1
        self.ns += 1
        command = PlaceOrder(
            f"r{self.count}", f"o{self.count}", "s", self.instrument, side, kind, price,
            quantity or lots * self.lot, trigger,
        )  # fmt: skip
        return self.exchange.execute(command, self.ns)

    def amend(self, number: int, price: int | None = None, lots: int | None = None) -> list[BrokerEvent]:
        self.ns += 1
        quantity = None if lots is None else lots * self.lot
        command = AmendOrder("ra", f"o{number}", "s", self.instrument, price, quantity)
        return self.exchange.execute(command, self.ns)

    def cancel(self, name: int | str) -> list[BrokerEvent]:
        self.ns += 1
        name = f"o{name}" if isinstance(name, int) else name
        return self.exchange.execute(CancelOrder("rc", name, "s", self.instrument), self.ns)

    def do(self, step: Place | Amend | Cancel | Next) -> list[BrokerEvent]:
        """Do one step of a day."""
        match step:
            case Next():
                return self.enter(self.sessions.pop(0))
            case Place(side, kind, away, lots):
                return self.place(side, lots, self.price(away) if kind is OrderType.LO else 0, kind)
            case Amend(number, away, lots):
                return self.amend(number, None if away is None else self.price(away), lots)
            case Cancel(number):
                return self.cancel(number)

    def working(self) -> list[str]:
        return [ticket.order_id for ticket in self.exchange.market(self.symbol).orders()]


def in_session(
    session: Session = Session.LO, instrument: Instrument = INSTRUMENTS[-1], day: date = SINCE
) -> Hand:
    """A hand that has gone through its day to this session."""
    hand = Hand(instrument, day)
    hand.until(session)
    return hand


def fills(events: list[BrokerEvent]) -> list[tuple[str, int, int]]:
    """(order, quantity, price) of each fill."""
    return [(e.order_id, e.quantity, e.price) for e in events if isinstance(e, OrderFilled)]


def told(events: list[BrokerEvent]) -> list[str]:
    """The kinds of the events with the orders they are about."""
    return [f"{type(event).__name__} {event.order_id}" for event in events]  # type: ignore[union-attr]


def refused(events: list[BrokerEvent]) -> str:
    """Why a command was refused; '' when it was not."""
    return events[0].reason if isinstance(events[0], RequestRefused) else ""
