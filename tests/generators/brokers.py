"""A broker moved at random; a ledger that is not its own folds what it says. The exchange is left open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from algo.brokers.paper.settings import HouseSettings
from algo.brokers.paper.statements import (
    NewOrder,
    OrderMatched,
    OrderRecord,
    OrderStated,
    Refused,
    RequestFailed,
    Stage,
)
from algo.clock import HOUR, at
from algo.market import Session
from algo.model import Account, Instrument, OrderType, Side, Trigger, TriggerKind
from tests.generators.houses import FPT, INSTRUMENTS, NEXT, REFERENCES, SSI, VN30, House, customer
from tests.generators.second_ledger import SecondLedger

TRADED = (FPT, SSI, VN30, NEXT)
SHARES_CASH, FUTURES_CASH = 120_000_000, 250_000_000
NAMES = ("an", "binh")
HOURS = (
    (9.0, Session.ATO), (9.25, Session.LO), (11.5, Session.BREAK),
    (13.0, Session.LO), (14.5, Session.ATC), (14.75, Session.C),
)  # fmt: skip
TYPES = (
    *[OrderType.LO] * 12,
    OrderType.MTL,
    OrderType.MTL,
    OrderType.ATO,
    OrderType.ATC,
    OrderType.MAK,
    OrderType.MOK,
)

instruments = st.sampled_from(TRADED)
offsets = st.integers(-8, 8)
names = st.sampled_from(NAMES)


def price_at(instrument: Instrument, ticks: int) -> int:
    """A price on the tick, some ticks from the reference."""
    tick = {"FPT": 100, "SSI": 50}.get(instrument.symbol, 1)
    return REFERENCES[instrument.symbol] + 4 * ticks * tick


def second_weekday_after(day: date) -> date:
    for _ in range(2):
        day += timedelta(days=3 if day.weekday() == 4 else 1)
    return day


class Broker(RuleBasedStateMachine):
    """Two people, four instruments, days of sessions. Subclasses have an exchange and what happens there."""

    def exchange(self) -> Any:
        return None

    def leaves(self) -> Iterable[int]:
        """What is left of each order of these people at the exchange."""
        raise NotImplementedError

    def look(self) -> None:
        """Take note of what became known."""

    @initialize(strict=st.booleans(), hour=st.sampled_from((0, 2, 2, 4)))
    def start(self, strict: bool, hour: int) -> None:
        people = [
            customer(one, {Account.EQUITY: SHARES_CASH, Account.DERIVATIVES: FUTURES_CASH}) for one in NAMES
        ]
        levels = (30, 40, 50) if strict else (75, 85, 90)
        self.house = House(*people, settings=HouseSettings(levels=levels), exchange=self.exchange())
        self.second = {one: SecondLedger(SHARES_CASH, FUTURES_CASH) for one in NAMES}
        for name in NAMES:
            for instrument, quantity in ((FPT, 300), (SSI, 700), (NEXT, -1)):
                price = REFERENCES[instrument.symbol]
                self.house.broker.portfolio(name + "1").open(instrument, quantity, price)
                self.second[name].hold(
                    instrument.symbol, instrument.shortable, instrument.multiplier, quantity, price
                )
        self.hour = 0
        for _ in range(hour):
            self.next_session()
        self.last: dict[str, OrderRecord] = {}
        self.filled: Counter[str] = Counter()
        self.value: Counter[str] = Counter()
        self.placed: set[tuple[str, date, int]] = set()
        self.received: dict[tuple[str, date, int], set[str]] = defaultdict(set)
        self.seen = 0
        self.marks: dict[str, int] = {}

    # -- people -----------------------------------------------------------------------------------

    @rule(
        name=names, instrument=instruments, side=st.sampled_from(Side), ticks=offsets, size=st.integers(1, 8),
        order_type=st.sampled_from(TYPES), channel=st.sampled_from(("TA", "TA", "IM")),
    )  # fmt: skip
    def place(
        self,
        name: str,
        instrument: Instrument,
        side: Side,
        ticks: int,
        size: int,
        order_type: OrderType,
        channel: str,
    ) -> None:
        price = price_at(instrument, ticks) if order_type is OrderType.LO else 0
        self._place(name, instrument, side, price, size, order_type, None, channel)

    @rule(name=names, instrument=instruments, gap=st.integers(1, 4), size=st.integers(1, 4))
    def place_on_both_sides(self, name: str, instrument: Instrument, gap: int, size: int) -> None:
        for side in Side:
            price = price_at(instrument, -gap * side)
            self._place(name, instrument, side, price, size, OrderType.LO, None, "TA")

    @rule(
        name=names, side=st.sampled_from(Side), ticks=offsets, step=st.integers(1, 30),
        size=st.integers(1, 3), kind=st.sampled_from(TriggerKind),
    )  # fmt: skip
    def place_a_stop(
        self, name: str, side: Side, ticks: int, step: int, size: int, kind: TriggerKind
    ) -> None:
        price = price_at(VN30, ticks)
        legs = kind in (TriggerKind.OCO, TriggerKind.BULL_BEAR)
        trigger = Trigger(kind, price - side * step if kind is TriggerKind.OCO else price, step, step, step)
        order_type = OrderType.LO if legs else OrderType.MTL
        self._place(name, VN30, side, price if legs else 0, size, order_type, trigger, "TA")

    def _place(
        self,
        name: str,
        instrument: Instrument,
        side: Side,
        price: int,
        size: int,
        order_type: OrderType,
        trigger: Trigger | None,
        channel: str,
    ) -> None:
        quantity = size if instrument.shortable else size * 100
        house = self.house
        number = house.requests + 1
        self.placed.add((name, house.day, number))
        house.place(side, instrument, price, quantity, order_type, trigger, name, channel=channel)

    @rule(name=names, data=st.data())
    def place_the_same_again(self, name: str, data: st.DataObject) -> None:
        mine = sorted(n for who, day, n in self.placed if who == name and day == self.house.day)
        if not mine:
            return
        number = str(data.draw(st.sampled_from(mine))).zfill(data.draw(st.integers(1, 8)))
        order = NewOrder(name + "1", number, SSI, Side.BUY, OrderType.LO, REFERENCES["SSI"], 100)
        with pytest.raises(Refused):
            self.house.broker.place(order, self.house.ns)
        assert self.house.hear() == []

    def _some_order(self, name: str, data: st.DataObject) -> OrderRecord | None:
        orders = self.house.broker.orders(name + "1") + self.house.broker.orders(name + "8")
        standing = [one for one in orders if not one.stage.over]
        if not standing or data.draw(st.integers(0, 9)) == 9:
            standing = orders
        return data.draw(st.sampled_from(standing)) if standing else None

    @rule(name=names, data=st.data(), ticks=offsets, size=st.integers(1, 5), price=st.booleans())
    def change(self, name: str, data: st.DataObject, ticks: int, size: int, price: bool) -> None:
        order = self._some_order(name, data)
        if order is None:
            return
        quantity = size if order.instrument.shortable else size * 100
        if price:
            self.house.change(order, price=price_at(order.instrument, ticks), quantity=order.quantity)
        else:
            self.house.change(order, price=order.price or None, quantity=quantity)

    @rule(name=names, data=st.data())
    def withdraw(self, name: str, data: st.DataObject) -> None:
        order = self._some_order(name, data)
        if order is not None:
            self.house.withdraw(order)

    # -- days -------------------------------------------------------------------------------------

    @precondition(lambda self: self.hour < len(HOURS))
    @rule(sure=st.integers(0, 3))
    def time_passes(self, sure: int) -> None:
        if sure == 0 or HOURS[self.hour][1] is not Session.BREAK:
            self.next_session()

    def next_session(self) -> None:
        self.look()
        clock, session = HOURS[self.hour]
        self.hour += 1
        house = self.house
        house.go(max(clock, (house.ns - at(house.day)) / HOUR), session)

    @precondition(lambda self: self.hour == len(HOURS))
    @rule(auction=st.none() | offsets)
    def next_day(self, auction: int | None) -> None:
        house = self.house
        self.look()
        prices = {} if auction is None else {VN30.symbol: price_at(VN30, auction)}
        house.broker.settle_daily(house.ns, prices)
        house.hear()
        self._fold()
        for symbol in (VN30.symbol, NEXT.symbol):
            price = prices.get(symbol, self.marks.get(symbol))
            for second in self.second.values():
                if price is not None:
                    second.settle_daily(symbol, price)
        day = house.day + timedelta(days=3 if house.day.weekday() == 4 else 1)
        house.start_day(day)
        self._fold()
        for second in self.second.values():
            second.new_day(house.ns)
        self.hour = 0
        self.marks.clear()
        self.last.clear()

    # -- what must hold ---------------------------------------------------------------------------

    def _fold(self) -> None:
        """Apply what was said since the last time."""
        house = self.house
        for said in house.said[self.seen :]:
            if isinstance(said, OrderMatched):
                self._matched(said)
            elif isinstance(said, OrderStated):
                self._stated(said)
            elif isinstance(said, RequestFailed):
                assert said.text
        self.seen = len(house.said)

    def _matched(self, said: OrderMatched) -> None:
        order, instrument = said.order, said.order.instrument
        second = self.second[order.account[:-1]]
        due = at(second_weekday_after(self.house.day), 13 * HOUR)
        second.arrive(said.ns)
        symbol = instrument.symbol
        if order.side is Side.SELL and not instrument.shortable:
            assert said.quantity <= second.sellable(symbol, said.ns), "sold before it settled"
        second.trade(
            symbol,
            instrument.shortable,
            instrument.multiplier,
            int(order.side),
            said.price,
            said.quantity,
            due,
        )
        self.filled[order.order_id] += said.quantity
        self.value[order.order_id] += said.price * said.quantity
        assert (order.filled, order.filled_value) == (self.filled[order.order_id], self.value[order.order_id])
        if order.price and order.order_type is OrderType.LO and not order.parent:
            assert (order.price - said.price) * order.side >= 0

    def _stated(self, said: OrderStated) -> None:
        order = said.order
        before = self.last.get(order.order_id)
        if before is not None:
            assert not before.stage.over, f"{before.stage} then {order.stage}"
            assert order.filled >= before.filled
            assert order.filled == before.filled or said.action == "MATCH"
            assert order.modified >= before.modified
        self.last[order.order_id] = order
        assert 0 <= order.filled <= order.quantity
        if order.stage in (Stage.FILLED, Stage.PARTLY_FILLED_CANCELLED, Stage.CANCELLED):
            assert order.filled + order.cancelled == order.quantity
        if not order.stage.over:
            assert order.filled + order.cancelled + order.open == order.quantity
        if order.channel != "BO":
            name = order.account[:-1]
            assert (name, self.house.day, int(order.first_request_id)) in self.placed
            if order.stage is Stage.RECEIVED and not order.parent:
                self.received[name, self.house.day, int(order.first_request_id)].add(order.order_id)

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "house"):
            return
        self._fold()
        assert all(len(ids) == 1 for ids in self.received.values()), "placed twice"
        for name, second in self.second.items():
            ledger = self.house.broker.portfolio(name + "1")
            second.arrive(ledger.ns)
            assert {str(account): cash for account, cash in ledger.cash.items()} == second.cash
            assert (ledger.receivable, ledger.fees, ledger.taxes, ledger.realised) == (
                second.receivable(),
                second.fees,
                second.taxes,
                second.realised,
            )
            for symbol in INSTRUMENTS:
                assert ledger.quantity(symbol) == second.quantity(symbol)

    @invariant()
    def what_is_held_back_is_there(self) -> None:
        if not hasattr(self, "house"):
            return
        for person in self.house.broker.customers:
            orders = self.house.broker.orders(person.accounts[Account.EQUITY])
            buying = [one for one in orders if one.side is Side.BUY and not one.stage.over]
            least = sum(one.open * one.price for one in buying)
            assert least <= person.reserved <= person.portfolio.cash[Account.EQUITY]
            assert (person.reserved > 0) == bool(buying)
            for instrument in (FPT, SSI):
                interest = person.interest(instrument.symbol)
                mine = [one for one in orders if one.instrument is instrument and not one.stage.over]
                selling = sum(one.open for one in mine if one.side is Side.SELL)
                assert interest.selling >= selling
                if all(one.stage is not Stage.AMENDING for one in mine):  # then the larger version counts
                    assert interest.selling == selling
                position = person.portfolio.positions.get(instrument.symbol)
                assert interest.selling <= (position.sellable if position is not None else 0)
            assert person.forcing == sum(
                one.forced and not one.stage.over
                for one in self.house.broker.orders(person.accounts[Account.DERIVATIVES])
            )

    @invariant()
    def the_exchange_works_on_what_the_broker_says_stands(self) -> None:
        if not hasattr(self, "house"):
            return
        records = [one for name in NAMES for kind in "18" for one in self.house.broker.orders(name + kind)]
        if any(one.stage in (Stage.SENT, Stage.AMENDING, Stage.CANCELLING) for one in records):
            return  # the exchange has not answered yet
        waiting = (Stage.BEFORE_SESSION, Stage.STOP_BEFORE_SESSION)
        standing = [one.open for one in records if not one.stage.over and one.stage not in waiting]
        assert sorted(standing) == sorted(self.leaves())
