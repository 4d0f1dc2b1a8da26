"""The ledger: fills in; positions, sellable lots, cash, margin and profit out."""

from algo.portfolio.advance import advance_fee, draw_advance, on_the_way
from algo.portfolio.flow import Flow
from algo.portfolio.ledger import DIVIDEND_TAX, Portfolio
from algo.portfolio.lots import Lot, RoundTrip
from algo.portfolio.position import Position
from algo.portfolio.variation import settle_daily

__all__ = [
    "DIVIDEND_TAX",
    "Flow",
    "Lot",
    "Portfolio",
    "Position",
    "RoundTrip",
    "advance_fee",
    "draw_advance",
    "on_the_way",
    "settle_daily",
]
