"""Whether a customer can pay: cash and fees for shares, settled shares for a sale, margin for futures."""

from __future__ import annotations

from algo.brokers.paper.customers import Customer
from algo.brokers.paper.legality import Refusal
from algo.brokers.paper.listings import Listing
from algo.market import position_refusal, warning_level
from algo.model import Account, Side

Listings = dict[str, Listing]


def purchase_cost(customer: Customer, listing: Listing, price: int, quantity: int) -> int:
    """The most đồng that buying `quantity` shares at `price` or better can take, in however many fills.

    Each fill's fee is rounded by itself, so parts may cost more than the whole: one đồng for each further
    fill is enough, and a fill is at least one lot.
    """
    portfolio = customer.portfolio
    charge = portfolio.fees_schedule.charge(listing.instrument, Side.BUY, price, quantity, portfolio.date)
    parts = quantity // listing.lot if quantity % listing.lot == 0 else quantity
    return listing.instrument.notional(price, quantity) + charge.fee + charge.tax + parts - 1


def sellable(customer: Customer, symbol: str) -> int:
    """Shares that have settled and are not on sale already."""
    position = customer.portfolio.positions.get(symbol)
    if position is None:
        return 0
    interest = customer.interests.get(symbol)
    return position.sellable - (interest.selling if interest is not None else 0)


def share_refusal(
    customer: Customer, listing: Listing, side: Side, price: int, quantity: int, own: int = 0
) -> Refusal | None:
    """Why the customer cannot pay for or deliver shares, or None.

    `own` is what the order being changed holds back already: đồng of a purchase, shares of a sale.
    """
    if side is Side.SELL:
        free = sellable(customer, listing.instrument.symbol) + own
        if quantity <= free:
            return None
        return Refusal("ORD007", f"{quantity:,} to sell, {max(free, 0):,} settled and free")
    at = price or listing.worst(Side.BUY)
    if at is None:
        return Refusal("ORD008", "no price is known to set cash aside for")
    need = purchase_cost(customer, listing, at, quantity)
    free = customer.free_cash + own
    if need <= free:
        return None
    return Refusal("ORD008", f"purchasing power: {need:,} đ needed with fees, {max(free, 0):,} đ free")


def contract_refusal(
    customer: Customer,
    listings: Listings,
    listing: Listing,
    side: Side,
    price: int,
    quantity: int,
    *,
    position_limit: int,
    closing_only: bool,
) -> Refusal | None:
    """Why the customer cannot carry `quantity` more contracts on `side`, or None.

    What only reduces a position is always taken. `closing_only`: nothing else is.
    """
    instrument, portfolio = listing.instrument, customer.portfolio
    held = portfolio.quantity(instrument.symbol)
    interest = customer.interest(instrument.symbol)
    same_way = quantity + (interest.buying if side is Side.BUY else interest.selling)
    after = held + side * same_way
    grows = abs(after) - abs(held)
    if grows <= 0:
        return None
    reason = position_refusal(after, position_limit)
    if reason is not None:
        return Refusal("ORD008", reason)
    if closing_only:
        return Refusal("ORD008", "margin in use is above the level: only positions may be closed")
    at = price or listing.mark
    if at is None:
        return Refusal("ORD008", "no price is known to set margin aside for")
    charge = portfolio.fees_schedule.charge(
        instrument, side, at, quantity, portfolio.date, contracts_today=portfolio.contracts_today
    )
    need = portfolio.margin_of(instrument, at, grows) + charge.total
    free = free_margin(customer, listings, instrument.symbol)
    if need <= free:
        return None
    return Refusal("ORD008", f"margin: {need:,} đ needed with fees, {max(free, 0):,} đ free")


def free_margin(customer: Customer, listings: Listings, aside: str = "") -> int:
    """Đồng that positions and open orders leave free to open contracts; those in `aside` are not counted."""
    portfolio = customer.portfolio
    free = portfolio.buying_power(Account.DERIVATIVES)
    for symbol, interest in customer.interests.items():
        if symbol == aside or not (interest.buying or interest.selling):
            continue
        listing = listings.get(symbol)
        if listing is None or not listing.instrument.shortable or listing.mark is None:
            continue
        growth = interest.growth(portfolio.quantity(symbol))
        if growth:
            free -= portfolio.margin_of(listing.instrument, listing.mark, growth)
    return free


def margin_assets(customer: Customer) -> int:
    """Đồng that stand behind futures: the account's cash and the profit not yet settled."""
    portfolio = customer.portfolio
    values = (p.value for p in portfolio.positions.values() if p.quantity and p.instrument.shortable)
    return portfolio.cash[Account.DERIVATIVES] + sum(values)


def level_of(customer: Customer, levels: tuple[int, ...]) -> int:
    """How many of the warning levels the margin in use has reached."""
    used = customer.portfolio.margin_used()
    return warning_level(used, margin_assets(customer), levels) if used else 0
