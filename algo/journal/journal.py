"""The journal of a live run: appended to, committed before anything is sent, never changed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections import deque
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from threading import Lock as ThreadLock
from typing import Any, Self

from algo.clock import local_date
from algo.errors import CodecError, JournalError, JournalFailed, JournalForeign
from algo.fastconnect.secret import Secret
from algo.journal import chain
from algo.journal.codec import Codec
from algo.journal.integrity import verify
from algo.journal.lock import Head, Lock, beside
from algo.journal.reading import Records, RowKind
from algo.journal.registry import CODEC
from algo.journal.storage import (
    Connect,
    Connection,
    check_file,
    check_kind,
    connect,
    create,
    damaged,
    gone,
    is_empty,
    make_durable,
    reason,
    sync_folder,
    translated,
)

_LATEST = 1 << 63  # what SQLite's integers hold
_HIDDEN = "<secret>"
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)?")
_SHORTEST = 12  # characters of a secret that is looked for: a PIN's digits stand in honest numbers too


class Journal(Records):
    """The one writer of a journal, and a reader of what it committed.

    ``append`` is cheap and keeps a row in memory; ``commit`` makes all that was appended durable with one
    sync, whole or not at all. What a row covers and the row that says so (events and the stream's position)
    belong in one commit. One thread appends; another one may commit meanwhile.

    When a commit fails the journal is `failed`: it takes nothing more, and what was committed is safe.
    Whether the rows of that commit are there is known when it is opened again.
    """

    def __init__(
        self, path: Path, connection: Connection, codec: Codec, connect: Connect, lock: Lock, head: Head
    ) -> None:
        super().__init__(path, connection, codec)
        self.failed = ""
        """Why nothing more can be written, '' while it can."""
        self.new = head.seq == 0
        """Whether it was opened without a row: nothing is known of before, unlike after a restart."""
        self._connect = connect
        self._lock = lock
        self._head = head
        self._next = head.seq + 1
        self._pending: deque[tuple[int, str, int, str, str]] = deque()
        self._writing = ThreadLock()
        self._day = ""
        self._hidden: list[str] = []

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        codec: Codec = CODEC,
        connect: Connect = connect,
        account: str = "",
        moved: bool = False,
    ) -> Self:
        """The journal at `path`, made when there is none, checked when there is one.

        `account` is a fingerprint of the accounts that it records (`fingerprint`); `moved` accepts a journal
        that was copied here from another place. Raises JournalLocked when it has a writer, JournalForeign
        when it is another account's, another version's or a copy, JournalDamaged when it is not as it was
        written, JournalFailed when it cannot be written.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise translated(error, path) from None
        check_file(path)
        if path.is_file() and path.stat().st_size and not beside(path).exists():
            Records.open(path, codec=codec).close()  # before anything is written beside what is no journal
        lock = Lock(path)
        connection = None
        try:
            fresh = _begin(path, lock)
            connection = connect(path)
            if is_empty(connection):
                if not fresh:
                    raise damaged(path, "it is empty")  # noqa: TRY301
                make_durable(connection)
                create(connection, _meta(path, account, codec))
                sync_folder(path)
            check_kind(connection, path)
            make_durable(connection)
            head = verify(Records(path, connection, codec), lock.head)
            journal = cls(path, connection, codec, connect, lock, head)
            journal._own(account, moved)
        except BaseException as error:
            if connection is not None:
                connection.close()
            lock.release()
            if isinstance(error, Exception):
                raise translated(error, path) from None
            raise
        return journal

    def _own(self, account: str, moved: bool) -> None:
        """Refuse a journal of another account, of unknown rows, or copied; note its place and shapes.

        The note is written even when it says nothing new: a file that is read-only is found out here.
        """
        meta = self.meta()
        if (owner := json.loads(meta["identity"])["account"]) != account:
            raise JournalForeign(f"{self.path} is the journal of another account ({owner or 'none'})")
        self.check_shapes()
        place = _place(self.path)
        if meta["file"] != place["file"] and meta["path"] != place["path"] and not moved:
            raise JournalForeign(
                f"{self.path} is a copy of {meta['path']}: the other one may have gone on since;"
                " name the right one, or say that this one was moved"
            )
        now = place | {"shapes": json.dumps(self.codec.shapes())}
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("REPLACE INTO meta VALUES (?, ?)", now.items())
        self._connection.execute("COMMIT")

    # -- writing --------------------------------------------------------------------------------

    def start_day(self, day: date) -> None:
        """The trading day of the rows that follow, by the server's calendar. Until told: of their moment."""
        self._day = day.isoformat()

    def hide(self, *secrets: Secret) -> None:
        """Keep these out of every row that follows, whatever text they are part of. Tokens always are."""
        texts = [json.dumps(one.reveal())[1:-1] for one in secrets]
        self._hidden += [text for text in texts if len(text) >= _SHORTEST and not text.isdigit()]

    def append(self, kind: RowKind, ns: int, value: Any) -> int:
        """Keep a row for the next commit, and give its number. `ns` is market time.

        Raises CodecError, and keeps nothing, for a value that cannot be recorded; JournalFailed once a
        commit has failed.
        """
        if self.failed:
            raise JournalFailed(self.failed)
        if not isinstance(ns, int) or not 0 <= ns < _LATEST:
            raise CodecError(f"{ns!r} is no market time")
        body = self.codec.encode(value)
        if "eyJ" in body:
            body = _TOKEN.sub(_HIDDEN, body)
        for text in self._hidden:
            if text in body:
                body = body.replace(text, _HIDDEN)
        seq = self._next
        self._pending.append((seq, self._day or local_date(ns).isoformat(), ns, kind.value, body))
        self._next = seq + 1
        return seq

    def commit(self) -> int:
        """Make all that was appended durable, and give the number of the last row.

        Raises JournalFailed when that cannot be had: treat what was appended as never done.
        """
        with self._writing:
            if self.failed:
                raise JournalFailed(self.failed)
            pending = self._pending
            rows, before = [], self._head.chain
            for _ in range(len(pending)):
                seq, day, ns, kind, body = pending.popleft()
                before = chain.link(before, seq, day, ns, kind, body)
                rows.append((seq, day, ns, kind, body, before))
            if not rows:
                return self._head.seq
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", rows)
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._fail(error)
                if isinstance(error, Exception):
                    raise JournalFailed(self.failed) from None
                raise
            self._head = Head(rows[-1][0], before)
            with contextlib.suppress(OSError):  # an older note is a weaker check, and no reason to stop
                self._lock.note(self._head)
            return self._head.seq

    def _fail(self, error: BaseException) -> None:
        """Take nothing more: nobody can tell how far that commit came."""
        self.failed = f"{self.path} takes nothing more: {reason(error)}"
        with contextlib.suppress(Exception):
            self._connection.execute("ROLLBACK")

    def checkpoint(self) -> None:
        """Move rows from SQLite's write-ahead log into the file, so that no commit has to.

        For another thread, every few seconds: it takes a while, and commits go on meanwhile.
        """
        try:
            with contextlib.closing(self._connect(self.path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except Exception as error:  # noqa: BLE001
            raise translated(error, self.path) from None

    def close(self) -> None:
        """Commit what was appended, unless a commit has failed, and let another writer in."""
        try:
            if not self.failed:
                self.commit()
        finally:
            try:
                self._connection.close()
            finally:
                self._lock.release()


def fingerprint(*accounts: str) -> str:
    """A short text that tells one set of account numbers from another and does not show them."""
    return blake2b("\n".join(sorted(accounts)).encode(), digest_size=8).hexdigest()


def set_aside(path: Path | str, now: datetime) -> Path:
    """Rename a journal whole, with its log and its note, so that a new one can begin. Gives its new place.

    For a damaged one, after a person agreed. Raises JournalLocked while it has a writer.
    """
    path = Path(path)
    lock = Lock(path)
    try:
        aside = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S}")
        if aside.exists():
            raise JournalError(f"{aside} is there already")
        beside(aside).write_bytes(beside(path).read_bytes())
        # The log first: a file without its log is noticed, a log beside a new file might be lost.
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        sync_folder(path)
        lock.note(None)
    except OSError as error:
        raise translated(error, path) from None
    finally:
        lock.release()
    return aside


def _begin(path: Path, lock: Lock) -> bool:
    """Make the file when there is none, readable by its owner alone. Whether a journal begins here."""
    missing = not path.exists()
    if lock.head is not None:
        if missing:
            raise gone(path, lock.head)
        return False
    if missing:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return True


def _meta(path: Path, account: str, codec: Codec) -> dict[str, str]:
    identity = json.dumps({"id": secrets.token_hex(16), "account": account})
    return {"identity": identity, "shapes": json.dumps(codec.shapes()), **_place(path)}


def _place(path: Path) -> dict[str, str]:
    """What tells a journal from a copy of it: a copy has another file number and another path."""
    return {"file": str(path.stat().st_ino), "path": str(path.resolve())}
