"""What a run cannot be given: one line, an error of algo's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from algo.backtest import backtest
from algo.data.feed import BarFeed
from algo.errors import DataError, InputError
from algo.model import OrderStatus
from algo.strategy import Strategy
from tests.generators.markets import FUTURE, SHARE, flat, minutes, played, scripted


class Idle(Strategy):
    pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": int},
        {"strategy": Idle()},
        {"cash": float("inf")},
        {"margin": "0.2"},
        {"participation": "a tenth"},
        {"opening": {FUTURE: (1, -1500.0)}},
        {"opening": {FUTURE: (0.5, 1500.0)}},
        {"data": {5: minutes(FUTURE, flat(1500, 2)).to_frame()}},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_impossible_settings_are_input_errors(wrong: dict[str, Any]) -> None:
    given = {
        "strategy": Idle,
        "data": minutes(FUTURE, flat(1500, 2)).to_frame(),
        "symbol": FUTURE,
        "width": "1m",
    }
    if "data" in wrong:
        del given["symbol"]
    with pytest.raises(InputError):
        backtest(**{**given, **wrong})


def test_a_run_without_cash_still_shows_itself() -> None:
    _, result = played(scripted({}), minutes(FUTURE, flat(1500, 2)), cash=0)
    assert "0 đ" in repr(result)


def test_two_series_of_one_contract_are_not_mixed() -> None:
    front = minutes(FUTURE, flat(1500, 2), contracts=["VN30F2306", "VN30F2307"])
    second = minutes("VN30F2M", flat(1510, 2), contracts=["VN30F2307", "VN30F2308"])
    with pytest.raises(DataError, match="VN30F1M and VN30F2M both have the contract VN30F2307"):
        BarFeed({FUTURE: front, "VN30F2M": second})


@pytest.mark.parametrize("leg", [{"stop_loss": 98_950.0}, {"take_profit": 105_050.0}])
def test_an_entry_with_an_illegal_exit_is_refused_itself(leg: dict[str, float]) -> None:
    plan = scripted({1: lambda s, b: s.buy(SHARE, 100, **leg)})
    _, result = played(plan, minutes(SHARE, flat(100_000, 3)))
    assert not result._fills
    assert [order.status for order in result._orders] == [OrderStatus.REFUSED]
    assert "tick" in result.warnings[0]


def test_a_fee_function_shows_without_its_address() -> None:
    fees = partial(lambda rate, *_: rate, 1_000.0)
    _, result = played(scripted({}), minutes(FUTURE, flat(1500, 2)), fees=fees)
    assert "0x" not in result.to_json()
