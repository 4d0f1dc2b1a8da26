"""``algo doctor``: whether a run may start, before the open."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algo.cli import broker
from algo.cli.broker import AsJson, CredentialsFile
from algo.cli.standing import JournalFile, SettingsFile, Standing, standing

if TYPE_CHECKING:
    from datetime import date

    from algo.brokers.fctrading.credentials import Credentials
    from algo.live.readiness import Finding


def doctor(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Whose limits of the day are asked for.")
    ] = None,
    settings: SettingsFile = None,
    journal: JournalFile = None,
    credentials: CredentialsFile = None,
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", metavar="NAME", help="Whose limits must be set.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", metavar="DATE", help="The market's day, when it is not today.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Check everything that a run needs: exit code 1 when something fails. Sends no order.

    Clock, certificates, key, credentials, sign-in, rate limits, market data, disk, journal, calendar,
    limits and alerts; each with what to do about it.

    \b
    Examples:
      algo doctor VN30F1M FPT --settings live.toml
      algo doctor VN30F1M --credentials sandbox/credentials.json --json
    """
    run = standing(settings, journal, credentials)
    found = asyncio.run(_examined(run, symbols or [], strategy or [], _day(day)))
    from algo.live.readiness import failed

    if json:
        document = {"ready": not failed(found), "checks": [one._asdict() for one in found]}
        broker.print_json(document)
    else:
        from algo.cli import live_tables, screens

        screens.console().print(live_tables.readiness(found))
    if failed(found):
        raise typer.Exit(1)


async def _examined(
    run: Standing, symbols: list[str], strategies: list[str], day: date | None
) -> list[Finding]:
    from urllib.parse import urlsplit

    from algo.errors import CredentialError
    from algo.fastconnect.addresses import is_loopback
    from algo.live import examination, readiness

    on = day or examination.today()
    try:
        who = run.credentials()
    except CredentialError as error:
        found = examination.local_findings(run.settings, run.journal, on, strategies, live=True)
        advice = "see docs/fastconnect.md; nothing could be asked of the broker"
        return [
            readiness.Finding("credentials", readiness.FAIL, str(error), advice),
            examination.journal_finding(run.journal, None),
            *found,
        ]
    live = not is_loopback(urlsplit(who.endpoints.url).hostname or "")
    tokens = run.tokens(who)
    numbers = [one for one in (who.accounts.equity, who.accounts.derivatives) if one]
    life = run.settings.control_settings().token_life
    return [
        *(_modes(run.credentials_file, tokens)),
        readiness.accounts(numbers, run.settings.accounts, live=live),
        *await _remote(who, tokens, symbols, on, life),
        examination.journal_finding(run.journal, who),
        *examination.local_findings(run.settings, run.journal, on, strategies, live=live),
    ]


async def _remote(who: Credentials, tokens: Path, symbols: list[str], on: date, life: float) -> list[Finding]:
    from algo.errors import AlgoError
    from algo.live import examination, readiness

    try:
        return await examination.remote_findings(who, tokens, symbols, on, life)
    except AlgoError as error:
        return [readiness.unreachable("broker", str(error))]


def _modes(credentials: Path | None, tokens: Path) -> list[Finding]:
    from algo.live import examination, readiness

    found = []
    if credentials is not None:
        found.append(readiness.file_mode("credentials", str(credentials), examination.mode_of(credentials)))
    return [*found, readiness.file_mode("kept sign-in", str(tokens), examination.mode_of(tokens))]


def _day(text: str | None) -> date | None:
    from datetime import date

    from algo.errors import SettingError

    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise SettingError(f"{text!r} is no day: give one like 2026-03-02") from None
