"""The paper exchange: fills orders from bars, quotes and trades, or in order books of its own."""

from algo.brokers.paper.auction import Indicated
from algo.brokers.paper.book_exchange import BookExchange
from algo.brokers.paper.exchange import PaperExchange
from algo.brokers.paper.rules import BookSettings, FillRules, ReplayRules

__all__ = ["BookExchange", "BookSettings", "FillRules", "Indicated", "PaperExchange", "ReplayRules"]
