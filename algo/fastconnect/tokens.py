"""Access tokens: what they say of themselves, and when they expire."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import NamedTuple

from algo.fastconnect.secret import Secret

LIFETIME = 8 * 3600.0
"""Seconds that a token lives when it does not say (SSI's guide)."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")


class Moment(NamedTuple):
    """One instant by two clocks, in seconds: the wall's, and one that never jumps."""

    wall: float
    steady: float


@dataclass(frozen=True)
class Token:
    """A token and its end by both clocks: it has expired when either says so."""

    secret: Secret
    ends_wall: float
    ends_steady: float
    life: float
    """Seconds that it had left when it came."""

    def left(self, now: Moment) -> float:
        """Seconds until it expires; 0 or less when it has."""
        return min(self.ends_wall - now.wall, self.ends_steady - now.steady)


def read_token(text: str, now: Moment) -> Token | None:
    """The token in `text`, just received or kept; None when it cannot be a token at all."""
    if not _TOKEN.fullmatch(text):
        return None
    claims = _claims(text)
    issued, ends = jwt_seconds(claims.get("iat")), jwt_seconds(claims.get("exp"))
    if ends is None:
        ends = now.wall + LIFETIME
    left = ends - now.wall
    if issued is not None and issued < ends:
        left = min(left, ends - issued)
    return Token(Secret(text), now.wall + left, now.steady + left, left)


def _claims(text: str) -> dict[str, object]:
    """The payload of a JWT, unverified: only the server can verify it. Empty when it is none."""
    parts = text.split(".")
    if len(parts) != 3:
        return {}
    payload = parts[1].replace("+", "-").replace("/", "_").rstrip("=")
    try:
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def jwt_seconds(value: object) -> float | None:
    """A JWT time. What is no number, or lies outside of 1970 to 2200, counts as absent."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 7.3e9 else None
