"""What is known now about where a symbol trades: instrument, session, day, band, last price."""

from __future__ import annotations

from datetime import date
from numbers import Real

from algo.errors import SettingError
from algo.history import History
from algo.market import (
    Band,
    Session,
    band,
    is_odd_lot,
    largest_order,
    legal_types,
    lot,
    lot_refusal,
    market_order_type,
    move,
    tick,
    type_refusal,
)
from algo.model import Instrument, OrderType, Quote

_HIGHEST = 10**12  # no price in đồng comes near it, and it fits everywhere


class Venue:
    """The present market of one symbol. The engine keeps it up to date from events.

    `symbol` may be an alias; `instrument` is then the contract in front. `reference` is the price
    in units about which today's band lies, None when it is not known.
    """

    __slots__ = (
        "_band", "_band_known", "_largest", "_lot", "_market_type", "_types", "day", "history", "idle",
        "instrument", "quote", "reference", "session", "symbol", "traded",
    )  # fmt: skip

    def __init__(self, symbol: str, instrument: Instrument, history: History | None = None) -> None:
        self.symbol = symbol
        self.instrument = instrument
        self.history = history
        self.session = Session.C
        self.day = date(1970, 1, 1)
        self.reference: int | None = None
        self.idle = False
        self.quote: Quote | None = None
        self.traded: tuple[int, int] | None = None
        self._band: Band | None = None
        self._band_known = False
        self._lot = 0
        self._largest = 0
        self._types: frozenset[OrderType] | None = None
        self._market_type: OrderType | None = None

    def start_day(self, day: date, reference: int | None, idle: bool) -> None:
        """Begin a trading day about `reference` (price units)."""
        self.day = day
        self.reference = reference
        self.idle = idle
        self._band_known = False
        self._lot = lot(self.instrument, day)
        self._largest = largest_order(self.instrument) or 1 << 62
        self._types = None

    def state_band(self, day: date, limits: Band) -> None:
        """Take the market's own word for today's prices."""
        if day == self.day:
            self.reference = limits.reference
            self._band, self._band_known = limits, True

    def enter(self, session: Session) -> None:
        """Go into another session."""
        self.session = session
        self._types = None

    def roll(self, instrument: Instrument) -> None:
        """Trade another contract from now on."""
        self.instrument = instrument
        self._band_known = False

    @property
    def band(self) -> Band | None:
        """Today's floor, reference and ceiling in price units; None when the reference is not known."""
        if not self._band_known:
            self._band = (
                None
                if self.reference is None
                else band(self.instrument, self.reference, self.day, first_day=self.idle)
            )
            self._band_known = True
        return self._band

    # What the rules say of round lots changes with the session only, and every order asks.

    def _look_up(self) -> frozenset[OrderType]:
        board = self.instrument.board
        self._market_type = market_order_type(board, self.session, self.day)
        self._types = legal_types(board, self.session, self.day)
        return self._types

    def market_type(self, quantity: int) -> OrderType | None:
        """The wire type of a market order of `quantity` now; None when no session takes it."""
        if quantity % self._lot if self._lot else True:
            odd = is_odd_lot(self.instrument, quantity, self.day)
            return market_order_type(self.instrument.board, self.session, self.day, odd_lot=odd)
        if self._types is None:
            self._look_up()
        return self._market_type

    def type_refusal(self, order_type: OrderType, quantity: int) -> str | None:
        """Why this session does not take the order type, or None."""
        types = self._types if self._types is not None else self._look_up()
        if self._lot and quantity % self._lot == 0 and order_type in types:
            return None
        odd = is_odd_lot(self.instrument, quantity, self.day)
        return type_refusal(self.instrument.board, self.session, self.day, order_type, odd_lot=odd)

    def lot_refusal(self, quantity: int) -> str | None:
        """Why the quantity may not be ordered, or None."""
        if self._lot and quantity % self._lot == 0 and 0 < quantity <= self._largest:
            return None
        return lot_refusal(self.instrument, quantity, self.day)

    @property
    def last(self) -> int | None:
        """The last price known, in units: of the last trade, else of the last bar's close."""
        history, traded = self.history, self.traded
        if traded is not None:
            complete = history.last("time") if history is not None else None
            if complete is None or complete < traded[0]:
                return traded[1]
        close = history.last("close") if history is not None else None
        return None if close is None else self.instrument.units(close)

    def units(self, price: float) -> int:
        """`price` in units; raises SettingError when it is not a whole number of them.

        On an adjusted series the price is rounded to the unit instead, because there is no grid it
        could lie on.
        """
        instrument = self.instrument
        if not isinstance(price, Real):
            raise SettingError(f"price {price!r} is not a number")
        if not 0 < price < _HIGHEST:
            raise SettingError(f"price {price} must be above zero and below {_HIGHEST:,}")
        units = instrument.units(price)
        if not instrument.adjusted and abs(price * instrument.scale - units) > 1e-6:
            step = tick(instrument, max(units, 1), self.day) / instrument.scale
            raise SettingError(f"price {price:.10g} is off the tick of {step:g}: use round_price")
        return max(units, 1)

    def worst(self, sign: int) -> int | None:
        """The worst price a market order may trade at today: the band's edge.

        Without a known reference the band is taken about the last price; None without that too.
        """
        limits = self.band
        if limits is None:
            last = self.last
            if last is None:
                return None
            limits = band(self.instrument, last, self.day)
        return limits.ceiling if sign > 0 else limits.floor

    def beyond(self, units: int, ticks: int) -> int:
        """`units` moved by a number of ticks; one tick of an adjusted series is one price unit."""
        if self.instrument.adjusted:
            return max(units + ticks, 1)
        return move(self.instrument, units, ticks)
