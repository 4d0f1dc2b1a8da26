"""Customers in a world: what they are told and when, days and settlements, and what everybody sees."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.customers import Customer
from algo.brokers.paper.statements import (
    ChangeOrder,
    NewOrder,
    OrderMatched,
    OrderStated,
    PositionsChanged,
    Refused,
    Stage,
    Statement,
    WithdrawOrder,
)
from algo.clock import DAY, HOUR, MINUTE, at, local_date
from algo.data import synthetic
from algo.model import Account, OrderType, Side
from algo.sandbox.source import Candle, Source
from algo.sandbox.sources.bars import BarReplay
from algo.sandbox.sources.cast import CAST
from algo.sandbox.sources.flow import SyntheticFlow
from algo.sandbox.tape import Told, What
from algo.sandbox.world import World

DAY_ONE = date(2026, 6, 8)
SMALL = {name: CAST[name] for name in ("VN30F1M", "VN30F2M", "FPT", "SHS")}
SHARES, FUTURES = "1234561", "1234568"
CASH = 10_000_000_000


def world_of(source: Source) -> World:
    person = Customer(
        "an",
        {Account.EQUITY: SHARES, Account.DERIVATIVES: FUTURES},
        dict.fromkeys(Account, CASH),
        calendar=source.calendar,
    )
    return World(source, Brokerage([person], source.instruments, source.exchange))


def crowd(seed: int = 1, day: date = DAY_ONE) -> World:
    return world_of(SyntheticFlow(day, seed, intensity=0.3, natures=SMALL))


class Desk:
    """Places a customer's orders in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests = 0

    def order(
        self, symbol: str, side: Side, kind: OrderType, quantity: int, price: float = 0.0, channel: str = "TA"
    ) -> None:
        instrument = self.world.instruments[self.world.code(symbol)]
        account = FUTURES if instrument.account is Account.DERIVATIVES else SHARES
        self.requests += 1
        self.world.place(
            NewOrder(
                account,
                str(self.requests),
                instrument,
                side,
                kind,
                instrument.units(price),
                quantity,
                None,
                channel,
            )
        )

    def change(self, order_id: str, account: str, **values: int) -> None:
        self.requests += 1
        self.world.change(ChangeOrder(account, str(self.requests), order_id, **values))

    def withdraw(self, order_id: str, account: str) -> None:
        self.requests += 1
        self.world.withdraw(WithdrawOrder(account, str(self.requests), order_id))


def private(said: list[Any]) -> list[Statement]:
    return [one for one in said if not isinstance(one, Told | Candle) and not hasattr(one, "turnover")]


def test_a_customer_hears_of_a_trade_before_everybody_does() -> None:
    world = crowd()
    world.advance(at(DAY_ONE, 10 * HOUR))
    world.take()
    Desk(world).order("FPT", Side.BUY, OrderType.MTL, 500)
    said = world.take()
    matched = next(n for n, one in enumerate(said) if isinstance(one, OrderMatched))
    traded = next(n for n, one in enumerate(said) if isinstance(one, Told) and one.what is What.TRADE)
    assert matched < traded
    assert any(isinstance(one, Candle) for one in said[traded:])
    record = world.brokerage.orders(SHARES)[0]
    assert record.filled == sum(one.quantity for one in said if isinstance(one, OrderMatched)) > 0


def test_a_resting_order_shows_in_the_book_and_the_crowd_takes_it() -> None:
    world = crowd()
    world.advance(at(DAY_ONE, 10 * HOUR))
    bid = world.tape.states["FPT"].bids[0].price
    size = world.tape.states["FPT"].bids[0].quantity
    world.take()
    Desk(world).order("FPT", Side.BUY, OrderType.LO, 1_000, bid)
    quotes = [one.state for one in world.take() if isinstance(one, Told) and one.what is What.QUOTE]
    assert quotes[-1].bids[0].quantity == size + 1_000
    world.advance(at(DAY_ONE, 14 * HOUR + 30 * MINUTE))
    matched = [one for one in world.take() if isinstance(one, OrderMatched)]
    assert matched, "somebody sells at the bid in four hours"
    assert {one.price for one in matched} == {world.instruments["FPT"].units(bid)}


def test_orders_change_and_end_at_the_close() -> None:
    world = crowd()
    desk = Desk(world)
    world.advance(at(DAY_ONE, 10 * HOUR))
    low = world.tape.states["FPT"].floor
    desk.order("FPT", Side.BUY, OrderType.LO, 1_000, low)
    (record,) = world.brokerage.orders(SHARES)
    desk.change(record.order_id, SHARES, quantity=500)
    assert world.brokerage.orders(SHARES)[0].quantity == 500
    desk.order("SHS", Side.BUY, OrderType.LO, 100, world.tape.states["SHS"].floor)
    desk.withdraw(world.brokerage.orders(SHARES)[1].order_id, SHARES)
    world.advance(at(DAY_ONE, 16 * HOUR))
    assert [one.stage for one in world.brokerage.orders(SHARES)] == [Stage.EXPIRED, Stage.CANCELLED]
    assert [one.action for one in private(world.take()) if isinstance(one, OrderStated)][-1] == "EXPIRE"


def test_a_refusal_is_raised_and_what_was_said_stays() -> None:
    world = crowd()
    world.advance(at(DAY_ONE, 10 * HOUR))
    with pytest.raises(Refused):
        world.withdraw(WithdrawOrder(SHARES, "1", "20260608-nothing"))
    desk = Desk(world)
    desk.order("FPT", Side.SELL, OrderType.LO, 100, world.tape.states["FPT"].ceiling)
    (record,) = world.brokerage.orders(SHARES)
    assert record.stage is Stage.REJECTED, "nobody sells shares that they do not have"


