"""One order inside the paper exchange."""

from __future__ import annotations

from algo.model import OrderType, PlaceOrder, Side, TriggerKind

_STOPS = (TriggerKind.DOWN, TriggerKind.UP, TriggerKind.TRAIL_DOWN, TriggerKind.TRAIL_UP, TriggerKind.OCO)
_ONCE = frozenset({OrderType.ATO, OrderType.ATC, OrderType.MOK, OrderType.MAK, OrderType.PLO})
_LIMIT = OrderType.LO


class Ticket:
    """A place command and what is left of it. `limit` is 0 for an order at any price.

    A `plain` one asks for the market without any price.

    `stop` is the present trigger price of an order that has one; it `waits` until that is reached.
    `two_legged` orders (OCO) have a live limit beside the waiting stop. `arrived` is when the
    exchange got it.
    """

    __slots__ = (
        "arrived", "at_market", "auction", "fills", "instrument", "leaves", "limit", "once",
        "order_id", "order_type", "plain", "quantity", "side", "step", "stop", "stopped", "two_legged",
        "waits",
    )  # fmt: skip

    def __init__(self, command: PlaceOrder, arrived: int) -> None:
        trigger = command.trigger
        self.order_id = command.order_id
        self.instrument = command.instrument
        self.side: Side = command.side
        self.order_type = command.order_type
        self.quantity = self.leaves = command.quantity
        self.arrived = arrived
        self.at_market = command.at_market
        self.limit = command.price if command.order_type is _LIMIT else 0
        self.stop = self.step = self.fills = 0
        self.two_legged = self.waits = self.stopped = False
        if trigger is not None:
            self.stop = trigger.price if trigger.kind in _STOPS else 0
            self.step = trigger.step
            self.two_legged = trigger.kind is TriggerKind.OCO
            self.waits = self.stop != 0
        self.once = command.order_type in _ONCE and not command.at_market
        self.auction = self.once and command.order_type is OrderType.ATC
        self.plain = self.at_market and trigger is None and not self.limit

    def set_off(self) -> None:
        """The stop was reached: the order is live."""
        self.waits = False
        self.stopped = True

    @property
    def rests(self) -> bool:
        """Whether it is in the book with a limit: plain, triggered, or the target leg of an OCO."""
        return self.limit != 0 and (not self.waits or self.two_legged)

    def trail(self, best: int) -> None:
        """Let a trailing stop follow the market to its best price `best` (units)."""
        if not self.step or not self.waits:
            return
        if self.side is Side.SELL:
            self.stop = max(self.stop, best - self.step)
        else:
            self.stop = min(self.stop, best + self.step)

    @property
    def exit_reason(self) -> str:
        """Which leg traded, for orders that have a stop; empty for the others."""
        if self.stopped:
            return "trailing" if self.step else "stop_loss"
        return "take_profit" if self.two_legged else ""
