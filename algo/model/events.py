"""What happened, in the past tense. `ns` is market time; prices are in price units.

`order_id` is algo's own: the trading day and the request id that placed the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from algo.clock import to_datetime
from algo.errors import SettingError
from algo.model.instruments import Board, Instrument, Side
from algo.model.prices import Bar


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The market has the order."""

    order_id: str
    ns: int
    broker_id: str = ""
    waiting: bool = False  # kept by the broker until its trigger


@dataclass(frozen=True, slots=True)
class OrderTriggered:
    """A waiting order was set off and is live now."""

    order_id: str
    ns: int


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """Part or all of an order traded. `fill_id` tells two equal fills of one order apart.

    `exit_reason` says which leg of an exit order traded, when the broker knows it.
    """

    order_id: str
    ns: int
    price: int
    quantity: int
    fill_id: str
    exit_reason: str = ""

    def __post_init__(self) -> None:
        if self.quantity <= 0 or self.price <= 0:
            raise SettingError(f"order {self.order_id}: a fill has a quantity and a price above zero")


@dataclass(frozen=True, slots=True)
class OrderAmended:
    """An amendment took effect; price and total quantity as they are now."""

    order_id: str
    ns: int
    price: int
    quantity: int
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """What was left of an order is out of the market."""

    order_id: str
    ns: int
    request_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The broker or the exchange rejected an order, perhaps seconds after receiving it."""

    order_id: str
    ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class OrderExpired:
    """The market ended an order by its own rules: end of day, or no session for it."""

    order_id: str
    ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """The broker has the request. It means no more than that."""

    request_id: str
    order_id: str
    ns: int


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The broker provably refused a request. A refused amend or cancel leaves the order standing."""

    request_id: str
    order_id: str
    ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class RequestUnknown:
    """A request may or may not have arrived."""

    request_id: str
    order_id: str
    ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestNotSent:
    """A request provably never left."""

    request_id: str
    order_id: str
    ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DayStarted:
    """A trading day begins.

    `references` maps symbols to the price about which the day's band lies, in price units; a symbol
    without one (first day of a contract, ex-date without a table) has no band that day. `idle`
    names symbols that trade for the first time or after 25 days without trading.
    """

    ns: int
    day: date
    references: Mapping[str, int] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()


class SessionChanged(NamedTuple):
    """A board went into another session. `session` is the feed's code: ATO, LO, BREAK, ATC, PLO, C.

    A named tuple, because a backtest makes seven a day in bulk.
    """

    ns: int
    board: Board
    session: str


@dataclass(frozen=True, slots=True)
class ContractRolled:
    """An alias stands for another contract from now on. `old` is None when the series begins."""

    ns: int
    symbol: str
    old: Instrument | None
    new: Instrument


@dataclass(frozen=True, slots=True)
class PositionSettled:
    """A contract ended and its positions are settled in cash at `price`. `as_of` is its last bar's time."""

    ns: int
    instrument: Instrument
    price: int
    as_of: int


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A share goes ex-dividend or splits.

    `dividend` is đồng a share before tax, paid at `paid_ns` (0: at once); `ratio_new` shares replace
    `ratio_old`.
    """

    ns: int
    symbol: str
    dividend: int = 0
    paid_ns: int = 0
    ratio_new: int = 1
    ratio_old: int = 1


@dataclass(frozen=True, slots=True)
class PortfolioUpdated:
    """The broker's own statement of a position, in derivatives contracts or shares."""

    ns: int
    symbol: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StreamLost:
    """The broker's stream is down: what happens over there is not heard."""

    ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StreamRestored:
    """The broker's stream is back, replayed from the last applied message."""

    ns: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    """Market time moved to `ns` with nothing else to say: timers that are due run."""

    ns: int


@dataclass(frozen=True, slots=True)
class BandStated:
    """The market's own word on an instrument's prices of the day, in price units."""

    ns: int
    symbol: str
    floor: int
    reference: int
    ceiling: int


@dataclass(frozen=True, slots=True)
class MarketDoubted:
    """The data of a symbol cannot be trusted now ('' is every symbol): nothing may be entered on them."""

    ns: int
    symbol: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarketTrusted:
    """The data of a symbol can be trusted again ('' is every symbol)."""

    ns: int
    symbol: str


@dataclass(frozen=True, slots=True)
class BarsMissed:
    """Bars from before the strategies listened, oldest first: history, and nothing to act on."""

    ns: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class SignInChanged:
    """Whether the sign-in allows new orders now, and for how many seconds more."""

    ns: int
    trading: bool
    seconds_left: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BooksStated:
    """The broker's order books, asked for at `asked` and had at `ns`, were complete.

    `requests` are the request ids that they name, as evidence of what was received. `io` is when they were
    asked for in seconds of a clock that never jumps and never runs faster than the machine's.
    """

    ns: int
    asked: int
    requests: frozenset[str]
    io: float = 0.0


@dataclass(frozen=True, slots=True)
class HoldingsStated:
    """The broker's whole statement of what is held: symbol -> shares, or contracts with a sign.

    `unsettled` are shares bought lately; whether `quantities` have them too is not documented.
    """

    ns: int
    asked: int
    quantities: Mapping[str, int]
    unsettled: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForeignWorked:
    """An order that is not ours stands so at the broker. It is counted and never touched."""

    ns: int
    broker_id: str
    symbol: str
    side: Side
    price: int
    quantity: int
    filled: int
    over: bool


@dataclass(frozen=True, slots=True)
class OperatorActed:
    """A person's command. `action` is kill, flatten, resume or accept; `detail` says of what."""

    ns: int
    action: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.action not in ("kill", "flatten", "resume", "accept"):
            raise SettingError(f"an operator can kill, flatten, resume or accept, not {self.action!r}")


class Fill(NamedTuple):
    """A fill as the ledger booked it. `units` is the price in price units; `fee` and `tax` are đồng.

    `exit_reason` is why it closed something: signal, stop_loss, take_profit, trailing, settlement.
    """

    ns: int
    order_id: str
    strategy: str
    symbol: str
    instrument: Instrument
    side: Side
    units: int
    quantity: int
    fee: int
    tax: int
    exit_reason: str = ""
    tag: str = ""

    @property
    def time(self) -> datetime:
        """When it traded, in Asia/Ho_Chi_Minh."""
        return to_datetime(self.ns)

    @property
    def price(self) -> float:
        """The price as the market shows it: đồng, or index points."""
        return self.instrument.price(self.units)

    @property
    def value(self) -> int:
        """Đồng of price times quantity (times the multiplier of a future)."""
        return self.instrument.notional(self.units, self.quantity)


BrokerEvent = (
    OrderAccepted
    | OrderTriggered
    | OrderFilled
    | OrderAmended
    | OrderCancelled
    | OrderRejected
    | OrderExpired
    | RequestReceived
    | RequestRefused
    | RequestUnknown
    | RequestNotSent
    | PortfolioUpdated
    | StreamLost
    | StreamRestored
)
MarketEvent = DayStarted | SessionChanged | ContractRolled | PositionSettled | CorporateAction | TimerFired
OperationalEvent = (
    BandStated
    | BarsMissed
    | MarketDoubted
    | MarketTrusted
    | SignInChanged
    | BooksStated
    | HoldingsStated
    | ForeignWorked
    | OperatorActed
)
"""What only a run beside a real market meets."""
