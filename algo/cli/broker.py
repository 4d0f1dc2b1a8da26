"""Reaching the broker from a terminal: credentials, the person's code, and one connection a command."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from algo.errors import AuthError, SettingError
from algo.model import Account

if TYPE_CHECKING:
    from algo.brokers.fctrading.connection import Connection
    from algo.brokers.fctrading.credentials import Credentials, TwoFactor
    from algo.live.control import Control

T = TypeVar("T")

CredentialsFile = Annotated[
    Path | None,
    typer.Option(
        "--credentials",
        metavar="FILE",
        help="JSON or TOML with mode 0600. Else ALGO_CREDENTIALS, the environment, the keyring.",
    ),
]
AccountName = Annotated[
    str | None, typer.Option("--account", metavar="KIND", help="equity or derivatives. Else both.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def loaded(path: Path | None) -> Credentials:
    """The person's credentials. CredentialError says what to do."""
    from algo.brokers.fctrading.credentials import load_credentials

    return load_credentials(path)


def control_of(path: Path, who: Credentials) -> Control | None:
    """The operator's side of the sandbox that wrote these credentials; None when no sandbox did."""
    import json

    from algo.brokers.fctrading.credentials import read_private
    from algo.fastconnect.transport import open_client, trust
    from algo.live.control import Control

    try:
        found = json.loads(read_private(path.expanduser()))["control"]
        return Control(open_client(str(found["url"]), trust(who.ca_file)), str(found["token"]))
    except (ValueError, KeyError, TypeError):
        return None


async def market_now(path: Path | None, who: Credentials) -> int:
    """Market time in nanoseconds: the machine's, but for a sandbox, whose market has a time of its own.

    Raises QueryFailed when that sandbox does not answer.
    """
    import os
    import time

    from algo.brokers.fctrading.credentials import FILE_VARIABLE

    path = path or Path(os.environ.get(FILE_VARIABLE, ""))
    control = control_of(path, who) if path.name else None
    if control is None:
        return time.time_ns()
    try:
        return int((await control.state())["now"])
    finally:
        await control.close()


def chosen(credentials: Credentials, name: str | None) -> list[tuple[Account, str]]:
    """The accounts that a command is about, with their numbers. SettingError when there is none."""
    try:
        wanted = list(Account) if name is None else [Account(name.strip().lower())]
    except ValueError:
        raise SettingError(f"there is no account {name!r}: give equity or derivatives") from None
    found = [(one, credentials.accounts.of(one)) for one in wanted if credentials.accounts.of(one)]
    if not found:
        raise SettingError(f"the credentials name no {name} account: add accounts.{name} to them")
    return found


def connected(
    credentials: Credentials, work: Callable[[Connection], Awaitable[T]], *, code: bool = False
) -> T:
    """Do `work` over a connection. With `code`, sign in for trading first: by a kept token, or by asking."""
    from algo.brokers.fctrading.auth import Purpose
    from algo.brokers.fctrading.connection import Connection, token_path

    async def main() -> T:
        ask = None if credentials.pin is not None else asked
        async with Connection(credentials, ask=ask, tokens=token_path(credentials)) as connection:
            if code:
                await connection.session.token(Purpose.TRADE)
                if connection.session.file_problem:
                    typer.echo(f"warning: {connection.session.file_problem}", err=True)
            return await work(connection)

    return asyncio.run(main())


async def asked(kind: TwoFactor) -> str:
    """The person's code, typed without echo; where there is no terminal, a line of what is piped in."""
    from algo.brokers.fctrading.credentials import TwoFactor

    what = {TwoFactor.PIN: "PIN", TwoFactor.OTP: "one-time code that was sent to you"}.get(
        kind, "code that the broker's app shows"
    )
    if at_terminal():
        from algo.cli.hidden_line import hidden_line

        return (await hidden_line(f"Your {what}: ")).strip()
    line: str = (await asyncio.to_thread(sys.stdin.readline)).strip()
    if not line:
        raise AuthError(f"orders need your {what}: run `algo login` in a terminal")
    return line


def at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def print_json(document: Any) -> None:
    """The document on stdout."""
    import json

    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
