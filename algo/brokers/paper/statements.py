"""What the paper broker takes from its customers and what it says: plain values, no wire words.

A request is received or refused at once; what becomes of it is told later, in statements. `order_id` is the
broker's own id of an order, `request_id` the customer's number for one request (unique within the day).
Prices are in price units, times in nanoseconds of market time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from algo.errors import AlgoError
from algo.model import Instrument, OrderType, Side, Trigger

API = "TA"
"""The channel of orders that come through the API; orders of the broker's own app have another."""


HOUSE = "BO"
"""The channel of orders with which the broker itself closes positions."""


class Refused(AlgoError):
    """The broker does not take a request. `code` is the broker's code for it, '' when it has none."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Stage(StrEnum):
    """Where an order stands at the broker: finer than `algo.model.OrderStatus`, as brokers tell it."""

    RECEIVED = "received"
    SENT = "sent to the exchange"
    QUEUED = "in the market"
    PARTLY_FILLED = "filled in part"
    FILLED = "filled"
    PARTLY_FILLED_CANCELLED = "filled in part, the rest cancelled"
    AMENDING = "an amendment is under way"
    CANCELLING = "a cancel is under way"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    BEFORE_SESSION = "waits for its session"
    STOP_BEFORE_SESSION = "stop order, waits for its session"
    STOP_WAITING = "stop order, waits for its trigger"
    STOP_SENT = "stop order, set off"

    @property
    def over(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self in _OVER


_OVER = frozenset(
    # A stop order that was set off lives on in the order that it became.
    {
        Stage.FILLED,
        Stage.PARTLY_FILLED_CANCELLED,
        Stage.CANCELLED,
        Stage.REJECTED,
        Stage.EXPIRED,
        Stage.STOP_SENT,
    }
)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A customer asks for an order. `price` is 0 for types without one."""

    account: str
    request_id: str
    instrument: Instrument
    side: Side
    order_type: OrderType
    price: int
    quantity: int
    trigger: Trigger | None = None
    channel: str = API


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """A customer asks for another price or total quantity; None leaves a value as it is."""

    account: str
    request_id: str
    order_id: str
    price: int | None = None
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class WithdrawOrder:
    """A customer asks for the end of an order."""

    account: str
    request_id: str
    order_id: str


class OrderRecord(NamedTuple):
    """An order as it stands at the broker at one moment.

    `request_id` is the request that caused the present state, `first_request_id` the one that placed it.
    `price` and `quantity` are those in force. `open` is what is still in the market. `filled_value` is the
    sum of price units times quantity over the fills. `parent` is the order a conditional order came from.
    `forced`: the broker itself closes a position for want of margin.
    """

    order_id: str
    request_id: str
    first_request_id: str
    account: str
    instrument: Instrument
    side: Side
    order_type: OrderType
    price: int
    quantity: int
    filled: int
    filled_value: int
    cancelled: int
    stage: Stage
    reason: str
    channel: str
    created: int
    modified: int
    trigger: Trigger | None
    parent: str
    forced: bool = False

    @property
    def open(self) -> int:
        """What is still in the market."""
        return 0 if self.stage.over else self.quantity - self.filled - self.cancelled


class OrderStated(NamedTuple):
    """An order changed. `action` says by what: NEW_ORDER, MODIFY_ORDER, CANCEL_ORDER, MATCH, EXPIRE."""

    ns: int
    order: OrderRecord
    action: str


class OrderMatched(NamedTuple):
    """One fill of one order."""

    ns: int
    order: OrderRecord
    price: int
    quantity: int


class RequestFailed(NamedTuple):
    """A request that had been received came to nothing. `order` is what it was about, when there is one."""

    ns: int
    account: str
    request_id: str
    code: str
    text: str
    order: OrderRecord | None


class PositionsChanged(NamedTuple):
    """The positions of a derivatives account changed."""

    ns: int
    account: str


Statement = OrderStated | OrderMatched | RequestFailed | PositionsChanged
