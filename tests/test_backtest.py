"""Whole backtests: no look-ahead, the same bytes again, a result that adds up, settings that make sense."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from algo import CorporateAction, FlatFees, Strategy, StrategyError, backtest
from algo.backtest import Run
from algo.brokers.paper import FillRules
from algo.clock import HOUR, at
from algo.data.series import join
from algo.errors import DataError, InputError, ParameterError, SettingError
from algo.model import Account
from tests.generators.markets import FUTURE, SHARE, fills, flat, minutes, played, prepared, scripted
from tests.generators.runs import DAYS, Random, rules, seeds, strategies, walk

BOTH = {"equity": 5_000_000_000, "derivatives": 2_000_000_000}


def story(run: Run, bars: int, made: int | None = None) -> list[Any]:
    """What was decided and what traded until the moment of bar `bars`, as plain values.

    The next bar begins at that moment: what follows from its open (exits, a target that is pursued
    anew, requests) is not part of it. `made` is the number of orders until then, None for all.
    """
    end = int(run.feed.times[bars - 1])
    orders = [
        (o.created, o.symbol, int(o.side), str(o.order_type), str(o.trigger), o.attached)
        for o in run.engine.manager.every[:made]
    ]
    asked = [
        (r.ns, str(r.kind), r.order_id, r.price, r.quantity)
        for o in run.engine.manager.every
        for r in o.requests
        if r.ns < end
    ]
    booked = [
        (f.ns, f.order_id, f.symbol, int(f.side), f.units, f.quantity, f.fee, f.tax, f.exit_reason)
        for f, moment in zip(run.ledger.fills, run.simulation.fill_moments, strict=True)
        if moment < bars
    ]
    return [orders, asked, booked]


@given(strategies, seeds, rules, st.integers(1, 160), st.sampled_from((FUTURE, SHARE)))
def test_decisions_on_the_first_bars_are_those_on_the_whole_series(
    strategy: type[Strategy], seed: int, how: FillRules, first: int, symbol: str
) -> None:
    data = walk(symbol, 160, seed, width=15)
    given_ = {"parameters": {"symbols": [symbol]}, "rules": how, "fees": "vietnam", "cash": 2_000_000_000}
    first = min(first, len(data))
    whole = prepared(strategy, data, **given_)
    made: list[int] = []
    whole_result = whole.execute(watch=lambda _moment: made.append(len(whole.engine.manager.every)))
    part = prepared(strategy, data.take(slice(first)), **given_)
    part_result = part.execute()
    assert not whole_result.error
    assert story(part, first) == story(whole, first, made[first - 1])
    assert part_result.equity.tolist() == whole_result.equity.iloc[:first].tolist()


class Peeks(Random):
    """Knows the whole day's range in advance."""

    def on_start(self) -> None:
        self.best = self.indicator(lambda high: high.max() + 0 * high, FUTURE)

    def on_bar(self, bar: Any) -> None:
        if bar.close > self.best[-1] - 1:
            self.target(FUTURE, -1)


