"""``algo sandbox``: FastConnect and the market on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algo.cli.broker import AsJson

if TYPE_CHECKING:
    from algo.brokers.paper.statements import Statement
    from algo.sandbox.assembly import Sandbox
    from algo.sandbox.authority import Authority

_DEFAULTS = {"source": "synthetic", "seed": 0, "cash": 1_000_000_000}
FILE = Path("sandbox/credentials.json")


def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 is any free one.")] = 0,
    credentials: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write all that a client needs (mode 0600).")
    ] = FILE,
    source: Annotated[
        str,
        typer.Option(
            metavar="synthetic|FILE|SYMBOL", help="A made-up market, or bars of a file or the catalog."
        ),
    ] = "synthetic",
    day: Annotated[
        str | None, typer.Option(metavar="DATE", help="First trading day, such as 2026-03-02.")
    ] = None,
    speed: Annotated[
        float, typer.Option(help="Seconds of market time in one of yours; 0 waits to be stepped.")
    ] = 1.0,
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve https with an authority of its own, written beside FILE.")
    ] = False,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the state here, to stop and go on.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is made up.")] = 0,
    faults: Annotated[
        str,
        typer.Option(metavar="NAME=CHANCE,…", help="What goes wrong by chance, such as lose=0.01,miss=0.01."),
    ] = "",
    cash: Annotated[int, typer.Option(metavar="DONG", help="In each account.")] = 1_000_000_000,
    limits: Annotated[bool, typer.Option(help="Answer 429 to too many requests, as SSI does.")] = True,
    json: AsJson = False,
) -> None:
    """Run SSI FastConnect's protocols over a market of your own, on this machine alone.

    What a client needs is in one file: every algo command takes it with --credentials. The page shows book,
    orders and accounts, and lets things go wrong. Ctrl-C ends it.

    \b
    Examples:
      algo sandbox
      algo sandbox --source VN30F1M --day 2025-12-01 --speed 240
      algo orders --credentials sandbox/credentials.json
    """
    from algo.errors import SettingError
    from algo.sandbox.assembly import assemble
    from algo.sandbox.authority import Authority
    from algo.sandbox.faults import Faults, parse_odds
    from algo.sandbox.recipe import Recipe
    from algo.sandbox.state import State

    if not 0 <= speed <= 1_000_000:
        raise SettingError(f"speed is 0 to 1,000,000, not {speed:g}")
    if cash < 0:
        raise SettingError("cash cannot be below zero")
    odds = parse_odds(faults)
    wanted = Recipe.new(source, _day(day), seed, cash)
    with contextlib.ExitStack() as stack:
        kept = None
        if state is not None:
            kept = stack.enter_context(contextlib.closing(State(state)))
            given = {"source": source, "seed": seed, "cash": cash} | ({"day": wanted.day} if day else {})
            _compare(state, kept.recipe or given, given)
        made = assemble(
            wanted,
            speed=speed,
            faults=Faults(odds, seed),
            state=kept,
            limited=limits,
            note=lambda text: typer.echo(text, err=json),
        )
        made.service.on_statements = lambda said: _tell(said, err=json)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(made, port, credentials, Authority() if tls else None, as_json=json))
    typer.echo("The sandbox has ended.", err=json)


def _day(text: str | None) -> date | None:
    from algo.errors import SettingError

    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise SettingError(f"{text!r} is no day: give one like 2026-03-02") from None


def _compare(path: Path, held: Mapping[str, object], given: Mapping[str, object]) -> None:
    """What was asked for by an option must be what the state goes on with."""
    from algo.errors import SettingError

    for name, value in given.items():
        if value not in (held[name], _DEFAULTS.get(name)):
            raise SettingError(f"{path} goes on with --{name} {held[name]}: name another --state file")


async def _serve(
    made: Sandbox, port: int, credentials: Path, authority: Authority | None, *, as_json: bool
) -> None:
    import json

    from algo.durable import write_bytes, write_text
    from algo.sandbox.server import serve

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        # Windows has no signals in its loops: there KeyboardInterrupt ends the run.
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(name, ended.set)
    async with serve(made.host, port=port, authority=authority) as running:
        ca_file = None
        if authority is not None:
            ca_file = write_bytes(credentials.absolute().with_suffix(".ca.pem"), authority.certificate)
        document = made.document(running.url, ca_file)
        write_text(credentials, json.dumps(document, indent=2) + "\n", mode=0o600)
        if as_json:
            typer.echo(json.dumps(document))
        _greet(made, running.url, credentials, err=as_json)
        with contextlib.suppress(asyncio.CancelledError):
            await ended.wait()


def _greet(made: Sandbox, url: str, credentials: Path, *, err: bool) -> None:
    recipe, host = made.recipe, made.host
    pace = (
        f"{host.pace.speed:g} times as fast as yours" if host.pace.speed else "standing until it is stepped"
    )
    for text in (
        f"The sandbox runs at {url}",
        f"  credentials  {credentials} (only you can read it)",
        f"  page         {url}/#{made.token}",
        f"  accounts     {recipe.equity} (shares), {recipe.derivatives} (derivatives); PIN {recipe.pin}",
        f"  market       {recipe.source}, {made.world.day:%d/%m/%Y}, its clock {pace}",
        "Ctrl-C ends it.",
    ):
        typer.echo(text, err=err)


def _tell(statements: list[Statement], *, err: bool) -> None:
    from algo.sandbox.ticker import line

    for statement in statements:
        text = line(statement)
        if text:
            typer.echo(text, err=err)
