"""A part of a live run that raises ends all of it: it is told, latched, and nothing of it works any more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from algo.errors import RunFailed
from algo.live.latch import Latch
from algo.live.trading import Trading
from algo.orders.controls import Alarm
from tests.generators.sandboxes import setup_of, stage
from tests.live.test_trading import Resting, bars_of, stepped


class Odd(Exception):
    """What nobody expects."""


def odd(*_: Any, **__: Any) -> Any:
    raise Odd("account 0901358, token abc")


def feed_pump(trading: Trading) -> None:
    trading.view.hear = odd  # type: ignore[method-assign]


def core(trading: Trading) -> None:
    trading.core.step = odd  # type: ignore[method-assign]


def listener(trading: Trading) -> None:
    trading.runtime.hear = odd  # type: ignore[method-assign]
    trading.runtime.act("kill", "so that the broker says something")


def comparison(trading: Trading) -> None:
    trading.broker.catch_up = odd  # type: ignore[method-assign]
    trading.runtime.sweep_soon()


def pulse(trading: Trading) -> None:
    trading._heed_latch = odd  # type: ignore[method-assign]


@pytest.mark.parametrize("break_it", [feed_pump, core, listener, comparison, pulse])
async def test_a_part_that_raises_ends_the_run_in_order(tmp_path: Path, break_it: Any) -> None:
    alarms: list[Alarm] = []
    async with stage(bars_of(1), tmp_path) as on:
        setup = setup_of(on, Resting)
        setup.on_alarm = alarms.append
        async with Trading(setup) as trading:
            await stepped(on, trading, 12)
            assert len(trading.core.open_orders) == 3
            break_it(trading)
            await on.control.step(3)
            async with asyncio.timeout(30):
                await trading.over.wait()
            with pytest.raises(RunFailed) as raised:
                await trading.finish()
            assert isinstance(raised.value.__cause__, Odd)
        house = on.sandbox.world.brokerage
        assert all(one.stage.over for one in house.orders(on.credentials.accounts.derivatives))
    assert Latch(setup.journal).reason().startswith("a part of the run failed: Odd at test_failures.py:")
    (alarm,) = [one for one in alarms if one.kind == "run"]
    assert "0901358" not in alarm.text and "abc" not in str(raised.value)


async def test_nobody_waits_for_quiet_where_nothing_is_applied(tmp_path: Path) -> None:
    async with stage(bars_of(1), tmp_path) as on, Trading(setup_of(on, Resting)) as trading:
        core(trading)
        with pytest.raises(RunFailed):
            async with asyncio.timeout(30):
                await stepped(on, trading, 3)


async def test_a_run_that_did_not_fail_is_not_latched(tmp_path: Path) -> None:
    async with stage(bars_of(1), tmp_path) as on:
        setup = setup_of(on, Resting)
        async with Trading(setup) as trading:
            await stepped(on, trading, 3)
            await trading.finish()
        assert setup.journal is not None
        assert not Latch(setup.journal).reason()
