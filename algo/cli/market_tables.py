"""Market data in a terminal: entries of the catalog, findings, bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from algo.clock import to_datetime
from algo.data.series import stamp, width_name

if TYPE_CHECKING:
    from algo.data import Entry, Finding, Reading, Series

_STYLES = {"error": "red", "warning": "yellow", "info": "dim"}
_ENDS = 3  # bars shown at each end


def entries(found: Sequence[Entry], title: str) -> Table:
    """One row an entry."""
    table = _table(title)
    for name in ("Symbol", "Width"):
        table.add_column(name)
    table.add_column("Bars", justify="right")
    for name in ("From", "To", "Board", "Prices"):
        table.add_column(name)
    table.add_column("Size", justify="right")
    for one in found:
        table.add_row(
            one.symbol, width_name(one.width), f"{one.bars:,}", stamp(one.first)[:10], stamp(one.last)[:10],
            str(one.board), _prices(one), _size(one.size),
        )  # fmt: skip
    return table


def findings(readings: Sequence[Reading]) -> Table:
    """One row for each kind of fault of each symbol."""
    return _findings([one for reading in readings for one in reading.findings], "Findings")


def portrait(found: Sequence[Entry], series: Series, seen: Sequence[Finding]) -> Group:
    """Everything about one symbol."""
    parts: list[RenderableType] = [entries(found, series.symbol), ""]
    bars = _table(f"{len(series):,} bars of {width_name(series.width)}")
    bars.add_column("Complete at")
    for name in ("Open", "High", "Low", "Close", "Volume"):
        bars.add_column(name, justify="right")
    if series.contract is not None:
        bars.add_column("Contract")
    last = len(series) - _ENDS
    for place in range(len(series)):
        if _ENDS <= place < last:
            if place == _ENDS:
                bars.add_row("…")
            continue
        row = [stamp(int(series.time[place]))]
        row += [f"{getattr(series, name)[place]:,g}" for name in ("open", "high", "low", "close")]
        row.append(f"{series.volume[place]:,}")
        bars.add_row(*row, *([] if series.contract is None else [str(series.contract[place])]))
    parts.append(bars)
    contracts = list(dict.fromkeys(name for one in found for name in one.contracts))
    for title, texts in (
        ("Contracts", [", ".join(contracts)] if contracts else []),
        ("Sources", list(dict.fromkeys(name for one in found for name in one.sources))),
        ("Notes", list(dict.fromkeys(note for one in found for note in one.notes))),
    ):
        if texts:
            parts += ["", Text(title, style="bold"), *(Text(text) for text in texts)]
    parts += ["", _findings(seen, "Findings") if seen else Text("A check finds nothing wrong.", style="dim")]
    return Group(*parts)


def entry_facts(one: Entry) -> dict[str, Any]:
    """An entry as plain values."""
    return {
        "symbol": one.symbol,
        "width": width_name(one.width),
        "bars": one.bars,
        "from": to_datetime(one.first).isoformat(),
        "to": to_datetime(one.last).isoformat(),
        "board": str(one.board),
        "adjusted": one.adjusted,
        "synthetic": one.synthetic,
        "contracts": list(one.contracts),
        "sources": list(one.sources),
        "notes": list(one.notes),
        "bytes": one.size,
        "path": str(one.path),
    }


def finding_facts(one: Finding) -> dict[str, Any]:
    """A finding as plain values."""
    return {
        "symbol": one.symbol,
        "kind": one.kind,
        "severity": str(one.severity),
        "count": one.count,
        "first": one.first,
        "remedy": one.remedy,
        "done": one.done,
    }


def bar_facts(series: Series) -> dict[str, Any]:
    """A series as plain values, without its middle."""

    def bar(place: int) -> dict[str, Any]:
        return {
            "time": to_datetime(int(series.time[place])).isoformat(),
            **{name: float(getattr(series, name)[place]) for name in ("open", "high", "low", "close")},
            "volume": int(series.volume[place]),
        }

    return {
        "count": len(series),
        "width": width_name(series.width),
        "first": bar(0),
        "last": bar(len(series) - 1),
    }


def _findings(seen: Sequence[Finding], title: str) -> Table:
    table = _table(title)
    table.add_column("Symbol")
    table.add_column("Found")
    table.add_column("Times", justify="right")
    table.add_column("The first, and what mends them")
    for one in seen:
        text = Text(one.first)
        if one.remedy:
            text.append(f" → {one.remedy}" if one.done else f" → with --repair: {one.remedy}", style="cyan")
        style = "" if one.done else _STYLES[str(one.severity)]
        table.add_row(one.symbol, Text(one.kind, style=style), f"{one.count:,}", text)
    return table


def _table(title: str) -> Table:
    return Table(
        box=None,
        title=title,
        title_style="bold",
        title_justify="left",
        header_style="dim",
        padding=(0, 2, 0, 0),
    )


def _prices(one: Entry) -> str:
    kinds = [name for name, true in (("adjusted", one.adjusted), ("synthetic", one.synthetic)) if true]
    return ", ".join(kinds) or "as traded"


def _size(size: int) -> str:
    return f"{size / 1_048_576:,.1f} MB" if size >= 1_048_576 else f"{max(size // 1024, 1):,} kB"
