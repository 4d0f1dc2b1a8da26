"""``algo replay``: do a recorded run again, and say whether it decides the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from algo.cli.broker import AsJson


def replay(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="What a run was recorded in.")],
    strategy: Annotated[
        str | None,
        typer.Option(metavar="STRATEGY", help="The strategy, where the recorded name does not lead to it."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Give a recorded run's inputs to the engine and strategies again, and compare the commands.

    Says the first difference, if there is one, and exits with 1 then: another version of algo or of the
    strategy, or a strategy that does not go by its inputs alone.

    \b
    Examples:
      algo replay journals/SmaCross.journal
      algo replay run.journal --strategy strategies/sma_cross.py
    """
    from algo.journal import Records
    from algo.live.replay import differences
    from algo.loading import load_strategy

    with Records.open(journal) as records:
        found = differences(records, lambda name: load_strategy(strategy or name))
    if json:
        import json as text

        typer.echo(text.dumps(found.facts(), indent=2, ensure_ascii=False))
    else:
        typer.echo(
            f"{found.steps:,} steps, {found.commands:,} commands, {found.processes} processes: "
            + ("the same" if found.row is None else f"row {found.row} differs")
        )
        for name, commands in (("then", found.then), ("now", found.now)):
            for command in commands:
                typer.echo(f"  {name}  {command}")
    if found.row is not None:
        raise typer.Exit(1)
