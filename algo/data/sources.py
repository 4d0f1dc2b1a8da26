"""Whatever a user calls data, as series by symbol: files, folders, DataFrames, catalog symbols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algo.data.catalog import Catalog
from algo.data.reading import Reading, examine, refusal, reshaped
from algo.data.series import Moment, Series, join, moment_ns, stamp
from algo.data.tables import SUFFIXES
from algo.errors import CatalogError, DataError, SettingError

if TYPE_CHECKING:
    from algo.data.reading import Source

OPTIONS = tuple(signature(examine).parameters)[1:]


def load(
    sources: Source | Iterable[Source],
    *,
    catalog: Catalog | str | Path | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    **overrides: Any,
) -> dict[str, Series]:
    """Series by symbol from one source or several; parts of one symbol are joined, the later one wins.

    A source is anything that `reading.read` takes, or the symbol of a catalog entry. `from_` and `to`
    cut (a date means that whole day). Other keyword arguments are those of `reading.examine`; of
    these, only `width` says something about a catalog symbol. Raises DataError when rows cannot be
    used or no bar lies in the range, SettingError for a keyword argument that there is not, and
    CatalogError for a symbol that the catalog does not have.
    """
    for name in overrides:
        if name not in OPTIONS:
            near = get_close_matches(name, OPTIONS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"reading data takes {', '.join(OPTIONS)}"
            raise SettingError(f"there is no setting {name!r}; {hint}")
    many = sources if isinstance(sources, (list, tuple)) else [sources]
    if not many:
        raise DataError("no data given: name a file, a folder or a symbol of the catalog")
    store = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    parts: dict[str, list[Series]] = {}
    for source in many:
        for series in _series(source, store, overrides):
            parts.setdefault(series.symbol, []).append(series)
    return {symbol: _cut(join(found), from_, to) for symbol, found in parts.items()}


def is_file(source: str | Path) -> bool:
    """Whether text names a file or folder rather than a symbol of the catalog."""
    path = Path(source).expanduser()
    return isinstance(source, Path) or path.exists() or path.suffix.lower() in SUFFIXES or len(path.parts) > 1


def _series(source: Any, store: Catalog, overrides: dict[str, Any]) -> list[Series]:
    if isinstance(source, Mapping):
        for name in source:
            if not isinstance(name, str) or not name.strip():
                raise DataError(f"data by symbol has the symbols as text, such as 'FPT', not {name!r}")
        parts = {name: _series(part, store, {**overrides, "symbol": name}) for name, part in source.items()}
        return [reshaped(one, name.strip().upper(), None) for name, found in parts.items() for one in found]
    if isinstance(source, str) and not is_file(source):
        if not store.root.exists():
            raise CatalogError(
                f"{source} is neither a file nor a symbol of a catalog: there is no catalog at {store.root}; "
                "make one with: algo data import FILE, or: algo data demo"
            )
        return [store.load(source, overrides.get("width"))]
    if isinstance(source, Series) and overrides.keys() <= {"symbol"}:
        # It was examined when it was read; a run does not wait for findings that nobody asks for.
        return [reshaped(source, str(overrides.get("symbol") or "").strip().upper(), None)]
    return [_usable(reading) for reading in examine(source, **overrides)]


def _usable(reading: Reading) -> Series:
    if reading.series is None:
        raise DataError(refusal(reading))
    return reading.series


def _cut(series: Series, from_: Moment | None, to: Moment | None) -> Series:
    if from_ is None and to is None:
        return series
    if from_ is not None and to is not None and moment_ns(from_) >= moment_ns(to, end=True):
        raise DataError(f"the range from {from_} to {to} is empty: give a start before its end")
    found = series.between(from_, to)
    if not len(found):
        have = f"its bars run from {stamp(int(series.start[0]))} to {stamp(int(series.time[-1]))}"
        wanted = f"from {from_ or 'the start'} to {to or 'the end'}"
        raise DataError(f"{series.symbol} has no bars in the range {wanted}; {have}")
    return found
