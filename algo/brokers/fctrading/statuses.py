"""The broker's order statuses and ours, both ways, in one table.

Source: the order status table of SSI's FastConnect Trading specification 2.4. Its spelling of codes varies,
so they are compared in upper case. Codes that later servers were seen to send without a word on their
meaning (PD, PAS, CPL) are left out on purpose: an unknown code is reported and changes nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from algo.model import OrderStatus


class Meaning(NamedTuple):
    """What a code says. `settled`: price and quantity are those in the market, not those asked for.

    `set_off`: the trigger of a stop order was reached.
    """

    status: OrderStatus
    settled: bool = False
    set_off: bool = False


STATUSES: dict[str, Meaning] = {
    "RS": Meaning(OrderStatus.SUBMITTED),  # ready to be sent to the exchange
    "SD": Meaning(OrderStatus.SUBMITTED),  # sent to the exchange
    "WA": Meaning(OrderStatus.SUBMITTED),  # waits for the broker's approval
    "IAV": Meaning(OrderStatus.WAITING, settled=True),  # waits for its session
    "SOI": Meaning(OrderStatus.WAITING, settled=True),  # stop order, waits for its session
    "SOR": Meaning(OrderStatus.WAITING, settled=True),  # stop order, waits for its trigger
    "SOS": Meaning(OrderStatus.WORKING, set_off=True),  # stop order, set off
    "QU": Meaning(OrderStatus.WORKING, settled=True),
    "PF": Meaning(OrderStatus.WORKING, settled=True),
    "WM": Meaning(OrderStatus.WORKING),  # an amendment is under way
    "WC": Meaning(OrderStatus.WORKING),  # a cancel is under way
    "FF": Meaning(OrderStatus.FILLED, settled=True),
    "CL": Meaning(OrderStatus.CANCELLED, settled=True),
    "FFPC": Meaning(OrderStatus.CANCELLED, settled=True),  # filled in part, the rest cancelled
    "RJ": Meaning(OrderStatus.REJECTED),
    "EX": Meaning(OrderStatus.EXPIRED, settled=True),
}


def meaning(code: str) -> Meaning | None:
    """What a code of the wire says, in any case; None when it is not known."""
    return STATUSES.get(code) or STATUSES.get(code.strip().upper())


def code(status: OrderStatus, *, filled: bool = False, stop: bool = False) -> str | None:
    """The code for a status of ours: the usual one of those that mean it; None when the wire has none.

    `filled`: part of the order has traded. `stop`: the order has a trigger.
    """
    if status is OrderStatus.WAITING and stop:
        return "SOR"
    if filled and status is OrderStatus.WORKING:
        return "PF"
    if filled and status is OrderStatus.CANCELLED:
        return "FFPC"
    return _USUAL.get(status)


_USUAL = {
    OrderStatus.SUBMITTED: "RS",
    OrderStatus.WAITING: "IAV",
    OrderStatus.WORKING: "QU",
    OrderStatus.FILLED: "FF",
    OrderStatus.CANCELLED: "CL",
    OrderStatus.REJECTED: "RJ",
    OrderStatus.EXPIRED: "EX",
}
