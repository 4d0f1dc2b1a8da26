"""What sets a conditional order off, and the names of the exits that a bull-bear order brings.

The broker holds these orders. Letters and meanings are those of the API's `stopType`, from Vietnamese
brokers' guides. A trigger is held against the last match, and in continuous trading only.
"""

from __future__ import annotations

from algo.model import Side, Trigger, TriggerKind

_FALLING = (TriggerKind.DOWN, TriggerKind.TRAIL_DOWN)
_RISING = (TriggerKind.UP, TriggerKind.TRAIL_UP)


class Watch:
    """The trigger of one order. `price` is where it stands now, 0 before a trailing one saw the market."""

    __slots__ = ("falls", "price", "step")

    def __init__(self, trigger: Trigger, side: Side) -> None:
        sells = side is Side.SELL
        self.falls = trigger.kind in _FALLING or (trigger.kind not in _RISING and sells)
        self.price = trigger.price
        self.step = trigger.step

    def see(self, last: int) -> bool:
        """Hold the trigger against a match at `last` (units); whether that reaches it.

        A trailing trigger that is not reached then follows the market.
        """
        if self.price and (last <= self.price if self.falls else last >= self.price):
            return True
        if self.step:
            if self.falls:
                self.price = max(self.price, last - self.step)
            else:
                self.price = min(self.price or last + self.step, last + self.step)
        return False


def exit_id(order_id: str, number: int) -> str:
    """The id of the exit that comes with the `number`-th fill of a bull-bear order."""
    return f"{order_id}#{number}"


def parent_of(order_id: str) -> str:
    """The bull-bear order that an exit belongs to, '' for any other order."""
    parent, mark, _ = order_id.rpartition("#")
    return parent if mark else ""
