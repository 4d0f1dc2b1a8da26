"""The texts of the stream: keys and types of live servers, and what our own adapter makes of them."""

from __future__ import annotations

import json

from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import MatchEvent, OrderErrorEvent, OrderEvent, PortfolioEvent
from algo.brokers.fctrading.statuses import STATUSES as KNOWN
from algo.brokers.paper.statements import RequestFailed, Stage
from algo.model import OrderStatus, Side
from algo.sandbox.order_queries import STATUSES
from algo.sandbox.trading_events import event_text
from tests.sandbox.desk import DERIVATIVES, EQUITY, FUTURE, Client, Desk, service, texts
from tests.sandbox.shapes import differences


def told(desk: Desk, work) -> list:
    """The texts of what happens in `work`, live."""
    found = service(desk)
    client = Client(found)
    client.sign_in()
    connection = client.connect("-1")
    work(client)
    found.publish()
    return texts(connection.frames())


def a_day(desk: Desk):
    def work(client: Client) -> None:
        client.place(client.order("1", price=30_100.0, quantity=500)), desk.fill(30_100, 200)
        order_id = client.data("Trading/orderBook", account=EQUITY)["orders"][0]["orderID"]
        client.cancel("2", order_id), client.cancel("3", order_id)
        client.place(client.contract("4")), desk.fill(19_000, 2)
        client.place(client.contract("5", price=9_000.0))
        client.place(client.contract("6", stopOrder=True, stopType="D", stopPrice=1880.0, buySell="S"))
        client.place(client.contract("7", buySell="S", price=1899.0)), desk.fill(18_990, 2)

    return work


def test_keys_and_types_are_those_of_live_servers(samples: dict) -> None:
    desk = Desk()
    wanted = {
        "orderEvent": samples["order_event_live"],
        "orderMatchEvent": samples["match_event"],
        "orderError": samples["order_error_long"],
        "clientPortfolioEvent": samples["portfolio_event"],
    }
    found = told(desk, a_day(desk))
    assert {event["type"] for event in found} == set(wanted)
    for event in found:
        assert differences(event, wanted[event["type"]]) == [], event["type"]


def test_our_adapter_reads_every_event_and_finds_nothing_new() -> None:
    desk = Desk()
    decoder = EventDecoder()
    events = [decoder.decode(json.dumps(event)) for event in told(desk, a_day(desk))]
    assert {type(event) for event in events} == {OrderEvent, MatchEvent, OrderErrorEvent, PortfolioEvent}
    assert not decoder.news, decoder.told()
    ids = [event.notify_id for event in events]
    assert ids == sorted(set(ids))


def test_the_life_of_an_order_as_it_is_told() -> None:
    desk = Desk()
    found = told(desk, a_day(desk))
    life = [event["data"] for event in found if event["data"].get("instrumentID") == "SSI"]
    states = [one["orderStatus"] for one in life if "orderStatus" in one]
    assert states == ["RS", "SD", "QU", "PF", "WC", "FFPC"]
    first, last = life[0], [one for one in life if "orderStatus" in one][-1]
    assert first["orderID"].startswith("T20260609")
    assert first["orderID"].endswith("00000001")
    assert first["uniqueID"] == "1"
    assert (last["uniqueID"], last["origRequestID"], last["lastAction"]) == ("2", "1", "CANCEL_ORDER")
    assert (last["filledQty"], last["cancelQty"], last["osQty"], last["avgPrice"]) == (200, 300, 0, 30_100.0)
    assert len({one["orderID"] for one in life[2:]}) == 1
    errors = [event["data"] for event in found if event["type"] == "orderError"]
    assert [(one["uniqueID"], one["errorCode"]) for one in errors] == [("3", "ORD012"), ("5", "ORD003")]
    assert errors[0]["orderID"] == last["orderID"]


def test_quantities_always_add_up() -> None:
    desk = Desk()
    for event in told(desk, a_day(desk)):
        data = event["data"]
        if event["type"] == "orderEvent" and data["orderStatus"] not in ("RJ", "SOS", "EX"):
            assert data["osQty"] == data["quantity"] - data["filledQty"] - data["cancelQty"]


def test_positions_are_told_after_each_fill_of_contracts() -> None:
    desk = Desk()
    found = told(desk, a_day(desk))
    stated = [event["data"] for event in found if event["type"] == "clientPortfolioEvent"]
    assert {one["account"] for one in stated} == {DERIVATIVES}
    # All is told at once here, so the positions are those of the end.
    assert all(one["clientPortfoliosOpen"] == [] for one in stated)
    closed = stated[-1]["clientPortfoliosClose"]
    assert [(one["martketID"], one["instrumentID"], one["net"]) for one in closed] == [("VNFE", FUTURE, 0)]


def test_an_error_about_no_order_is_short(samples: dict) -> None:
    failed = RequestFailed(0, EQUITY, "02365132", "", "Price 1,600.00 exceeds ceiling price 808.50!", None)
    found = json.loads(event_text(failed, 7, Desk()))
    assert differences(found, samples["order_error_short"]) == []
    assert found["data"]["errorCode"] == "ERR500"
    assert isinstance(EventDecoder().decode(json.dumps(found)), OrderErrorEvent)


def test_every_stage_has_a_code_that_means_the_same_to_our_adapter() -> None:
    over = {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED}
    for stage in Stage:
        known = KNOWN[STATUSES[stage]]
        if stage is not Stage.STOP_SENT:
            assert (known.status in over) is stage.over, stage


def test_an_order_by_hand_shows_its_channel() -> None:
    from algo.brokers.paper.statements import NewOrder
    from algo.model import OrderType

    desk = Desk()

    def by_hand(_client: Client) -> None:
        desk.place(
            NewOrder(EQUITY, "9", desk.instruments["FPT"], Side.BUY, OrderType.LO, 99_000, 100, channel="IM")
        )

    assert {event["data"]["channel"] for event in told(desk, by_hand)} == {"IM"}
