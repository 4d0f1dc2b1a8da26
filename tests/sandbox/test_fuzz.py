"""Rubbish at the running server: every request gets an answer that is documented, and the server stays up."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.brokers.fctrading.signing import SigningKey, parse_key
from algo.sandbox.endpoints import routes
from algo.sandbox.transfers import Transfers
from tests.sandbox.running import Served, made, served

pytestmark = pytest.mark.slow

TRADING = sorted(routes(Transfers()))
DATA = [
    f"/api/v2/Market/{name}"
    for name in (
        *("AccessToken", "Securities", "SecuritiesDetails", "IndexComponents", "IndexList", "DailyOhlc"),
        *("IntradayOhlc", "DailyIndex", "DailyStockPrice"),
    )
]
HUB = [f"/v2.0/signalr/{name}" for name in ("negotiate", "connect", "reconnect", "start", "abort", "ping")]
STATUSES = {200, 400, 401, 403, 404, 405, 408, 413, 429, 431}
"""What may be answered to rubbish. 5xx means that the server stumbled."""


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    notes: list[str] = []
    with served(made(note=notes.append)) as found:
        yield found
    assert not [note for note in notes if "failed" in note], "a handler raised"


@pytest.fixture(scope="module")
def token(running: Served) -> str:
    document = running.document
    identity = running.sandbox.service.identity
    secret = document["consumer_secret"]
    return identity.sign_in(
        document["consumer_id"], secret, "0", document["pin"], save=True, wall=running.sandbox.host.wall()
    )


@pytest.fixture(scope="module")
def key(running: Served) -> SigningKey:
    return parse_key(running.document["private_key"])


def ask(running: Served, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    port = int(running.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def alive(running: Served, token: str) -> None:
    account = running.document["accounts"]["equity"]
    path = f"/api/v2/Trading/cashAcctBal?account={account}"
    status, body = ask(running, "GET", path, b"", {"Authorization": f"Bearer {token}"})
    assert status == 200 and json.loads(body)["status"] == 200


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["FPT", "VN", "VNFE", "B", "S", "LO", "ATO", "100", "1e999", "0x10", "-0", "NaN", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    *(
        "account",
        "requestID",
        "instrumentID",
        "market",
        "marketID",
        "buySell",
        "orderType",
        "price",
        "quantity",
    ),
    *(
        "stopOrder",
        "stopPrice",
        "stopType",
        "stopStep",
        "orderID",
        "code",
        "deviceId",
        "userAgent",
        "channelID",
    ),
    *(
        "consumerID",
        "consumerSecret",
        "twoFactorType",
        "isSave",
        "amount",
        "startDate",
        "symbol",
        "pageIndex",
    ),
]
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=12)
bodies = st.one_of(
    st.binary(max_size=300),
    values.map(lambda value: json.dumps(value).encode()),
    objects.map(lambda value: json.dumps(value).encode()),
    st.just(b"[" * 10_000),
    st.just(b"{" + b'"a":{' * 5_000),
    st.just(b"x" * 300_000),
)
query = st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=12)), max_size=4)
paths = st.one_of(
    st.sampled_from([*TRADING, *DATA, *HUB]),
    st.text("abcXYZ/._-%20", max_size=40).map(lambda text: f"/{text}"),
    st.sampled_from(["/control/step", "/page/../server.py", "/page/x", "//", "/%00", "/api/v2/Trading/"]),
)


def addressed(path: str, fields: list[tuple[str, str]]) -> str:
    from urllib.parse import quote, urlencode

    return quote(path, safe="/%.") + (f"?{urlencode(fields)}" if fields else "")


@settings(max_examples=300)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]),
    paths,
    query,
    bodies,
    st.booleans(),
    st.sampled_from(["good", "bad", "none"]),
)
def test_whatever_is_sent_is_answered(
    running: Served,
    token: str,
    key: SigningKey,
    method: str,
    path: str,
    fields: list[tuple[str, str]],
    body: bytes,
    signed_in: bool,
    signature: str,
) -> None:
    headers = {"Content-Type": "application/json"}
    if signed_in:
        headers["Authorization"] = f"Bearer {token}"
    if signature != "none":
        headers["X-Signature"] = key.sign(body) if signature == "good" else "ff" * 128
    try:
        status, answer = ask(running, method, addressed(path, fields), body, headers)
    except (ConnectionError, http.client.RemoteDisconnected):
        assert len(body) > 200_000, "only a giant body may be cut off"
        return
    assert status in STATUSES, (status, answer[:200])
    if path.startswith("/api/v2/Trading") and status == 200 and method != "HEAD":
        found = json.loads(answer)
        assert isinstance(found, str) or {"message", "status"} <= found.keys() <= {
            "message",
            "status",
            "data",
        }


@settings(max_examples=100)
@given(st.sampled_from(["NewOrder", "derNewOrder", "ModifyOrder", "CancelOrder"]), st.data())
def test_orders_with_wrong_values_are_refused_in_the_envelope(
    running: Served, token: str, key: SigningKey, name: str, data: st.DataObject
) -> None:
    right: dict[str, Any] = {
        "account": running.document["accounts"]["equity"], "requestID": "1", "instrumentID": "FPT",
        "market": "VN", "marketID": "VN", "buySell": "B", "orderType": "LO", "price": 100000.0,
        "quantity": 100, "stopOrder": False, "orderID": "1", "channelID": "TA", "code": "", "deviceId": "x",
        "userAgent": "x",
    }  # fmt: skip
    wrong = data.draw(st.dictionaries(st.sampled_from(sorted(right)), values, min_size=1, max_size=4))
    body = json.dumps(right | wrong).encode()
    headers = {"Authorization": f"Bearer {token}", "X-Signature": key.sign(body)}
    status, answer = ask(running, "POST", f"/api/v2/Trading/{name}", body, headers)
    found = json.loads(answer)
    assert status in {200, 429} and isinstance(found["message"], str) and isinstance(found["status"], int)


@settings(max_examples=60)
@given(st.one_of(st.binary(min_size=1, max_size=400), st.text(max_size=200).map(str.encode)))
def test_bytes_that_are_no_http(running: Served, token: str, data: bytes) -> None:
    port = int(running.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while connection.recv(65_536):
                pass
    alive(running, token)


@settings(max_examples=60)
@given(st.lists(st.one_of(st.text(max_size=60), values.map(json.dumps)), min_size=1, max_size=5))
def test_messages_to_a_hub_that_are_none(running: Served, token: str, messages: list[str]) -> None:
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    headers = {"Authorization": f"Bearer {token}"}
    data = "connectionData=%5B%7B%22name%22%3A%22BroadcastHubV2%22%7D%5D&clientProtocol=1.3"
    _, answer = ask(running, "POST", f"/v2.0/signalr/negotiate?{data}", b"", headers)
    address = (
        f"ws{running.url.removeprefix('http')}/v2.0/signalr/connect?transport=webSockets&{data}"
        f"&connectionToken={json.loads(answer)['ConnectionToken']}"
    )
    with (
        contextlib.suppress(WebSocketException, ConnectionError, TimeoutError),
        connect(address, additional_headers=headers) as client,
    ):
        for message in messages:
            client.send(message)
        client.recv(timeout=1)
    alive(running, token)


def test_a_flood_is_answered_with_429_and_passes() -> None:
    with served(made(limited=True)) as running:
        document = running.document
        identity = running.sandbox.service.identity
        wall = running.sandbox.host.wall()
        token = identity.sign_in(
            document["consumer_id"], document["consumer_secret"], "0", document["pin"], save=True, wall=wall
        )
        port = int(running.url.rpartition(":")[2])
        path = f"/api/v2/Trading/orderBook?account={document['accounts']['equity']}"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        statuses = []
        for _ in range(300):
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = answer.read()
            statuses.append(answer.status)
        connection.close()
        assert 200 in statuses and 429 in statuses and set(statuses) <= {200, 429}
        assert body.startswith(b"API calls quota exceeded!")
        running.control("quota")
        alive(running, token)


def test_many_connections_that_say_nothing_do_no_harm(running: Served, token: str) -> None:
    port = int(running.url.rpartition(":")[2])
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        alive(running, token)
    alive(running, token)
