"""FastConnect Trading as a `Broker`: the shell that joins requests, the stream and the book of own orders."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import date

from algo.brokers.base import AccountSnapshot, Batch, Heard, RequestOutcome, Snapshot, UnknownMessage
from algo.brokers.fctrading import snapshot, translate
from algo.brokers.fctrading.book import Book
from algo.brokers.fctrading.connection import Connection
from algo.brokers.fctrading.cursor import Position
from algo.brokers.fctrading.events import OrderEvent
from algo.brokers.fctrading.outcome import Fate, Outcome
from algo.brokers.fctrading.session import keep_signed_in
from algo.brokers.fctrading.stream import Delivered, Item, Lost, Restored, TradingStream
from algo.errors import BrokerError, SettingError
from algo.errors import RequestNotSent as NotSent
from algo.fastconnect.transport import open_client
from algo.model import (
    Account,
    AmendOrder,
    Command,
    Order,
    PlaceOrder,
    RequestNotSent,
    RequestReceived,
    RequestRefused,
    RequestUnknown,
    StreamLost,
    StreamRestored,
)


class FastConnect:
    """Orders of one person at SSI. See `algo.brokers.base.Broker` for how it is used.

    `position` is where the stream was left, '' for the beginning of the day. `now` gives market time in
    nanoseconds since the epoch. `on_problem` hears what a person should know about the sign-in.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        position: str = "",
        live_only: bool = False,
        now: Callable[[], int] = time.time_ns,
        random: Callable[[], float] = random.random,
        on_problem: Callable[[str], None] = lambda _text: None,
    ) -> None:
        who = connection.credentials
        self.connection = connection
        self.book = Book((who.accounts.equity, who.accounts.derivatives))
        self._now = now
        self._on_problem = on_problem
        self._client = open_client(who.endpoints.stream_url, connection.context)
        self.stream = TradingStream(
            who.endpoints.stream_url,
            connection.session,
            self._client,
            connection.context,
            wall=now,
            random=random,
            start=read_position(position),
            live_only=live_only,
        )

    def adopt(self, orders: Iterable[Order]) -> None:
        """Take up orders that an earlier process placed today."""
        self.book.register.adopt(orders)

    async def run(self) -> None:
        """Stay connected and signed in until cancelled."""
        renewal = asyncio.create_task(keep_signed_in(self.connection.session, self._problem))
        learning = asyncio.create_task(snapshot.rate_limits(self.connection.api))
        try:
            await self.stream.run()
        finally:
            for task in (renewal, learning):
                task.cancel()
            await asyncio.gather(renewal, learning, return_exceptions=True)

    async def events(self) -> AsyncIterator[Batch]:
        """What is heard, in order, each message once; ends when `run` has ended and all was read."""
        async for items in self.stream:
            yield self.read(items)

    def read(self, items: list[Item]) -> Batch:
        """The domain events of what the stream brought."""
        heard: list[Heard] = []
        hear, now = self.book.hear, self._now()
        last: Position | None = None
        for item in items:
            if isinstance(item, Delivered):
                heard += hear(item.event, now)
                last = item.position or last
            elif isinstance(item, Lost):
                heard.append(StreamLost(item.at, item.reason))
            elif isinstance(item, Restored):
                heard.append(StreamRestored(item.at))
            else:
                heard.append(UnknownMessage(now, item.text))
        return Batch(heard, write_position(last))

    async def send(self, command: Command) -> RequestOutcome:
        """Send a command, once, and tell what became of it. Raises nothing but a cancellation.

        A request id that was used before is not sent, and what became of it is as unknown as before.
        """
        request, order = command.request_id, command.order_id
        try:
            known, sending = self._prepared(command)
        except (NotSent, SettingError, ValueError) as error:
            return RequestNotSent(request, order, self._now(), str(error))
        if not known:
            return RequestUnknown(request, order, self._now(), "this request id was sent before: ask for it")
        outcome = await sending()
        text, at = outcome.text, self._now()
        if outcome.fate is Fate.RECEIVED:
            return RequestReceived(request, order, at)
        if outcome.fate is Fate.REFUSED:
            return RequestRefused(request, order, at, text)
        if outcome.fate is Fate.NOT_SENT:
            return RequestNotSent(request, order, at, text)
        return RequestUnknown(request, order, at, text)

    def _prepared(self, command: Command) -> tuple[bool, Callable[[], Awaitable[Outcome]]]:
        """Whether the request id is new, and how to send the command. Raises what makes it unsendable."""
        who, api, register = self.connection.credentials, self.connection.api, self.book.register
        number = translate.account_of(command.instrument, who.accounts)
        code = self.connection.session.auth.order_code()
        if isinstance(command, PlaceOrder):
            new = translate.new_order(command, number, code, who.device_id)
            return register.placed(command), lambda: api.new_order(new)
        order = register.orders.get(command.order_id)
        if order is None or not order.broker_id:
            raise NotSent(f"not sent: the broker's id of order {command.order_id} is not known yet")
        if isinstance(command, AmendOrder):
            change = translate.modify_order(command, order, number, code, who.device_id)
            return register.asked(command), lambda: api.modify_order(change)
        cancel = translate.cancel_order(command, order, number, code, who.device_id)
        return register.asked(command), lambda: api.cancel_order(cancel)

    async def snapshot(self) -> Snapshot:
        """Ask for orders, positions, money and limits. Raises nothing of the network."""
        asked = self._now()
        accounts, limits = await asyncio.gather(
            asyncio.gather(*(self._account(account) for account in Account)),
            snapshot.rate_limits(self.connection.api),
        )
        return Snapshot(asked, self._now(), tuple(one for one in accounts if one is not None), limits)

    async def _account(self, account: Account) -> AccountSnapshot | None:
        number = self.connection.credentials.accounts.of(account)
        return (
            await snapshot.of_account(self.connection.api, account, number, self._owner) if number else None
        )

    def _owner(self, event: OrderEvent) -> str:
        order = self.book.register.of_order(event, self._now())
        return order.order_id if order is not None else ""

    def catch_up(self, snapshot: Snapshot) -> list[Heard]:
        """The events that a snapshot proves and the stream did not tell."""
        heard: list[Heard] = []
        for one in snapshot.accounts:
            number = self.connection.credentials.accounts.of(one.account)
            for order in one.orders or ():
                heard += self.book.catch_up(order, number, snapshot.answered)
        return heard

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
        await self.connection.close()

    def _problem(self, error: BrokerError) -> None:
        self._on_problem(str(error))


def write_position(position: Position | None) -> str:
    """A position as text, '' for none."""
    return f"{position.day.isoformat()}/{position.last}" if position is not None else ""


def read_position(text: str) -> Position | None:
    """The position in a text of `write_position`. Raises SettingError for another text."""
    if not text:
        return None
    day, _, last = text.partition("/")
    try:
        return Position(date.fromisoformat(day), int(last))
    except ValueError:
        raise SettingError(f"{text[:40]!r} is no position of the order stream") from None
