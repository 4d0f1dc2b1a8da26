"""Daily settlement of futures: the profit or loss of the day becomes cash, the contracts stay open."""

from __future__ import annotations

from algo.model import Instrument
from algo.portfolio.ledger import Portfolio


def settle_daily(portfolio: Portfolio, instrument: Instrument, price: int) -> int:
    """Pay or charge what contracts gained at the settlement `price` (units) since the last time.

    Gives the đồng moved. Cost and profit of the contracts stay as they were traded: what was paid is set
    off when they are closed, so that the account is worth the same with daily settlement as without.
    """
    position = portfolio.positions.get(instrument.symbol)
    if position is None or not position.quantity or not instrument.shortable:
        return 0
    sign = 1 if position.quantity > 0 else -1
    moved = 0
    for lot in position.lots:
        due = sign * (instrument.notional(price, lot.quantity) - lot.cost) - lot.paid
        lot.paid += due
        moved += due
    position.paid += moved
    portfolio.cash[instrument.account] += moved
    return moved
