"""The own orders as the stream tells of them: messages in, domain events out, each once. Pure.

Messages may come twice, late, and in any order. The newest word on an order is that with the largest
(time, notify id); an older one adds its cumulative quantity and nothing else. Fills come from the fill
messages, known by (trading day, notify id); the quantity that the orders state is the check on them, and
fills the gap when a snapshot proves that a message was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from algo.brokers.base import BrokerOrder, ForeignOrder, Heard, UnknownMessage
from algo.brokers.fctrading import translate
from algo.brokers.fctrading.events import (
    ConditionalEvent,
    MatchEvent,
    OrderErrorEvent,
    OrderEvent,
    PortfolioEvent,
    StreamEvent,
    UnknownEvent,
)
from algo.brokers.fctrading.register import SIDES, Register
from algo.brokers.fctrading.standing import Stamp, Standing, day_of, is_temporary, swept_key
from algo.brokers.fctrading.statuses import Meaning, meaning
from algo.brokers.fctrading.strangers import Strangers
from algo.fastconnect.wire import plain, whole
from algo.model import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    OrderTriggered,
    OrderType,
    PortfolioUpdated,
    RequestKind,
    RequestRefused,
)

_MILLISECOND = 1_000_000
_EPOCH = date(1970, 1, 1)
_PROGRESS = {OrderStatus.SUBMITTED: 0, OrderStatus.WAITING: 1, OrderStatus.WORKING: 2}


class Book:
    """The orders of one person that this program placed. `accounts` are the person's account numbers."""

    def __init__(self, accounts: Iterable[str] = ()) -> None:
        self.register = Register(accounts)
        self._strangers = Strangers()
        self._day = -1
        self._day_name = ""
        self._hearers: dict[type, Callable[[Any, int], list[Heard]]] = {
            OrderEvent: self._order_heard,
            MatchEvent: self._match_heard,
            OrderErrorEvent: self._error_heard,
            PortfolioEvent: self._portfolio_heard,
            ConditionalEvent: self._conditional_heard,
            UnknownEvent: lambda event, ns: [
                UnknownMessage(ns, f"{event.type or 'a message'}: {event.reason}", event.text)
            ],
        }

    def unsettled(self) -> list[tuple[str, int]]:
        """Own orders whose told fills differ from what the broker states, with the difference: ask for them.

        Above zero, fill messages are missing. Below zero, there are more than the broker's order has.
        """
        found: list[tuple[str, int]] = []
        for order in self.register.orders.values():
            beyond = sum(event.quantity for event, _, _ in order.waiting)
            if beyond or order.filled > order.told:
                found.append((order.order_id, order.filled - order.told - beyond))
        return found

    # What we hear

    def hear(self, event: StreamEvent, ns: int) -> list[Heard]:
        """The domain events that follow from a message that arrived at `ns`. Never raises."""
        return self._hearers[event.__class__](event, ns)

    def catch_up(self, stated: BrokerOrder, account: str, ns: int) -> list[Heard]:
        """The events that a queried order proves and the stream did not tell. It may be older than that."""
        event = translate.event_of(stated, account)
        order = self.register.orders.get(stated.order_id) or self.register.of_order(event, ns)
        if order is None:
            return [ForeignOrder(ns, stated)]
        heard = self._state(order, event, ns)
        if stated.refused_request:
            number = whole(stated.refused_request)
            if number is not None and order.requests.get(number) in (RequestKind.AMEND, RequestKind.CANCEL):
                heard += self._refused(order, number, stated.refusal, ns)
        missing = stated.filled - order.told
        if missing > 0:
            price = _implied(stated, order, missing)
            if price <= 0:
                return [*heard, UnknownMessage(ns, "a fill without any price", "", order.order_id)]
            key = swept_key(order.told, stated.filled)
            order.fills.add(key)
            at = stated.updated or ns
            heard += self._alive(order, at, set_off=order.conditional)
            heard.append(self._tell_fill(order, missing, price, key, at))
        return heard

    # Orders

    def _order_heard(self, event: OrderEvent, ns: int) -> list[Heard]:
        order = self.register.of_order(event, ns)
        if order is None:
            if event.buy_sell.strip().upper() not in SIDES:
                return [UnknownMessage(ns, "an order that neither buys nor sells", _shown(event))]
            self._strangers.keep(event, ns)
            return [ForeignOrder(event.time * _MILLISECOND or ns, translate.order_of(event))]
        return self._state(order, event, ns)

    def _state(self, order: Standing, event: OrderEvent, ns: int) -> list[Heard]:
        """One statement about an own order."""
        cause = whole(event.unique_id)
        known = meaning(event.status)
        time = event.modified_time or event.input_time
        at = time * _MILLISECOND or ns
        kind = order.requests.get(cause) if cause is not None else None
        if event.filled_quantity > order.filled:
            order.filled = event.filled_quantity
        if (
            cause is not None
            and kind in (RequestKind.AMEND, RequestKind.CANCEL)
            and known is not None
            and known.status is OrderStatus.REJECTED
        ):
            return self._refused(order, cause, translate.reason_of(event.reject_reason), at)
        child = bool(order.conditional and event.orig_order_id and event.orig_order_id != event.order_id)
        stamp = (child, time, event.notify_id)
        heard = self._identified(order, event.order_id, stamp, ns)
        if known is None:
            text = f"the broker's order status {plain(event.status, 20)!r} is not known"
            heard.append(UnknownMessage(at, text, _shown(event), order.order_id))
        else:
            queried = not event.notify_id and _as_new(stamp, known, order)
            valued = known.settled and (stamp > order.valued or queried)
            if valued:
                order.valued = max(stamp, order.valued)
            ours = cause if kind else None
            if stamp > order.stamp or queried:
                order.stamp = max(stamp, order.stamp)
                order.over = known.status.terminal
                heard += self._moved(order, event, known, ours, at, valued)
            elif valued and not order.phase.terminal:
                heard += self._amended(order, event, ours, at)
        if order.waiting:
            heard += self._released(order)
        return heard

    def _moved(
        self, order: Standing, event: OrderEvent, known: Meaning, cause: int | None, at: int, valued: bool
    ) -> list[Heard]:
        """The newest word on an order: what it changes for the listener."""
        status = known.status
        heard: list[Heard] = []
        if order.phase.terminal:
            if not status.terminal:
                text = f"an order that had ended ({order.phase}) is {event.status} at the broker"
                heard.append(UnknownMessage(at, text, _shown(event), order.order_id))
            return heard
        if status is OrderStatus.WAITING:
            if order.phase is OrderStatus.SUBMITTED:
                order.phase, order.told_id = status, order.broker_id
                heard.append(OrderAccepted(order.order_id, at, order.broker_id, waiting=True))
        elif status in (OrderStatus.WORKING, OrderStatus.FILLED):
            at_once = not order.conditional and order.phase is OrderStatus.SUBMITTED
            if known.settled or known.set_off or at_once:
                heard += self._alive(order, at, set_off=order.stamp[0] or known.set_off)
        if valued:
            heard += self._amended(order, event, cause, at)
        if not status.terminal or status is OrderStatus.FILLED:
            return heard
        order.phase = status
        reason = translate.reason_of(event.reject_reason)
        if status is OrderStatus.CANCELLED:
            ours = cause is not None and order.requests.get(cause) is RequestKind.CANCEL
            heard.append(OrderCancelled(order.order_id, at, str(cause) if ours else "", reason))
        elif status is OrderStatus.REJECTED:
            heard.append(OrderRejected(order.order_id, at, reason or "the broker gave no reason"))
        else:
            heard.append(OrderExpired(order.order_id, at, reason))
        return heard

    def _alive(self, order: Standing, at: int, *, set_off: bool = False) -> list[Heard]:
        """Tell, if it is news, that the market has the order. `set_off`: its trigger was reached."""
        if order.phase is not OrderStatus.SUBMITTED and order.phase is not OrderStatus.WAITING:
            return []
        heard: list[Heard] = []
        if order.phase is OrderStatus.SUBMITTED and set_off and order.conditional:
            heard.append(OrderAccepted(order.order_id, at, order.broker_id, waiting=True))
            order.phase = OrderStatus.WAITING
        if order.phase is OrderStatus.WAITING and order.conditional:
            heard.append(OrderTriggered(order.order_id, at))
        else:
            heard.append(OrderAccepted(order.order_id, at, order.broker_id))
        order.phase, order.told_id = OrderStatus.WORKING, order.broker_id
        return heard

    def _amended(self, order: Standing, event: OrderEvent, cause: int | None, at: int) -> list[Heard]:
        """Tell of another price or quantity, and of an amendment of ours that took effect without any."""
        price = order.price
        if order.order_type is OrderType.LO and event.price > 0:
            price = translate.units(event.price, order.instrument.scale)
        quantity = event.quantity if event.quantity > 0 else order.quantity
        ours = cause is not None and order.requests[cause] is RequestKind.AMEND
        news = ours and cause not in order.settled and not order.over
        if not news and price == order.price and quantity == order.quantity:
            return []
        order.price, order.quantity = price, quantity
        if ours and cause is not None:
            order.settled.add(cause)
        heard: list[Heard] = []
        if order.phase is OrderStatus.SUBMITTED:  # its end is the first that is heard of it
            waits = order.conditional
            order.phase = OrderStatus.WAITING if waits else OrderStatus.WORKING
            order.told_id = order.broker_id
            heard.append(OrderAccepted(order.order_id, at, order.broker_id, waits))
        request = str(cause) if ours else ""
        return [*heard, OrderAmended(order.order_id, at, price, quantity, request)]

    def _identified(self, order: Standing, broker_id: str, stamp: Stamp, ns: int) -> list[Heard]:
        """Learn the broker's id. The newest lasting one counts; all lead to the order."""
        if not broker_id:
            return []
        rank = (not is_temporary(broker_id), stamp)
        if broker_id == order.broker_id:
            order.id_rank = max(order.id_rank, rank)
            return []
        heard: list[Heard] = []
        known = self.register.named(broker_id, order)
        if not order.broker_id or rank > order.id_rank:
            order.broker_id, order.id_rank = broker_id, rank
            if order.phase in (OrderStatus.WAITING, OrderStatus.WORKING) and broker_id != order.told_id:
                order.told_id = broker_id
                waiting = order.phase is OrderStatus.WAITING
                heard.append(OrderAccepted(order.order_id, stamp[1] * _MILLISECOND or ns, broker_id, waiting))
        if not known:
            for event, came in self._strangers.claim(broker_id):
                heard += self.hear(event, came)
        return heard

    # Fills

    def _match_heard(self, event: MatchEvent, ns: int) -> list[Heard]:
        at = event.match_time * _MILLISECOND or ns
        if event.notify_id <= 0:
            return [UnknownMessage(at, "a fill without a notify id: left to the next query", _shown(event))]
        order = self.register.of_match(event, at)
        if order is None:
            self._strangers.keep(event, ns)
            return []
        units = translate.units(event.price, order.instrument.scale)
        if units <= 0 or event.quantity <= 0:
            return [UnknownMessage(at, "a fill of nothing or for nothing", _shown(event), order.order_id)]
        key = f"{self._named(day_of(at))}-{event.notify_id}"
        if key in order.fills:
            return []
        order.fills.add(key)
        heard = self._identified(order, event.order_id, (False, 0, 0), ns)
        order.waiting.append((event, key, at))
        return heard + self._released(order)

    def _released(self, order: Standing) -> list[Heard]:
        """Tell the fills that the broker's statements have room for."""
        heard: list[Heard] = []
        room = order.filled if order.over else max(order.quantity, order.filled)
        if not order.over and order.amending:
            # A larger quantity may be on its way: what would complete the order waits for its end.
            room = order.quantity - 1
        held = order.waiting
        order.waiting = []
        for event, key, at in held:
            if order.matched + event.quantity > room:
                order.waiting.append((event, key, at))
                continue
            order.matched += event.quantity
            news = min(event.quantity, order.matched - order.told)
            if news > 0:
                heard += self._alive(order, at, set_off=order.conditional)
                price = translate.units(event.price, order.instrument.scale)
                heard.append(self._tell_fill(order, news, price, key, at))
        return heard

    def _tell_fill(self, order: Standing, quantity: int, price: int, key: str, at: int) -> OrderFilled:
        order.told += quantity
        order.told_value += quantity * price
        return OrderFilled(order.order_id, at, price, quantity, key)

    # Everything else

    def _error_heard(self, event: OrderErrorEvent, ns: int) -> list[Heard]:
        at = event.time * _MILLISECOND or ns
        number = whole(event.unique_id)
        order = self.register.of_error(event, ns)
        text = plain(" ".join(part for part in (event.code, event.message) if part not in ("", "ERR500")))
        if event.code and event.code in event.message:
            text = plain(event.message)
        if order is None or number is None:
            return [UnknownMessage(at, f"an error of a request that is not ours: {text}", _shown(event))]
        if order.requests[number] is not RequestKind.PLACE:
            return self._refused(order, number, text, at)
        if order.phase is OrderStatus.SUBMITTED or order.phase is OrderStatus.WAITING:
            order.phase, order.over = OrderStatus.REJECTED, True
            return [OrderRejected(order.order_id, at, text)]
        if order.phase is OrderStatus.REJECTED:
            return []
        return [UnknownMessage(at, f"an error of an order that is {order.phase}: {text}", "", order.order_id)]

    def _refused(self, order: Standing, number: int, reason: str, at: int) -> list[Heard]:
        """An amendment or a cancel was refused: the order stands."""
        if number in order.refused:
            return []
        order.refused.add(number)
        return [RequestRefused(str(number), order.order_id, at, reason or "the broker gave no reason")]

    def _portfolio_heard(self, event: PortfolioEvent, ns: int) -> list[Heard]:
        if event.account and self.register.accounts and event.account not in self.register.accounts:
            return []
        at = event.time * _MILLISECOND or ns
        return [PortfolioUpdated(at, one.instrument_id, one.net) for one in (*event.open, *event.closed)]

    def _conditional_heard(self, event: ConditionalEvent, ns: int) -> list[Heard]:
        """SSI does not say what these mean: they are told as they came, with the order that they name."""
        at = event.time * _MILLISECOND or ns
        order = self.register.of_request(whole(event.unique_id), ns)
        order_id = order.order_id if order is not None else ""
        said = (event.fco_id, event.status, event.process_status, event.message)
        words = plain(", ".join(word for word in said if word)) or "without a word on it"
        return [UnknownMessage(at, f"a conditional order changed: {words}", _shown(event), order_id)]

    def _named(self, day: int) -> str:
        if day != self._day:
            self._day, self._day_name = day, f"{_EPOCH + timedelta(days=day):%Y%m%d}"
        return self._day_name


def _shown(event: OrderEvent | MatchEvent | OrderErrorEvent | ConditionalEvent) -> str:
    return plain(str(event.raw), 2000)


def _as_new(stamp: Stamp, known: Meaning, order: Standing) -> bool:
    """Whether a queried statement of the very millisecond of the newest word says no less than that."""
    return stamp[:2] == order.stamp[:2] and _PROGRESS.get(known.status, 3) >= _PROGRESS.get(order.phase, 3)


def _implied(stated: BrokerOrder, order: Standing, missing: int) -> int:
    """The price in units of the missing quantity, by the average that goes with all; the limit else."""
    average = stated.average_price if 0 < stated.average_price < 1e12 else 0.0
    whole_value = round(average * order.instrument.scale * stated.filled)
    price = (2 * (whole_value - order.told_value) + missing) // (2 * missing)
    return price if average and price > 0 else translate.units(average, order.instrument.scale) or order.price
