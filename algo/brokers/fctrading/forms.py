"""The fields of the stream's messages: how they are named, found and read. Pure.

One table for each kind of message. A message that comes exactly as it is documented is read strictly, in one
go; every other is read liberally: names in any case, numbers as text, absent and `null` fields.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import attrgetter, itemgetter
from typing import Any, Union

import msgspec

from algo.brokers.fctrading.events import Raw
from algo.fastconnect.wire import whole

Reader = Callable[[Any], Any]
Getter = Callable[[Any], tuple[Any, ...]]
_MOST_SHAPES = 256


class Unreadable(ValueError):
    """A field makes no sense. Caught here; the event becomes an `UnknownEvent`."""


def text(value: Any) -> str:
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


def count(value: Any) -> int:
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


def _moment(value: Any) -> int:
    """Epoch milliseconds, which are written as text."""
    return count(value)


def _perhaps_moment(value: Any) -> int:
    """The same where the form is not known: 0 for what is no number."""
    return whole(value) or 0


def _needed(value: Any) -> int:
    if value is None or value == "":
        raise Unreadable("a whole number")
    return count(value)


def _flag(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "t", "1", "y"})


_Work = tuple[tuple[tuple[int, Reader], ...], Callable[[tuple[Any, ...]], tuple[float, ...]] | None]
"""What is to be read, and what finds the numbers that need no reading if their sum is finite."""

_READ_ALREADY: dict[Reader, type] = {text: str, count: int, _moment: int, _needed: int, _flag: bool}
"""The type of a value that its reader would give back as it is."""

ORDER: dict[str, Reader] = {
    "notifyID": count,
    "orderID": text,
    "uniqueID": text,
    "origRequestID": text,
    "account": text,
    "instrumentID": text,
    "marketID": text,
    "buySell": text,
    "orderType": text,
    "price": _real,
    "quantity": _needed,
    "filledQty": _needed,
    "cancelQty": count,
    "osQty": count,
    "avgPrice": _real,
    "orderStatus": text,
    "rejectReason": text,
    "inputTime": _moment,
    "modifiedTime": _moment,
    "channel": text,
    "origOrderId": text,
    "stopOrder": _flag,
    "stopPrice": _real,
    "stopType": text,
    "stopStep": _real,
    "profitPrice": _real,
}
ERROR: dict[str, Reader] = {
    "notifyID": count,
    "message": text,
    "errorCode": text,
    "uniqueID": text,
    "origRequestID": text,
    "orderID": text,
    "origOrderId": text,
    "account": text,
    "instrumentID": text,
    "marketID": text,
    "buySell": text,
    "orderType": text,
    "price": _real,
    "quantity": count,
    "inputTime": _moment,
    "modifiedTime": _moment,
}
MATCH: dict[str, Reader] = {
    "notifyID": count,
    "orderID": text,
    "uniqueID": text,
    "account": text,
    "instrumentID": text,
    "buySell": text,
    "matchPrice": _real,
    "matchQty": _needed,
    "matchTime": _moment,
}
HOLDING: dict[str, Reader] = {
    "marketID": text,
    "instrumentID": text,
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
CONDITIONAL: dict[str, Reader] = {
    "notifyID": count,
    "fcoId": text,
    "uniqueID": text,
    "account": text,
    "instrumentID": text,
    "status": text,
    "processStatus": text,
    "lastAction": text,
    "message": text,
    "price": _real,
    "quantity": count,
    "matchedQuantity": count,
    "isPlaceOrder": _flag,
    "updatedTime": _perhaps_moment,
}
_EXTRAS = (
    *("data", "lastAction", "ipAddress", "prefix", "brokerId", "brokerIdUpdate", "connectionID", "channel"),
    *("isForceSell", "isShortSell", "modifiable", "note", "approveComment", "orderApproval", "taxRate"),
    *("feeRate", "source", "lastOrderUpdateTime", "exchangeReplyTime", "isCloseout", "isOrderMM"),
    "username",
    *("stopOrder", "stopPrice", "stopType", "stopStep", "profitPrice"),
)
"""Fields that are known to come and that algo has no use for."""
_KNOWN_EXTRAS = frozenset(name.lower() for name in _EXTRAS)
_MISSPELT = {"martketid": "marketid"}


class Form:
    """How the fields of one kind of message are found and read.

    Two things are learned once and shared by all messages that are alike: which key is which field, by the
    keys in their order, and which values need reading at all, by their types.
    """

    def __init__(self, name: str, fields: Mapping[str, Reader], strange: list[str]) -> None:
        """`strange` gets each key that nothing is known about, once, as ``orderEvent.key``."""
        self._name = name
        self._fields = {key.lower(): key for key in fields}
        self._readers = tuple(fields.values())
        self._names = tuple(fields)
        self._shapes: dict[tuple[str, ...], Getter] = {}
        self._work: dict[tuple[type, ...], _Work] = {}
        self._strange = strange
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
        steps, reals = work
        if reals is not None and not math.isfinite(sum(reals(found))):
            steps = tuple((place, read) for place, read in enumerate(self._readers))
        try:
            for place, read in steps:
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
                self._strange.append(f"{self._name}.{key}")
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

    def _learn_work(self, types: tuple[type, ...]) -> _Work:
        kinds = list(enumerate(zip(self._readers, types, strict=True)))
        reals = [place for place, (read, kind) in kinds if read is _real and kind is float]
        steps = tuple(
            (place, read)
            for place, (read, kind) in kinds
            if kind is not _READ_ALREADY.get(read) and place not in reals
        )
        work = (steps, itemgetter(*reals) if len(reals) > 1 else None)
        if len(reals) == 1:
            work = ((*steps, (reals[0], _real)), None)
        if len(self._work) < _MOST_SHAPES:
            self._work[types] = work
        return work


_DOCUMENTED = _READ_ALREADY | {_real: float, _moment: str}
"""The type that a value has when it is written as SSI documents it."""


class Strict:
    """Reads messages that are exactly as documented, by far the most, straight from their text.

    What it reads, it reads as a `Form` does; whatever differs in the least it leaves to that one.
    """

    def __init__(self, **kinds: Mapping[str, Reader]) -> None:
        """`kinds` are the fields of each ``type``."""
        self._kinds: dict[type, tuple[str, Getter, list[int]]] = {}
        for kind, fields in kinds.items():
            extras = [(name, Any, None) for name in _EXTRAS if name not in fields]
            known = [(name, _DOCUMENTED[read]) for name, read in fields.items()]
            data = msgspec.defstruct(kind, [*known, *extras], forbid_unknown_fields=True, gc=False)
            message = msgspec.defstruct(
                kind, [("data", data)], tag_field="type", tag=kind, forbid_unknown_fields=True, gc=False
            )
            moments = [place for place, read in enumerate(fields.values()) if read is _moment]
            self._kinds[message] = kind, attrgetter(*fields), moments
        self._decode = msgspec.json.Decoder(Union[tuple(self._kinds)]).decode  # noqa: UP007  made above

    def read(self, text: str) -> tuple[str, list[Any]] | None:
        """The message's kind and its fields in order; None for one that is not as documented."""
        try:
            message: Any = self._decode(text)
            kind, getter, moments = self._kinds[message.__class__]
            fields = list(getter(message.data))
            for place in moments:
                fields[place] = count(fields[place])
        except (ValueError, RecursionError):
            return None
        return kind, fields
