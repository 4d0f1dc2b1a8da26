"""Indices of the sandbox's own shares.

An index belongs to a board and has all its shares. Its value is yesterday's times the mean of its shares'
last prices over their reference prices: equal weights, set anew every day. A share that has not traded
counts with its reference price, one without a reference price not at all. The first day starts from `BASE`,
or from what `base` was given for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from algo.clock import SECOND
from algo.market import Session
from algo.model import Board

if TYPE_CHECKING:
    from algo.sandbox.tape import Snapshot

BASE = 1000.0
NAMES: Mapping[Board, str] = {
    Board.HOSE: "VN30",
    Board.HNX: "HNXIndex",
    Board.UPCOM: "HNXUpcomIndex",
}
EVERY = 5 * SECOND
"""Trades move a published index at most this often; changes of session publish it at once."""


class IndexState(NamedTuple):
    """An index at `ns`. `estimate` is its value by the auction's prices, `turnover` is đồng."""

    name: str
    ns: int
    board: Board
    session: str
    value: float
    prior: float
    estimate: float
    volume: int = 0
    turnover: int = 0
    advances: int = 0
    unchanged: int = 0
    declines: int = 0
    ceilings: int = 0
    floors: int = 0


class IndexRow(NamedTuple):
    """A day of an index, over."""

    day: date
    state: IndexState


class IndexBoard:
    """The indices of all boards that have shares."""

    def __init__(self, base: Mapping[Board, float] | None = None) -> None:
        self.states: dict[str, IndexState] = {}
        self.days: dict[str, list[IndexRow]] = {}
        self._base = dict(base or {})
        self._members: dict[Board, dict[str, Snapshot]] = {}

    def start_day(self, ns: int, states: Iterable[Snapshot]) -> Iterator[IndexState]:
        """Yesterday's last values are today's prior ones."""
        self._members = {}
        for state in states:
            if state.board in NAMES:
                self._members.setdefault(state.board, {})[state.symbol] = state
        for board in self._members:
            name = NAMES[board]
            known = self.states.get(name)
            value = known.value if known is not None else self._base.get(board, BASE)
            self.states[name] = IndexState(name, ns, board, str(Session.C), value, value, value)
            yield self.states[name]

    def end_day(self, day: date) -> None:
        """Keep the day's last values."""
        for name, state in self.states.items():
            self.days.setdefault(name, []).append(IndexRow(day, state))

    def enter(self, board: Board, session: str, ns: int) -> Iterator[IndexState]:
        """A change of session is told at once."""
        name = NAMES.get(board)
        if name in self.states:
            self.states[name] = self._computed(board, ns)._replace(session=session)
            yield self.states[name]

    def trade(self, state: Snapshot) -> Iterator[IndexState]:
        """A member traded."""
        members = self._members.get(state.board)
        if members is None:
            return
        members[state.symbol] = state
        name = NAMES[state.board]
        if state.ns // EVERY != self.states[name].ns // EVERY:
            self.states[name] = self._computed(state.board, state.ns)
            yield self.states[name]

    def members(self, index: str) -> list[str]:
        """The symbols in an index."""
        return [
            symbol
            for board, found in self._members.items()
            if NAMES[board].upper() == index.upper()
            for symbol in found
        ]

    def _computed(self, board: Board, ns: int) -> IndexState:
        known = self.states[NAMES[board]]
        members = self._members[board].values()
        ratios = [(state.last or state.reference) / state.reference for state in members if state.reference]
        value = round(known.prior * sum(ratios) / len(ratios), 2) if ratios else known.value
        changes = [state.change for state in members]
        return known._replace(
            ns=ns,
            value=value,
            estimate=value,
            volume=sum(state.volume for state in members),
            turnover=sum(state.value for state in members),
            advances=sum(change > 0 for change in changes),
            unchanged=sum(change == 0 for change in changes),
            declines=sum(change < 0 for change in changes),
            ceilings=sum(state.last == state.ceiling != 0 for state in members),
            floors=sum(state.last == state.floor != 0 for state in members),
        )
