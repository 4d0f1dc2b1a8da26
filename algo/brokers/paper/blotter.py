"""The broker's blotter: every order of the day, what was stated of it, and the orders of earlier days."""

from __future__ import annotations

from datetime import date

from algo.brokers.paper.customers import Customer
from algo.brokers.paper.listings import Listing
from algo.brokers.paper.slips import Slip
from algo.brokers.paper.statements import (
    NewOrder,
    OrderRecord,
    OrderStated,
    RequestFailed,
    Stage,
    Statement,
)

_OWN_REQUESTS = 90_000_000  # where the numbers of requests that no program numbered begin


class Blotter:
    """Orders by id, in the order in which they came. Lasting ids begin anew every day."""

    def __init__(self) -> None:
        self.day = date(1970, 1, 1)
        self.slips: dict[str, Slip] = {}
        self.statements: list[Statement] = []
        self._temporary: dict[str, Slip] = {}
        self._of: dict[str, list[Slip]] = {}
        self._history: dict[str, dict[date, list[OrderRecord]]] = {}
        self._count = 0
        self._own = _OWN_REQUESTS
        self._dated = self._temporarily = ""

    def start_day(self, day: date) -> None:
        """File the orders of the day and begin a new one."""
        for account, slips in self._of.items():
            filed = self._history.setdefault(account, {})
            filed.setdefault(self.day, []).extend(slip.record() for slip in slips)
        self.day = day
        self.slips.clear()
        self._temporary.clear()
        self._of.clear()
        self._count = 0
        self._own = _OWN_REQUESTS
        self._dated, self._temporarily = f"{day:%y%m%d}", f"T{day:%Y%m%d}"

    def number(self, customer: Customer) -> str:
        """A request number for an order that no program numbered."""
        while self._own in customer.requests:
            self._own += 1
        customer.requests.add(self._own)
        return str(self._own)

    def receive(self, order: NewOrder, customer: Customer, listing: Listing, ns: int) -> Slip:
        """Enter a new order."""
        self._count += 1
        key = f"{self._dated}{self._count:08d}"
        temporary = f"{self._temporarily}{customer.prefix}{order.request_id:0>8}"
        slip = Slip(order, customer, listing, key, temporary, ns)
        self.slips[key] = self._temporary[temporary] = slip
        self._of.setdefault(order.account, []).append(slip)
        return slip

    def find(self, order_id: str) -> Slip | None:
        """Today's order of an id, lasting or temporary."""
        return self.slips.get(order_id) or self._temporary.get(order_id)

    def state(self, slip: Slip, ns: int, action: str) -> OrderRecord:
        """Say how an order stands now. Its time never goes back: the newest word is known by it."""
        slip.modified = max(slip.modified, ns)
        record = slip.record()
        self.statements.append(OrderStated(slip.modified, record, action))
        return record

    def fail(self, slip: Slip, request_id: str, code: str, text: str, ns: int) -> None:
        """Say that a request about an order came to nothing, and remember it with the order."""
        record = slip.record()
        slip.error = record._replace(request_id=request_id, stage=Stage.REJECTED, reason=text, modified=ns)
        self.statements.append(RequestFailed(ns, slip.account, request_id, code, text, record))

    def of(self, account: str) -> list[Slip]:
        """Today's orders of an account, oldest first."""
        return self._of.get(account, [])

    def history(self, account: str, first: date, last: date) -> list[OrderRecord]:
        """The orders of an account from `first` to `last`, both included, oldest first."""
        filed = self._history.get(account, {})
        found = [record for day in sorted(filed) if first <= day <= last for record in filed[day]]
        if first <= self.day <= last:
            found += [slip.record() for slip in self.of(account)]
        return found
