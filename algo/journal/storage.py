"""The SQLite file of a journal: how it is opened, what is in it, and what SQLite's errors mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from algo.errors import JournalDamaged, JournalError, JournalFailed, JournalForeign, JournalLocked
from algo.journal.lock import Head, beside

APPLICATION = 0x616C676F  # "algo"
VERSION = 1
"""Of the tables. What the rows may hold is told by the shapes in `meta`."""
_SHORTEST = 512  # bytes of a database's smallest page
_LOG_PAGES = 16_384  # of the write-ahead log, 64 MB, before a commit moves them into the file by itself

# A row's place in the day is its `seq`; `day` is the trading day by the server's calendar. Market data make
# up nearly all rows and are only ever read in order, so the index over kinds leaves them out.
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE rows (seq INTEGER PRIMARY KEY, day TEXT NOT NULL, ns INTEGER NOT NULL, kind TEXT NOT NULL,"
    " body TEXT NOT NULL, chain BLOB NOT NULL)",
    "CREATE INDEX rows_by_day ON rows (day)",
    "CREATE INDEX rows_by_kind ON rows (kind) WHERE kind <> 'input'",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)


class Connection(Protocol):
    """What is used of a database connection, in autocommit mode: `sqlite3.Connection` is one."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Any: ...
    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any: ...
    def close(self) -> None: ...


Connect = Callable[[Path], Connection]


def connect(path: Path) -> Connection:
    """A connection for the one writer. It may be used from several threads, one at a time."""
    return sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)


def connect_reader(path: Path) -> Connection:
    """A connection that cannot write, and does not hinder the one that does."""
    return sqlite3.connect(
        f"file:{quote(os.fspath(path.absolute()))}?mode=ro",
        timeout=5.0,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )


def make_durable(connection: Connection) -> None:
    """A commit returns when its rows are on the disk."""
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: past the drive's own cache
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}").fetchone()
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def create(connection: Connection, meta: dict[str, str]) -> None:
    """The tables of a new journal, all or none."""
    connection.execute("BEGIN EXCLUSIVE")
    for statement in _TABLES:
        connection.execute(statement)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    connection.execute("COMMIT")


def check_file(path: Path) -> None:
    """Raise JournalForeign for a file too short to be a database: SQLite would write over it.

    The file is looked at from outside alone. Whoever opens a database's file beside SQLite and closes it
    takes away SQLite's locks on it, in all of the process.
    """
    if path.is_file() and 0 < path.stat().st_size < _SHORTEST and not beside(path).exists():
        raise JournalForeign(f"{path} is no journal")


def is_empty(connection: Connection) -> bool:
    """Whether the file has no table at all."""
    return bool(connection.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])


def check_kind(connection: Connection, path: Path) -> None:
    """Raise JournalForeign unless the file is a journal in a version that can be read."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise JournalForeign(f"{path} is a SQLite file, and no journal of algo")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        raise JournalForeign(
            f"{path} has version {version} of the journal, and this algo reads {VERSION}:"
            " use the algo that wrote it"
        )


def sync_folder(path: Path) -> None:
    """Make the directory entry of a new or renamed file durable, where the system has that."""
    if os.name == "nt":
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# What reading a spoiled file can raise: SQLite's word for it, or ours over a text that is no longer one.
_OF_A_FILE = (sqlite3.Error, OSError, ValueError, TypeError, LookupError)
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_PERM: "no permission",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
}


def reason(error: BaseException) -> str:
    """Why a write failed, for a person."""
    code = _primary(error)
    return _REASONS.get(code) or getattr(error, "strerror", None) or str(error) or type(error).__name__


def translated(error: Exception, path: Path) -> Exception:
    """Our error for one of SQLite's or the system's about the journal at `path`; a bug stays what it is."""
    if isinstance(error, JournalError) or not isinstance(error, _OF_A_FILE):
        return error
    code = _primary(error)
    if code in _HELD:
        return JournalLocked(f"{path} is held by another program: {error}")
    if code in _REASONS or isinstance(error, OSError):
        return JournalFailed(f"{path} cannot be used: {reason(error)}")
    if code == sqlite3.SQLITE_NOTADB and not beside(path).exists():
        return JournalForeign(f"{path} is no journal")
    if isinstance(error, sqlite3.ProgrammingError):
        return JournalError(f"{path}: {error}")
    return damaged(path, str(error) or type(error).__name__)


def _primary(error: BaseException) -> int:
    """SQLite's primary result code, 0 for an error that is none of its own."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF if isinstance(code, int) else 0


def damaged(path: Path, what: str, seq: int = 0) -> JournalDamaged:
    """The error about a journal that is not as it was written: what was seen, and what to do."""
    where = f" at row {seq}" if seq else ""
    return JournalDamaged(
        f"{path} is damaged{where}: {what}; `algo journal check {path} --set-aside` keeps it as it is, and"
        " the next run begins anew from the broker's books",
        seq,
    )


def gone(path: Path, noted: Head) -> JournalDamaged:
    """The error about a journal of which nothing but its writer's note is left."""
    return damaged(path, f"it is gone; it had {noted.seq:,} rows")
