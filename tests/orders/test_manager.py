"""The order manager under everything that a broker may say, in any order."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from algo.clock import DAY as ONE_DAY
from algo.market import Session
from algo.model import (
    CancelOrder,
    Order,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    OrderTriggered,
    PlaceOrder,
    RequestNotSent,
    RequestReceived,
    RequestRefused,
    RequestStatus,
    RequestUnknown,
    Side,
    TimeInForce,
    Trigger,
    TriggerKind,
)
from algo.orders import OrderManager, RequestIds, Venue
from algo.portfolio import Portfolio
from tests.generators.venues import NOON, ledger_of, order_of, venue_of


def manager() -> OrderManager:
    found = OrderManager({"one": RequestIds(10), "two": RequestIds(11)})
    found.start_day(NOON)
    return found


def placed(orders: OrderManager, order: Order, venue: Venue | None = None) -> Order:
    orders.submit(order, venue or venue_of(), ledger_of(), NOON)
    return order


quantities = st.integers(1, 5)
steps = st.integers(0, 3)


class Life(RuleBasedStateMachine):
    """Contracts, so that every quantity is legal and no position is needed."""

    orders: Bundle[Order] = Bundle("orders")

    @initialize()
    def begin(self) -> None:
        self.manager = manager()
        self.venue = venue_of("VN30F1M", 1200.0)
        self.ledger: Portfolio = ledger_of()
        self.ns = NOON
        self.booked: dict[int, int] = defaultdict(int)
        self.value: dict[int, int] = defaultdict(int)
        self.over: dict[int, OrderStatus] = {}
        self.ids: set[str] = set()
        self.sent = 0

    def take(self) -> None:
        for command in self.manager.commands:
            key = f"{self.manager._day}-{command.request_id}"
            assert key not in self.ids
            self.ids.add(key)
            order = self.manager.orders[command.order_id]
            assert order.order_id == command.order_id
            if isinstance(command, PlaceOrder):
                assert command.quantity == order.quantity - order.filled > 0
        self.manager.commands.clear()
        self.manager.changed.clear()

    @rule(
        target=orders,
        side=st.sampled_from(Side),
        quantity=quantities,
        price=st.sampled_from((None, 1190.0, 1210.0)),
        gtc=st.booleans(),
        stop=st.booleans(),
    )
    def submit(self, side: Side, quantity: int, price: float | None, gtc: bool, stop: bool) -> Order:
        trigger = Trigger(TriggerKind.DOWN, 11_900) if stop else None
        tif = TimeInForce.GTC if gtc else TimeInForce.DAY
        order = order_of(self.venue, side, quantity, price, stop=trigger, tif=tif)
        self.manager.submit(order, self.venue, self.ledger, self.ns)
        self.take()
        return order

    @rule(order=orders)
    def cancel(self, order: Order) -> None:
        self.manager.cancel(order, self.venue, self.ns)
        self.take()

    @rule(order=orders, price=st.sampled_from((None, 11_950, 12_050)), quantity=st.none() | quantities)
    def amend(self, order: Order, price: int | None, quantity: int | None) -> None:
        self.manager.amend(order, price, quantity, self.venue, self.ledger, self.ns)
        self.take()

    @rule(session=st.sampled_from((Session.LO, Session.ATC, Session.C)))
    def session(self, session: Session) -> None:
        self.venue.enter(session)
        self.manager.release(self.venue, lambda _order: self.ledger, self.ns)
        self.take()

    @rule()
    def next_day(self) -> None:
        self.ns += ONE_DAY
        self.manager.start_day(self.ns)

    @rule(order=orders, waiting=st.booleans())
    def accepted(self, order: Order, waiting: bool) -> None:
        self.hear(OrderAccepted(order.order_id, self.ns, "", waiting))

    @rule(order=orders)
    def triggered(self, order: Order) -> None:
        self.hear(OrderTriggered(order.order_id, self.ns))

    @rule(order=orders, quantity=quantities, price=st.integers(11_900, 12_100), number=st.integers(0, 9))
    def filled(self, order: Order, quantity: int, price: int, number: int) -> None:
        event = OrderFilled(order.order_id, self.ns, price, quantity, f"F{number}")
        known = event.fill_id in order.fill_keys
        booked = self.manager.fill(event)
        if booked is None:
            assert event in self.manager.ignored
        else:
            assert not known
            assert booked[0] is order
            self.booked[id(order)] += booked[1]
            self.value[id(order)] += booked[1] * price
            assert self.manager.fill(event) is None
        self.take()

    @rule(order=orders, quantity=quantities)
    def amended(self, order: Order, quantity: int) -> None:
        self.hear(OrderAmended(order.order_id, self.ns, 12_000, quantity))

    @rule(order=orders, kind=st.sampled_from((OrderCancelled, OrderExpired, OrderRejected)))
    def ended(self, order: Order, kind: type) -> None:
        self.hear(kind(order.order_id, self.ns, reason="so it is"))

    @rule(
        order=orders,
        kind=st.sampled_from((RequestReceived, RequestRefused, RequestUnknown, RequestNotSent)),
        which=steps,
    )
    def answered(self, order: Order, kind: type, which: int) -> None:
        requests = order.requests[which:]
        number = requests[0].request_id if requests else "12345678"
        more = {} if kind is RequestReceived else {"reason": "so it is"}
        self.hear(kind(number, order.order_id, self.ns, **more))

    def hear(self, event: object) -> None:
        self.manager.apply(event)
        self.take()

    @invariant()
    def fills_only_grow_and_stay_within_the_order(self) -> None:
        for order in self.manager.every:
            assert order.filled == self.booked[id(order)]
            assert order.filled_value == self.value[id(order)]
            assert 0 <= order.filled <= order.quantity
            assert order.leaves >= 0
            if order.status is OrderStatus.FILLED:
                assert order.filled == order.quantity
            if order.filled == order.quantity:
                assert order.status.terminal

    @invariant()
    def what_is_over_stays_over(self) -> None:
        for order in self.manager.every:
            before = self.over.get(id(order))
            if before is not None and before is not OrderStatus.FAILED:
                assert order.status in (before, OrderStatus.FILLED)
            if order.status.terminal:
                self.over[id(order)] = order.status

    @invariant()
    def the_books_name_each_order_once(self) -> None:
        alive = {id(order) for order in self.manager.every if not order.status.terminal}
        assert set(self.manager.open) == alive
        waiting = {id(order) for order in self.manager.every if order.status is OrderStatus.HELD}
        assert set(self.manager.held) == waiting


TestLife = Life.TestCase


# -- single stories -------------------------------------------------------------------------------


def test_unknown_orders_and_requests_are_recorded_and_change_nothing() -> None:
    orders = manager()
    order = placed(orders, order_of(venue_of()))
    events: list[object] = [
        OrderAccepted("no such", NOON),
        OrderTriggered("no such", NOON),
        OrderAmended("no such", NOON, 1, 1),
        OrderCancelled("no such", NOON),
        OrderExpired("no such", NOON),
        OrderRejected("no such", NOON, "why"),
        RequestReceived("99999999", "no such", NOON),
        RequestRefused("99999999", "no such", NOON, "why"),
        RequestUnknown("99999999", "no such", NOON),
        RequestNotSent("99999999", "no such", NOON),
    ]
    for event in events:
        orders.apply(event)
    assert orders.fill(OrderFilled("no such", NOON, 1, 1, "F1")) is None
    assert len(orders.ignored) == len(events) + 1
    assert order.status is OrderStatus.SUBMITTED


@pytest.mark.parametrize(
    "event",
    [
        OrderAmended("?", NOON, 80_000, 200),
        OrderTriggered("?", NOON),
        OrderCancelled("?", NOON),
        OrderRejected("?", NOON, "late"),
        OrderExpired("?", NOON),
    ],
)
@pytest.mark.parametrize("tif", list(TimeInForce))
def test_a_step_that_the_table_lacks_is_recorded(event: object, tif: TimeInForce) -> None:
    import dataclasses

    orders = manager()
    order = placed(orders, order_of(venue_of(), tif=tif))
    orders.fill(OrderFilled(order.order_id, NOON, 80_000, 100, "F1"))
    orders.apply(dataclasses.replace(event, order_id=order.order_id))  # type: ignore[type-var]
    assert order.status is OrderStatus.FILLED
    assert order.quantity == 100
    assert len(orders.ignored) == 1


def test_a_fill_after_the_cancel_was_confirmed_counts() -> None:
    orders = manager()
    order = placed(orders, order_of(venue_of(), quantity=300))
    orders.apply(OrderAccepted(order.order_id, NOON))
    orders.cancel(order, venue_of(), NOON)
    orders.apply(OrderCancelled(order.order_id, NOON))
    assert orders.fill(OrderFilled(order.order_id, NOON, 80_000, 100, "F1")) == (order, 100)
    assert (order.status, order.filled) == (OrderStatus.CANCELLED, 100)
    assert orders.fill(OrderFilled(order.order_id, NOON, 80_000, 200, "F2")) == (order, 200)
    assert order.status is OrderStatus.FILLED


def test_a_late_fill_counts_for_an_order_that_waits_for_the_next_day() -> None:
    orders, venue = manager(), venue_of()
    order = placed(orders, order_of(venue, quantity=300, price=79_000.0, tif=TimeInForce.GTC))
    orders.apply(OrderAccepted(order.order_id, NOON))
    orders.apply(OrderExpired(order.order_id, NOON))
    assert order.status is OrderStatus.HELD
    assert orders.fill(OrderFilled(order.order_id, NOON, 79_000, 100, "F1")) == (order, 100)
    assert order.status is OrderStatus.HELD
    orders.commands.clear()
    first = order.order_id
    orders.start_day(NOON + ONE_DAY)
    orders.release(venue, lambda _order: ledger_of(), NOON + ONE_DAY)
    (command,) = orders.commands
    assert isinstance(command, PlaceOrder)
    assert command.quantity == 200
    assert order.order_id != first


def test_a_cancel_waits_until_the_market_knows_the_order_and_the_session_allows_it() -> None:
    orders, venue = manager(), venue_of(session=Session.ATC)
    order = placed(orders, order_of(venue, price=80_000.0), venue)
    orders.cancel(order, venue, NOON)
    orders.apply(OrderAccepted(order.order_id, NOON))
    orders.cancel(order, venue, NOON)
    assert not any(isinstance(command, CancelOrder) for command in orders.commands)
    venue.enter(Session.LO)
    orders.release(venue, lambda _order: ledger_of(), NOON)
    orders.release(venue, lambda _order: ledger_of(), NOON)
    assert sum(isinstance(command, CancelOrder) for command in orders.commands) == 1


def test_a_refused_cancel_leaves_the_order_standing_and_can_be_asked_again() -> None:
    orders, venue = manager(), venue_of()
    order = placed(orders, order_of(venue))
    orders.apply(OrderAccepted(order.order_id, NOON))
    for _ in range(2):
        orders.cancel(order, venue, NOON)
        orders.cancel(order, venue, NOON)
        request = order.requests[-1]
        orders.apply(RequestRefused(request.request_id, order.order_id, NOON, "too late"))
        assert order.status is OrderStatus.WORKING
        assert "too late" in order.reason
    assert [r.status for r in order.requests[1:]] == [RequestStatus.REFUSED] * 2


def test_an_unknown_place_request_is_settled_by_the_stream() -> None:
    orders = manager()
    order = placed(orders, order_of(venue_of()))
    request = order.requests[0]
    orders.apply(RequestUnknown(request.request_id, order.order_id, NOON, "timeout"))
    assert (request.status, order.status) == (RequestStatus.UNKNOWN, OrderStatus.SUBMITTED)
    orders.apply(OrderAccepted(order.order_id, NOON))
    assert (request.status, order.status) == (RequestStatus.RECEIVED, OrderStatus.WORKING)


def test_an_order_given_up_that_proves_alive_is_open_again() -> None:
    orders = manager()
    order = placed(orders, order_of(venue_of()))
    orders.apply(RequestNotSent(order.requests[0].request_id, order.order_id, NOON, "offline"))
    assert order.status is OrderStatus.FAILED
    orders.apply(OrderAccepted(order.order_id, NOON))
    assert order.status is OrderStatus.WORKING
    assert id(order) in orders.open


def test_an_order_amended_down_to_what_traded_is_filled() -> None:
    orders, venue = manager(), venue_of()
    order = placed(orders, order_of(venue, quantity=500))
    orders.apply(OrderAccepted(order.order_id, NOON))
    orders.fill(OrderFilled(order.order_id, NOON, 80_000, 300, "F1"))
    orders.apply(OrderAmended(order.order_id, NOON, 0, 200))
    assert (order.status, order.quantity) == (OrderStatus.FILLED, 300)


@pytest.mark.parametrize(
    ("price", "quantity", "why"),
    [
        (80_050, None, "not on the tick"),
        (90_000, None, "above the ceiling"),
        (None, 150, "not a multiple of the lot"),
        (None, 100, "100 are filled already"),
    ],
)
def test_an_amendment_that_is_not_legal_says_why(price: int | None, quantity: int | None, why: str) -> None:
    orders, venue = manager(), venue_of(board=None)
    venue = venue_of("VND", 80_000.0, board="HNX")  # type: ignore[arg-type]
    order = placed(orders, order_of(venue, quantity=300, price=80_000.0), venue)
    orders.apply(OrderAccepted(order.order_id, NOON))
    orders.fill(OrderFilled(order.order_id, NOON, 80_000, 100, "F1"))
    assert why in (orders.amend(order, price, quantity, venue, ledger_of(), NOON) or "")


def test_amendments_go_one_at_a_time_and_never_at_the_market_or_too_late() -> None:
    orders, venue = manager(), venue_of("VN30F1M", 1200.0)
    market = placed(orders, order_of(venue, quantity=2), venue)
    orders.apply(OrderAccepted(market.order_id, NOON))
    assert "no price" in (orders.amend(market, 12_010, None, venue, ledger_of(), NOON) or "")
    order = placed(orders, order_of(venue, quantity=2, price=1190.0), venue)
    assert "not confirmed" in (orders.amend(order, 11_910, None, venue, ledger_of(), NOON) or "")
    orders.apply(OrderAccepted(order.order_id, NOON))
    assert orders.amend(order, 11_910, None, venue, ledger_of(), NOON) is None
    assert "still on its way" in (orders.amend(order, 11_920, None, venue, ledger_of(), NOON) or "")
    orders.apply(OrderAmended(order.order_id, NOON, 11_910, 2))
    venue.enter(Session.ATC)
    assert "session ATC" in (orders.amend(order, 11_920, None, venue, ledger_of(), NOON) or "")
    venue.enter(Session.LO)
    orders.cancel(order, venue, NOON)
    assert "being cancelled" in (orders.amend(order, 11_920, None, venue, ledger_of(), NOON) or "")
    orders.apply(OrderCancelled(order.order_id, NOON))
    assert "cancelled already" in (orders.amend(order, 11_920, None, venue, ledger_of(), NOON) or "")


def test_a_held_order_goes_out_with_the_type_of_the_session_that_takes_it() -> None:
    orders, venue = manager(), venue_of("VN30F1M", 1200.0, session=Session.C)
    order = placed(orders, order_of(venue, quantity=1), venue)
    assert (order.status, orders.commands) == (OrderStatus.HELD, [])
    venue.enter(Session.ATO)
    orders.release(venue, lambda _order: ledger_of(), NOON)
    (command,) = orders.commands
    assert isinstance(command, PlaceOrder)
    assert str(command.order_type) == "ATO"


def test_an_order_cancelled_before_it_went_out_leaves_no_command() -> None:
    orders, venue = manager(), venue_of(session=Session.C)
    order = placed(orders, order_of(venue), venue)
    orders.cancel(order, venue, NOON)
    assert (order.status, orders.commands) == (OrderStatus.CANCELLED, [])
