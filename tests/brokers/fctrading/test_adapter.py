"""The adapter over real sockets: one outcome for each command, events with their position, snapshots."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import date

import pytest

from algo.brokers.base import Batch, Broker, ForeignOrder, UnknownMessage
from algo.brokers.fctrading.adapter import FastConnect, read_position, write_position
from algo.brokers.fctrading.connection import Connection, token_path
from algo.brokers.fctrading.cursor import Position
from algo.brokers.fctrading.quota import Quota, Rule
from algo.brokers.fctrading.signing import SigningKey
from algo.clock import at
from algo.errors import SettingError
from algo.fastconnect.addresses import Endpoints
from algo.fastconnect.secret import Secret
from algo.market import instrument_of
from algo.model import (
    Account,
    AmendOrder,
    CancelOrder,
    Command,
    OrderAccepted,
    OrderFilled,
    OrderType,
    PlaceOrder,
    PortfolioUpdated,
    RequestNotSent,
    RequestReceived,
    RequestRefused,
    RequestUnknown,
    Side,
    StreamLost,
    StreamRestored,
)
from tests.brokers.fctrading.conftest import make_credentials
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope, jwt
from tests.fastconnect.hub_stub import HubStub

DAY = date(2026, 6, 11)
NOW = at(DAY, 10 * 3600 * 10**9)
SSI = instrument_of("SSI")
PLACE = PlaceOrder("10000017", "20260611-10000017", "s", SSI, Side.BUY, OrderType.LO, 21_000, 300)


def event(notify_id: int, status: str = "QU", **changes: object) -> tuple[int, str]:
    data = {
        "orderID": "26061100012345", "notifyID": notify_id, "instrumentID": "SSI", "uniqueID": "10000017",
        "buySell": "B", "orderType": "LO", "price": 21000.0, "quantity": 300, "marketID": "VN",
        "account": "0901351", "cancelQty": 0, "osQty": 300, "filledQty": 0, "avgPrice": 0.0,
        "inputTime": str(NOW // 10**6), "modifiedTime": str(NOW // 10**6 + notify_id),
        "orderStatus": status, "origRequestID": "10000017",
    }  # fmt: skip
    return notify_id, json.dumps({"type": "orderEvent", "data": data | changes})


def match(notify_id: int, quantity: int = 100) -> tuple[int, str]:
    data = {
        "orderID": "26061100012345", "notifyID": notify_id, "instrumentID": "SSI", "uniqueID": "10000017",
        "buySell": "B", "matchPrice": 21000.0, "matchQty": quantity, "account": "0901351",
        "matchTime": str(NOW // 10**6 + notify_id),
    }  # fmt: skip
    return notify_id, json.dumps({"type": "orderMatchEvent", "data": data})


def answering(answer: Callable[[Seen], Reply]) -> Callable[[Seen], Reply]:
    def reply(seen: Seen) -> Reply:
        if seen.name == "accesstoken":
            return envelope({"accessToken": jwt(time.time() + 8 * 3600, n=len(seen.body))})
        return answer(seen)

    return reply


@contextlib.asynccontextmanager
async def adapter(
    key: SigningKey, url: str, stream_url: str = "", position: str = "", login: bool = True, **changes: object
) -> AsyncIterator[FastConnect]:
    who = make_credentials(key, url, endpoints=Endpoints(url, stream_url or url, url, url), **changes)
    connection = Connection(who, quota=Quota([Rule("*", 1.0, 1_000)]))
    broker = FastConnect(connection, position=position, now=lambda: NOW)
    if login:
        await connection.session.login(Secret("1234"))
    try:
        yield broker
    finally:
        await broker.close()


def received(seen: Seen) -> Reply:
    return envelope({"requestID": "1"})


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (envelope({"requestID": "10000017"}), RequestReceived),
        (envelope(None, 400, "ORD003 price above ceiling"), RequestRefused),
        (Reply(b"Internal Server Error", 500), RequestUnknown),
        (Reply(drop=True), RequestUnknown),
    ],
)
async def test_each_command_has_one_outcome(key: SigningKey, reply: Reply, outcome: type) -> None:
    async with Stub(answering(lambda seen: reply)) as stub, adapter(key, stub.url) as broker:
        found = await broker.send(PLACE)
        assert type(found) is outcome
        assert (found.request_id, found.order_id, found.ns) == ("10000017", PLACE.order_id, NOW)
        assert len(stub.named("neworder")) == 1
        again = await broker.send(PLACE)
        assert type(again) is RequestUnknown
        assert len(stub.named("neworder")) == 1, "a request id is sent once"


async def test_what_cannot_be_sent_says_so(key: SigningKey) -> None:
    async with Stub(answering(received)) as stub, adapter(key, stub.url) as broker:
        commands: list[Command] = [
            AmendOrder("10000020", "20260611-10000019", "s", SSI, 21_100),
            CancelOrder("10000021", "20260611-10000019", "s", SSI),
            PlaceOrder("123456789", "20260611-123456789", "s", SSI, Side.BUY, OrderType.LO, 21_000, 300),
            PlaceOrder("x", "20260611-x", "s", SSI, Side.BUY, OrderType.LO, 21_000, 300),
            PlaceOrder("10000022", "nonsense", "s", SSI, Side.BUY, OrderType.LO, 21_000, 300),
            PlaceOrder("10000023", "20260611-10000023", "s", SSI, Side.BUY, OrderType.MARKET, 0, 300),
        ]
        for command in commands:
            assert type(await broker.send(command)) is RequestNotSent
        assert [seen.name for seen in stub.seen] == ["accesstoken"]
    async with Stub(answering(received)) as stub, adapter(key, stub.url, login=False) as broker:
        assert type(await broker.send(PLACE)) is RequestNotSent


async def read_until(broker: FastConnect, done: Callable[[list], bool]) -> list[Batch]:
    batches: list[Batch] = []
    heard: list[object] = []
    async with asyncio.timeout(10):
        async for batch in broker.events():
            batches.append(batch)
            heard += batch.events
            if done(heard):
                break
    return batches


async def test_the_stream_tells_domain_events_and_where_it_is(key: SigningKey, samples: dict) -> None:
    async with (
        Stub(answering(received)) as stub,
        HubStub(samples) as hub,
        adapter(key, stub.url, hub.url) as broker,
    ):
        await broker.send(PLACE)
        portfolio = json.dumps(samples["portfolio_event"])
        foreign = samples["order_event_live"]
        foreign = json.dumps(foreign | {"data": foreign["data"] | {"notifyID": 7}})
        hub.log = [event(5), match(6), (7, foreign), (27, portfolio)]
        task = asyncio.create_task(broker.stream.run())
        batches = await read_until(broker, lambda heard: len(heard) >= 5)
        heard = [one for batch in batches for one in batch.events]
        assert [type(one) for one in heard] == [
            StreamRestored, OrderAccepted, OrderFilled, ForeignOrder, PortfolioUpdated,
        ]  # fmt: skip
        assert heard[2].fill_id == "20260611-6"
        assert batches[-1].position == "2026-06-11/27"
        # An amendment knows the broker's id now.
        assert type(await broker.send(AmendOrder("10000018", PLACE.order_id, "s", SSI, 20_900))) is (
            RequestReceived
        )
        body = stub.named("modifyorder")[0].json()
        assert (body["orderID"], body["price"], body["quantity"]) == ("26061100012345", 20900.0, 300)
        assert type(await broker.send(CancelOrder("10000019", PLACE.order_id, "s", SSI))) is RequestReceived
        hub.drop()
        lost = await read_until(broker, lambda heard: any(isinstance(x, StreamRestored) for x in heard))
        assert isinstance(lost[0].events[0], StreamLost)
        await hub.connections(2)
        await hub.send((28, '{"type":"newEvent","data":{"notifyID":28}}'))
        (last,) = await read_until(broker, bool)
        assert isinstance(last.events[0], UnknownMessage)
        assert last.position == "2026-06-11/28"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [seen[1] for seen in hub.connects] == ["0", "27"]


async def test_run_signs_in_learns_the_limits_and_ends(key: SigningKey, samples: dict) -> None:
    rules = envelope([{"endpoint": "*", "period": "1s", "limit": 700}])
    async with (
        Stub(answering(lambda seen: rules)) as stub,
        HubStub(samples) as hub,
        adapter(key, stub.url, hub.url, login=False, position="2026-06-11/41") as broker,
    ):
        subject: Broker = broker
        task = asyncio.create_task(subject.run())
        await read_until(broker, bool)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert hub.connects[0][1] == "41"


async def test_a_snapshot_is_whole_or_says_what_is_missing(key: SigningKey, samples: dict) -> None:
    names = {
        "auditorderbook": "order_book", "stockposition": "stock_position",
        "derivposition": "derivative_position", "cashacctbal": "cash_balance",
        "derivacctbal": "derivative_balance", "ratelimit": "rate_limit",
    }  # fmt: skip
    broken: set[str] = set()

    def answer(seen: Seen) -> Reply:
        if seen.name in broken:
            return envelope(None, 400, "Account is not exist.")
        if seen.name not in names:
            return envelope({"account": "x", "orders": []})
        data = samples[names[seen.name]]
        if names[seen.name] == "order_book":
            data = data | {"account": dict(seen.query)["account"]}
        return envelope(data)

    async with Stub(answering(answer)) as stub, adapter(key, stub.url) as broker:
        found = await broker.snapshot()
        assert found.complete
        shares, contracts = found.of(Account.EQUITY), found.of(Account.DERIVATIVES)
        assert shares is not None and contracts is not None
        assert shares.cash.buying_power == 7459367581
        assert (shares.positions[0].symbol, shares.positions[0].sellable) == ("SSI", 50300)
        assert contracts.positions[0].quantity == 8
        assert contracts.cash.margin_required == 172660800
        assert [rule.calls for rule in found.limits] == [5, 30]
        assert len(contracts.orders) == 1
        broken |= {"auditorderbook", "stockposition"}
        part = await broker.snapshot()
        assert not part.complete
        shares = part.of(Account.EQUITY)
        assert shares.orders is None, "the book of account x is not ours"
        assert shares.positions is None
        assert shares.cash is not None
        assert len(shares.problems) == 2


async def test_a_snapshot_brings_what_the_stream_lost(key: SigningKey, samples: dict) -> None:
    item = {
        "uniqueID": "10000017", "orderID": "26061100012345", "buySell": "B", "price": 21000.0,
        "quantity": 300, "filledQty": 200, "orderStatus": "PF", "marketID": "VN",
        "inputTime": str(NOW // 10**6), "modifiedTime": str(NOW // 10**6 + 50), "instrumentID": "SSI",
        "orderType": "LO", "cancelQty": 0, "avgPrice": 20975.0,
    }  # fmt: skip

    def answer(seen: Seen) -> Reply:
        if seen.name == "auditorderbook":
            account = dict(seen.query)["account"]
            return envelope({"account": account, "orders": [item] if account == "0901351" else []})
        return envelope({"requestID": "1"})

    async with Stub(answering(answer)) as stub, adapter(key, stub.url) as broker:
        await broker.send(PLACE)
        found = await broker.snapshot()
        assert found.of(Account.EQUITY).orders[0].order_id == PLACE.order_id
        heard = broker.catch_up(found)
        assert [type(one) for one in heard] == [OrderAccepted, OrderFilled]
        assert (heard[1].price, heard[1].quantity) == (20_975, 200)
        assert broker.catch_up(found) == []


def test_positions_are_text() -> None:
    position = Position(DAY, 420825)
    assert read_position(write_position(position)) == position
    assert read_position("") is None
    assert write_position(None) == ""
    for text in ("x", "2026-06-11", "2026-06-11/x"):
        with pytest.raises(SettingError):
            read_position(text)


def test_tokens_are_kept_by_identity(key: SigningKey) -> None:
    who = make_credentials(key)
    path = token_path(who, {"XDG_STATE_HOME": "/state"})
    assert path.parent.as_posix() == "/state/algo"
    assert "planted" not in path.name
    assert token_path(make_credentials(key, "http://127.0.0.1:2"), {"XDG_STATE_HOME": "/state"}) != path
