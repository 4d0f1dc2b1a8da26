"""The fields of a request, read as liberally as the real service does.

Names match in any case and with the prefixes ``request.`` and ``lookupRequest.``; numbers may come as text,
``True`` for true; what is optional may be absent or null.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from algo.fastconnect.wire import parse_json, whole
from algo.sandbox.answers import Denied

INVALID = "The request is invalid."
LARGEST_NUMBER = 10**15


class Fields:
    """What a request says. Every reader raises `Denied` for a value of the wrong kind."""

    __slots__ = ("_found",)

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """The first of two fields that have the same name wins."""
        found: dict[str, Any] = {}
        for key, value in pairs:
            found.setdefault(bare(key), value)
        self._found = found

    @classmethod
    def of_body(cls, body: bytes) -> Fields:
        """The fields of a JSON object. Raises Denied for anything else."""
        try:
            found = parse_json(body)
        except (ValueError, RecursionError):
            raise Denied(INVALID) from None
        if not isinstance(found, dict):
            raise Denied(INVALID)
        return cls(found.items())

    def text(self, name: str) -> str:
        """A text, '' when there is none. Whole numbers are taken as their digits."""
        value = self._found.get(name)
        if type(value) is str:
            return value.strip()
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_NUMBER:
            raise Denied(INVALID)
        return str(value)

    def needed(self, name: str, label: str) -> str:
        """A text that must be there; the service calls it `label` when it is not."""
        found = self.text(name)
        if not found:
            raise Denied(f"'{label}' must not be empty.")
        return found

    def real(self, name: str) -> float:
        """A number from 0 up, 0.0 when there is none."""
        value = self._found.get(name)
        if type(value) is not float:
            if value is None or value == "":
                return 0.0
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise Denied(INVALID)
            try:
                value = float(value)
            except (ValueError, OverflowError):
                raise Denied(INVALID) from None
        if not math.isfinite(value) or not 0 <= value <= LARGEST_NUMBER:
            raise Denied(INVALID)
        return value

    def count(self, name: str) -> int:
        """A whole number from 0 up, 0 when there is none."""
        value = self._found.get(name)
        if type(value) is not int:
            if value is None or value == "":
                return 0
            value = whole(value)
            if value is None:
                raise Denied(INVALID)
        if not 0 <= value <= LARGEST_NUMBER:
            raise Denied(INVALID)
        return value

    def flag(self, name: str) -> bool:
        """A truth value, false when there is none."""
        value = self._found.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in ("true", "1", "false", "0", ""):
            return value.strip().lower() in ("true", "1")
        raise Denied(INVALID)


def bare(key: str) -> str:
    """A field's name in lower case, without the prefix that some clients put before it."""
    name = key.lower()
    return name.removeprefix("request.").removeprefix("lookuprequest.") if "." in name else name
