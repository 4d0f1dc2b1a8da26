"""What the exchange reports, entered on the orders, in the ledgers, and said to the customers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from algo.brokers.paper.blotter import Blotter
from algo.brokers.paper.customers import Customer, Sale
from algo.brokers.paper.funds import purchase_cost
from algo.brokers.paper.legality import Refusal
from algo.brokers.paper.slips import Slip
from algo.brokers.paper.statements import ChangeOrder, NewOrder, OrderMatched, PositionsChanged, Stage
from algo.market import settles_at
from algo.model import (
    Account,
    BrokerEvent,
    Fill,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    OrderType,
    RequestRefused,
    Side,
)

NEW, MODIFY, CANCEL, MATCH, EXPIRE = "NEW_ORDER", "MODIFY_ORDER", "CANCEL_ORDER", "MATCH", "EXPIRE"
_UNACCEPTED = (Stage.RECEIVED, Stage.SENT)
_GENERIC = "ERR500"


class Reports:
    """Takes the exchange's events in their order; those of orders that are not on the blotter are skipped.

    `entered` are the fills that want exits, `traded` the customers who traded derivatives, both since
    somebody last looked.
    """

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self.entered: list[tuple[Slip, int, int]] = []
        self.traded: list[Customer] = []

    def hear(self, events: Iterable[BrokerEvent]) -> None:
        """Enter what happened."""
        slips = self._blotter.slips
        for event in events:
            handler = _HANDLERS.get(event.__class__)
            slip = slips.get(event.order_id) if handler is not None else None  # type: ignore[union-attr]
            if handler is not None and slip is not None:
                handler(self, slip if slip.child is None else slip.child, event)

    # -- what orders hold back ----------------------------------------------------------------

    def recount(self, slip: Slip) -> None:
        """Count what the order could still trade, and set aside what a purchase could still cost.

        While a change is on its way the worse of the two versions counts.
        """
        customer, instrument = slip.customer, slip.listing.instrument
        left = 0 if slip.waits or slip.stage is Stage.RECEIVED else slip.leaves
        at = slip.price
        if left and slip.pending:
            for change in slip.pending.values():
                if isinstance(change, ChangeOrder):
                    left = max(left, (change.quantity or 0) - slip.filled)
                    at = max(at, change.price or 0)
        interest = customer.interest(instrument.symbol)
        if slip.counted:
            interest.add(slip.side, slip.counted_at, -slip.counted)
        slip.counted, slip.counted_at = left, slip.limit
        if left:
            interest.add(slip.side, slip.counted_at, left)
        if slip.side is Side.BUY and instrument.account is Account.EQUITY:
            reserved = 0
            if left:
                at = at or slip.listing.worst(Side.BUY) or 0
                reserved = purchase_cost(customer, slip.listing, at, left)
            customer.reserved += reserved - slip.reserved
            slip.reserved = reserved

    # -- the exchange's words -----------------------------------------------------------------

    def accept(self, slip: Slip, ns: int, stage: Stage) -> None:
        """The order is taken: from now on it has its lasting id."""
        slip.order_id = slip.key
        slip.stage = stage
        self._blotter.state(slip, ns, NEW)

    def reject(self, slip: Slip, refusal: Refusal, ns: int) -> None:
        """A new order is not taken. It keeps its temporary id if it has no other."""
        slip.stage, slip.reason = Stage.REJECTED, refusal.text
        slip.modified = max(slip.modified, ns)
        self.recount(slip)
        self._over(slip)
        self._blotter.fail(slip, slip.first_request_id, refusal.code, refusal.text, ns)
        self._blotter.state(slip, ns, NEW)

    def end(self, slip: Slip, stage: Stage, reason: str, ns: int, action: str) -> None:
        """The order is over."""
        if stage is Stage.CANCELLED:
            slip.cancelled = slip.quantity - slip.filled
            stage = Stage.PARTLY_FILLED_CANCELLED if slip.filled else stage
        slip.stage, slip.reason = stage, reason
        self.recount(slip)
        self._blotter.state(slip, ns, action)
        self._over(slip)

    def _over(self, slip: Slip) -> None:
        if slip.forced:
            slip.customer.forcing -= 1

    def _accepted(self, slip: Slip, event: OrderAccepted) -> None:
        if slip.stage in _UNACCEPTED:
            # The target of an OCO order is in the market already; as a whole it waits.
            self.accept(slip, event.ns, Stage.STOP_WAITING if slip.waits else Stage.QUEUED)

    def _triggered(self, slip: Slip, event: OrderTriggered) -> None:
        if slip.waits:
            self.spawn(slip, event.ns)

    def spawn(self, parent: Slip, ns: int) -> Slip:
        """A conditional order was set off: an order of its own goes on from here, as the exchange has it."""
        child = self.become(parent, ns)
        child.exchange_id = parent.exchange_id
        child.pending, parent.pending = parent.pending, {}
        parent.child = child
        child.stage = Stage.QUEUED
        self.recount(child)
        self.accept(child, ns, Stage.QUEUED)
        return child

    def become(self, parent: Slip, ns: int) -> Slip:
        """End a conditional order and enter the order that it becomes, which names it as its parent."""
        parent.order_id = parent.key
        parent.stage = Stage.STOP_SENT
        self._blotter.state(parent, ns, NEW)
        order = NewOrder(
            parent.account,
            parent.first_request_id,
            parent.listing.instrument,
            parent.side,
            parent.order_type,
            parent.price,
            parent.quantity,
            None,
            parent.channel,
        )
        child = self._blotter.receive(order, parent.customer, parent.listing, ns)
        child.parent = parent.key
        return child

    def _filled(self, slip: Slip, event: OrderFilled) -> None:
        ns, price, quantity = event.ns, event.price, event.quantity
        if slip.waits:  # the limit leg of an order of two legs
            slip = self.spawn(slip, ns)
        slip.order_id = slip.key
        slip.request_id = slip.caused  # a change on its way has not caused this
        slip.filled += quantity
        slip.filled_value += price * quantity
        if slip.stage.over:  # a fill that crossed with a cancel
            slip.cancelled = max(slip.quantity - slip.filled, 0)
            slip.stage = Stage.PARTLY_FILLED_CANCELLED if slip.cancelled else Stage.FILLED
        else:
            slip.stage = Stage.FILLED if slip.filled >= slip.quantity else Stage.PARTLY_FILLED
        customer, instrument = slip.customer, slip.listing.instrument
        self.recount(slip)
        customer.portfolio.advance_to(max(ns, customer.portfolio.ns))
        fill = customer.portfolio.book(
            ns, instrument, slip.side, price, quantity, order_id=slip.key, exit_reason=event.exit_reason
        )
        self._remember(slip, fill)
        record = self._blotter.state(slip, ns, MATCH)
        self._blotter.statements.append(OrderMatched(ns, record, price, quantity))
        if instrument.account is Account.DERIVATIVES:
            self._blotter.statements.append(PositionsChanged(ns, slip.account))
            self.traded.append(customer)
        if slip.exits is not None:
            self.entered.append((slip, price, quantity))
        if slip.stage is Stage.FILLED:
            self._over(slip)

    def _remember(self, slip: Slip, fill: Fill) -> None:
        """Keep what the customer may ask of a fill in the next days."""
        customer, instrument = slip.customer, fill.instrument
        customer.turnover(instrument.symbol, self._blotter.day).add(fill.side, fill.units, fill.quantity)
        if fill.side is Side.SELL and instrument.account is Account.EQUITY:
            due = settles_at(self._blotter.day, customer.portfolio.calendar)
            net = fill.value - fill.fee - fill.tax
            customer.sales.append(Sale(fill.ns, due, instrument, fill.units, fill.quantity, net))

    def _amended(self, slip: Slip, event: OrderAmended) -> None:
        if slip.stage.over:
            return
        slip.price = event.price if slip.order_type is OrderType.LO or event.price else slip.price
        slip.quantity = event.quantity
        if slip.pending.pop(event.request_id, None) is not None:
            slip.request_id = slip.caused = event.request_id
        slip.stage = slip.settled_stage
        self.recount(slip)
        self._blotter.state(slip, event.ns, MODIFY)

    def _cancelled(self, slip: Slip, event: OrderCancelled) -> None:
        if slip.stage.over:
            return
        if slip.pending.pop(event.request_id, None) is not None:
            slip.request_id = slip.caused = event.request_id
        self.end(slip, Stage.CANCELLED, event.reason, event.ns, CANCEL)

    def _expired(self, slip: Slip, event: OrderExpired) -> None:
        if not slip.stage.over:
            self.end(slip, Stage.EXPIRED, event.reason, event.ns, EXPIRE)

    def _rejected(self, slip: Slip, event: OrderRejected) -> None:
        if not slip.stage.over:
            self.reject(slip, Refusal(_GENERIC, event.reason), event.ns)

    def _refused(self, slip: Slip, event: RequestRefused) -> None:
        request = slip.pending.pop(event.request_id, None)
        if request is not None:
            self._blotter.fail(slip, event.request_id, _GENERIC, event.reason, event.ns)
            if not slip.stage.over:
                slip.request_id, slip.stage = slip.caused, slip.settled_stage
                self.recount(slip)
                action = MODIFY if isinstance(request, ChangeOrder) else CANCEL
                self._blotter.state(slip, event.ns, action)
        elif slip.stage in _UNACCEPTED:
            self.reject(slip, Refusal(_GENERIC, event.reason), event.ns)


_HANDLERS: dict[type, Callable[[Reports, Slip, Any], None]] = {
    OrderAccepted: Reports._accepted,
    OrderTriggered: Reports._triggered,
    OrderFilled: Reports._filled,
    OrderAmended: Reports._amended,
    OrderCancelled: Reports._cancelled,
    OrderExpired: Reports._expired,
    OrderRejected: Reports._rejected,
    RequestRefused: Reports._refused,
}
