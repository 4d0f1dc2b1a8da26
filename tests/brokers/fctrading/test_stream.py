"""The trading stream over real sockets: breaks, replays, half-open connections, refusals, certificates."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator
from datetime import date

import pytest
import trustme

from algo.brokers.fctrading.cursor import Position
from algo.brokers.fctrading.events import MatchEvent, OrderEvent, UnknownEvent
from algo.brokers.fctrading.session import Session
from algo.brokers.fctrading.signing import SigningKey
from algo.brokers.fctrading.stream import Delivered, Item, Lost, Notice, Restored, TradingStream
from algo.clock import HOUR, at
from algo.fastconnect.tokens import Moment
from algo.fastconnect.transport import Reply, open_client, trust
from tests.brokers.fctrading.conftest import make_credentials, server_context
from tests.brokers.fctrading.stub import envelope, jwt
from tests.fastconnect.hub_stub import HubStub, broadcast

DAY = date(2026, 6, 8)
MORNING = at(DAY, 9 * HOUR)


class Reader:
    """Reads a stream in the background and lets a test wait for what it wants to see."""

    def __init__(self, stream: TradingStream) -> None:
        self.stream = stream
        self.items: list[Item] = []
        self._news = asyncio.Condition()

    async def run(self) -> None:
        async for batch in self.stream:
            async with self._news:
                self.items += batch
                self._news.notify_all()

    async def until(self, kind: type, count: int = 1) -> list:
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    def of(self, kind: type) -> list:
        return [item for item in self.items if isinstance(item, kind)]

    @property
    def ids(self) -> list[int]:
        return [item.event.notify_id for item in self.of(Delivered)]


@contextlib.asynccontextmanager
async def reading(
    hub: HubStub, key: SigningKey, context: ssl.SSLContext | None = None, read: bool = True, **options: object
) -> AsyncIterator[Reader]:
    count = iter(range(10**6))
    loop = asyncio.get_running_loop()

    async def post(endpoint: object, body: object) -> Reply:
        return Reply(200, envelope({"accessToken": jwt(time.time() + 8 * 3600, n=next(count))}).body)

    session = Session(make_credentials(key), post, lambda: Moment(time.time(), loop.time()))
    context = context or trust()
    client = open_client(hub.url, context)
    values: dict = {"wall": lambda: MORNING, "random": lambda: 0.0}
    stream = TradingStream(hub.url, session, client, context, **(values | options))
    reader = Reader(stream)
    tasks = [asyncio.create_task(stream.run())]
    if read:
        tasks.append(asyncio.create_task(reader.run()))
    try:
        yield reader
    finally:
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()
        await client.aclose()


def fill(samples: dict, notify_id: int) -> tuple[int, str]:
    sample = samples["match_event"]
    changes = {"notifyID": notify_id, "matchTime": str(MORNING // 1_000_000)}
    return notify_id, json.dumps({"type": sample["type"], "data": sample["data"] | changes})


async def test_it_hears_replays_and_resumes(samples: dict, key: SigningKey) -> None:
    async with HubStub(samples) as hub:
        hub.log = [fill(samples, 3), fill(samples, 7)]
        async with reading(hub, key) as reader:
            await reader.until(Delivered, 2)
            await hub.connections(1)
            event = json.dumps(samples["order_event"]).replace("1606277281850", str(MORNING // 1_000_000))
            await hub.send(fill(samples, 9), (10, event))
            await reader.until(Delivered, 4)
            hub.drop()
            await hub.connections(2)
            await hub.send(fill(samples, 30))
            await reader.until(Delivered, 5)
            hub.log.append(fill(samples, 31))
            hub.drop()
            await reader.until(Delivered, 6)
        assert reader.ids == [3, 7, 9, 10, 30, 31]
        assert [seen[1] for seen in hub.connects] == ["0", "10", "30"]
        kinds = [type(item).__name__ for item in reader.items if not isinstance(item, Delivered)]
        assert kinds == ["Restored", "Lost", "Restored", "Lost", "Restored", "Lost"]
        assert [type(item.event) for item in reader.of(Delivered)][:4] == [MatchEvent] * 3 + [OrderEvent]
        assert all(item.at == MORNING for item in reader.of(Lost))
        assert all(seen[2].startswith("Bearer ") for seen in hub.handshakes)


async def test_it_starts_from_what_the_caller_applied_last(samples: dict, key: SigningKey) -> None:
    async with HubStub(samples) as hub:
        hub.log = [fill(samples, i) for i in range(1, 6)]
        async with reading(hub, key, start=Position(DAY, 4)) as reader:
            found = await reader.until(Delivered, 2)
        assert reader.ids == [4, 5]
        assert found[-1].position == Position(DAY, 5)
        assert reader.of(Restored)[0].notify_id == "4"
    async with HubStub(samples) as hub:
        hub.log = [fill(samples, 1)]
        async with reading(hub, key, live_only=True) as reader:
            await reader.until(Restored)
            await hub.connections(1)
            await hub.send(fill(samples, 2))
            await reader.until(Delivered)
        assert reader.ids == [2]


async def test_messages_of_any_kind_in_one_frame_and_unknown_ones(samples: dict, key: SigningKey) -> None:
    async with HubStub(samples) as hub, reading(hub, key) as reader:
        await hub.connections(1)
        call = {"H": "broadcasthubv2", "M": "Broadcast", "A": [fill(samples, 1)[1]]}
        other = {"H": "Else", "M": "Broadcast", "A": ["x"]}
        await hub.raw(json.dumps({"C": "d", "M": [call, other, call, 5]}))
        await hub.raw("{}")
        await hub.raw('{"I":"0"}')
        await hub.raw('{"E":"a server error"}')
        await hub.raw(broadcast("{broken", "d"))
        await hub.raw(broadcast("careful", "d", "Error"))
        await hub.raw(broadcast('{"type":"newThing","data":{"notifyID":2}}'))
        sample = samples["order_event"]["data"] | {"notifyID": 3, "brandNew": 1}
        await hub.raw(broadcast(json.dumps({"type": "orderEvent", "data": sample})))
        await reader.until(Delivered, 4)
        notices = " | ".join(item.text for item in await reader.until(Notice, 5))
        for words in ("Else.Broadcast", "a server error", "careful", "not known: 5", "orderEvent.brandNew"):
            assert words in notices
        assert [type(item.event) for item in reader.of(Delivered)] == [
            MatchEvent,
            UnknownEvent,
            UnknownEvent,
            OrderEvent,
        ]
        assert reader.stream.connected


@pytest.mark.parametrize(
    "frame", ["no json", "[]", '{"C":"d","M":5}', "{}{}", '{"T":1}', '{"D":1}', "x" * (4 * 1024 * 1024 + 1)]
)
async def test_a_broken_frame_ends_the_connection_and_nothing_else(
    samples: dict, key: SigningKey, frame: str
) -> None:
    async with HubStub(samples) as hub, reading(hub, key) as reader:
        await hub.connections(1)
        await hub.raw(frame)
        await reader.until(Restored, 2)
        await hub.connections(2)
        await hub.send(fill(samples, 1))
        await reader.until(Delivered)
        assert reader.of(Lost)[0].reason


async def test_a_half_open_socket_is_noticed(samples: dict, key: SigningKey) -> None:
    async with HubStub(samples) as hub, reading(hub, key, idle=0.2) as reader:
        await hub.connections(1)
        hub.stall()
        assert "no frame" in (await reader.until(Lost))[0].reason
        await reader.until(Restored, 2)


async def test_a_server_that_never_opens_is_left(samples: dict, key: SigningKey) -> None:
    async with HubStub(samples) as hub:
        hub.first_frame = False
        async with reading(hub, key, idle=0.2) as reader:
            assert "no frame" in (await reader.until(Lost))[0].reason
            await hub.connections(2)
            assert not reader.of(Restored)
            assert len(reader.of(Lost)) == 1, "it is news once"


@pytest.mark.parametrize("where", [0, 1])
async def test_a_refused_token_is_replaced(samples: dict, key: SigningKey, where: int) -> None:
    async with HubStub(samples) as hub:
        (hub.refuse_connect if where else hub.refuse).append(401)
        async with reading(hub, key) as reader:
            await reader.until(Restored)
        tokens = [seen[2] for seen in hub.handshakes]
        assert tokens[0] != tokens[-1]
        assert "refused the token" in reader.of(Lost)[0].reason


@pytest.mark.parametrize("status", [302, 307])
async def test_no_redirect_is_followed(samples: dict, key: SigningKey, status: int) -> None:
    async with HubStub(samples) as other, HubStub(samples) as hub:
        hub.redirect = other.url
        hub.refuse = [status] * 3
        async with reading(hub, key) as reader:
            await reader.until(Restored)
        assert not other.handshakes


async def test_sticky_cookies_are_carried_along(samples: dict, key: SigningKey) -> None:
    async with HubStub(samples) as hub:
        hub.cookie = "affinity=abc; Path=/; HttpOnly"
        async with reading(hub, key) as reader:
            await reader.until(Restored)
        assert hub.cookies == "affinity=abc"


async def test_an_outage_of_the_broker_is_survived(samples: dict, key: SigningKey) -> None:
    async with HubStub(samples) as hub:
        hub.refuse = [503, 500, 404, 429]
        async with reading(hub, key) as reader:
            await reader.until(Restored)
            assert len(reader.of(Lost)) == 1
            hub.log = [fill(samples, 1)]
        assert isinstance(reader.items[-1], Lost)
        assert "closed by this program" in reader.items[-1].reason


async def test_a_slow_reader_stops_the_socket_and_loses_nothing(
    samples: dict, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TradingStream, "most_waiting", 50)
    async with HubStub(samples) as hub, reading(hub, key, read=False, idle=0.2) as reader:
        await hub.connections(1)
        sending = asyncio.create_task(hub.send(*(fill(samples, i) for i in range(1, 20_001))))
        async with asyncio.timeout(10):
            while not reader.stream._hub._paused:
                await asyncio.sleep(0.01)
        waiting = len(reader.stream._items)
        assert waiting < 20_000, "it read on"
        await asyncio.sleep(0.5)
        assert reader.stream.connected, "silence of our own making counted"
        assert len(reader.stream._items) == waiting
        assert reader.stream.waiting
        task = asyncio.create_task(reader.run())
        await reader.until(Delivered, 20_000)
        await sending
        assert reader.ids == list(range(1, 20_001))
        assert len(hub.connects) == 1
        assert not reader.stream.waiting
        task.cancel()


# TLS


async def test_only_the_named_authority_is_believed(
    samples: dict, key: SigningKey, server_tls: ssl.SSLContext, authority: trustme.CA, ca_file: str
) -> None:
    async with HubStub(samples, server_tls) as hub:
        async with reading(hub, key, trust(ca_file)) as reader:
            await reader.until(Restored)
            await hub.connections(1)
            await hub.send(fill(samples, 1))
            await reader.until(Delivered)
        hub.handshakes.clear()
        async with reading(hub, key, trust()) as reader:
            assert "certificate" in (await reader.until(Lost))[0].reason
        assert not hub.handshakes
    async with HubStub(samples, server_context(authority, "other.example")) as hub:
        async with reading(hub, key, trust(ca_file)) as reader:
            assert "ostname" in (await reader.until(Lost))[0].reason
        assert not hub.handshakes


async def test_the_socket_itself_verifies_too(
    samples: dict, key: SigningKey, server_tls: ssl.SSLContext, ca_file: str
) -> None:
    """A negotiation over a trusted connection does not excuse the WebSocket's own certificate."""
    async with HubStub(samples, server_tls) as hub, reading(hub, key, trust(ca_file)) as reader:
        await reader.until(Restored)
        reader.stream._context = trust()
        hub.drop()
        await reader.until(Lost)
        async with asyncio.timeout(10):
            while len(hub.handshakes) < 6:
                await asyncio.sleep(0.01)
        assert len(hub.connects) == 1
        assert len(reader.of(Restored)) == 1
