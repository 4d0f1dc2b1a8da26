"""The paper exchange: fills orders from bars, quotes and trades by conservative, written rules."""

from algo.brokers.paper.exchange import PaperExchange
from algo.brokers.paper.rules import FillRules

__all__ = ["FillRules", "PaperExchange"]
