"""The ledger: fills in; positions, sellable lots, cash, margin and profit out."""

from algo.portfolio.ledger import DIVIDEND_TAX, Flow, Portfolio
from algo.portfolio.lots import Lot, RoundTrip
from algo.portfolio.position import Position

__all__ = ["DIVIDEND_TAX", "Flow", "Lot", "Portfolio", "Position", "RoundTrip"]
