"""What the broker's statements prove about requests and positions. Pure; nothing is sent again on a guess.

A request of unknown fate is settled by evidence alone. That it arrived, the stream or an order book shows.
That it did not, only this does: the stream has not broken since before it was sent, and it is absent from
three complete order books that were asked for at least ten seconds apart, the last at least thirty seconds
after the request. A break of the stream begins the count anew once the stream has been replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from algo.clock import SECOND
from algo.model import BooksStated, HoldingsStated

BOOKS = 3
APART = 10.0
AFTER = 30.0
AGREEMENTS = 2
"""Matching statements in a row after which a symbol with a mismatch may trade again."""
SETTLING = 5 * SECOND
"""A statement of positions says nothing of a symbol that traded this shortly before it was asked for."""


@dataclass(slots=True)
class _Absence:
    asked_before: bool = True  # the next book may have been asked for before the request was sent
    books: list[float] = field(default_factory=list)


class Evidence:
    """The requests of unknown fate and what speaks for their not having arrived.

    Seconds are those of `BooksStated.io`: a market that runs faster proves nothing sooner. The first book
    that surely was asked for after the request begins the count, so the thirty seconds are at least that.
    """

    def __init__(self) -> None:
        self._absent: dict[str, _Absence] = {}
        self._broken = False

    def unknown(self, request_id: str) -> None:
        """A request may or may not have arrived."""
        self._absent.setdefault(request_id, _Absence())

    def settled(self, request_id: str) -> None:
        """The fate of the request is known."""
        self._absent.pop(request_id, None)

    def stream_lost(self) -> None:
        """What happens over there is not heard: books asked for meanwhile prove nothing."""
        self._broken = True
        self._begin_anew()

    def stream_restored(self) -> None:
        """The stream is back and replays what was missed."""
        self._broken = False
        self._begin_anew()

    def _begin_anew(self) -> None:
        for request_id in self._absent:
            self._absent[request_id] = _Absence()

    def books(self, stated: BooksStated) -> list[str]:
        """The requests that are now proven not to have been received."""
        proven = []
        for request_id, one in self._absent.items():
            if request_id in stated.requests:
                one.books.clear()  # it is there: the order's own events will say so
            elif one.asked_before or self._broken:
                one.asked_before = False
            elif not one.books or stated.io - one.books[-1] >= APART:
                one.books.append(stated.io)
                if len(one.books) >= BOOKS and one.books[-1] - one.books[0] >= AFTER:
                    proven.append(request_id)
        for request_id in proven:
            del self._absent[request_id]
        return proven


class Holdings:
    """Compares what the broker says is held with what the strategies and others hold.

    `outside` is what the account holds beyond the strategies: positions from before, and trades by hand.
    """

    def __init__(self) -> None:
        self.outside: dict[str, int] = {}
        self.mismatched: dict[str, int] = {}
        """Symbols whose statements did not match, with the matching ones in a row since."""
        self.known = False
        """Whether a statement was had: before, nothing is told of what is not ours."""
        self._unread: set[str] = set()  # of which the first statement could not be used

    def compare(
        self, stated: HoldingsStated, own: Mapping[str, int], traded: Mapping[str, int]
    ) -> tuple[dict[str, int], list[str]]:
        """(symbols that do not match, with the difference found), and those that may trade again.

        `own` is what the strategies hold, `traded` when a symbol last traded for us. The first statement of
        all is taken as it is: what is not ours was there before. Later differences are recorded as outside
        changes, so that position = opening + fills + recorded changes stays true.
        """
        found: dict[str, int] = {}
        trusted: list[str] = []
        for symbol in sorted({*stated.quantities, *stated.unsettled, *own, *self.outside}):
            if traded.get(symbol, 0) > stated.asked - SETTLING:
                if not self.known:
                    self._unread.add(symbol)
                continue
            expected = own.get(symbol, 0) + self.outside.get(symbol, 0)
            difference = stated.quantities.get(symbol, 0) - expected
            if difference and difference + stated.unsettled.get(symbol, 0) == 0:
                difference = 0  # a broker that counts purchases once they have arrived
            if difference and self.known and symbol not in self._unread:
                found[symbol] = difference
                self.mismatched[symbol] = 0
            elif not difference and symbol in self.mismatched:
                self.mismatched[symbol] += 1
                if self.mismatched[symbol] >= AGREEMENTS:
                    del self.mismatched[symbol]
                    trusted.append(symbol)
            self._unread.discard(symbol)
            if difference:
                self.outside[symbol] = self.outside.get(symbol, 0) + difference
        self.known = True
        return found, trusted
