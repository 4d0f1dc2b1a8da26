"""What a journal looks like in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from algo.clock import to_datetime
from algo.journal import RowKind
from algo.journal.export import plain

if TYPE_CHECKING:
    from algo.journal import Records, Row

_MOODS = {
    RowKind.COMMAND: "cyan",
    RowKind.OUTCOME: "green",
    RowKind.HALT: "red",
    RowKind.ALARM: "red",
    RowKind.OPERATOR: "yellow",
    RowKind.INPUT: "dim",
}
_NAMELESS = (dict, str, int, float, bool, type(None))
_TOLD = ("ns",)  # the row's time says it
_QUIET: tuple[Any, ...] = (None, "", False, [], {})


def about(records: Records) -> dict[str, Any]:
    """What the journal holds: rows, days, the last start, halts that are in force."""
    days, run = records.days(), records.last(RowKind.RUN)
    return {
        "file": str(records.path),
        "rows": records.head().seq,
        "from": days[0].isoformat() if days else None,
        "to": days[-1].isoformat() if days else None,
        "days": len(days),
        "last_run": to_datetime(run.ns).isoformat() if run else None,
        "halts": {scope: one.reason for scope, one in records.halts().items()},
    }


def portrait(records: Records) -> Group:
    """The same for a person."""
    told = about(records)
    head = Text(f"{told['rows']:,} rows", style="bold")
    if told["days"]:
        span = told["from"] if told["days"] == 1 else f"{told['days']:,} days, {told['from']} to {told['to']}"
        head.append(f"  {span}", style="not bold dim")
    if told["last_run"]:
        head.append(f", last started {told['last_run'][:19].replace('T', ' ')}", style="not bold dim")
    halts = [Text(f"halted: {scope}: {reason}", style="red") for scope, reason in told["halts"].items()]
    return Group(head, *halts)


def rows(found: Sequence[Row]) -> Table:
    """One line a row, oldest first; what a value leaves empty is not shown."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Row", justify="right")
    for name in ("Time", "Kind"):
        table.add_column(name, no_wrap=True)
    table.add_column("What", overflow="fold")
    days = len({row.day for row in found})
    for row in found:
        value = plain(row.value)
        what = Text("" if row.value.__class__ in _NAMELESS else f"{type(row.value).__name__} ", style="bold")
        what.append(brief(value, outer=True), style="not bold")
        table.add_row(
            str(row.seq),
            f"{to_datetime(row.ns):{'%H:%M:%S.%f' if days == 1 else '%Y-%m-%d %H:%M:%S.%f'}}"[:-3],
            Text(row.kind.value, style=_MOODS.get(row.kind, "")),
            what,
        )
    return table


def brief(value: Any, *, outer: bool = False) -> str:
    """A plain value in few words: an instrument is its symbol, a price level `price×quantity`."""
    if isinstance(value, dict):
        if {"symbol", "board", "kind"} <= value.keys():
            return str(value["symbol"])
        if value.keys() == {"price", "quantity"}:
            return f"{value['price']:g}×{value['quantity']}"
        told = [
            f"{name}={brief(one)}" for name, one in value.items() if one not in _QUIET and name not in _TOLD
        ]
        return " ".join(told) if outer else f"({', '.join(told)})"
    if isinstance(value, list):
        return f"[{', '.join(map(brief, value))}]"
    return str(value)
