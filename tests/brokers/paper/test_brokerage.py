"""Which requests the paper broker refuses, at once or later; and that it can be put away and taken up."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import timedelta

import pytest

from algo.brokers.paper.statements import (
    ChangeOrder,
    NewOrder,
    OrderStated,
    Refused,
    RequestFailed,
    Stage,
    WithdrawOrder,
)
from algo.clock import HOUR, at
from algo.market import Session, instrument_of
from algo.model import (
    OrderType,
    Side,
    Trigger,
    TriggerKind,
)
from tests.generators.houses import FPT, MONDAY, SHS, VN30, House, customer

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def house() -> House:
    return House().open()


# -- refused at once ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "code", "text"),
    [
        (NewOrder("nobody", "1", FPT, BUY, OrderType.LO, 100_000, 100), "", "Account is not exist."),
        (NewOrder("an1", "1", instrument_of("XXX"), BUY, OrderType.LO, 1_000, 100), "ORD001", "XXX"),
        (NewOrder("an8", "1", FPT, BUY, OrderType.LO, 100_000, 100), "ORD025", "not opened"),
        (NewOrder("an1", "1", VN30, BUY, OrderType.LO, 14_000, 1), "ORD025", "not opened"),
        (NewOrder("an1", "1", FPT, BUY, OrderType.LO, 0, 100), "ORD006", "Price must be"),
        (NewOrder("an1", "1", FPT, BUY, OrderType.MTL, 100_000, 100), "ORD006", "equal zero"),
        (NewOrder("an1", "1", FPT, BUY, OrderType.LO, 100_000, 0), "ORD006", "Quantity"),
        (NewOrder("an1", "1", FPT, BUY, OrderType.MARKET, 0, 100), "ORD010", "MARKET"),
        (NewOrder("an1", "123456789", FPT, BUY, OrderType.LO, 100_000, 100), "ORD006", "8 digits"),
        (NewOrder("an1", "x1", FPT, BUY, OrderType.LO, 100_000, 100), "ORD006", "8 digits"),
        (
            NewOrder(
                "an1", "1", FPT, SELL, OrderType.LO, 99_000, 100, Trigger(TriggerKind.DOWN, 99_000)
            ),
            "ORD010",
            "derivatives only",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_once_and_leaves_no_order(
    house: House, order: NewOrder, code: str, text: str
) -> None:
    with pytest.raises(Refused, match=text) as refused:
        house.broker.place(order, house.ns)
    assert refused.value.code == code
    assert house.hear() == []
    assert house.broker.orders("an1") == house.broker.orders("an8") == []


def test_a_request_number_places_once_a_day_whatever_zeros_it_has(house: House) -> None:
    house.place(BUY, FPT, 100_000, request="7")
    for again in ("7", "0000007"):
        with pytest.raises(Refused, match="Duplicate"):
            house.place(BUY, FPT, 100_000, request=again)
    (order,) = house.broker.orders("an1")
    for again in (ChangeOrder("an1", "7", order.order_id, 99_000), WithdrawOrder("an1", "7", order.order_id)):
        with pytest.raises(Refused, match="Duplicate"):
            (house.broker.change if isinstance(again, ChangeOrder) else house.broker.withdraw)(
                again, house.ns
            )
    assert house.broker.orders("an1") == [order]
    house.start_day(MONDAY + timedelta(days=1))
    house.open().place(BUY, FPT, 100_000, request="7")


def test_two_customers_may_use_the_same_request_number() -> None:
    house = House(customer("an"), customer("binh")).open()
    first, second = (house.place(BUY, FPT, 100_000, name=name, request="7") for name in ("an", "binh"))
    assert first.order_id != second.order_id
    for account, order in (("an1", second), ("binh1", first)):
        with pytest.raises(Refused) as refused:
            house.broker.withdraw(WithdrawOrder(account, "8", order.order_id), house.ns)
        assert refused.value.code == "ORD013"


def test_the_temporary_ids_of_two_customers_differ_too() -> None:
    house = House(customer("an"), customer("binh")).open()
    ids = [house.place(BUY, FPT, 1, name=name, request="7").order_id for name in ("an", "binh")]
    assert ids[0] != ids[1]
    assert all(one.startswith("T20250707") and one.endswith("00000007") for one in ids)


# -- the market's rules ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "session", "ask", "code"),
    [
        (10, Session.LO, lambda h: h.place(BUY, FPT, 92_900), "ORD002"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 107_100), "ORD003"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 100_050), "ORD004"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 100_000, 150), "ORD005"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 100_000, 600_000), "ORD008"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 0, 50, OrderType.MTL), "ORD018"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 0, 100, OrderType.MOK), "ORD016"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 0, 100, OrderType.ATC), "ORD016"),
        (12, Session.BREAK, lambda h: h.place(BUY, FPT, 100_000), "ORD016"),
        (15, Session.C, lambda h: h.place(BUY, FPT, 100_000), "ORD016"),
        (10, Session.LO, lambda h: h.place(SELL, FPT, 100_000), "ORD007"),
        (10, Session.LO, lambda h: h.place(BUY, FPT, 100_000, 10_000), "ORD008"),
        (10, Session.LO, lambda h: h.place(BUY, VN30, 14_000, 500), "ORD008"),
        (10, Session.LO, lambda h: h.place(BUY, VN30, 14_000, 501), "ORD008"),
        (10, Session.HALT, lambda h: h.place(BUY, FPT, 100_000), "ORD017"),
        (
            10,
            Session.LO,
            lambda h: h.place(SELL, VN30, 14_000, 1, trigger=Trigger(TriggerKind.TRAIL_UP, 0, 5)),
            "",
        ),
    ],
)
def test_the_market_s_rules_reject_later_and_keep_the_temporary_id(
    clock: float, session: Session, ask: Callable[[House], object], code: str
) -> None:
    house = House()
    house.go(9.5, Session.LO).go(clock, session)
    ask(house)
    if not code:
        return
    (order,) = house.broker.orders("an1") + house.broker.orders("an8")
    assert order.stage is Stage.REJECTED
    assert order.order_id == "T20250707a0000000001"
    assert house.failure().code == code
    assert house.failure().text == order.reason != ""
    assert house.failure().request_id == order.request_id
    assert house.stages(order) == [Stage.RECEIVED, Stage.REJECTED]
    person = house.broker.owner(order.account)
    assert person is not None
    assert person.reserved == 0


def test_an_order_that_would_trade_with_one_s_own_is_rejected(house: House) -> None:
    house.place(BUY, VN30, 14_000, 1)
    house.place(SELL, VN30, 14_001, 1)
    house.place(SELL, VN30, 14_000, 1)
    assert house.failure().code == "ORD009"
    assert [one.stage for one in house.broker.orders("an8")] == [Stage.QUEUED, Stage.QUEUED, Stage.REJECTED]


def test_shares_are_not_bought_and_sold_inside_one_auction() -> None:
    house = House()
    house.broker.portfolio("an1").open(FPT, 1_000, 90_000)
    house.go(10, Session.LO).go(14.6, Session.ATC)
    house.place(BUY, FPT, 99_000)
    assert house.place(SELL, FPT, 101_000).stage is Stage.REJECTED
    assert house.failure().code == "ORD009"


def test_a_halted_share_is_not_traded_until_it_goes_on(house: House) -> None:
    house.broker.halt("FPT", True, house.ns)
    assert house.place(BUY, FPT, 100_000).stage is Stage.REJECTED
    assert house.failure().code == "ORD017"
    house.broker.halt("FPT", False, house.ns)
    assert house.place(BUY, FPT, 100_000).stage is Stage.QUEUED


# -- keeping --------------------------------------------------------------------------------------


def test_a_broker_that_was_put_away_goes_on_as_if_it_had_not_been() -> None:
    def morning(house: House) -> None:
        house.place(BUY, FPT, 100_000, 300)
        house.place(SELL, VN30, 14_000, 2)
        house.place(BUY, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.UP, 14_050))
        house.quote(FPT, 99_800, 99_900, 100)
        house.trade(VN30, 14_001, 1)

    def afternoon(house: House) -> object:
        house.quote(VN30, 14_050, 14_060, 1)
        house.change(house.broker.orders("an1")[0], price=99_000)
        house.place(BUY, SHS, 20_000)
        with pytest.raises(Refused):
            house.place(BUY, FPT, 90_000, request="1")
        house.go(15, Session.C)
        house.broker.settle_daily(house.ns)
        house.start_day(MONDAY + timedelta(days=1))
        house.open().place(BUY, FPT, 100_000)
        return house.said, house.broker.history("an1", MONDAY, house.day), house.broker.portfolio("an1").cash

    house = House().open()
    morning(house)
    kept = pickle.dumps((house.broker, house.exchange))
    other = House().open()
    other.said, other.requests, other.ns = list(house.said), house.requests, house.ns
    other.broker, other.exchange = pickle.loads(kept)
    assert other.broker.exchange is other.exchange
    assert afternoon(other) == afternoon(house)


def test_a_rejected_order_is_received_then_failed_then_stated(house: House) -> None:
    house.place(BUY, FPT, 1)
    kinds = [type(one) for one in house.said]
    assert kinds == [OrderStated, RequestFailed, OrderStated]
    assert house.said[0].ns == at(MONDAY, 10 * HOUR) + 10**9
