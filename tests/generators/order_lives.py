"""Order lives as the broker tells them: legal sequences of stream messages about one order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from hypothesis import strategies as st

from algo.brokers.fctrading.events import MatchEvent, OrderErrorEvent, OrderEvent
from algo.clock import at
from algo.model import AmendOrder, Board, CancelOrder, Command, Instrument, Kind, OrderType, PlaceOrder, Side

DAY = date(2026, 6, 11)
OPENING = at(DAY, 9 * 3600 * 10**9) // 10**6
ORDER_ID = "20260611-10000017"


@dataclass
class Life:
    """`commands` are what we asked, `messages` what the broker told, in the order in which it happened."""

    place: PlaceOrder
    commands: list[Command] = field(default_factory=list)
    messages: list[OrderEvent | MatchEvent | OrderErrorEvent] = field(default_factory=list)
    fills: list[tuple[int, int]] = field(default_factory=list)
    price: int = 0
    quantity: int = 0
    status: str = ""
    broker_id: str = ""


class Broker:
    """Writes the messages of one order."""

    def __init__(self, place: PlaceOrder, account: str, market: str, notify: int = 1_000) -> None:
        self.life = Life(place, price=place.price, quantity=place.quantity)
        self.account, self.market = account, market
        self.notify, self.ms = notify, OPENING
        self.filled, self.value = 0, 0
        self.broker_id = f"T20260611abc{place.request_id}"
        self.cause = place.request_id

    def tick(self, ms: int) -> None:
        self.ms += ms
        self.notify += 1 + ms % 3

    def order(
        self, status: str, ms: int = 1, cancelled: int = 0, reason: str = "", **changes: object
    ) -> None:
        self.tick(ms)
        life, place = self.life, self.life.place
        scale = place.instrument.scale
        left = 0 if status in ("FF", "CL", "FFPC", "RJ", "EX") else life.quantity - self.filled
        event = OrderEvent(
            self.notify, self.broker_id, self.cause, place.request_id, self.account, place.instrument.symbol,
            self.market, "B" if place.side > 0 else "S", place.order_type.value, life.price / scale,
            life.quantity, self.filled, cancelled, left,
            self.value / self.filled / scale if self.filled else 0.0, status, reason, OPENING, self.ms, "TA",
            "", place.trigger is not None, 0.0, "", 0.0, 0.0, {},
        )  # fmt: skip
        life.messages.append(event._replace(**changes) if changes else event)
        life.status, life.broker_id = status, self.broker_id

    def match(self, price: int, quantity: int, ms: int = 0) -> None:
        self.tick(ms)
        place = self.life.place
        self.life.messages.append(
            MatchEvent(
                self.notify,
                self.broker_id,
                place.request_id,
                self.account,
                place.instrument.symbol,
                "B" if place.side > 0 else "S",
                price / place.instrument.scale,
                quantity,
                self.ms,
                {},
            )
        )
        self.filled += quantity
        self.value += price * quantity
        self.life.fills.append((price, quantity))

    def error(self, request_id: str, message: str, *, short: bool) -> None:
        self.tick(1)
        place = self.life.place
        self.life.messages.append(
            OrderErrorEvent(
                self.notify,
                message,
                "ERR500",
                request_id,
                "" if short else place.request_id,
                "" if short else self.broker_id,
                "",
                "" if short else self.account,
                "" if short else place.instrument.symbol,
                "",
                "",
                "",
                0.0,
                0,
                0 if short else OPENING,
                0 if short else self.ms,
                {},
            )
        )


INSTRUMENTS = (
    (Instrument("SSI", Board.HOSE), "0901351", "VN", 21_000, 100),
    (
        Instrument(
            "VN30F2606",
            Board.DERIVATIVES,
            Kind.FUTURE,
            10,
            10_000,
        ),
        "0901358",
        "VNFE",
        14_025,
        1,
    ),
)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """An order from its first message to its last, with fills, amendments, cancels and refusals."""
    instrument, account, market, price, lot = draw(st.sampled_from(INSTRUMENTS))
    side = draw(st.sampled_from(Side))
    lots = draw(st.integers(1, 6))
    place = PlaceOrder("10000017", ORDER_ID, "s", instrument, side, OrderType.LO, price, lots * lot)
    broker = Broker(place, account, market)
    life = broker.life
    request = 10_000_020
    gaps = st.integers(0, 3)
    if draw(st.booleans()):
        broker.order("RS", draw(gaps))
        if draw(st.integers(0, 9)) == 0:
            if draw(st.booleans()):
                broker.order("RJ", draw(gaps), reason="ORD040 balance")
            else:
                broker.error(place.request_id, "Price exceeds ceiling price!", short=draw(st.booleans()))
                life.status = "RJ"
            return life
    if draw(st.booleans()):
        broker.order("SD", draw(gaps))
    elif draw(st.booleans()):
        broker.order("IAV", draw(gaps))
    broker.broker_id = "26061100012345"
    if draw(st.booleans()):
        broker.order("QU", 1)
    for _ in range(draw(st.integers(0, 6))):
        step = draw(st.sampled_from(["fill", "fill", "amend", "refused", "cancel", "late"]))
        left = life.quantity - broker.filled
        if step == "fill":
            size = draw(st.integers(1, left // lot)) * lot
            before = draw(st.booleans())
            traded = price + draw(st.integers(-2, 0)) * side
            if before:
                broker.match(traded, size, draw(gaps))
            else:
                broker.filled, broker.value = broker.filled + size, broker.value + traded * size
            done = broker.filled == life.quantity
            broker.order("FF" if done else "PF", 1)
            if not before:
                broker.filled, broker.value = broker.filled - size, broker.value - traded * size
                broker.match(traded, size, draw(gaps))
            if done:
                return life
        elif step in ("amend", "refused"):
            request += 1
            new_price = draw(st.sampled_from([None, life.price - 10]))
            new_quantity = None if new_price else broker.filled + draw(st.integers(1, 6)) * lot
            life.commands.append(AmendOrder(str(request), ORDER_ID, "s", instrument, new_price, new_quantity))
            if step == "refused":
                broker.error(str(request), "ORD012 cannot modify", short=draw(st.booleans()))
                continue
            broker.cause = str(request)
            broker.order("WM", draw(gaps))
            life.price, life.quantity = new_price or life.price, new_quantity or life.quantity
            broker.order("PF" if broker.filled else "QU", 1)
        elif step == "cancel":
            request += 1
            life.commands.append(CancelOrder(str(request), ORDER_ID, "s", instrument))
            broker.cause = str(request)
            if draw(st.booleans()):
                broker.order("WC", draw(gaps))
            broker.order("FFPC" if broker.filled else "CL", 1, cancelled=left)
            return life
        else:
            broker.order("PF" if broker.filled else "QU", 1)
    if draw(st.booleans()):
        broker.order("EX", 1)
    elif not any(isinstance(one, OrderEvent) and one.status in ("QU", "PF") for one in life.messages):
        broker.order("QU", 1)
    return life
