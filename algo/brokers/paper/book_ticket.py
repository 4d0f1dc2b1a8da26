"""One order at the book exchange: what is left of it, and what sets it off."""

from __future__ import annotations

from datetime import date

from algo.brokers.paper.conditional import Watch
from algo.brokers.paper.order_book import OrderBook, Resting
from algo.market import Band, Snap, snap
from algo.model import Instrument, OrderType, PlaceOrder, Side, Trigger, TriggerKind

_HELD = (TriggerKind.DOWN, TriggerKind.UP, TriggerKind.TRAIL_DOWN, TriggerKind.TRAIL_UP)


def waits_at_first(trigger: Trigger | None) -> bool:
    """Whether an order with this trigger is held back until it is reached."""
    return trigger is not None and trigger.kind in _HELD


class BookTicket(Resting):
    """An order with the book that it belongs to. `limit` is 0 for a type without a price.

    `price` (of `Resting`) is where it stands in the book. `watch` is a trigger that has not been
    reached; the order `waits` while the broker holds it back for that. An OCO has a watch and does not
    wait: its target is in the book. `exits` counts the exits that a bull-bear entry brought.
    """

    __slots__ = (
        "book", "command", "exits", "limit", "order_type", "quantity", "stopped", "traded", "waits",
        "watch",
    )  # fmt: skip

    def __init__(self, command: PlaceOrder, book: OrderBook) -> None:
        limit = command.price if command.order_type is OrderType.LO else 0
        super().__init__(command.order_id, command.side, limit, command.quantity)
        trigger = command.trigger
        self.command = command
        self.book = book
        self.limit = limit
        self.order_type = command.order_type
        self.quantity = command.quantity
        self.traded = 0
        self.exits = 0
        self.stopped = False
        self.watch: Watch | None = None
        if trigger is not None and trigger.kind is not TriggerKind.BULL_BEAR:
            self.watch = Watch(trigger, command.side)
        self.waits = waits_at_first(trigger)

    @property
    def two_legged(self) -> bool:
        """Whether it is a target in the book beside a stop (OCO)."""
        trigger = self.command.trigger
        return trigger is not None and trigger.kind is TriggerKind.OCO

    @property
    def brings_exits(self) -> bool:
        """Whether its fills bring exits (bull-bear)."""
        trigger = self.command.trigger
        return trigger is not None and trigger.kind is TriggerKind.BULL_BEAR

    def set_off(self, edge: int | None) -> None:
        """The trigger was reached. An OCO's stop goes out at the band's edge (MTL where there is no band)."""
        self.watch, self.waits, self.stopped = None, False, True
        if self.two_legged:
            self.order_type = OrderType.LO if edge is not None else OrderType.MTL
            self.limit = edge or 0

    def exit_command(
        self, order_id: str, entry: int, size: int, instrument: Instrument, band: Band | None, day: date
    ) -> PlaceOrder:
        """The OCO that closes a fill of this bull-bear order at `entry`; its target is put on the tick.

        A target outside the band cannot be reached that day; it stands at the edge.
        """
        trigger, side = self.command.trigger, self.side.opposite
        assert trigger is not None
        target = entry + self.side * trigger.profit_step
        stop = max(entry - self.side * trigger.loss_step, 1)
        if not instrument.adjusted:
            target = snap(instrument, max(target, 1), Snap.UP if side is Side.SELL else Snap.DOWN, day)
        target = max(target if band is None else band.clamp(target), 1)
        return PlaceOrder(
            order_id, order_id, self.command.strategy, instrument, side, OrderType.LO, target, size,
            Trigger(TriggerKind.OCO, stop),
        )  # fmt: skip

    @property
    def exit_reason(self) -> str:
        """Which leg traded, for orders that have one; empty for the others."""
        if self.stopped:
            return (
                "trailing" if self.command.trigger is not None and self.command.trigger.step else "stop_loss"
            )
        return "take_profit" if self.two_legged else ""
