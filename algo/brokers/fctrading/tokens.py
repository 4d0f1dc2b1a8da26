"""Access tokens: when they expire, and the file that keeps them over a restart."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from algo.brokers.fctrading.credentials import read_private
from algo.errors import CredentialError
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
    issued, ends = _seconds(claims.get("iat")), _seconds(claims.get("exp"))
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


def _seconds(value: object) -> float | None:
    """A JWT time. What is no number, or lies outside of 1970 to 2200, counts as absent."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 7.3e9 else None


def _kept_token(entry: object, now: Moment) -> Token | None:
    """A kept token; it ends when it was first known to end, also when it does not say itself."""
    if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
        return None
    token, ends = read_token(entry["token"], now), _seconds(entry.get("ends"))
    if token is None or ends is None:
        return None
    left = min(token.left(now), ends - now.wall)
    return Token(token.secret, now.wall + left, now.steady + left, left)


class TokenFile:
    """Keeps tokens in a file that nobody else may read, written whole or not at all. Thin shell."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, now: Moment) -> dict[str, Token]:
        """The kept tokens by name; empty when there is no file or it is no use. A loose mode raises."""
        if not self.path.exists():
            return {}
        try:
            found = json.loads(read_private(self.path))
        except (ValueError, RecursionError):
            return {}
        if not isinstance(found, dict):
            return {}
        kept = {name: _kept_token(value, now) for name, value in found.items()}
        return {name: token for name, token in kept.items() if token is not None}

    def save(self, tokens: Mapping[str, Token]) -> None:
        """Replace the kept tokens. Raises CredentialError when the file cannot be written."""
        document = {n: {"token": t.secret.reveal(), "ends": t.ends_wall} for n, t in tokens.items()}
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    json.dump(document, file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
        except OSError as error:
            raise CredentialError(f"tokens cannot be kept in {self.path}: {error.strerror}") from None

    def forget(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
