"""Which orders and amendments the exchange takes, and why not the others.

The rules are those of `algo.market`; here they are put together in the order in which an exchange
looks at them: session and type, quantity, price, condition.
"""

from __future__ import annotations

from datetime import date

from algo.brokers.paper.book_ticket import BookTicket, waits_at_first
from algo.market import (
    Band,
    Session,
    amend_refusal,
    band_refusal,
    is_odd_lot,
    lot_refusal,
    tick_refusal,
    type_refusal,
)
from algo.model import Instrument, OrderType, PlaceOrder, TriggerKind


class Admission:
    """What one instrument's market takes on one day. `largest` is the largest order where no rule has one."""

    __slots__ = ("band", "day", "instrument", "largest")

    def __init__(self, instrument: Instrument, day: date, band: Band | None, largest: int | None) -> None:
        self.instrument = instrument
        self.day = day
        self.band = band
        self.largest = largest

    def odd(self, quantity: int) -> bool:
        """Whether this quantity is traded as an odd lot."""
        return is_odd_lot(self.instrument, quantity, self.day)

    def placing(self, command: PlaceOrder, session: Session) -> str | None:
        """Why an order cannot go in now, or None.

        One that the broker holds back for its trigger is judged as in continuous trading.
        """
        kind, odd = command.order_type, self.odd(command.quantity)
        if kind is OrderType.MARKET:
            return "MARKET is no order type of the exchange"
        if waits_at_first(command.trigger):
            session = Session.LO
        return (
            type_refusal(self.instrument.board, session, self.day, kind, odd_lot=odd)
            or lot_refusal(self.instrument, command.quantity, self.day, largest=self.largest)
            or (self._price(command.price) if kind is OrderType.LO else None)
            or self._condition(command, odd)
        )

    def amending(
        self, ticket: BookTicket, price: int | None, quantity: int | None, session: Session
    ) -> str | None:
        """Why an order cannot get this price or total quantity now, or None. None leaves a value as it is."""
        if price is not None and not ticket.limit:
            return "the order has no price to change"
        refusal = amend_refusal(
            self.instrument.board,
            Session.LO if ticket.waits else session,
            self.day,
            price=price is not None,
            quantity=quantity is not None,
        )
        if refusal is None and price is not None:
            refusal = self._price(price)
        if refusal is not None or quantity is None:
            return refusal
        if quantity <= ticket.traded:
            return f"{ticket.traded:,} have traded already"
        if self.odd(quantity) is not self.odd(ticket.quantity):
            return "an order cannot change between board lots and odd lots"
        return lot_refusal(self.instrument, quantity, self.day, largest=self.largest)

    def _price(self, price: int) -> str | None:
        refusal = tick_refusal(self.instrument, price, self.day)
        if refusal is None and self.band is not None:
            refusal = band_refusal(self.instrument, self.band, price)
        return refusal

    def _condition(self, command: PlaceOrder, odd_lot: bool) -> str | None:
        trigger = command.trigger
        if trigger is None:
            return None
        if odd_lot:
            return "odd lots take no conditions"
        if waits_at_first(trigger):
            return None
        if command.order_type is not OrderType.LO:
            return "OCO and bull-bear orders are limit orders"
        if trigger.kind is TriggerKind.BULL_BEAR and min(trigger.profit_step, trigger.loss_step) <= 0:
            return "a bull-bear order needs a profit step and a loss step above zero"
        return None
