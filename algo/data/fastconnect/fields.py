"""The fields of one message or row, read liberally: names in any case, numbers also as text, NaN for absent.

Dates are ``dd/MM/yyyy`` and times ``HH:mm:ss``, local; both also without separators, and times without
seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from algo.clock import HOUR, MINUTE, SECOND
from algo.market import Session
from algo.model import Board

_DATE = re.compile(r"(\d{1,2})[/-]?(\d{1,2})[/-]?(\d{4})")
_TIME = re.compile(r"(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.(\d{1,9}))?)?")
_BOARDS = {
    "HOSE": Board.HOSE,
    "HSX": Board.HOSE,
    "HNX": Board.HNX,
    "UPCOM": Board.UPCOM,
    "DER": Board.DERIVATIVES,
    "DERIVATIVES": Board.DERIVATIVES,
}


class Fields:
    """The fields of a message. What is absent, empty or no such thing is None, never an error."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = {key.lower(): value for key, value in given.items()}

    def text(self, *names: str) -> str:
        """The first of `names` (lower case) that has text, without spaces around it; '' when none has."""
        for name in names:
            value = self._given.get(name)
            if isinstance(value, str) and (found := value.strip()):
                return found
        return ""

    def number(self, *names: str) -> float | None:
        """The first of `names` (lower case) that is a finite number, or the text of one."""
        for name in names:
            found = as_number(self._given.get(name))
            if found is not None:
                return found
        return None

    def whole(self, *names: str) -> int | None:
        """The same, when it is a whole number."""
        found = self.number(*names)
        return int(found) if found is not None and found.is_integer() else None


def as_number(value: object) -> float | None:
    """A finite number, or the text of one; else None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def as_date(text: str) -> date | None:
    """The date that `text` tells, day first; else None."""
    found = _DATE.fullmatch(text)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        return None


def as_time(text: str) -> int | None:
    """Nanoseconds since midnight that `text` tells; else None."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * HOUR + minute * MINUTE + second * SECOND + int((found[4] or "0").ljust(9, "0"))


def as_board(text: str) -> Board | None:
    """The board of a MarketId or Exchange; None for others, such as bonds."""
    return _BOARDS.get(text.upper())


def as_session(text: str) -> Session | None:
    """The session of a TradingSession code; None when it is not known."""
    code = text.upper()
    try:
        return Session("C" if code == "CLOSE" else code)
    except ValueError:
        return None
