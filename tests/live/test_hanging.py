"""A strategy that hangs stops the loop it runs in: the watchdog latches and cancels from outside of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from algo.live.latch import Latch
from algo.live.machine import Machine
from algo.live.trading import Trading
from algo.live.watchdog import Watchdog
from algo.orders.controls import Alarm
from algo.strategy import Strategy
from tests.generators.sandboxes import setup_of, stage
from tests.live.test_trading import bars_of, stepped


class Hanging(Strategy):
    """Places an order, and at a later bar waits until somebody lets it go on."""

    symbol: str = "VN30F1M"
    let_go: ClassVar[threading.Event]

    def on_bar(self, bar: Any) -> None:
        if self.session(self.symbol) != "LO":
            return
        if not self.orders:
            self.buy(self.symbol, 1, self.round_price(self.symbol, bar.close - 20))
        elif self.orders[0].broker_id:
            self.let_go.wait(60)


async def test_the_watchdog_cancels_while_the_loop_stands_still(tmp_path: Path) -> None:
    """The sandbox runs in a thread of its own, as a broker runs on a machine of its own."""
    Hanging.let_go = threading.Event()
    alarms: list[Alarm] = []

    def seen(alarm: Alarm) -> None:
        alarms.append(alarm)

    def watch(on_hang: Any) -> Watchdog:
        def hung(seconds: float) -> None:
            on_hang(seconds)
            Hanging.let_go.set()

        return Watchdog(hung, limit=0.5)

    async with stage(bars_of(1), tmp_path, threaded=True) as on:
        setup = replace(setup_of(on, Hanging), machine=Machine(watch=watch), on_alarm=seen)
        setup.tokens = tmp_path / "tokens.json"
        async with Trading(setup) as trading:
            await stepped(on, trading, 16)
            assert Hanging.let_go.is_set()
            orders = on.sandbox.world.brokerage.orders(on.credentials.accounts.derivatives)
            assert orders and all(one.stage.over for one in orders)
            assert "hangs" in Latch(tmp_path / "run.journal").reason()
            trading._heed_latch()
            await trading.runtime.quiet()
            assert trading.core.controls.killed
    assert any(alarm.kind == "watchdog" for alarm in alarms)
