"""Everything that a request must pass before the broker passes it on."""

from __future__ import annotations

from algo.brokers.paper import funds, legality
from algo.brokers.paper.customers import Customer
from algo.brokers.paper.funds import Listings
from algo.brokers.paper.legality import Refusal
from algo.brokers.paper.listings import Listing
from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.slips import Slip
from algo.brokers.paper.statements import NewOrder, Refused, Stage
from algo.model import Account, OrderType, Side, Trigger, TriggerKind

_EARLY = (Stage.BEFORE_SESSION, Stage.STOP_BEFORE_SESSION)
_UNDECIDED = (Stage.RECEIVED, Stage.SENT, Stage.CANCELLING)  # the exchange has not answered yet


def well_formed(order: NewOrder) -> None:
    """Raise Refused for an order that says nothing sensible."""
    if order.quantity <= 0:
        raise Refused("Quantity must be greater than zero", "ORD006")
    if order.order_type is OrderType.MARKET:
        raise Refused(f"Order type {order.order_type} does not exist", "ORD010")
    if order.order_type is OrderType.LO:
        if order.price <= 0:
            raise Refused("Price must be greater than zero", "ORD006")
    elif order.price:
        raise Refused("Price is null or equal zero when order is market order", "ORD006")
    trigger = order.trigger
    if trigger is None:
        return
    if order.instrument.account is not Account.DERIVATIVES:
        raise Refused("Stop orders are taken for derivatives only", "ORD010")
    if trigger.kind is TriggerKind.BULL_BEAR and (
        order.order_type is not OrderType.LO or trigger.profit_step <= 0 or trigger.loss_step <= 0
    ):
        raise Refused("A bull-bear order has a price, a profit step and a loss step", "ORD006")
    if trigger.kind is TriggerKind.OCO and order.order_type is not OrderType.LO:
        raise Refused("An OCO order has a price", "ORD006")


def _condition(slip: Slip) -> Trigger | None:
    """What the order waits for. The entry of a bull-bear order goes out at once, as any other order."""
    trigger = slip.trigger
    return None if trigger is not None and trigger.kind is TriggerKind.BULL_BEAR else trigger


class Checks:
    """The house's checks of orders and of changes to them."""

    def __init__(self, listings: Listings, settings: HouseSettings) -> None:
        self._listings = listings
        self._settings = settings

    def new(self, slip: Slip) -> Refusal | None:
        """What speaks against a new order now."""
        if slip.listing.early and not self._settings.early:
            return Refusal("ORD016", "Invalid market status")
        refusal = self.rules(slip)
        if refusal is None and _condition(slip) is None:
            refusal = legality.opposite_refusal(slip.customer, slip.listing, slip.side, slip.price)
        return refusal if refusal is not None else self._funds(slip, slip.price, slip.quantity)

    def rules(self, slip: Slip) -> Refusal | None:
        """What the market's rules have against a new order now."""
        return legality.order_refusal(
            slip.listing, slip.order_type, slip.price, slip.quantity, _condition(slip)
        )

    def change(self, slip: Slip, price: int | None, quantity: int | None) -> Refusal | None:
        """What speaks against another price (units) or quantity now; None leaves one as it is."""
        if slip.stage.over or slip.stage in _UNDECIDED:
            return Refusal("ORD012", f"the order cannot be changed: {slip.stage}")
        if price is None and quantity is None:
            return Refusal("ORD014", "the price and the quantity are the same as before")
        refusal = None
        if not (slip.waits or slip.stage in _EARLY):
            moved, resized = price is not None, quantity is not None
            refusal = legality.change_refusal(slip.listing, price=moved, quantity=resized)
        if refusal is None and price is not None:
            refusal = self._new_price(slip, price)
        if refusal is None and quantity is not None:
            refusal = self._new_quantity(slip, quantity)
        return refusal if refusal is not None else self._payable(slip, price, quantity)

    def withdrawal(self, slip: Slip) -> Refusal | None:
        """What speaks against taking an order back now."""
        if slip.stage.over or slip.stage in _UNDECIDED:
            return Refusal("ORD012", f"the order cannot be cancelled: {slip.stage}")
        if slip.waits or slip.stage in _EARLY:
            return None
        return legality.withdrawal_refusal(slip.listing)

    def _new_price(self, slip: Slip, price: int) -> Refusal | None:
        if slip.order_type is not OrderType.LO:
            return Refusal("ORD012", f"an {slip.order_type} order has no price to change")
        if price <= 0:
            return Refusal("ORD006", "the price must be above zero")
        refusal = legality.price_refusal(slip.listing, price, inside=slip.trigger is None)
        interest = slip.customer.interest(slip.listing.instrument.symbol)
        if refusal is None and slip.counted and interest.crosses(slip.side, price):
            return Refusal("ORD009", "the new price would trade with an opposite order of your own")
        return refusal

    def _new_quantity(self, slip: Slip, quantity: int) -> Refusal | None:
        if quantity <= 0:
            return Refusal("ORD006", "the quantity must be above zero")
        if quantity <= slip.filled:
            return Refusal("ORD031", f"{slip.filled:,} have traded already")
        return legality.quantity_refusal(slip.listing, quantity)

    def _payable(self, slip: Slip, price: int | None, quantity: int | None) -> Refusal | None:
        asked = (slip.quantity if quantity is None else quantity) - slip.filled
        at = slip.price if price is None else price
        if slip.listing.instrument.account is Account.EQUITY:
            own = slip.reserved if slip.side is Side.BUY else slip.counted
            return self._funds(slip, at, asked, own)
        more = asked - slip.counted
        return self._funds(slip, at, more) if more > 0 else None

    def _funds(self, slip: Slip, price: int, quantity: int, own: int = 0) -> Refusal | None:
        customer, listing = slip.customer, slip.listing
        if listing.instrument.account is Account.EQUITY:
            return funds.share_refusal(customer, listing, slip.side, price, quantity, own)
        return self.contracts(customer, listing, slip.side, price, quantity)

    def contracts(
        self, customer: Customer, listing: Listing, side: Side, price: int, quantity: int
    ) -> Refusal | None:
        """What speaks against `quantity` more contracts for a customer."""
        return funds.contract_refusal(
            customer, self._listings, listing, side, price, quantity, self._settings
        )
