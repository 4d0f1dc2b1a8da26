"""An engine that trades in a world, one stop after another, as a client of the sandbox does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from algo.backtest import Run
from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.customers import Customer
from algo.brokers.paper.statements import (
    ChangeOrder,
    NewOrder,
    OrderMatched,
    OrderStated,
    RequestFailed,
    Stage,
    WithdrawOrder,
)
from algo.engine import NEVER
from algo.market import NoFees
from algo.model import (
    Account,
    AmendOrder,
    Bar,
    BrokerEvent,
    Command,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    PlaceOrder,
    RequestRefused,
    TimerFired,
)
from algo.sandbox.source import Happening, Source, Stop
from algo.sandbox.world import World


class QuietHouse(Brokerage):
    """A brokerage without customers."""

    def __init__(self, source: Source) -> None:
        super().__init__((), source.instruments, source.exchange)


def quiet(source: Source) -> World:
    """A world without customers."""
    return World(source, QuietHouse(source))


class Overheard:
    """A source whose happenings are kept for whoever listens."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.said: list[Happening] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def step(self) -> Sequence[Happening]:
        found = self._source.step()
        self.said += found
        return found


class SteppedClient:
    """Drives `run`'s engine through a world over `source`. What it sends goes straight to the exchange."""

    def __init__(self, run: Run, source: Source) -> None:
        self.engine = run.engine
        self.source = Overheard(source)
        self.world = World(self.source, QuietHouse(self.source))
        self.stops: list[Stop] = []

    def play(self) -> None:
        first = self.world.next_stop()
        assert first is not None
        self._pump(self.engine.start(first.ns))
        while (stop := self.world.next_stop()) is not None and stop.kind != "end":
            self._timers(stop.ns if stop.kind == "open" else stop.ns - 1)
            self.world.step()
            self.stops.append(stop)
            self._hear()
        self._pump(self.engine.stop(self.world.now))

    def _timers(self, until: int) -> None:
        while self.engine.next_timer <= until and self.engine.next_timer != NEVER:
            due = self.engine.next_timer
            self.world.approach(due)
            self._pump(self.engine.step(TimerFired(due)))
            if self.engine.next_timer == due:
                raise AssertionError("a timer that fires without end")

    def _hear(self) -> None:
        said, self.source.said = self.source.said, []
        bars: list[Bar] = []
        for one in said:
            if isinstance(one, Bar):
                bars.append(one._replace(symbol=self._alias(one.contract)))
            else:
                self._pump(self.engine.step(one))
        if bars:
            self._pump(self.engine.step(tuple(bars)))

    def _alias(self, code: str) -> str:
        return next((name for name in self.engine.venues if self.world.code(name) == code), code)

    def _pump(self, commands: Iterable[Command]) -> None:
        queue = list(commands)
        for command in queue:
            for event in self.source.exchange.execute(command, self.engine.now):
                queue.extend(self.engine.step(event))


class BrokeredClient(SteppedClient):
    """The same through a broker: commands are a customer's requests, and events come from statements."""

    def __init__(self, run: Run, source: Source, accounts: Mapping[Account, str], cash: int) -> None:
        super().__init__(run, source)
        person = Customer(
            "an", accounts, dict.fromkeys(accounts, cash), fees=NoFees(), calendar=source.calendar
        )
        broker = Brokerage([person], source.instruments, self.source.exchange)
        self.world = World(self.source, broker)
        self._accounts = dict(accounts)
        self._ids: dict[str, str] = {}  # first request -> the engine's order
        self._broker_ids: dict[str, str] = {}
        self._accepted: set[str] = set()
        self._fills = 0

    def _hear(self) -> None:
        self._answer(self.world.take())
        self.source.said = [one for one in self.source.said if not hasattr(one, "order_id")]
        super()._hear()

    def _answer(self, said: Iterable[Any]) -> None:
        for one in said:
            for event in self._events(one):
                self._pump(self.engine.step(event))

    def _pump(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self.world.approach(self.engine.now)
            instrument = command.instrument
            account = self._accounts[instrument.account]
            if isinstance(command, PlaceOrder):
                self._ids[command.request_id] = command.order_id
                self.world.place(
                    NewOrder(
                        account, command.request_id, instrument, command.side, command.order_type,
                        command.price, command.quantity, command.trigger,
                    )
                )  # fmt: skip
            else:
                broker_id = self._broker_ids[command.order_id]
                if isinstance(command, AmendOrder):
                    self.world.change(
                        ChangeOrder(account, command.request_id, broker_id, command.price, command.quantity)
                    )
                else:
                    self.world.withdraw(WithdrawOrder(account, command.request_id, broker_id))
            self._answer(self.world.take())

    def _events(self, said: Any) -> Iterator[BrokerEvent]:
        if isinstance(said, OrderMatched):
            self._fills += 1
            yield OrderFilled(
                self._ids[said.order.first_request_id], said.ns, said.price, said.quantity, f"S{self._fills}"
            )
        elif isinstance(said, RequestFailed) and said.order is not None:
            order_id = self._ids[said.order.first_request_id]
            yield RequestRefused(said.request_id, order_id, said.ns, said.text)
        elif isinstance(said, OrderStated):
            yield from self._stated(said)

    def _stated(self, said: OrderStated) -> Iterator[BrokerEvent]:
        order, ns = said.order, said.ns
        order_id = self._ids[order.first_request_id]
        self._broker_ids[order_id] = order.order_id
        if order.stage in (Stage.QUEUED, Stage.STOP_WAITING) and order_id not in self._accepted:
            self._accepted.add(order_id)
            yield OrderAccepted(order_id, ns, order.order_id, order.stage is Stage.STOP_WAITING)
        elif order.stage is Stage.STOP_SENT:
            yield OrderTriggered(order_id, ns)
        elif said.action == "MODIFY_ORDER" and order.stage in (Stage.QUEUED, Stage.PARTLY_FILLED):
            yield OrderAmended(order_id, ns, order.price, order.quantity, order.request_id)
        elif order.stage in (Stage.CANCELLED, Stage.PARTLY_FILLED_CANCELLED):
            yield OrderCancelled(order_id, ns, order.request_id if said.action == "CANCEL_ORDER" else "")
        elif order.stage is Stage.EXPIRED:
            yield OrderExpired(order_id, ns, order.reason)
        elif order.stage is Stage.REJECTED:
            yield OrderRejected(order_id, ns, order.reason)
