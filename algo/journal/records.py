"""Values of the journal's own: what an order was when it was first sent, and halts that outlive a process."""

from __future__ import annotations

from dataclasses import dataclass, fields

from algo.model import Attached, Instrument, Order, OrderType, Side, TimeInForce, Trigger


@dataclass(frozen=True, slots=True)
class OrderOrigin:
    """What an order was when it was first sent; what became of it follows from the rows after this one."""

    order_id: str
    strategy: str
    symbol: str
    instrument: Instrument
    side: Side
    quantity: int
    order_type: OrderType
    wire_type: OrderType
    price: int
    trigger: Trigger | None
    tif: TimeInForce
    tag: str
    created: int
    attached: Attached | None
    parent: str
    exit_reason: str
    set_aside: int
    before: int

    @classmethod
    def of(cls, order: Order) -> OrderOrigin:
        """What `order` is now."""
        return cls(*(getattr(order, one.name) for one in fields(cls)))

    def order(self) -> Order:
        """The order again, as it was before the market heard of it."""
        order = Order(
            strategy=self.strategy,
            symbol=self.symbol,
            instrument=self.instrument,
            side=self.side,
            quantity=self.quantity,
            order_type=self.order_type,
            price=self.price,
            trigger=self.trigger,
            tif=self.tif,
            tag=self.tag,
            created=self.created,
            attached=self.attached,
            parent=self.parent,
            exit_reason=self.exit_reason,
        )
        order.order_id = self.order_id
        order.wire_type = self.wire_type
        order.set_aside = self.set_aside
        order.before = self.before
        return order


@dataclass(frozen=True, slots=True)
class Halted:
    """Trading of `scope` (all, a strategy, a symbol) stopped until a `HaltLifted` of the same scope."""

    scope: str
    reason: str


@dataclass(frozen=True, slots=True)
class HaltLifted:
    """A halt ended. `by` says who or what ended it."""

    scope: str
    by: str


@dataclass(frozen=True, slots=True)
class StrategyState:
    """The `state` of a strategy, whole."""

    strategy: str
    state: dict[str, object]


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Where the broker's stream was left. `position` is opaque text of the broker's adapter."""

    position: str
