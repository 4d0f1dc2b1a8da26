"""Whether a journal is as it was written: SQLite's own check, the hash chain, and the writer's note."""

from __future__ import annotations

from algo.journal import chain
from algo.journal.lock import Head
from algo.journal.reading import Records
from algo.journal.storage import damaged, translated


def verify(records: Records, noted: Head | None, *, whole: bool = False) -> Head:
    """Check the structure of the file, and the chain of the last day or the `whole` one. Gives its last row.

    `noted` is the row that the writer noted last: a journal without it has lost rows. Raises
    JournalDamaged, which names the first row that is not as it was where that can be told.
    """
    path, connection = records.path, records._connection
    try:
        # Not `quick_check`, which does not look whether an index has every row: a halt must not be missed.
        answers = [str(one) for (one,) in connection.execute("PRAGMA integrity_check(3)").fetchall()]
        if answers != ["ok"]:
            raise damaged(path, "; ".join(" ".join(one.split()) for one in answers))  # noqa: TRY301
        return _chained(records, noted, 1 if whole else _first_of_last_day(records))
    except Exception as error:  # noqa: BLE001 - another `connect` may have errors of its own
        raise translated(error, path) from None


def _first_of_last_day(records: Records) -> int:
    found = records._query("SELECT day FROM rows ORDER BY seq DESC LIMIT 1")
    if not found:
        return 1
    # Days come in order, so the rows of the last one have no other between them.
    (first,) = records._query("SELECT min(seq) FROM rows WHERE day = ?", found[0])[0]
    return int(first)


def _chained(records: Records, noted: Head | None, since: int) -> Head:
    path = records.path
    head = Head(0, chain.root(records.meta().get("identity", "")))
    if since > 1:
        found = records._query("SELECT seq, chain FROM rows WHERE seq = ?", [since - 1])
        if not found:
            raise damaged(path, "a row is missing", since - 1)
        head = Head(*found[0])
    cursor = records._connection.execute(
        "SELECT seq, day, ns, kind, body, chain FROM rows WHERE seq >= ? ORDER BY seq", [since]
    )
    seq, before = head
    while batch := cursor.fetchmany(1_000):
        for found_seq, day, ns, kind, body, mark in batch:
            seq += 1
            if found_seq != seq:
                raise damaged(path, "a row is missing", seq)
            before = chain.link(before, seq, day, ns, kind, body)
            if before != mark:
                raise damaged(path, "the row or its hash was altered", seq)
    if noted is not None:
        if noted.seq > seq:
            raise damaged(path, f"{noted.seq:,} rows were committed, and {seq:,} are left", seq + 1)
        if records._query("SELECT chain FROM rows WHERE seq = ?", [noted.seq]) != [(noted.chain,)]:
            raise damaged(path, "the row is another one than was committed", noted.seq)
    return Head(seq, before)
