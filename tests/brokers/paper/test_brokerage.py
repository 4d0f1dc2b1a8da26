"""What becomes of requests at the paper broker: refusals, stages, changes, races, days."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.statements import (
    ChangeOrder,
    NewOrder,
    OrderMatched,
    OrderStated,
    PositionsChanged,
    Refused,
    RequestFailed,
    Stage,
    WithdrawOrder,
)
from algo.clock import HOUR, at
from algo.market import Session, instrument_of
from algo.model import (
    AmendOrder,
    Board,
    BrokerEvent,
    Command,
    OrderAccepted,
    OrderAmended,
    OrderFilled,
    OrderType,
    RequestRefused,
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


# -- the life of an order -------------------------------------------------------------------------


def test_an_order_s_life_from_receipt_to_the_last_fill(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, 300)
    house.quote(FPT, 99_800, 99_900, 100)
    house.quote(FPT, 99_800, 100_000, 1_000)
    done = house.now(order)
    assert house.stages(order) == [
        Stage.RECEIVED, Stage.SENT, Stage.QUEUED, Stage.PARTLY_FILLED, Stage.FILLED
    ]  # fmt: skip
    assert (done.filled, done.open, done.cancelled) == (300, 0, 0)
    assert done.filled_value == 99_900 * 100 + 100_000 * 200
    ids = [one.order.order_id for one in house.said if isinstance(one, OrderStated)]
    assert ids == ["T20250707a0000000001"] * 2 + ["25070700000001"] * 3
    matched = [(one.price, one.quantity) for one in house.said if isinstance(one, OrderMatched)]
    assert matched == [(99_900, 100), (100_000, 200)]
    assert not [one for one in house.said if isinstance(one, PositionsChanged)]


def test_fills_of_contracts_change_the_positions(house: House) -> None:
    house.place(BUY, VN30, 14_000, 1)
    house.trade(VN30, 13_999, 1)
    assert [type(one) for one in house.said[-3:]] == [OrderStated, OrderMatched, PositionsChanged]


def test_both_ids_of_an_order_find_it(house: House) -> None:
    order = house.place(BUY, FPT, 100_000)
    assert house.broker.order("T20250707a0000000001") == house.broker.order(order.order_id) == order


def test_a_change_goes_through_amending_and_keeps_the_id(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, 300)
    changed = house.change(order, price=99_000, quantity=300)  # the quantity is stated and stays
    assert (changed.order_id, changed.price, changed.stage) == (order.order_id, 99_000, Stage.QUEUED)
    assert (changed.request_id, changed.first_request_id) == ("2", "1")
    assert house.stages(order)[-2:] == [Stage.AMENDING, Stage.QUEUED]
    assert house.change(order, quantity=200).open == 200


@pytest.mark.parametrize(
    ("price", "quantity", "code"),
    [
        (None, None, "ORD014"),
        (100_000, 300, "ORD014"),
        (99_000, 200, "ORD006"),
        (107_100, None, "ORD003"),
        (99_050, None, "ORD004"),
        (None, 250, "ORD005"),
        (None, 100, "ORD031"),
        (None, 400_000, "ORD008"),
    ],
)
def test_a_change_that_cannot_be_leaves_the_order_and_is_remembered(
    house: House, price: int | None, quantity: int | None, code: str
) -> None:
    house.place(BUY, FPT, 100_000, 300)
    house.quote(FPT, 99_800, 99_900, 100)
    before = house.broker.orders("an1")[0]
    after = house.change(before, price, quantity)
    assert after == before
    assert house.failure().code == code
    error = house.broker.last_error(before.order_id)
    assert error is not None
    assert (error.stage, error.request_id, error.reason) == (Stage.REJECTED, "2", house.failure().text)


def test_nothing_is_changed_or_withdrawn_in_an_auction(house: House) -> None:
    order = house.place(BUY, FPT, 100_000)
    house.go(14.6, Session.ATC)
    assert house.change(order, price=99_000) == order
    assert house.failure().code == "ORD011"
    assert house.withdraw(order) == order
    assert house.failure().code == "ORD011"


def test_a_withdrawal_goes_through_cancelling(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, 300)
    house.quote(FPT, 99_800, 99_900, 100)
    gone = house.withdraw(order)
    assert house.stages(order)[-2:] == [Stage.CANCELLING, Stage.PARTLY_FILLED_CANCELLED]
    assert (gone.filled, gone.cancelled, gone.open, gone.request_id) == (100, 200, 0, "2")
    other = house.withdraw(house.place(BUY, FPT, 100_000))
    assert (other.stage, other.cancelled) == (Stage.CANCELLED, 100)
    assert house.withdraw(other) == other
    assert house.failure().code == "ORD012"


def test_orders_of_the_day_expire_and_are_filed() -> None:
    house = House().open()
    order = house.place(BUY, FPT, 100_000)
    house.go(15, Session.C)
    assert house.now(order).stage is Stage.EXPIRED
    tuesday = MONDAY + timedelta(days=1)
    house.start_day(tuesday)
    assert house.broker.orders("an1") == []
    second = house.open().place(BUY, FPT, 100_000)
    assert (order.order_id, second.order_id) == ("25070700000001", "25070800000001")
    assert [one.order_id for one in house.broker.history("an1", MONDAY, tuesday)] == [
        order.order_id,
        second.order_id,
    ]
    assert [one.stage for one in house.broker.history("an1", MONDAY, MONDAY)] == [Stage.EXPIRED]
    assert house.broker.history("an1", date(2025, 7, 1), date(2025, 7, 6)) == []


def test_an_order_before_the_session_waits_and_goes_out_at_the_open() -> None:
    house = House().go(8)
    order = house.place(BUY, FPT, 100_000)
    assert (order.stage, order.order_id) == (Stage.BEFORE_SESSION, "25070700000001")
    assert house.change(order, price=99_000).price == 99_000
    other = house.place(BUY, FPT, 98_000)
    assert house.withdraw(other).stage is Stage.CANCELLED
    assert house.place(BUY, FPT, 0, order_type=OrderType.ATC).stage is Stage.REJECTED
    assert house.exchange.working == 0
    house.go(9, Session.ATO, [Board.HOSE])
    assert house.now(order).stage is Stage.QUEUED
    assert house.exchange.working == 1
    assert house.stages(order) == [
        Stage.RECEIVED, Stage.BEFORE_SESSION, Stage.BEFORE_SESSION, Stage.SENT, Stage.QUEUED
    ]  # fmt: skip


def test_a_share_that_is_halted_at_the_open_gets_no_orders_and_a_halted_board_opens_nothing() -> None:
    house = House().go(8)
    halted, other = house.place(BUY, FPT, 100_000), house.place(BUY, SHS, 20_000)
    house.broker.halt("FPT", True, house.ns)
    house.go(8.9, Session.HALT, [Board.HNX])
    house.go(9, Session.ATO, [Board.HOSE])
    assert house.now(halted).stage is Stage.REJECTED
    assert house.now(halted).order_id == halted.order_id
    assert house.failure().code == "ORD017"
    assert house.now(other).stage is Stage.BEFORE_SESSION
    house.go(9.5, Session.LO, [Board.HNX])
    assert house.now(other).stage is Stage.QUEUED
    assert house.broker.cash_balance("an1").reserved == 20_000 * 100 + 3_000


def test_a_house_may_take_no_early_orders() -> None:
    house = House(settings=HouseSettings(early=False)).go(8)
    assert house.place(BUY, FPT, 100_000).stage is Stage.REJECTED


def test_an_early_order_holds_cash_back_from_its_receipt() -> None:
    house = House().go(8)
    house.place(BUY, FPT, 100_000, 9_000)
    assert house.place(BUY, FPT, 100_000, 2_000).stage is Stage.REJECTED


def test_an_order_by_hand_gets_a_number_of_its_own(house: House) -> None:
    order = house.place(BUY, FPT, 100_000, request="", channel="IM")
    assert (order.channel, order.stage) == ("IM", Stage.QUEUED)
    assert house.place(BUY, FPT, 100_000, request="", channel="IM").request_id != order.request_id
    with pytest.raises(Refused):
        house.place(BUY, FPT, 100_000, request=order.request_id)


# -- conditional orders ---------------------------------------------------------------------------


def test_a_stop_waits_and_goes_on_as_an_order_of_its_own(house: House) -> None:
    stop = house.place(SELL, VN30, 0, 2, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    assert stop.stage is Stage.STOP_WAITING
    house.quote(VN30, 13_890, 13_900, 1)
    parent, child = house.broker.orders("an8")
    assert (parent.stage, parent.filled, parent.open) == (Stage.STOP_SENT, 0, 0)
    assert (child.parent, child.first_request_id) == (parent.order_id, parent.first_request_id)
    assert (child.filled, child.stage, child.trigger) == (1, Stage.PARTLY_FILLED, None)
    assert house.withdraw(parent) == parent
    assert house.withdraw(child).stage is Stage.PARTLY_FILLED_CANCELLED
    assert house.exchange.working == 0


def test_a_waiting_stop_can_be_withdrawn_at_any_hour(house: House) -> None:
    stop = house.place(SELL, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    house.go(12, Session.BREAK)
    assert house.withdraw(stop).stage is Stage.CANCELLED


def test_an_early_stop_waits_for_its_session_first() -> None:
    house = House().go(8)
    stop = house.place(SELL, VN30, 0, 1, OrderType.MTL, Trigger(TriggerKind.DOWN, 13_900))
    assert stop.stage is Stage.STOP_BEFORE_SESSION
    house.go(8.75, Session.ATO, [Board.DERIVATIVES])
    assert house.now(stop).stage is Stage.STOP_WAITING


def test_the_target_of_an_oco_order_ends_it(house: House) -> None:
    house.place(BUY, VN30, 14_000, 1)
    house.trade(VN30, 13_999)
    oco = house.place(SELL, VN30, 14_100, 1, trigger=Trigger(TriggerKind.OCO, 13_900))
    assert oco.stage is Stage.STOP_WAITING
    house.trade(VN30, 14_101)
    assert house.now(oco).stage is Stage.STOP_SENT
    child = house.broker.orders("an8")[-1]
    assert (child.parent, child.stage, child.filled_value) == (oco.order_id, Stage.FILLED, 14_100)
    assert house.exchange.working == 0


def test_a_bull_bear_order_is_an_entry_with_exits_around_each_fill(house: House) -> None:
    steps = Trigger(TriggerKind.BULL_BEAR, profit_step=50, loss_step=30)
    house.place(BUY, VN30, 14_000, 3, trigger=steps)
    parent, entry = house.broker.orders("an8")
    assert (parent.stage, entry.stage, entry.parent) == (Stage.STOP_SENT, Stage.QUEUED, parent.order_id)
    house.quote(VN30, 13_980, 13_990, 1)
    house.quote(VN30, 13_980, 13_995, 5)
    exits = house.broker.orders("an8")[2:]
    assert [(one.side, one.quantity, one.price, one.trigger) for one in exits] == [
        (SELL, 1, 14_040, Trigger(TriggerKind.OCO, 13_960)),
        (SELL, 2, 14_045, Trigger(TriggerKind.OCO, 13_965)),
    ]
    assert {one.parent for one in exits} == {parent.order_id}
    house.quote(VN30, 13_965, 13_970)  # the second stop, not the first
    assert house.broker.portfolio("an8").quantity(VN30.symbol) == 1
    house.trade(VN30, 14_041)
    assert house.broker.portfolio("an8").quantity(VN30.symbol) == 0
    assert house.exchange.working == 0


# -- an exchange that answers late ----------------------------------------------------------------


class Slow:
    """An exchange that only takes note; the test says what it reports."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        self.commands.append(command)
        return []


