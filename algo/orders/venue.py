"""What is known now about where a symbol trades: instrument, session, day, band, last price."""

from __future__ import annotations

from datetime import date

from algo.errors import SettingError
from algo.history import History
from algo.market import Band, Session, band, move, tick
from algo.model import Instrument, Quote


class Venue:
    """The present market of one symbol. The engine keeps it up to date from events.

    `symbol` may be an alias; `instrument` is then the contract in front. `reference` is the price
    in units about which today's band lies, None when it is not known.
    """

    __slots__ = (
        "_band", "_band_known", "day", "history", "idle", "instrument", "quote", "reference",
        "session", "symbol", "traded",
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

    def start_day(self, day: date, reference: int | None, idle: bool) -> None:
        """Begin a trading day about `reference` (price units)."""
        self.day = day
        self.reference = reference
        self.idle = idle
        self._band_known = False

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

    @property
    def last(self) -> int | None:
        """The last price known, in units: of the last trade, else of the last bar's close."""
        history = self.history
        if history is not None and history.n:
            ns = int(history.column("time")[history.n - 1])
            if self.traded is None or self.traded[0] <= ns:
                return self.instrument.units(float(history.column("close")[history.n - 1]))
        return self.traded[1] if self.traded is not None else None

    def units(self, price: float) -> int:
        """`price` in units; raises SettingError when it is not a whole number of them.

        On an adjusted series the price is rounded to the unit instead, because there is no grid it
        could lie on.
        """
        instrument = self.instrument
        if not price > 0:
            raise SettingError(f"price {price} must be above zero")
        units = instrument.units(price)
        if not instrument.adjusted and abs(price * instrument.scale - units) > 1e-6:
            step = tick(instrument, max(units, 1), self.day) / instrument.scale
            raise SettingError(f"price {price} is off the tick of {step:g}")
        return max(units, 1)

    def worst(self, sign: int) -> int | None:
        """The worst price a market order may trade at today: the band's edge, else the last price."""
        limits = self.band
        if limits is None:
            return self.last
        return limits.ceiling if sign > 0 else limits.floor

    def beyond(self, units: int, ticks: int) -> int:
        """`units` moved by a number of ticks; one tick of an adjusted series is one price unit."""
        if self.instrument.adjusted:
            return max(units + ticks, 1)
        return move(self.instrument, units, ticks)
