"""A strategy's parameters: its annotated class attributes, typed, validated, set by name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, get_origin, get_type_hints

from algo.errors import ParameterError

REQUIRED: Any = object()


def declared(cls: type) -> dict[str, tuple[Any, Any]]:
    """Name -> (type, default) of the parameters of strategy class `cls`, base classes first.

    A parameter without a default has `REQUIRED` in its place. Names that begin with an underscore
    and ClassVars are not parameters.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for base in reversed(cls.__mro__):
        if base is object or getattr(base, "_abstract_strategy", False) is base:
            continue
        own = inspect.get_annotations(base)
        if not own:
            continue
        try:
            hints = get_type_hints(base)
        except NameError as error:
            raise ParameterError(f"{base.__name__}: {error} in an annotation") from error
        for name in own:
            if name.startswith("_") or get_origin(hints[name]) is ClassVar or hints[name] is ClassVar:
                continue
            found[name] = (hints[name], getattr(cls, name, REQUIRED))
    return found


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def bind(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The complete parameters of `cls` with `given` values, which may be text, in place of defaults.

    Raises ParameterError for an unknown name (with the nearest known one), a wrong type, or a
    missing value.
    """
    known = declared(cls)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known) or 'none'}"
            raise ParameterError(f"{cls.__name__} has no parameter {name!r}{hint}")
    values: dict[str, Any] = {}
    for name, (kind, default) in known.items():
        value = given.get(name, default)
        if value is REQUIRED:
            raise ParameterError(f"{cls.__name__} needs a value for {name!r}: give it with -p {name}=…")
        values[name] = convert(f"{cls.__name__}.{name}", kind, value) if name in given else value
    return values


def convert(label: str, kind: Any, value: Any) -> Any:
    """`value` as type `kind`; text is read as the type would be written on a command line."""
    from pydantic import ValidationError

    origin = get_origin(kind)
    if isinstance(value, str) and kind is not str and (kind in (list, tuple) or origin in (list, tuple, set)):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        name = getattr(kind, "__name__", None) if origin is None else None
        wanted = name or str(kind).replace("typing.", "")
        detail = error.errors()[0]["msg"]
        raise ParameterError(f"{label} must be {wanted}: {value!r} is not ({detail})") from None


def check_names(cls: type, base: type) -> None:
    """Raise ParameterError when a parameter of `cls` takes a name that strategy base `base` uses."""
    for name in inspect.get_annotations(cls):
        if not name.startswith("_") and hasattr(base, name):
            raise ParameterError(
                f"{cls.__name__}.{name}: the name {name!r} is the framework's; choose another"
            )


__all__ = ["REQUIRED", "bind", "check_names", "convert", "declared"]
