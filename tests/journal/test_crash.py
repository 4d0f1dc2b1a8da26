"""A process that is killed between and inside of commits: what it was told is durable is there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from algo.journal import Journal, Records, RowKind, verify
from tests.conftest import ROOT

# Commits groups of one to five rows and then says the number of the last one, for as long as it lives.
WRITER = """
import os, random, sys
from algo.journal import Journal, RowKind
journal = Journal.open(sys.argv[1])
dice = random.Random(int(sys.argv[2]))
while True:
    size = dice.randint(1, 5)
    for part in range(size):
        seq = journal._next
        journal.append(RowKind.NOTE, seq, {"seq": seq, "part": part, "of": size, "text": "x" * dice.randint(0, 3000)})
    os.write(1, b"%d\\n" % journal.commit())
"""  # noqa: E501


def killed_writer(path: Path, dice: random.Random) -> int:
    """Let a writer work, kill it at a random moment, and give the last row that it was told is durable."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(dice.random())[2:9]], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    for _ in range(dice.randint(0, 150)):
        told = process.stdout.readline()
    until = time.perf_counter() + dice.random() * 0.001  # somewhere within the next commit
    while time.perf_counter() < until:
        pass
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    whole = [line for line in (told + rest).splitlines(keepends=True) if line.endswith(b"\n")]
    return int(whole[-1])


def survived(path: Path, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(rounds):
        told = killed_writer(path, dice)
        if dice.random() < 0.3:  # somebody looks before the next writer mends anything
            with Records.open(path) as records:
                assert verify(records, records.noted(), whole=True).seq >= told
        with Journal.open(path) as journal:
            head = verify(journal, journal.noted(), whole=True)
            assert head.seq >= told
            rows = list(journal.rows())
        assert [row.value["seq"] for row in rows] == [row.seq for row in rows] == list(range(1, head.seq + 1))
        parts = [(row.value["part"], row.value["of"]) for row in rows]
        for (part, size), (following, _) in zip(parts, [*parts[1:], (0, 0)], strict=True):
            assert following == (0 if part == size - 1 else part + 1), "a group was cut"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
@pytest.mark.slow
def test_nothing_that_was_committed_is_lost_to_a_kill(tmp_path: Path) -> None:
    survived(tmp_path / "run.journal", 10, 1)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
@pytest.mark.soak
def test_nothing_that_was_committed_is_lost_to_a_hundred_kills(tmp_path: Path) -> None:
    survived(tmp_path / "run.journal", 100, 2)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_a_kill_while_a_journal_is_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    """Every prefix of what making a journal does is a journal that can be opened, or nothing."""
    script = (
        "import os, signal, sys\n"
        "from algo.journal import Journal, connect\n"
        "class Cut:\n"
        "    def __init__(self, path): self.inner, self.left = connect(path), int(sys.argv[2])\n"
        "    def __getattr__(self, name):\n"
        "        if name in ('execute', 'executemany'):\n"
        "            self.left -= 1\n"
        "            if self.left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return getattr(self.inner, name)\n"
        "Journal.open(sys.argv[1], connect=Cut).close()\n"
    )
    whole = False
    for steps in range(0, 60, 3):
        path = tmp_path / str(steps) / "run.journal"
        run = subprocess.run([sys.executable, "-c", script, str(path), str(steps)], cwd=ROOT, check=False)
        with Journal.open(path) as journal:
            journal.append(RowKind.NOTE, 1, "first")
        with Records.open(path) as records:
            assert verify(records, records.noted(), whole=True).seq == 1
        if run.returncode == 0:
            whole = True
            break
    assert whole
