"""Cancelling a run's orders from outside of it: when its process is gone, or does not answer.

Nothing of the run is needed but its journal and the kept sign-in. An order is ours when the journal has the
request that the broker names with it. One whose request id only looks like ours is told, and never touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from algo.brokers.base import BrokerOrder, BrokerPosition, RequestOutcome, Snapshot
from algo.brokers.fctrading.adapter import FastConnect
from algo.brokers.fctrading.auth import Purpose
from algo.brokers.fctrading.connection import Connection
from algo.brokers.fctrading.credentials import Credentials
from algo.brokers.fctrading.session import Ask
from algo.clock import SECOND, local_date
from algo.journal import Records, RowKind
from algo.live.machine import Machine
from algo.model import (
    CancelOrder,
    Command,
    Order,
    OrderStatus,
    PlaceOrder,
    Request,
    RequestKind,
    RequestReceived,
)
from algo.orders.request_id import LAST_SLOT, RequestIds, parse

SWEEPS = 5
PAUSE = 1.5
SET_OFF = "SOS"
"""The broker's word for a stop order whose trigger was reached."""
OPERATOR_SLOT = LAST_SLOT
"""Whose request ids cancels from outside carry: a run that hangs goes on counting its own."""


class Reachable(Protocol):
    """What is needed of a broker."""

    def adopt(self, orders: Iterable[Order]) -> None: ...
    async def send(self, command: Command) -> RequestOutcome: ...
    async def snapshot(self) -> Snapshot: ...


@dataclass
class Killed:
    """What came of it: orders cancelled, still open, and probably ours."""

    cancelled: list[str] = field(default_factory=list)
    open: list[BrokerOrder] = field(default_factory=list)
    probable: list[BrokerOrder] = field(default_factory=list)
    others: int = 0
    positions: list[BrokerPosition] = field(default_factory=list)
    """What the accounts hold, the strategies' and all else."""
    complete: bool = False
    """Whether the broker's own books were had whole at the end."""

    @property
    def done(self) -> bool:
        """Whether those books show that nothing of ours works."""
        return self.complete and not self.open


def placed_today(records: Records, day: date) -> tuple[dict[str, PlaceOrder], dict[int, str]]:
    """The orders that a journal has of `day` by their ids, and whose request each number is."""
    orders: dict[str, PlaceOrder] = {}
    owners: dict[int, str] = {}
    for row in records.rows(kinds=[RowKind.COMMAND]):
        command = row.value
        if command.order_id.startswith(f"{day:%Y%m%d}-"):
            owners[int(command.request_id)] = command.order_id
            if isinstance(command, PlaceOrder):
                orders[command.order_id] = command
    return orders, owners


async def kill(
    broker: Reachable, orders: dict[str, PlaceOrder], owners: dict[int, str], used: int, day: date
) -> Killed:
    """Cancel what is ours, riskiest first, and make sure by the broker's own books.

    `used` is how many request ids of the operator's slot were given away on `day`, the day of `orders`.
    Request ids begin anew every day, so an order of another day is not ours by its number.
    """
    ids = RequestIds(OPERATOR_SLOT, used)
    found = Killed()

    async def cancel(order_id: str, stated: BrokerOrder) -> RequestOutcome:
        """One order may stand under several of the broker's ids: the command names the one adopted last."""
        placed = orders[order_id]
        broker.adopt([_order(placed, stated)])
        return await broker.send(CancelOrder(ids.take(), order_id, placed.strategy, placed.instrument))

    for sweep in range(SWEEPS):
        if sweep:
            await asyncio.sleep(PAUSE)
        snapshot = await broker.snapshot()
        stated = [order for one in snapshot.accounts for order in one.orders or ()]
        found.complete = all(one.orders is not None for one in snapshot.accounts)
        ours: list[tuple[str, BrokerOrder]] = []
        found.probable, found.others = [], 0
        found.positions = [held for one in snapshot.accounts for held in one.positions or ()]
        for order in stated:
            if (order.status is not None and order.status.terminal) or _went_on(order, stated):
                continue
            number = int(order.request_id) if order.request_id.isdigit() else -1
            today = not order.created or local_date(order.created) == day
            if (today and number in owners) or order.order_id in orders:
                ours.append((owners.get(number, order.order_id), order))
            elif parse(order.request_id.zfill(8)) is not None:
                found.probable.append(order)
            else:
                found.others += 1
        found.open = [order for _, order in ours]
        if not ours and found.complete:
            break
        ours.sort(key=lambda pair: (pair[1].quantity - pair[1].filled) * max(pair[1].price, 1), reverse=True)
        outcomes = await asyncio.gather(*(cancel(oid, one) for oid, one in ours if oid in orders))
        found.cancelled += [one.order_id for one in outcomes if isinstance(one, RequestReceived)]
    found.cancelled = sorted(set(found.cancelled))
    return found


async def kill_outside(
    credentials: Credentials,
    journal: Path,
    tokens: Path | None,
    ask: Ask | None = None,
    machine: Machine | None = None,
) -> Killed:
    """Cancel what the run with this journal has at the broker, by the kept sign-in, or by asking for a code.

    Raises BrokerError when the broker cannot be reached, JournalError when the journal cannot be read.
    """
    machine = machine if machine is not None else Machine()
    with Records.open(journal) as records:
        days = records.days()
        if not days:
            return Killed(complete=True)
        orders, owners = placed_today(records, days[-1])
        used = records.request_ids(days[-1]).get(OPERATOR_SLOT, 0)
    async with Connection(
        credentials, ask=ask, tokens=tokens, moment=machine.moment, random=machine.random
    ) as connection:
        await connection.session.token(Purpose.TRADE)
        broker = FastConnect(connection, now=lambda: round(machine.wall() * SECOND), random=machine.random)
        # Nobody records what is sent from here, so the second of the day sets the first id of this call.
        return await kill(broker, orders, owners, max(used, int(machine.wall()) % 86_400), days[-1])


def _went_on(order: BrokerOrder, stated: Sequence[BrokerOrder]) -> bool:
    """Whether it is a stop order that was set off and stands as another order now, in the same books.

    The broker does not say when such an order ends; the one that it became does.
    """
    return order.wire_status.upper() == SET_OFF and any(
        one.request_id == order.request_id and one.broker_id != order.broker_id for one in stated
    )


def _order(command: PlaceOrder, stated: BrokerOrder) -> Order:
    """The order as the adapter needs it to name it to the broker."""
    order = Order(
        strategy=command.strategy,
        symbol=command.instrument.symbol,
        instrument=command.instrument,
        side=command.side,
        quantity=stated.quantity,
        order_type=command.order_type,
        price=stated.price,
        trigger=command.trigger,
    )
    order.order_id, order.broker_id = command.order_id, stated.broker_id
    order.status, order.filled = stated.status or OrderStatus.WORKING, stated.filled
    order.requests.append(Request(command.request_id, RequestKind.PLACE, command.order_id, 0))
    return order
