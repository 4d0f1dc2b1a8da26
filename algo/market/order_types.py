"""Which orders a session takes, and what may be done to one that is there.

Sources: trading rules of HOSE and HNX, before and since KRX. What HOSE does with amendments in the
lunch break, and before KRX, is taken from brokers' guides and not confirmed by the exchange's text.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from algo.clock import DAY, local_date
from algo.market.calendar import VIETNAM, TradingCalendar
from algo.market.dated import KRX, Dated
from algo.market.sessions import Session, session_at, transitions
from algo.model import Board, OrderType

Types = frozenset[OrderType]

_NONE: Types = frozenset()
_LO: Types = frozenset({OrderType.LO})
_OPENING: Types = frozenset({OrderType.LO, OrderType.ATO})
_CLOSING: Types = frozenset({OrderType.LO, OrderType.ATC})
_AFTER: Types = frozenset({OrderType.PLO})
_CONTINUOUS: Types = frozenset({OrderType.LO, OrderType.MTL, OrderType.MOK, OrderType.MAK})

_TYPES: dict[Board, dict[Session, Dated[Types]]] = {
    Board.HOSE: {
        Session.ATO: Dated.constant(_OPENING),
        Session.LO: Dated(
            (
                (date.min, frozenset({OrderType.LO, OrderType.MP})),
                (KRX, frozenset({OrderType.LO, OrderType.MTL})),
            )
        ),
        Session.ATC: Dated.constant(_CLOSING),
    },
    Board.HNX: {
        Session.LO: Dated.constant(_CONTINUOUS),
        Session.ATC: Dated.constant(_CLOSING),
        Session.PLO: Dated.constant(_AFTER),
    },
    Board.UPCOM: {Session.LO: Dated.constant(_LO)},
    Board.DERIVATIVES: {
        Session.ATO: Dated.constant(_OPENING),
        Session.LO: Dated.constant(_CONTINUOUS),
        Session.ATC: Dated.constant(_CLOSING),
    },
}

# The wire types that carry a market order, best first. PLO is not one: it trades at a price that is
# already known. LO comes last, priced at the band's edge, for boards and lots that have nothing else.
_MARKET = (OrderType.MTL, OrderType.MP, OrderType.ATO, OrderType.ATC, OrderType.LO)

_LONGEST_CLOSURE = 30  # days; longer than any Tet


def legal_types(board: Board, session: Session, day: date, *, odd_lot: bool = False) -> Types:
    """The order types that `board` takes in `session` on `day`; odd lots are limit orders only."""
    table = _TYPES[board].get(session)
    types = _NONE if table is None else table.at(day)
    return types & _LO if odd_lot else types


def type_refusal(
    board: Board, session: Session, day: date, order_type: OrderType, *, odd_lot: bool = False
) -> str | None:
    """Why an order of this type cannot go in now, or None. A MARKET intent is legal if a type carries it."""
    if order_type is OrderType.MARKET:
        if market_order_type(board, session, day, odd_lot=odd_lot) is not None:
            return None
    elif order_type in legal_types(board, session, day, odd_lot=odd_lot):
        return None
    legal = ", ".join(sorted(legal_types(board, session, day, odd_lot=odd_lot))) or "no order"
    lots = " in odd lots" if odd_lot else ""
    return f"{board} takes {legal}{lots} in session {session}, not {order_type}"


def market_order_type(
    board: Board, session: Session, day: date, *, odd_lot: bool = False
) -> OrderType | None:
    """The wire type that carries a market order now, or None when there is none.

    `OrderType.LO` in the answer means a limit order at the band's edge: the ceiling to buy, the
    floor to sell.
    """
    return _carrier(legal_types(board, session, day, odd_lot=odd_lot))


@lru_cache
def _carrier(legal: Types) -> OrderType | None:
    return next((kind for kind in _MARKET if kind in legal), None)


def next_market_session(
    board: Board, ns: int, calendar: TradingCalendar = VIETNAM, *, odd_lot: bool = False
) -> tuple[int, Session]:
    """When a market order can go in: `ns` itself if now, else the start of the next session that takes it.

    Times are nanoseconds since the epoch.
    """
    day = local_date(ns)
    now = session_at(board, ns, calendar)
    if market_order_type(board, now, day, odd_lot=odd_lot) is not None:
        return ns, now
    for ahead in range(_LONGEST_CLOSURE):
        later = local_date(ns + ahead * DAY)
        for start, session in transitions(board, later, calendar):
            if start > ns and market_order_type(board, session, later, odd_lot=odd_lot) is not None:
                return start, session
    raise ValueError(f"the calendar has no trading day in the {_LONGEST_CLOSURE} days from {day}")


def can_cancel(board: Board, session: Session, day: date) -> bool:
    """Whether an order in the market may be cancelled: in continuous trading only.

    Not in an auction, after the close, in the lunch break or during a halt, also when the order
    was carried over from a session that allowed it.
    """
    return session is Session.LO


def can_amend(board: Board, session: Session, day: date) -> bool:
    """Whether price or quantity of an order in the market may be changed.

    Where cancelling is possible, but on HOSE only since KRX; before, cancel and place again.
    """
    return can_cancel(board, session, day) and (board is not Board.HOSE or day >= KRX)


def amend_refusal(board: Board, session: Session, day: date, *, price: bool, quantity: bool) -> str | None:
    """Why an amendment that changes `price`, `quantity` or both cannot go in now, or None.

    Since KRX one request changes one of the two.
    """
    if not price and not quantity:
        return "the amendment changes neither price nor quantity"
    if not can_cancel(board, session, day):
        return f"{board} takes no amendment in session {session}"
    if not can_amend(board, session, day):
        return f"{board} takes no amendment before {KRX}: cancel and place again"
    if price and quantity and day >= KRX:
        return "change price or quantity, one in each request"
    return None


def keeps_priority(*, price_changes: bool, quantity_change: int) -> bool:
    """Whether an amended order keeps its place in the queue: only a pure reduction does."""
    return not price_changes and quantity_change <= 0
