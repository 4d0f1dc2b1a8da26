"""The catalog: a folder of Parquet files that keeps imported bars, one file a symbol and width.

``SYMBOL/1m.parquet`` holds the columns of a `Series`; its kind, notes and origin lie in the file's
own metadata, so a file can be moved, copied or read by other tools. A file is written aside and put
in place in one step: a crash leaves the old one or the new one, never half of one.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from algo.data.series import PRICES, Moment, Series, join, moment_ns, stamp, width_name
from algo.data.widths import finished, parse_width, widen
from algo.errors import CatalogError, DataError
from algo.model import Board

ENVIRONMENT = "ALGO_CATALOG"
DEFAULT = "catalog"

_KEY = b"algo"
_FORMAT = 1
_NAME = re.compile(r"[A-Z0-9][A-Z0-9._-]*")
_INTEGERS = ("time", "start", "volume")


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored series: what it is and where it came from, without its bars.

    `first` is when its first bar began and `last` when its last one was complete, in nanoseconds;
    `size` is in bytes. `synthetic` bars were made up and say nothing about a market.
    """

    symbol: str
    width: int
    bars: int
    first: int
    last: int
    board: Board
    adjusted: bool
    contracts: tuple[str, ...]
    sources: tuple[str, ...]
    synthetic: bool
    notes: tuple[str, ...]
    size: int
    path: Path

    def __str__(self) -> str:
        span = f"{stamp(self.first)} to {stamp(self.last)}"
        return f"{self.symbol} {width_name(self.width)}: {self.bars:,} bars, {span}"


