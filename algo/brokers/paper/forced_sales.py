"""What the broker closes when a customer's margin does not suffice."""

from __future__ import annotations

from algo.brokers.paper import funds
from algo.brokers.paper.customers import Customer
from algo.brokers.paper.funds import Listings
from algo.brokers.paper.statements import HOUSE, NewOrder
from algo.market import market_order_type
from algo.model import OrderType, Side


def closing_orders(customer: Customer, listings: Listings, account: str, level: int) -> list[NewOrder]:
    """Orders at the market that bring the margin in use to `level` percent of the assets.

    The largest position comes first. A position that cannot trade now is left for later.
    The orders have no request id yet.
    """
    portfolio = customer.portfolio
    excess = portfolio.margin_used() - max(funds.margin_assets(customer), 0) * level // 100
    positions = [p for p in portfolio.held() if p.instrument.shortable]
    positions.sort(key=lambda position: abs(position.quantity), reverse=True)
    orders = []
    for position in positions:
        instrument, listing = position.instrument, listings.get(position.symbol)
        if excess <= 0 or listing is None or listing.mark is None or listing.halted:
            continue
        order_type = market_order_type(instrument.board, listing.session, listing.day)
        side = Side.SELL if position.quantity > 0 else Side.BUY
        edge = listing.worst(side) if order_type is OrderType.LO else 0
        if order_type is None or edge is None:
            continue
        one = portfolio.margin_of(instrument, listing.mark, 1)
        quantity = min(-(-excess // one), abs(position.quantity), listing.largest or abs(position.quantity))
        excess -= quantity * one
        orders.append(NewOrder(account, "", instrument, side, order_type, edge, quantity, None, HOUSE))
    return orders
