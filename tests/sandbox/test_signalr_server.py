"""The handshake as each official client makes it, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import AuthError
from algo.fastconnect.signalr import SignalR
from algo.sandbox.hub_connection import Connection
from algo.sandbox.messages import Request, Response
from tests.sandbox.desk import WALL, Client, service, texts
from tests.sandbox.shapes import differences

BASE = "/v2.0/signalr"


@pytest.fixture
def client() -> Client:
    found = Client(service())
    found.sign_in()
    found.place(found.order("1"))
    found.service.publish()
    return found


def token(client: Client, protocol: str = "1.3") -> str:
    return client.answer(client.negotiate(protocol))["ConnectionToken"]


def connected(client: Client, request: Request) -> Connection:
    found = client.service.connect(request, client.wall)
    assert isinstance(found, Connection), found
    return found


def refused(client: Client, request: Request) -> Response:
    found = client.service.connect(request, client.wall)
    assert isinstance(found, Response)
    return found


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_negotiation_has_the_keys_of_the_sample(client: Client, samples: dict, method: str) -> None:
    answer = client.negotiate(method=method)
    assert answer.status == 200
    assert answer.content_type == "application/json; charset=UTF-8"
    found = client.answer(answer)
    assert differences(found, samples["negotiate"]) == []
    assert found["Url"] == BASE
    assert quote(found["ConnectionToken"], safe="") == found["ConnectionToken"], "it is safe in an address"
    assert client.answer(client.negotiate())["ConnectionId"] != found["ConnectionId"]


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("1.3", "1.3"), ("1.5", "1.5"), ("2.1", "2.0"), ("2.0", "2.0"), ("1.0", "1.2"), ("", "1.2"),
     ("x", "1.2"), ("9", "2.0"), ("1.10", "1.10"), ("٣.١", "1.2")],
)  # fmt: skip
def test_the_protocol_is_the_clients_within_bounds(client: Client, asked: str, spoken: str) -> None:
    assert client.answer(client.negotiate(asked))["ProtocolVersion"] == spoken


def test_python_connects_and_is_told_at_once(client: Client) -> None:
    connection = connected(client, client.upgrade(token(client), notify="0"))
    first, *rest = connection.frames()
    assert json.loads(first) == {"C": json.loads(first)["C"], "S": 1, "M": []}
    assert first.startswith('{"C":"d-')
    assert len(texts(rest)) == 3
    frame = json.loads(rest[0])
    assert list(frame) == ["C", "M"]
    for message in frame["M"]:
        assert list(message) == ["H", "M", "A"]
        assert (message["H"], message["M"]) == ("BroadcastHubV2", "Broadcast")
        assert len(message["A"]) == 1
        assert isinstance(message["A"][0], str)


def test_java_names_no_protocol_and_no_notify_id_at_connect(client: Client) -> None:
    found = client.answer(client.negotiate())
    data = '[{"name":"broadcasthubv2"}]'
    query = {"transport": "webSockets", "connectionToken": found["ConnectionToken"], "connectionData": data}
    query |= {"connectionId": found["ConnectionId"], "access_token": client.token}
    connection = connected(client, Request("GET", f"{BASE}/connect", tuple(query.items()), {}))
    assert texts(connection.frames()) == []
    client.place(client.order("2"))
    client.service.publish()
    assert len(texts(connection.frames())) == 3


def test_dotnet_is_told_only_after_its_start(client: Client) -> None:
    name = token(client, "2.1")
    extra = {"clientProtocol": "2.1", "connectionData": '[{"Name":"BroadcastHubV2"}]'}
    connection = connected(client, client.upgrade(name, notify="0", **extra))
    assert texts(connection.frames()) == []
    client.place(client.order("2"))
    client.service.publish()
    assert connection.frames() == [], "nothing before the start"
    start = client.service.handle(client.upgrade(name, "start", notify="0", **extra), WALL)
    assert (start.status, json.loads(start.body)) == (200, {"Response": "started"})
    assert start.body == b'{ "Response": "started" }'
    assert len(texts(connection.frames())) == 6
    client.service.handle(client.upgrade(name, "start", notify="0", **extra), WALL)
    assert connection.frames() == [], "a second start replays nothing"


def test_the_start_of_dotnet_may_leave_the_notify_id_to_connect(client: Client) -> None:
    name = token(client, "2.1")
    connection = connected(client, client.upgrade(name, notify="0", clientProtocol="2.1"))
    client.service.handle(client.upgrade(name, "start", clientProtocol="2.1"), WALL)
    assert len(texts(connection.frames())) == 3


def test_nodes_start_carries_an_upgrade_and_is_answered(client: Client) -> None:
    name = token(client)
    connection = connected(client, client.upgrade(name, notify="0"))
    connection.frames()
    request = client.upgrade(name, "start")
    request = replace(request, headers={"upgrade": "websocket", "connection": "Upgrade"})
    answer = refused(client, request)
    assert (answer.status, json.loads(answer.body)["Response"]) == (200, "started")
    assert not connection.closed
    assert connection.frames() == []


def test_node_uses_a_connection_token_again(client: Client) -> None:
    name = token(client)
    first = connected(client, client.upgrade(name, notify="-1"))
    second = connected(client, client.upgrade(name, notify="0", tid="10"))
    assert first.closed, "the newer one takes its place"
    assert len(texts(second.frames())) == 3
    client.place(client.order("2"))
    client.service.publish()
    assert len(texts(second.frames())) == 3


@pytest.mark.parametrize("times", [1, 2, 3])
def test_an_address_that_was_encoded_more_than_once_is_read(client: Client, times: int) -> None:
    name, data = token(client), '[{"name": "BroadcastHubV2"}]'
    for _ in range(times):
        name, data = quote(name, safe=""), quote(data, safe="")
    connected(client, client.upgrade(name, connectionData=data))


def test_a_ping_and_an_abort_need_nobody(client: Client) -> None:
    answer = client.service.handle(Request("GET", f"{BASE}/ping"), WALL)
    assert answer.body == b'{ "Response": "pong" }'
    name = token(client)
    connection = connected(client, client.upgrade(name))
    query = (("transport", "serverSentEvents"), ("connectionToken", name))
    assert client.service.handle(Request("POST", f"{BASE}/abort", query), WALL).status == 200
    assert connection.closed
    assert client.service.handle(Request("POST", f"{BASE}/abort"), WALL).status == 200


def test_nobody_ends_a_connection_by_its_id_alone(client: Client) -> None:
    name = token(client)
    connection = connected(client, client.upgrade(name))
    query = (("connectionToken", name.partition(".")[0]),)
    client.service.handle(Request("POST", f"{BASE}/abort", query), WALL)
    assert not connection.closed


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic x"])
def test_the_unauthorised_get_an_empty_401(client: Client, header: str) -> None:
    name = token(client)
    for action in ("negotiate", "connect", "reconnect"):
        request = replace(client.upgrade(name, action), headers={"authorization": header})
        answer = refused(client, request)
        assert (answer.status, answer.body) == (401, b"")
    machine = SignalR("http://x", "BroadcastHubV2")
    with pytest.raises(AuthError):
        machine.negotiated(answer.status, answer.body)


def test_an_ended_token_is_unauthorised(client: Client) -> None:
    name = token(client)
    client.service.identity.expire()
    assert refused(client, client.upgrade(name)).status == 401


def test_a_token_for_data_is_none_for_trading(client: Client) -> None:
    name = token(client)
    client.token = client.service.identity.data_token("consumer-0", "planted-secret-0", WALL)
    assert refused(client, client.upgrade(name)).status == 401
    assert client.answer(client.get("Trading/orderBook", account=client.equity))["status"] == 401


def test_a_missing_connection_token(client: Client) -> None:
    answer = refused(client, client.upgrade(""))
    assert (answer.status, answer.body) == (400, b"Protocol error: Missing connection token.")


def test_a_connection_does_not_change_hands() -> None:
    found = service(people=2)
    one, two = Client(found, 0), Client(found, 1)
    one.sign_in(), two.sign_in()
    name = token(one)
    assert refused(two, two.upgrade(name)).status == 403
    connection = connected(one, one.upgrade(name, clientProtocol="2.0"))
    assert found.handle(two.upgrade(name, "start"), WALL).status == 403
    assert not connection.joined


@given(st.text(max_size=100), st.integers(0, 80))
def test_a_token_that_was_not_given_opens_nothing(text: str, place: int) -> None:
    client = Client(service())
    client.sign_in()
    real = token(client)
    for forged in (text, real[:place] + "x" + real[place + 1 :], real[:place]):
        if forged != real:
            assert refused(client, client.upgrade(forged)).status in (400, 403)


@pytest.mark.parametrize(
    "data", ["x", "[]", "{}", "[1]", "null", '[{"x":1}]', '[{"name":1}]', '[{"name":"Nothing"}]', "[" * 9999]
)
def test_connection_data_that_names_no_hub_is_refused(client: Client, data: str) -> None:
    answer = refused(client, client.upgrade(token(client), connectionData=data))
    assert answer.status == 400
    query = (("connectionData", data),)
    headers = {"authorization": f"Bearer {client.token}"}
    assert client.service.handle(Request("GET", f"{BASE}/negotiate", query, headers), WALL).status == 400


@pytest.mark.parametrize("transport", ["serverSentEvents", "longPolling", "foreverFrame", "x"])
def test_other_transports_are_unknown(client: Client, transport: str) -> None:
    answer = refused(client, client.upgrade(token(client), transport=transport))
    assert (answer.status, answer.body) == (400, b"Protocol error: Unknown transport.")
    request = client.upgrade(token(client))
    assert client.service.handle(request, WALL).status == 400, "no upgrade, no WebSocket"


@pytest.mark.parametrize("path", [f"{BASE}/hubs", f"{BASE}/", "/signalr/negotiate", BASE])
def test_there_is_nothing_else(client: Client, path: str) -> None:
    assert client.service.handle(Request("GET", path), WALL).status == 404


# Frames


def test_silence_is_broken_every_ten_seconds(client: Client) -> None:
    connection = connected(client, client.upgrade(token(client)))
    spoken = []
    for second in range(45):
        client.service.keep_alive(WALL + second)
        if connection.frames() == ["{}"]:
            spoken.append(second)
        if second == 25:
            client.place(client.order("2"))
            client.service.publish()
            connection.frames()
    gaps = [b - a for a, b in pairwise([0, *spoken])]
    assert gaps[0] == 10
    assert max(gaps) <= 16, "what was said at 25 s counts"
    assert len(spoken) == 3


def test_the_server_knows_what_is_gone(client: Client) -> None:
    connection = connected(client, client.upgrade(token(client)))
    connection.lost()
    client.service.keep_alive(WALL)
    client.place(client.order("2"))
    client.service.publish()
    assert connection.frames() == []


@pytest.mark.parametrize(
    ("hub", "method", "number", "error"),
    [
        ("BroadcastHubV2", "Nothing", 0, "'Nothing' method could not be resolved."),
        ("broadcasthubv2", "x", "7", "'x' method could not be resolved."),
        ("Other", "x", 1, "'Other' Hub could not be resolved."),
        (None, "x", 2, "'None' Hub could not be resolved."),
        ("BroadcastHubV2", None, 3, "'' method could not be resolved."),
    ],
)
def test_what_cannot_be_called_is_an_error_with_the_number_of_the_call(
    client: Client, hub: str | None, method: str | None, number: int | str, error: str
) -> None:
    connection = connected(client, client.upgrade(token(client)))
    connection.frames()
    connection.receive(json.dumps({"H": hub, "M": method, "A": [], "I": number}), WALL)
    assert [json.loads(frame) for frame in connection.frames()] == [{"I": str(number), "E": error}]


@pytest.mark.parametrize("text", ["", "x", "[]", "1", "{", "[" * 9999, json.dumps({"A": "x" * 70_000})])
def test_rubbish_from_a_client_ends_its_connection_and_no_other(client: Client, text: str) -> None:
    well = connected(client, client.upgrade(token(client)))
    connection = connected(client, client.upgrade(token(client)))
    connection.receive(text, WALL)
    assert connection.closed
    assert not well.closed
    connection.receive("{}", WALL)
