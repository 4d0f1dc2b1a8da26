"""One writer per journal, and where it was: a small file beside it, ``NAME.lock``.

Whoever holds the operating system's lock on that file is the writer; the lock goes with the process, however
it ends. The file holds the writer's process id and the last row that was committed. That note is written
after each commit without a sync, so it may be behind the journal after a power failure and is never ahead of
it: a journal behind its note has lost rows, which SQLite itself would not notice when its write-ahead log is
gone.
"""

from __future__ import annotations

import os
import sys
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from algo.errors import JournalFailed, JournalLocked

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LINE = 128  # bytes of the note: within one sector, so that it is renewed whole or not at all


class Head(NamedTuple):
    """The last committed row and its hash."""

    seq: int
    chain: bytes


def beside(path: Path) -> Path:
    """The lock file of the journal at `path`."""
    return path.with_name(path.name + ".lock")


class Lock:
    """Holds the lock of a journal from the moment it is made until `release`.

    Raises JournalLocked when another journal object holds it, in this process or any other.
    """

    def __init__(self, path: Path) -> None:
        self._path = beside(path)
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalFailed(f"cannot write {self._path}: {error.strerror}") from None
        try:
            _take(self._file)
        except OSError:
            holder, _ = _read(self._file)
            os.close(self._file)
            by = f"process {holder}" if holder else "another process"
            raise JournalLocked(f"{path} is in use by {by}: one account has one writer") from None
        try:
            self.note(_read(self._file)[1])
        except OSError as error:
            self.release()
            raise JournalFailed(f"cannot write {self._path}: {error.strerror}") from None

    def note(self, head: Head | None) -> None:
        """Write down what was committed; None forgets it, for a journal that begins anew."""
        self.head = head
        told = f"{head.seq} {head.chain.hex()}" if head else "0 -"
        line = f"{os.getpid()} {told}"
        content = f"{line} {_sum(line)}".ljust(_LINE - 1).encode() + b"\n"
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, content)

    def release(self) -> None:
        """Let another writer in. The file stays: to remove it would let two in."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def holder(path: Path) -> str:
    """The process that writes the journal at `path` now, '' for none: "?" when it cannot be told which."""
    try:
        file = os.open(beside(path), os.O_RDWR)
    except OSError:
        return ""
    try:
        _take(file)  # closing lets go of it again
    except OSError:
        return _read(file)[0] or "?"
    finally:
        os.close(file)
    return ""


def last_head(path: Path) -> Head | None:
    """What the writer of the journal at `path` noted last, for readers; None when there is no note."""
    try:
        file = os.open(beside(path), os.O_RDONLY)
    except OSError:
        return None
    try:
        return _read(file)[1]
    finally:
        os.close(file)


def _read(file: int) -> tuple[str, Head | None]:
    """The writer's process id and its note. One that was altered counts as none: the chain still holds."""
    os.lseek(file, 0, os.SEEK_SET)
    fields = os.read(file, _LINE).decode("ascii", "replace").split()
    if len(fields) != 4 or _sum(" ".join(fields[:3])) != fields[3] or fields[2] == "-":
        return (fields[0] if len(fields) == 4 and fields[0].isdigit() else ""), None
    return fields[0], Head(int(fields[1]), bytes.fromhex(fields[2]))


def _sum(line: str) -> str:
    return blake2b(line.encode(), digest_size=8).hexdigest()


if sys.platform == "win32":

    def _take(file: int) -> None:
        os.lseek(file, 1 << 30, os.SEEK_SET)  # beyond the note, which others may read
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
