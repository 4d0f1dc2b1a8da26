"""Anything that a journal can be given: every registered type, with every value that its fields can have."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from typing import Any

from hypothesis import strategies as st

from algo.clock import HO_CHI_MINH
from algo.errors import SettingError
from algo.journal import TYPES

integers = st.integers(-(2**63), 2**63) | st.integers(-5, 5)
texts = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates and NUL included
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: integers,
    float: st.floats(),
    bool: st.booleans(),
    type(None): st.none(),
}
# Fields whose values a type checks at birth.
CHECKED = {
    name: st.integers(1, 2**40)
    for name in ("quantity", "price", "scale", "multiplier", "step", "profit_step", "loss_step")
} | {"symbol": texts.filter(bool), "action": st.sampled_from(("kill", "flatten", "resume", "accept"))}


def of_hint(hint: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Values of a field with that annotation."""
    if hint in (int, str) and name in CHECKED:
        return CHECKED[name]
    if hint in SCALARS:
        return SCALARS[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(of_hint(one, name) for one in arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(of_hint(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(of_hint, arguments))
    if origin in (list, frozenset):
        made = {list: st.lists, frozenset: st.frozensets}[origin]
        return made(of_hint(arguments[0]), max_size=3)
    if origin in (dict, Mapping):
        return st.dictionaries(of_hint(arguments[0]), of_hint(arguments[1]), max_size=3)
    if hint in (object, Any):
        return anything
    return values_of(hint)


def values_of(kind: type) -> st.SearchStrategy[Any]:
    """Values of one type."""
    if kind is date:
        return st.dates()
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    names = (
        [one.name for one in dataclasses.fields(kind) if one.init]
        if dataclasses.is_dataclass(kind)
        else kind._fields  # type: ignore[attr-defined]
    )

    @st.composite
    def made(draw: st.DrawFn) -> Any:
        hints = typing.get_type_hints(kind)
        given = {name: draw(of_hint(hints[name], name)) for name in names}
        try:
            return kind(**given)
        except SettingError:  # an amendment of nothing, and the like
            return draw(st.nothing())

    return made()


zones = st.none() | st.just(HO_CHI_MINH) | st.integers(-23, 23).map(lambda h: timezone(timedelta(hours=h)))
scalars = st.one_of(*SCALARS.values())
hashable = scalars | st.tuples(scalars) | st.dates()
plain = st.one_of(
    scalars,
    st.dates(),
    st.datetimes(timezones=zones),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
)
anything: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.sets(hashable, max_size=3),
        st.frozensets(hashable, max_size=3),
        st.dictionaries(hashable, inner, max_size=3),
        st.dictionaries(texts | st.just("$Bar") | st.just("$"), inner, max_size=3),
    ),
    max_leaves=8,
)
registered = st.sampled_from(TYPES).flatmap(values_of)


def same(one: Any, other: Any) -> bool:
    """Whether two values are of the same types throughout and equal; NaN is the same as NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, set | frozenset):
        left, right = (sorted(one, key=_order), sorted(other, key=_order))
        return len(one) == len(other) and all(map(same, left, right))
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, datetime | time):
        return one == other and one.fold == other.fold and one.tzinfo == other.tzinfo
    return bool(one == other)


def _order(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"
