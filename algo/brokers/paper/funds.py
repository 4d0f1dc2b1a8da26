"""Whether a customer can pay: cash and fees for shares, settled shares for a sale, margin for futures."""

from __future__ import annotations

from algo.brokers.paper.customers import Customer
from algo.brokers.paper.legality import Refusal
from algo.brokers.paper.listings import Listing
from algo.brokers.paper.settings import HouseSettings
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
    settings: HouseSettings,
) -> Refusal | None:
    """Why the customer cannot carry `quantity` more contracts on `side`, or None.

    What only reduces a position is always taken.
    """
    instrument, portfolio = listing.instrument, customer.portfolio
    held = portfolio.quantity(instrument.symbol)
    interest = customer.interest(instrument.symbol)
    same_way = quantity + (interest.buying if side is Side.BUY else interest.selling)
    after = held + side * same_way
    grows = abs(after) - abs(held)
    if grows <= 0:
        return None
    reason = position_refusal(after, settings.position_limit)
    if reason is not None:
        return Refusal("ORD008", reason)
    at = price or listing.mark
    if at is None:
        return Refusal("ORD008", "no price is known to set margin aside for")
    charge = portfolio.fees_schedule.charge(
        instrument, side, at, quantity, portfolio.date, contracts_today=portfolio.contracts_today
    )
    need = portfolio.margin_of(instrument, at, grows) + charge.total
    free = usable_margin(customer, settings) - open_margin(customer, listings, instrument.symbol)
    if need <= free:
        return None
    return Refusal("ORD008", f"margin: {need:,} đ needed with fees, {max(free, 0):,} đ free")


def usable_margin(customer: Customer, settings: HouseSettings) -> int:
    """Đồng that positions leave free for new ones: up to the level above which none are opened."""
    most = min(settings.levels[1], 100)
    return margin_assets(customer) * most // 100 - customer.portfolio.margin_used()


def open_margin(customer: Customer, listings: Listings, aside: str = "") -> int:
    """Đồng of margin that open orders could bind; those in `aside` are not counted."""
    portfolio, bound = customer.portfolio, 0
    for symbol, interest in customer.interests.items():
        listing = listings.get(symbol)
        if symbol == aside or not (interest.buying or interest.selling) or listing is None:
            continue
        growth = interest.growth(portfolio.quantity(symbol)) if listing.instrument.shortable else 0
        if growth and listing.mark is not None:
            bound += portfolio.margin_of(listing.instrument, listing.mark, growth)
    return bound


def margin_assets(customer: Customer) -> int:
    """Đồng that stand behind futures: the account's cash and the profit not yet settled."""
    portfolio = customer.portfolio
    values = (p.value for p in portfolio.positions.values() if p.quantity and p.instrument.shortable)
    return portfolio.cash[Account.DERIVATIVES] + sum(values)


def level_of(customer: Customer, levels: tuple[int, ...]) -> int:
    """How many of the warning levels the margin in use has reached."""
    used = customer.portfolio.margin_used()
    return warning_level(used, margin_assets(customer), levels) if used else 0
