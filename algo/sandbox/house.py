"""What the trading service needs of the world behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.statements import ChangeOrder, NewOrder, WithdrawOrder
from algo.model import Instrument


class House(Protocol):
    """A broker, the market that it trades on, and market time."""

    brokerage: Brokerage

    @property
    def now(self) -> int:
        """Market time in nanoseconds since the epoch."""
        ...

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What trades now, by the exchange's own code."""
        ...

    def place(self, order: NewOrder) -> None:
        """A customer's new order, now. Raises Refused for what the broker turns down at once."""
        ...

    def change(self, change: ChangeOrder) -> None:
        """A customer's change, now. Raises Refused."""
        ...

    def withdraw(self, withdrawal: WithdrawOrder) -> None:
        """A customer's withdrawal, now. Raises Refused."""
        ...

    def take(self) -> Iterable[Any]:
        """What was said since the last call, to customers and to everybody, in order."""
        ...
