"""How FastConnect writes things: JSON bodies, queries, the envelope of every answer, and its numbers.

Read liberally: names without regard to case, numbers also as text, `null` for absent. Write strictly: the
exact names, order and formatting of the official Python client (`", "`, `": "`, floats as ``21000.0``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from algo.errors import ProtocolError

SUCCESS = 200
_LARGEST_ANSWER = 32 * 1024 * 1024
_quick = msgspec.json.Decoder().decode
_ENCODER = json.JSONEncoder(allow_nan=False)


class Request(BaseModel):
    """A request in the API's own field order. `body` is what is signed and sent, byte for byte."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    def body(self) -> bytes:
        """The JSON body as the official Python client writes it."""
        return _ENCODER.encode(self.model_dump(by_alias=True)).encode()

    def query(self) -> dict[str, str]:
        """The query string's fields in order; what is None is left out."""
        fields = self.model_dump(by_alias=True, exclude_none=True)
        return {name: value if isinstance(value, str) else str(value) for name, value in fields.items()}


class Answer(BaseModel):
    """A part of an answer. Names match in any case; what the model does not know is kept in `model_extra`."""

    model_config = ConfigDict(
        frozen=True, extra="allow", allow_inf_nan=False, populate_by_name=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _any_case(cls, given: Any) -> Any:
        """The documented spelling of each known name; the first of two that differ in case alone wins.

        A `null` counts as absent, because servers send either for a field that has no value.
        """
        if not isinstance(given, Mapping):
            return given
        names = _names(cls)
        found: dict[str, Any] = {}
        for key, value in given.items():
            name = names.get(key) or names.get(str(key).lower())
            if value is not None or name is None:
                found.setdefault(name or str(key), value)
        return found

    @classmethod
    def read(cls, data: object) -> Self:
        """The model of `data`. Raises ProtocolError that names what does not fit, without its value."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            fields = sorted(
                {".".join(str(part) for part in item["loc"]) or "data" for item in error.errors()}
            )
            raise ProtocolError(
                f"the answer does not fit {cls.__name__}: {', '.join(fields)[:200]}"
            ) from None


@cache
def _names(model: type[BaseModel]) -> dict[str, str]:
    """Every spelling under which a field may come, to the one that the model reads."""
    names: dict[str, str] = {}
    for name, info in model.model_fields.items():
        wire = info.alias or name
        names |= {wire: wire, wire.lower(): wire, name: wire}
    return names


@dataclass(frozen=True)
class Envelope:
    """`message`, `status` and `data` of an answer. `status` 200 is success."""

    message: str
    status: int
    data: Any = field(default=None, repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether the broker says that it took the request."""
        return self.status == SUCCESS


def read_envelope(body: bytes) -> Envelope | None:
    """The envelope in `body`, or None when it is not exactly ours: a gateway's page, text, cut JSON.

    Ours has a text `message`, a whole-number `status` (or its text) and nothing else but `data`. A success
    with `data` may have more: a gateway's error never looks like one.
    """
    try:
        found = parse_json(body) if len(body) <= _LARGEST_ANSWER else None
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    fields = {key.lower(): value for key, value in found.items()}
    if len(fields) != len(found) or not {"message", "status"} <= fields.keys():
        return None
    status = whole(fields["status"])
    if status is None or not isinstance(fields["message"], str):
        return None
    if fields.keys() - {"message", "status", "data"} and (status != SUCCESS or fields.get("data") is None):
        return None
    return Envelope(fields["message"], status, fields.get("data"))


def parse_json(text: bytes | str) -> Any:
    """The value of a JSON text, quickly. Raises ValueError and nothing else.

    The quick parser refuses NaN and a lone surrogate, which the standard one takes: that has the last word.
    """
    try:
        return _quick(text)
    except (ValueError, RecursionError):
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None


def whole(value: object) -> int | None:
    """`value` as an int when it is a whole number, or the text of one; else None."""
    if type(value) is int:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        if value.isdecimal() and value.isascii() and len(value) < 20:  # as most come
            return int(value)
        text = value.strip()
        digits = text[1:] if text[:1] == "-" else text
        return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None
    return None


def plain(text: str, limit: int = 200) -> str:
    """`text` from the other side as one safe line: no control characters, at most `limit` long."""
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"
