"""Orders and requests: two lives, never one enum.

An order holds what the market did with it. A request (place, amend or cancel; one id each) holds
what became of our asking. The transition table is in `algo.orders.state`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from algo.errors import SettingError
from algo.model.instruments import Instrument, Side


class OrderType(StrEnum):
    """The exchange's order types, and MARKET: an intent that a table turns into one of them."""

    MARKET = "MARKET"
    LO = "LO"
    ATO = "ATO"
    ATC = "ATC"
    MTL = "MTL"
    MOK = "MOK"
    MAK = "MAK"
    MP = "MP"
    PLO = "PLO"


class TimeInForce(StrEnum):
    """How long an order lives. The market knows the day only; algo places GTC anew every day."""

    DAY = "day"
    GTC = "gtc"


class TriggerKind(StrEnum):
    """What sets a waiting order off. The letters are the API's `stopType`."""

    DOWN = "D"  # the market is at or below the trigger price
    UP = "U"  # the market is at or above it
    TRAIL_DOWN = "V"  # as DOWN; the trigger follows a rising market at a distance of `step`
    TRAIL_UP = "E"  # as UP; the trigger follows a falling market at a distance of `step`
    OCO = "O"  # a limit at the order's price and a stop at the trigger price; one ends the other
    BULL_BEAR = "B"  # a limit entry, then a target and a stop at their steps from it


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a waiting order becomes live. Prices and steps are in price units."""

    kind: TriggerKind
    price: int = 0
    step: int = 0
    profit_step: int = 0
    loss_step: int = 0

    def __post_init__(self) -> None:
        if self.kind in (TriggerKind.TRAIL_DOWN, TriggerKind.TRAIL_UP) and self.step <= 0:
            raise SettingError("a trailing stop needs a distance above zero")
        if self.kind in (TriggerKind.DOWN, TriggerKind.UP, TriggerKind.OCO) and self.price <= 0:
            raise SettingError("a stop needs a trigger price above zero")


class OrderStatus(StrEnum):
    """What the market did with an order, as far as we know. Partial fills show in `filled`.

    In a `terminal` status nothing but a late fill can still happen.
    """

    terminal: bool

    def __new__(cls, value: str, terminal: bool = False) -> Self:
        """A member with its text, and whether it is an end."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.terminal = terminal
        return member

    CREATED = "created"  # asked for by the strategy, not checked yet
    HELD = "held"  # waits here for a session that takes it
    SUBMITTED = "submitted"  # a place request is out; the market has not been heard
    WAITING = "waiting"  # the broker keeps it until its trigger
    WORKING = "working"  # in the market
    FILLED = "filled", True
    CANCELLED = "cancelled", True
    EXPIRED = "expired", True
    REJECTED = "rejected", True  # by the broker or the exchange
    REFUSED = "refused", True  # by our own checks: never left
    FAILED = "failed", True  # proven never to have reached the broker


class RequestStatus(StrEnum):
    """What became of our asking. UNKNOWN is settled by evidence, never by sending again."""

    PENDING = "pending"
    RECEIVED = "received"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"


class RequestKind(StrEnum):
    """What a request asks for."""

    PLACE = "place"
    AMEND = "amend"
    CANCEL = "cancel"


class Request:
    """One thing we asked the broker. Belongs to the order manager; others read it.

    `done` says that nothing more is expected of it: it took effect, or provably never will.

    `price` (units) and `quantity` are what an amendment asks for; None leaves a value as it is.
    """

    __slots__ = ("done", "kind", "ns", "order_id", "price", "quantity", "reason", "request_id", "status")

    def __init__(
        self,
        request_id: str,
        kind: RequestKind,
        order_id: str,
        ns: int,
        price: int | None = None,
        quantity: int | None = None,
    ) -> None:
        self.request_id = request_id
        self.kind = kind
        self.order_id = order_id
        self.ns = ns
        self.price = price
        self.quantity = quantity
        self.status = RequestStatus.PENDING
        self.done = False
        self.reason = ""

    def __repr__(self) -> str:
        return f"<Request {self.request_id} {self.kind} {self.order_id} {self.status}>"


