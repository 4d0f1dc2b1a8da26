"""How an order meets a replayed book or trade: pure functions of ticket, levels and rules."""

from __future__ import annotations

from collections.abc import Iterator

from algo.brokers.paper.queue_position import Levels
from algo.brokers.paper.rules import ReplayRules
from algo.brokers.paper.ticket import Ticket
from algo.market import Band, Session, move, session_at
from algo.model import Instrument, OrderType

AT_ONE_PRICE = (OrderType.ATO, OrderType.ATC, OrderType.PLO)
SWEEPS = (OrderType.MTL, OrderType.MP)


def continuous(instrument: Instrument, ns: int) -> bool:
    """Whether trading is continuous at `ns`: only then do orders take the book and triggers count."""
    return session_at(instrument.board, ns) is Session.LO


def ranked(tickets: list[Ticket]) -> list[Ticket]:
    """Our orders in the order in which they trade: without a price, the better price, the earlier one."""
    return sorted(tickets, key=lambda ticket: (ticket.limit != 0, -ticket.limit * ticket.side))


def by_stop(ticket: Ticket) -> bool:
    """Whether the stop of a two-legged order was reached: its target's limit binds it no longer."""
    return ticket.stopped and ticket.two_legged


def takes_any_trade(ticket: Ticket, quoted: bool) -> bool:
    """Whether the order trades at whatever price is printed next.

    Those of auctions and of the closing price do, and one at the market where no book is ever seen.
    """
    if ticket.waits or (ticket.limit and not by_stop(ticket)):
        return False
    return ticket.order_type in AT_ONE_PRICE or not quoted


def taken(
    ticket: Ticket, levels: Levels, band: Band | None, lot: int, rules: ReplayRules, *, rested: bool
) -> Iterator[tuple[int, int]]:
    """The (price, quantity) at which an order trades against displayed levels, which shrink by it.

    One that `rested` in the book before trades at its own price and moves no market.
    """
    limit = 0 if by_stop(ticket) else ticket.limit
    if ticket.once:
        short = sum(size for _, size in levels) < ticket.leaves
        if ticket.order_type in AT_ONE_PRICE or (ticket.order_type is OrderType.MOK and short):
            return
    for level in levels:
        price, size = level
        if not ticket.leaves or (limit and (limit - price) * ticket.side < 0):
            return
        impact = rules.impact_ticks and not rested
        free = int(size * rules.impact_share) // lot * lot if impact else size
        for reach, worse in ((free, 0), (size - free, rules.impact_ticks)):
            quantity = min(reach, ticket.leaves)
            paid = limit if rested else _moved(ticket, price, worse, band)
            if limit and (limit - paid) * ticket.side < 0:
                return
            if quantity:
                level[1] -= quantity
                yield paid, quantity


def beyond(ticket: Ticket, printed: int, band: Band | None) -> int:
    """The limit at which the rest of a swept order stays: one tick beyond its last print, in the band."""
    return _moved(ticket, printed, 1, band)


def _moved(ticket: Ticket, price: int, ticks: int, band: Band | None) -> int:
    """`price` made worse for the order by `ticks`, inside the band."""
    if not ticks:
        return price
    ticks *= ticket.side
    price = max(price + ticks, 1) if ticket.instrument.adjusted else move(ticket.instrument, price, ticks)
    return price if band is None else band.clamp(price)
