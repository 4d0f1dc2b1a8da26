"""Tables from files and DataFrames, and numbers from the columns that came as text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from algo.data.columns import plain
from algo.data.series import Floats, Ints
from algo.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet", ".pq")
_THOUSANDS = {"K": 1e3, "M": 1e6, "B": 1e9}


def read_file(path: Path) -> pa.Table:
    """The table in a CSV or Parquet file. Raises DataError when there is none to be read."""
    if not path.exists():
        raise DataError(f"{path}: no such file")
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pa.parquet.read_table(path)
        return _read_csv(path)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read: {reason[:200]}") from error


def _read_csv(path: Path) -> pa.Table:
    with path.open("rb") as file:
        head = file.read(65_536)
    if not head.strip():
        raise DataError(f"{path}: the file is empty")
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    lines = head.decode(encoding, errors="replace").split("\n")
    delimiter = max(",;\t|", key=lines[0].count)
    decimal = "," if delimiter != "," and _decimal_comma("".join(lines[1:2])) else "."
    return pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(encoding=encoding),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter),
        convert_options=pa.csv.ConvertOptions(
            auto_dict_encode=True, auto_dict_max_cardinality=5_000, decimal_point=decimal
        ),
    )


def _decimal_comma(line: str) -> bool:
    """Whether numbers in a line that commas do not divide have their decimals after a comma."""
    if re.search(r"\d,(\d{1,2}|\d{4,})(?!\d)", line):
        return True
    return bool(re.search(r"\d,\d", line)) and not re.search(r"\d\.\d", line)


def from_frame(frame: pd.DataFrame, source: str) -> pa.Table:
    """The table of a DataFrame; an index that holds times or has a name becomes a column."""
    import pandas as pd

    if isinstance(frame.index, (pd.MultiIndex, pd.DatetimeIndex)) or frame.index.name:
        names = [name or "time" for name in frame.index.names]
        if len(names) > 1 or plain(names[0]) not in {plain(column) for column in frame.columns}:
            frame = frame.rename_axis(names).reset_index()
    if isinstance(frame.columns, pd.MultiIndex):
        frame = frame.set_axis([str(column[0]) for column in frame.columns], axis=1)
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{source}: cannot be read: {reason[:200]}") from error


def numbers(column: pa.ChunkedArray) -> Floats:
    """float64 values, NaN where there is none; text such as 1,234.5 or 1.234,5 or 3.2M is understood."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(column)
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return np.full(len(column), np.nan)
    whole = column.cast(pa.float64(), safe=False)
    values: Floats = whole.fill_null(float("nan")).to_numpy() if whole.null_count else whole.to_numpy()
    return values


def counts(column: pa.ChunkedArray) -> Floats | Ints:
    """int64 values when every one is whole and there, else float64 as `numbers`."""
    if pa.types.is_integer(column.type) and not column.null_count:
        values: Ints = column.cast(pa.int64(), safe=False).to_numpy()
        return values
    return numbers(column)


def _from_text(column: pa.ChunkedArray) -> Floats:
    text = pc.utf8_upper(pc.replace_substring_regex(column, pattern=r"[\s\"'%₫]", replacement=""))
    suffix = pc.utf8_slice_codeunits(text, -1)
    scale = np.ones(len(column))
    for letter, times in _THOUSANDS.items():
        here = pc.fill_null(pc.equal(suffix, letter), False).to_numpy()
        scale[here] = times
    text = pc.replace_substring_regex(text, pattern=r"[KMB]$", replacement="")
    thousands, decimal = _marks(text)
    text = pc.replace_substring(text, pattern=thousands, replacement="")
    if decimal != ".":
        text = pc.replace_substring(text, pattern=decimal, replacement=".")
    number = pc.match_substring_regex(text, pattern=r"^[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?$")
    text = pc.if_else(number, text, pa.scalar(None, text.type))
    values: Floats = text.cast(pa.float64()).fill_null(float("nan")).to_numpy()
    return values * scale


def _marks(text: pa.ChunkedArray) -> tuple[str, str]:
    """The thousands mark and the decimal mark of numbers written as text."""

    if pc.all(pc.match_substring_regex(text, pattern=r"^\d{1,3}(\.\d{3})+$")).as_py():
        return ".", ","  # otherwise the column would have been read as numbers

    def some(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(text, pattern=pattern)).as_py())

    if some(r",.*\.") or (some(r",\d{3}(,|$)") and not some(r",(\d{1,2}|\d{4,})$") and not some(r"\..*,")):
        return ",", "."
    if some(","):
        return ".", ","
    return ",", "."


def labels(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Each row's number among the labels, and the labels in order of appearance, in upper case."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    column = column.unify_dictionaries()
    names: list[Any] = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    if not names:
        return np.full(len(column), -1), []
    indices = pa.chunked_array([chunk.indices.cast(pa.int64()) for chunk in column.chunks])
    numbers: Ints = indices.fill_null(-1).to_numpy()
    clean = [str(name).strip().upper() for name in names]
    order = list(dict.fromkeys(clean))
    if order != clean or (numbers < 0).any():
        table = np.array([order.index(name) for name in clean] + [len(order)], dtype=np.int64)
        numbers = table[numbers]  # -1, no label, is the last entry
        if (numbers == len(order)).any():
            order.append("")
    return numbers, order
