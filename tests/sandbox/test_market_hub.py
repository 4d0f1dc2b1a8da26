"""Who hears what on the hub of market data."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from algo.clock import HOUR, MINUTE, at
from algo.data.fastconnect.channels import Channel
from algo.data.fastconnect.decode import Decoder
from algo.data.fastconnect.events import BarSoFar, DayLimits, StatusChanged, Unread
from algo.data.fastconnect.minutes import MinuteBars
from algo.model import Bar, Trade
from algo.sandbox.hub_connection import HubError
from algo.sandbox.market_hub import MarketHub, parse
from algo.sandbox.sources.cast import CAST
from algo.sandbox.sources.flow import SyntheticFlow
from algo.sandbox.world import World
from tests.generators.stepped import quiet

DAY = date(2026, 6, 8)


class Ear:
    """A connection that keeps what it is sent."""

    def __init__(self) -> None:
        self.frames: list[str] = []

    def send(self, frame: str) -> None:
        self.frames.append(frame)

    def heard(self) -> list[tuple[str, dict[str, Any]]]:
        """Channel and content of every message since the last call."""
        found = []
        for frame in self.frames:
            for call in json.loads(frame)["M"]:
                assert (call["H"], call["M"]) == ("FcMarketDataV2Hub", "Broadcast")
                (argument,) = call["A"]
                outer = json.loads(argument)
                found.append((outer["DataType"], json.loads(outer["Content"])))
        self.frames.clear()
        return found


@pytest.fixture
def world() -> World:
    made = quiet(SyntheticFlow(DAY, seed=2, intensity=0.2, natures=CAST))
    made.advance(at(DAY, 10 * HOUR))
    made.take()
    return made


def subscribed(hub: MarketHub, *texts: str) -> Ear:
    ear: Any = Ear()
    hub.join(ear, "-1")
    for text in texts:
        hub.invoke(ear, "SwitchChannels", [text])
    return ear


def told(world: World, hub: MarketHub, minutes: int = 2) -> None:
    world.advance(world.now + minutes * MINUTE)
    hub.tell(one for one in world.take())  # type: ignore[misc]


def kinds(heard: list[tuple[str, dict[str, Any]]]) -> set[tuple[str, str]]:
    return {(kind, content.get("Symbol") or content.get("IndexId")) for kind, content in heard}


@pytest.mark.parametrize(
    ("text", "channel", "symbols"),
    [
        ("X-TRADE:SSI-PAN", Channel.TRADE, {"SSI", "PAN"}),
        ("F: ssi - PAN", Channel.STATUS, {"SSI", "PAN"}),
        ("x-quote:ALL", Channel.QUOTE, {"ALL"}),
        ("B:SSI-ALL", Channel.BAR, {"ALL"}),
        ("MI:HNXIndex", Channel.INDEX, {"HNXINDEX"}),
    ],
)
def test_subscriptions_are_read(text: str, channel: Channel, symbols: set[str]) -> None:
    assert parse(text) == (channel, frozenset(symbols))


@pytest.mark.parametrize("text", ["", ":", "X", "X:", "X:-", "Y:SSI", "X-TRADES:SSI"])
def test_what_is_no_subscription_is_an_error_of_the_call(world: World, text: str) -> None:
    with pytest.raises(HubError):
        subscribed(MarketHub(world.tape), text)


@pytest.mark.parametrize("arguments", [[], [1], ["X:ALL", "B:ALL"], ["X:" + "A" * 30_000]])
def test_wrong_arguments_are_an_error_of_the_call(world: World, arguments: list[Any]) -> None:
    hub = MarketHub(world.tape)
    ear: Any = Ear()
    with pytest.raises(HubError):
        hub.invoke(ear, "SwitchChannels", arguments)
    with pytest.raises(HubError):
        hub.invoke(ear, "Shout", ["X:ALL"])


def test_the_present_state_comes_first(world: World) -> None:
    hub = MarketHub(world.tape)
    ear = subscribed(hub, "F:FPT-SHS", "X:FPT", "MI:VN30", "R:FPT", "OL:FPT", "X-QUOTE:FPT", "B:FPT")
    assert kinds(ear.heard()) == {
        ("F", "FPT"), ("F", "SHS"), ("X", "FPT"), ("MI", "VN30"), ("R", "FPT"), ("OL", "FPT"),
        ("X-QUOTE", "FPT"),
    }  # fmt: skip


def test_a_client_knows_session_limits_and_last_price_at_once(world: World) -> None:
    hub, decoder = MarketHub(world.tape), Decoder()
    ear = subscribed(hub, "F:ALL", "X:ALL")
    events = [
        event
        for frame in ear.frames
        for call in json.loads(frame)["M"]
        for event in decoder.decode(call["A"][0], world.now)
    ]
    symbols = set(world.instruments)
    for kind in (StatusChanged, DayLimits, Trade):
        assert {one.symbol for one in events if isinstance(one, kind)} == symbols
    assert {decoder.session(one.board) for one in world.instruments.values()} == {"LO"}


def test_one_hears_what_one_asked_for_and_nothing_else(world: World) -> None:
    hub = MarketHub(world.tape)
    ears = {text: subscribed(hub, text) for text in ("X-TRADE:FPT", "X-QUOTE:ALL", "B:SHS-HPG", "MI:vn30")}
    for ear in ears.values():
        ear.heard()
    told(world, hub)
    codes = set(world.instruments)
    assert kinds(ears["X-TRADE:FPT"].heard()) == {("X-TRADE", "FPT")}
    quotes = kinds(ears["X-QUOTE:ALL"].heard())
    assert {kind for kind, _ in quotes} == {"X-QUOTE"}
    assert {symbol for _, symbol in quotes} <= codes
    assert len(quotes) > 5
    assert kinds(ears["B:SHS-HPG"].heard()) == {("B", "SHS"), ("B", "HPG")}
    assert kinds(ears["MI:vn30"].heard()) == {("MI", "VN30")}


def test_a_call_replaces_its_channel_and_channels_add_up(world: World) -> None:
    hub = MarketHub(world.tape)
    ear = subscribed(hub, "X-TRADE:FPT", "B:HPG", "X-TRADE:HPG")
    ear.heard()
    told(world, hub)
    assert kinds(ear.heard()) == {("X-TRADE", "HPG"), ("B", "HPG")}
    hub.invoke(ear, "switchchannels", ["X-TRADE:ALL"])  # type: ignore[arg-type]
    assert "HPG" not in {symbol for _, symbol in kinds(ear.heard())}, "what was heard already is not repeated"
    told(world, hub)
    assert len(kinds(ear.heard())) > 5


def test_a_message_goes_once_to_each_and_is_one_text_for_all(world: World) -> None:
    hub = MarketHub(world.tape)
    ears = [subscribed(hub, "X-TRADE:ALL", "X-TRADE:FPT-ALL") for _ in range(3)]
    before = hub.sent
    for ear in ears:
        ear.frames.clear()
    told(world, hub)
    assert len(ears[0].frames) == hub.sent - before > 0
    for frames in zip(*(ear.frames for ear in ears), strict=True):
        assert frames[0] is frames[1] is frames[2]


def test_who_left_hears_nothing_and_a_token_brings_everything_back(world: World) -> None:
    hub = MarketHub(world.tape)
    ear: Any = subscribed(hub, "X-TRADE:FPT")
    groups = hub.invoke(ear, "SwitchChannels", ["B:HPG-SHS"])
    hub.leave(ear)
    hub.leave(ear)
    ear.heard()
    told(world, hub)
    assert ear.heard() == []
    again: Any = Ear()
    hub.rejoin(again, "d-1", groups)
    again.heard()
    told(world, hub)
    assert kinds(again.heard()) == {("X-TRADE", "FPT"), ("B", "HPG"), ("B", "SHS")}


def test_a_client_s_minute_bars_are_the_tape_s(world: World) -> None:
    """Bars so far, read by algo's own decoder and completed by the clock, are the bars of REST."""
    hub, decoder, minutes = MarketHub(world.tape), Decoder(), MinuteBars()
    ear = subscribed(hub, "B:ALL")
    begin = world.now
    bars: list[Bar] = []
    for _ in range(30):
        told(world, hub, 1)
        for frame in ear.frames:
            for event in decoder.decode(json.loads(frame)["M"][0]["A"][0], world.now):
                assert isinstance(event, BarSoFar)
                bars += minutes.take(event) or []
        ear.frames.clear()
    bars += minutes.advance(world.now + HOUR)
    found = {(one.symbol, one.start): one[2:7] for one in bars}
    kept = {
        (one.symbol, one.start): (one.open, one.high, one.low, one.close, one.volume)
        for symbol in world.instruments
        for one in world.tape.minutes(symbol, DAY, DAY)
        if one.start >= begin
    }
    assert found == kept
    assert len(kept) > 50


