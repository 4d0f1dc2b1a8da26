"""Exits and other sales together never sell shares before they have settled."""

from __future__ import annotations

from datetime import date

from tests.generators.markets import SHARE, daily, fills, played, scripted

WEEK = [date(2023, 3, day) for day in (13, 14, 15, 16, 17, 20, 21)]
CALM, FALL = (30_000.0,) * 4, (28_500.0, 28_500.0, 28_300.0, 28_300.0)


def test_the_exit_of_a_second_purchase_waits_for_its_own_shares() -> None:
    # Bought on the 14th and on the 17th, when the first have settled; the fall is on the 20th.
    buy = {k: lambda s, b: s.buy(SHARE, 100, stop_loss=29_000.0) for k in (1, 4)}
    _, result = played(scripted(buy), daily(SHARE, [CALM] * 5 + [FALL] * 2, WEEK))
    assert fills(result)[:3] == [("buy", 100, 30_000.0), ("buy", 100, 30_000.0), ("sell", 100, 28_500.0)]
    # The second lot settles at 13:00 of the 21st, inside a daily bar that began before.
    assert len(fills(result)) == 3


def test_a_sale_takes_the_settled_shares_from_the_exit_that_has_them() -> None:
    plan = {
        1: lambda s, b: s.buy(SHARE, 100, stop_loss=29_000.0),
        4: lambda s, b: s.buy(SHARE, 100),
        5: lambda s, b: s.sell(SHARE, 100, 31_000.0),
    }
    rows = [CALM] * 5 + [(30_000.0, 31_500.0, 28_400.0, 30_000.0)] * 2
    _, result = played(scripted(plan), daily(SHARE, rows, WEEK))
    assert fills(result)[2:] == [("sell", 100, 31_000.0)]
