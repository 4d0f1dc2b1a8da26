"""The market data side of the service: its own sign-in, its own limit, its hub through the same handshake."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from algo.sandbox.hub_connection import Connection
from algo.sandbox.messages import Request
from algo.sandbox.quota import RateRule
from tests.sandbox.desk import WALL, Client, service

HUB = "FcMarketDataV2Hub"
ROOT = "/api/v2/Market"


@pytest.fixture
def client() -> Client:
    found = Client(service())
    found.token = sign_in(found)
    return found


def sign_in(client: Client) -> str:
    answer = client.answer(client.post(f"{ROOT}/AccessToken", client.credentials))
    assert list(answer) == ["message", "status", "data"]
    assert answer["status"] == 200
    return answer["data"]["accessToken"]


def listed(client: Client, **query: object) -> dict:
    return client.answer(client.send("GET", f"{ROOT}/Securities?{urlencode(query)}"))


def test_a_query_needs_a_token_for_data() -> None:
    client = Client(service())
    assert listed(client) == {"message": "Missing Authorization header", "status": 401}
    client.sign_in()
    assert listed(client)["status"] == 401, "a token for trading is none"
    client.token = sign_in(client)
    assert listed(client, market="HOSE", pageIndex=1, pageSize=10)["status"] == "Success"


def test_names_may_be_prefixed_and_slashes_doubled(client: Client) -> None:
    plain = listed(client, market="DER", pageIndex=1, pageSize=10)
    assert plain["totalRecord"] == 1
    query = urlencode(
        {"lookupRequest.market": "DER", "lookupRequest.pageIndex": 1, "lookupRequest.pageSize": 10}
    )
    assert client.answer(client.send("GET", f"//api/v2//Market/SECURITIES?{query}")) == plain


def test_a_key_has_a_limit_of_its_own() -> None:
    client = Client(service(data_rules=[RateRule("*", 1, 3)]))
    client.token = sign_in(client)
    answers = [client.send("GET", f"{ROOT}/Securities?market=HOSE&pageIndex=1&pageSize=10") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    client.sign_in()
    assert client.data("Trading/rateLimit"), "trading is counted apart"


@pytest.mark.parametrize("name", ["", "Nothing", "Securities/x"])
def test_an_unknown_path_is_not_found(client: Client, name: str) -> None:
    assert client.send("GET", f"{ROOT}/{name}").status == 404


def test_a_wrong_method_is_refused(client: Client) -> None:
    assert client.send("POST", f"{ROOT}/Securities").status == 405
    assert client.send("GET", f"{ROOT}/AccessToken").status == 405


def connect(client: Client, protocol: str = "1.5", action: str = "connect", **extra: str) -> Connection:
    answer = client.answer(client.negotiate(protocol, hub=HUB))
    assert answer["ProtocolVersion"] == protocol
    found = client.service.connect(
        client.upgrade(
            answer["ConnectionToken"],
            action,
            connectionData=json.dumps([{"name": HUB}]),
            clientProtocol=protocol,
            **extra,
        ),
        WALL,
    )
    assert isinstance(found, Connection)
    return found


def test_python_claims_a_newer_protocol_never_starts_and_is_served(client: Client) -> None:
    connection = connect(client)
    assert json.loads(connection.frames()[0])["S"] == 1
    connection.receive(json.dumps({"H": HUB, "M": "SwitchChannels", "A": ["X-TRADE:ALL"], "I": 0}), WALL)
    frames = [json.loads(frame) for frame in connection.frames()]
    assert frames[-1] == {"I": "0"}
    assert any("G" in frame for frame in frames)


def test_node_spells_the_hub_in_lower_case(client: Client) -> None:
    connection = connect(client)
    connection.receive(
        json.dumps({"H": HUB.lower(), "M": "SwitchChannels", "A": ["F: SSI-FPT"], "I": 1}), WALL
    )
    assert json.loads(connection.frames()[-1]) == {"I": "1"}


@pytest.mark.parametrize("arguments", [[], ["NOPE:ALL"], [1], ["X"], ["F:SSI", "X:ALL"]])
def test_a_channel_that_is_none_is_an_error_of_the_call(client: Client, arguments: list) -> None:
    connection = connect(client)
    connection.receive(json.dumps({"H": HUB, "M": "SwitchChannels", "A": arguments, "I": 5}), WALL)
    reply = json.loads(connection.frames()[-1])
    assert reply["I"] == "5"
    assert reply["E"]
    assert not connection.closed


def test_a_reconnect_brings_its_channels_in_the_groups_token(client: Client) -> None:
    connection = connect(client)
    connection.receive(json.dumps({"H": HUB, "M": "SwitchChannels", "A": ["F:SSI-FPT"], "I": 0}), WALL)
    groups = next(json.loads(frame)["G"] for frame in connection.frames() if '"G"' in frame)
    again = connect(client, action="reconnect", groupsToken=groups)
    again.receive(json.dumps({"H": HUB, "M": "SwitchChannels", "A": ["R:SSI"], "I": 0}), WALL)
    later = next(json.loads(frame)["G"] for frame in again.frames() if '"G"' in frame)
    assert set(groups.split(",")) < set(later.split(","))


def test_a_groups_token_that_is_none_is_refused(client: Client) -> None:
    name = client.answer(client.negotiate("1.5", hub=HUB))["ConnectionToken"]
    data = json.dumps([{"name": HUB}])
    request = client.upgrade(name, "reconnect", connectionData=data, groupsToken="rubbish")
    answer = client.service.connect(request, WALL)
    assert not isinstance(answer, Connection)
    assert answer.status == 400


def test_a_token_for_trading_opens_no_stream_of_data() -> None:
    client = Client(service())
    client.sign_in()
    assert client.negotiate(hub=HUB).status == 401
    client.token = sign_in(client)
    assert client.negotiate(hub="BroadcastHubV2").status == 401
    assert client.negotiate(hub=HUB).status == 200
    request = Request("GET", "/v2.0/signalr/ping")
    assert client.service.handle(request, WALL).status == 200
