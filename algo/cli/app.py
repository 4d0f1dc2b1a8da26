"""The commands by name, and what becomes of errors: one line and an exit code, never a traceback.

Exit codes: 0 done; 1 a strategy raised or a check failed; 2 what the user gave is wrong, a code
included; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from algo.cli import (
    account,
    backtest,
    check,
    data,
    doctor,
    journal,
    keys,
    kill,
    new,
    order,
    quote,
    replay,
    run,
    sandbox,
)
from algo.errors import AlgoError, AuthError, InputError, JournalForeign, JournalLocked

_OF_THE_USER = (InputError, AuthError, JournalForeign, JournalLocked)


class Commands(TyperGroup):
    """Commands whose errors are a line for a person."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; say in one line why it failed."""
        try:
            return super().invoke(ctx)
        except AlgoError as error:
            complain(str(error))
            raise typer.Exit(2 if isinstance(error, _OF_THE_USER) else 1) from None
        except BrokenPipeError:
            # The reader, such as `head`, has enough. Nothing more must be written, not even on the way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None


def complain(text: str) -> None:
    """One line on stderr."""
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(" ".join(text.split()), err=True)


app = typer.Typer(
    name="algo",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: the framed one takes four times as long to come
    help="Backtest, paper trade and run strategies for Vietnamese shares and VN30 futures.",
    epilog="\b\nStart with:\n  algo data demo\n  algo backtest strategies/sma_cross.py --data VN30F1M",
)
app.command("backtest")(backtest.backtest)
app.command("run")(run.run)
app.command("replay")(replay.replay)
app.command("sandbox")(sandbox.sandbox)
app.command("doctor")(doctor.doctor)
app.command("kill")(kill.kill)
app.command("resume")(kill.resume)
app.command("check")(check.check)
app.command("quote")(quote.quote)
for _command in (account.login, account.status, account.orders, account.positions, account.balance):
    app.command(_command.__name__)(_command)
app.command("limits")(account.limits)
app.add_typer(order.app, name="order")
app.add_typer(keys.app, name="keys")
app.add_typer(new.app, name="new")
app.add_typer(data.app, name="data")
app.add_typer(journal.app, name="journal")


@app.callback(invoke_without_command=True)
def _options(
    ctx: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    if version:
        from algo import __version__

        typer.echo(f"algo {__version__}")
        raise typer.Exit
