"""One writer: a second one is refused and told who holds it, and the lock dies with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from algo.errors import JournalLocked
from algo.journal import Head, Journal, Records, RowKind
from algo.journal.lock import Lock, beside, last_head
from tests.conftest import ROOT

HOLD = """
import sys
from algo.journal import Journal
journal = Journal.open(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_in_one_line_that_names_the_first(path: Path) -> None:
    process = holder(path)
    try:
        with pytest.raises(JournalLocked) as raised:
            Journal.open(path)
        assert str(raised.value) == (f"{path} is in use by process {process.pid}: one account has one writer")
        with Records.open(path) as reader:
            assert list(reader.rows()) == []
    finally:
        process.communicate("")
    Journal.open(path).close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_a_killed_process_holds_nothing(path: Path) -> None:
    process = holder(path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    Journal.open(path).close()


def test_a_second_one_in_this_process_is_refused_too(path: Path) -> None:
    with Journal.open(path) as first:
        with pytest.raises(JournalLocked, match=str(os.getpid())):
            Journal.open(path)
        first.append(RowKind.NOTE, 1, "still writing")
        first.commit()
        with pytest.raises(JournalLocked):  # a refused one has not let go of the first one's lock
            Journal.open(path)


def test_the_note_comes_back_and_an_altered_one_counts_as_none(path: Path) -> None:
    lock = Lock(path)
    assert lock.head is None
    head = Head(12_345, bytes(range(16)))
    lock.note(head)
    assert last_head(path) == head
    lock.release()
    lock.release()
    content = beside(path).read_bytes()
    for place in range(len(content)):
        if content[place : place + 1] in b" \n":
            continue
        spoiled = bytearray(content)
        spoiled[place] ^= 1
        beside(path).write_bytes(spoiled)
        assert last_head(path) in (None, head), place
    beside(path).write_bytes(content[:50])
    assert last_head(path) is None
    lock = Lock(path)
    lock.note(None)
    lock.release()
    assert last_head(path) is None
    assert last_head(path.with_name("nothing")) is None
