"""A recorded run comes to the same again: with shadows to recover, with the strategies to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algo import backtest
from algo.data import synthetic
from algo.errors import JournalMismatch
from algo.journal import Journal, Records, RowKind
from algo.live.core import Core
from algo.live.record import Record, again, restore, steps
from algo.model import OrderStatus, PlaceOrder
from algo.strategy import Strategy
from strategies.opening_range_breakout import OpeningRangeBreakout
from strategies.sma_cross import SmaCross
from strategies.two_sided_quoter import TwoSidedQuoter
from tests.generators.live_runs import SEAT, fills_of, plan_of, played
from tests.generators.traders import RandomTrader

DATA = synthetic.make(["VN30F1M"], days=4)


def recorded(tmp_path: Path, strategy: type[Strategy], parameters: Any = None) -> tuple[Core, Path, Any]:
    plan = plan_of(strategy, DATA, parameters)
    path = tmp_path / "run.journal"
    path.unlink(missing_ok=True)
    for beside in tmp_path.glob("run.journal*"):
        beside.unlink()
    journal = Journal.open(path)
    record = Record(journal)
    record.run(0, {"version": "test"})
    core, _ = played(plan, DATA, record)
    record.commit()
    journal.close()
    return core, path, plan


@pytest.mark.parametrize("strategy", [SmaCross, TwoSidedQuoter, OpeningRangeBreakout])
def test_a_core_trades_as_a_backtest_does(strategy: type[Strategy]) -> None:
    core, _ = played(plan_of(strategy, DATA), DATA)
    expected = backtest(strategy, DATA)
    bare = [(f.ns, f.side, f.units, f.quantity, f.fee, f.tax) for f in core.engine.desks[SEAT].ledger.fills]
    assert bare == [(f.ns, f.side, f.units, f.quantity, f.fee, f.tax) for f in expected._fills]
    assert len(bare) > 4


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_shadows_bring_a_random_run_back_to_where_it_was(tmp_path: Path, seed: int) -> None:
    core, path, plan = recorded(tmp_path, RandomTrader, {"seed": seed})
    with Records.open(path) as records:
        restored = Core(plan)
        restored.controls.ready = ""
        restore(restored, records)
    old, new = core.engine, restored.engine
    assert fills_of(restored) == fills_of(core)
    assert new.desks[SEAT].ledger.cash == old.desks[SEAT].ledger.cash
    assert [(o.order_id, o.status, o.filled) for o in new.manager.every] == [
        (o.order_id, o.status, o.filled) for o in old.manager.every
    ]
    assert new.manager._ids[SEAT].used == old.manager._ids[SEAT].used
    assert new.desks[SEAT].targets == old.desks[SEAT].targets


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_the_strategy_itself_decides_the_same_again(tmp_path: Path, seed: int) -> None:
    _, path, plan = recorded(tmp_path, RandomTrader, {"seed": seed})
    core = Core(plan)
    core.wake()
    core.controls.ready = ""
    with Records.open(path) as records:
        for one in steps(records):
            if not isinstance(one, dict):
                assert again(core, one).commands == one.commands


def test_recovering_twice_equals_recovering_once(tmp_path: Path) -> None:
    _, path, plan = recorded(tmp_path, TwoSidedQuoter)
    found = []
    for _ in range(2):
        with Records.open(path) as records:
            core = Core(plan)
            core.controls.ready = ""
            restore(core, records)
            found.append((fills_of(core), [repr(o) for o in core.engine.manager.every]))
    assert found[0] == found[1]


def test_a_run_that_does_not_follow_any_more_is_refused(tmp_path: Path) -> None:
    plan = plan_of(SmaCross, DATA)
    journal = Journal.open(tmp_path / "run.journal")
    record = Record(journal)
    _, engine = played(plan, DATA, record)
    record.commit()
    command = next(c for _, commands in engine.steps for c in commands if isinstance(c, PlaceOrder))
    journal.append(RowKind.COMMAND, 1, command)
    journal.close()
    with (
        Records.open(tmp_path / "run.journal") as records,
        pytest.raises(JournalMismatch, match="do not follow"),
    ):
        core = Core(plan)
        core.controls.ready = ""
        restore(core, records)


class Remembering(Strategy):
    """Keeps a count in its state and sends a market order once."""

    symbol: str = "VN30F1M"

    def on_start(self) -> None:
        self.found = dict(self.state)

    def on_bar(self, bar: Any) -> None:
        self.state["bars"] = self.state.get("bars", 0) + 1
        if self.state["bars"] == 3:
            self.buy(self.symbol, 1)


def test_state_orders_and_position_are_there_when_a_strategy_wakes_again(tmp_path: Path) -> None:
    old, path, plan = recorded(tmp_path, Remembering)
    core = Core(plan)
    core.controls.ready = ""
    with Records.open(path) as records:
        restore(core, records)
    core.restart()
    core.wake()
    core.start(old.engine.now)
    strategy = core.engine.desks[SEAT].strategy
    assert strategy.found["bars"] == strategy.state["bars"] > 3  # type: ignore[attr-defined]
    assert strategy.position("VN30F1M").quantity == 1
    assert [o.status for o in core.engine.manager.every] == [OrderStatus.FILLED]


class Failing(Strategy):
    """Has a working order, and raises."""

    symbol: str = "VN30F1M"

    def on_bar(self, bar: Any) -> None:
        self.buy(self.symbol, 1, self.round_price(self.symbol, bar.close * 0.97))
        if len(self.orders) == 2:
            raise ZeroDivisionError("a mistake")


def test_a_strategy_that_raised_raises_at_the_same_place_again(tmp_path: Path) -> None:
    old, path, plan = recorded(tmp_path, Failing)
    assert len(old.engine.failures) == 1
    core = Core(plan)
    core.controls.ready = ""
    with Records.open(path) as records:
        restore(core, records)
    assert [repr(o) for o in core.engine.manager.every] == [repr(o) for o in old.engine.manager.every]
    assert len(core.engine.failures) == 1


class Unkept(Strategy):
    """Keeps in its state what no file can hold, after an order went out."""

    symbol: str = "VN30F1M"

    def on_bar(self, bar: Any) -> None:
        count = self.state["bars"] = self.state.get("bars", 0) + 1
        if count == 5:
            self.buy(self.symbol, 1, self.round_price(self.symbol, bar.close * 0.97))
        if count == 8:
            self.state["seen"] = {count}


def test_a_state_that_cannot_be_kept_is_the_strategys_failure(tmp_path: Path) -> None:
    core, path, plan = recorded(tmp_path, Unkept)
    (failure,) = core.engine.failures
    assert "its state must be what JSON can hold" in str(failure)
    assert not core.open_orders
    with Records.open(path) as records:
        restored = Core(plan)
        restored.controls.ready = ""
        restore(restored, records)
    assert len(restored.engine.failures) == 1
    restored.wake()
    assert restored.engine.desks[SEAT].state == {"bars": 7}