class Catalog:
    """A catalog under `root`, else where the variable ALGO_CATALOG points, else ``./catalog``.

    Reading a catalog that is not there finds nothing; writing makes it.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or os.environ.get(ENVIRONMENT) or DEFAULT).expanduser()

    def __repr__(self) -> str:
        return f"<Catalog {self.root}>"

    def save(
        self,
        series: Series,
        *,
        source: str = "",
        synthetic: bool = False,
        replace_all: bool = False,
    ) -> Entry:
        """Keep `series`, together with what is stored of its symbol and width already.

        Where both have a bar of one time, the new one wins; `replace_all` forgets the old ones. Raises
        CatalogError when the series is empty or of another kind than the stored one (adjusted or not,
        board, synthetic or not, contracts named or not).
        """
        if not len(series):
            raise CatalogError(f"{series.symbol}: there are no bars to keep")
        if not _NAME.fullmatch(series.symbol):
            raise CatalogError(f"{series.symbol!r} cannot name a catalog entry; use letters and digits")
        path = self._path(series.symbol, series.width)
        sources = [source] if source else []
        if path.exists() and not replace_all:
            old = self._entry(path)
            if old.synthetic != synthetic:
                new, kept = ("synthetic", "real") if synthetic else ("real", "synthetic")
                raise CatalogError(
                    f"{old.symbol}: {new} bars do not go with the {kept} ones in {self.root}; "
                    "replace those or use another catalog"
                )
            try:
                series = join([self._read(path), series])
            except DataError as error:
                raise CatalogError(
                    f"{error}; replace what {self.root} has, or use another catalog"
                ) from error
            sources = [*(one for one in old.sources if one != source), *sources]
        meta = {
            "format": _FORMAT,
            "symbol": series.symbol,
            "width": series.width,
            "board": str(series.board),
            "adjusted": series.adjusted,
            "notes": series.notes,
            "sources": sources,
            "synthetic": synthetic,
            "bars": len(series),
            "first": int(series.start[0]),
            "last": int(series.time[-1]),
            "contracts": [] if series.contract is None else list(dict.fromkeys(series.contract.tolist())),
        }
        _write(
            path,
            _table(series).replace_schema_metadata({_KEY: json.dumps(meta, ensure_ascii=False).encode()}),
        )
        return self._entry(path)

    def entries(self) -> list[Entry]:
        """Every entry, by symbol and width. Raises CatalogError when a file in it is damaged."""
        return sorted((self._entry(path) for path in self._paths()), key=lambda one: (one.symbol, one.width))

    def show(self, symbol: str) -> list[Entry]:
        """The entries of one symbol, the finest width first. Raises CatalogError for an unknown symbol."""
        return sorted((self._entry(path) for path in self._of(symbol)), key=lambda one: one.width)

    def symbols(self) -> list[str]:
        """The symbols that the catalog has."""
        return sorted({path.parent.name for path in self._paths()})

    def __contains__(self, symbol: str) -> bool:
        return any(path.parent.name == symbol.strip().upper() for path in self._paths())

    def load(
        self,
        symbol: str,
        width: str | int | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
    ) -> Series:
        """The bars of `symbol` from `from_` to `to`, a date meaning that whole day.

        Without `width`, the finest stored. A width that is not stored is built from the widest finer
        one. Raises CatalogError for an unknown symbol, or a width that cannot be had.
        """
        widths = {entry.width: entry.path for entry in self.show(symbol)}
        wanted = min(widths) if width is None else parse_width(width)
        stored = max((one for one in widths if one <= wanted and wanted % one == 0), default=None)
        if stored is None:
            have = ", ".join(width_name(one) for one in widths)
            raise CatalogError(
                f"{symbol.upper()}: {self.root} has {have} bars, from which no {width} bars can be built"
            )
        if stored == wanted:
            return self._read(widths[stored], from_, to)
        # A wide bar needs all its narrow ones: cut afterwards.
        narrow = self._read(widths[stored])
        return widen(narrow, wanted, finished(narrow)).between(from_, to)

    def remove(self, symbol: str, width: str | int | None = None) -> int:
        """Delete a symbol's entries, or the one of `width`; returns how many there were."""
        wanted = None if width is None else parse_width(width)
        gone = [entry.path for entry in self.show(symbol) if wanted in {None, entry.width}]
        if not gone:
            raise CatalogError(f"{symbol.upper()}: {self.root} has no {width} bars")
        for path in gone:
            path.unlink()
        folder = gone[0].parent
        if not any(folder.iterdir()):
            folder.rmdir()
        return len(gone)

    def _path(self, symbol: str, width: int) -> Path:
        return self.root / symbol / f"{width_name(width)}.parquet"

    def _paths(self) -> Iterator[Path]:
        return self.root.glob("*/*.parquet")

    def _of(self, symbol: str) -> list[Path]:
        name = symbol.strip().upper()
        found = [path for path in self._paths() if path.parent.name == name]
        if found:
            return found
        known = self.symbols()
        if not known:
            raise CatalogError(f"{self.root} has no data yet; import some with: algo data import FILE")
        near = get_close_matches(name, known, 1, 0.5)
        hint = f", did you mean {near[0]}?" if near else f"; it has {', '.join(known[:12])}"
        raise CatalogError(f"{self.root} has no {name}{hint}")

    def _entry(self, path: Path) -> Entry:
        try:
            meta = json.loads(pq.read_schema(path).metadata[_KEY])
            return Entry(
                symbol=meta["symbol"],
                width=meta["width"],
                bars=meta["bars"],
                first=meta["first"],
                last=meta["last"],
                board=Board(meta["board"]),
                adjusted=meta["adjusted"],
                contracts=tuple(meta["contracts"]),
                sources=tuple(meta["sources"]),
                synthetic=meta["synthetic"],
                notes=tuple(meta["notes"]),
                size=path.stat().st_size,
                path=path,
            )
        except (pa.ArrowException, OSError, TypeError, KeyError, ValueError) as error:
            raise CatalogError(
                f"{path} is damaged or not written by algo: remove it and import again"
            ) from error

    def _read(self, path: Path, from_: Moment | None = None, to: Moment | None = None) -> Series:
        entry = self._entry(path)
        filters: list[tuple[str, str, int]] = []
        if from_ is not None:
            filters.append(("start", ">=", moment_ns(from_)))
        if to is not None:
            filters.append(("time", "<=", moment_ns(to, end=True)))
        try:
            # Not as a dataset: its folders and their names mean nothing to the reader.
            table = pq.read_table(path, filters=filters or None, partitioning=None)
        except (pa.ArrowException, OSError) as error:
            raise CatalogError(f"{path} is damaged: remove it and import again") from error
        return _series(table, entry)


def _table(series: Series) -> pa.Table:
    columns: dict[str, Any] = {name: pa.array(getattr(series, name)) for name in (*_INTEGERS, *PRICES)}
    if series.contract is not None:
        names, codes = np.unique(series.contract.astype(str), return_inverse=True)
        columns["contract"] = pa.DictionaryArray.from_arrays(
            pa.array(codes, pa.int32()), pa.array(names.tolist())
        )
    return pa.table(columns)


def _series(table: pa.Table, entry: Entry) -> Series:
    columns = {name: table.column(name).to_numpy() for name in (*_INTEGERS, *PRICES)}
    contract = None
    if "contract" in table.column_names:
        column = table.column("contract").combine_chunks().dictionary_encode()
        names = np.array(column.dictionary.to_pylist(), dtype=object)
        contract = names[column.indices.to_numpy()]
    return Series(
        symbol=entry.symbol,
        width=entry.width,
        contract=contract,
        board=entry.board,
        adjusted=entry.adjusted,
        notes=entry.notes,
        **columns,
    )


def _write(path: Path, table: pa.Table) -> None:
    """Write aside, make it durable, put it in place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                pq.write_table(table, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            Path(aside).replace(path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        if os.name == "posix":  # elsewhere a folder cannot be synced
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise CatalogError(f"{path} cannot be written: {error.strerror or error}") from error
