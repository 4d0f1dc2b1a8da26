"""The exits of brackets: made from an entry's fills, never larger than the position they protect.

An exit is one order with up to two legs, a limit at the target and a stop, so that one quantity
can never be sold twice. It is good till cancelled, and it ends with the position.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from algo.market import Snap, snap
from algo.model import Order, OrderStatus, OrderType, TimeInForce, Trigger, TriggerKind


def exit_order(entry: Order, quantity: int, price: int, ns: int) -> Order | None:
    """The exit for `quantity` of `entry` filled at `price` units; None when it has none attached."""
    attached = entry.attached
    if attached is None:
        return None
    sign = int(entry.side)
    stop = attached.stop_loss
    if attached.trailing:
        trail = max(price - sign * attached.trailing, 1)
        stop = trail if not stop else (max(stop, trail) if sign > 0 else min(stop, trail))
    if stop:
        # A gap may open beyond the stop: the market is there already, and a stop is no better than that.
        stop = min(stop, price) if sign > 0 else max(stop, price)
    target = attached.take_profit
    if stop and target:
        trigger = Trigger(TriggerKind.OCO, stop, attached.trailing)
    elif attached.trailing:
        kind = TriggerKind.TRAIL_DOWN if sign > 0 else TriggerKind.TRAIL_UP
        trigger = Trigger(kind, stop, attached.trailing)
    elif stop:
        trigger = Trigger(TriggerKind.DOWN if sign > 0 else TriggerKind.UP, stop)
    else:
        trigger = None
    order = Order(
        strategy=entry.strategy,
        symbol=entry.symbol,
        instrument=entry.instrument,
        side=entry.side.opposite,
        quantity=quantity,
        order_type=OrderType.LO if target else OrderType.MARKET,
        price=target,
        trigger=trigger,
        tif=TimeInForce.GTC,
        tag=entry.tag,
        created=ns,
        parent=entry.order_id,
        exit_reason="take_profit" if trigger is None else "trailing" if attached.trailing else "stop_loss",
    )
    return order


def leg(order: Order, price: int) -> str:
    """Which leg of an order with a trigger traded at `price` units, where the broker does not say."""
    trigger = order.trigger
    if trigger is None:
        return order.exit_reason
    if trigger.kind is TriggerKind.OCO and (order.price - price) * order.side >= 0:
        return "take_profit"
    return "trailing" if trigger.step else "stop_loss"


def split(order: Order, new: int, old: int) -> None:
    """Let an exit that waits for the next session follow a split of `old` shares into `new`."""

    def moved(price: int) -> int:
        return snap(order.instrument, price * old / new, Snap.NEAREST) if price else 0

    order.quantity = order.filled + (order.quantity - order.filled) * new // old
    order.price = moved(order.price)
    trigger = order.trigger
    if trigger is not None:
        step = trigger.step and max(trigger.step * old // new, 1)
        order.trigger = replace(trigger, price=moved(trigger.price), step=step)


def excess(exits: Iterable[Order], keep: int, ready: int | None = None) -> list[tuple[Order, int]]:
    """Which exits have to shrink so that together they leave at most `keep`, newest first.

    Those that are out in the market may leave at most `ready` (shares that have settled; None is no
    bound). Each comes with the quantity it may keep open; 0 means cancel it.
    """
    found = [order for order in exits if not order.status.terminal and not order.cancel_wanted]
    left = {id(order): order.leaves for order in found}
    out = [] if ready is None else [order for order in found if order.status is not OrderStatus.HELD]
    for group, most in ((out, ready or 0), (found, keep)):
        over = sum(left[id(order)] for order in group) - max(most, 0)
        for order in reversed(group):
            if over <= 0:
                break
            cut = min(over, left[id(order)])
            left[id(order)] -= cut
            over -= cut
    return [(order, left[id(order)]) for order in reversed(found) if left[id(order)] < order.leaves]
