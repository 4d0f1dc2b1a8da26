from datetime import time

import pytest

from algo import Result, backtest
from algo.clock import to_datetime
from algo.data import Series, synthetic
from algo.model import RequestKind, RequestStatus
from strategies.two_sided_quoter import TwoSidedQuoter


@pytest.fixture(scope="module")
def future() -> Series:
    return synthetic.make(["VN30F1M"], days=30, seed=5)["VN30F1M"]


@pytest.fixture(scope="module", params=[1, 3])
def result(request: pytest.FixtureRequest, future: Series) -> Result:
    return backtest(TwoSidedQuoter, future, parameters={"limit": request.param})


def test_the_inventory_stays_within_its_limit(result: Result) -> None:
    fills = result.fills
    held = fills.quantity.where(fills.side == "buy", -fills.quantity).cumsum()
    assert held.abs().max() == result.parameters["limit"]


def test_quotes_are_moved_and_not_replaced(result: Result) -> None:
    amends = [
        request for order in result._orders for request in order.requests if request.kind is RequestKind.AMEND
    ]
    assert len(amends) > len(result._orders)
    assert all(request.status is RequestStatus.RECEIVED for request in amends)


def test_nothing_is_asked_when_it_could_not_be_done(result: Result) -> None:
    for order in result._orders:
        for request in order.requests:
            moment = to_datetime(request.ns).time()
            assert time(9, 0) <= moment < time(11, 30) or time(13, 0) <= moment < time(14, 30)
            assert request.kind is RequestKind.CANCEL or moment < time(14, 29)


def test_no_quote_is_left_in_the_closing_auction(result: Result) -> None:
    assert result.fills[result.fills.reason != "settlement"].time.dt.time.max() <= time(14, 30)
    assert not (result.orders.status == "expired").any()
