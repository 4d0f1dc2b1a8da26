"""What is open and what was closed: lots, and the round trips that they become."""

from __future__ import annotations

from typing import NamedTuple

from algo.model import Instrument


class Lot:
    """What one fill opened and nothing has closed yet. `cost` is đồng at the fill price, without fees.

    `paid` is the đồng of its profit that daily settlements of a future have turned into cash already.
    """

    __slots__ = ("cost", "entry_ns", "fee", "order_id", "paid", "quantity", "sellable_at", "tax")

    def __init__(
        self, quantity: int, cost: int, fee: int, tax: int, entry_ns: int, sellable_at: int, order_id: str
    ) -> None:
        self.quantity = quantity
        self.cost = cost
        self.fee = fee
        self.tax = tax
        self.entry_ns = entry_ns
        self.sellable_at = sellable_at
        self.order_id = order_id
        self.paid = 0

    def take(self, quantity: int) -> tuple[int, int, int, int]:
        """Remove `quantity`; give its share of cost, fee, tax, paid. The last share takes the remainder."""
        whole = self.quantity
        cost = self.cost * quantity // whole
        fee = self.fee * quantity // whole
        tax = self.tax * quantity // whole
        paid = self.paid * quantity // whole
        self.quantity -= quantity
        self.cost -= cost
        self.fee -= fee
        self.tax -= tax
        self.paid -= paid
        return cost, fee, tax, paid


class RoundTrip(NamedTuple):
    """One quantity opened by one order and closed by another. `sign` is +1 for long, -1 for short.

    `entry_value` and `exit_value` are đồng at the fill prices; `fees` and `taxes` are those of both
    sides. Profit is ``sign * (exit_value - entry_value) - fees - taxes``.
    """

    instrument: Instrument
    sign: int
    quantity: int
    entry_ns: int
    entry_value: int
    exit_ns: int
    exit_value: int
    fees: int
    taxes: int
    exit_reason: str
    entry_order: str
    exit_order: str
    strategy: str

    @property
    def profit(self) -> int:
        """Profit in đồng after fees and taxes."""
        return self.sign * (self.exit_value - self.entry_value) - self.fees - self.taxes

    @property
    def charges(self) -> int:
        """Fees and taxes of both sides."""
        return self.fees + self.taxes

    def plus(self, other: RoundTrip) -> RoundTrip:
        """This round trip and a later part of the same two orders, as one."""
        return self._replace(
            quantity=self.quantity + other.quantity,
            entry_value=self.entry_value + other.entry_value,
            exit_ns=other.exit_ns,
            exit_value=self.exit_value + other.exit_value,
            fees=self.fees + other.fees,
            taxes=self.taxes + other.taxes,
        )

    @property
    def entry_price(self) -> float:
        """Average entry price as the market shows prices."""
        return self.entry_value / (self.quantity * self.instrument.multiplier * self.instrument.scale)

    @property
    def exit_price(self) -> float:
        """Average exit price as the market shows prices."""
        return self.exit_value / (self.quantity * self.instrument.multiplier * self.instrument.scale)
