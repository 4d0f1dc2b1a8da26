"""The hub's broadcasts as events, sans-I/O. Nothing that a server may send raises: it comes back `Unread`.

A trade is told once, also when the hub repeats its message or sends one for another reason: the day's total
volume says whether anything traded. The board's session comes from the status of its normal instruments
(F) and from its indices (MI); a halt of one instrument is no halt of its board.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from algo.clock import at, local_date
from algo.data.fastconnect.books import AUCTIONS, Books
from algo.data.fastconnect.channels import Channel
from algo.data.fastconnect.events import (
    BarSoFar,
    DayLimits,
    Decoded,
    ForeignRoom,
    IndexValue,
    Indication,
    OddLots,
    StatusChanged,
    Unread,
)
from algo.data.fastconnect.fields import Fields, as_board, as_date, as_session, as_time
from algo.fastconnect.wire import parse_json
from algo.market import Session
from algo.model import Board, Level, Quote, SessionChanged, Trade

DEPTH = 10
_SIDES = {"BU": 1, "B": 1, "SD": -1, "S": -1}
_LEVELS = {
    side: [(f"{side}price{n}", f"{side}vol{n}") for n in range(1, DEPTH + 1)] for side in ("bid", "ask")
}


class _Unreadable(Exception):
    """A message lacks what nothing can be made of it without."""


class _LastTrade(NamedTuple):
    """What a message says of the last trade and of the day's volume until then."""

    day: date
    total: float | None
    ns: int
    price: float | None
    quantity: int | None

    def follows(self, known: _LastTrade) -> bool:
        """Whether there was a trade since `known`: the day's volume grew, or a new day began.

        Without volumes, two messages tell the same trade when they have its time, price and quantity.
        """
        if self.day != known.day:
            return self.day > known.day
        if self.total is not None and known.total is not None:
            return self.total > known.total
        return self[2:] != known[2:] and self.ns >= known.ns


