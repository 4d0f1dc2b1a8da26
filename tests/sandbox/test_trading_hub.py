"""Ids, the log of the day, and replay."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.brokers.fctrading.decode import EventDecoder
from algo.fastconnect.signalr import Invocation, Opened, SignalR
from algo.sandbox.hub_connection import Connection
from algo.sandbox.service import Service
from tests.sandbox.desk import DAY, Client, Desk, service, texts


def market(people: int = 1, **options) -> tuple[Desk, Service, list[Client]]:
    desk = Desk(people)
    found = service(desk, people, **options)
    clients = [Client(found, n) for n in range(people)]
    for client in clients:
        client.sign_in()
    return desk, found, clients


def ids(frames: list[str]) -> list[int]:
    return [event["data"]["notifyID"] for event in texts(frames)]


def orders(client: Client, first: int, count: int) -> None:
    for n in range(first, first + count):
        assert client.place(client.order(str(n)))["status"] == 200
        client.service.publish()


@settings(max_examples=30)
@given(st.integers(0, 4), st.integers(0, 4), st.integers(-3, 400))
def test_a_replay_is_what_was_told_from_an_id_on_and_then_what_comes(
    before: int, after: int, start: int
) -> None:
    _, found, (client,) = market()
    from_the_first = client.connect("-1")
    orders(client, 1, before)
    late = client.connect(str(start))
    replay = ids(late.frames())
    orders(client, 100, after)
    everything = ids(from_the_first.frames())
    told = everything[: len(everything) - 3 * after]
    assert replay == ([number for number in told if number >= start] if start >= 0 else [])
    assert ids(late.frames()) == everything[len(told) :]
    assert everything == sorted(set(everything))
    assert found.trading.last_id_of("consumer-0") == (everything[-1] if everything else 0)


@pytest.mark.parametrize("header", ["", "x", "1.5", "--1", "9" * 40])
def test_a_strange_notify_id_means_live_only(header: str) -> None:
    _, _, (client,) = market()
    orders(client, 1, 2)
    assert ids(client.connect(header).frames()) == []


def test_without_the_header_nothing_is_replayed() -> None:
    _, found, (client,) = market()
    orders(client, 1, 2)
    token = client.answer(client.negotiate())["ConnectionToken"]
    connection = found.connect(client.upgrade(token), client.wall)
    assert ids(connection.frames()) == []


def test_everybody_hears_of_their_own_and_the_counter_is_shared() -> None:
    _, _, (one, two) = market(2)
    first, second = one.connect("0"), two.connect("0")
    for n in range(5):
        orders(one, n + 1, 1), orders(two, n + 1, 1)
    mine, theirs = texts(first.frames()), texts(second.frames())
    assert {event["data"]["account"] for event in mine} == {one.equity}
    assert {event["data"]["account"] for event in theirs} == {two.equity}
    numbers = [event["data"]["notifyID"] for event in mine + theirs]
    assert len(set(numbers)) == len(numbers)
    assert max(b - a for a, b in pairwise(numbers)) > 1, "there are gaps"


def test_ids_and_the_log_begin_anew_every_day() -> None:
    desk, found, (client,) = market()
    orders(client, 1, 30)
    yesterday = ids(client.connect("0").frames())
    live = client.connect("-1")
    live.frames()
    desk.start(DAY + timedelta(1))
    # All that is told of the new day so far is the end of yesterday's orders.
    replay = texts(client.connect("0").frames())
    assert [event["data"]["orderStatus"] for event in replay] == ["EX"] * 30
    orders(client, 1, 1)
    today = ids(live.frames())
    assert len(today) == 33
    assert today[0] < yesterday[-1]
    assert ids(client.connect("0").frames()) == today
    assert found.trading.last_id == today[-1]


def test_a_day_without_a_word_replays_nothing() -> None:
    desk, _, (client,) = market()
    orders(client, 1, 1)
    order_id = client.data("Trading/orderBook", account=client.equity)["orders"][0]["orderID"]
    client.cancel("2", order_id)
    assert ids(client.connect("0").frames())
    desk.start(DAY + timedelta(1))
    assert ids(client.connect("0").frames()) == []


def test_what_was_not_told_yet_belongs_to_the_replay_and_to_its_day() -> None:
    desk, found, (client,) = market()
    client.place(client.order("1"))
    late = client.connect("-1")
    assert len(ids(client.connect("0").frames())) == 3
    found.publish()
    assert ids(late.frames()) == [], "it happened before somebody came"
    client.place(client.order("2"))
    desk.start(DAY + timedelta(1))
    replay = texts(client.connect("0").frames())
    assert [event["data"]["orderStatus"] for event in replay] == ["EX", "EX"]


def test_orders_that_end_with_the_day_belong_to_the_new_one() -> None:
    """Several days may pass between two looks at what the world says: each statement counts by its time."""
    desk, found, (client,) = market()
    live = client.connect("0")
    client.place(client.order("1"))
    for later in (1, 2):
        desk.start(DAY + timedelta(later))
        client.place(client.order("1"))
    found.publish()
    events = texts(live.frames())
    numbers = [event["data"]["notifyID"] for event in events]
    falls = sum(b < a for a, b in pairwise(numbers))
    assert falls == 2
    last_day = texts(client.connect("0").frames())
    assert last_day == events[-len(last_day) :]


def test_the_same_seed_gives_the_same_ids() -> None:
    found = []
    for seed in (5, 5, 6):
        _, _, (client,) = market(seed=seed)
        orders(client, 1, 5)
        found.append(ids(client.connect("0").frames()))
    assert found[0] == found[1] != found[2]


def test_replays_share_their_frames_and_are_not_cut_off() -> None:
    _, _, (client,) = market(most_waiting=5)
    orders(client, 1, 200)
    one, two = client.connect("0"), client.connect("0")
    first, second = one.frames(), two.frames()
    assert not one.closed
    assert len(ids(first)) == 600
    assert all(len(json.loads(frame)["M"]) <= 100 for frame in first)
    assert sum(a is b for a, b in zip(first, second, strict=True)) >= 6


def test_all_connections_get_one_and_the_same_text() -> None:
    _, _, (client,) = market()
    connections = [client.connect("-1") for _ in range(10)]
    for connection in connections:
        connection.frames()
    orders(client, 1, 1)
    frames = [connection.frames() for connection in connections]
    assert all(one[0] is frames[0][0] for one in frames)


def test_a_stalled_connection_is_cut_off_without_harm_to_the_rest() -> None:
    _, found, (client,) = market(most_waiting=20)
    well, stalled = client.connect("-1"), client.connect("-1")
    woken: list[str] = []
    stalled.on_ready = lambda: woken.append("closed" if stalled.closed else "ready")
    stalled.frames()
    heard = []
    for n in range(50):
        orders(client, n + 1, 1)
        heard += ids(well.frames())
    assert stalled.closed
    assert woken == ["ready", "closed"]
    assert stalled.frames() == []
    assert not well.closed
    assert heard == ids(client.connect("0").frames())
    found.keep_alive(client.wall)


def test_a_reconnect_goes_on_after_the_last_frame() -> None:
    _, found, (client,) = market()
    token = client.answer(client.negotiate())["ConnectionToken"]
    connection = found.connect(client.upgrade(token, notify="0"), client.wall)
    orders(client, 1, 2)
    seen = connection.frames()
    cursor = json.loads(seen[-1])["C"]
    connection.lost()
    orders(client, 3, 2)
    again = found.connect(client.upgrade(token, "reconnect", messageId=cursor), client.wall)
    assert isinstance(again, Connection)
    missed = again.frames()
    assert not any('"S":1' in frame for frame in missed)
    assert ids(seen) + ids(missed) == ids(client.connect("0").frames())
    orders(client, 5, 1)
    assert len(ids(again.frames())) == 3


@pytest.mark.parametrize("cursor", ["", "x", "d-20260609-99999", "d-20260609--1", "d-20260609-", "d--"])
def test_a_reconnect_from_nowhere_is_live_only(cursor: str) -> None:
    _, found, (client,) = market()
    orders(client, 1, 2)
    token = client.answer(client.negotiate())["ConnectionToken"]
    again = found.connect(client.upgrade(token, "reconnect", messageId=cursor), client.wall)
    assert ids(again.frames()) == []


def test_what_goes_wrong_live_is_whole_in_a_replay() -> None:
    _, found, (client,) = market()
    found.trading.spoil = lambda _consumer_id, entries: [entries[0], entries[0], *reversed(entries[2:])]
    live = client.connect("-1")
    orders(client, 1, 1)
    spoilt, whole = ids(live.frames()), ids(client.connect("0").frames())
    assert spoilt == [whole[0], whole[0], whole[2]]
    assert len(whole) == 3


def test_ids_can_be_left_out_and_begun_anew() -> None:
    _, found, (client,) = market()
    live = client.connect("-1")
    orders(client, 1, 1), found.trading.skip(1000), orders(client, 2, 1), found.trading.restart_ids()
    orders(client, 3, 1)
    numbers = ids(live.frames())
    assert numbers[3] - numbers[2] > 1000
    assert numbers[6] < numbers[3]
    assert ids(client.connect("0").frames()) == numbers
    assert ids(client.connect(str(numbers[3])).frames()) == numbers[3:6]


def test_errors_may_come_without_an_id() -> None:
    _, found, (client,) = market()
    found.trading.errors_unnumbered = True
    orders(client, 1, 1)
    client.place(client.order("2", price=90_000.0)), found.publish()
    events = texts(client.connect("0").frames())
    assert [event["data"]["notifyID"] == 0 for event in events] == [
        event["type"] == "orderError" for event in events
    ]
    assert found.trading.last_id_of("consumer-0") == events[-1]["data"]["notifyID"] > 0
    assert 0 not in ids(client.connect("2").frames())


def test_a_warning_goes_to_the_clients_method_for_errors() -> None:
    _, found, (client,) = market()
    live = client.connect("-1")
    live.frames()
    found.trading.warn("consumer-0", "Connection has been blocked, quota 5 exceeded by 1")
    message = json.loads(live.frames()[0])["M"][0]
    assert (message["H"], message["M"]) == ("BroadcastHubV2", "Error")
    assert message["A"] == ["Connection has been blocked, quota 5 exceeded by 1"]


def test_our_own_stream_machine_reads_the_server() -> None:
    _, found, (client,) = market()
    orders(client, 1, 2)
    machine = SignalR("http://x", "BroadcastHubV2")
    answer = client.negotiate()
    handshake = machine.negotiated(answer.status, answer.body)
    connection = found.connect(client.upgrade(handshake.token, notify="0"), client.wall)
    events = [event for frame in connection.frames() for event in machine.receive(frame)]
    assert isinstance(events[0], Opened)
    calls = [event for event in events if isinstance(event, Invocation)]
    decoder = EventDecoder()
    assert [decoder.decode(call.arguments[0]).notify_id for call in calls] == ids(
        client.connect("0").frames()
    )
    for _ in range(12):
        client.wall += 1.0
        found.keep_alive(client.wall)
    assert connection.frames() == ["{}"]
