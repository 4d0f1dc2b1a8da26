"""What happened in a run, in order: as a story for people and as one hash that two runs can compare."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b


class Trace:
    """Lines of ``when kind text``. `keep` keeps them for a story; the hash has them in any case."""

    def __init__(self, clock: Callable[[], float], *, keep: bool = True) -> None:
        self._clock = clock
        self._hash = blake2b(digest_size=16)
        self._keep = keep
        self.lines: list[tuple[float, str, str]] = []

    def add(self, kind: str, text: str) -> None:
        """Note something."""
        now = self._clock()
        self._hash.update(f"{now:.6f} {kind} {text}\n".encode())
        if self._keep:
            self.lines.append((now, kind, text))

    @property
    def digest(self) -> str:
        """The hash of everything so far."""
        return self._hash.hexdigest()
