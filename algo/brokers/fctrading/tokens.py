"""The file that keeps access tokens over a restart."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from algo.brokers.fctrading.credentials import read_private
from algo.errors import CredentialError
from algo.fastconnect.tokens import Moment, Token, jwt_seconds, read_token


def _kept_token(entry: object, now: Moment) -> Token | None:
    """A kept token; it ends when it was first known to end, also when it does not say itself."""
    if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
        return None
    token, ends = read_token(entry["token"], now), jwt_seconds(entry.get("ends"))
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