def test_a_whole_day_on_every_channel_is_understood() -> None:
    world = quiet(SyntheticFlow(DAY, seed=4, intensity=0.05))
    hub, decoder = MarketHub(world.tape), Decoder()
    ear = subscribed(hub, *(f"{channel}:ALL" for channel in Channel))
    sent: dict[str, int] = {}
    while world.now < at(DAY, 15 * HOUR + 30 * MINUTE):
        world.advance(world.now + 15 * MINUTE)
        hub.tell(one for one in world.take())  # type: ignore[misc]
        for frame in ear.frames:
            argument = json.loads(frame)["M"][0]["A"][0]
            events = decoder.decode(argument, world.now)
            assert not any(isinstance(one, Unread) for one in events)
            kind = json.loads(argument)["DataType"]
            sent[kind] = sent.get(kind, 0) + 1
        ear.frames.clear()
    assert set(sent) == set(Channel)
    assert {str(decoder.session(one.board)) for one in world.instruments.values()} == {"C"}


def test_the_official_client_reads_every_message(world: World) -> None:
    stream_module = pytest.importorskip("ssi_fc_data.fc_md_stream")
    hub = MarketHub(world.tape)
    ear = subscribed(hub, *(f"{channel}:ALL" for channel in Channel))
    told(world, hub)
    got: list[dict[str, Any]] = []
    stream = stream_module.MarketDataStream(None, None)
    stream._handlers.append(got.append)
    for frame in ear.frames:
        for call in json.loads(frame)["M"]:
            for argument in call["A"]:
                stream._on_message(argument)
    assert {one["DataType"] for one in got} == set(Channel)
    assert all(isinstance(json.loads(one["Content"]), dict) for one in got)
