"""A disk that is full, fails or is read-only: one clear line, nothing more is taken, nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import JournalError, JournalFailed
from algo.journal import Connection, Journal, Records, RowKind, connect, verify
from tests.conftest import ROOT
from tests.generators.journals import Loose

NOTE = RowKind.NOTE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def full_at(pages: int) -> Callable[[Path], Connection]:
    def opened(path: Path) -> Connection:
        connection = connect(path)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    return opened


def failed(journal: Journal, path: Path, why: str) -> int:
    """Append until a commit fails; everything after it is refused. Gives the last row that was committed."""
    last = 0
    with pytest.raises(JournalFailed) as raised:
        for number in range(10_000):
            journal.append(NOTE, number, "x" * 1_000)
            last = journal.commit()
    assert str(raised.value) == journal.failed == f"{path} takes nothing more: {why}"
    for refused in (journal.commit, lambda: journal.append(NOTE, 1, "more")):
        with pytest.raises(JournalFailed, match="takes nothing more"):
            refused()
    assert [row.seq for row in journal.rows()] == list(range(1, last + 1))
    journal.close()
    return last


def test_a_full_disk(path: Path) -> None:
    last = failed(Journal.open(path, connect=full_at(40)), path, "the disk is full")
    assert last > 10
    with Journal.open(path) as journal:
        assert verify(journal, journal.noted(), whole=True).seq == last
        assert not journal.failed
        journal.append(NOTE, 1, "there is room again")
        assert journal.commit() == last + 1


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on file sizes here")
def test_a_write_that_the_system_refuses(path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from algo.errors import JournalFailed\n"
        "from algo.journal import Journal, RowKind\n"
        "journal = Journal.open(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "last = 0\n"
        "try:\n"
        "    while True:\n"
        "        journal.append(RowKind.NOTE, 1, 'x' * 1000)\n"
        "        last = journal.commit()\n"
        "except JournalFailed as error:\n"
        "    print(last, error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    last, _, said = run.stdout.strip().partition(" ")
    reasons = ("the disk is full", "the disk reports an error")
    assert said in {f"{path} takes nothing more: {reason}" for reason in reasons}
    with Journal.open(path) as journal:
        assert verify(journal, journal.noted(), whole=True).seq == int(last) > 0


class Failing:
    """A connection whose statement number `at` raises `error`, before or after it took effect."""

    def __init__(self, path: Path, at: int, error: BaseException, after: bool) -> None:
        self._inner, self._left, self._error, self._after = Loose(path), at, error, after

    def _run(self, name: str, *given: Any) -> Any:
        self._left -= 1
        if self._left != 0:
            return getattr(self._inner, name)(*given)
        if self._after:
            getattr(self._inner, name)(*given)
        raise self._error

    def execute(self, *given: Any) -> Any:
        return self._run("execute", *given)

    def executemany(self, *given: Any) -> Any:
        return self._run("executemany", *given)

    def close(self) -> None:
        self._inner.close()


def io_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return error


@given(
    at=st.integers(1, 60),
    after=st.booleans(),
    error=st.sampled_from([io_error, KeyboardInterrupt]),
    sizes=st.lists(st.integers(1, 3), min_size=8, max_size=8),
)
def test_a_failed_sync_loses_nothing_and_ends_the_writing(
    tmp_path_factory: pytest.TempPathFactory,
    at: int,
    after: bool,
    error: Callable[[], BaseException],
    sizes: list[int],
) -> None:
    """Whatever statement fails: earlier rows are there, and the group is there whole or not at all."""
    path = tmp_path_factory.mktemp("j") / "run.journal"
    told, ends, journal = 0, [0], None
    try:
        journal = Journal.open(path, connect=lambda path: Failing(path, at, error(), after))
        for size in sizes:
            for _ in range(size):
                ends[-1] = max(ends[-1], journal.append(NOTE, 1, "row"))
            told = journal.commit()
            ends.append(told)
    except (JournalError, KeyboardInterrupt):
        if journal is not None:
            assert "disk reports an error" in journal.failed or "KeyboardInterrupt" in journal.failed
            with pytest.raises(JournalFailed):
                journal.append(NOTE, 1, "more")
            with pytest.raises(JournalFailed):
                journal.commit()
    if journal is not None:
        journal.close()
    with Journal.open(path, connect=Loose) as again:
        head = verify(again, again.noted(), whole=True)
        assert head.seq >= told
        assert head.seq in {0, *ends}
        again.append(NOTE, 1, "on")
        assert again.commit() == head.seq + 1


def read_only(path: Path) -> Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def test_a_file_that_cannot_be_written_is_told_at_once(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append(NOTE, 1, "row")
    with pytest.raises(JournalFailed) as raised:
        Journal.open(path, connect=read_only)
    assert str(raised.value) == f"{path} cannot be used: it is read-only"
    with Records.open(path) as records:
        assert [row.value for row in records.rows()] == ["row"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_file_or_folder_without_permission(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append(NOTE, 1, "row")
    path.chmod(0o400)
    with pytest.raises(JournalFailed, match="read-only"):
        Journal.open(path)
    path.chmod(0o600)
    folder = path.parent / "sealed"
    folder.mkdir(mode=0o500)
    with pytest.raises(JournalFailed, match="Permission denied"):
        Journal.open(folder / "run.journal")


def test_a_folder_that_cannot_be_made(path: Path) -> None:
    path.write_text("a file")
    with pytest.raises(JournalFailed, match=r"Not a directory|File exists"):
        Journal.open(path / "run.journal")


@pytest.mark.skipif(os.name == "nt", reason="no file modes here")
def test_only_the_owner_can_read_it(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append(NOTE, 1, "row")
        journal.commit()
        assert {part.stat().st_mode & 0o077 for part in path.parent.iterdir()} == {0}


def test_a_commit_waits_for_the_disk(path: Path) -> None:
    """What a kill cannot show and a power failure would: SQLite is told to sync at every commit."""
    with Journal.open(path) as journal:
        asked = {
            name: journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode", "fullfsync")
        }
    assert asked == {"synchronous": 2, "journal_mode": "wal", "fullfsync": 1}
