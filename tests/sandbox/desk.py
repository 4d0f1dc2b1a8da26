"""A world with the real brokerage and a market that trades when told to; requests as clients send them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from algo.brokers.fctrading.signing import SigningKey, generate
from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.customers import Customer
from algo.clock import HOUR, SECOND, at
from algo.fastconnect.secret import Secret
from algo.market import Session, instrument_of
from algo.model import (
    Account,
    AmendOrder,
    Board,
    BrokerEvent,
    CancelOrder,
    Command,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    PlaceOrder,
)
from algo.sandbox.hub_connection import Connection
from algo.sandbox.identity import Consumer, Identity, public_key
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import LIFTED
from algo.sandbox.service import Service
from algo.sandbox.tape import Tape

DAY = date(2026, 6, 9)
WALL = 1_780_000_000.0
KEY: SigningKey = generate()
OTHER_KEY: SigningKey = generate()
EQUITY, DERIVATIVES = "0901351", "0901358"
PIN = "123456"
FUTURE = "VN30F2606"
DEVICE = "AA:BB:CC:DD:EE:FF"


class Echo:
    """An exchange that takes every order and trades when told."""

    def __init__(self) -> None:
        self.orders: dict[str, PlaceOrder] = {}
        self.fills = 0

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        if isinstance(command, PlaceOrder):
            self.orders[command.order_id] = command
            return [OrderAccepted(command.order_id, ns, waiting=command.trigger is not None)]
        placed = self.orders[command.order_id]
        if isinstance(command, AmendOrder):
            price = command.price or placed.price
            quantity = command.quantity or placed.quantity
            return [OrderAmended(command.order_id, ns, price, quantity, command.request_id)]
        assert isinstance(command, CancelOrder)
        return [OrderCancelled(command.order_id, ns, command.request_id)]


class Desk:
    """The stand-in world."""

    def __init__(self, customers: int = 1) -> None:
        self.instruments = {name: instrument_of(name) for name in ("SSI", "FPT", FUTURE)}
        self.exchange = Echo()
        self.people = [
            Customer(
                f"person-{n}",
                {Account.EQUITY: numbers(n)[0], Account.DERIVATIVES: numbers(n)[1]},
                {Account.EQUITY: 10_000_000_000, Account.DERIVATIVES: 10_000_000_000},
            )
            for n in range(customers)
        ]
        for person in self.people:
            person.portfolio.open(self.instruments["SSI"], 10_000, 30_000)
        self.brokerage = Brokerage(self.people, self.instruments, self.exchange)
        self.tape = Tape()
        self.now = 0
        self.start(DAY)

    def start(self, day: date) -> None:
        self.now = at(day, 8 * HOUR)
        references = {"SSI": 30_000, "FPT": 100_000, FUTURE: 19_000}
        self.brokerage.start_day(self.now, day, references)
        self.now = at(day, 10 * HOUR)
        for board in (Board.HOSE, Board.DERIVATIVES):
            self.brokerage.enter(board, Session.LO, self.now)

    @property
    def day(self) -> date:
        return DAY

    def place(self, order) -> None:
        self.brokerage.place(order, self.now)

    def change(self, change) -> None:
        self.brokerage.change(change, self.now)

    def withdraw(self, withdrawal) -> None:
        self.brokerage.withdraw(withdrawal, self.now)

    def fill(self, price: int, quantity: int, order: int = -1) -> None:
        """Trade part of an order, by default of the last one."""
        self.now += SECOND
        self.exchange.fills += 1
        name = list(self.exchange.orders)[order]
        self.brokerage.hear([OrderFilled(name, self.now, price, quantity, str(self.exchange.fills))])

    def take(self) -> list[Any]:
        return list(self.brokerage.take())


def numbers(person: int) -> tuple[str, str]:
    return f"{int(EQUITY) + 10 * person:07d}", f"{int(DERIVATIVES) + 10 * person:07d}"


def consumers(count: int = 1) -> list[Consumer]:
    return [
        Consumer(
            f"consumer-{n}",
            Secret(f"planted-secret-{n}"),
            public_key(KEY.public_text()),
            Secret(PIN),
            numbers(n),
        )
        for n in range(count)
    ]


class Client:
    """One consumer's view of a service."""

    def __init__(self, service: Service, person: int = 0, wall: float = WALL) -> None:
        self.service = service
        self.person = person
        self.wall = wall
        self.equity, self.derivatives = numbers(person)
        self.token = ""

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "consumerID": f"consumer-{self.person}",
            "consumerSecret": f"planted-secret-{self.person}",
        }

    def sign_in(self, code: str = PIN, factor: int = 0, save: bool = True) -> str:
        found = self.answer(
            self.post(
                "/api/v2/Trading/AccessToken",
                {**self.credentials, "twoFactorType": factor, "code": code, "isSave": save},
            )
        )
        self.token = found["data"]["accessToken"]
        return self.token

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        path, _, query = path.partition("?")
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        found = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return self.service.handle(Request(method, path, pairs, found | dict(headers or {}), body), self.wall)

    def post(self, path: str, body: object, key: SigningKey = KEY) -> Response:
        data = json.dumps(body).encode()
        return self.send("POST", path, data, {"x-signature": key.sign(data)})

    def get(self, name: str, **query: object) -> Response:
        return self.send("GET", f"/api/v2/{name}?{urlencode(query)}")

    @staticmethod
    def answer(response: Response) -> Any:
        return json.loads(response.body)

    def data(self, name: str, **query: object) -> Any:
        found = self.answer(self.get(name, **query))
        assert found["status"] == 200, found
        return found["data"]

    def order(self, request_id: object = "1", **changes: object) -> dict[str, Any]:
        return {
            "account": self.equity,
            "requestID": request_id,
            "instrumentID": "SSI",
            "market": "VN",
            "buySell": "B",
            "orderType": "LO",
            "price": 30000.0,
            "quantity": 300,
            "stopOrder": False,
            "stopPrice": 0.0,
            "stopType": "",
            "stopStep": 0.0,
            "lossStep": 0.0,
            "profitStep": 0.0,
            "channelID": "TA",
            "code": "",
            "deviceId": DEVICE,
            "userAgent": "test",
        } | changes

    def contract(self, request_id: object = "1", **changes: object) -> dict[str, Any]:
        return self.order(
            request_id,
            **{
                "account": self.derivatives,
                "instrumentID": FUTURE,
                "market": "VNFE",
                "price": 1900.0,
                "quantity": 2,
            }
            | changes,
        )

    def place(self, body: object, path: str = "NewOrder") -> Any:
        return self.answer(self.post(f"/api/v2/Trading/{path}", body))

    def cancel(self, request_id: str, order_id: str) -> Any:
        body = {"account": self.equity, "requestID": request_id, "orderID": order_id, "marketID": "VN"}
        body |= {"instrumentID": "SSI", "buySell": "B", "code": "", "deviceId": DEVICE, "userAgent": ""}
        return self.place(body, "CancelOrder")

    # The stream

    def negotiate(self, protocol: str = "1.3", hub: str = "BroadcastHubV2", method: str = "POST") -> Response:
        query = urlencode({"connectionData": json.dumps([{"name": hub}]), "clientProtocol": protocol})
        return self.send(method, f"/v2.0/signalr/negotiate?{query}")

    def upgrade(self, token: str, action: str = "connect", **extra: str) -> Request:
        headers = {"authorization": f"Bearer {self.token}"}
        if "notify" in extra:
            headers["notifyid"] = extra.pop("notify")
        query = {
            "transport": "webSockets",
            "connectionToken": token,
            "connectionData": '[{"name": "BroadcastHubV2"}]',
            "clientProtocol": "1.3",
        } | extra
        return Request("GET", f"/v2.0/signalr/{action}", tuple(query.items()), headers)

    def connect(self, notify: str = "0", **extra: str) -> Connection:
        token = self.answer(self.negotiate(extra.get("clientProtocol", "1.3")))["ConnectionToken"]
        found = self.service.connect(self.upgrade(token, notify=notify, **extra), self.wall)
        assert isinstance(found, Connection)
        return found


def service(desk: Desk | None = None, people: int = 1, **options: Any) -> Service:
    """A service without a rate limit, unless told."""
    identity = Identity(consumers(people), seed=1)
    return Service(desk or Desk(people), identity, **({"seed": 1, "rules": LIFTED} | options))


def texts(frames: list[str]) -> list[Any]:
    """The events in some frames."""
    return [
        json.loads(message["A"][0])
        for frame in frames
        for message in json.loads(frame).get("M", ())
        if message["M"] == "Broadcast"
    ]
