"""Whole live runs beside a sandbox on real sockets: restarts, kills, TLS, and doing the day again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from algo.data import synthetic
from algo.data.widths import finished, widen
from algo.errors import BrokerError
from algo.journal import Records
from algo.live.clock import SteppedClock
from algo.live.latch import Latch
from algo.live.operator_port import ask
from algo.live.replay import differences
from algo.live.stepping import SteppedBars, Stepper
from algo.live.trading import Trading
from algo.strategy import Strategy
from strategies.two_sided_quoter import TwoSidedQuoter
from tests.generators.sandboxes import Stage, setup_of, stage, stepped_through


def bars_of(days: int, width: str = "15m") -> dict[str, Any]:
    one = synthetic.make(["VN30F1M"], days=days)["VN30F1M"]
    return {"VN30F1M": widen(one, width, finished(one))}


class Resting(Strategy):
    """Keeps three limits far from the market, once; counts bars in its state."""

    symbol: str = "VN30F1M"

    def on_bar(self, bar: Any) -> None:
        self.state["bars"] = self.state.get("bars", 0) + 1
        if not self.orders and self.session(self.symbol) == "LO" and not self.state.get("placed"):
            self.state["placed"] = True
            for away in (20, 25, 30):
                self.buy(self.symbol, 1, self.round_price(self.symbol, bar.close - away))


async def stepped(on: Stage, trading: Trading, stops: int) -> None:
    """Some stops on, then still."""
    clock, bars = trading.setup.clock, trading.setup.bars
    assert isinstance(clock, SteppedClock) and isinstance(bars, SteppedBars)
    stepper = Stepper(trading, on.control, clock, bars)
    state = await on.control.state()
    for _ in range(stops):
        following = state["next"]
        await stepper._timers(following["ns"], following["kind"])
        state = await on.control.step()
        await stepper._happened(state)


async def test_over_tls_nothing_differs_but_addresses_keys_and_authority(tmp_path: Path) -> None:
    async with stage(bars_of(2, "5m"), tmp_path, tls=True) as on:
        assert on.credentials.endpoints.url.startswith("https://")
        trading = await stepped_through(on, setup_of(on, TwoSidedQuoter))
    assert trading.core.engine.desks["trader"].ledger.fills


async def test_a_server_of_another_authority_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    async with stage(bars_of(1), tmp_path, tls=True) as on:
        setup = setup_of(on, TwoSidedQuoter)
        setup.credentials = replace(on.credentials, ca_file=None)
        with pytest.raises(BrokerError):
            async with Trading(setup):
                pass


async def test_a_recorded_day_gives_the_same_commands_again(tmp_path: Path) -> None:
    async with stage(bars_of(2, "5m"), tmp_path) as on:
        await stepped_through(on, setup_of(on, TwoSidedQuoter))
    with Records.open(tmp_path / "run.journal") as records:
        found = differences(records, lambda _name: TwoSidedQuoter)
    assert found.row is None
    assert found.commands > 20 and found.processes == 1


async def test_another_strategy_is_told_from_the_recorded_one(tmp_path: Path) -> None:
    async with stage(bars_of(2, "5m"), tmp_path) as on:
        await stepped_through(on, setup_of(on, TwoSidedQuoter))

    class Other(TwoSidedQuoter):
        """Quotes further away."""

        away: float = 2.5

    with Records.open(tmp_path / "run.journal") as records:
        found = differences(records, lambda _name: Other)
    assert found.row is not None
    assert found.then != found.now


async def test_a_restart_finds_orders_position_and_state(tmp_path: Path) -> None:
    async with stage(bars_of(1), tmp_path) as on:
        async with Trading(setup_of(on, Resting)) as first:
            await stepped(on, first, 12)
            before = {o.order_id: o.broker_id for o in first.core.open_orders}
            bars = first.core.engine.desks["trader"].state["bars"]
        assert len(before) == 3
        setup = setup_of(on, Resting)
        async with Trading(setup) as second:
            assert {o.order_id: o.broker_id for o in second.core.open_orders} == before
            assert second.core.engine.desks["trader"].state["bars"] == bars
            assert not second.core.controls.ready
            await stepped(on, second, 6)
            assert {o.order_id for o in second.core.open_orders} == set(before)
            ids = [o.order_id for o in second.core.engine.manager.every if o.order_id]
            assert len(ids) == len(set(ids))
    with Records.open(tmp_path / "run.journal") as records:
        found = differences(records, lambda _name: Resting)
    assert (found.row, found.processes) == (None, 2)


async def test_the_kill_switch_cancels_everything_and_stays(tmp_path: Path) -> None:
    journal = tmp_path / "run.journal"
    async with stage(bars_of(1), tmp_path) as on:
        async with Trading(setup_of(on, Resting)) as trading:
            await stepped(on, trading, 12)
            assert len(trading.core.open_orders) == 3
            found = await ask(journal, "kill", "the test wants it")
            assert found is not None
            assert found["killed"] == "the test wants it"
            assert found["open_orders"] == []
        house = on.sandbox.world.brokerage
        account = on.credentials.accounts.derivatives
        assert all(one.stage.over for one in house.orders(account))
        assert Latch(journal).reason() == "the test wants it"
        async with Trading(setup_of(on, Resting)) as again:
            assert again.core.controls.killed == "the test wants it"
            again.core.engine.desks["trader"].state["placed"] = False
            await stepped(on, again, 4)
            assert again.core.open_orders == []
            assert await ask(journal, "resume") is not None
            assert not again.core.controls.killed
            assert not Latch(journal).reason()


async def test_a_port_wants_its_token(tmp_path: Path) -> None:
    import json

    from algo.live.operator_port import port_file

    async with stage(bars_of(1), tmp_path) as on, Trading(setup_of(on, Resting)):
        file = port_file(tmp_path / "run.journal")
        assert file.stat().st_mode & 0o077 == 0
        facts = json.loads(file.read_text())
        reader, writer = await asyncio.open_connection("127.0.0.1", facts["port"])
        writer.write(json.dumps({"token": "guessed", "action": "kill"}).encode() + b"\n")
        assert json.loads(await reader.readline())["ok"] is False
        writer.close()
        status = await ask(tmp_path / "run.journal", "status")
        assert status is not None and not status["killed"]