def test_an_order_by_hand_is_an_order_with_another_channel() -> None:
    world = crowd()
    world.advance(at(DAY_ONE, 10 * HOUR))
    world.take()
    Desk(world).order("FPT", Side.BUY, OrderType.MTL, 100, channel="IM")
    stated = [one for one in private(world.take()) if isinstance(one, OrderStated)]
    assert {one.order.channel for one in stated} == {"IM"}
    assert stated[-1].order.stage is Stage.FILLED


def test_a_halt_reaches_broker_exchange_and_public() -> None:
    world = crowd()
    world.advance(at(DAY_ONE, 10 * HOUR))
    world.take()
    world.halt("FPT")
    (told,) = [one for one in world.take() if isinstance(one, Told) and one.what is What.STATUS]
    assert (told.state.symbol, told.state.status) == ("FPT", "H")
    Desk(world).order("FPT", Side.BUY, OrderType.LO, 100, world.tape.states["FPT"].last)
    (record,) = world.brokerage.orders(SHARES)
    assert record.stage is Stage.REJECTED
    world.halt("FPT", False)
    assert world.halted == set()


def test_shares_bought_are_sold_two_trading_days_later_at_one() -> None:
    world = crowd()
    desk = Desk(world)
    world.advance(at(DAY_ONE, 10 * HOUR))
    desk.order("FPT", Side.BUY, OrderType.MTL, 100)
    for ns, expected in (
        (at(date(2026, 6, 10), 11 * HOUR), Stage.REJECTED),
        (at(date(2026, 6, 10), 13 * HOUR + MINUTE), Stage.FILLED),
    ):
        world.advance(ns)
        desk.order("FPT", Side.SELL, OrderType.MTL, 100)
        assert world.brokerage.orders(SHARES)[-1].stage is expected


def test_futures_are_settled_every_evening_and_in_the_end() -> None:
    expiry = date(2026, 6, 18)
    world = crowd(seed=2, day=date(2026, 6, 17))
    desk = Desk(world)
    world.advance(at(date(2026, 6, 17), 10 * HOUR))
    code = world.code("VN30F1M")
    desk.order("VN30F1M", Side.BUY, OrderType.MTL, 2)
    portfolio = world.brokerage.portfolio(FUTURES)
    assert portfolio.quantity(code) == 2
    world.take()
    world.advance(at(date(2026, 6, 17), 15 * HOUR + 14 * MINUTE))
    assert not [one for one in world.take() if isinstance(one, PositionsChanged)]
    stop = world.next_stop()
    assert stop is not None
    assert (stop.kind, stop.ns) == ("settlement", at(date(2026, 6, 17), 15 * HOUR + 15 * MINUTE))
    world.step()
    assert [type(one) for one in private(world.take())] == [PositionsChanged]
    world.advance(at(expiry, 16 * HOUR))
    assert portfolio.quantity(code) == 2
    world.advance(at(expiry) + DAY)
    assert portfolio.quantity(code) == 0
    assert code not in world.instruments
    assert local_date(world.now) == world.day == date(2026, 6, 19)


def test_money_and_shares_are_conserved_between_customers() -> None:
    """What one customer pays another gets: they trade with each other in the closing auction alone."""
    source = SyntheticFlow(DAY_ONE, 3, intensity=0.3, natures=SMALL)
    people = [
        Customer(
            name, {Account.EQUITY: f"{name}1", Account.DERIVATIVES: f"{name}8"}, dict.fromkeys(Account, CASH)
        )
        for name in ("a", "b")
    ]
    world = World(source, Brokerage(people, source.instruments, source.exchange))
    world.advance(at(DAY_ONE, 10 * HOUR))
    future = world.instruments[world.code("VN30F2M")]
    for number, (name, side) in enumerate((("a", Side.BUY), ("b", Side.SELL))):
        world.place(NewOrder(f"{name}8", str(number + 1), future, side, OrderType.MTL, 0, 3))
    fills = [fill for person in people for fill in person.portfolio.fills]
    assert {fill.side for fill in fills} == {Side.BUY, Side.SELL}
    for name in "ab":
        record = world.brokerage.orders(f"{name}8")[0]
        person = next(one for one in people if one.name == name)
        assert record.filled == abs(person.portfolio.quantity(future.symbol))
    traded = [one for one in world.take() if isinstance(one, OrderMatched)]
    assert sum(one.quantity for one in traded) == sum(fill.quantity for fill in fills)


def test_the_same_calls_say_the_same_to_the_byte() -> None:
    def said() -> list[Any]:
        world = crowd(seed=9)
        desk = Desk(world)
        found: list[Any] = []
        for minutes in range(0, 300, 20):
            world.advance(at(DAY_ONE, 9 * HOUR + minutes * MINUTE))
            try:
                desk.order("FPT", Side.BUY, OrderType.LO, 300, world.tape.states["FPT"].last or 118_000.0)
            except Refused as refused:
                found.append(str(refused))
            found += world.take()
        return found

    assert repr(said()) == repr(said())


def test_a_replayed_market_takes_orders_at_stops_and_between() -> None:
    data = synthetic.make(["FPT"], days=3, seed=5)
    world = world_of(BarReplay(data))
    desk = Desk(world)
    fpt = data["FPT"]
    while len(world.tape.candles.get("FPT", ())) < 11:
        world.step()
    world.take()
    desk.order("FPT", Side.BUY, OrderType.MTL, 100)
    stop = world.next_stop()
    assert stop is not None
    assert stop.kind == "open"
    world.step()
    (matched,) = [one for one in world.take() if isinstance(one, OrderMatched)]
    assert (matched.price, matched.ns) == (int(fpt.open[11]), int(fpt.start[11]))
