"""A sandbox on real sockets for commands, and a run's journal with orders that stand in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from algo.brokers.fctrading.adapter import FastConnect
from algo.brokers.fctrading.auth import Purpose
from algo.brokers.fctrading.connection import Connection
from algo.brokers.fctrading.credentials import read_file
from algo.journal import Journal, RowKind, fingerprint
from algo.market import instrument_of
from algo.model import OrderType, PlaceOrder, Side
from algo.orders.request_id import RequestIds
from algo.sandbox.authority import Authority
from tests.sandbox.running import DAY, MORNING, Served, made, served


@dataclass
class Reached:
    """The sandbox, and the file with which it is reached."""

    sandbox: Served
    credentials: Path
    journal: Path

    def place(self, *orders: tuple[str, Side, int, float], known: bool = True) -> list[str]:
        """Orders of a run: in the journal (unless not `known`), then sent. Gives their ids."""
        return asyncio.run(self._place(orders, known))

    async def _place(self, orders: tuple[tuple[str, Side, int, float], ...], known: bool) -> list[str]:
        who = read_file(self.credentials)
        owner = fingerprint(who.accounts.equity, who.accounts.derivatives)
        ids = RequestIds(10 if known else 20)
        commands = []
        for symbol, side, quantity, price in orders:
            instrument, request = instrument_of(symbol), ids.take()
            commands.append(
                PlaceOrder(
                    request, f"{DAY:%Y%m%d}-{request}", "sma", instrument, side, OrderType.LO,
                    instrument.units(price), quantity,
                )
            )  # fmt: skip
        if known:
            journal = Journal.open(self.journal, account=owner)
            for command in commands:
                journal.append(RowKind.COMMAND, MORNING, command)
            journal.close()
        async with Connection(who) as connection:
            await connection.session.token(Purpose.TRADE)
            broker = FastConnect(connection)
            for command in commands:
                outcome = await broker.send(command)
                assert type(outcome).__name__ == "RequestReceived", outcome
        return [command.order_id for command in commands]

    def working(self) -> list[str]:
        """The symbols of the orders that work at the broker."""
        brokerage, recipe = self.sandbox.sandbox.world.brokerage, self.sandbox.sandbox.recipe
        records = [
            one for account in (recipe.equity, recipe.derivatives) for one in brokerage.orders(account)
        ]
        return sorted(one.instrument.symbol for one in records if not one.stage.over)


@contextlib.contextmanager
def reached(folder: Path, *, tls: bool = False) -> Iterator[Reached]:
    authority = Authority() if tls else None
    with served(made(), authority) as sandbox:
        document = dict(sandbox.document)
        if authority is not None:
            (folder / "ca.pem").write_bytes(authority.certificate)
            document["ca_file"] = str(folder / "ca.pem")
        path = folder / "sandbox.json"
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        yield Reached(sandbox, path, folder / "live.journal")
