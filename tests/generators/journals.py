"""Connections for tests that make journals by the hundred and pull no plug."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from algo.journal import connect


class Loose:
    """A writer's connection that leaves syncing to the system."""

    def __init__(self, path: Path) -> None:
        self._inner = connect(path)
        self.executemany, self.close = self._inner.executemany, self._inner.close

    def execute(self, sql: str, *given: Any) -> Any:
        return self._inner.execute("PRAGMA synchronous = OFF" if "synchronous" in sql else sql, *given)
