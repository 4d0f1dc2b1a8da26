"""What is said of live runs in a terminal: the kill switch, the readiness check, the day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from algo.live.day_report import DayReport
    from algo.live.readiness import Finding

_MOODS = {"pass": "green", "warn": "yellow", "fail": "bold red"}


def killed(found: dict[str, Any]) -> RenderableType:
    """What a kill did, what stays, and what is left to a person."""
    gone = found["done"]
    head = "Nothing of the run works any more." if gone else "Not all is done: look at the broker's app."
    parts: list[RenderableType] = [
        Text(f"Killed by {found['by']}: {found['reason']}", style="bold"),
        Text(head, style="green" if gone else "bold red"),
    ]
    if found["cancelled"]:
        parts += ["", _orders("Cancelled", found["cancelled"])]
    if found["open"]:
        parts += ["", _orders("Still open", found["open"])]
    if found["probable"]:
        text = "Probably of a run without this journal, not touched: cancel them by hand if they are yours"
        parts += ["", _orders(text, found["probable"])]
    if found["others"]:
        parts += ["", Text(f"{found['others']} orders of others work and were not touched.", style="dim")]
    if found["positions"]:
        table = _table("Held", ["Symbol"], ["Quantity", "Locked until T+2"])
        for symbol, quantity in found["positions"].items():
            locked = found["locked"].get(symbol, 0)
            table.add_row(Text(symbol), f"{quantity:,}", f"{locked:,}" if locked else "")
        parts += ["", table]
        if not found["flattened"]:
            text = "Positions stay. To close them: algo kill --flatten, while the run is going on."
            parts.append(Text(text, style="dim"))
    parts += ["", Text("Nothing is traded until: algo resume", style="dim")]
    return Group(*parts)


def _orders(title: str, orders: Iterable[dict[str, Any]]) -> Table:
    table = _table(title, ["Order", "Broker's id", "Symbol", "Side"], ["Left"])
    for one in orders:
        left = one.get("leaves", one.get("quantity", 0) - one.get("filled", 0))
        table.add_row(
            Text(str(one.get("order_id") or "-")),
            Text(str(one.get("broker_id") or "-")),
            Text(str(one.get("symbol", ""))),
            Text(str(one.get("side", ""))),
            f"{left:,}" if left else "",
        )
    return table


def readiness(findings: Sequence[Finding]) -> RenderableType:
    """One row a check, and what it comes to."""
    table = _table("Ready to trade?", ["Check", "", "Found", "What to do"], [])
    for one in findings:
        table.add_row(
            Text(one.name), Text(one.verdict, style=_MOODS[one.verdict]), Text(one.found), Text(one.advice)
        )
    fails = sum(one.verdict == "fail" for one in findings)
    text = f"Not ready: {fails} of {len(findings)} checks failed." if fails else "Ready."
    return Group(table, Text(text, style="bold red" if fails else "green"))


def day(report: DayReport) -> RenderableType:
    """The report of a day."""
    table = _table(
        f"Trading day {report.day}",
        ["Strategy"],
        ["Profit, đ", "Fees, đ", "Taxes, đ", "Orders", "Fills", "Traded, đ", "Carried"],
    )
    for one in report.strategies:
        carried = ", ".join(f"{quantity:+,} {symbol}" for symbol, quantity in one.carried.items())
        numbers = (one.profit, one.fees, one.taxes, sum(one.orders.values()), one.fills, one.traded)
        table.add_row(Text(one.name), *(f"{number:,}" for number in numbers), Text(carried or "-"))
    parts: list[RenderableType] = [table]
    refusals = [(name.name, text, n) for name in report.strategies for text, n in name.refusals.items()]
    if refusals:
        told = _table("Refusals", ["Strategy", "Reason"], ["Times"])
        for name, text, times in refusals:
            told.add_row(Text(name), Text(text), f"{times:,}")
        parts += ["", told]
    for title, rows in (("Alarms", report.alarms), ("Order stream", report.stream_losses)):
        if rows:
            told = _table(title, ["Time", "Kind", "What"], [])
            for row in rows:
                told.add_row(row.time, Text(row.kind), Text(row.text))
            parts += ["", told]
    parts += ["", *_left(report)]
    return Group(*parts)


def _left(report: DayReport) -> Iterable[Text]:
    """What a person should know at the end."""
    if report.unknown:
        fates = ", ".join(f"{count} {fate}" for fate, count in report.unknown.items())
        yield Text(f"Requests of unknown fate: {fates}")
    if report.feed_losses:
        yield Text(f"Market data were in doubt {report.feed_losses:,} times")
    for line in report.open_orders:
        yield Text(f"Not over: {line}", style="yellow")
    for scope, why in report.halts.items():
        yield Text(f"Halted ({scope or 'all'}): {why}", style="yellow")
    for symbol, quantity in report.outside.items():
        yield Text(f"Held besides the strategies: {quantity:+,} {symbol}", style="dim")
    if not report.recorded:
        yield Text("Without a journal: alarms and losses of the day are not known", style="yellow")
    if report.clean:
        yield Text("Nothing is left to look at.", style="green")


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=None, title=title, title_style="bold", title_justify="left", padding=(0, 2, 0, 0))
    for name in left:
        table.add_column(name, header_style="dim")
    for name in right:
        table.add_column(name, header_style="dim", justify="right")
    return table
