"""Messages about orders that are not known to be ours, kept for a while: their owner may show later."""

from __future__ import annotations

from collections import OrderedDict

from algo.brokers.fctrading.events import MatchEvent, OrderEvent

_MOST_ORDERS = 1_000
_MOST_MESSAGES = 100

_Kept = tuple[OrderEvent | MatchEvent, int]


class Strangers:
    """Bounded: the order heard of least recently is forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, list[_Kept]] = OrderedDict()
        self._children: dict[str, set[str]] = {}

    def keep(self, event: OrderEvent | MatchEvent, ns: int) -> None:
        """Remember a message that arrived at `ns`."""
        if not event.order_id:
            return
        kept = self._kept.setdefault(event.order_id, [])
        self._kept.move_to_end(event.order_id)
        if len(kept) < _MOST_MESSAGES:
            kept.append((event, ns))
        if isinstance(event, OrderEvent) and event.orig_order_id:
            self._children.setdefault(event.orig_order_id, set()).add(event.order_id)
        if len(self._kept) > _MOST_ORDERS:
            self._kept.popitem(last=False)
        if len(self._children) > _MOST_ORDERS:
            self._children.clear()

    def claim(self, broker_id: str) -> list[_Kept]:
        """Give up what was kept of an order and of those that came from it, in order of arrival."""
        claimed = self._kept.pop(broker_id, [])
        for child in sorted(self._children.pop(broker_id, ())):
            claimed = claimed + self._kept.pop(child, [])
        return claimed
