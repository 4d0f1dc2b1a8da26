"""Market data: reading and checking files, the catalog, bar building, continuous futures, a made-up market.

Names are loaded when first used, because pandas and pyarrow take a while to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algo.data.catalog import Catalog, Entry
    from algo.data.checks import check, repair
    from algo.data.continuous import contracts_at, rolls, splice, with_contracts
    from algo.data.findings import Finding, Severity
    from algo.data.reading import Reading, examine, read
    from algo.data.series import Series, join, width_name
    from algo.data.sources import load
    from algo.data.widths import Builder, parse_width, widen

_HOMES = {
    "catalog": ("Catalog", "Entry"),
    "checks": ("check", "repair"),
    "continuous": ("contracts_at", "rolls", "splice", "with_contracts"),
    "findings": ("Finding", "Severity"),
    "reading": ("Reading", "examine", "read"),
    "series": ("Series", "join", "width_name"),
    "sources": ("load",),
    "widths": ("Builder", "widen", "parse_width"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Builder",
    "Catalog",
    "Entry",
    "Finding",
    "Reading",
    "Series",
    "Severity",
    "check",
    "contracts_at",
    "examine",
    "join",
    "load",
    "parse_width",
    "read",
    "repair",
    "rolls",
    "splice",
    "widen",
    "width_name",
    "with_contracts",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "synthetic"]