def slow() -> tuple[House, Slow]:
    house = House().open()
    house.broker.exchange = exchange = Slow()
    return house, exchange


def test_a_fill_between_a_change_and_its_effect_is_not_the_change_s_doing() -> None:
    house, exchange = slow()
    order = house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    assert house.change(house.broker.orders("an1")[0], quantity=500).stage is Stage.AMENDING
    reserved = house.broker.customers[0].reserved
    assert reserved >= 500 * 100_000  # the worse of the two versions
    house.told([OrderFilled(key, house.ns, 100_000, 100, "1")])
    filled = house.broker.orders("an1")[0]
    assert (filled.stage, filled.request_id, filled.quantity) == (Stage.PARTLY_FILLED, "1", 300)
    command = exchange.commands[-1]
    assert isinstance(command, AmendOrder)
    house.told([OrderAmended(key, house.ns, 100_000, 500, command.request_id)])
    changed = house.broker.orders("an1")[0]
    assert (changed.quantity, changed.filled, changed.open, changed.request_id) == (500, 100, 400, "2")
    assert order.order_id.startswith("T")


def test_an_order_that_fills_while_it_is_withdrawn_is_filled() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    order = house.broker.orders("an1")[0]
    house.withdraw(order)
    cancel = exchange.commands[-1]
    house.told([
        OrderFilled(key, house.ns, 100_000, 300, "1"),
        RequestRefused(cancel.request_id, key, house.ns, "the order is not working"),
    ])  # fmt: skip
    house.hear()
    assert house.now(order).stage is Stage.FILLED
    assert house.failure().request_id == cancel.request_id
    assert house.broker.customers[0].reserved == 0


