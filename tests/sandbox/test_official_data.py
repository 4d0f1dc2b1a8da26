"""SSI's own Python client for market data, ssi-fc-data 2.2.2, unmodified, over real sockets."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from ssi_fc_data.fc_md_client import MarketDataClient
from ssi_fc_data.fc_md_stream import MarketDataStream
from ssi_fc_data.model import model

from algo.clock import HOUR, at
from algo.sandbox.recipe import Recipe
from tests.sandbox.running import Served, made, served

HEARD_WITHIN = 20.0
DAY = date(2026, 3, 2)


@pytest.fixture(scope="module", autouse=True)
def quiet_client() -> Iterator[None]:
    """The client logs every lost connection with a traceback."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    """The made-up market in the first minutes of continuous trading: every channel has something to say."""
    recipe = Recipe.new(day=DAY, seed=3)
    until = at(DAY) + 9 * HOUR + 16 * HOUR // 60
    with served(made(until, source=recipe.market())) as found:
        yield found


def config_of(running: Served) -> SimpleNamespace:
    document = running.document
    return SimpleNamespace(
        auth_type="Bearer",
        consumerID=document["consumer_id"],
        consumerSecret=document["consumer_secret"],
        url=document["data_url"],
        stream_url=document["data_stream_url"],
    )


@pytest.fixture(scope="module")
def client(running: Served) -> MarketDataClient:
    return MarketDataClient(config_of(running))


def values(rows: Any) -> Iterator[Any]:
    """Everything that is no list and no object, however deep."""
    if isinstance(rows, dict):
        for value in rows.values():
            yield from values(value)
    elif isinstance(rows, list):
        for value in rows:
            yield from values(value)
    else:
        yield rows


def test_a_token_and_a_refusal(running: Served) -> None:
    config = config_of(running)
    answer = MarketDataClient(config).access_token(
        model.accessToken(config.consumerID, config.consumerSecret)
    )
    assert answer["status"] == 200 and answer["data"].keys() == {"accessToken"}
    config.consumerSecret = "wrong"
    with pytest.raises(NameError):
        MarketDataClient(config)


def test_every_query_is_answered(client: MarketDataClient) -> None:
    first, last = "20/02/2026", "02/03/2026"
    answers = {
        "securities": client.securities(None, model.securities("HOSE", 1, 100)),
        "details": client.securities_details(None, model.securities_details("HOSE", "FPT", 1, 100)),
        "components": client.index_components(None, model.index_components("VN30", 1, 100)),
        "indices": client.index_list(None, model.index_list("HOSE", 1, 100)),
        "days": client.daily_ohlc(None, model.daily_ohlc("FPT", first, last, 1, 100, True)),
        "minutes": client.intraday_ohlc(None, model.intraday_ohlc("FPT", last, last, 1, 100, True, 1)),
        "index days": client.daily_index(
            None, model.daily_index("1", "VNINDEX", first, last, 1, 100, "", "")
        ),
        "prices": client.daily_stock_price(None, model.daily_stock_price("FPT", first, last, 1, 100, "HOSE")),
    }
    refused = {name: answer for name, answer in answers.items() if str(answer["status"]).lower() != "success"}
    assert not refused
    for name, answer in answers.items():
        rows = answer.get("data") or answer.get("dataList")
        assert rows or name == "index days", f"{name}: no index was before the first made-up day"
        assert all(isinstance(value, str) for value in values(rows or [])), f"{name}: all values are text"
    assert {row["Symbol"] for row in answers["securities"]["data"]} >= {"FPT", "HPG", "VCB"}


def test_pages(client: MarketDataClient) -> None:
    pages = [
        client.daily_ohlc(None, model.daily_ohlc("FPT", "01/02/2026", "02/03/2026", n, 10, True))
        for n in (1, 2)
    ]
    days = [row["TradingDate"] for page in pages for row in page["data"]]
    assert len(days) == len(set(days)) > 10


@dataclass
class Heard:
    """What the client's handler got, by data type."""

    contents: list[tuple[str, dict]] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, message: dict) -> None:
        content = message["Content"]
        with self.changed:
            found = json.loads(content) if isinstance(content, str) else content
            self.contents.append((message["DataType"], found))
            self.changed.notify_all()

    def fail(self, error: Any) -> None:
        self.errors.append(error)

    def wait(self, condition: Callable[[Heard], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), HEARD_WITHIN), self.contents[-3:]

    def of(self, kind: str) -> list[dict]:
        return [content for name, content in self.contents if name == kind]


@contextlib.contextmanager
def listening(running: Served, client: MarketDataClient, channel: str) -> Iterator[Heard]:
    heard = Heard()
    stream = MarketDataStream(config_of(running), client)
    heard.stream = stream  # type: ignore[attr-defined]
    stream.start(heard.take, heard.fail, channel)
    try:
        yield heard
    finally:
        stream.connection._Connection__transport._ws.close()


CHANNELS = {
    "F:ALL": ("F", {"MarketId", "TradingSession", "TradingStatus", "Symbol"}),
    "X-QUOTE:FPT": ("X-QUOTE", {"AskPrice1", "AskVol1", "BidPrice10", "BidVol10", "TradingSession"}),
    "X-TRADE:ALL": ("X-TRADE", {"LastPrice", "LastVol", "Ceiling", "Floor", "RefPrice", "EstMatchedPrice"}),
    "X:FPT-HPG": ("X", {"LastPrice", "BidPrice1", "Open", "High", "Low", "Close"}),
    "B:ALL": ("B", {"Open", "High", "Low", "Close", "Volume", "Time"}),
    "R:ALL": ("R", {"TotalRoom", "CurrentRoom", "BuyVol", "SellVol"}),
    "MI:ALL": ("MI", {"IndexId", "IndexValue", "Advances", "Declines"}),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_speaks(running: Served, client: MarketDataClient, channel: str) -> None:
    kind, fields = CHANNELS[channel]
    with listening(running, client, channel) as heard:
        if kind != "B":
            heard.wait(lambda h: bool(h.of(kind)))
        before = len(heard.contents)
        if kind not in {"F", "R"}:
            running.control("step", until=running.sandbox.world.now + 90 * 10**9)
            heard.wait(lambda h: len(h.contents) > before)
        assert {name for name, _ in heard.contents} == {kind}
        assert fields <= heard.of(kind)[-1].keys()
        assert not heard.errors


def test_odd_lots_can_be_asked_for(running: Served, client: MarketDataClient) -> None:
    with listening(running, client, "OL:ALL") as heard:
        heard.wait(lambda h: bool(h.of("OL")))
        heard.stream.swith_channel("MI:ALL")  # type: ignore[attr-defined]
        heard.wait(lambda h: bool(h.of("MI")))
        assert not heard.errors


def test_channels_add_up_across_kinds_and_replace_within_one(
    running: Served, client: MarketDataClient
) -> None:
    with listening(running, client, "X-TRADE:FPT") as heard:
        heard.wait(lambda h: bool(h.of("X-TRADE")))
        heard.stream.swith_channel("B:HPG")  # type: ignore[attr-defined]
        heard.stream.swith_channel("X-TRADE:HPG")  # type: ignore[attr-defined]
        heard.wait(lambda h: any(one["Symbol"] == "HPG" for one in h.of("X-TRADE")))
        before = len(heard.contents)
        running.control("step", until=running.sandbox.world.now + 120 * 10**9)
        heard.wait(lambda h: any(kind == "B" for kind, _ in h.contents[before:]))
        assert {content["Symbol"] for _, content in heard.contents[before:]} == {"HPG"}
