"""algo's own adapter against the sandbox, over real sockets and through what breaks them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from algo.brokers.fctrading.adapter import FastConnect
from algo.brokers.fctrading.auth import Purpose
from algo.brokers.fctrading.connection import Connection
from algo.brokers.fctrading.credentials import parse_document
from algo.market import instrument_of
from algo.model import (
    OrderAccepted,
    OrderFilled,
    OrderType,
    PlaceOrder,
    RequestReceived,
    RequestUnknown,
    Side,
    StreamLost,
    StreamRestored,
)
from algo.sandbox.assembly import Sandbox
from algo.sandbox.authority import Authority
from algo.sandbox.faults import Asked, Fault
from algo.sandbox.relay import Relay, Way
from algo.sandbox.server import serve
from tests.sandbox.running import made

FPT = instrument_of("FPT")
HEARD_WITHIN = 15.0


@dataclass
class Trader:
    """The adapter, what it heard, and the relay that its stream goes through."""

    sandbox: Sandbox
    broker: FastConnect
    relay: Relay
    heard: list[Any] = field(default_factory=list)
    count: int = 0

    async def buy(self, price: int, quantity: int = 100) -> Any:
        self.count += 1
        number = f"{10_000_000 + self.count}"
        command = PlaceOrder(number, f"20250702-{number}", "s", FPT, Side.BUY, OrderType.LO, price, quantity)
        return await self.broker.send(command)

    async def until(self, condition: Callable[[list[Any]], bool]) -> None:
        async with asyncio.timeout(HEARD_WITHIN):
            while not condition(self.heard):
                await asyncio.sleep(0.01)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]


@contextlib.asynccontextmanager
async def trading(tmp_path: Path, authority: Authority | None = None) -> AsyncIterator[Trader]:
    sandbox = made()
    async with serve(sandbox.host, authority=authority) as running, Relay(running.port) as relay:
        ca_file = tmp_path / "ca.pem"
        if authority is not None:
            ca_file.write_bytes(authority.certificate)
        document = sandbox.document(running.url, ca_file if authority is not None else None)
        document["stream_url"] = running.url.replace(str(running.port), str(relay.port))
        who = parse_document(json.loads(json.dumps(document)), "test", tmp_path)
        connection = Connection(who)
        await connection.session.token(Purpose.TRADE)
        broker = FastConnect(connection, now=lambda: sandbox.world.now)
        trader = Trader(sandbox, broker, relay)

        async def listen() -> None:
            async for batch in broker.events():
                trader.heard += batch.events

        tasks = [asyncio.create_task(broker.run()), asyncio.create_task(listen())]
        try:
            await trader.until(lambda heard: any(isinstance(one, StreamRestored) for one in heard))
            yield trader
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await broker.close()


@pytest.mark.parametrize("secure", [False, True])
async def test_an_order_is_received_accepted_and_filled(tmp_path: Path, secure: bool) -> None:
    async with trading(tmp_path, Authority() if secure else None) as trader:
        last = round(trader.sandbox.world.tape.states["FPT"].last)
        assert isinstance(await trader.buy(last + 2000, 200), RequestReceived)
        await trader.until(lambda _: bool(trader.of(OrderAccepted)))
        trader.sandbox.host.step(4)
        await trader.until(lambda _: sum(fill.quantity for fill in trader.of(OrderFilled)) == 200)


@pytest.mark.parametrize("cut", [0, 1, 300, 700])
async def test_a_stream_that_breaks_anywhere_loses_nothing(tmp_path: Path, cut: int) -> None:
    async with trading(tmp_path) as trader:
        floor = round(trader.sandbox.world.tape.states["FPT"].floor)
        await trader.buy(floor)
        await trader.until(lambda _: len(trader.of(OrderAccepted)) == 1)
        trader.relay.cut(cut, Way.DOWN)
        await trader.buy(floor)
        await trader.until(lambda _: len(trader.of(StreamLost)) == 1)
        await trader.buy(floor)
        await trader.until(lambda _: len(trader.of(OrderAccepted)) == 3)
        assert len({event.order_id for event in trader.of(OrderAccepted)}) == 3
        assert len(trader.of(StreamRestored)) == 2


async def test_messages_that_come_twice_and_out_of_order_are_told_once(tmp_path: Path) -> None:
    async with trading(tmp_path) as trader:
        faults = trader.sandbox.host.faults
        faults.ask(Asked(Fault.REPEAT, 4))
        faults.ask(Asked(Fault.REORDER, 3))
        floor = round(trader.sandbox.world.tape.states["FPT"].floor)
        for _ in range(5):
            await trader.buy(floor)
        await trader.until(lambda _: len(trader.of(OrderAccepted)) == 5)
        assert len({event.order_id for event in trader.of(OrderAccepted)}) == 5


@pytest.mark.parametrize("fault", [Fault.LOSE, Fault.CUT, Fault.GATEWAY, Fault.ERROR, Fault.DROP])
async def test_an_answer_that_never_came_is_unknown_and_is_never_sent_again(
    tmp_path: Path, fault: Fault
) -> None:
    async with trading(tmp_path) as trader:
        floor = round(trader.sandbox.world.tape.states["FPT"].floor)
        await trader.buy(floor)
        trader.sandbox.host.faults.ask(Asked(fault, match="NewOrder"))
        assert isinstance(await trader.buy(floor), RequestUnknown)
        carried_out = fault in {Fault.LOSE, Fault.CUT, Fault.GATEWAY}
        await trader.until(lambda _: len(trader.of(OrderAccepted)) == 1 + carried_out)
        orders = trader.sandbox.world.brokerage.orders(trader.sandbox.recipe.equity)
        assert len(orders) == 1 + carried_out