def test_a_change_that_the_exchange_refuses_leaves_the_order_as_it_was() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    key = exchange.commands[0].order_id
    house.told([OrderAccepted(key, house.ns)])
    before = house.broker.orders("an1")[0]
    reserved = house.broker.customers[0].reserved
    house.change(before, quantity=400)
    house.told([RequestRefused(exchange.commands[-1].request_id, key, house.ns, "not now")])
    house.hear()
    after = house.now(before)
    assert after._replace(modified=0) == before._replace(modified=0)
    assert house.stages(before)[-2:] == [Stage.AMENDING, Stage.QUEUED]
    assert house.broker.customers[0].reserved == reserved


def test_an_order_that_the_exchange_refuses_keeps_its_temporary_id() -> None:
    house, exchange = slow()
    house.place(BUY, FPT, 100_000, 300)
    command = exchange.commands[0]
    assert house.withdraw(house.broker.orders("an1")[0]).stage is Stage.SENT
    assert house.failure().code == "ORD012"
    house.told([RequestRefused(command.request_id, command.order_id, house.ns, "full")])
    house.hear()
    order = house.broker.orders("an1")[0]
    assert (order.stage, order.reason) == (Stage.REJECTED, "full")
    assert order.order_id.startswith("T")
    assert house.broker.customers[0].reserved == 0


def test_events_of_other_people_s_orders_are_nothing(house: House) -> None:
    house.told([OrderAccepted("crowd-1", house.ns), OrderFilled("crowd-1", house.ns, 100_000, 100, "1")])
    assert house.hear() == []


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
