"""The live feed over real sockets: subscriptions, breaks, silence, bars by the clock, certificates."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from datetime import date, time
from pathlib import Path

import pytest
import trustme

from algo.clock import MINUTE, SECOND, at
from algo.data.fastconnect.events import FeedEvent, FeedLost, FeedRestored, Notice, Unread
from algo.data.fastconnect.feed import FastConnectFeed
from algo.errors import SettingError
from algo.fastconnect.secret import Secret
from algo.fastconnect.transport import open_client, trust
from algo.model import Bar, Quote, SessionChanged, Trade
from tests.brokers.fctrading.conftest import server_context
from tests.data.fastconnect.messages import SAMPLES, bar, broadcast, frame
from tests.fastconnect.hub_stub import HubStub

MORNING = at(date(2026, 6, 8), time(9, 30))


class Tokens:
    """Gives tokens and remembers which were refused."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    async def token(self) -> Secret:
        return Secret(f"planted-{len(self.refused)}")

    def token_refused(self, token: Secret) -> None:
        self.refused.append(token.reveal())


class Reader:
    """Reads a feed in the background and lets a test wait for what it wants to see."""

    def __init__(self, feed: FastConnectFeed, tokens: Tokens) -> None:
        self.feed = feed
        self.tokens = tokens
        self.now = MORNING
        self.events: list[FeedEvent] = []
        self._news = asyncio.Condition()

    async def run(self) -> None:
        async for event in self.feed:
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def until(self, kind: type, count: int = 1) -> list:
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]


@contextlib.asynccontextmanager
async def reading(
    hub: HubStub, *channels: tuple[str, ...], context: ssl.SSLContext | None = None, **options: object
) -> AsyncIterator[Reader]:
    context = context or trust()
    client = open_client(hub.url, context)
    tokens = Tokens()
    values: dict = {"wall": lambda: reader.now, "random": lambda: 0.0}
    feed = FastConnectFeed(hub.url, tokens, client, context, **(values | options))
    reader = Reader(feed, tokens)
    for channel, *symbols in channels:
        await feed.subscribe(channel, *symbols)
    tasks = [asyncio.create_task(feed.run()), asyncio.create_task(reader.run())]
    try:
        yield reader
    finally:
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.aclose()


async def heard(hub: HubStub, count: int) -> list[str]:
    async with asyncio.timeout(10):
        while len(hub.heard) < count:
            await asyncio.sleep(0.002)
    return [json.loads(text)["A"][0] for text in hub.heard]


async def test_it_subscribes_and_subscribes_again_after_a_break(samples: dict) -> None:
    async with HubStub(samples) as hub, reading(hub, ("X-QUOTE", "SSI", "FPT"), ("F", "ALL")) as reader:
        assert await heard(hub, 2) == ["X-QUOTE:SSI-FPT", "F:ALL"]
        call = json.loads(hub.heard[0])
        assert (call["H"], call["M"]) == ("FcMarketDataV2Hub", "SwitchChannels")
        await reader.feed.subscribe("X-QUOTE", "VCB")
        assert (await heard(hub, 3))[2] == "X-QUOTE:SSI-FPT-VCB"
        await hub.raw(frame(broadcast("F", SAMPLES["F"]), broadcast("X", SAMPLES["X"])))
        await reader.until(SessionChanged)
        hub.drop()
        assert (await heard(hub, 5))[3:] == ["X-QUOTE:SSI-FPT-VCB", "F:ALL"]
        await hub.raw(frame(broadcast("X", SAMPLES["X"])))
        await reader.until(Quote, 2)
        assert len(reader.of(Trade)) == 1, "a trade is not told again after a break"
        lost, restored = reader.of(FeedLost), reader.of(FeedRestored)
        assert len(lost) == 1
        assert [event.channels for event in restored] == [
            ("X-QUOTE:SSI-FPT", "F:ALL"),
            ("X-QUOTE:SSI-FPT-VCB", "F:ALL"),
        ]
        with pytest.raises(SettingError):
            await reader.feed.subscribe("Y", "SSI")
    assert hub.connects[0][2] == "Bearer planted-0"


