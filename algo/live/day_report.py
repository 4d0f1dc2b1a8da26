"""What a day of live trading was: made of the core at the day's end, and of the journal where there is one.

The core knows orders, fills and money, of earlier processes of the day too; the journal knows what came and
went: alarms, losses of streams, requests whose fate was not known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from algo.clock import local_date, to_datetime
from algo.desk import Desk
from algo.journal import Records, RowKind
from algo.live.core import Core
from algo.model import (
    Fill,
    MarketDoubted,
    Order,
    OrderStatus,
    RequestStatus,
    RequestUnknown,
    StreamLost,
    StreamRestored,
)

_REFUSED = (OrderStatus.REFUSED, OrderStatus.REJECTED)


@dataclass(frozen=True)
class StrategyDay:
    """One strategy's day. Money in đồng; `profit` is after fees and taxes, what is open at its last price."""

    name: str
    profit: int
    fees: int
    taxes: int
    orders: dict[str, int]
    fills: int
    traded: int
    refusals: dict[str, int]
    carried: dict[str, int]
    loss_limit: int | None = None


@dataclass(frozen=True)
class Told:
    """Something that was said at a time: an alarm, a loss."""

    time: str
    kind: str
    text: str


@dataclass(frozen=True)
class DayReport:
    """The day. What only a journal knows is empty without one, and `recorded` is false then.

    `unknown` is what became of requests that were of unknown fate: received, not received, open still.
    `open_orders` are those that were not over at the end; `outside` is what the account holds besides.
    """

    day: str
    strategies: tuple[StrategyDay, ...]
    processes: int = 0
    recorded: bool = False
    alarms: tuple[Told, ...] = ()
    stream_losses: tuple[Told, ...] = ()
    feed_losses: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    open_orders: tuple[str, ...] = ()
    halts: dict[str, str] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)

    @property
    def profit(self) -> int:
        """Of all strategies, đồng."""
        return sum(one.profit for one in self.strategies)

    @property
    def clean(self) -> bool:
        """Whether nothing is left for a person to look at."""
        return not (self.halts or self.open_orders or self.unknown.get("open"))

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"profit": self.profit, "clean": self.clean}


def day_report(core: Core, day: date, records: Records | None = None) -> DayReport:
    """The report of `day`, which is the core's present trading day. `records` may be the open journal."""
    manager, controls = core.engine.manager, core.controls
    limits = {seat.name: seat.limits.daily_loss for seat in core.plan.seats}
    strategies = tuple(
        _strategy(desk, [o for o in manager.every if o.strategy == desk.name and _of(o, day)], day, limits)
        for desk in core.engine.desks.values()
    )
    told: dict[str, Any] = {}
    if records is not None:
        told = _recorded(core, records, day)
    return DayReport(
        day.isoformat(),
        strategies,
        open_orders=tuple(_line(o) for o in core.open_orders if o.status is not OrderStatus.HELD),
        halts=dict(controls.halts) | ({"": controls.killed} if controls.killed else {}),
        outside={symbol: held for symbol, held in controls.outside.items() if held},
        **told,
    )


def _of(order: Order, day: date) -> bool:
    """Whether an order was made, or worked, on `day`."""
    return day in (local_date(order.created), local_date(order.updated)) or order.order_id.startswith(
        f"{day:%Y%m%d}-"
    )


def _strategy(desk: Desk, orders: list[Order], day: date, limits: dict[str, int | None]) -> StrategyDay:
    ledger = desk.ledger
    fills: list[Fill] = [one for one in ledger.fills if local_date(one.ns) == day]
    return StrategyDay(
        name=desk.name,
        profit=ledger.day_profit,
        fees=sum(one.fee for one in fills),
        taxes=sum(one.tax for one in fills),
        orders=dict(sorted(Counter(str(order.status) for order in orders).items())),
        fills=len(fills),
        traded=sum(one.value for one in fills),
        refusals=dict(Counter(o.reason for o in orders if o.status in _REFUSED).most_common()),
        carried={position.symbol: position.quantity for position in ledger.held()},
        loss_limit=limits.get(desk.name),
    )


def _recorded(core: Core, records: Records, day: date) -> dict[str, Any]:
    alarms = [
        Told(_clock(row.ns), row.value["kind"], row.value["text"])
        for row in records.rows(day=day, kinds=[RowKind.ALARM])
    ]
    losses: list[Told] = []
    feed = 0
    unknown: dict[str, str] = {}
    down = 0
    kinds = (StreamLost, StreamRestored, MarketDoubted, RequestUnknown)
    for row in records.events(*kinds, day=day):
        event = row.value
        if isinstance(event, RequestUnknown):
            unknown[event.request_id] = event.order_id
        elif isinstance(event, MarketDoubted):
            feed += 1
        elif isinstance(event, StreamLost) and not down:
            down = row.ns
            losses.append(Told(_clock(row.ns), "lost", event.reason))
        elif isinstance(event, StreamRestored) and down:
            away = (row.ns - down) / 1e9
            losses[-1] = Told(losses[-1].time, f"lost for {away:.0f} s", losses[-1].text)
            down = 0
    return {
        "recorded": True,
        "processes": sum(1 for _ in records.rows(day=day, kinds=[RowKind.RUN])),
        "alarms": tuple(alarms),
        "stream_losses": tuple(losses),
        "feed_losses": feed,
        "unknown": dict(Counter(_fate(core, one, order) for one, order in unknown.items())),
    }


def _fate(core: Core, request_id: str, order_id: str) -> str:
    """What became of a request that was of unknown fate."""
    order = core.engine.manager.orders.get(order_id)
    request = next((r for r in order.requests if r.request_id == request_id), None) if order else None
    if order is None or request is None:
        return "open"
    if request.status is RequestStatus.NOT_SENT:
        return "not received"
    known = request.done or request.status is not RequestStatus.UNKNOWN or order.status.terminal
    return "received" if known else "open"


def _line(order: Order) -> str:
    at = f" at {order.instrument.price(order.price):,.10g}" if order.price else ""
    side = order.side.name.lower()
    return f"{order.order_id}: {side} {order.leaves:,} {order.instrument.symbol}{at}, {order.status}"


def _clock(ns: int) -> str:
    return f"{to_datetime(ns):%H:%M:%S}"
