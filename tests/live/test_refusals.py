"""What stops a run before it starts, or halts it on the way: one clear line each, and nothing is lost."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from algo.brokers.fctrading.signing import generate
from algo.errors import BrokerError, JournalDamaged, JournalForeign, JournalLocked
from algo.fastconnect.secret import Secret
from algo.journal import Records, connect
from algo.live.machine import Machine
from algo.live.trading import Trading
from algo.orders.controls import Alarm
from algo.strategy import Strategy
from tests.generators.sandboxes import setup_of, stage
from tests.live.test_trading import Resting, bars_of, stepped


class FullDisk:
    """A connection to a disk that fills up when it is told."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.full = False

    def execute(self, sql: str, *given: Any) -> Any:
        if self.full and sql.lstrip().upper().startswith(("BEGIN", "INSERT", "COMMIT")):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self._inner.execute(sql, *given)

    def executemany(self, sql: str, *given: Any) -> Any:
        return self._inner.executemany(sql, *given)

    def close(self) -> None:
        self._inner.close()


class Placing(Strategy):
    """One limit far away at each bar; cancels the oldest when told."""

    symbol: str = "VN30F1M"

    def on_bar(self, bar: Any) -> None:
        if self.session(self.symbol) == "LO":
            self.buy(self.symbol, 1, self.round_price(self.symbol, bar.close - 20 - len(self.orders)))
            if len(self.orders) > 3:
                self.cancel(self.orders[0])


async def test_a_full_disk_lets_cancels_through_and_nothing_else(tmp_path: Path) -> None:
    made: list[FullDisk] = []

    def opened(path: Path) -> Any:
        made.append(FullDisk(connect(path)))
        return made[-1]

    alarms: list[Alarm] = []
    async with stage(bars_of(1), tmp_path) as on:
        setup = replace(setup_of(on, Placing), machine=Machine(connect=opened), on_alarm=alarms.append)
        async with Trading(setup) as trading:
            await stepped(on, trading, 14)
            before = {o.order_id for o in trading.core.open_orders}
            assert len(before) >= 3
            made[-1].full = True
            await stepped(on, trading, 10)
            now = {o.order_id for o in trading.core.open_orders if o.order_id}
            assert now < before, "nothing new, and cancels went"
            house = on.sandbox.world.brokerage
            placed = {one.first_request_id for one in house.orders(on.credentials.accounts.derivatives)}
        assert any(alarm.kind == "journal" and "disk is full" in alarm.text for alarm in alarms)
    with Records.open(tmp_path / "run.journal") as records:
        known = {row.value.request_id for row in records.rows() if row.kind == "command"}
    assert placed <= known, "whatever the broker has was recorded before"


async def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    async with stage(bars_of(1), tmp_path) as on, Trading(setup_of(on, Resting)) as first:
        with pytest.raises(JournalLocked) as refused:
            Trading(setup_of(on, Resting))
        assert "\n" not in str(refused.value)
        await stepped(on, first, 2)


async def test_a_damaged_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    async with stage(bars_of(1), tmp_path) as on:
        async with Trading(setup_of(on, Resting)) as first:
            await stepped(on, first, 12)
        raw = bytearray(path.read_bytes())
        raw[raw.rindex(b"PlaceOrder")] ^= 1
        path.write_bytes(raw)
        with pytest.raises(JournalDamaged) as refused:
            Trading(setup_of(on, Resting))
        assert "\n" not in str(refused.value)
        assert path.read_bytes() == bytes(raw)


async def test_a_journal_of_other_accounts_is_refused(tmp_path: Path) -> None:
    async with stage(bars_of(1), tmp_path) as on:
        async with Trading(setup_of(on, Resting)):
            pass
        setup = setup_of(on, Resting)
        others = replace(setup.credentials.accounts, derivatives="9999998")
        setup.credentials = replace(setup.credentials, accounts=others)
        with pytest.raises(JournalForeign, match="another account"):
            Trading(setup)


async def test_a_wrong_secret_ends_the_start_in_one_line(tmp_path: Path) -> None:
    async with stage(bars_of(1), tmp_path) as on:
        setup = setup_of(on, Resting)
        setup.credentials = replace(setup.credentials, consumer_secret=Secret("wrong"))
        with pytest.raises(BrokerError) as refused:
            async with Trading(setup):
                pass
        assert "\n" not in str(refused.value)
        assert "wrong" not in str(refused.value).split("is wrong")[0]


async def test_orders_with_a_wrong_key_are_refused_and_halt_the_strategy(tmp_path: Path) -> None:
    alarms: list[Alarm] = []
    async with stage(bars_of(2), tmp_path) as on:
        setup = replace(setup_of(on, Placing), on_alarm=alarms.append)
        setup.credentials = replace(setup.credentials, key=generate())
        setup.plan = replace(setup.plan, controls=replace(setup.plan.controls, refusals=5))
        async with Trading(setup) as trading:
            await stepped(on, trading, 30)
            assert trading.core.open_orders == []
            assert on.sandbox.world.brokerage.orders(on.credentials.accounts.derivatives) == []
    assert [alarm.scope for alarm in alarms if alarm.kind == "breaker"] == ["strategy:trader"]
