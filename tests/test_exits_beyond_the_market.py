"""Exits and orders that the market is beyond when they come: they trade where it is, in the bar."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.model import Side
from tests.generators.markets import FUTURE, fills, minutes, played, scripted

CALM = (1500.0, 1501.0, 1499.0, 1500.0)


def bought(
    *rows: tuple[float, ...], price: float | None = None, **exits: float
) -> list[tuple[str, int, float]]:
    """What a purchase after the first bar and its exits come to."""
    _, result = played(scripted({1: lambda s, b: s.buy(FUTURE, 1, price, **exits)}), minutes(FUTURE, rows))
    return fills(result)


def test_a_gap_beyond_the_stop_of_an_entry_is_no_profit() -> None:
    gap = (1480.0, 1490.0, 1478.0, 1485.0)
    assert bought(CALM, gap, stop_loss=1495.0) == [("buy", 1, 1480.0), ("sell", 1, 1480.0)]


def test_a_stop_on_the_wrong_side_is_no_profit_either() -> None:
    rows = (CALM, (1500.0, 1512.0, 1490.0, 1509.0))
    assert bought(*rows, stop_loss=1590.0) == [("buy", 1, 1500.0), ("sell", 1, 1500.0)]
    assert bought(*rows, price=1495.0, stop_loss=1590.0) == [("buy", 1, 1495.0), ("sell", 1, 1495.0)]


def test_a_target_that_the_open_betters_trades_at_the_open() -> None:
    gap = (1510.0, 1512.0, 1508.0, 1511.0)
    assert bought(CALM, gap, take_profit=1505.0) == [("buy", 1, 1510.0), ("sell", 1, 1510.0)]


@pytest.mark.parametrize("close", [1495.0, 1509.0])
def test_a_stop_asked_for_at_a_fill_gets_no_better_price_than_the_close(close: float) -> None:
    def again(s: Any, fill: Any) -> None:
        if s.position(FUTURE).quantity == 1:
            s.buy(FUTURE, 1, stop=1400.0)

    plan = scripted({1: lambda s, b: s.buy(FUTURE, 1, 1494.0)}, on_fill=again)
    _, result = played(plan, minutes(FUTURE, (CALM, (1500.0, 1512.0, 1490.0, close))))
    assert fills(result) == [("buy", 1, 1494.0), ("buy", 1, max(1500.0, close))]


def test_a_stop_order_amended_while_the_bar_opens_trades_inside_it() -> None:
    def amended(s: Any, fill: Any) -> None:
        if fill.quantity == 1:
            s.amend(s.views[0], price=1520.0)

    plan = {
        1: lambda s, b: s.buy(FUTURE, 5, 1499.5, stop=1500.0),
        2: lambda s, b: s.buy(FUTURE, 1),
    }
    rows = (CALM, (1500.0, 1501.0, 1499.6, 1500.0), CALM)
    _, result = played(scripted(plan, on_fill=amended), minutes(FUTURE, rows))
    assert fills(result) == [("buy", 1, 1500.0), ("buy", 5, 1500.0)]


price = st.integers(14_000, 16_000).map(lambda units: units / 10)
bar = st.lists(price, min_size=4, max_size=4).map(
    lambda p: (p[0], max(p), min(p), p[1]),
)


@given(st.lists(bar, min_size=2, max_size=4), price, price, st.none() | price, st.sampled_from(Side))
def test_exits_trade_inside_their_bar_and_a_stop_never_pays(
    rows: list[tuple[float, ...]], stop: float, target: float, limit: float | None, side: Side
) -> None:
    if (target - stop) * side <= 0:
        stop, target = target, stop
    if stop == target:
        target += 10 * side
    ask = {Side.BUY: "buy", Side.SELL: "sell"}[side]
    plan = {1: lambda s, b: getattr(s, ask)(FUTURE, 1, limit, stop_loss=stop, take_profit=target)}
    data = minutes(FUTURE, rows)
    _, result = played(scripted(plan), data)
    for fill in result._fills:
        inside = [k for k in range(len(rows)) if fill.ns in (data.start[k], data.time[k])]
        assert any(data.low[k] <= fill.price <= data.high[k] for k in inside)
    if len(result._fills) == 2:
        entry, exit_ = result._fills
        if exit_.exit_reason == "stop_loss":
            assert (exit_.price - entry.price) * side <= 0
