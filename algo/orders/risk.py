"""Legality and limits: an intended order in, the reason of a refusal out. The same everywhere.

Legality is the market's: order type, tick, lot, band, settled shares, buying power, margin, no
trade with oneself. Limits are the user's.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from algo.errors import SettingError
from algo.market import band_refusal, position_refusal, tick_refusal
from algo.model import Account, Order, OrderType, Side, TriggerKind
from algo.orders.venue import Venue
from algo.portfolio import Portfolio


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows; None is no limit. Quantities in shares or contracts, the rest in đồng."""

    order_quantity: int | None = None
    order_value: int | None = None
    position: int | None = None
    daily_loss: int | None = None

    def __post_init__(self) -> None:
        for name in ("order_quantity", "order_value", "position", "daily_loss"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise SettingError(f"limit {name} must be above zero, not {value}")

    def or_else(self, other: Limits) -> Limits:
        """These, and where there is none, those of `other`."""
        return Limits(
            *(
                mine if mine is not None else theirs
                for mine, theirs in zip(_all(self), _all(other), strict=True)
            )
        )


def _all(limits: Limits) -> tuple[int | None, ...]:
    return limits.order_quantity, limits.order_value, limits.position, limits.daily_loss


NO_LIMITS = Limits()


def static_refusal(order: Order, venue: Venue) -> str | None:
    """What is wrong with the order whatever the session: lot, size, tick of its prices."""
    instrument, day = order.instrument, venue.day
    reason = venue.lot_refusal(order.quantity)
    if reason is None and order.price:
        reason = tick_refusal(instrument, order.price, day)
    if reason is None and order.trigger is not None and order.trigger.price:
        reason = tick_refusal(instrument, order.trigger.price, day)
    if reason is None and order.attached is not None:
        # Once the entry has traded it is too late to hear that its exit is illegal.
        legs = (order.attached.stop_loss, order.attached.take_profit)
        reason = next((why for leg in legs if leg and (why := tick_refusal(instrument, leg, day))), None)
    return reason


def refusal(
    order: Order, venue: Venue, ledger: Portfolio, peers: list[Order], limits: Limits = NO_LIMITS
) -> str | None:
    """Why the order may not be sent now, or None. `peers` are the other open orders of the same ledger.

    `order.wire_type` is the exchange's type it would be sent as.
    """
    reason = _market_rules(order, venue)
    if reason is None and peers:
        reason = _crosses_own(order, venue, peers)
    if reason is not None:
        return reason
    held = ledger.quantity(order.instrument.symbol)
    leaves = _same_way(order, peers) if peers else order.quantity - order.filled
    after = held + leaves * order.side
    if order.instrument.shortable:
        reason = _margin(order, venue, ledger, held, after)
    else:
        reason = _covered(order, venue, ledger, peers)
    if reason is not None or limits is NO_LIMITS:
        return reason
    return _within(order, venue, ledger, held, after, limits)


def amend_refusal(
    order: Order,
    price: int | None,
    quantity: int | None,
    venue: Venue,
    ledger: Portfolio,
    peers: list[Order],
    limits: Limits = NO_LIMITS,
) -> str | None:
    """Why a working order may not be asked to have this price (units) and quantity: as for a new one."""
    asked = copy(order)
    asked.price = order.price if price is None else price
    asked.quantity = order.quantity if quantity is None else quantity
    reason = _crosses_own(asked, venue, peers) if price is not None and peers else None
    grows = asked.quantity > order.quantity or (asked.price - order.price) * order.side > 0
    if reason is not None or not grows:
        return reason
    held = ledger.quantity(order.instrument.symbol)
    after = held + _same_way(asked, peers) * order.side
    if order.instrument.shortable:
        reason = _margin(asked, venue, ledger, held, after)
    else:
        reason = _covered(asked, venue, ledger, peers)
    return reason or _within(asked, venue, ledger, held, after, limits)


def _market_rules(order: Order, venue: Venue) -> str | None:
    if order.trigger is not None:
        return None
    reason = venue.type_refusal(order.wire_type, order.quantity)
    if reason is not None:
        return reason
    if not order.price:
        if order.wire_type is OrderType.LO and venue.worst(order.side) is None:
            return "no price is known yet to send a market order with"
        return None
    band = venue.band
    return band_refusal(order.instrument, band, order.price) if band is not None else None


def _crosses_own(order: Order, venue: Venue, peers: list[Order]) -> str | None:
    if order.trigger is not None:
        return None
    price = order.price or venue.last
    if price is None:
        return None
    for peer in peers:
        if peer.instrument is not order.instrument or peer.side == order.side or not peer.price:
            continue
        if peer.trigger is not None and peer.trigger.kind is not TriggerKind.OCO:
            continue
        if (price - peer.price) * order.side >= 0:
            return f"it would trade with your own order {peer.order_id}"
    return None


def _covered(order: Order, venue: Venue, ledger: Portfolio, peers: list[Order]) -> str | None:
    """Settled shares for a sale, cash for a purchase."""
    instrument = order.instrument
    leaves = order.quantity - order.filled
    if order.side is Side.SELL:
        position = ledger.positions.get(instrument.symbol)
        held = position.quantity if position is not None else 0
        settled = position.sellable if position is not None else 0
        busy = sum(
            peer.worst_leaves
            for peer in peers
            if peer.instrument is instrument and peer.side is Side.SELL and not peer.parent
        )
        if leaves > held - busy:
            return f"shares cannot be sold short: {held - busy:,} held and free, {leaves:,} to sell"
        if leaves > settled - busy:
            return f"{settled - busy:,} of {held:,} shares have settled and are free; the rest arrive on T+2"
        return None
    price = order.price or venue.worst(1)
    if price is None:
        return "no price is known to set cash aside for"
    order.set_aside = price
    need = _cost(order, price, order.quantity - order.filled, ledger)
    busy = sum(
        _cost(peer, peer.worst_price or peer.set_aside, peer.worst_leaves, ledger)
        for peer in peers
        if peer.side is Side.BUY and peer.instrument.account is Account.EQUITY
    )
    free = ledger.buying_power(Account.EQUITY) - busy
    if need > free:
        return f"buying power: {need:,} đ needed with fees, {max(free, 0):,} đ free"
    return None


def _cost(order: Order, price: int, quantity: int, ledger: Portfolio) -> int:
    instrument = order.instrument
    charge = ledger.fees_schedule.charge(instrument, order.side, price, quantity, ledger.date)
    return instrument.notional(price, quantity) + charge.total


def _margin(order: Order, venue: Venue, ledger: Portfolio, held: int, after: int) -> str | None:
    """Margin for contracts, when the position grows from `held` to `after`."""
    reason = position_refusal(after)
    if reason is not None:
        return reason
    grows = abs(after) - abs(held)
    if grows <= 0:
        return None
    price = order.price or venue.last or venue.reference
    if price is None:
        return "no price is known to set margin aside for"
    instrument, leaves = order.instrument, order.quantity - order.filled
    need = ledger.margin_of(instrument, price, grows)
    charge = ledger.fees_schedule.charge(instrument, order.side, price, leaves, ledger.date)
    free = ledger.buying_power(Account.DERIVATIVES)
    if need + charge.total > free:
        return f"margin: {need + charge.total:,} đ needed with fees, {max(free, 0):,} đ free"
    return None


def reduces(order: Order, peers: list[Order], held: int) -> bool:
    """Whether the order, with all that works on its side, only brings a position of `held` nearer to zero."""
    after = held + _same_way(order, peers) * order.side
    return abs(after) <= abs(held) and after * held >= 0


def _same_way(order: Order, peers: list[Order]) -> int:
    """What could trade on the order's side at worst: its own leaves and those of its peers."""
    leaves = order.quantity - order.filled
    for peer in peers:
        if peer.instrument is order.instrument and peer.side == order.side and not peer.parent:
            leaves += peer.worst_leaves
    return leaves


def _within(
    order: Order, venue: Venue, ledger: Portfolio, held: int, after: int, limits: Limits
) -> str | None:
    """The user's limits. An order that only reduces the position passes the position and loss limits."""
    leaves = order.quantity - order.filled
    if limits.order_quantity is not None and leaves > limits.order_quantity:
        return f"limit: an order of {leaves:,} is above {limits.order_quantity:,}"
    if limits.order_value is not None:
        price = order.price or venue.last or venue.reference
        if price is None:
            return "limit: no price is known to measure the order's value"
        value = order.instrument.notional(price, leaves)
        if value > limits.order_value:
            return f"limit: an order of {value:,} đ is above {limits.order_value:,} đ"
    if abs(after) <= abs(held) and after * held >= 0:  # a reversal opens something
        return None
    if limits.position is not None and abs(after) > limits.position:
        return f"limit: a position of {abs(after):,} is above {limits.position:,}"
    if limits.daily_loss is not None and (loss := ledger.day_loss) > limits.daily_loss:
        return f"limit: today's loss of {loss:,} đ is above {limits.daily_loss:,} đ; reductions only"
    return None
