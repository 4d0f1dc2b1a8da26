"""``algo data``: import bars into the catalog, list and show what it has, make a demo market."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo.cli import options
from algo.cli.progress import waiting

if TYPE_CHECKING:
    from algo.data import Catalog, Entry, Reading

app = typer.Typer(no_args_is_help=True, help="Import, list and show market data, or make some up.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or Parquet files, or folders.")],
    symbol: options.Symbol = None,
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Keep it under another name than its symbol.")
    ] = None,
    unit: options.Unit = None,
    adjusted: options.Adjusted = None,
    board: options.Board = None,
    stamp: options.Stamp = None,
    width: options.Width = None,
    columns: options.Columns = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended; says what.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Forget what the catalog has of the symbol in this width.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Read files, say what was found in them, and keep their bars in the catalog.

    Columns, unit, stamps and board are detected; an option overrides each guess. Rows that cannot be
    used are refused with the reason, unless --repair is given. The catalog is the folder ./catalog,
    or the one that ALGO_CATALOG names.

    \b
    Examples:
      algo data import vn30f1m_15m.csv
      algo data import prices/*.csv --unit thousand --adjusted
      algo data import export.csv --symbol FPT --column close=Last --repair
    """
    from algo.cli import market_tables, screens
    from algo.cli.experiment import pairs
    from algo.data import Catalog
    from algo.errors import DataError

    reading = {
        "symbol": symbol,
        "unit": unit,
        "adjusted": adjusted,
        "board": board,
        "stamp": stamp,
        "width": width,
        "columns": pairs(columns, "--column") if columns else None,
        "repair": repair,
    }
    readings, wrong = _examined(files, reading)
    catalog = Catalog()
    kept, refused = _kept(catalog, readings, name, replace)
    wrong += refused
    if json:
        _print_json(
            {
                "kept": [market_tables.entry_facts(entry) for entry in kept],
                "findings": [market_tables.finding_facts(one) for part in readings for one in part.findings],
                "errors": wrong,
            }
        )
    else:
        console = screens.console()
        if any(part.findings for part in readings):
            console.print(market_tables.findings(readings))
        if kept:
            console.print(market_tables.entries(kept, f"Kept in {catalog.root}"))
    if wrong:
        for text in wrong[:-1]:
            typer.echo(f"error: {text}", err=True)
        raise DataError(wrong[-1])


@app.command("list")
def list_(json: AsJson = False) -> None:
    """List what the catalog has.

    \b
    Example:
      algo data list
    """
    from algo.cli import market_tables, screens
    from algo.data import Catalog

    catalog = Catalog()
    found = catalog.entries()
    if json:
        _print_json([market_tables.entry_facts(entry) for entry in found])
    elif found:
        screens.console().print(market_tables.entries(found, f"Catalog {catalog.root}"))
    else:
        typer.echo(
            f"{catalog.root} has no data yet; import some with: algo data import FILE, or: algo data demo"
        )


@app.command()
def show(
    symbol: Annotated[str, typer.Argument(help="A symbol of the catalog.")],
    width: Annotated[str | None, typer.Option(help="Show bars of this width; else the finest.")] = None,
    from_: options.From = None,
    to: options.To = None,
    json: AsJson = False,
) -> None:
    """Show what is known of one symbol: its first and last bars, notes, contracts, and what a check finds.

    \b
    Examples:
      algo data show VN30F1M
      algo data show FPT --width 1d --from 2025-09-01
    """
    from algo.cli import market_tables, screens
    from algo.data import Catalog, check
    from algo.errors import DataError

    catalog = Catalog()
    found = catalog.show(symbol)
    series = catalog.load(symbol, width, from_, to)
    if not len(series):
        raise DataError(f"{series.symbol} has no bars in that range; it has {'; '.join(map(str, found))}")
    findings = check(series)
    if json:
        _print_json(
            {
                "entries": [market_tables.entry_facts(entry) for entry in found],
                "bars": market_tables.bar_facts(series),
                "findings": [market_tables.finding_facts(one) for one in findings],
            }
        )
    else:
        screens.console().print(market_tables.portrait(found, series, findings))


@app.command()
def demo(
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bars.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=2_000, help="Trading days to make.")] = 126,
    json: AsJson = False,
) -> None:
    """Make synthetic minute bars of VN30F1M and three shares, so that everything runs offline.

    Their prices are made up and say nothing about those companies. Bars of an earlier demo are
    replaced, imported ones never.

    \b
    Examples:
      algo data demo
      algo data demo --days 60 --seed 7
    """
    from algo.cli import market_tables, screens
    from algo.data import Catalog, synthetic

    catalog = Catalog()
    with waiting("Making a market"):
        made = synthetic.fill(catalog, days=days, seed=seed)
    if json:
        _print_json([market_tables.entry_facts(entry) for entry in made])
    else:
        screens.console().print(market_tables.entries(made, f"Made up, in {catalog.root}"))


def _examined(files: list[Path], overrides: dict[str, Any]) -> tuple[list[Reading], list[str]]:
    """The readings of every file, and what was wrong with those that are no tables of bars."""
    from algo.data import examine
    from algo.errors import DataError

    readings: list[Reading] = []
    wrong: list[str] = []
    for number, file in enumerate(files, start=1):
        with waiting(f"Reading {file} ({number} of {len(files)})" if len(files) > 1 else f"Reading {file}"):
            try:
                readings += examine(file, **overrides)
            except DataError as error:
                wrong.append(str(error))
    return readings, wrong


def _kept(
    catalog: Catalog, readings: list[Reading], name: str | None, replace_all: bool
) -> tuple[list[Entry], list[str]]:
    """Keep what can be used; gives the entries, and why the others are none."""
    from dataclasses import replace

    from algo.data.reading import refusal
    from algo.errors import CatalogError, SettingError

    usable = [one for one in readings if one.series is not None]
    if name is not None and len(usable) != 1:
        found = ", ".join(one.symbol for one in usable) or "none"
        raise SettingError(f"--as names one series, and these files have {len(usable)}: {found}")
    entries: dict[tuple[str, int], Entry] = {}
    wrong = [refusal(one) for one in readings if one.series is None]
    for one in usable:
        if one.series is None:
            continue
        series = one.series if name is None else replace(one.series, symbol=name.strip().upper())
        key = (series.symbol, series.width)
        try:
            entries[key] = catalog.save(
                series, source=Path(one.source).name, replace_all=replace_all and key not in entries
            )
        except CatalogError as error:
            wrong.append(str(error))
    return list(entries.values()), wrong


def _print_json(value: Any) -> None:
    from json import dumps

    typer.echo(dumps(value, ensure_ascii=False, indent=2))
