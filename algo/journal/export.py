"""Rows for people and other programs: plain JSON with named fields, and CSV."""

from __future__ import annotations

import csv
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import IO, Any

from algo.clock import to_datetime
from algo.errors import SettingError
from algo.journal.reading import Row

COLUMNS = ("seq", "day", "time", "ns", "kind", "type", "value")


def plain(value: Any) -> Any:
    """`value` as strict JSON has it, for reading, not for reading back: records as objects with their fields'
    names, enums by name, times in ISO 8601, NaN and the infinities as texts."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(one) for name, one in zip(value._fields, value, strict=True)}
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value) if one.init}
    if isinstance(value, Mapping):
        return {_key(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(one) for one in value), key=str)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, Decimal) else repr(value)


def facts(row: Row) -> dict[str, Any]:
    """One row as plain JSON."""
    return {
        "seq": row.seq,
        "day": row.day.isoformat(),
        "time": to_datetime(row.ns).isoformat(),
        "ns": row.ns,
        "kind": row.kind.value,
        "type": type(row.value).__name__,
        "value": plain(row.value),
    }


def concerns(value: Any, one: str) -> bool:
    """Whether a value is about the order or request that `one` names: ours, the broker's or a request's id.

    The 8 digits of a request are enough to name the order that it placed.
    """
    if isinstance(value, dict):
        named = [value[key] for key in _IDS & value.keys()]
        if any(isinstance(name, str) and (name == one or name.endswith(f"-{one}")) for name in named):
            return True
        return any(concerns(held, one) for held in value.values())
    return isinstance(value, list) and any(concerns(held, one) for held in value)


_IDS = frozenset({"order_id", "request_id", "broker_id", "parent", "refused_request"})


def write(rows: Iterable[Row], out: Path) -> int:
    """Write rows to `out` as JSON lines or, for .csv, as CSV; whole or not at all. Gives their count.

    Raises SettingError for another ending, and when the place cannot be written.
    """
    writers: dict[str, Callable[[Iterable[Row], IO[str]], int]] = {".jsonl": as_lines, ".csv": as_csv}
    writer = writers.get(out.suffix.lower())
    if writer is None:
        raise SettingError(f"{out}: the name of an export ends in .jsonl or .csv")
    try:
        handle, aside = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    except OSError as error:
        raise SettingError(f"cannot write {out}: {error.strerror}") from None
    try:
        # What is no Unicode stays the escape that JSON has for it.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            count = writer(rows, file)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(out)
    except OSError as error:
        raise SettingError(f"cannot write {out}: {error.strerror}") from None
    finally:
        Path(aside).unlink(missing_ok=True)
    return count


def as_lines(rows: Iterable[Row], file: IO[str]) -> int:
    """One JSON object a line."""
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        file.write(json.dumps(facts(row), ensure_ascii=False, allow_nan=False) + "\n")
    return count


def as_csv(rows: Iterable[Row], file: IO[str]) -> int:
    """A head and one line a row; the value is JSON."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        told = facts(row)
        told["value"] = json.dumps(told["value"], ensure_ascii=False, allow_nan=False)
        writer.writerow([told[name] for name in COLUMNS])
    return count


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(plain(key))
