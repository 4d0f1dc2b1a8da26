"""``algo kill`` and ``algo resume``: the kill switch, from any terminal, whether or not the run answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo.cli import broker
from algo.cli.broker import AsJson, CredentialsFile
from algo.cli.standing import JournalFile, SettingsFile, Standing, standing

if TYPE_CHECKING:
    from pathlib import Path

    from algo.live.kill import Killed

PATIENCE = 25.0
"""Seconds for a run to answer. One that hangs does not, and its orders are cancelled from here."""

Facts = dict[str, Any]


def kill(
    flatten: Annotated[bool, typer.Option("--flatten", help="Close what the strategies hold, too.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Kept with the latch and told in the alarm.")] = "",
    settings: SettingsFile = None,
    journal: JournalFile = None,
    credentials: CredentialsFile = None,
    json: AsJson = False,
) -> None:
    """Stop trading now: block everything new and cancel the run's own orders, riskiest first.

    It is latched: a run that is started later trades nothing until `algo resume`. Orders of others are not
    touched. When no run answers, orders are cancelled from here with the kept sign-in. Exit code 0 when the
    broker's books show that none of the run's orders works any more, 1 otherwise.

    \b
    Examples:
      algo kill
      algo kill --flatten --reason "news about the margin"
    """
    from algo.errors import AlgoError
    from algo.live.latch import Latch

    run = _of_a_run(standing(settings, journal, credentials))
    why = reason.strip() or "killed by the operator"
    Latch(run.journal).set(why)  # first of all: it holds whatever becomes of this command
    found = _told_to_the_run(run.journal, "flatten" if flatten else "kill", why)
    if found is None:
        try:
            found = _from_outside(run, flatten=flatten)
        except AlgoError as error:
            typer.echo(f"The latch is set, and nothing new will be traded. Orders: {error}", err=True)
            raise typer.Exit(1) from None
    found = {"reason": Latch(run.journal).reason()} | found
    _show(found, json)
    if not found["done"]:
        raise typer.Exit(1)


def resume(
    reason: Annotated[str, typer.Option("--reason", help="Kept in the journal of the run.")] = "",
    settings: SettingsFile = None,
    journal: JournalFile = None,
    json: AsJson = False,
) -> None:
    """Lift the kill switch, and every halt of the run that is going on.

    \b
    Example:
      algo resume
    """
    from algo.live.latch import Latch

    run = _of_a_run(standing(settings, journal, None))
    latch = Latch(run.journal)
    before = latch.reason()
    facts = _asked(run.journal, "resume", reason.strip())
    lifted = latch.lift() or bool(before)
    halts = list(facts["halts"].values()) if facts else []
    found = {"lifted": lifted, "was": before, "run": facts is not None, "halts": halts}
    if json:
        broker.print_json(found)
    else:
        told = f"Trading may go on. It was stopped: {before}" if before else "Nothing was latched."
        where = "The run that is going on was told." if facts else "No run is going on; the next one trades."
        typer.echo(f"{told}\n{where}")


def _of_a_run(run: Standing) -> Standing:
    """Raise SettingError unless a run has or had its journal there: a wrong name must not pass for a kill."""
    from algo.errors import SettingError

    if not run.journal.is_file():
        raise SettingError(
            f"there is no journal {run.journal}: name the run's own with --journal or --settings"
        )
    return run


def _asked(journal: Path, action: str, detail: str) -> Facts | None:
    """What the run answers, None when none does."""
    from algo.live.operator_port import ask

    found = asyncio.run(ask(journal, action, detail, PATIENCE))
    if found is None:
        return None
    if not found.get("ok"):
        typer.echo(f"warning: the run answered: {found.get('error', 'nothing of use')}", err=True)
        return None
    return found


def _told_to_the_run(journal: Path, action: str, why: str) -> Facts | None:
    before = _asked(journal, "status", "")
    if before is None:
        return None
    after = _asked(journal, action, why)
    if after is None:
        return None
    left = {order["order_id"] for order in after["open_orders"]}
    held: dict[str, int] = {}
    for each in after["positions"].values():
        for name, amount in each.items():
            held[name] = held.get(name, 0) + amount
    locked = after.get("locked", {})
    free = {name: amount for name, amount in held.items() if amount != locked.get(name, 0)}
    return {
        "by": "the run",
        "cancelled": [order for order in before["open_orders"] if order["order_id"] not in left],
        "open": after["open_orders"],
        "probable": [],
        "others": after.get("others", 0),
        "positions": held,
        "locked": locked,
        "flattened": action == "flatten" and not free,
        "done": not after["open_orders"] and (action != "flatten" or not free),
    }


def _from_outside(run: Standing, *, flatten: bool) -> Facts:
    from algo.live.kill import kill_outside

    who = run.credentials()
    ask = None if who.pin is not None else broker.asked
    killed = asyncio.run(kill_outside(who, run.journal, run.tokens(who), ask))
    return outside_facts(killed, flatten=flatten)


def outside_facts(killed: Killed, *, flatten: bool = False) -> Facts:
    """What came of a kill from outside of the run. Nothing can be closed from there."""
    from algo.cli.broker_tables import order_facts
    from algo.model import Account

    held = {one.symbol: one.quantity for one in killed.positions if one.quantity}
    locked = {
        one.symbol: one.quantity - one.sellable
        for one in killed.positions
        if one.account is Account.EQUITY and one.quantity > one.sellable
    }
    return {
        "by": "this command",
        "cancelled": [{"order_id": order_id} for order_id in killed.cancelled],
        "open": [order_facts(one) for one in killed.open],
        "probable": [order_facts(one) for one in killed.probable],
        "others": killed.others,
        "positions": held,
        "locked": locked,
        "flattened": False,
        "done": killed.done and not (flatten and held),
    }


def _show(found: Facts, json: bool) -> None:
    from algo.cli import live_tables, screens

    if json:
        broker.print_json(found)
    else:
        screens.console().print(live_tables.killed(found))
