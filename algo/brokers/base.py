"""What live trading needs of a broker: send a command, hear what happens, ask how things stand.

Adapters implement `Broker`. What they report is plain: domain events, and facts about orders, positions and
money as the broker states them. A fact that could not be had is None, never an empty list: incomplete is
not absent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from algo.model import (
    Account,
    BrokerEvent,
    Command,
    Order,
    OrderStatus,
    OrderType,
    RequestNotSent,
    RequestReceived,
    RequestRefused,
    RequestUnknown,
    Side,
    TriggerKind,
)

RequestOutcome = RequestReceived | RequestRefused | RequestUnknown | RequestNotSent
"""What became of one command. There is no fifth outcome, and it is never an exception."""


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """An order as the broker states it. Prices are in price units, times in nanoseconds, 0 for none.

    `order_id` is algo's own when the order is known to be ours, else ''. `request_id` is the request that
    the broker names with it. `status` is None when the broker's own word for it, `wire_status`, is not known.
    """

    account: Account
    broker_id: str
    request_id: str
    order_id: str
    symbol: str
    side: Side
    order_type: OrderType | None
    price: int
    quantity: int
    filled: int
    cancelled: int
    average_price: float
    status: OrderStatus | None
    wire_status: str
    reason: str
    created: int
    updated: int
    stop: TriggerKind | None = None
    stop_price: int = 0
    parent: str = ""
    refused_request: str = ""
    """The last amendment or cancel of it that was refused, and why in `refusal`."""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ForeignOrder:
    """An order that this program did not place, or no longer knows: adopt it, count it, never touch it.

    `order.parent` names the broker's id of the order that it comes from, as with conditional orders.
    """

    ns: int
    order: BrokerOrder


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """Something the broker said that could not be used, as it came. It changes nothing; ask the broker."""

    ns: int
    reason: str
    text: str = ""
    order_id: str = ""


Heard = BrokerEvent | ForeignOrder | UnknownMessage


class Batch(NamedTuple):
    """What was heard at once, in order. Keep `position` in the same commit that applies the events.

    A position is opaque text; '' says that it has not moved.
    """

    events: list[Heard]
    position: str


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """What is held of a symbol: shares, or contracts with a sign.

    `sellable` is what may be sold now. `bought` and `sold` are the shares traded today, yesterday and the day
    before; whether `quantity` has them depends on the broker. Prices are as the market shows them.
    """

    account: Account
    symbol: str
    quantity: int
    sellable: int
    average_price: float | None = None
    market_price: float | None = None
    bought: tuple[int, int, int] = (0, 0, 0)
    sold: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class BrokerCash:
    """Money of an account in đồng. None is what the broker does not say."""

    account: Account
    cash: int
    buying_power: int
    withdrawable: int | None = None
    debt: int | None = None
    total: int | None = None
    margin_required: int | None = None
    margin_used: float | None = None
    """Percent of the margin limit that is in use."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `calls` in any `seconds` to the calls that `pattern` names; ``*`` is all."""

    pattern: str
    seconds: float
    calls: int


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """One account as the broker states it. A part that could not be had is None, and says why."""

    account: Account
    orders: tuple[BrokerOrder, ...] | None
    positions: tuple[BrokerPosition, ...] | None
    cash: BrokerCash | None
    problems: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every part was had."""
        return self.orders is not None and self.positions is not None and self.cash is not None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The accounts between `asked` and `answered` (nanoseconds). It may be older than the stream."""

    asked: int
    answered: int
    accounts: tuple[AccountSnapshot, ...]
    limits: tuple[RateLimit, ...] | None

    @property
    def complete(self) -> bool:
        """Whether every part of every account was had. The rate limits do not count."""
        return all(one.complete for one in self.accounts)

    def of(self, account: Account) -> AccountSnapshot | None:
        """The part of one account."""
        return next((one for one in self.accounts if one.account is account), None)


class Broker(Protocol):
    """A broker over a network. One writer at a time; commands may overlap.

    Call `adopt` with the orders that were open before a restart, then keep `run` running as a task.
    """

    def adopt(self, orders: Iterable[Order]) -> None:
        """Take up orders that an earlier process placed today, with what is known of each."""
        ...

    async def run(self) -> None:
        """Stay connected until cancelled."""
        ...

    def events(self) -> AsyncIterator[Batch]:
        """What is heard, in order, each message once; ends when `run` has ended and all was read."""
        ...

    async def send(self, command: Command) -> RequestOutcome:
        """Send a command, once, and tell what became of it."""
        ...

    async def snapshot(self) -> Snapshot:
        """Ask for orders, positions, money and limits. Raises nothing of the network."""
        ...

    def catch_up(self, snapshot: Snapshot) -> list[Heard]:
        """The events that a snapshot proves and the stream did not tell. Never steps back, never repeats.

        A fill whose own message was lost comes with the price that the broker's average implies.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
