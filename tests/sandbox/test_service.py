"""A person trades over HTTP in a replayed market: the stream, the queries and the ledger say the same."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import MatchEvent, OrderErrorEvent, OrderEvent, PortfolioEvent
from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.customers import Customer
from algo.clock import local_date
from algo.data import synthetic, widen
from algo.fastconnect.wire import read_envelope
from algo.model import Account
from algo.sandbox.hub_connection import Connection
from algo.sandbox.identity import Identity
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import LIFTED
from algo.sandbox.service import Service
from algo.sandbox.sources.bars import BarReplay
from algo.sandbox.world import World
from tests.sandbox.desk import DERIVATIVES, DEVICE, EQUITY, WALL, Client, consumers, texts

MARKET = synthetic.make(days=3, seed=5)
BARS = {name: widen(MARKET[name], "15m") for name in ("VN30F1M", "FPT", "HPG")}
DATA_PATHS = ["Securities", "SecuritiesDetails", "IndexComponents", "IndexList", "DailyOhlc", "IntradayOhlc"]
DATA_PATHS += ["DailyIndex", "DailyStockPrice", "AccessToken"]


def market() -> tuple[World, Client, Customer]:
    source = BarReplay(BARS)
    person = Customer(
        "you",
        {Account.EQUITY: EQUITY, Account.DERIVATIVES: DERIVATIVES},
        {Account.EQUITY: 5_000_000_000, Account.DERIVATIVES: 2_000_000_000},
    )
    world = World(source, Brokerage([person], source.instruments, source.exchange))
    service = Service(world, Identity(consumers(), seed=1), seed=1, rules=LIFTED, data_rules=LIFTED)
    client = Client(service)
    client.sign_in()
    return world, client, person


class Trader:
    """Does this and that, over HTTP, and keeps what the stream says."""

    def __init__(self, world: World, client: Client, seed: int) -> None:
        self.world, self.client, self.random = world, client, Random(seed)
        self.decoder = EventDecoder()
        self.connection = client.connect("0")
        self.number = 0
        self.day = ""
        self.heard: list[Any] = []
        self.taken: dict[str, int] = {}

    def listen(self) -> None:
        self.client.service.publish()
        for event in texts(self.connection.frames()):
            self.heard.append(self.decoder.decode(json.dumps(event)))

    def act(self) -> None:
        """One request."""
        today = str(local_date(self.world.now))
        if today != self.day:
            self.day, self.number = today, 0
        self.number += 1
        symbol, instrument = self.random.choice(list(self.world.instruments.items()))
        mark = self.world.brokerage.mark_of(instrument)
        if mark is None:
            return
        account = DERIVATIVES if instrument.shortable else EQUITY
        market = "VNFE" if instrument.shortable else "VN"
        book = self.client.data("Trading/orderBook", account=account)["orders"]
        working = [item for item in book if item["orderStatus"] in ("QU", "PF", "IAV", "SOR")]
        common = {"account": account, "requestID": str(self.number), "deviceId": DEVICE, "code": ""}
        if working and self.random.random() < 0.4:
            item = self.random.choice(working)
            common |= {"orderID": item["orderID"], "marketID": market, "buySell": item["buySell"]}
            common |= {"instrumentID": item["instrumentID"]}
            if self.random.random() < 0.5:
                answer = self.client.place(common, "CancelOrder")
            else:
                quantity = max(item["quantity"] + self.random.choice([-100, 0, 100, 1]), 1)
                common |= {"price": item["price"], "quantity": quantity, "orderType": item["orderType"]}
                answer = self.client.place(common, "ModifyOrder")
        else:
            price = instrument.price(
                mark + self.random.randint(-20, 20) * (1 if instrument.shortable else 100)
            )
            body = self.client.order(
                str(self.number),
                account=account,
                instrumentID=symbol,
                market=market,
                buySell=self.random.choice("BS"),
                price=price,
                quantity=self.random.choice([1, 3])
                if instrument.shortable
                else self.random.choice([100, 500]),
            )
            answer = self.client.place(body)
        self.taken[f"{self.day}/{self.number}"] = answer["status"]


@settings(max_examples=12)
@given(st.integers(0, 10**6))
def test_the_stream_the_queries_and_the_ledger_say_the_same(seed: int) -> None:
    world, client, person = market()
    trader = Trader(world, client, seed)
    while world.step() is not None:
        if trader.random.random() < 0.6:
            trader.act()
        trader.listen()

    assert not any(type(event).__name__ == "UnknownEvent" for event in trader.heard)
    assert not trader.decoder.news
    # The stream: fills add up to what each order says of itself, and to what the ledger booked.
    filled: dict[str, int] = defaultdict(int)
    value: dict[str, float] = defaultdict(float)
    states: dict[str, OrderEvent] = {}
    positions: PortfolioEvent | None = None
    for event in trader.heard:
        if isinstance(event, MatchEvent):
            filled[event.order_id] += event.quantity
            value[event.order_id] += event.quantity * event.price
        elif isinstance(event, OrderEvent):
            before = states.get(event.order_id)
            assert before is None or event.filled_quantity >= before.filled_quantity
            assert event.filled_quantity + event.cancel_quantity <= event.quantity
            states[event.order_id] = event
        elif isinstance(event, PortfolioEvent):
            positions = event
    for order_id, state in states.items():
        assert filled[order_id] == state.filled_quantity
        if state.filled_quantity:
            assert state.average_price == pytest.approx(value[order_id] / filled[order_id])
    booked = sum(fill.quantity for fill in person.portfolio.fills)
    assert sum(filled.values()) == booked
    # The queries: today's orders are the last states that were told.
    for account in (EQUITY, DERIVATIVES):
        audit = client.data("Trading/auditOrderBook", account=account)["orders"]
        for item in audit:
            told = states[item["orderID"]]
            assert (item["orderStatus"], item["filledQty"]) == (told.status, told.filled_quantity)
            assert (item["price"], item["quantity"], item["cancelQty"]) == (
                told.price,
                told.quantity,
                told.cancel_quantity,
            )
    held = {
        one["instrumentID"]: one
        for one in client.data("Trading/stockPosition", account=EQUITY)["stockPositions"]
    }
    for symbol, one in held.items():
        owned = one["onHand"] + one["buyT0"] + one["buyT1"] + one["buyT2"]
        assert owned == person.portfolio.quantity(symbol)
    contracts = client.data("Trading/derivPosition", account=DERIVATIVES)["openPosition"]
    assert sum(one["net"] for one in contracts) == sum(
        one.quantity for one in person.portfolio.held() if one.instrument.shortable
    )
    if positions is not None and contracts:
        assert {one["instrumentID"]: one["net"] for one in contracts} == {
            one.instrument_id: one.net for one in positions.open
        }
    # Every request that was received became an order or an error of its own.
    answered = {event.unique_id for event in trader.heard if isinstance(event, OrderEvent | OrderErrorEvent)}
    for name, status in trader.taken.items():
        if status == 200:
            assert name.partition("/")[2] in answered
    # The replay of the last day is what was heard of it.
    replay = texts(client.connect("0").frames())
    assert [event["data"]["notifyID"] for event in replay] == [
        event.notify_id for event in trader.heard[len(trader.heard) - len(replay) :]
    ]


def test_a_trader_of_that_test_trades() -> None:
    world, client, person = market()
    trader = Trader(world, client, 7)
    while world.step() is not None:
        trader.act()
        trader.listen()
    assert len(person.portfolio.fills) > 10
    kinds = {type(event) for event in trader.heard}
    assert kinds == {OrderEvent, MatchEvent, OrderErrorEvent, PortfolioEvent}
    assert set(trader.taken.values()) <= {200, 400}


def test_the_same_calls_get_the_same_answers() -> None:
    def run() -> tuple[list[Any], dict[str, int]]:
        world, client, _ = market()
        trader = Trader(world, client, 3)
        for _ in range(120):
            world.step()
            trader.act()
            trader.listen()
        return trader.heard, trader.taken

    assert run() == run()


def test_daily_ids_begin_anew_in_a_running_market() -> None:
    world, client, _ = market()
    trader = Trader(world, client, 11)
    last: dict[str, int] = {}
    falls = []
    while world.step() is not None:
        trader.act()
        before = len(trader.heard)
        trader.listen()
        for event in trader.heard[before:]:
            if last and event.notify_id <= last["id"]:
                falls.append(event)
            last["id"] = event.notify_id
    days = {local_date(event.time * 10**6) for event in trader.heard if event.time}
    assert len(falls) == len(days) - 1 > 0


def test_what_the_market_says_reaches_who_subscribed() -> None:
    world, client, _ = market()
    client.token = client.service.identity.data_token("consumer-0", "planted-secret-0", WALL)
    hub = "FcMarketDataV2Hub"
    name = client.answer(client.negotiate("1.5", hub=hub))["ConnectionToken"]
    request = client.upgrade(name, connectionData=json.dumps([{"name": hub}]), clientProtocol="1.5")
    connection = client.service.connect(request, WALL)
    assert isinstance(connection, Connection)
    connection.receive(json.dumps({"H": hub, "M": "SwitchChannels", "A": ["B:FPT"], "I": 0}), WALL)
    while world.step() is not None:
        client.service.publish()
    bars = [json.loads(event["Content"]) for event in texts(connection.frames())]
    assert {bar["Symbol"] for bar in bars} == {"FPT"}
    assert [bar["Close"] for bar in bars] == BARS["FPT"].close.tolist()


# Rubbish about market data, over a whole market

WORLD, READER, _ = market()
for _step in range(60):
    WORLD.step()
READER.service.publish()
TOKEN = READER.service.identity.data_token("consumer-0", "planted-secret-0", WALL)
NAMES = st.sampled_from(
    ["market", "symbol", "fromDate", "toDate", "pageIndex", "pageSize", "indexCode", "indexId", "exchange",
     "ascending", "resolution", "requestId", "orderBy", "order", "lookupRequest.symbol"]
)  # fmt: skip
ASKED = st.sampled_from(
    ["FPT", "VN30F1M", "HOSE", "DER", "VN30", "VNINDEX", "1", "10", "100", "01/07/2025", "31/07/2025", "true",
     ""]
) | st.text(max_size=12)  # fmt: skip


@settings(max_examples=300)
@given(
    st.sampled_from(DATA_PATHS) | st.text(max_size=12),
    st.lists(st.tuples(NAMES, ASKED), max_size=8),
    st.sampled_from(["GET", "POST"]),
    st.binary(max_size=30),
)
def test_whatever_is_asked_of_the_market_there_is_a_valid_answer(
    name: str, query: list[tuple[str, str]], method: str, body: bytes
) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    request = Request(method, f"/api/v2/Market/{name}", tuple(query), headers, body)
    answer = READER.service.handle(request, WALL)
    assert answer.status in {200, 404, 405}
    found = json.loads(answer.body)
    assert {"message", "status"} <= set(found)


@given(
    st.lists(
        st.text(max_size=30) | st.sampled_from(["X:ALL", "F:FPT-HPG", "MI:VN30", "B:", "R:ALL"]), max_size=5
    )
)
def test_whatever_is_subscribed_the_stream_lives(channels: list[str]) -> None:
    client = Client(READER.service)
    client.token = TOKEN
    hub = "FcMarketDataV2Hub"
    name = client.answer(client.negotiate("1.5", hub=hub))["ConnectionToken"]
    request = client.upgrade(name, connectionData=json.dumps([{"name": hub}]), clientProtocol="1.5")
    connection = client.service.connect(request, WALL)
    assert isinstance(connection, Connection)
    connection.frames()
    for number, channel in enumerate(channels):
        call = {"H": hub, "M": "SwitchChannels", "A": [channel], "I": number}
        connection.receive(json.dumps(call), WALL)
    replies = [json.loads(frame) for frame in connection.frames()]
    assert [one["I"] for one in replies if "I" in one] == [str(n) for n in range(len(channels))]
    again = client.service.connect(replace(request, path="/v2.0/signalr/reconnect"), WALL)
    assert isinstance(again, Connection | Response)
    again.lost() if isinstance(again, Connection) else None


def test_an_answer_is_an_envelope_that_our_adapter_takes() -> None:
    for path in ("Trading/orderBook?account=" + EQUITY, "Trading/orderBook", "Trading/nothing"):
        assert read_envelope(READER.send("GET", f"/api/v2/{path}").body) is not None
