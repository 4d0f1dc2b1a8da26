"""Stops of shares, which the broker does not hold: kept here, and sent when the market reaches them. Pure.

The API has conditional orders for derivatives alone. A stop on a share leaves the engine as any other
command; the keeper takes it, answers as a broker would, watches trades and bars, and lets the plain order out
when the trigger is reached: by what was traded, as brokers do, never by what was merely quoted. An order with
a target and a stop (OCO) is kept with both legs, so that one quantity can never be sold twice. While the
program is down, nobody watches: docs/live.md says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from algo.market import Session
from algo.model import (
    AmendOrder,
    Bar,
    Board,
    BrokerEvent,
    CancelOrder,
    Command,
    Order,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderStatus,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Side,
    Trade,
    TriggerKind,
)
from algo.orders.venue import Venue

_TRAILING = (TriggerKind.TRAIL_DOWN, TriggerKind.TRAIL_UP, TriggerKind.OCO)


class StopKeeper:
    """The stops of shares of one engine.

    `venue_of` gives the venue of an instrument's symbol, or None; `refusal_of` why an order may not go out
    now, by its id, or None.
    """

    def __init__(
        self,
        venue_of: Callable[[str], Venue | None],
        refusal_of: Callable[[str], str | None] = lambda _order_id: None,
    ) -> None:
        self._venue_of = venue_of
        self._refusal_of = refusal_of
        self._kept: dict[str, PlaceOrder] = {}
        self._stops: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, commands: Iterable[Command], ns: int) -> tuple[list[Command], list[BrokerEvent]]:
        """The commands that go on to the broker, and the answers to those that stay here."""
        out: list[Command] = []
        answers: list[BrokerEvent] = []
        for command in commands:
            if isinstance(command, PlaceOrder):
                if command.trigger is None or command.instrument.board is Board.DERIVATIVES:
                    out.append(command)
                    continue
                self._kept[command.order_id] = command
                self._stops[command.order_id] = command.trigger.price
                answers.append(OrderAccepted(command.order_id, ns, waiting=True))
            elif command.order_id not in self._kept:
                out.append(command)
            elif isinstance(command, AmendOrder):
                answers.append(self._amend(command, ns))
            elif isinstance(command, CancelOrder):
                self._forget(command.order_id)
                answers.append(OrderCancelled(command.order_id, ns, command.request_id))
        return out, answers

    def _amend(self, command: AmendOrder, ns: int) -> OrderAmended:
        kept = self._kept[command.order_id]
        price = kept.price if command.price is None else command.price
        quantity = kept.quantity if command.quantity is None else command.quantity
        self._kept[command.order_id] = replace(kept, price=price, quantity=quantity)
        return OrderAmended(command.order_id, ns, price, quantity, command.request_id)

    def _forget(self, order_id: str) -> None:
        del self._kept[order_id], self._stops[order_id]

    def adopt(self, order: Order) -> None:
        """Watch a stop that an earlier process kept."""
        trigger = order.trigger
        if order.order_id in self._kept:  # its journal was done again, and its trail is known
            return
        if order.status is OrderStatus.WAITING and order.held_by == "engine" and trigger is not None:
            self._kept[order.order_id] = PlaceOrder(
                order.order_id.rpartition("-")[2], order.order_id, order.strategy, order.instrument,
                order.side, order.wire_type, order.price, order.leaves, trigger,
                order.order_type is OrderType.MARKET,
            )  # fmt: skip
            self._stops[order.order_id] = trigger.price

    def expire(self, order_id: str) -> None:
        """The order is over."""
        if order_id in self._kept:
            self._forget(order_id)

    def hear(self, event: object) -> tuple[list[Command], list[BrokerEvent]]:
        """The orders that a trade or bars of one moment set off, and the news of it.

        One that may not go out now, by `refusal_of`, ends here with the reason.
        """
        if not self._kept:
            return [], []
        if isinstance(event, Trade):
            return self._seen(event.symbol, event.symbol, event.ns, event.price, event.price)
        if isinstance(event, tuple) and event and isinstance(event[0], Bar):
            out: list[Command] = []
            news: list[BrokerEvent] = []
            for bar in event:
                commands, events = self._seen(bar.symbol, bar.contract, bar.ns, bar.low, bar.high)
                out += commands
                news += events
            return out, news
        return [], []

    def _let_out(self, plain: PlaceOrder, ns: int, out: list[Command], news: list[BrokerEvent]) -> None:
        reason = self._refusal_of(plain.order_id)
        self._forget(plain.order_id)
        if reason is not None:
            news.append(
                OrderCancelled(plain.order_id, ns, "", f"the stop was reached, and not sent: {reason}")
            )
            return
        news.append(OrderTriggered(plain.order_id, ns))
        out.append(plain)

    def _seen(
        self, symbol: str, contract: str, ns: int, low: float, high: float
    ) -> tuple[list[Command], list[BrokerEvent]]:
        out: list[Command] = []
        news: list[BrokerEvent] = []
        for order_id, kept in list(self._kept.items()):
            instrument = kept.instrument
            if instrument.symbol not in (symbol, contract) or kept.trigger is None:
                continue
            venue = self._venue_of(instrument.symbol)
            if venue is None or venue.session in (Session.C, Session.BREAK):
                continue
            lowest, highest = instrument.units(low), instrument.units(high)
            sells = kept.side is Side.SELL
            stop = self._stops[order_id]
            if lowest <= stop if sells else highest >= stop:
                plain = _set_off(kept, venue)
                if plain is not None:
                    self._let_out(plain, ns, out, news)
            elif kept.trigger.kind is TriggerKind.OCO and (
                highest >= kept.price if sells else lowest <= kept.price
            ):
                self._let_out(replace(kept, trigger=None), ns, out, news)
            elif kept.trigger.kind in _TRAILING and kept.trigger.step:
                best = highest if sells else lowest
                moved = best - kept.trigger.step if sells else best + kept.trigger.step
                self._stops[order_id] = max(stop, moved) if sells else min(stop, moved)
        return out, news


def _set_off(kept: PlaceOrder, venue: Venue) -> PlaceOrder | None:
    """The plain order of a stop that was reached; None while the session takes none of its kind."""
    if kept.trigger is not None and kept.trigger.kind is not TriggerKind.OCO and kept.price:
        return replace(kept, trigger=None)
    wire = venue.market_type(kept.quantity)
    if wire is None:
        return None
    price = (venue.worst(kept.side) or 0) if wire is OrderType.LO else 0
    if wire is OrderType.LO and not price:
        return None
    return replace(kept, trigger=None, price=price, order_type=wire, at_market=True)
