"""The invariants of live trading, checked against the broker's own books. Numbers are the catalogue's.

Some are checked at every request and every commit, the others when the quiet phase is over. The broker of the
sandbox is the oracle; `algo.live` is never asked whether it was right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from algo.brokers.fctrading.credentials import Credentials
from algo.live.core import Core
from algo.model import RequestStatus
from algo.orders.controls import FLATTEN
from algo.sandbox.messages import Request
from algo.sim.house import House
from algo.sim.trace import Trace

_PLACES = ("neworder", "derneworder")
_AMENDS = ("modifyorder", "dermodifyorder")


class Judge:
    """Looks on, and keeps what it finds in `violations`."""

    def __init__(
        self, house: House, credentials: Credentials, core: Callable[[], Core | None], trace: Trace
    ) -> None:
        self.violations: list[str] = []
        self.by_hand: set[str] = set()
        self._house = house
        self._core = core
        self._trace = trace
        self._durable: set[str] = set()
        self._requests: dict[str, int] = {}
        self._kill: tuple[Core | None, str, int] = (None, "", 0)
        secrets = (credentials.consumer_secret, credentials.pin, credentials.key.private_text())
        self._secrets = [one.reveal() for one in secrets if one is not None and len(one.reveal()) >= 12]

    def broken(self, number: int, text: str) -> None:
        """An invariant does not hold."""
        self.violations.append(f"invariant {number}: {text}")
        self._trace.add("violation", self.violations[-1])

    # -- at every commit and every request ------------------------------------------------------

    def recorded(self, rows: Sequence[Sequence[Any]]) -> None:
        """Rows that are durable now."""
        for row in rows:
            body = str(row[4])
            if row[3] == "command":
                (fields,) = json.loads(body).values()
                self._durable.add(str(fields[0]))
            for secret in self._secrets:
                if secret in body:
                    self.broken(14, "a secret is in the journal")

    def requested(self, request: Request) -> None:
        """A request that the broker received."""
        name = request.path.rstrip("/").rpartition("/")[2].lower()
        if name not in (*_PLACES, *_AMENDS):
            return
        number = str(json.loads(request.body)["requestID"])
        if number not in self._durable:
            self.broken(1, f"request {number} came before its intent was durable")
        self._requests[number] = self._requests.get(number, 0) + 1
        if self._requests[number] > 1:
            self.broken(2, f"request {number} was sent {self._requests[number]} times")
        core = self._core()
        if core is not None and core.controls.killed:
            known = core.engine.manager.request(number)
            order = core.engine.manager.orders.get(known.order_id) if known is not None else None
            after = known is not None and known.ns > self._killed_at(core)
            if after and (order is None or order.tag != FLATTEN):
                self.broken(8, f"request {number} was sent while the kill switch was on")

    def _killed_at(self, core: Core) -> int:
        """When the switch that is on now was first seen here, in nanoseconds of the market."""
        known, reason, ns = self._kill
        if known is not core or reason != core.controls.killed:
            ns = core.engine.now
            self._kill = (core, core.controls.killed, ns)
        return ns

    # -- when all is quiet ----------------------------------------------------------------------

    def at_the_end(self) -> None:
        """Both sides agree, or an alarm says why not."""
        core = self._core()
        if core is None:
            self.broken(9, "the program does not run after the troubles have ended")
            return
        self._orders(core)
        self._positions(core)
        self._once()

    def _orders(self, core: Core) -> None:
        slips = {one.first_request_id: one for account in self._accounts() for one in account}
        for order in core.engine.manager.every:
            if not order.order_id:
                continue
            number = order.order_id.rpartition("-")[2]
            there = slips.pop(number, None)
            place = order.requests[0]
            if order.filled > order.quantity:
                self.broken(6, f"{order} has more fills than quantity")
            if there is None:
                if order.filled:
                    self.broken(4, f"{order} has fills, and the broker never had it")
                elif not order.status.terminal and place.status is not RequestStatus.UNKNOWN:
                    self.broken(9, f"{order} is open here and unknown to the broker")
                continue
            if there.filled != order.filled - order.before:
                self.broken(4, f"{order}: {order.filled} filled here, {there.filled} at the broker")
            if order.status.terminal and not there.stage.over:
                self.broken(3, f"{order} is over here and {there.stage} at the broker")
            if there.stage.over and not order.status.terminal and order.tif == "day":
                self.broken(9, f"{order} is open here and {there.stage} at the broker")
        for number, left in slips.items():
            if number in self.by_hand or left.channel != "TA":
                if left.cancelled and not left.stage.over:
                    self.broken(11, f"the order by hand {number} was touched")
            elif number in self._durable:
                self.broken(9, f"the broker has order {number}, which nobody here knows")
            else:
                self.broken(1, f"the broker has order {number}, which was never recorded")

    def _accounts(self) -> list[list[Any]]:
        house, customer = self._house.brokerage, self._house.sandbox.recipe
        return [house.orders(customer.equity), house.orders(customer.derivatives)]

    def _positions(self, core: Core) -> None:
        house, recipe = self._house.brokerage, self._house.sandbox.recipe
        there: dict[str, int] = {}
        for share in house.stock_positions(recipe.equity):
            there[share.instrument.symbol] = share.quantity
        for contract in house.contract_positions(recipe.derivatives):
            there[contract.instrument.symbol] = contract.net
        here: dict[str, int] = dict(core.supervisor.holdings.outside)
        for desk in core.engine.desks.values():
            for position in desk.ledger.held():
                here[position.symbol] = here.get(position.symbol, 0) + position.quantity
        for symbol in sorted({*here, *there}):
            if here.get(symbol, 0) != there.get(symbol, 0) and f"symbol:{symbol}" not in core.controls.halts:
                self.broken(5, f"{symbol}: {here.get(symbol, 0)} here, {there.get(symbol, 0)} at the broker")

    def _once(self) -> None:
        """Every fill of the broker's is in exactly one ledger, by its own key."""
        core = self._core()
        assert core is not None
        # Fills learnt from a total have no key of the broker's; their quantity is compared in `_orders`.
        keys = [
            key
            for order in core.engine.manager.every
            for key in order.fill_keys
            if not key.startswith("swept:")
        ]
        if len(keys) != len(set(keys)):
            self.broken(4, "a fill is booked twice")
