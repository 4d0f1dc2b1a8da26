"""A core in the middle of a day, whose strategies are told what to do from outside, step by step."""

from __future__ import annotations

from datetime import date
from typing import Any

from algo.clock import HOUR, MINUTE, SECOND, at
from algo.live.core import Core, Plan, Seat, Step
from algo.model import (
    Account,
    Bar,
    Board,
    BooksStated,
    CancelOrder,
    DayStarted,
    HoldingsStated,
    Order,
    OrderAccepted,
    OrderFilled,
    OrderStatus,
    PlaceOrder,
    RequestReceived,
    SessionChanged,
    StreamRestored,
    TimerFired,
)
from algo.orders.controls import ControlSettings
from algo.orders.risk import Limits
from algo.strategy import Strategy

DAY = date(2026, 6, 9)
MORNING = at(DAY) + 10 * HOUR
PRICE = {"FPT": 100_000, "HPG": 30_000, "VN30F2606": 19_000}


class Hand(Strategy):
    """Does what the test says."""


class Desk:
    """A core and its clock. What is sent is kept in `sent`; nothing answers by itself."""

    def __init__(self, *, limits: Limits | None = None, agreed: bool = True, **controls: Any) -> None:
        cash = dict.fromkeys(Account, 10**10)
        self.plan = Plan(
            [Seat("one", Hand, {}, cash, limits or Limits()), Seat("two", Hand, {}, cash)],
            list(PRICE),
            DAY,
            controls=ControlSettings(**{"repeat": 0} | controls),
        )
        self.core = Core(self.plan)
        self.core.wake()
        self.now = at(DAY) + 8 * HOUR
        self.sent: list[Any] = []
        self.alarms: list[Any] = []
        self.step(DayStarted(self.now, DAY, PRICE))
        self.now = MORNING
        for board in (Board.HOSE, Board.DERIVATIVES):
            self.step(SessionChanged(self.now, board, "LO"))
        self._take(self.core.start(self.now))
        self.trade()
        if agreed:
            self.step(StreamRestored(self.now))
            self.agree()

    @property
    def controls(self) -> Any:
        return self.core.controls

    def step(self, event: Any) -> Step:
        return self._take(self.core.step(event))

    def _take(self, step: Step) -> Step:
        self.sent += step.commands
        self.alarms += step.alarms
        return step

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += round(seconds * SECOND)
        self.step(TimerFired(self.now))

    def trade(self, **prices: float) -> None:
        """A bar of every symbol, at the last prices but for those that are named."""
        self.now += MINUTE
        shown = {
            name: price / (10 if name.startswith("VN30F") else 1) for name, price in PRICE.items()
        } | prices
        self.step(
            tuple(
                Bar(name, self.now, *[price] * 4, 100, self.now - MINUTE, name)
                for name, price in sorted(shown.items())
            )
        )

    def books(self, *named: str, ago: float = 0.0) -> Step:
        asked = self.now - round(ago * SECOND)
        return self.step(BooksStated(self.now, asked, frozenset(named), asked / SECOND))

    def holdings(self, **held: int) -> Step:
        return self.step(HoldingsStated(self.now, self.now, held))

    def agree(self) -> None:
        """The broker states what is so."""
        self.books()
        self.holdings(**self.core.supervisor._held())

    def ask(self, name: str, *given: Any, strategy: str = "one", **named: Any) -> Order | None:
        """Let a strategy do something; the newest order."""
        made = len(self.core.engine.manager.every)
        getattr(self.core.engine.desks[strategy].strategy, name)(*given, **named)
        self.step(TimerFired(self.now))
        every = self.core.engine.manager.every
        return every[-1] if len(every) > made else None

    def buy(
        self, symbol: str = "FPT", quantity: int = 100, price: float | None = 100_000, **more: Any
    ) -> Order:
        order = self.ask("buy", symbol, quantity, price, **more)
        assert order is not None
        return order

    def works(self, order: Order) -> Order:
        """The broker takes the order."""
        self.step(RequestReceived(order.requests[-1].request_id, order.order_id, self.now))
        self.step(OrderAccepted(order.order_id, self.now, f"B{order.serial}"))
        assert order.status is OrderStatus.WORKING, order.reason
        return order

    def fills(self, order: Order, quantity: int | None = None, price: int | None = None) -> Order:
        """The broker fills it."""
        many = order.leaves if quantity is None else quantity
        name = f"{order.serial}-{order.filled}"
        self.step(OrderFilled(order.order_id, self.now, price or order.price, many, name))
        return order

    def take_sent(self) -> list[Any]:
        sent, self.sent = self.sent, []
        return sent

    def places(self) -> list[PlaceOrder]:
        return [one for one in self.take_sent() if isinstance(one, PlaceOrder)]

    def cancels(self) -> list[CancelOrder]:
        return [one for one in self.take_sent() if isinstance(one, CancelOrder)]

    def kinds(self) -> list[tuple[str, str]]:
        found = [(one.kind, one.scope) for one in self.alarms]
        self.alarms = []
        return found
