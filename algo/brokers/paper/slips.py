"""One order on the broker's desk, and what is stated of it."""

from __future__ import annotations

from algo.brokers.paper.customers import AT_ANY, Customer
from algo.brokers.paper.listings import Listing
from algo.brokers.paper.statements import ChangeOrder, NewOrder, OrderRecord, Stage, WithdrawOrder
from algo.model import OrderType, Side, Trigger


class Slip:
    """A received order and what became of it.

    `order_id` is the id that customers see: temporary until the order is accepted, then `key`. The exchange
    knows it as `exchange_id`. `caused` is the request behind its last settled state. `counted` shares or
    contracts are in the customer's interest under the limit `counted_at`, `reserved` đồng are held back for
    it. It `waits` for its trigger. `pending` are changes and withdrawals on their way, `child` the order that
    a conditional one became, `error` the last request about it that failed. `exits` are the steps at which
    exits follow each fill.
    """

    __slots__ = (
        "account", "cancelled", "caused", "channel", "child", "counted", "counted_at", "created",
        "customer", "error", "exchange_id", "exits", "filled", "filled_value", "first_request_id", "forced",
        "key", "listing", "modified", "order_id", "order_type", "parent", "pending", "price", "quantity",
        "reason", "request_id", "reserved", "side", "stage", "trigger", "waits",
    )  # fmt: skip

    def __init__(
        self, order: NewOrder, customer: Customer, listing: Listing, key: str, temporary: str, ns: int
    ) -> None:
        self.key = self.exchange_id = key
        self.order_id = temporary
        self.request_id = self.caused = self.first_request_id = order.request_id
        self.account = order.account
        self.customer = customer
        self.listing = listing
        self.side = order.side
        self.order_type: OrderType = order.order_type
        self.price = order.price
        self.quantity = order.quantity
        self.filled = self.filled_value = self.cancelled = 0
        self.stage = Stage.RECEIVED
        self.reason = ""
        self.channel = order.channel
        self.created = self.modified = ns
        self.trigger = order.trigger
        self.waits = order.trigger is not None
        self.parent = ""
        self.forced = False
        self.counted = 0
        self.counted_at = 0
        self.reserved = 0
        self.pending: dict[str, ChangeOrder | WithdrawOrder] = {}
        self.child: Slip | None = None
        self.error: OrderRecord | None = None
        self.exits: Trigger | None = None

    @property
    def leaves(self) -> int:
        """What is still to be traded."""
        return 0 if self.stage.over else self.quantity - self.filled - self.cancelled

    @property
    def limit(self) -> int:
        """The limit in price units; of orders at any price one that takes all."""
        return self.price or (AT_ANY if self.side is Side.BUY else 0)

    @property
    def settled_stage(self) -> Stage:
        """Where an accepted order stands while no request about it is on its way."""
        if self.stage is Stage.BEFORE_SESSION or self.stage is Stage.STOP_BEFORE_SESSION:
            return self.stage
        if self.waits:
            return Stage.STOP_WAITING
        return Stage.PARTLY_FILLED if self.filled else Stage.QUEUED

    def record(self) -> OrderRecord:
        """The order as it stands now."""
        return OrderRecord(
            self.order_id, self.request_id, self.first_request_id, self.account, self.listing.instrument,
            self.side, self.order_type, self.price, self.quantity, self.filled, self.filled_value,
            self.cancelled, self.stage, self.reason, self.channel, self.created, self.modified, self.trigger,
            self.parent, self.forced,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Slip {self.order_id} {self.side.name} {self.filled}/{self.quantity} {self.stage}>"
