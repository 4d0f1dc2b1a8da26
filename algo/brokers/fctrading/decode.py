"""Reading the stream's events from the hub's texts, quickly. Pure.

The hub sends a JSON text ``{"type": …, "data": {…}}``. Names are read in any case; what cannot be read
becomes an `UnknownEvent` with its text and the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from algo.brokers.fctrading.events import (
    ConditionalEvent,
    Holding,
    MatchEvent,
    OrderErrorEvent,
    OrderEvent,
    PortfolioEvent,
    Raw,
    StreamEvent,
    UnknownEvent,
)
from algo.fastconnect.wire import parse_json, whole

Reader = Callable[[Any], Any]
Getter = Callable[[Raw], tuple[Any, ...]]
_MOST_SHAPES = 256


class Unreadable(ValueError):
    """A field makes no sense. Caught here; the event becomes an `UnknownEvent`."""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable("a text")
    return str(value)


def _real(value: Any) -> float:
    if type(value) is float:
        number = value
    elif value is None or value == "":
        return 0.0
    elif isinstance(value, bool):
        raise Unreadable("a number")
    else:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise Unreadable("a number") from None
    if not math.isfinite(number):
        raise Unreadable("a finite number")
    return number


def _count(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) < 20:
        return int(value)
    if value is None or value == "":
        return 0
    number = whole(value)
    if number is None and isinstance(value, str):
        number = whole(_real(value))
    if number is None:
        raise Unreadable("a whole number")
    return number


def _needed(value: Any) -> int:
    if value is None or value == "":
        raise Unreadable("a whole number")
    return _count(value)


def _flag(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "t", "1", "y"})


_READ_ALREADY: dict[Reader, type] = {_text: str, _count: int, _needed: int, _flag: bool}
"""The type of a value that its reader would give back as it is."""

_ORDER: dict[str, Reader] = {
    "notifyID": _count,
    "orderID": _text,
    "uniqueID": _text,
    "origRequestID": _text,
    "account": _text,
    "instrumentID": _text,
    "marketID": _text,
    "buySell": _text,
    "orderType": _text,
    "price": _real,
    "quantity": _needed,
    "filledQty": _needed,
    "cancelQty": _count,
    "osQty": _count,
    "avgPrice": _real,
    "orderStatus": _text,
    "rejectReason": _text,
    "inputTime": _count,
    "modifiedTime": _count,
    "channel": _text,
    "origOrderId": _text,
    "stopOrder": _flag,
    "stopPrice": _real,
    "stopType": _text,
    "stopStep": _real,
    "profitPrice": _real,
}
_ERROR: dict[str, Reader] = {
    "notifyID": _count,
    "message": _text,
    "errorCode": _text,
    "uniqueID": _text,
    "origRequestID": _text,
    "orderID": _text,
    "origOrderId": _text,
    "account": _text,
    "instrumentID": _text,
    "marketID": _text,
    "buySell": _text,
    "orderType": _text,
    "price": _real,
    "quantity": _count,
    "inputTime": _count,
    "modifiedTime": _count,
}
_MATCH: dict[str, Reader] = {
    "notifyID": _count,
    "orderID": _text,
    "uniqueID": _text,
    "account": _text,
    "instrumentID": _text,
    "buySell": _text,
    "matchPrice": _real,
    "matchQty": _needed,
    "matchTime": _count,
}
_HOLDING: dict[str, Reader] = {
    "marketID": _text,
    "instrumentID": _text,
    "longQty": _needed,
    "shortQty": _needed,
    "net": _needed,
    "bidAvgPrice": _real,
    "askAvgPrice": _real,
    "tradePrice": _real,
    "marketPrice": _real,
    "floatingPL": _real,
    "tradingPL": _real,
}
_KNOWN_EXTRAS = frozenset(
    {
        *("data", "lastaction", "ipaddress", "prefix", "brokerid", "brokeridupdate", "connectionid"),
        *("isforcesell", "isshortsell", "modifiable", "note", "approvecomment", "orderapproval"),
        *("taxrate", "feerate", "source", "lastorderupdatetime", "exchangereplytime", "iscloseout"),
        *("isordermm", "channel", "stoporder", "stopprice", "stoptype", "stopstep", "profitprice"),
    }
)
_MISSPELT = {"martketid": "marketid"}


class Form:
    """How the fields of one kind of message are found and read.

    Two things are learned once and shared by all messages that are alike: which key is which field, by the
    keys in their order, and which values need reading at all, by their types.
    """

    def __init__(self, name: str, fields: Mapping[str, Reader]) -> None:
        self.name = name
        self._fields = {key.lower(): key for key in fields}
        self._readers = tuple(fields.values())
        self._names = tuple(fields)
        self._shapes: dict[tuple[str, ...], Getter] = {}
        self._work: dict[tuple[type, ...], tuple[tuple[int, Reader], ...]] = {}
        self.strange: set[str] = set()
        """Keys that have come, that nothing is known about, and that nobody was told of yet."""
        self._told: set[str] = set()

    def read(self, raw: Raw) -> list[Any]:
        """The fields in order. Raises Unreadable naming the field that makes no sense."""
        shape = tuple(raw)
        getter = self._shapes.get(shape) or self._learn_shape(shape)
        found = getter(raw)
        types = tuple(map(type, found))
        work = self._work.get(types)
        if work is None:
            work = self._learn_work(types)
        fields = list(found)
        try:
            for place, read in work:
                fields[place] = read(fields[place])
        except Unreadable as error:
            raise Unreadable(f"{self._names[place]} is not {error}") from None
        return fields

    def _learn_shape(self, shape: tuple[str, ...]) -> Getter:
        places: dict[str, str] = {}
        for key in shape:
            low = key.lower()
            low = _MISSPELT.get(low, low)
            name = self._fields.get(low)
            if name is not None:
                places.setdefault(name, key)
            elif low not in _KNOWN_EXTRAS | self._told and len(self._told) < _MOST_SHAPES:
                self._told.add(low)
                self.strange.add(key)
        getter: Getter
        if len(places) == len(self._names):
            getter = itemgetter(*(places[name] for name in self._names))
        else:
            keys = [places.get(name) for name in self._names]

            def getter(raw: Raw) -> tuple[Any, ...]:
                return tuple([None if key is None else raw[key] for key in keys])

        if len(self._shapes) < _MOST_SHAPES:
            self._shapes[shape] = getter
        return getter

    def _learn_work(self, types: tuple[type, ...]) -> tuple[tuple[int, Reader], ...]:
        work = tuple(
            (place, read)
            for place, (read, kind) in enumerate(zip(self._readers, types, strict=True))
            if kind is not _READ_ALREADY.get(read)
        )
        if len(self._work) < _MOST_SHAPES:
            self._work[types] = work
        return work


class EventDecoder:
    """Turns the hub's texts into events. It keeps only what it learned about the shapes of messages."""

    def __init__(self) -> None:
        self._order = Form("orderEvent", _ORDER)
        self._error = Form("orderError", _ERROR)
        self._match = Form("orderMatchEvent", _MATCH)
        self._holding = Form("clientPortfolio", _HOLDING)
        self._forms = (self._order, self._error, self._match, self._holding)

    @property
    def news(self) -> bool:
        """Whether fields have come that nothing is known about and that `told` has not named yet."""
        return any(form.strange for form in self._forms)

    def told(self) -> list[str]:
        """Those fields, as ``orderEvent.name``, once."""
        found = [f"{form.name}.{key}" for form in self._forms for key in sorted(form.strange)]
        for form in self._forms:
            form.strange.clear()
        return found

    def decode(self, text: Any) -> StreamEvent:
        """The event in `text`, the one argument of the hub's Broadcast. Never raises."""
        try:
            found = parse_json(text) if isinstance(text, str) else text
        except ValueError:
            return UnknownEvent(0, "", "it is no JSON", _shown(text))
        if not isinstance(found, dict):
            return UnknownEvent(0, "", "it is no JSON object", _shown(text))
        kind, raw = found.get("type"), found.get("data")
        if not isinstance(kind, str) or not isinstance(raw, dict):
            fields = {str(key).lower(): value for key, value in found.items()}
            kind, raw = fields.get("type"), fields.get("data")
        if not isinstance(kind, str) or not isinstance(raw, dict):
            return UnknownEvent(0, str(kind or ""), "it has no type or no data", _shown(text))
        try:
            return self._event(kind, raw) or UnknownEvent(
                notify_id(raw), kind, "its type is not known", _shown(text)
            )
        except Unreadable as error:
            return UnknownEvent(notify_id(raw), kind, str(error), _shown(text))

    def _event(self, kind: str, raw: Raw) -> StreamEvent | None:
        if kind == "orderEvent":
            return OrderEvent._make((*self._order.read(raw), raw))
        low = kind.lower()
        if low == "orderevent":
            return OrderEvent._make((*self._order.read(raw), raw))
        if low == "ordermatchevent":
            return MatchEvent._make((*self._match.read(raw), raw))
        if low == "ordererror":
            return OrderErrorEvent._make((*self._error.read(raw), raw))
        if low == "clientportfolioevent":
            return self._portfolio(raw)
        if low == "fcoevent":
            return ConditionalEvent(notify_id(raw), raw)
        return None

    def _portfolio(self, raw: Raw) -> PortfolioEvent:
        fields = {str(key).lower(): value for key, value in raw.items()}
        return PortfolioEvent(
            _count(fields.get("notifyid")),
            _text(fields.get("account")),
            self._holdings(fields.get("clientportfoliosopen")),
            self._holdings(fields.get("clientportfoliosclose")),
            raw,
        )

    def _holdings(self, given: Any) -> tuple[Holding, ...]:
        if given is None:
            return ()
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            raise Unreadable("a list of holdings")
        return tuple(Holding._make(self._holding.read(item)) for item in given)


def notify_id(raw: Raw) -> int:
    """The id of any event's data, 0 when it has none that makes sense."""
    for key, value in raw.items():
        if key.lower() == "notifyid":
            return whole(value) or 0
    return 0


def _shown(text: Any) -> str:
    return text if isinstance(text, str) else repr(text)
