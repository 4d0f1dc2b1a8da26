"""What is known of one own order: what it asked for, what the broker said, and what was told on."""

from __future__ import annotations

from datetime import date

from algo.brokers.fctrading.events import MatchEvent
from algo.clock import DAY, HOUR
from algo.model import Instrument, Order, OrderStatus, OrderType, PlaceOrder, RequestKind, Side

_OFFSET = 7 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()
_SWEPT = "swept:"
Stamp = tuple[bool, int, int]
"""How new a statement is: of the order that a trigger made, then by time, then by notify id."""
NOTHING_YET: Stamp = (False, 0, 0)


def day_of(ns: int) -> int:
    """The number of the local day in which `ns` lies."""
    return (ns + _OFFSET) // DAY


def day_number(order_id: str) -> int:
    """The number of the day that begins one of our order ids, ``20260611-10000017``."""
    return date(int(order_id[:4]), int(order_id[4:6]), int(order_id[6:8])).toordinal() - _EPOCH


class Standing:
    """One own order. `day` is the number of its trading day, as its id has it.

    `told` is the quantity whose fills were told, `matched` that of distinct fill messages, `filled` the
    largest cumulative quantity that the broker stated. `phase` is what the listener knows; `over` says
    whether the broker's newest word ends the order. `waiting` are fills beyond its statements.
    `stamp` is how new its status is, `valued` how new its price and quantity are.
    """

    __slots__ = (
        "broker_id",
        "conditional",
        "day",
        "filled",
        "fills",
        "id_rank",
        "instrument",
        "matched",
        "order_id",
        "order_type",
        "over",
        "parents",
        "phase",
        "price",
        "quantity",
        "refused",
        "requests",
        "settled",
        "side",
        "stamp",
        "told",
        "told_id",
        "told_value",
        "valued",
        "waiting",
    )  # fmt: skip

    def __init__(
        self,
        order_id: str,
        instrument: Instrument,
        side: Side,
        order_type: OrderType,
        price: int,
        quantity: int,
        *,
        conditional: bool,
    ) -> None:
        self.order_id = order_id
        self.day = day_number(order_id)
        self.instrument = instrument
        self.side = side
        self.order_type = order_type
        self.price = price
        self.quantity = quantity
        self.conditional = conditional
        self.broker_id = ""
        self.told_id = ""
        self.id_rank: tuple[bool, Stamp] = (False, NOTHING_YET)
        self.parents: set[str] = set()
        self.requests: dict[int, RequestKind] = {}
        self.refused: set[int] = set()
        self.settled: set[int] = set()
        self.phase = OrderStatus.SUBMITTED
        self.over = False
        self.stamp = NOTHING_YET
        self.valued = NOTHING_YET
        self.filled = 0
        self.fills: set[str] = set()
        self.waiting: list[tuple[MatchEvent, str, int]] = []
        self.matched = 0
        self.told = 0
        self.told_value = 0

    @classmethod
    def placed(cls, command: PlaceOrder) -> Standing:
        """An order whose request is about to leave."""
        order = cls(
            command.order_id,
            command.instrument,
            command.side,
            command.order_type,
            command.price,
            command.quantity,
            conditional=command.trigger is not None,
        )
        order.requests[int(command.request_id)] = RequestKind.PLACE
        return order

    @classmethod
    def adopted(cls, order: Order) -> Standing:
        """An order of an earlier process. Its parts that filled under earlier ids are not the broker's."""
        standing = cls(
            order.order_id,
            order.instrument,
            order.side,
            order.wire_type,
            order.price,
            order.quantity - order.before,
            conditional=order.trigger is not None,
        )
        for request in order.requests:
            standing.requests[int(request.request_id)] = request.kind
        standing.broker_id = standing.told_id = order.broker_id
        standing.phase = OrderStatus.EXPIRED if order.status is OrderStatus.HELD else order.status
        standing.over = standing.phase.terminal
        standing.told = order.filled - order.before
        standing.told_value = order.filled_value if not order.before else 0
        standing.filled = standing.told
        standing.fills = set(order.fill_keys)
        standing.matched = standing.told - sum(_swept(key) for key in order.fill_keys)
        if order.status in (OrderStatus.WAITING, OrderStatus.WORKING) or order.status.terminal:
            standing.stamp = standing.valued = (False, order.updated // 1_000_000, 0)
        return standing

    @property
    def amending(self) -> bool:
        """Whether an amendment of ours may still take effect."""
        return any(
            kind is RequestKind.AMEND and number not in self.settled and number not in self.refused
            for number, kind in self.requests.items()
        )


def is_temporary(broker_id: str) -> bool:
    """Whether a broker id is the temporary kind: T, the date, a prefix and the request id."""
    return not broker_id or broker_id[0] in "Tt"


def swept_key(told: int, filled: int) -> str:
    """The id of a fill that no message told: what was told before it, and with it."""
    return f"{_SWEPT}{told}-{filled}"


def _swept(key: str) -> int:
    """The quantity of such a fill, 0 for an id of another kind."""
    if not key.startswith(_SWEPT):
        return 0
    before, _, after = key.removeprefix(_SWEPT).partition("-")
    return int(after) - int(before)