async def test_bars_are_completed_by_the_clock_and_by_the_next_minute(samples: dict) -> None:
    async with HubStub(samples) as hub, reading(hub, ("B", "ALL")) as reader:
        await heard(hub, 1)
        grown = bar("FPT", "09:30:40", 101.0, 9, Open=100.0, Low=100.0)
        await hub.raw(frame(bar("FPT", "09:30:02", 100.0, 5), grown))
        await hub.raw(frame(bar("FPT", "09:31:01", 102.0), bar("VCB", "09:31:01", 60.0)))
        (first,) = await reader.until(Bar)
        assert first == Bar("FPT", MORNING + MINUTE, 100.0, 101.0, 100.0, 101.0, 9, MORNING, "FPT")
        reader.now = MORNING + 2 * MINUTE + 3 * SECOND
        done = await reader.until(Bar, 3)
        assert [(one.symbol, one.close) for one in done[1:]] == [("FPT", 102.0), ("VCB", 60.0)]
        await hub.raw(frame(bar("FPT", "09:31:59", 1.0)))
        (late,) = await reader.until(Unread)
        assert "after its minute" in late.reason


async def test_a_crossed_book_and_a_lost_feed_are_not_to_be_trusted(samples: dict) -> None:
    async with HubStub(samples) as hub, reading(hub, ("X-QUOTE", "ACB")) as reader:
        assert reader.feed.doubts("ACB")
        await heard(hub, 1)
        assert not reader.feed.doubts("ACB")
        await hub.raw(frame(broadcast("X-QUOTE", SAMPLES["X-QUOTE"] | {"BidPrice1": 23000.0})))
        await reader.until(Quote)
        assert "crossed" in reader.feed.doubts("ACB")
        assert not reader.feed.doubts("FPT")
        hub.drop()
        await reader.until(FeedRestored, 2)
        assert not reader.feed.doubts("ACB")
    assert "down" in reader.feed.doubts("ACB")


async def test_silence_ends_a_connection(samples: dict) -> None:
    async with HubStub(samples) as hub, reading(hub, ("F", "ALL"), idle=0.3) as reader:
        await heard(hub, 1)
        hub.stall()
        (lost,) = await reader.until(FeedLost)
        assert "no frame" in lost.reason
        await reader.until(FeedRestored, 2)


async def test_what_is_odd_is_reported_and_stops_nothing(samples: dict) -> None:
    async with HubStub(samples) as hub, reading(hub, ("F", "ALL")) as reader:
        await heard(hub, 1)
        await hub.raw('{"I":"0","E":"no such channel"}')
        await hub.raw(frame("Connection has been blocked, quota 5 exceeded by 2", method="Error"))
        notices = await reader.until(Notice, 2)
        assert "refused F:ALL: no such channel" in notices[0].text
        assert "blocked" in notices[1].text
        await hub.raw(frame("{", broadcast("ZZ", {}), 7))
        await hub.raw(frame("x", method="Other"))
        await hub.raw('{"Q":1}')
        assert len(await reader.until(Unread, 5)) == 5
        await hub.raw(frame(broadcast("F", SAMPLES["F"])))
        await reader.until(SessionChanged)
        assert reader.of(FeedLost) == []


async def test_a_refused_token_is_replaced(samples: dict) -> None:
    async with HubStub(samples) as hub:
        hub.refuse = [401]
        async with reading(hub, ("F", "ALL")) as reader:
            await heard(hub, 1)
            assert reader.tokens.refused == ["planted-0"]
            assert hub.connects[-1][2] == "Bearer planted-1"
            assert "planted" not in repr(reader.events)


async def test_a_hub_with_a_wrong_certificate_is_refused(
    samples: dict, authority: trustme.CA, ca_file: Path
) -> None:
    for name, context in (("other.example", trust(ca_file)), ("localhost", trust())):
        async with HubStub(samples, server_context(authority, name)) as hub:
            async with reading(hub, ("F", "ALL"), context=context) as reader:
                (lost,) = await reader.until(FeedLost)
                assert "certificate" in lost.reason.lower()
            assert hub.handshakes == []
    good = HubStub(samples, server_context(authority, "localhost"))
    async with good as hub, reading(hub, ("F", "ALL"), context=trust(ca_file)) as reader:
        await reader.until(FeedRestored)
