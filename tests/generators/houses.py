"""A broker over the paper exchange, moved by hand through trading days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from algo.brokers.paper import FillRules, PaperExchange
from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.customers import Customer
from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.statements import (
    API,
    ChangeOrder,
    NewOrder,
    OrderRecord,
    OrderStated,
    RequestFailed,
    Stage,
    Statement,
    WithdrawOrder,
)
from algo.clock import HOUR, MINUTE, at
from algo.market import Session, instrument_of
from algo.model import (
    Account,
    Board,
    BrokerEvent,
    Instrument,
    Level,
    OrderType,
    Quote,
    Side,
    Trade,
    Trigger,
)

FPT, SSI = instrument_of("FPT"), instrument_of("SSI")
SHS = instrument_of("SHS", Board.HNX)
VN30 = instrument_of("VN30F2509")
NEXT = instrument_of("VN30F2512")
INSTRUMENTS = {one.symbol: one for one in (FPT, SSI, SHS, VN30, NEXT)}
REFERENCES = {"FPT": 100_000, "SSI": 30_000, "SHS": 20_000, VN30.symbol: 14_000, NEXT.symbol: 14_100}
MONDAY = date(2025, 7, 7)
ANY = FillRules(participation=None)
CASH = {Account.EQUITY: 1_000_000_000, Account.DERIVATIVES: 1_000_000_000}


def customer(name: str = "an", cash: dict[Account, int] | None = None, **more: object) -> Customer:
    """Somebody with accounts <name>1 for shares and <name>8 for derivatives."""
    accounts = {Account.EQUITY: f"{name}1", Account.DERIVATIVES: f"{name}8"}
    return Customer(name, accounts, CASH if cash is None else cash, **more)  # type: ignore[arg-type]


class House:
    """One broker, its exchange, and the time. Prices are in units; statements are kept in `said`."""

    def __init__(
        self,
        *customers: Customer,
        settings: HouseSettings | None = None,
        cash: dict[Account, int] | None = None,
        margin: Fraction | None = None,
        exchange: Any = None,
    ) -> None:
        people = customers or (customer(cash=cash, margin=margin),)
        self.exchange = PaperExchange(INSTRUMENTS, ANY) if exchange is None else exchange
        self.broker = Brokerage(people, INSTRUMENTS, self.exchange, settings)
        self.said: list[Statement] = []
        self.requests = 0
        self.start_day(MONDAY)

    def start_day(self, day: date, references: dict[str, int] | None = None) -> None:
        self.day = day
        self.ns = at(day)
        self.exchange.start_day(day, references or REFERENCES)
        self.broker.start_day(self.ns, day, references or REFERENCES)
        self.hear()

    def go(
        self, clock: float, session: Session | None = None, boards: Iterable[Board] = tuple(Board)
    ) -> House:
        """Go to an hour of the day, into a session when one is named."""
        self.ns = at(self.day, int(clock * HOUR))
        if session is not None:
            for board in boards:
                if hasattr(self.exchange, "enter"):  # one with books goes through sessions itself
                    self.told(self.exchange.enter(board, session, self.ns))
                elif session is Session.C:
                    self.broker.hear(self.exchange.close_day(board, self.ns))
                self.broker.enter(board, session, self.ns)
        self.hear()
        return self

    def open(self) -> House:
        """Continuous trading, at ten."""
        return self.go(10, Session.LO)

    def hear(self) -> list[Statement]:
        """What was said since the last time."""
        news = self.broker.take()
        self.said += news
        return news

    def number(self) -> str:
        self.requests += 1
        return str(self.requests)

    def place(
        self,
        side: Side,
        instrument: Instrument,
        price: int = 0,
        quantity: int = 100,
        order_type: OrderType = OrderType.LO,
        trigger: Trigger | None = None,
        name: str = "an",
        request: str | None = None,
        channel: str = API,
    ) -> OrderRecord:
        """Place an order; it as it stands then."""
        account = name + ("8" if instrument.shortable else "1")
        number = self.number() if request is None else request
        order = NewOrder(account, number, instrument, side, order_type, price, quantity, trigger, channel)
        self.ns += MINUTE // 60
        self.broker.place(order, self.ns)
        self.hear()
        return self.broker.orders(account)[-1]

    def change(
        self, order: OrderRecord, price: int | None = None, quantity: int | None = None
    ) -> OrderRecord:
        self.ns += MINUTE // 60
        request = ChangeOrder(order.account, self.number(), order.order_id, price, quantity)
        self.broker.change(request, self.ns)
        self.hear()
        return self.now(order)

    def withdraw(self, order: OrderRecord) -> OrderRecord:
        self.ns += MINUTE // 60
        self.broker.withdraw(WithdrawOrder(order.account, self.number(), order.order_id), self.ns)
        self.hear()
        return self.now(order)

    def trade(self, instrument: Instrument, price: int, quantity: int = 1_000_000) -> None:
        """Somebody trades at a price; resting orders beyond it fill."""
        self.ns += MINUTE // 60
        trade = Trade(instrument.symbol, self.ns, instrument.price(price), quantity)
        self.told(self.exchange.trade(trade))
        self.broker.mark(instrument.symbol, price, self.ns)
        self.hear()

    def quote(self, instrument: Instrument, bid: int, ask: int, size: int = 1_000_000) -> None:
        """The displayed book."""
        self.ns += MINUTE // 60
        bids = (Level(instrument.price(bid), size),)
        asks = (Level(instrument.price(ask), size),)
        self.told(self.exchange.quote(Quote(instrument.symbol, self.ns, bids, asks)))
        self.hear()

    def told(self, events: list[BrokerEvent]) -> None:
        self.broker.hear(events)

    def now(self, order: OrderRecord) -> OrderRecord:
        found = self.broker.order(order.order_id)
        assert found is not None
        return found

    def failure(self) -> RequestFailed:
        """The last request that failed."""
        return [one for one in self.said if isinstance(one, RequestFailed)][-1]

    def stages(self, order: OrderRecord) -> list[Stage]:
        """What was stated of an order, in order; its temporary id included."""
        return [
            one.order.stage
            for one in self.said
            if isinstance(one, OrderStated)
            and one.order.first_request_id == order.first_request_id
            and one.order.parent == order.parent
            and one.order.account == order.account
        ]
