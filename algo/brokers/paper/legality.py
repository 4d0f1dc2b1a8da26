"""What the market's rules say against an order: a code and a text. Codes are those of FastConnect Trading."""

from __future__ import annotations

from typing import NamedTuple

from algo.brokers.paper.customers import Customer
from algo.brokers.paper.listings import Listing
from algo.market import (
    Session,
    amend_refusal,
    band_refusal,
    can_cancel,
    is_odd_lot,
    lot_refusal,
    takes_odd_lots,
    tick_refusal,
    type_refusal,
)
from algo.model import Account, OrderType, Side, Trigger

_CLOSED = "Invalid market status"
_AUCTIONS = (Session.ATO, Session.ATC)


class Refusal(NamedTuple):
    """Why the broker does not do what was asked: its code for it and a text."""

    code: str
    text: str


def order_refusal(
    listing: Listing, order_type: OrderType, price: int, quantity: int, trigger: Trigger | None
) -> Refusal | None:
    """What the rules of the market have against an order now, or None; purse and positions aside."""
    instrument, day = listing.instrument, listing.day
    if listing.halted or listing.session is Session.HALT:
        return Refusal("ORD017", f"{instrument.symbol} is suspended from trading")
    refused = quantity_refusal(listing, quantity)
    if refused is not None:
        return refused
    if price:
        refused = price_refusal(listing, price, inside=trigger is None)
        if refused is not None:
            return refused
    if trigger is not None:
        if listing.session is Session.C and not listing.early:
            return Refusal("ORD016", _CLOSED)
        reason = tick_refusal(instrument, trigger.price, day) if trigger.price else None
        return None if reason is None else Refusal("ORD004", reason)
    return type_refusal_of(listing, order_type, quantity)


def type_refusal_of(listing: Listing, order_type: OrderType, quantity: int) -> Refusal | None:
    """Why the present session does not take a type; before the open, the first session of the day counts."""
    instrument, day = listing.instrument, listing.day
    odd = quantity % listing.lot != 0 and is_odd_lot(instrument, quantity, day)
    if listing.early:
        if order_type in listing.opening_types(quantity):
            return None
        return Refusal("ORD016", f"{instrument.board} does not open with {order_type} orders")
    if order_type in (listing.odd_types if odd else listing.types):
        return None
    if odd and order_type in listing.types:
        return Refusal("ORD018", "odd lots are limit orders only")
    if listing.session is Session.C:
        return Refusal("ORD016", _CLOSED)
    reason = type_refusal(instrument.board, listing.session, day, order_type, odd_lot=odd)
    return Refusal("ORD016", reason or _CLOSED)


def quantity_refusal(listing: Listing, quantity: int) -> Refusal | None:
    """Why an order cannot have this quantity, or None."""
    if quantity % listing.lot == 0 and (listing.largest is None or quantity <= listing.largest):
        return None
    instrument, day = listing.instrument, listing.day
    if listing.largest is not None and quantity > listing.largest:
        return Refusal(
            "ORD008", f"the quantity {quantity:,} is above the largest order of {listing.largest:,}"
        )
    if is_odd_lot(instrument, quantity, day) and not takes_odd_lots(instrument, day):
        return Refusal("ORD018", lot_refusal(instrument, quantity, day) or "no odd lots")
    reason = lot_refusal(instrument, quantity, day)
    return None if reason is None else Refusal("ORD005", reason)


def price_refusal(listing: Listing, price: int, *, inside: bool = True) -> Refusal | None:
    """Why an order cannot have this limit, or None. `inside`: it has to lie in the band."""
    limits = listing.band
    if inside and limits is not None and not limits.contains(price):
        code = "ORD002" if price < limits.floor else "ORD003"
        return Refusal(code, band_refusal(listing.instrument, limits, price) or "")
    reason = tick_refusal(listing.instrument, price, listing.day)
    return None if reason is None else Refusal("ORD004", reason)


def opposite_refusal(customer: Customer, listing: Listing, side: Side, price: int) -> Refusal | None:
    """Why the customer's own open orders forbid this one, or None.

    An order must not trade with one's own; shares are not bought and sold inside one auction.
    """
    interest = customer.interests.get(listing.instrument.symbol)
    if interest is None or not interest.opposes(side):
        return None
    auction = listing.session in _AUCTIONS and listing.instrument.account is Account.EQUITY
    at = price or listing.last
    if auction or (at is not None and interest.crosses(side, at)):
        return Refusal("ORD009", f"an opposite order of {listing.instrument.symbol} exists")
    return None


def change_refusal(listing: Listing, *, price: bool, quantity: bool) -> Refusal | None:
    """Why the session takes no such change, or None."""
    instrument = listing.instrument
    if listing.halted:
        return Refusal("ORD017", f"{instrument.symbol} is suspended from trading")
    reason = amend_refusal(instrument.board, listing.session, listing.day, price=price, quantity=quantity)
    if reason is None:
        return None
    both = price and quantity and can_cancel(instrument.board, listing.session, listing.day)
    return Refusal("ORD006" if both else "ORD011", reason)


def withdrawal_refusal(listing: Listing) -> Refusal | None:
    """Why the session lets nothing be withdrawn, or None."""
    board = listing.instrument.board
    if not can_cancel(board, listing.session, listing.day):
        return Refusal("ORD011", f"{board} takes no cancel in session {listing.session}")
    return None
