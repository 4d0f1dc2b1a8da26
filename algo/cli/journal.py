"""``algo journal``: look into the record of a live run, check that it is sound, take rows out of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from algo.journal import Records, RowKind

app = typer.Typer(no_args_is_help=True, help="Look into the record of a live run, check it, export it.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="A journal; a run may be writing it.")]
Day = Annotated[str | None, typer.Option(metavar="DATE", help="Rows of this trading day.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Rows of this kind: command, outcome, input, halt, …; repeat it for more."),
]
Order = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Rows about one order: its id, its request's 8 digits, the broker's id."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.command()
def show(
    file: File,
    day: Day = None,
    kind: Kinds = None,
    order: Order = None,
    tail: Annotated[int, typer.Option(min=0, metavar="N", help="The last N rows; 0 is all.")] = 40,
    json: AsJson = False,
) -> None:
    """Show rows of a journal, the last ones unless told otherwise, and what it is about.

    \b
    Examples:
      algo journal show live.journal
      algo journal show live.journal --kind command --kind outcome --tail 0
      algo journal show live.journal --order 10000017
    """
    from collections import deque

    from algo.cli import journal_tables, screens

    with _opened(file) as records:
        wanted = _rows(records, day, kind, order)
        found = list(wanted) if tail == 0 else list(deque(wanted, maxlen=tail))
        if json:
            from algo.journal.export import facts

            told = [facts(row) for row in found]
            _print_json({"journal": journal_tables.about(records), "rows": told})
            return
        console = screens.console()
        console.print(journal_tables.portrait(records))
        console.print(journal_tables.rows(found) if found else "no such rows")


@app.command()
def check(
    file: File,
    set_aside: Annotated[
        bool,
        typer.Option("--set-aside", help="Rename a damaged journal whole, so that the next run begins anew."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Check a whole journal: structure, every row's hash, every row's meaning. Exits 1 when it is damaged.

    After a crash a run goes on by itself from the last commit. It does not begin on a damaged journal: see
    here where the damage is, keep the journal with --set-aside, and look at the broker's books before you
    run again.

    \b
    Examples:
      algo journal check live.journal
      algo journal check live.journal --set-aside
    """
    from algo.clock import SystemClock, to_datetime
    from algo.errors import JournalDamaged, SettingError
    from algo.journal import set_aside as put_aside
    from algo.journal import verify

    told: dict[str, Any] = {"file": str(file), "sound": True, "rows": 0, "days": 0}
    try:
        with _opened(file) as records:
            told["rows"] = verify(records, records.noted(), whole=True).seq
            for _ in records.rows(until=told["rows"]):
                pass
            told["days"] = len(records.days())
    except JournalDamaged as error:
        told |= {"sound": False, "row": error.seq or None, "why": str(error)}
        if set_aside:
            told["set_aside"] = str(put_aside(file, to_datetime(SystemClock().now())))
        if json:
            _print_json(told)
        elif set_aside:
            typer.echo(f"{error}\nset aside as {told['set_aside']}", err=True)
        if json or set_aside:
            raise typer.Exit(1) from None
        raise
    if set_aside:
        raise SettingError(f"{file} is sound: there is nothing to set aside")
    if json:
        _print_json(told)
    else:
        days = f"{told['days']:,} day{'s' if told['days'] != 1 else ''}"
        typer.echo(f"{file} is sound: {told['rows']:,} rows of {days}")


@app.command()
def export(
    file: File,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to: a .jsonl or .csv file.")],
    day: Day = None,
    kind: Kinds = None,
    order: Order = None,
) -> None:
    """Write rows to a file of JSON lines or CSV, with named fields.

    \b
    Examples:
      algo journal export live.journal --out day.jsonl --day 2026-06-11
      algo journal export live.journal --out orders.csv --kind command --kind outcome
    """
    from algo.journal.export import write

    with _opened(file) as records:
        count = write(_rows(records, day, kind, order), out)
    typer.echo(f"{count:,} rows in {out}")


def _opened(file: Path) -> Records:
    from algo.journal import Records

    return Records.open(file)


def _rows(records: Records, day: str | None, kinds: list[str] | None, order: str | None) -> Any:
    """The rows that the options name, in order."""
    from algo.journal.export import concerns, plain

    found = records.rows(day=_day(day), kinds=_kinds(kinds))
    if order is None:
        return found
    return (row for row in found if concerns(plain(row.value), order))


def _day(text: str | None) -> Any:
    from datetime import date

    from algo.errors import SettingError

    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise SettingError(f"{text!r} is not a date: write 2026-06-11") from None


def _kinds(names: list[str] | None) -> list[RowKind] | None:
    from difflib import get_close_matches

    from algo.errors import SettingError
    from algo.journal import RowKind

    if not names:
        return None
    known = [kind.value for kind in RowKind]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise SettingError(f"no rows are of the kind {name!r}; {hint}")
    return [RowKind(name) for name in names]


def _print_json(value: Any) -> None:
    from json import dumps

    typer.echo(dumps(value, ensure_ascii=False, indent=2))
