"""The order manager: approved intents become commands, broker events become the state of orders.

It keeps every order of the engine, gives each request its id, holds what cannot go out yet, and
collects two things for the engine: `commands` to send and `changed` orders to tell strategies of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from algo.clock import local_date
from algo.market import (
    Session,
    band_refusal,
    can_cancel,
    lot_refusal,
    tick_refusal,
)
from algo.market import amend_refusal as session_refusal
from algo.model import (
    AmendOrder,
    Board,
    CancelOrder,
    Command,
    Order,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Request,
    RequestKind,
    RequestNotSent,
    RequestReceived,
    RequestRefused,
    RequestStatus,
    RequestUnknown,
    TimeInForce,
)
from algo.orders.controls import Controls
from algo.orders.request_id import RequestIds
from algo.orders.risk import NO_LIMITS, Limits, amend_refusal, reduces, refusal, static_refusal
from algo.orders.state import TRANSITIONS, Step
from algo.orders.venue import Venue
from algo.portfolio import Portfolio

_NO_ROOM = "waits until its exits have made room"
_SPENT = "the day's request ids are used up, but for cancels"
_SHUT = (Session.C, Session.BREAK)
_HERE = (OrderStatus.CREATED, OrderStatus.HELD)
_OUT = (OrderStatus.SUBMITTED, OrderStatus.WAITING, OrderStatus.WORKING)
# Looked up once: every order asks for these, and a member read from its class costs a call.
_CREATED, _SUBMITTED, _FAILED = OrderStatus.CREATED, OrderStatus.SUBMITTED, OrderStatus.FAILED
_SUBMIT, _ACCEPT, _FILL, _COMPLETE = Step.SUBMIT, Step.ACCEPT, Step.FILL, Step.COMPLETE
_MARKET, _LIMIT, _PLACE = OrderType.MARKET, OrderType.LO, RequestKind.PLACE


class OrderManager:
    """All orders of one engine.

    `ids` maps a strategy to its request ids. Every method that may send takes the venue of the
    order and the ledger that pays for it. `make_room` is asked before an order goes out: it shrinks
    the exits that the order takes the place of, and gives those that have to be gone first.
    """

    def __init__(self, ids: Mapping[str, RequestIds], limits: Mapping[str, Limits] | None = None) -> None:
        self._ids = ids
        self.limits = limits or {}
        self._day = ""
        self._day_end = 0
        self.orders: dict[str, Order] = {}
        self.requests: dict[str, Request] = {}
        self.every: list[Order] = []
        self.open: dict[int, Order] = {}
        self.held: dict[int, Order] = {}
        self.commands: list[Command] = []
        self.changed: list[Order] = []
        self.ignored: list[object] = []
        self.make_room: Callable[[Order], tuple[Order, ...]] = lambda _order: ()
        self.controls: Controls | None = None
        self.account_quantity: Callable[[Order], int] = lambda _order: 0
        self.handlers: dict[type, Callable[[Any], None]] = {
            OrderAccepted: self._accepted,
            OrderTriggered: self._triggered,
            OrderAmended: self._amended,
            OrderCancelled: self._cancelled,
            OrderExpired: self._expired,
            OrderRejected: self._rejected,
            RequestReceived: self._request_received,
            RequestRefused: self._request_refused,
            RequestUnknown: self._request_unknown,
            RequestNotSent: self._request_not_sent,
        }

    # -- out: intents to commands -------------------------------------------------------------

    def start_day(self, ns: int) -> None:
        """Request ids begin anew with the trading day."""
        day = local_date(ns)
        name = f"{day.year}{day.month:02}{day.day:02}"
        if name == self._day:  # a day that is told twice must not give its ids out twice
            return
        self._day = name
        for ids in self._ids.values():
            ids.new_day()

    def submit(self, order: Order, venue: Venue, ledger: Portfolio, ns: int) -> None:
        """Send an order, hold it to a later session, or refuse it with the reason."""
        if order.status is _CREATED:
            self.every.append(order)
            self.open[id(order)] = order
            reason = static_refusal(order, venue)
            if reason is not None:
                self._end(order, Step.REFUSE, ns, reason)
                return
        waits = self._waits(order, venue, ledger)
        if waits is not None:
            self._hold(order, ns, waits)
            return
        peers = self._peers(order) if len(self.open) > 1 else []
        reason = refusal(order, venue, ledger, peers, self.limits.get(order.strategy, NO_LIMITS))
        if reason is None and self.controls is not None:
            reason = self._controlled(self.controls, order, venue, ledger, ns)
        if reason is not None:
            self._end(order, Step.REFUSE, ns, reason)
            return
        if self._ids[order.strategy].spent:
            self._end(order, Step.REFUSE, ns, _SPENT)
            return
        if not order.parent and len(self.open) > 1:
            order.waits_for = self.make_room(order)
            if order.waits_for:
                self._hold(order, ns, _NO_ROOM)
                return
        if self.controls is not None:
            smaller = self.smaller(order, ledger.quantity(order.instrument.symbol))
            self.controls.went_out(order, ns, reduces=smaller)
        self._send(order, venue, ns)

    def _controlled(
        self, controls: Controls, order: Order, venue: Venue, ledger: Portfolio, ns: int
    ) -> str | None:
        """Why the operational controls stop the order, or None."""
        smaller = self.smaller(order, ledger.quantity(order.instrument.symbol))
        account = self.account_quantity(order)
        return controls.refusal(order, venue, ns, self.open.values(), reduces=smaller, account=account)

    def smaller(self, order: Order, held: int) -> bool:
        """Whether the order only brings a position of `held` nearer to zero, as exits always do."""
        return bool(order.parent) or reduces(order, self._peers(order), held)

    def _hold(self, order: Order, ns: int, reason: str) -> None:
        if order.status is OrderStatus.CREATED:
            self._move(order, Step.HOLD, ns)
            self.held[id(order)] = order
            self.changed.append(order)
        order.reason = reason

    def _waits(self, order: Order, venue: Venue, ledger: Portfolio) -> str | None:
        """Why the order cannot go out now but may later; sets its wire type when it can."""
        if order.waits_for:
            if any(not other.status.terminal and other.cancel_wanted for other in order.waits_for):
                return _NO_ROOM
            order.waits_for = ()
        session, instrument = venue.session, order.instrument
        if order.trigger is not None:
            if session is Session.C:
                return "held until the market opens"
            order.wire_type = OrderType.LO if order.price else OrderType.MTL
            # The API holds conditional orders on derivatives alone; others wait with us.
            order.held_by = "broker" if instrument.board is Board.DERIVATIVES else "engine"
        elif order.order_type is _MARKET:
            wire = venue.market_type(order.quantity)
            if wire is None:
                return "held to the next session that takes a market order"
            order.wire_type = wire
        elif session in _SHUT:
            return "held until the market opens"
        elif (
            order.tif is TimeInForce.GTC
            and order.price
            and venue.band is not None
            and not venue.band.contains(order.price)
        ):
            return "held until the day's band reaches its price"
        if order.parent and not instrument.shortable:
            others = sum(o.leaves for o in self._peers(order) if o.parent and o.instrument is instrument)
            if order.quantity - order.filled > self.settled(order, ledger) - others:
                return "held until its shares have settled"
        return None

    def _send(self, order: Order, venue: Venue, ns: int) -> None:
        request_id = self._ids[order.strategy].take()
        order.order_id = order_id = f"{self._day}-{request_id}"
        order.before = order.filled
        order.reason = ""
        self.orders[order_id] = order
        self.requests[order_id] = request = Request(request_id, _PLACE, order_id, ns)
        order.requests.append(request)
        market = order.order_type is _MARKET
        price = order.price
        if market and order.wire_type is _LIMIT and order.trigger is None:
            price = venue.worst(order.side) or 0
        self.commands.append(
            PlaceOrder(
                request_id, order_id, order.strategy, order.instrument, order.side,
                order.wire_type, price, order.quantity - order.filled, order.trigger, market,
            )
        )  # fmt: skip
        if self.held:
            self.held.pop(id(order), None)
        self._move(order, _SUBMIT, ns)

    def release(self, venue: Venue, ledger_of: Callable[[Order], Portfolio], ns: int) -> None:
        """Try again what was held for this venue, and send cancels that had to wait."""
        for order in [o for o in self.held.values() if o.symbol == venue.symbol]:
            if order.status is not OrderStatus.HELD:
                continue
            order.instrument = venue.instrument
            self.submit(order, venue, ledger_of(order), ns)
        for order in [o for o in self.open.values() if o.cancel_wanted and o.symbol == venue.symbol]:
            self.cancel(order, venue, ns)

    def cancel(self, order: Order, venue: Venue, ns: int) -> None:
        """Ask for a cancel as soon as it is legal and the market knows the order."""
        if order.status.terminal:
            return
        if order.status in (OrderStatus.CREATED, OrderStatus.HELD):
            self._end(order, Step.CANCEL, ns, "cancelled before it was sent")
            return
        order.cancel_wanted = True
        if order.status is OrderStatus.SUBMITTED or self._asked(order, RequestKind.CANCEL):
            return
        if order.status is OrderStatus.WORKING and not can_cancel(
            order.instrument.board, venue.session, venue.day
        ):
            return
        request_id = self._ids[order.strategy].take()
        self._ask(Request(request_id, RequestKind.CANCEL, order.order_id, ns), order)
        self.commands.append(CancelOrder(request_id, order.order_id, order.strategy, order.instrument))

    def amend(
        self, order: Order, price: int | None, quantity: int | None, venue: Venue, ledger: Portfolio, ns: int
    ) -> str | None:
        """Ask for another price (units) or total quantity; gives the reason when it may not be asked."""
        price = None if price == order.price else price
        quantity = None if quantity == order.quantity else quantity
        if price is None and quantity is None:
            return None
        reason = self._amend_refusal(order, price, quantity, venue)
        if reason is None and self.controls is not None and order.status not in _HERE:
            reason = self._controlled_amend(self.controls, order, price, quantity, venue, ledger, ns)
        if reason is not None:
            return reason
        if not order.parent and order.status is not OrderStatus.HELD:
            limits = self.limits.get(order.strategy, NO_LIMITS)
            reason = amend_refusal(order, price, quantity, venue, ledger, self._peers(order), limits)
            if reason is not None:
                return reason
        if order.status in (OrderStatus.CREATED, OrderStatus.HELD):
            order.price = order.price if price is None else price
            order.quantity = order.quantity if quantity is None else quantity
            return None
        request_id = self._ids[order.strategy].take()
        request = Request(request_id, RequestKind.AMEND, order.order_id, ns, price, quantity)
        self._ask(request, order)
        sent = None if quantity is None else quantity - order.before
        self.commands.append(
            AmendOrder(request_id, order.order_id, order.strategy, order.instrument, price, sent)
        )
        return None

    def _controlled_amend(
        self,
        controls: Controls,
        order: Order,
        price: int | None,
        quantity: int | None,
        venue: Venue,
        ledger: Portfolio,
        ns: int,
    ) -> str | None:
        """Why the operational controls stop the amendment, or None."""
        asked = copy(order)
        asked.quantity = order.quantity if quantity is None else quantity
        smaller = bool(order.parent) or reduces(
            asked, self._peers(order), ledger.quantity(order.instrument.symbol)
        )
        account = self.account_quantity(order)
        return controls.amend_refusal(
            order, price, quantity, venue, ns, self.open.values(), reduces=smaller, account=account
        )

    def _amend_refusal(
        self, order: Order, price: int | None, quantity: int | None, venue: Venue
    ) -> str | None:
        instrument = order.instrument
        if order.status.terminal:
            return f"the order is {order.status} already"
        if order.cancel_wanted:
            return "the order is being cancelled"
        if self._ids[order.strategy].spent:
            return _SPENT
        if quantity is not None and quantity <= order.filled:
            return f"{order.filled:,} are filled already; cancel the rest instead"
        if price is not None and not order.price:
            return "a market order has no price to change"
        if order.status in (OrderStatus.SUBMITTED, OrderStatus.WORKING, OrderStatus.WAITING):
            if order.status is OrderStatus.SUBMITTED:
                return "the market has not confirmed the order yet"
            if self._asked(order, RequestKind.AMEND):
                return "an earlier amendment is still on its way"
            reason = session_refusal(
                instrument.board, venue.session, venue.day,
                price=price is not None, quantity=quantity is not None,
            )  # fmt: skip
            if reason is not None and order.status is OrderStatus.WORKING:
                return reason
        if price is not None:
            reason = tick_refusal(instrument, price, venue.day)
            if reason is None and venue.band is not None:
                reason = band_refusal(instrument, venue.band, price)
            if reason is not None:
                return reason
        return None if quantity is None else lot_refusal(instrument, quantity, venue.day)

    def _asked(self, order: Order, kind: RequestKind) -> bool:
        """Whether a request of this kind is out and its effect has not been seen."""
        return any(r.kind is kind and not r.done and r.order_id == order.order_id for r in order.requests)

    def _ask(self, request: Request, order: Order) -> None:
        order.requests.append(request)
        self.requests[f"{self._day}-{request.request_id}"] = request

    def _peers(self, order: Order) -> list[Order]:
        if len(self.open) == 1:  # the order itself
            return []
        return [
            o
            for o in self.open.values()
            if o.status in _OUT and o.strategy == order.strategy and o is not order
        ]

    def settled(self, order: Order, ledger: Portfolio) -> int:
        """Settled shares for `order` to sell, those out for sale already not counted, exits left aside."""
        position = ledger.positions.get(order.instrument.symbol)
        busy = sum(
            o.leaves
            for o in self._peers(order)
            if o.instrument is order.instrument and o.side is order.side and not o.parent
        )
        return (position.sellable if position is not None else 0) - busy

    # -- in: broker events to order state -----------------------------------------------------

    def apply(self, event: object) -> None:
        """Apply a broker event other than a fill."""
        self.handlers[event.__class__](event)

    def fill(self, event: OrderFilled) -> tuple[Order, int] | None:
        """Apply a fill; gives the order and the quantity to book, or None when it was known."""
        order = self.orders.get(event.order_id)
        if order is None or event.fill_id in order.fill_keys:
            self.ignored.append(event)
            return None
        left = order.quantity - order.filled
        quantity = min(event.quantity, left)
        step = _FILL if quantity < left else _COMPLETE
        if quantity <= 0 or not self._move(order, step, event.ns):
            self.ignored.append(event)
            return None
        order.fill_keys.add(event.fill_id)
        order.filled += quantity
        order.filled_value += quantity * event.price
        if order.status.terminal:
            self.open.pop(id(order), None)
            self.held.pop(id(order), None)
        self.changed.append(order)
        return order, quantity

    def _known(self, event: object, order_id: str) -> Order | None:
        order = self.orders.get(order_id)
        # An order that was placed anew answers to its present id only; fills alone may be late.
        if order is None or order.order_id != order_id:
            self.ignored.append(event)
            return None
        return order

    def _accepted(self, event: OrderAccepted) -> None:
        order = self._known(event, event.order_id)
        if order is None:
            return
        order.broker_id = event.broker_id or order.broker_id
        self._settle_requests(order, _PLACE)
        before = order.status
        if before is _FAILED:
            self.open[id(order)] = order
        if self._move(order, Step.WAIT if event.waiting else _ACCEPT, event.ns):
            if order.status is not before:
                self.changed.append(order)
        else:
            self.ignored.append(event)

    def _triggered(self, event: OrderTriggered) -> None:
        order = self._known(event, event.order_id)
        if order is None:
            return
        if self._move(order, Step.TRIGGER, event.ns):
            self.changed.append(order)
        else:
            self.ignored.append(event)

    def _amended(self, event: OrderAmended) -> None:
        order = self._known(event, event.order_id)
        if order is None:
            return
        if not self._move(order, Step.AMEND, event.ns):
            self.ignored.append(event)
            return
        order.price = event.price
        order.quantity = max(event.quantity + order.before, order.filled)
        self._settle_requests(order, RequestKind.AMEND)
        if order.filled == order.quantity:  # amended down to what had traded meanwhile
            self._end(order, Step.COMPLETE, event.ns, "")
        else:
            self.changed.append(order)

    def _cancelled(self, event: OrderCancelled) -> None:
        order = self._known(event, event.order_id)
        if order is not None:
            self._settle_requests(order, RequestKind.CANCEL)
            self._end(order, Step.CANCEL, event.ns, event.reason)

    def _rejected(self, event: OrderRejected) -> None:
        order = self._known(event, event.order_id)
        if order is not None:
            self._settle_requests(order, RequestKind.PLACE)
            self._end(order, Step.REJECT, event.ns, event.reason)

    def _expired(self, event: OrderExpired) -> None:
        order = self._known(event, event.order_id)
        if order is None:
            return
        if order.tif is TimeInForce.GTC and not order.cancel_wanted:
            if self._move(order, Step.RENEW, event.ns):
                order.reason = "placed anew in the next session"
                self.held[id(order)] = order
            else:
                self.ignored.append(event)
            return
        self._end(order, Step.EXPIRE, event.ns, event.reason)

    def request(self, request_id: str) -> Request | None:
        """The request of today that has this id."""
        return self.requests.get(f"{self._day}-{request_id}")

    def _request(self, event: object, request_id: str) -> tuple[Request, Order] | None:
        request = self.requests.get(f"{self._day}-{request_id}")
        order = self.orders.get(request.order_id) if request is not None else None
        if request is None or order is None:
            self.ignored.append(event)
            return None
        return request, order

    def _request_received(self, event: RequestReceived) -> None:
        found = self._request(event, event.request_id)
        if found is not None and found[0].status in (RequestStatus.PENDING, RequestStatus.UNKNOWN):
            found[0].status = RequestStatus.RECEIVED

    def _request_refused(self, event: RequestRefused) -> None:
        found = self._request(event, event.request_id)
        if found is None:
            return
        request, order = found
        request.status, request.reason, request.done = RequestStatus.REFUSED, event.reason, True
        if request.kind is RequestKind.PLACE:
            self._end(order, Step.REJECT, event.ns, event.reason)
        else:
            order.cancel_wanted = order.cancel_wanted and request.kind is not RequestKind.CANCEL
            order.reason = f"{request.kind} refused: {event.reason}"
            self.changed.append(order)

    def _request_unknown(self, event: RequestUnknown) -> None:
        found = self._request(event, event.request_id)
        if found is not None and found[0].status is RequestStatus.PENDING:
            found[0].status, found[0].reason = RequestStatus.UNKNOWN, event.reason

    def _request_not_sent(self, event: RequestNotSent) -> None:
        found = self._request(event, event.request_id)
        if found is None:
            return
        request, order = found
        request.status, request.reason, request.done = RequestStatus.NOT_SENT, event.reason, True
        if request.kind is RequestKind.PLACE:
            self._end(order, Step.FAIL, event.ns, event.reason)
        else:
            order.reason = f"{request.kind} not sent: {event.reason}"
            self.changed.append(order)

    def _settle_requests(self, order: Order, kind: RequestKind) -> None:
        for request in order.requests:
            if request.kind is kind and not request.done:
                request.status, request.done = RequestStatus.RECEIVED, True

    # -- state --------------------------------------------------------------------------------

    def _move(self, order: Order, step: Step, ns: int) -> bool:
        status = TRANSITIONS.get((order.status, step))
        if status is None:
            return False
        order.status = status
        order.updated = ns
        return True

    def _end(self, order: Order, step: Step, ns: int, reason: str) -> None:
        if not self._move(order, step, ns):
            self.ignored.append((order.order_id, step))
            return
        order.reason = reason or order.reason
        self.open.pop(id(order), None)
        self.held.pop(id(order), None)
        self.changed.append(order)

    def refuse(self, order: Order, ns: int, reason: str) -> None:
        """End an order that is not even well formed."""
        self.every.append(order)
        self._end(order, Step.REFUSE, ns, reason)

    def expire(self, order: Order, ns: int, reason: str) -> None:
        """End an order that was never sent and no longer makes sense."""
        if order.status is OrderStatus.HELD:
            self._end(order, Step.EXPIRE, ns, reason)
