"""Reading a journal: its rows in order, and the questions that a restart asks of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Self

from algo.errors import CodecError, JournalForeign
from algo.journal import chain
from algo.journal.codec import Codec
from algo.journal.lock import Head, last_head
from algo.journal.records import Halted, HaltLifted, StrategyState, StreamPosition
from algo.journal.registry import CODEC
from algo.journal.storage import (
    Connect,
    Connection,
    check_file,
    check_kind,
    connect_reader,
    damaged,
    gone,
    is_empty,
    translated,
)

_BATCH = 1_000
_SELECT = "SELECT seq, day, ns, kind, body FROM"
_FEW = "rows INDEXED BY rows_by_kind WHERE kind <> 'input' AND"  # SQLite does not see by itself that it can
_ALL = "rows WHERE"


class RowKind(StrEnum):
    """What a row is about."""

    RUN = "run"  # a process began: version, strategies, parameters, settings
    INPUT = "input"  # an event as it was given to the engine
    DECISION = "decision"  # what strategies asked for in the step of the input before it
    COMMAND = "command"  # what the engine decided, before it is sent
    OUTCOME = "outcome"  # what became of sending it
    ORDER = "order"  # what an order was when it was first sent
    CURSOR = "cursor"  # where the broker's stream was left
    STATE = "state"  # a strategy's own state
    HALT = "halt"
    ALARM = "alarm"
    OPERATOR = "operator"  # what a person asked for
    NOTE = "note"


class Row(NamedTuple):
    """One row. `day` is the trading day, `ns` the market time at which it was written."""

    seq: int
    day: date
    ns: int
    kind: RowKind
    value: Any


class Records:
    """What a journal holds, read-only. Rows that were appended and not committed are not seen.

    Made by `Records.open`; close it, or use it in a `with` statement.
    """

    def __init__(self, path: Path, connection: Connection, codec: Codec) -> None:
        self.path = path
        self.codec = codec
        self._connection = connection

    @classmethod
    def open(cls, path: Path | str, *, codec: Codec = CODEC, connect: Connect = connect_reader) -> Self:
        """The journal at `path`, perhaps of a run that is going on.

        Raises JournalForeign when there is none that this version reads, JournalDamaged when SQLite cannot
        make sense of it. The chain is not looked at: `algo.journal.integrity` does that.
        """
        path = Path(path)
        if not path.is_file():
            if (noted := last_head(path)) is not None:
                raise gone(path, noted)
            raise JournalForeign(f"{path}: no such journal")
        check_file(path)
        connection = None
        try:
            connection = connect(path)
            if is_empty(connection):
                raise damaged(path, "it is empty")  # noqa: TRY301
            check_kind(connection, path)
            records = cls(path, connection, codec)
            records.check_shapes()
        except Exception as error:  # noqa: BLE001
            if connection is not None:
                connection.close()
            raise translated(error, path) from None
        return records

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- about the journal ----------------------------------------------------------------------

    def meta(self) -> dict[str, str]:
        """What the journal says of itself: identity, account, the shapes of its rows."""
        return dict(self._query("SELECT name, value FROM meta"))

    def check_shapes(self) -> None:
        """Raise JournalForeign when its rows are of types that the codec does not have so."""
        why = self.codec.reads(json.loads(self.meta().get("shapes", "{}")))
        if why:
            raise JournalForeign(
                f"{self.path} was written by another version of algo: {why}; use the one that wrote it"
            )

    def head(self) -> Head:
        """The last committed row and its hash; row 0 before the first."""
        found = self._query("SELECT seq, chain FROM rows ORDER BY seq DESC LIMIT 1")
        return Head(*found[0]) if found else Head(0, chain.root(self.meta().get("identity", "")))

    def noted(self) -> Head | None:
        """What the writer noted as committed last, beside the journal."""
        return last_head(self.path)

    def days(self) -> list[date]:
        """The trading days that have rows, in order."""
        found = self._query("SELECT DISTINCT day FROM rows ORDER BY day")
        return [date.fromisoformat(day) for (day,) in found]

    # -- rows -----------------------------------------------------------------------------------

    def rows(
        self,
        *,
        day: date | None = None,
        kinds: Iterable[RowKind] | None = None,
        since: int = 1,
        until: int | None = None,
    ) -> Iterator[Row]:
        """Rows in the order in which they were written: of a day, of some kinds, from `since` to `until`.

        Raises JournalDamaged at a row that cannot be read. Rows that come while one reads may be seen.
        """
        few, asked = False, ["seq >= ?", "seq <= ?"]
        given: list[Any] = [since, until if until is not None else 1 << 62]
        if day is not None:
            asked.append("day = ?")
            given.append(day.isoformat())
        if kinds is not None:
            wanted = [str(one) for one in kinds]
            asked.append(f"kind IN ({', '.join('?' * len(wanted))})")
            given += wanted
            few = RowKind.INPUT not in wanted
            if not wanted:
                return
        where = f"{_FEW if few else _ALL} {' AND '.join(asked)}"
        try:
            cursor = self._connection.execute(f"{_SELECT} {where} ORDER BY seq", given)
            while batch := cursor.fetchmany(_BATCH):
                for seq, on, ns, kind, body in batch:
                    yield self._row(seq, on, ns, kind, body)
        except Exception as error:  # noqa: BLE001 - another `connect` may have errors of its own
            raise translated(error, self.path) from None

    def events(self, *types: type, day: date | None = None) -> Iterator[Row]:
        """The inputs of these types alone: of a whole day of market data, only they are decoded."""
        asked = " OR ".join("body GLOB ?" for _ in types) or "0"
        given: list[Any] = [f'{{"${one.__name__}":*' for one in types]
        rows = self._query(
            f"{_SELECT} rows WHERE kind = 'input' AND (? = '' OR day = ?) AND ({asked}) ORDER BY seq",
            [on := str(day or ""), on, *given],
        )
        return (self._row(*row) for row in rows)

    def last(self, kind: RowKind, *, day: date | None = None) -> Row | None:
        """The last row of a kind, of one day or of all."""
        found = self._query(
            f"{_SELECT} {_ALL if kind is RowKind.INPUT else _FEW} kind = ? AND (? = '' OR day = ?)"
            " ORDER BY seq DESC LIMIT 1",
            [kind.value, on := str(day or ""), on],
        )
        return self._row(*found[0]) if found else None

    def _row(self, seq: int, day: str, ns: int, kind: str, body: str) -> Row:
        try:
            return Row(seq, date.fromisoformat(day), ns, RowKind(kind), self.codec.decode(body))
        except (CodecError, ValueError, TypeError) as error:
            raise damaged(self.path, str(error), seq) from None

    # -- what a restart asks --------------------------------------------------------------------

    def cursor(self, day: date) -> str:
        """Where the broker's stream was left on that day, '' for nowhere."""
        row = self.last(RowKind.CURSOR, day=day)
        return row.value.position if row and isinstance(row.value, StreamPosition) else ""

    def states(self) -> dict[str, dict[str, object]]:
        """The last state of each strategy that kept one."""
        found = (row.value for row in self.rows(kinds=[RowKind.STATE]))
        return {one.strategy: one.state for one in found if isinstance(one, StrategyState)}

    def halts(self) -> dict[str, Halted]:
        """The halts that were not lifted, by scope."""
        halts: dict[str, Halted] = {}
        for row in self.rows(kinds=[RowKind.HALT]):
            if isinstance(row.value, Halted):
                halts.setdefault(row.value.scope, row.value)
            elif isinstance(row.value, HaltLifted):
                halts.pop(row.value.scope, None)
        return halts

    def request_ids(self, day: date) -> dict[int, int]:
        """How many request ids each strategy's slot has given away on `day`.

        An id is two digits of slot, five of counter and a check digit (`algo.orders.request_id`). One that is
        in no row was never sent.
        """
        used: dict[int, int] = {}
        for row in self.rows(day=day, kinds=[RowKind.COMMAND]):
            digits = getattr(row.value, "request_id", "")
            if len(digits) == 8 and digits.isascii() and digits.isdigit():
                slot, counter = int(digits[:2]), int(digits[2:7])
                used[slot] = max(used.get(slot, 0), counter + 1)
        return used

    def _query(self, sql: str, given: Iterable[Any] = ()) -> list[Any]:
        try:
            return list(self._connection.execute(sql, tuple(given)).fetchall())
        except Exception as error:  # noqa: BLE001 - another `connect` may have errors of its own
            raise translated(error, self.path) from None
