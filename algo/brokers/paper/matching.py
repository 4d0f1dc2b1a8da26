"""Where an order trades on one bar: pure functions of ticket, bar and rules.

The rules err on the side that costs the account: a stop before a target, never a better price than
one that was surely there, never a price outside the bar or the day's band.
"""

from __future__ import annotations

from typing import NamedTuple

from algo.brokers.paper.rules import FillRules
from algo.brokers.paper.ticket import Ticket
from algo.market import Band, move
from algo.model import Bar, Instrument, Side


class Range(NamedTuple):
    """A bar in price units, cut to the day's band where one is known."""

    open: int
    high: int
    low: int
    close: int


def range_of(bar: Bar, instrument: Instrument, band: Band | None) -> Range | None:
    """The bar's tradable prices; None when the bar lies outside the band altogether."""
    scale = instrument.scale
    low, high = int(bar.low * scale + 0.5), int(bar.high * scale + 0.5)
    opened, closed = int(bar.open * scale + 0.5), int(bar.close * scale + 0.5)
    if band is not None and (low < band.floor or high > band.ceiling):
        low, high = max(low, band.floor), min(high, band.ceiling)
        if low > high:
            return None
        opened, closed = min(max(opened, low), high), min(max(closed, low), high)
    return Range(opened, high, low, closed)


def slipped(price: int, ticket: Ticket, prices: Range, rules: FillRules) -> int:
    """`price` made worse by the slippage, but not worse than the bar's own prices."""
    if rules.slippage:
        ticks = rules.slippage * ticket.side
        price = max(price + ticks, 1) if ticket.instrument.adjusted else move(ticket.instrument, price, ticks)
    return min(max(price, prices.low), prices.high)


def at_open(ticket: Ticket, prices: Range, rules: FillRules) -> int | None:
    """The price at which the ticket trades on the bar's open, None when it does not.

    A stop that the open has passed is set off and trades at the open. A limit that the open betters
    trades at the open.
    """
    if ticket.auction:
        return None
    if ticket.plain:
        if rules.fill == "close":
            return None
        return slipped(prices.open, ticket, prices, rules) if rules.slippage else prices.open
    if ticket.waits:
        passed = prices.open <= ticket.stop if ticket.side is Side.SELL else prices.open >= ticket.stop
        if passed:
            ticket.set_off()
            if ticket.two_legged or not ticket.limit:
                return slipped(prices.open, ticket, prices, rules)
        elif not ticket.two_legged:
            return None
    if not ticket.at_market and ticket.rests:
        if ticket.stopped and ticket.two_legged:
            return slipped(prices.open, ticket, prices, rules)
        return prices.open if _betters(prices.open, ticket, rules) else None
    if rules.fill == "close" and ticket.at_market:
        return None
    return _allowed(slipped(prices.open, ticket, prices, rules), ticket)


def in_range(ticket: Ticket, prices: Range, rules: FillRules) -> int | None:
    """The price at which the ticket trades inside the bar, after its open, None when it does not.

    A stop comes before a target when the bar has both. The trigger of a trailing stop follows the
    bar's best price only afterwards; when the bar closed beyond the moved trigger, it was hit on
    the way there.
    """
    if ticket.auction:
        return prices.close
    if ticket.waits:
        price = stop_hit(ticket, prices, rules)
        if price is not None or not ticket.waits:
            return price
        ticket.trail(prices.high if ticket.side is Side.SELL else prices.low)
        if ticket.step:
            passed = prices.close <= ticket.stop if ticket.side is Side.SELL else prices.close >= ticket.stop
            if passed:
                ticket.set_off()
                price = slipped(ticket.stop, ticket, prices, rules)
                return price if ticket.two_legged else _allowed(price, ticket)
        if not ticket.two_legged:
            return None
    if ticket.rests and not ticket.at_market and not (ticket.stopped and ticket.two_legged):
        extreme = prices.low if ticket.side is Side.BUY else prices.high
        return ticket.limit if _betters(extreme, ticket, rules) else None
    if rules.fill == "close" and ticket.at_market:
        return _allowed(slipped(prices.close, ticket, prices, rules), ticket)
    return None


def after_open(ticket: Ticket, prices: Range, rules: FillRules) -> int | None:
    """As `in_range`, for a whole bar after its open.

    A limit that the open betters would have traded there: it came just after, and gets the open as
    whatever takes a better market does. Its own price may lie outside the bar.
    """
    waited = ticket.waits
    price = in_range(ticket, prices, rules)
    by_stop = ticket.stopped and (waited or ticket.two_legged)
    plain = price is not None and ticket.rests and not ticket.at_market and not by_stop
    return prices.open if plain and _betters(prices.open, ticket, rules) else price


def stop_hit(ticket: Ticket, prices: Range, rules: FillRules) -> int | None:
    """The price at which the ticket's stop trades inside the bar; sets it off when it is reached.

    A stop that the open has passed came after it: the market is there already, so it trades at the
    open, not at its better trigger.
    """
    return _set_off(ticket, prices, rules, _worse(ticket, ticket.stop, prices.open))


def late_stop_hit(ticket: Ticket, prices: Range, rules: FillRules) -> int | None:
    """As `stop_hit`, for a stop that came at some moment inside the bar.

    One that both open and close have passed was never going to wait: it gets the worse of the two.
    """
    stop, worst = ticket.stop, _worse(ticket, prices.open, prices.close)
    best = prices.open + prices.close - worst
    return _set_off(ticket, prices, rules, stop if _worse(ticket, stop, best) == stop else worst)


def _worse(ticket: Ticket, one: int, other: int) -> int:
    """The price that costs the ticket's side more."""
    return max(one, other) if ticket.side is Side.BUY else min(one, other)


def _set_off(ticket: Ticket, prices: Range, rules: FillRules, price: int) -> int | None:
    reached = prices.low <= ticket.stop if ticket.side is Side.SELL else prices.high >= ticket.stop
    if not reached:
        return None
    ticket.set_off()
    price = slipped(min(max(price, prices.low), prices.high), ticket, prices, rules)
    if ticket.limit and not ticket.two_legged:
        # A stop with a limit: it trades only when the limit still takes the trigger's price.
        return _allowed(price, ticket)
    return price


def _allowed(price: int, ticket: Ticket) -> int | None:
    """`price`, or None when the ticket's limit does not take it."""
    return price if not ticket.limit or (ticket.limit - price) * ticket.side >= 0 else None


def _betters(price: int, ticket: Ticket, rules: FillRules) -> bool:
    """Whether a market at `price` fills the ticket's limit: through it, or touching when so set."""
    distance = (ticket.limit - price) * ticket.side
    return distance > 0 or (distance == 0 and rules.limit == "touch")
