"""Whether the book of a symbol can be right: outside of auctions, nobody bids as much as another one asks."""

from __future__ import annotations

from algo.data.fastconnect.events import Doubtful, Trusted
from algo.market import Session
from algo.model import Quote

AUCTIONS = frozenset({Session.ATO, Session.ATC})


class Books:
    """Watches quotes for crossed books. Pure."""

    def __init__(self) -> None:
        self._doubtful: set[str] = set()

    def take(self, quote: Quote, session: Session | None) -> Doubtful | Trusted | None:
        """What is new about the symbol's book; `session` is the one that the quote was made in."""
        bid, ask = quote.bid, quote.ask
        crossed = bid is not None and ask is not None and bid >= ask and session not in AUCTIONS
        if crossed and quote.symbol not in self._doubtful:
            self._doubtful.add(quote.symbol)
            return Doubtful(quote.symbol, quote.ns, f"the book is crossed: bid {bid:g}, ask {ask:g}")
        if not crossed and quote.symbol in self._doubtful:
            self._doubtful.discard(quote.symbol)
            return Trusted(quote.symbol, quote.ns)
        return None

    def doubts(self, symbol: str) -> bool:
        """Whether the last quote of `symbol` was crossed."""
        return symbol in self._doubtful

    def clear(self) -> None:
        """Know nothing, as after a break of the connection."""
        self._doubtful.clear()
