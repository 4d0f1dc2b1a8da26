"""Values to JSON text and back, without loss, for a closed set of types.

A value is a JSON scalar, an array (a list), an object (a dict whose keys are texts), or an object with the
one key ``$Type``: ``{"$Bar": ["FPT", 1764038100000000000, …]}``. A registered type is the array of its
fields in their order; fields at its end that have defaults may be missing, as in rows from before they were
added. NaN and the infinities are written as Python does: nothing that a feed says may keep a run from being
recorded.

Nothing outside the set is ever written or made: no pickle, no import by name. A `Secret` is not in it.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any

from algo.clock import HO_CHI_MINH
from algo.errors import CodecError

Convert = Callable[[Any], Any]

_SCALARS = frozenset({str, int, float, bool, type(None)})
_encode_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode_json = json.JSONDecoder().decode


class Codec:
    """Writes and reads values of `registered` types, of Python's plain ones, and of containers of them.

    A registered type is a dataclass, a named tuple or an enum; its name is what stands in the text. A
    subclass of a scalar, such as a NumPy float, is written as that scalar.
    """

    def __init__(self, registered: Iterable[type]) -> None:
        self.registered = tuple(registered)
        self._encoders: dict[type, tuple[str, Convert]] = {}
        self._decoders: dict[str, Convert] = {}
        self._shapes: dict[type, _Shape] = {}
        for made, encode, decode in self._plain():
            self._add(made, encode, decode)
        records = [one for one in self.registered if not issubclass(one, Enum)]
        for one in self.registered:
            if issubclass(one, Enum):
                self._add(one, attrgetter("value"), one)
        for one in records:
            self._shapes[one] = shape = _Shape(one)
            self._add(one, shape.encode, shape.decode)
        for shape in self._shapes.values():
            shape.compile(self._field)

    def encode(self, value: Any) -> str:
        """`value` as ASCII text on one line. Raises CodecError, which names the type and shows no value."""
        try:
            return _encode_json(self._put(value))
        except CodecError:
            raise
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            reason = "too deep, or inside of itself" if isinstance(error, RecursionError) else "a part of it"
            raise CodecError(f"a {type(value).__name__} cannot be recorded: {reason} is no JSON") from None

    def decode(self, text: str) -> Any:
        """The value in a text of `encode`. Raises CodecError for any other text."""
        try:
            return self._get(_decode_json(text))
        except CodecError:
            raise
        except Exception as error:  # noqa: BLE001 - a constructor may refuse what stands there in any way
            raise CodecError(f"{text[:40]!r}… is no recorded value: {type(error).__name__}") from None

    def shapes(self) -> dict[str, list[str]]:
        """The fields of every registered record, or the values of an enum, by the type's name."""
        return {
            one.__name__: [str(member.value) for member in one]
            if issubclass(one, Enum)
            else list(self._shapes[one].names)
            for one in self.registered
        }

    def reads(self, shapes: Mapping[str, list[str]]) -> str:
        """Why rows of those `shapes` cannot be read, '' when they can: types go and fields move, or not."""
        known = self.shapes()
        for name, fields in shapes.items():
            if name not in known:
                return f"it has {name}, which this version does not know"
            have = known[name]
            decode = getattr(self._decoders[f"${name}"], "__self__", None)
            if isinstance(decode, _Shape):
                if have[: len(fields)] != list(fields) or len(fields) < decode.required:
                    return f"its {name} has other fields"
            elif not set(fields) <= set(have):
                return f"its {name} has other values"
        return ""

    # -- any value ----------------------------------------------------------------------------

    def _put(self, value: Any) -> Any:
        kind = value.__class__
        if kind in _SCALARS:
            return value
        known = self._encoders.get(kind)
        if known is not None:
            return {known[0]: known[1](value)}
        if kind is list:
            return [self._put(one) for one in value]
        if kind is dict or kind is types.MappingProxyType:
            if all(key.__class__ is str and key[:1] != "$" for key in value):
                return {key: self._put(one) for key, one in value.items()}
            return {"$dict": [[self._put(key), self._put(one)] for key, one in value.items()]}
        if isinstance(value, str | int | float) and not isinstance(value, Enum):
            return _scalar(value)
        raise CodecError(f"a {kind.__name__} cannot be recorded")

    def _get(self, found: Any) -> Any:
        kind = found.__class__
        if kind is dict:
            if len(found) == 1:
                (key,) = found
                if key[:1] == "$":
                    decode = self._decoders.get(key)
                    if decode is None:
                        raise CodecError(f"{key[1:41]!r} is no recorded type that this version knows")
                    return decode(found[key])
            return {key: self._get(one) for key, one in found.items()}
        if kind is list:
            return [self._get(one) for one in found]
        return found

    def _all(self, values: Iterable[Any]) -> list[Any]:
        return [self._put(one) for one in values]

    def _plain(self) -> Iterable[tuple[type, Convert, Convert]]:
        yield tuple, self._all, lambda found: tuple(map(self._get, found))
        yield set, self._sorted, lambda found: set(map(self._get, found))
        yield frozenset, self._sorted, lambda found: frozenset(map(self._get, found))
        yield date, date.isoformat, date.fromisoformat
        yield datetime, _put_moment, _get_moment(datetime)
        yield time, _put_moment, _get_moment(time)
        yield timedelta, attrgetter("days", "seconds", "microseconds"), lambda row: timedelta(*row)
        yield Decimal, str, Decimal

    def _sorted(self, values: Iterable[Any]) -> list[Any]:
        """Members of a set in an order that does not depend on their hashes."""
        return sorted(self._all(values), key=_encode_json)

    def _add(self, kind: type, encode: Convert, decode: Convert) -> None:
        tag = f"${kind.__name__}"
        if tag in self._decoders or tag == "$dict":
            raise TypeError(f"two types named {kind.__name__}")
        self._encoders[kind] = tag, encode
        self._decoders[tag] = decode
        self._decoders["$dict"] = lambda rows: {self._get(key): self._get(one) for key, one in rows}

    # -- one field ----------------------------------------------------------------------------

    def _field(self, hint: Any) -> tuple[Convert, Convert] | None:
        """How a field of type `hint` is written and read; None for a scalar, which is written as it is."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, types.UnionType):
            kinds = [one for one in arguments if one is not type(None)]
            if set(kinds) <= _SCALARS:
                return None
            inner = self._field(kinds[0]) if len(kinds) == 1 else None
            if inner is None or len(kinds) == len(arguments):
                return self._put, self._get
            put, get = inner
            return (
                lambda value: None if value is None else put(value),
                lambda found: None if found is None else get(found),
            )
        if hint in _SCALARS:
            return None
        if isinstance(hint, type) and issubclass(hint, Enum) and hint in self._encoders:
            return _exactly(hint, attrgetter("value")), hint
        if hint in self._shapes:
            shape = self._shapes[hint]
            return _exactly(hint, shape.encode), shape.decode
        if hint is date:
            return _exactly(date, date.isoformat), date.fromisoformat
        if origin is tuple and arguments[-1] is Ellipsis and arguments[0] in self._shapes:
            shape = self._shapes[arguments[0]]
            put_one = _exactly(arguments[0], shape.encode)
            return (
                _exactly(tuple, lambda values: list(map(put_one, values))),
                lambda found: tuple(map(shape.decode, found)),
            )
        return self._put, self._get


class _Shape:
    """How one record is written and read: the array of its fields."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        if dataclasses.is_dataclass(kind):
            fields = [one for one in dataclasses.fields(kind) if one.init]
            self.names = tuple(one.name for one in fields)
            given = {
                one.name
                for one in fields
                if one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING
            }
        elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
            self.names = kind._fields
            given = set(kind._field_defaults)  # type: ignore[attr-defined]
        else:
            raise TypeError(f"{kind.__name__} is no dataclass, named tuple or enum")
        self.required = len(self.names) - len(given)
        self._read: Convert = list
        if not issubclass(kind, tuple):
            get = attrgetter(*self.names)
            alone = len(self.names) == 1
            self._read = (lambda value: [get(value)]) if alone else lambda value: list(get(value))
        self._places: tuple[int, ...] = ()
        self._put: tuple[tuple[int, Convert], ...] = ()
        self._get: tuple[tuple[int, Convert], ...] = ()

    def compile(self, field: Callable[[Any], tuple[Convert, Convert] | None]) -> None:
        """Settle once what each field needs, so that a value is written without looking at hints."""
        hints = typing.get_type_hints(self.kind)
        needs = [field(hints[name]) for name in self.names]
        self._places = tuple(place for place, need in enumerate(needs) if need is None)
        self._put = tuple((place, need[0]) for place, need in enumerate(needs) if need is not None)
        self._get = tuple((place, need[1]) for place, need in enumerate(needs) if need is not None)

    def encode(self, value: Any) -> list[Any]:
        row: list[Any] = self._read(value)
        for place in self._places:
            if row[place].__class__ not in _SCALARS:
                row[place] = _scalar(row[place])
        for place, put in self._put:
            row[place] = put(row[place])
        return row

    def decode(self, row: list[Any]) -> Any:
        if self._get:
            last = len(row)
            for place, get in self._get:
                if place >= last:
                    break
                row[place] = get(row[place])
        return self.kind(*row)


def _scalar(value: Any) -> Any:
    """The plain scalar in a value of a subclass. Anything else would come back as another thing."""
    if isinstance(value, str):
        return str.__getnewargs__(value)[0]
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    raise CodecError(f"a {type(value).__name__} cannot be recorded where a text or number belongs")


def _exactly(kind: type, put: Convert) -> Convert:
    """`put` for values of that type alone: another one would be read back as what it is not."""

    def checked(value: Any) -> Any:
        if value.__class__ is not kind:
            raise CodecError(f"a {type(value).__name__} cannot be recorded where a {kind.__name__} belongs")
        return put(value)

    return checked


def _put_moment(moment: datetime | time) -> list[Any]:
    if moment.tzinfo is not None and not isinstance(moment.tzinfo, timezone):
        raise CodecError(f"a {type(moment).__name__} of a named zone cannot be recorded: use its UTC offset")
    return [moment.isoformat(), moment.fold]


def _get_moment(kind: type[datetime] | type[time]) -> Convert:
    def get(row: list[Any]) -> Any:
        moment = kind.fromisoformat(row[0]).replace(fold=row[1])
        return moment.replace(tzinfo=HO_CHI_MINH) if moment.tzinfo == HO_CHI_MINH else moment

    return get
