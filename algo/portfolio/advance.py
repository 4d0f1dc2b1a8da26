"""Cash in advance: sale money used before it arrives, for the broker's fee."""

from __future__ import annotations

from heapq import heapify

from algo.clock import local_date
from algo.errors import SettingError
from algo.model import Account
from algo.portfolio.flow import Flow
from algo.portfolio.ledger import Portfolio


def on_the_way(portfolio: Portfolio) -> list[tuple[int, int]]:
    """(when it arrives, đồng) of sale money and dividends that are still to come, in order."""
    return sorted(portfolio._due)


def draw_advance(portfolio: Portfolio, ns: int, due: int, amount: int) -> int:
    """Use `amount` đồng of the money that arrives at `due` now; gives the fee. SettingError for more."""
    waiting = sum(sum_ for when, sum_ in portfolio._due if when == due)
    if not 0 < amount <= waiting:
        raise SettingError(f"{waiting:,} đ are on their way for that day, not {amount:,}")
    fee = advance_fee(portfolio, ns, due, amount)
    left, kept = amount, []
    for when, sum_ in portfolio._due:
        part = min(sum_, left) if when == due else 0
        left -= part
        if sum_ > part:
            kept.append((when, sum_ - part))
    heapify(kept)
    portfolio._due = kept
    portfolio.receivable -= amount
    portfolio.fees += fee
    portfolio.flows.append(Flow(ns, "advance", "", -fee))
    portfolio.cash[Account.EQUITY] += amount - fee
    return fee


def advance_fee(portfolio: Portfolio, ns: int, due: int, amount: int) -> int:
    """The đồng that using `amount` of the money that arrives at `due` costs now."""
    days = (local_date(due) - local_date(ns)).days
    return portfolio.fees_schedule.advance(amount, days, local_date(ns))
