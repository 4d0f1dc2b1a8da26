"""The equity curve against a plain revaluation of what was held at each moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from algo import CorporateAction, Strategy
from algo.backtest import Run
from algo.brokers.paper import FillRules
from algo.clock import at
from algo.valuation import equity_curve
from tests.generators.markets import FUTURE, SHARE, flat, minutes, prepared, scripted
from tests.generators.runs import DAYS, rules, seeds, strategies, walk

OTHER = "SSI"


def revalued(run: Run, opening: dict[str, tuple[int, float]]) -> list[tuple[int, bool]]:
    """(equity, whether anything is held) at each moment: everything counted again from the beginning."""
    ledger, feed = run.ledger, run.feed
    moments = list(zip(ledger.fills, run.simulation.fill_moments, strict=True))
    found = []
    for index, ns in enumerate(feed.times[: run.simulation.moments].tolist()):
        cash = sum(ledger.cash.values()) * 0 + run_cash(run)
        held: dict[str, int] = {}
        profit = 0
        for symbol, (quantity, price) in opening.items():
            held[symbol] = quantity
            if feed.instruments[symbol].shortable:
                profit -= round(price * 10) * quantity * 10_000
        for fill, moment in moments:
            if moment > index:
                continue
            unit = fill.instrument.multiplier
            change = int(fill.side) * fill.quantity
            held[fill.symbol] = held.get(fill.symbol, 0) + change
            cash -= fill.fee + fill.tax
            if fill.instrument.shortable:
                profit -= change * fill.units * unit
            else:
                cash -= change * fill.units * unit
        for flow in ledger.flows:
            if flow.ns <= ns:
                cash += flow.amount
                held[flow.symbol] = held.get(flow.symbol, 0) + flow.quantity
        value = profit
        for symbol, quantity in held.items():
            if not quantity:
                continue
            one = feed.series[symbol]
            known = one.close[one.time <= ns]
            price = known[-1] if len(known) else opening[symbol][1]
            instrument = feed.instruments[symbol]
            value += int(price * instrument.scale + 0.5) * quantity * instrument.multiplier
        found.append((cash + value, any(held.values())))
    return found


def run_cash(run: Run) -> int:
    given_ = run.settings.cash
    return sum(given_.values()) if isinstance(given_, dict) else int(given_)  # type: ignore[arg-type]


@given(strategies, seeds, rules, st.booleans())
@settings(max_examples=40)
def test_every_moment_is_worth_what_a_plain_count_says(
    strategy: type[Strategy], seed: int, how: FillRules, begun: bool
) -> None:
    data = [walk(FUTURE, 60, seed, width=15), walk(SHARE, 50, seed + 1, width=15, gaps=0.4)]
    data.append(walk(OTHER, 80, seed + 2, width=15, gaps=0.5))
    opening = {FUTURE: (2, 1_190.0), OTHER: (300, 29_000.0)} if begun else {}
    actions = (
        CorporateAction(at(DAYS[1]), OTHER, dividend=700, paid_ns=at(DAYS[2])),
        CorporateAction(at(DAYS[2]), OTHER, ratio_new=3, ratio_old=2),
    )
    run = prepared(
        strategy,
        *data,
        parameters={"symbols": [FUTURE, SHARE, OTHER]},
        rules=how,
        fees="vietnam",
        cash={"equity": 3_000_000_000, "derivatives": 2_000_000_000},
        opening=opening,
        actions=actions,
    )
    result = run.execute()
    plain = revalued(run, opening)
    assert result.equity.tolist() == [value for value, _ in plain]
    assert result.exposure.astype(bool).tolist() == [held for _, held in plain]
    assert result.equity.iloc[-1] == run.ledger.equity


def test_an_opening_position_is_worth_its_price_until_its_first_bar() -> None:
    early, late = minutes(SHARE, flat(80_000, 6)), minutes(OTHER, flat(20_000, 6)).take(slice(3, 6))
    run = prepared(scripted({}), early, late, opening={OTHER: (100, 30_000.0)}, cash=0)
    assert run.execute().equity.tolist() == [3_000_000] * 3 + [2_000_000] * 3


def test_a_run_that_ends_early_is_valued_at_its_last_moment() -> None:
    def fail(s: Any, bar: Any) -> None:
        raise ValueError("no")

    early, late = minutes(SHARE, flat(80_000, 6)), minutes(OTHER, flat(20_000, 6)).take(slice(3, 6))
    run = prepared(scripted({2: fail}), early, late, opening={OTHER: (100, 30_000.0)}, cash=0)
    result = run.execute()
    assert result.equity.tolist() == [3_000_000, 3_000_000]
    assert result.equity.iloc[-1] == run.ledger.equity


def test_no_moment_gives_no_value() -> None:
    run = prepared(scripted({}), minutes(SHARE, flat(80_000, 3)))
    equity, exposed = equity_curve(run.feed, run.ledger, [], 0, {})
    assert len(equity) == len(exposed) == 0
    assert equity.dtype == np.int64
