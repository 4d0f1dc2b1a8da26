"""The journal's file in a simulation: SQLite's own, with a disk that can fail and a process that can die."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from algo.journal.storage import connect


class Disk:
    """What one process writes to. `on_rows` hears rows once they are durable.

    `on_commit` is asked before each commit and after it, and may raise what SQLite would.
    """

    def __init__(self) -> None:
        self.dead = False
        self.on_rows: Callable[[Sequence[Sequence[Any]]], None] = lambda _rows: None
        self.on_commit: Callable[[str], None] = lambda _when: None

    def connect(self, path: Path) -> _Connection:
        """A connection, as the journal opens it."""
        return _Connection(self, connect(path))


class _Connection:
    def __init__(self, disk: Disk, real: Any) -> None:
        self._disk = disk
        self._real = real
        self._rows: list[Sequence[Any]] = []

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
        self._alive()
        if sql != "COMMIT":
            return self._real.execute(sql, parameters)
        if self._rows:
            self._disk.on_commit("before")
            self._alive()
        found = self._real.execute(sql)
        if self._rows:
            rows, self._rows = self._rows, []
            self._disk.on_rows(rows)
            self._disk.on_commit("after")
            self._alive()
        return found

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        self._alive()
        rows = list(parameters)
        if sql.startswith("INSERT INTO rows"):
            self._rows = rows
        return self._real.executemany(sql, rows)

    def close(self) -> None:
        self._real.close()

    def _alive(self) -> None:
        if self._disk.dead:
            raise sqlite3.OperationalError("the process is dead")