class Decoder:
    """Decodes one connection after another; it remembers the day so far, so that nothing is told twice."""

    def __init__(self) -> None:
        self._sessions: dict[Board, tuple[int, Session]] = {}
        self._limits: dict[str, DayLimits] = {}
        self._traded: dict[str, _LastTrade] = {}
        self.books = Books()
        self._readers: dict[str, Callable[[Fields, str, int], list[Decoded]]] = {
            Channel.STATUS: self._status,
            Channel.QUOTE: self._quote,
            Channel.TRADE: self._trade,
            Channel.SNAPSHOT: self._snapshot,
            Channel.BAR: self._bar,
            Channel.ROOM: self._room,
            Channel.INDEX: self._index,
            Channel.ODD_LOT: self._odd_lots,
        }

    def decode(self, argument: Any, now: int) -> list[Decoded]:
        """The events of one broadcast, given as the hub sent it: text, or what its JSON holds.

        `now` (nanoseconds since the epoch) gives the day to a message that names none.
        """
        kind = ""
        try:
            message = _object(argument)
            outer = Fields(message)
            kind = outer.text("datatype", "rtype").upper()
            inner = next((value for key, value in message.items() if key.lower() == "content"), None)
            fields = Fields(_object(inner)) if inner is not None else outer
            kind = kind or fields.text("rtype").upper()
            reader = self._readers.get(kind)
            if reader is None:
                return [Unread(kind, "the type of the message is not known", argument)]
            symbol = fields.text("symbol", "indexid", "stocksymbol")
            if not symbol:
                return [Unread(kind, "the message names no symbol", argument)]
            return reader(fields, symbol, _moment(fields, now))
        except _Unreadable as error:
            return [Unread(kind, str(error), argument)]

    def session(self, board: Board) -> Session | None:
        """The session that `board` is in, as far as the feed told it."""
        told = self._sessions.get(board)
        return told[1] if told else None

    # One reader a channel

    def _status(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        code = fields.text("tradingsession")
        session = as_session(code)
        status = fields.text("tradingstatus").upper()
        board = as_board(fields.text("marketid")) or as_board(fields.text("exchange"))
        events: list[Decoded] = [StatusChanged(symbol, ns, board, str(session) if session else code, status)]
        if session is None:
            events.append(Unread(Channel.STATUS, f"the session {code[:20]!r} is not known", symbol))
        elif board is not None and status == "N" and session is not Session.HALT:
            events += self._entered(board, session, ns)
        return events

    def _quote(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        quote = Quote(symbol, ns, _levels(fields, "bid"), _levels(fields, "ask"))
        board = as_board(fields.text("marketid")) or as_board(fields.text("exchange"))
        session = as_session(fields.text("tradingsession")) or (self.session(board) if board else None)
        news = self.books.take(quote, session)
        return [quote] if news is None else [quote, news]

    def _snapshot(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        return [*self._trade(fields, symbol, ns), *self._quote(fields, symbol, ns)]

    def _trade(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        events: list[Decoded] = []
        limits = _day_limits(fields, symbol, ns)
        if limits is not None and _differ(limits, self._limits.get(symbol)):
            self._limits[symbol] = limits
            events.append(limits)
        estimate = fields.number("estmatchedprice")
        if estimate and as_session(fields.text("tradingsession")) in AUCTIONS:
            events.append(Indication(symbol, ns, estimate))
        told = _LastTrade(
            local_date(ns), fields.number("totalvol"), ns, fields.number("lastprice"), fields.whole("lastvol")
        )
        if told.price and told.price > 0 and told.quantity and told.quantity > 0:
            known = self._traded.get(symbol)
            if known is None or told.follows(known):
                self._traded[symbol] = told
                side = _SIDES.get(fields.text("side").upper(), 0)
                events.append(Trade(symbol, ns, told.price, told.quantity, side))
        return events

    def _bar(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        found = [fields.number(name) for name in ("open", "high", "low", "close")]
        open_, high, low, close = (_required(value, "four prices") for value in found)
        volume = fields.number("volume")
        if not 0 < low <= min(open_, close) <= max(open_, close) <= high:
            raise _Unreadable("a bar needs 0 < low <= open, close <= high")
        if volume is None or volume < 0:
            raise _Unreadable("a bar needs a volume")
        return [BarSoFar(symbol, ns, open_, high, low, close, int(volume))]

    def _room(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        whole, number = fields.whole, fields.number
        return [
            ForeignRoom(
                symbol,
                ns,
                whole("totalroom"),
                whole("currentroom"),
                whole("buyvol", "fbuyvol"),
                whole("sellvol", "fsellvol"),
                number("buyval", "fbuyval"),
                number("sellval", "fsellval"),
            )
        ]

    def _index(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        number, whole = fields.number, fields.whole
        value = _required(number("indexvalue"), "an index value")
        events: list[Decoded] = [
            IndexValue(
                symbol,
                ns,
                value,
                number("priorindexvalue"),
                number("indexvalest"),
                number("change"),
                number("totalqtty", "allqty"),
                number("totalvalue", "allvalue"),
                whole("advances"),
                whole("nochanges"),
                whole("declines"),
                whole("ceilings", "ceiling"),
                whole("floors", "floor"),
            )
        ]
        board, session = as_board(fields.text("exchange")), as_session(fields.text("tradingsession"))
        if board is not None and session is not None:
            events += self._entered(board, session, ns)
        return events

    def _odd_lots(self, fields: Fields, symbol: str, ns: int) -> list[Decoded]:
        return [
            OddLots(
                symbol,
                ns,
                _levels(fields, "bid"),
                _levels(fields, "ask"),
                fields.number("lastprice"),
                fields.whole("lastvol"),
                fields.number("refprice"),
            )
        ]

    def _entered(self, board: Board, session: Session, ns: int) -> list[Decoded]:
        """A change of the board's session, unless it is none or the message is older than the last one."""
        since, known = self._sessions.get(board, (ns, None))
        if session is known or ns < since:
            return []
        self._sessions[board] = (ns, session)
        return [SessionChanged(ns, board, str(session))]


def _object(given: Any) -> dict[str, Any]:
    """The object that `given` is, or is the JSON text of."""
    if isinstance(given, str | bytes):
        try:
            given = parse_json(given)
        except ValueError:
            raise _Unreadable("the message is no JSON") from None
    if not isinstance(given, dict):
        raise _Unreadable("the message is no object")
    return given


def _moment(fields: Fields, now: int) -> int:
    """When a message says that it was made."""
    day_text, time_text = fields.text("tradingdate"), fields.text("time", "tradingtime")
    day = as_date(day_text) if day_text else local_date(now)
    clock = as_time(time_text)
    if day is None or clock is None:
        raise _Unreadable(f"the time {_told(day_text, time_text)} cannot be read")
    return at(day, clock)


def _told(day: str, time: str) -> str:
    """A date and a time as they came, short enough for a line."""
    return repr(f"{day[:20]} {time[:20]}".strip())


def _levels(fields: Fields, side: str) -> tuple[Level, ...]:
    """One side of a book, best first. A level without a price (orders at the auction's price) is none."""
    found = []
    for price_name, quantity_name in _LEVELS[side]:
        price, quantity = fields.number(price_name), fields.number(quantity_name)
        if price and price > 0 and quantity and quantity >= 1:
            found.append(Level(price, int(quantity)))
    return tuple(found)


def _day_limits(fields: Fields, symbol: str, ns: int) -> DayLimits | None:
    floor, reference, ceiling = (fields.number(name) for name in ("floor", "refprice", "ceiling"))
    if floor is None or reference is None or ceiling is None or not 0 < floor <= reference <= ceiling:
        return None
    return DayLimits(symbol, ns, local_date(ns), floor, reference, ceiling)


def _differ(one: DayLimits, other: DayLimits | None) -> bool:
    return other is None or (one.day >= other.day and one[2:] != other[2:])


def _required(value: float | None, what: str) -> float:
    if value is None:
        raise _Unreadable(f"the message lacks {what}")
    return value
