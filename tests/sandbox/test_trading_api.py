"""Paths, methods and rubbish: always an answer, and the documented one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.fastconnect.wire import read_envelope
from algo.sandbox.endpoints import Kind, routes
from algo.sandbox.hub_connection import Connection
from algo.sandbox.messages import Request, Response
from algo.sandbox.trading_api import LARGEST_BODY
from algo.sandbox.transfers import Transfers
from tests.sandbox.desk import KEY, WALL, Client, service

ROUTES = routes(Transfers())
SERVICE = service()
CLIENT = Client(SERVICE)
CLIENT.sign_in()
PATHS = [
    *ROUTES,
    "/v2.0/signalr/negotiate",
    "/v2.0/signalr/connect",
    "/v2.0/signalr/start",
    "/v2.0/signalr/abort",
]


@pytest.mark.parametrize("path", ["/", "", "/api", "/api/v2/Trading", "/api/v2/Trading/Nothing", "/x\u0130"])
def test_an_unknown_path_is_not_found(path: str) -> None:
    answer = CLIENT.send("GET", path)
    assert answer.status == 404
    envelope = read_envelope(answer.body)
    assert envelope is not None
    assert envelope.status == 404


@pytest.mark.parametrize("path", ROUTES)
def test_a_wrong_method_is_refused(path: str) -> None:
    wrong = "POST" if ROUTES[path].kind is Kind.QUERY else "GET"
    answer = CLIENT.send(wrong, path)
    assert answer.status == 405
    assert dict(answer.headers)["Allow"] == ROUTES[path].method


def test_a_giant_body_is_refused() -> None:
    answer = CLIENT.send("POST", "/api/v2/Trading/NewOrder", b"[" * (LARGEST_BODY + 1))
    assert answer.status == 413


RUBBISH = [
    b"", b"{", b"null", b"[]", b'"x"', b"1", b"\xff\xfe", b"[" * 60_000, b'{"a":' * 5_000, b"{}",
    b'{"account":{}}',
    b'{"account":"\\ud800"}', b"\x00", b"{\"quantity\":" + b"9" * 5_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("body", RUBBISH, ids=[str(body[:12]) for body in RUBBISH])
@pytest.mark.parametrize("path", [path for path, route in ROUTES.items() if route.kind is not Kind.QUERY])
def test_a_rubbish_body_is_an_invalid_request(path: str, body: bytes) -> None:
    answer = CLIENT.send("POST", path, body, {"x-signature": KEY.sign(body)})
    envelope = read_envelope(answer.body)
    assert answer.status == 200
    assert envelope is not None
    assert envelope.status in (400, 401)


def test_half_a_surrogate_comes_back_as_a_question_mark() -> None:
    client = Client(service())
    client.sign_in()
    raw = json.dumps(client.order("1", channelID="\ud800x")).encode()
    answer = client.send("POST", "/api/v2/Trading/NewOrder", raw, {"x-signature": KEY.sign(raw)})
    assert client.answer(answer)["data"]["requestData"]["channelID"] == "?x"


def test_the_doubled_slash_of_a_client_is_taken_for_one() -> None:
    assert CLIENT.answer(CLIENT.send("GET", "//api/v2//Trading/rateLimit"))["status"] == 200


def test_a_query_may_prefix_its_fields() -> None:
    for name in ("account", "request.account", "lookupRequest.account", "ACCOUNT"):
        answer = CLIENT.send("GET", f"/api/v2/Trading/orderBook?{name}={CLIENT.equity}")
        assert CLIENT.answer(answer)["status"] == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [*CLIENT.order(), "orderID", "marketID", "beneficiaryAccount", "amount", "type", "ciaAmount",
     "consumerID", "consumerSecret", "twoFactorType", "isSave", "startDate", "endDate",
     "fromDate", "toDate", "settleDate",
     "connectionData", "connectionToken", "clientProtocol", "transport", "messageId", "groupsToken",
     "access_token", "querySummary", "receiveAmount"]
)  # fmt: skip
VALUES = st.sampled_from(
    [CLIENT.equity, CLIENT.derivatives, "SSI", "VN30F2606", "VN", "VNFE", "B", "S", "LO", "ATO", "1", 1,
     30000.0, 300, True, "09/06/2026", '[{"name":"BroadcastHubV2"}]', "consumer-0", "planted-secret-0", "1.5",
     CLIENT.token]
)  # fmt: skip


@st.composite
def request_of_a_client(draw) -> Request:
    """Requests from nearly right ones to noise."""
    path = draw(st.sampled_from(PATHS) | st.text(max_size=40))
    method = draw(st.sampled_from(["GET", "POST", "PUT", "HEAD", "", "get"]))
    fields = draw(st.dictionaries(FIELDS, VALUES | JSON, max_size=12))
    if draw(st.booleans()):
        fields = CLIENT.order(draw(st.integers(0, 10**8))) | fields
    body = draw(st.binary(max_size=60)) if draw(st.integers(0, 9)) == 0 else json.dumps(fields).encode()
    headers = {}
    if draw(st.integers(0, 4)):
        headers["authorization"] = f"Bearer {CLIENT.token}"
    else:
        headers["authorization"] = draw(st.text(max_size=30))
    headers["x-signature"] = KEY.sign(body) if draw(st.integers(0, 9)) else draw(st.text(max_size=30))
    headers["notifyid"] = draw(st.sampled_from(["0", "-1", "5", "", "x", "9" * 30]))
    query = tuple((name, str(value)) for name, value in fields.items())
    return Request(method, path, query, headers, body)


@settings(max_examples=400)
@given(request_of_a_client(), st.booleans())
def test_whatever_comes_there_is_a_valid_answer(request: Request, upgrade: bool) -> None:
    found = SERVICE.connect(request, WALL) if upgrade else SERVICE.handle(request, WALL)
    SERVICE.publish()
    if isinstance(found, Connection):
        for frame in found.frames():
            json.loads(frame)
        found.lost()
        return
    assert isinstance(found, Response)
    assert found.status in {200, 400, 401, 403, 404, 405, 413, 429}
    if "json" in found.content_type and found.body:
        json.loads(found.body)


@given(st.lists(st.text(max_size=40) | JSON.map(json.dumps), max_size=8))
def test_whatever_a_client_says_on_the_stream_the_server_lives(messages: list[str]) -> None:
    connection = CLIENT.connect("-1")
    for message in messages:
        connection.receive(message, WALL)
    for frame in connection.frames():
        json.loads(frame)
    connection.lost()
