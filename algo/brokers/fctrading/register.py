"""Whose order a message is about: by the broker's id, else by the request ids and the day. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from algo.brokers.fctrading.events import MatchEvent, OrderErrorEvent, OrderEvent
from algo.brokers.fctrading.standing import Standing, day_number, day_of
from algo.fastconnect.wire import whole
from algo.model import AmendOrder, CancelOrder, Order, PlaceOrder, RequestKind, Side

_MILLISECOND = 1_000_000
SIDES = {"B": Side.BUY, "S": Side.SELL}


class Register:
    """The orders that this program placed. Request ids are numbers that begin anew every day."""

    def __init__(self, accounts: Iterable[str] = ()) -> None:
        self.accounts = frozenset(filter(None, accounts))
        self.orders: dict[str, Standing] = {}
        self._by_request: dict[tuple[int, int], Standing] = {}
        self._by_broker: dict[str, Standing] = {}

    def placed(self, command: PlaceOrder) -> bool:
        """Note an order before its request leaves; False when this request id was used before."""
        key = (day_number(command.order_id), int(command.request_id))
        if key in self._by_request:
            return False
        order = Standing.placed(command)
        self.orders[order.order_id] = self._by_request[key] = order
        return True

    def asked(self, command: AmendOrder | CancelOrder) -> bool:
        """Note an amendment or a cancel before it leaves; False when this request id was used before."""
        order = self.orders[command.order_id]
        number = int(command.request_id)
        key = (order.day, number)
        if key in self._by_request:
            return False
        order.requests[number] = RequestKind.AMEND if isinstance(command, AmendOrder) else RequestKind.CANCEL
        self._by_request[key] = order
        return True

    def adopt(self, orders: Iterable[Order]) -> None:
        """Take up the orders of an earlier process that ever had a request."""
        for order in orders:
            if not order.order_id or not order.requests:
                continue
            standing = Standing.adopted(order)
            self.orders[standing.order_id] = standing
            for number in standing.requests:
                self._by_request[standing.day, number] = standing
            if standing.broker_id:
                self._by_broker[standing.broker_id] = standing

    def find(self, order_id: str) -> Standing | None:
        """What is known of an own order."""
        return self.orders.get(order_id)

    def named(self, broker_id: str, order: Standing) -> bool:
        """Learn an id that the broker gave an order; whether it was known."""
        known = broker_id in self._by_broker
        self._by_broker[broker_id] = order
        return known

    def of_request(self, number: int | None, ns: int) -> Standing | None:
        """The own order to which a request of the day of `ns` belongs."""
        return None if number is None else self._by_request.get((day_of(ns), number))

    def of_match(self, event: MatchEvent, at: int) -> Standing | None:
        """The own order that was filled at `at`."""
        order = self._by_broker.get(event.order_id)
        if order is None or day_of(at) != order.day:
            order = self.of_request(whole(event.unique_id), at)
        return order if order is not None and self._fits(order, event) else None

    def of_order(self, event: OrderEvent, ns: int) -> Standing | None:
        """The own order that a statement is about; what came from an own order counts as that order."""
        ms = event.input_time or event.modified_time
        at = ms * _MILLISECOND or ns
        day = day_of(at)
        order = self._by_broker.get(event.order_id)
        if order is not None and order.day == day:
            return order
        order = self.of_request(whole(event.orig_request_id), at)
        if order is None:
            order = self.of_request(whole(event.unique_id), at)
        if order is None and event.orig_order_id:
            order = self._by_broker.get(event.orig_order_id)
        return order if order is not None and order.day == day and self._fits(order, event) else None

    def of_error(self, event: OrderErrorEvent, ns: int) -> Standing | None:
        """The own order whose request failed."""
        return self.of_request(whole(event.unique_id), event.time * _MILLISECOND or ns)

    def _fits(self, order: Standing, event: OrderEvent | MatchEvent) -> bool:
        """Whether symbol, side and account are the order's: somebody else may use the same request id."""
        return (
            event.instrument_id == order.instrument.symbol
            and SIDES.get(event.buy_sell.strip().upper()) is order.side
            and (not event.account or not self.accounts or event.account in self.accounts)
        )
