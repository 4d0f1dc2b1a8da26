import numpy as np
import pytest

from algo import Result, backtest
from algo.data import Series, synthetic
from strategies.monthly_rebalance import MonthlyRebalance

SHARES = ("ACB", "FPT", "HPG", "MWG", "SSI", "VCB", "VNM")


@pytest.fixture(scope="module")
def shares() -> dict[str, Series]:
    return synthetic.make(SHARES, days=126, seed=2)


@pytest.fixture(scope="module")
def result(shares: dict[str, Series]) -> Result:
    return backtest(MonthlyRebalance, shares, parameters={"top": 3, "lookback": 15})


def test_it_changes_shares_once_a_month(result: Result) -> None:
    assert len(result.trades) > 3
    bought = result.fills[result.fills.side == "buy"]
    assert bought.symbol.nunique() > 3


def test_it_holds_no_more_shares_than_it_chose_and_waits_for_the_money_of_sales(result: Result) -> None:
    held: dict[str, int] = {}
    cash = 1_000_000_000
    for fill in result.fills.itertuples():
        sign = 1 if fill.side == "buy" else -1
        held[fill.symbol] = held.get(fill.symbol, 0) + sign * fill.quantity
        cash -= sign * fill.value + fill.fee + fill.tax
        assert held[fill.symbol] >= 0
        assert cash >= 0
    assert (result.fills.quantity % 100 == 0).all()


def test_the_parts_are_equal(result: Result, shares: dict[str, Series]) -> None:
    """A week after the last choice, what is held is worth about a third each."""
    fills = result.fills
    signed = fills.quantity.where(fills.side == "buy", -fills.quantity)
    held = signed.groupby(fills.symbol).sum()
    worth = np.array([held[s] * shares[s].close[-1] for s in held.index if held[s]])
    assert len(worth) == 3
    assert worth.max() / worth.min() < 2