def test_the_look_ahead_test_can_fail() -> None:
    data = walk(FUTURE, 200, 5)
    peak = int(data.close.argmax())
    whole, part = prepared(Peeks, data), prepared(Peeks, data.take(slice(peak // 2)))
    made: list[int] = []
    whole.execute(watch=lambda _moment: made.append(len(whole.engine.manager.every)))
    part.execute()
    assert story(part, peak // 2) != story(whole, peak // 2, made[peak // 2 - 1])


# -- the same again -------------------------------------------------------------------------------

RUN = """
import sys
from tests.test_backtest import one_run
sys.stdout.write(one_run())
"""


def one_run() -> str:
    """A busy run of two symbols on two accounts, as JSON."""
    from tests.generators.runs import Gene

    found = tuple(
        Gene(line, above, every, action, quantity, ticks)
        for line, above, every, action, quantity, ticks in (
            (0, True, 2, "bracket", 2, 3),
            (1, False, 3, "bracket", -1, -3),
            (3, True, 5, "target", 1, 0),
            (2, True, 4, "gtc", 1, -2),
            (4, False, 6, "amend", 1, 1),
            (1, True, 7, "sell", 1, 1),
        )
    )
    strategy = type("Busy", (Random,), {"_genes": found})
    data = [walk(FUTURE, 220, 1), walk(SHARE, 220, 2, gaps=0.2), walk("SSI", 220, 3, gaps=0.5)]
    _, result = played(
        strategy,
        *data,
        parameters={"symbols": [one.symbol for one in data]},
        rules=FillRules(),
        fees="vietnam",
        cash=BOTH,
    )
    assert len(result.trades) > 10
    return result.to_json()


def test_the_same_run_gives_the_same_bytes() -> None:
    assert one_run() == one_run()


def test_and_so_it_does_in_another_process_whatever_the_hash_seed() -> None:
    root = Path(__file__).parents[1]
    seed = "0" if os.environ.get("PYTHONHASHSEED") != "0" else "4242"
    variables = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=root, env=variables, capture_output=True, check=True
    )
    assert done.stdout.decode() == one_run()


# -- the result adds up ---------------------------------------------------------------------------


@given(strategies, seeds, rules)
@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_the_figures_of_a_run_fit_together(strategy: type[Strategy], seed: int, how: FillRules) -> None:
    data = [walk(FUTURE, 120, seed), walk(SHARE, 120, seed + 1, gaps=0.3)]
    run = prepared(
        strategy,
        *data,
        parameters={"symbols": [FUTURE, SHARE]},
        rules=how,
        fees="vietnam",
        cash=BOTH,
        opening={SHARE: (1_000, 30_000.0), FUTURE: (-2, 1_200.0)},
    )
    result = run.execute()
    ledger = run.ledger
    assert result.equity.iloc[-1] == ledger.equity
    assert result.stats["net_profit"] == ledger.equity - ledger.opening
    assert (result.stats["fees"], result.stats["taxes"]) == (ledger.fees, ledger.taxes)
    assert result.stats["trades"] == len(result.trades)
    earned = ledger.realised + ledger.open_profit
    assert ledger.equity == ledger.opening + earned - ledger.fees - ledger.taxes
    gone = sum(t.profit for t in ledger.round_trips)
    assert int(result.trades["pnl"].sum()) == gone
    assert int(result.trades["quantity"].sum()) == sum(t.quantity for t in ledger.round_trips)
    assert len(result.fills) == len(ledger.fills)
    assert all(p.quantity >= 0 for p in ledger.positions.values() if not p.instrument.shortable)
    text = json.loads(result.to_json())
    assert text["stats"]["net_profit"] == result.stats["net_profit"]
    assert len(text["trades"]) == len(result.trades)
    for order in run.engine.manager.every:
        traded = sum(f.quantity for f in ledger.fills if f.order_id and f.order_id in ids_of(order))
        assert traded == order.filled <= order.quantity


def ids_of(order: Any) -> set[str]:
    return {request.order_id for request in order.requests}


@given(strategies, seeds, rules)
@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_shares_are_never_sold_before_they_arrive(
    strategy: type[Strategy], seed: int, how: FillRules
) -> None:
    run = prepared(
        strategy,
        walk(SHARE, 300, seed),
        parameters={"symbols": [SHARE]},
        rules=how,
        opening={SHARE: (200, 30_000.0)},
    )
    run.execute()
    arrived = [(0, 200)]
    days = run.feed.days
    sold = 0
    for fill in run.ledger.fills:
        if fill.side > 0:
            index = next(k for k, day in enumerate(days) if at(day) <= fill.ns < at(day) + 24 * HOUR)
            due = at(days[index + 2], 13 * HOUR) if index + 2 < len(days) else 1 << 62
            arrived.append((due, fill.quantity))
        else:
            sold += fill.quantity
            assert sold <= sum(quantity for due, quantity in arrived if due <= fill.ns)


# -- corporate actions and opening positions ------------------------------------------------------


def test_dividends_and_splits_reach_the_account() -> None:
    days = [
        minutes(SHARE, flat(price, 3), day=day)
        for price, day in zip((40_000, 38_000, 19_000), DAYS, strict=False)
    ]
    actions = (
        CorporateAction(at(DAYS[1]), SHARE, dividend=2_000, paid_ns=at(DAYS[2])),
        CorporateAction(at(DAYS[2]), SHARE, ratio_new=2, ratio_old=1),
    )
    s, result = played(scripted({}), join(days), opening={SHARE: (100, 40_000.0)}, actions=actions, cash=0)
    assert s.position(SHARE).quantity == 200
    assert result.equity.tolist() == [4_000_000] * 3 + [3_800_000 + 190_000] * 6
    assert s.portfolio.cash[Account.EQUITY] == 190_000


def test_an_ex_date_without_bars_counts_on_the_next_day() -> None:
    days = [minutes(SHARE, flat(40_000, 3), day=day) for day in (DAYS[0], DAYS[3])]
    actions = (CorporateAction(at(DAYS[1]), SHARE, ratio_new=3, ratio_old=2),)
    s, _ = played(scripted({}), join(days), opening={SHARE: (100, 40_000.0)}, actions=actions)
    assert s.position(SHARE).quantity == 150


# -- the face -------------------------------------------------------------------------------------


class Once(Strategy):
    symbol: str = FUTURE
    size: int = 1

    def on_start(self) -> None:
        self.n = 0

    def on_bar(self, bar: Any) -> None:
        self.n += 1
        if self.n == 1:
            self.buy(bar.symbol, self.size)
        if self.n == 4:
            self.close(bar.symbol)


def frame(count: int = 6) -> Any:
    return minutes(FUTURE, [(1200 + k, 1201 + k, 1199 + k, 1200 + k) for k in range(count)]).to_frame()


def test_a_data_frame_a_path_and_a_dict_are_the_same(tmp_path: Path) -> None:
    table = frame()
    path = tmp_path / "VN30F1M.csv"
    table.to_csv(path)
    more: dict[str, Any] = {"stamp": "end", "fees": FlatFees(per_contract=1_000), "participation": None}
    results = [
        backtest(Once, table, symbol=FUTURE, **more),
        backtest(Once, path, symbol=FUTURE, **more),
        backtest(Once, {FUTURE: table}, **more),
    ]
    for result in results:
        assert fills(result) == [("buy", 1, 1201.0), ("sell", 1, 1204.0)]
        assert result.stats["net_profit"] == 300_000 - 2_000
        assert result.trades["pnl"].tolist() == [298_000]


def test_a_strategy_that_raises_hands_its_result_over() -> None:
    def fail(s: Any, bar: Any) -> None:
        raise ValueError("enough")

    with pytest.raises(StrategyError, match="enough") as caught:
        backtest(scripted({3: fail}), minutes(FUTURE, flat(1200, 6)).to_frame(), symbol=FUTURE, stamp="end")
    assert len(caught.value.result.equity) == 3
    assert caught.value.line


@pytest.mark.parametrize(
    ("more", "error", "why"),
    [
        ({"cash": -1}, SettingError, "from 0"),
        ({"cash": 0.5}, SettingError, "whole đồng"),
        ({"cash": "much"}, SettingError, "whole đồng"),
        ({"cash": {"purse": 1}}, SettingError, "purse"),
        ({"margin": 0}, SettingError, "margin"),
        ({"margin": 17}, SettingError, "margin"),
        ({"fill": "middle"}, SettingError, "fill"),
        ({"participation": 2}, SettingError, "participation"),
        ({"fees": "swiss"}, InputError, "swiss"),
        ({"size": 2}, ParameterError, "give it in parameters="),
        ({"slipage": 2}, SettingError, "no setting 'slipage'"),
        ({"parameters": {"sise": 2}}, ParameterError, "did you mean 'size'"),
        ({"parameters": {"size": "two"}}, ParameterError, "must be int"),
        ({"parameters": {"symbol": "VN30F2M"}}, DataError, "did you mean 'VN30F1M'"),
        ({"opening": {"FPT": (100, 80_000)}}, SettingError, "FPT"),
        ({"from_": "2030-01-01"}, DataError, "no bars in the range"),
    ],
)
def test_what_is_given_wrong_is_said_in_one_line(more: dict[str, Any], error: type, why: str) -> None:
    with pytest.raises(error, match=why) as caught:
        backtest(Once, frame(), **{"symbol": FUTURE, "stamp": "end", **more})
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)


def test_the_only_symbol_of_the_data_takes_the_place_of_the_default() -> None:
    data = minutes("VN30F2M", flat(1200, 6))
    result = prepared(Once, data).execute()
    assert len(result.fills) == 2
    assert any("parameter symbol is VN30F2M" in warning for warning in result.warnings)


def test_an_empty_series_is_said() -> None:
    with pytest.raises(DataError, match="no bars"):
        prepared(Once, minutes(FUTURE, flat(1200, 2)).take(slice(0)))


def test_a_bar_of_zero_volume_trades_nothing_and_says_nothing_wrong() -> None:
    data = minutes(FUTURE, flat(1200, 6, 0))
    result = prepared(Once, data).execute()
    assert not len(result.fills)
    assert result.stats["net_profit"] == 0


def test_adjusted_prices_are_snapped_and_said() -> None:
    data = replace(minutes(SHARE, [(80_123.4,) * 4] * 5), adjusted=True)
    plan = {1: lambda s, b: s.buy(SHARE, 100, 80_200.7)}
    _, result = played(scripted(plan), data)
    assert fills(result) == [("buy", 100, 80_123.0)]
    assert any("adjusted" in warning for warning in result.warnings)
