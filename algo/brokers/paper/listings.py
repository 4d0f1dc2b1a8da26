"""An instrument as the broker knows it today: its session, band, lot, order types and last price."""

from __future__ import annotations

from datetime import date

from algo.market import Band, Session, band, day_sessions, is_odd_lot, largest_order, legal_types, lot
from algo.model import Instrument, OrderType, Side

SHUT = (Session.C, Session.HALT)
"""Sessions that open no day."""


class Listing:
    """One instrument today. `last` is its last price in units, `reference` the middle of its band.

    `opened` says whether the board has traded today, so that "closed" is before or after.
    """

    __slots__ = (
        "band", "day", "halted", "instrument", "largest", "last", "lot", "odd_types", "opened", "reference",
        "session", "types",
    )  # fmt: skip

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.day = date(1970, 1, 1)
        self.session = Session.C
        self.opened = False
        self.halted = False
        self.band: Band | None = None
        self.reference: int | None = None
        self.last: int | None = None
        self.lot = 1
        self.largest: int | None = largest_order(instrument)
        self.types: frozenset[OrderType] = frozenset()
        self.odd_types: frozenset[OrderType] = frozenset()

    def start_day(self, day: date, reference: int | None, *, idle: bool) -> None:
        """Begin a trading day about `reference` (price units)."""
        self.day = day
        self.reference = reference
        if reference is not None:
            self.last = None
        self.band = None if reference is None else band(self.instrument, reference, day, first_day=idle)
        self.lot = lot(self.instrument, day)
        self.opened = False
        self.enter(Session.C)

    def enter(self, session: Session) -> None:
        """Go into another session."""
        self.session = session
        self.opened = self.opened or session not in SHUT
        board = self.instrument.board
        self.types = legal_types(board, session, self.day)
        self.odd_types = legal_types(board, session, self.day, odd_lot=True)

    @property
    def early(self) -> bool:
        """Whether the day has begun and the board has not opened yet."""
        return not self.opened and self.session is Session.C

    def opening_types(self, quantity: int) -> frozenset[OrderType]:
        """The order types that the first session of the day takes."""
        board = self.instrument.board
        first = next(session for _, session in day_sessions(board, self.day) if session is not Session.C)
        odd = is_odd_lot(self.instrument, quantity, self.day)
        return legal_types(board, first, self.day, odd_lot=odd)

    @property
    def mark(self) -> int | None:
        """The last price, before the first one the reference; in units."""
        return self.last if self.last is not None else self.reference

    def worst(self, side: Side) -> int | None:
        """The worst price of today: the band's edge; without a band, that of one about the last price."""
        limits = self.band
        if limits is None:
            if self.last is None:
                return None
            limits = band(self.instrument, self.last, self.day)
        return limits.edge(side)
