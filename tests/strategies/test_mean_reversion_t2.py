from datetime import date, datetime, time, timedelta

import pytest

from algo import Result, backtest
from algo.data import Series, synthetic
from strategies.mean_reversion_t2 import MeanReversionT2


@pytest.fixture(scope="module")
def share() -> Series:
    return synthetic.make(["FPT"], days=126)["FPT"]


@pytest.fixture(scope="module")
def result(share: Series) -> Result:
    return backtest(MeanReversionT2, share, parameters={"depth": 1.0})


def settled(bought: datetime, days: list[date]) -> datetime:
    """13:00 on the second trading day after a purchase."""
    arrives = days[days.index(bought.date()) + 2]
    return datetime.combine(arrives, time(13), bought.tzinfo)


def test_only_shares_that_have_settled_are_sold(result: Result, share: Series) -> None:
    days = sorted({moment.date() for moment in share.to_frame().index})
    later = [days[-1] + timedelta(days=n) for n in range(1, 5)]
    bought: list[tuple[datetime, int]] = []
    sold = 0
    for fill in result.fills.itertuples():
        if fill.side == "buy":
            bought.append((settled(fill.time, days + later), fill.quantity))
        else:
            sold += fill.quantity
            assert sold <= sum(quantity for arrives, quantity in bought if arrives <= fill.time)
    assert sold > 0


def test_several_purchases_are_held_at_once_and_sold_as_they_arrive(result: Result) -> None:
    sides = "".join(side[0] for side in result.fills.side)
    assert "bb" in sides
    assert "s" in sides


def test_everything_is_in_whole_lots_and_within_the_cash(result: Result) -> None:
    assert (result.fills.quantity % 100 == 0).all()
    cash, lowest = 1_000_000_000, 0
    for fill in result.fills.itertuples():
        cash += (-1 if fill.side == "buy" else 1) * fill.value - fill.fee - fill.tax
        lowest = min(lowest, cash)
    assert lowest == 0


def test_a_tranche_stays_within_its_money(result: Result) -> None:
    bought = result.fills[result.fills.side == "buy"]
    assert (bought.groupby("order").value.sum() <= 100_000_000).all()