class Order:
    """One order from intent to end. The order manager writes it; everybody else reads.

    `symbol` is what the strategy named (perhaps an alias); `instrument` is what trades. `price` is
    the limit in price units, 0 for a market order. `filled_value` is the sum of price units times
    quantity over its fills, so the average price is exact until it is shown.
    """

    __slots__ = (
        "attached",
        "before",
        "broker_id",
        "cancel_wanted",
        "created",
        "exit_reason",
        "fill_keys",
        "filled",
        "filled_value",
        "held_by",
        "instrument",
        "order_id",
        "order_type",
        "parent",
        "price",
        "quantity",
        "reason",
        "requests",
        "serial",
        "set_aside",
        "side",
        "status",
        "strategy",
        "symbol",
        "tag",
        "tif",
        "trigger",
        "updated",
        "waits_for",
        "wire_type",
    )

    def __init__(
        self,
        *,
        strategy: str,
        symbol: str,
        instrument: Instrument,
        side: Side,
        quantity: int,
        order_type: OrderType,
        price: int = 0,
        trigger: Trigger | None = None,
        tif: TimeInForce = TimeInForce.DAY,
        tag: str = "",
        created: int = 0,
        attached: Attached | None = None,
        parent: str = "",
        exit_reason: str = "",
    ) -> None:
        self.order_id = ""
        self.serial = 0  # the engine's count of orders made, so that one can be named before it has an id
        self.strategy = strategy
        self.symbol = symbol
        self.instrument = instrument
        self.side = side
        self.quantity = quantity
        self.order_type = order_type
        self.wire_type = order_type
        self.price = price
        self.trigger = trigger
        self.tif = tif
        self.tag = tag
        self.created = created
        self.updated = created
        self.attached = attached
        self.parent = parent
        self.exit_reason = exit_reason
        self.status = OrderStatus.CREATED
        self.broker_id = ""
        self.filled = 0
        self.filled_value = 0
        self.fill_keys: set[str] = set()
        self.held_by = ""
        self.reason = ""
        self.requests: list[Request] = []
        self.set_aside = 0  # price in units at which cash is kept for a purchase at the market
        self.before = 0  # filled under earlier order ids, before it was placed anew
        self.cancel_wanted = False
        self.waits_for: tuple[Order, ...] = ()

    @property
    def leaves(self) -> int:
        """What is still to be filled: 0 once the order is over."""
        return 0 if self.status.terminal else max(self.quantity - self.filled, 0)

    @property
    def worst_leaves(self) -> int:
        """What could still be filled at worst: an amendment that may yet take effect counts when larger."""
        if self.status.terminal:
            return 0
        asked = [
            r.quantity for r in self.requests if r.kind is RequestKind.AMEND and not r.done and r.quantity
        ]
        return max(self.quantity, *asked, self.filled) - self.filled if asked else self.leaves

    @property
    def worst_price(self) -> int:
        """The dearest limit at which it could buy, or the cheapest at which it could sell; 0 for none."""
        asked = [r.price for r in self._amending if r.price]
        if not asked or not self.price:
            return self.price
        return max(self.price, *asked) if self.side is Side.BUY else min(self.price, *asked)

    @property
    def _amending(self) -> list[Request]:
        return [r for r in self.requests if r.kind is RequestKind.AMEND and not r.done]

    @property
    def average_price(self) -> float | None:
        """Average price of its fills as the market shows prices, None before the first."""
        if not self.filled:
            return None
        return self.filled_value / self.filled / self.instrument.scale

    def __repr__(self) -> str:
        return (
            f"<Order {self.order_id or '-'} {self.side.name} {self.filled}/{self.quantity} {self.symbol} "
            f"{self.order_type} {self.status}>"
        )


@dataclass(frozen=True, slots=True)
class Attached:
    """The exits that go with an entry. Prices and distance in price units; 0 means none."""

    stop_loss: int = 0
    take_profit: int = 0
    trailing: int = 0


class OrderView:
    """What a strategy holds of an order: it reads everything and writes nothing.

    Prices read from it are floats as the market shows them.
    """

    __slots__ = ("_order",)

    def __init__(self, order: Order) -> None:
        object.__setattr__(self, "_order", order)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_order"), name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an order is changed with amend() and cancel(), not by setting its attributes")

    @property
    def price(self) -> float:
        """The limit price, 0.0 for a market order."""
        order: Order = object.__getattribute__(self, "_order")
        return order.instrument.price(order.price)

    @property
    def stop_price(self) -> float | None:
        """The trigger price of a stop or OCO order, else None."""
        order: Order = object.__getattribute__(self, "_order")
        if order.trigger is None or not order.trigger.price:
            return None
        return order.instrument.price(order.trigger.price)

    @property
    def is_open(self) -> bool:
        """Whether the order can still be filled, amended or cancelled."""
        order: Order = object.__getattribute__(self, "_order")
        return not order.status.terminal

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OrderView) and other._order is self._order

    def __hash__(self) -> int:
        return id(object.__getattribute__(self, "_order"))

    def __repr__(self) -> str:
        return repr(object.__getattribute__(self, "_order"))
