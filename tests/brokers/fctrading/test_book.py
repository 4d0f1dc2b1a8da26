"""Own orders through the stream: whatever comes twice, late or out of order, the end is the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.base import BrokerOrder, ForeignOrder, Heard, UnknownMessage
from algo.brokers.fctrading import translate
from algo.brokers.fctrading.book import Book
from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import (
    MatchEvent,
    OrderErrorEvent,
    OrderEvent,
    UnknownEvent,
)
from algo.brokers.fctrading.standing import Standing
from algo.model import (
    AmendOrder,
    Board,
    CancelOrder,
    Instrument,
    Kind,
    Order,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Request,
    RequestKind,
    RequestRefused,
    Side,
    Trigger,
    TriggerKind,
)
from algo.orders import OrderManager, RequestIds
from tests.generators.order_lives import OPENING, ORDER_ID, Broker, Life, lives

NOW = OPENING * 10**6
ACCOUNTS = ("0901351", "0901358")
SSI = Instrument("SSI", Board.HOSE)
VN30 = Instrument("VN30F2606", Board.DERIVATIVES, Kind.FUTURE, 10, 10_000)
END = {
    "FF": OrderStatus.FILLED,
    "CL": OrderStatus.CANCELLED,
    "FFPC": OrderStatus.CANCELLED,
    "EX": OrderStatus.EXPIRED,
    "RJ": OrderStatus.REJECTED,
}


class Desk:
    """A book, and an order manager that hears what it tells."""

    def __init__(self, place: PlaceOrder) -> None:
        self.book = Book(ACCOUNTS)
        self.manager = OrderManager({"s": RequestIds(10)})
        self.manager.start_day(NOW)
        self.order = Order(
            strategy="s",
            symbol=place.instrument.symbol,
            instrument=place.instrument,
            side=place.side,
            quantity=place.quantity,
            order_type=place.order_type,
            price=place.price,
            trigger=place.trigger,
        )
        self.order.order_id = place.order_id
        self.order.status = OrderStatus.SUBMITTED
        self.order.requests.append(Request(place.request_id, RequestKind.PLACE, place.order_id, NOW))
        self.manager.orders[place.order_id] = self.order
        self.heard: list[Heard] = []
        self.fills: dict[str, tuple[int, int]] = {}
        assert self.book.register.placed(place)

    def ask(self, command: AmendOrder | CancelOrder) -> None:
        assert self.book.register.asked(command)
        kind = RequestKind.AMEND if isinstance(command, AmendOrder) else RequestKind.CANCEL
        request = Request(command.request_id, kind, command.order_id, NOW)
        self.order.requests.append(request)
        self.manager.requests[f"20260611-{command.request_id}"] = request

    def hear(self, *events: object) -> list[Heard]:
        found: list[Heard] = []
        for event in events:
            found += self.apply(self.book.hear(event, NOW))
        return found

    def apply(self, heard: list[Heard]) -> list[Heard]:
        self.heard += heard
        for one in heard:
            if isinstance(one, OrderFilled):
                assert one.fill_id not in self.fills
                self.fills[one.fill_id] = (one.price, one.quantity)
                assert self.manager.fill(one) is not None
            elif not isinstance(one, UnknownMessage | ForeignOrder):
                self.manager.apply(one)
        return heard

    @property
    def state(self) -> tuple:
        order = self.order
        standing = self.book.register.orders[order.order_id]
        return (
            order.status, order.price, order.quantity, order.filled, order.filled_value,
            sorted(self.fills.items()), standing.broker_id,
        )  # fmt: skip


def told(life: Life, messages: list) -> Desk:
    desk = Desk(life.place)
    for command in life.commands:
        desk.ask(command)
    desk.hear(*messages)
    return desk


@given(lives())
def test_a_life_in_order_ends_as_the_broker_says(life: Life) -> None:
    desk = told(life, life.messages)
    order = desk.order
    assert order.status is END.get(life.status, OrderStatus.WORKING)
    assert sorted(desk.fills.values()) == sorted(life.fills)
    assert (order.filled, order.price, order.quantity) == (
        sum(quantity for _, quantity in life.fills),
        life.price,
        life.quantity,
    )
    assert desk.book.unsettled() == []
    assert not [one for one in desk.heard if isinstance(one, UnknownMessage | ForeignOrder)]
    refused = [one for one in desk.heard if isinstance(one, RequestRefused)]
    errors = [m for m in life.messages if isinstance(m, OrderErrorEvent) and m.unique_id != "10000017"]
    assert [one.request_id for one in refused] == [error.unique_id for error in errors]


@given(lives(), st.data())
def test_any_order_of_messages_and_any_repetition_ends_the_same(life: Life, data: st.DataObject) -> None:
    expected = told(life, life.messages).state
    again = life.messages + data.draw(st.lists(st.sampled_from(life.messages), max_size=6))
    desk = told(life, data.draw(st.permutations(again)))
    assert desk.state == expected
    assert desk.book.unsettled() == []


@given(lives(), st.data())
def test_a_restart_anywhere_ends_the_same(life: Life, data: st.DataObject) -> None:
    """The journal has what was applied; the stream begins again at some message before that."""
    expected = told(life, life.messages).state
    cut = data.draw(st.integers(0, len(life.messages)))
    back = data.draw(st.integers(0, cut))
    desk = told(life, life.messages[:cut])
    desk.book = Book(ACCOUNTS)
    desk.book.register.adopt([desk.order])
    desk.hear(*life.messages[back:])
    assert desk.state[:-1] == expected[:-1]


@given(lives(), st.data())
def test_what_the_stream_lost_a_snapshot_brings(life: Life, data: st.DataObject) -> None:
    """Messages are lost; a complete order book follows, and then the lost messages come after all."""
    heard = data.draw(st.lists(st.sampled_from(range(len(life.messages))), unique=True))
    desk = told(life, [life.messages[index] for index in sorted(heard)])
    statements = [one for one in life.messages if isinstance(one, OrderEvent)]
    last = statements[-1]
    if isinstance(life.messages[-1], OrderErrorEvent) and life.status == "RJ":
        return
    filled = sum(quantity for _, quantity in life.fills)
    value = sum(price * quantity for price, quantity in life.fills)
    scale = life.place.instrument.scale
    stated = translate.order_of(
        last._replace(
            filled_quantity=filled, average_price=value / filled / scale if filled else 0.0, notify_id=0
        ),
        ORDER_ID,
    )
    desk.apply(desk.book.catch_up(stated, last.account, NOW))
    assert desk.order.status is END.get(life.status, OrderStatus.WORKING)
    assert desk.order.filled == filled
    assert abs(desk.order.filled_value - value) <= filled, "half a unit each at most"
    before = desk.state
    assert [
        one for one in desk.book.catch_up(stated, last.account, NOW) if isinstance(one, OrderFilled)
    ] == []
    desk.hear(*life.messages)
    assert desk.state[:5] == before[:5], "late messages are not told again"


def place(instrument: Instrument = SSI, quantity: int = 300, trigger: Trigger | None = None) -> PlaceOrder:
    price = 21_000 if instrument is SSI else 14_025
    return PlaceOrder("10000017", ORDER_ID, "s", instrument, Side.BUY, OrderType.LO, price, quantity, trigger)


def broker_of(order: PlaceOrder, **options: int) -> Broker:
    derivative = order.instrument.board is Board.DERIVATIVES
    return Broker(order, ACCOUNTS[derivative], "VNFE" if derivative else "VN", **options)


def test_a_fill_before_the_acknowledgement_says_that_the_order_stands() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.broker_id = "26061100012345"
    broker.match(21_000, 100)
    heard = desk.hear(*broker.life.messages)
    assert [type(one) for one in heard] == [OrderAccepted, OrderFilled]
    assert heard[0].broker_id == "26061100012345"


def test_a_fill_beyond_what_an_ended_order_states_waits() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.order("QU")
    broker.order("CL", cancelled=300)
    desk.hear(*broker.life.messages)
    broker.life.messages.clear()
    broker.match(21_000, 100)
    assert desk.hear(*broker.life.messages) == []
    assert desk.book.unsettled() == [(ORDER_ID, -100)]
    broker.order("FFPC", cancelled=200)
    assert [type(one) for one in desk.hear(broker.life.messages[-1])] == [OrderFilled]
    assert desk.book.unsettled() == []


def test_two_fills_that_look_alike_are_two() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.match(21_000, 100)
    broker.match(21_000, 100)
    desk.hear(*broker.life.messages, *broker.life.messages)
    assert desk.order.filled == 200


def test_a_fill_without_an_id_is_left_to_a_query() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.match(21_000, 100)
    (heard,) = desk.hear(broker.life.messages[0]._replace(notify_id=0))
    assert isinstance(heard, UnknownMessage)
    broker.order("PF")
    desk.hear(broker.life.messages[-1])
    assert desk.book.unsettled() == [(ORDER_ID, 100)]


@pytest.mark.parametrize("code", ["PD", "PAS", "CPL", "", "XX"])
def test_an_unknown_status_is_reported_and_changes_nothing(code: str) -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.order("QU")
    broker.order(code)
    heard = desk.hear(*broker.life.messages)
    assert [type(one) for one in heard] == [OrderAccepted, UnknownMessage]
    assert heard[1].order_id == ORDER_ID
    assert desk.order.status is OrderStatus.WORKING


def test_somebody_elses_request_id_does_not_move_our_order() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.order("QU")
    event = broker.life.messages[0]
    for change in ({"instrument_id": "FPT"}, {"buy_sell": "S"}, {"account": "1184418"}):
        (heard,) = desk.hear(event._replace(order_id=f"9{len(change)}", **change))
        assert isinstance(heard, ForeignOrder)
    yesterday = event._replace(input_time=event.input_time - 86_400_000, order_id="8")
    (heard,) = desk.hear(yesterday)
    assert isinstance(heard, ForeignOrder)
    assert desk.order.status is OrderStatus.SUBMITTED


def test_the_temporary_id_gives_way_to_the_lasting_one() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.order("IAV")
    first = desk.hear(broker.life.messages[0])
    assert first == [OrderAccepted(ORDER_ID, first[0].ns, "T20260611abc10000017", waiting=True)]
    broker.broker_id = "26061100012345"
    broker.order("QU")
    desk.hear(broker.life.messages[1])
    assert desk.order.broker_id == "26061100012345"
    assert desk.order.status is OrderStatus.WORKING
    desk.hear(broker.life.messages[0])
    assert desk.order.broker_id == "26061100012345"


def test_a_rejected_amendment_in_an_order_event_leaves_the_order_standing() -> None:
    desk, broker = Desk(place()), broker_of(place())
    desk.ask(AmendOrder("10000025", ORDER_ID, "s", SSI, 20_900))
    broker.order("QU")
    broker.order("RJ", unique_id="10000025", reject_reason="Invalid market status")
    heard = desk.hear(*broker.life.messages)
    assert heard[1:] == [RequestRefused("10000025", ORDER_ID, heard[1].ns, "Invalid market status")]
    assert desk.order.status is OrderStatus.WORKING


def test_an_amendment_that_changes_nothing_is_told_once() -> None:
    desk, broker = Desk(place()), broker_of(place())
    desk.ask(AmendOrder("10000025", ORDER_ID, "s", SSI, 20_900))
    broker.order("QU")
    broker.cause = "10000025"
    broker.order("QU")
    broker.order("QU")
    heard = desk.hear(*broker.life.messages)
    assert [type(one) for one in heard] == [OrderAccepted, OrderAmended]


def test_a_price_changed_in_the_brokers_app_is_told() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.order("QU")
    broker.life.price = 20_950
    broker.cause = "555"
    broker.order("QU")
    heard = desk.hear(*broker.life.messages)
    assert heard[1] == OrderAmended(ORDER_ID, heard[1].ns, 20_950, 300, "")


def test_a_request_id_is_used_once() -> None:
    desk = Desk(place())
    assert not desk.book.register.placed(place())
    assert not desk.book.register.asked(CancelOrder("10000017", ORDER_ID, "s", SSI))


STOP = Trigger(TriggerKind.UP, 14_050)


@given(st.data())
def test_a_stop_order_and_the_order_that_it_becomes(data: st.DataObject) -> None:
    order = place(VN30, 3, STOP)
    broker = broker_of(order)
    broker.broker_id = "26061100000001"
    broker.order("SOI")
    broker.order("SOS")
    broker.broker_id = "26061100000002"
    child = {"orig_order_id": "26061100000001", "orig_request_id": "", "unique_id": "77"}
    broker.order("QU", **child)
    broker.filled = 0
    broker.match(14_051, 3)
    broker.order("FF", **child)
    messages = broker.life.messages
    in_order = Desk(order)
    heard = in_order.hear(*messages)
    kinds = [type(one) for one in heard if not isinstance(one, ForeignOrder)]
    assert kinds[:2] == [OrderAccepted, OrderTriggered]
    assert in_order.order.status is OrderStatus.FILLED
    desk = Desk(order)
    desk.hear(*data.draw(st.permutations(messages)))
    assert desk.state[:6] == in_order.state[:6]
    assert desk.book.register.orders[ORDER_ID].broker_id == "26061100000002"


def test_an_exit_that_comes_from_an_entry_is_not_its_fill() -> None:
    order = place(VN30, 3, Trigger(TriggerKind.BULL_BEAR, 0, 0, 20, 20))
    desk, broker = Desk(order), broker_of(order)
    broker.broker_id = "26061100000001"
    broker.order("QU")
    broker.broker_id = "26061100000002"
    broker.order("QU", orig_order_id="26061100000001", buy_sell="S", orig_request_id="", unique_id="")
    heard = desk.hear(*broker.life.messages)
    assert isinstance(heard[-1], ForeignOrder)
    assert heard[-1].order.parent == "26061100000001"


def test_errors_of_the_short_form() -> None:
    desk = Desk(place())
    error = OrderErrorEvent(
        5, "Price 1,600.00 exceeds ceiling price 808.50!", "ERR500", "10000017", "", "", "", "", "", "",
        "", "", 0.0, 0, 0, 0, {},
    )  # fmt: skip
    heard = desk.hear(error, error)
    assert heard == [OrderRejected(ORDER_ID, NOW, "Price 1,600.00 exceeds ceiling price 808.50!")]
    (foreign,) = desk.hear(error._replace(unique_id="02365132"))
    assert isinstance(foreign, UnknownMessage)


def test_what_is_not_known_is_kept_as_it_came() -> None:
    desk = Desk(place())
    heard = desk.hear(
        UnknownEvent(1, "newEvent", "its type is not known", '{"type":"newEvent"}'),
        EventDecoder().decode(
            '{"type":"fcoEvent","data":{"fcoId":"9","notifyID":2,"uniqueID":"10000017","processStatus":"P"}}'
        ),
    )
    assert [type(one) for one in heard] == [UnknownMessage, UnknownMessage]
    assert heard[0].text == '{"type":"newEvent"}'
    assert "fcoId" in heard[1].text
    assert heard[1].reason == "a conditional order changed: 9, P"
    assert heard[1].order_id == ORDER_ID


@given(
    st.builds(
        OrderEvent,
        *(
            [st.integers(-(2**63), 2**63)]
            + [st.sampled_from(["", "10000017", "T1", "VN", "SSI", "B", "QU", "é"])] * 8
        ),
        st.floats(allow_nan=False, allow_infinity=False),
        *([st.integers(-(2**63), 2**63)] * 4),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["QU", "FF", "CL", "RJ", "zz"]),
        st.text(max_size=5),
        *([st.integers(0, 10**19)] * 2),
        st.just("TA"),
        st.sampled_from(["", "10000017"]),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["", "D", "?"]),
        st.just(0.0),
        st.just(0.0),
        st.just({}),
    )
)
def test_nothing_that_decodes_raises(event: OrderEvent) -> None:
    desk = Desk(place())
    desk.book.hear(event, NOW)
    ours = event._replace(
        order_id="1", orig_request_id="10000017", account="", instrument_id="SSI", buy_sell="B",
        input_time=OPENING,
    )  # fmt: skip
    heard = desk.book.hear(ours, NOW)
    assert all(not isinstance(one, OrderFilled) for one in heard)
    match = MatchEvent(
        event.notify_id, "1", "10000017", "", "SSI", "B", event.price, event.quantity, OPENING, {}
    )
    desk.book.hear(match, NOW)


def test_the_order_life_names_its_cancel() -> None:
    desk, broker = Desk(place()), broker_of(place())
    desk.ask(CancelOrder("10000033", ORDER_ID, "s", SSI))
    broker.order("QU")
    broker.cause = "10000033"
    broker.order("CL", cancelled=300)
    heard = desk.hear(*broker.life.messages)
    assert heard[-1] == OrderCancelled(ORDER_ID, heard[-1].ns, "10000033")


def test_standing_keeps_swept_fills_over_a_restart() -> None:
    desk, broker = Desk(place()), broker_of(place())
    broker.match(21_000, 100)
    broker.order("PF")
    match, partial = broker.life.messages
    desk.hear(partial)
    stated: BrokerOrder = translate.order_of(partial, ORDER_ID)
    desk.apply(desk.book.catch_up(stated, ACCOUNTS[0], NOW))
    assert desk.order.filled == 100
    assert Standing.adopted(desk.order).matched == 0
    desk.book = Book(ACCOUNTS)
    desk.book.register.adopt([desk.order])
    desk.hear(match)
    assert desk.order.filled == 100
