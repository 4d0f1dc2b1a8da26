"""``algo login``, ``status``, ``orders``, ``positions``, ``balance``, ``limits``: you, at the broker."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo.cli import broker
from algo.cli.broker import AccountName, AsJson, CredentialsFile

if TYPE_CHECKING:
    from algo.brokers.fctrading.connection import Connection
    from algo.brokers.fctrading.credentials import Credentials


def login(credentials: CredentialsFile = None, json: AsJson = False) -> None:
    """Sign in for trading and keep the token, so that later commands need no code.

    The code is asked for without echo. The token is kept in a file that only you can read.

    \b
    Example:
      algo login --credentials ssi.json
    """
    who = broker.loaded(credentials)
    broker.connected(who, _nothing, code=True)
    _show_status(who, json)


def status(credentials: CredentialsFile = None, json: AsJson = False) -> None:
    """Show who you are to the broker and how long you are signed in. Asks the broker nothing.

    \b
    Example:
      algo status
    """
    _show_status(broker.loaded(credentials), json)


def orders(
    credentials: CredentialsFile = None,
    account: AccountName = None,
    open_: Annotated[bool, typer.Option("--open", help="Those that can still be filled.")] = False,
    json: AsJson = False,
) -> None:
    """List today's orders.

    \b
    Examples:
      algo orders
      algo orders --open --account derivatives --json
    """
    from algo.brokers.fctrading import snapshot

    who = broker.loaded(credentials)
    accounts = broker.chosen(who, account)

    async def ask(connection: Connection) -> list[Any]:
        found: list[Any] = []
        for kind, number in accounts:
            found += await snapshot.orders_of(connection.api, kind, number, lambda _event: "")
        return found

    found = sorted(broker.connected(who, ask), key=lambda one: one.created)
    if open_:
        found = [one for one in found if one.status is None or not one.status.terminal]
    _shown(json, "orders", "order_facts", found, "no orders today" if not open_ else "no open orders")


def positions(credentials: CredentialsFile = None, account: AccountName = None, json: AsJson = False) -> None:
    """List what you hold.

    \b
    Example:
      algo positions --account equity
    """
    from algo.brokers.fctrading import snapshot

    who = broker.loaded(credentials)
    accounts = broker.chosen(who, account)

    async def ask(connection: Connection) -> list[Any]:
        found: list[Any] = []
        for kind, number in accounts:
            found += await snapshot.positions_of(connection.api, kind, number)
        return found

    _shown(json, "positions", "", broker.connected(who, ask), "no positions")


def balance(credentials: CredentialsFile = None, account: AccountName = None, json: AsJson = False) -> None:
    """Show money, buying power and margin, in đồng.

    \b
    Example:
      algo balance
    """
    from algo.brokers.fctrading import snapshot

    who = broker.loaded(credentials)
    accounts = broker.chosen(who, account)

    async def ask(connection: Connection) -> list[Any]:
        return [await snapshot.cash_of(connection.api, kind, number) for kind, number in accounts]

    _shown(json, "balances", "", broker.connected(who, ask), "")


def limits(
    symbol: Annotated[str | None, typer.Argument(help="How much of it you could buy and sell.")] = None,
    price: Annotated[float | None, typer.Option(help="At this price.")] = None,
    credentials: CredentialsFile = None,
    json: AsJson = False,
) -> None:
    """Show the broker's rate limits; with a symbol, how much of it you could buy and sell.

    \b
    Examples:
      algo limits
      algo limits FPT --price 98500
    """
    from algo.brokers.fctrading import translate
    from algo.cli import broker_tables, screens
    from algo.errors import SettingError
    from algo.market import instrument_of

    who = broker.loaded(credentials)
    if symbol is not None and price is None:
        raise SettingError("give the price at which to buy: --price 98500")
    instrument = instrument_of(symbol) if symbol is not None else None

    async def ask(connection: Connection) -> tuple[Any, dict[str, int]]:
        rules = await connection.api.rate_limit()
        if instrument is None or price is None:
            return rules, {}
        number = translate.account_of(instrument, who.accounts)
        buy = await connection.api.max_buy(number, instrument.symbol, price)
        sell = await connection.api.max_sell(number, instrument.symbol, price)
        return rules, {"buy": buy.quantity, "sell": sell.quantity}

    rules, most = broker.connected(who, ask)
    from algo.brokers.base import RateLimit

    found = [RateLimit(rule.pattern, rule.period, rule.limit) for rule in rules]
    if json:
        broker.print_json({"rates": [asdict(one) for one in found], **({"most": most} if most else {})})
        return
    console = screens.console()
    console.print(broker_tables.limits(found))
    if most and instrument is not None:
        told = {f"Could {side}": f"{quantity:,}" for side, quantity in most.items()}
        console.print(broker_tables.facts(told, f"{instrument.symbol} at {price:,g}"))


async def _nothing(_connection: Connection) -> None:
    """Signing in is all."""


def _show_status(who: Credentials, json: bool) -> None:
    from algo.brokers.fctrading.connection import Connection, token_path
    from algo.cli import broker_tables, screens

    async def look(connection: Connection) -> tuple[str, float]:
        return connection.session.state.value, connection.session.left

    import asyncio

    async def main() -> tuple[str, float]:
        async with Connection(who, tokens=token_path(who)) as connection:
            return await look(connection)

    state, left = asyncio.run(main())
    found = {
        "state": state,
        "seconds_left": max(0, round(left)),
        "two_factor": str(who.two_factor),
        "accounts": {"equity": who.accounts.equity, "derivatives": who.accounts.derivatives},
        "url": who.endpoints.url,
        "stream_url": who.endpoints.stream_url,
        "key_bits": who.key.bits,
    }
    if json:
        broker.print_json(found)
        return
    hours, minutes = divmod(max(0, round(left)) // 60, 60)
    rows = {
        "Sign-in": state + (f", {hours} h {minutes:02} min left" if left > 0 else ""),
        "Code": str(who.two_factor),
        "Shares": who.accounts.equity or "-",
        "Derivatives": who.accounts.derivatives or "-",
        "Broker": who.endpoints.url,
        "Stream": who.endpoints.stream_url,
        "Key": f"{who.key.bits} bits",
    }
    screens.console().print(broker_tables.facts(rows, "FastConnect"))


def _shown(json: bool, table: str, facts: str, found: list[Any], empty: str) -> None:
    from algo.cli import broker_tables, screens

    if json:
        broker.print_json([getattr(broker_tables, facts)(one) if facts else asdict(one) for one in found])
    elif found or not empty:
        screens.console().print(getattr(broker_tables, table)(found))
    else:
        typer.echo(empty)
