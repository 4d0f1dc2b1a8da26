"""The chain over the rows: each one's hash covers the row and the hash before it."""

from __future__ import annotations

from hashlib import blake2b

SIZE = 16
"""Bytes of a hash."""


def link(before: bytes, seq: int, day: str, ns: int, kind: str, body: str) -> bytes:
    """The hash of a row that follows one with hash `before`. No field but the last can hold a line's end."""
    text = f"{seq}\n{day}\n{ns}\n{kind}\n{body}"
    return blake2b(before + text.encode(), digest_size=SIZE).digest()


def root(identity: str) -> bytes:
    """The hash before the first row: of what the journal says of itself."""
    return blake2b(identity.encode(), digest_size=SIZE).digest()
