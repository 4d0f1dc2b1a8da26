"""What the hub of market data tells, besides the quotes, trades, bars and sessions of `algo.model`.

`ns` is the message's own time in nanoseconds since the epoch. Prices are as on the wire: đồng for shares,
points for futures and indices.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from algo.market import Band
from algo.model import Bar, Board, Instrument, Level, Quote, SessionChanged, Trade

HALTED = frozenset({"D", "H", "S", "SA"})
"""Trading statuses in which an instrument does not trade: delisted, halted, suspended."""
STATUSES = HALTED | {"N", "NL", "ND", "ST", "SP"}


class BarSoFar(NamedTuple):
    """What a symbol did in the minute of `ns` until then; `volume` is in shares or contracts."""

    symbol: str
    ns: int
    open: float
    high: float
    low: float
    close: float
    volume: int


class StatusChanged(NamedTuple):
    """An instrument's trading status and session, by the feed's codes.

    `status` is N (normal), D, H, S, NL, ND, ST, SA or SP, or whatever else the feed sends.
    """

    symbol: str
    ns: int
    board: Board | None
    session: str
    status: str

    @property
    def halted(self) -> bool:
        """Whether it does not trade now, whatever the board does. A status that is not known counts."""
        return self.status in HALTED or self.status not in STATUSES or self.session == "HALT"


class DayLimits(NamedTuple):
    """An instrument's reference price of `day`, and the lowest and highest price about it."""

    symbol: str
    ns: int
    day: date
    floor: float
    reference: float
    ceiling: float

    def band(self, instrument: Instrument) -> Band:
        """The same in whole price units of `instrument`."""
        return Band(
            instrument.units(self.floor), instrument.units(self.reference), instrument.units(self.ceiling)
        )


class Indication(NamedTuple):
    """The price at which an auction would match now."""

    symbol: str
    ns: int
    price: float


class IndexValue(NamedTuple):
    """An index. `estimate` is its value by an auction's indicative prices; what was not sent is None."""

    symbol: str
    ns: int
    value: float
    prior: float | None
    estimate: float | None
    change: float | None
    volume: float | None
    turnover: float | None
    advances: int | None
    unchanged: int | None
    declines: int | None
    ceilings: int | None
    floors: int | None


class ForeignRoom(NamedTuple):
    """How many shares foreigners may still buy, and what they traded today. What was not sent is None."""

    symbol: str
    ns: int
    total: int | None
    current: int | None
    bought: int | None
    sold: int | None
    bought_value: float | None
    sold_value: float | None


class OddLots(NamedTuple):
    """The book of orders below a board lot, and the last trade of one. What was not sent is None."""

    symbol: str
    ns: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    last_price: float | None
    last_quantity: int | None
    reference: float | None


class Unread(NamedTuple):
    """A message, or part of one, that could not be understood. `raw` is as it came."""

    kind: str
    reason: str
    raw: Any


class Doubtful(NamedTuple):
    """The book of a symbol cannot be right, so nothing should be entered on it."""

    symbol: str
    ns: int
    reason: str


class Trusted(NamedTuple):
    """The book of a symbol is right again."""

    symbol: str
    ns: int


class FeedLost(NamedTuple):
    """No data comes since `at` (nanoseconds since the epoch): what happens from then on is missed."""

    reason: str
    at: int


class FeedRestored(NamedTuple):
    """Data comes again since `at`, for these `channels`; what was missed is not sent again."""

    at: int
    channels: tuple[str, ...]


class Notice(NamedTuple):
    """Something that a person should know and that stops nothing."""

    text: str


Decoded = (
    Quote
    | Trade
    | SessionChanged
    | StatusChanged
    | DayLimits
    | Indication
    | IndexValue
    | ForeignRoom
    | OddLots
    | BarSoFar
    | Doubtful
    | Trusted
    | Unread
)
"""What comes out of a message. Complete bars come out of several: see `minutes`."""

FeedEvent = (
    Quote
    | Trade
    | Bar
    | SessionChanged
    | StatusChanged
    | DayLimits
    | Indication
    | IndexValue
    | ForeignRoom
    | OddLots
    | Unread
    | Doubtful
    | Trusted
    | FeedLost
    | FeedRestored
    | Notice
)
"""What the feed gives."""
