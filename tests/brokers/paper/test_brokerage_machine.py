"""A broker moved at random, over the tape of a market and over books of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from algo.brokers.paper import PaperExchange
from algo.clock import MINUTE, SECOND
from algo.model import Bar, BrokerEvent, Command, Instrument, OrderType, PlaceOrder, Side, Trade
from tests.generators.brokers import Broker, instruments, offsets, price_at
from tests.generators.houses import ANY, INSTRUMENTS


class PaperBroker(Broker):
    """Over quotes, trades and bars that are somebody else's."""

    def leaves(self) -> Iterable[int]:
        return [ticket.leaves for ticket in self.house.exchange.orders()]

    @rule(instrument=instruments, ticks=offsets, spread=st.integers(1, 3), size=st.integers(0, 6))
    def quote(self, instrument: Instrument, ticks: int, spread: int, size: int) -> None:
        shown = size if instrument.shortable else size * 100
        bid = price_at(instrument, ticks)
        ask = bid + spread * (price_at(instrument, 1) - price_at(instrument, 0)) // 4
        self.house.quote(instrument, bid, ask, shown)

    @rule(prints=st.lists(st.tuples(instruments, offsets, st.integers(1, 6)), min_size=1, max_size=8))
    def trades(self, prints: list[tuple[Instrument, int, int]]) -> None:
        for instrument, ticks, size in prints:
            price = price_at(instrument, ticks)
            self.house.trade(instrument, price, size if instrument.shortable else size * 100)
            self.marks[instrument.symbol] = price

    @rule(instrument=instruments, path=st.lists(offsets, min_size=4, max_size=4), volume=st.integers(0, 3))
    def bar(self, instrument: Instrument, path: list[int], volume: int) -> None:
        house, exchange = self.house, self.house.exchange
        opened, first, second, closed = (instrument.price(price_at(instrument, one)) for one in path)
        low, high = min(opened, first, second, closed), max(opened, first, second, closed)
        bar = Bar(
            instrument.symbol,
            house.ns + 2 * MINUTE,
            opened,
            high,
            low,
            closed,
            volume * 1_000,
            house.ns + MINUTE,
            instrument.symbol,
        )
        house.told(exchange.open_bar(bar))
        events = exchange.range_bar(bar)
        while events:
            house.told(events)
            events = exchange.late_stops(bar)
        house.ns = bar.ns
        self.marks[instrument.symbol] = price_at(instrument, path[-1])
        house.broker.mark(instrument.symbol, self.marks[instrument.symbol], house.ns)
        house.hear()


class Late(PaperExchange):
    """Commands act when the test says so, in their order."""

    def __init__(self) -> None:
        super().__init__(INSTRUMENTS, ANY)
        self.line: list[Command] = []

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        self.line.append(command)
        return []

    def arrive(self, count: int, ns: int) -> list[BrokerEvent]:
        arrived, self.line = self.line[:count], self.line[count:]
        return [event for command in arrived for event in super(Late, self).execute(command, ns)]


class LateBroker(PaperBroker):
    """As before, but the exchange answers late."""

    def exchange(self) -> Any:
        return Late()

    @rule(count=st.integers(1, 4))
    def arrive(self, count: int) -> None:
        self.house.told(self.house.exchange.arrive(count, self.house.ns))
        self.house.hear()

    def look(self) -> None:
        while self.house.exchange.line:
            self.arrive(len(self.house.exchange.line))


class BookBroker(Broker):
    """Over books, in which a crowd and the customers trade with each other and among themselves."""

    def exchange(self) -> Any:
        books = pytest.importorskip("algo.brokers.paper.book_exchange")
        self.crowd = 0
        return books.BookExchange(INSTRUMENTS)

    def leaves(self) -> Iterable[int]:
        books = [self.house.exchange.market(symbol).orders() for symbol in INSTRUMENTS]
        return [one.leaves for book in books for one in book if not one.order_id.startswith("crowd")]

    @rule(
        orders=st.lists(st.tuples(instruments, st.sampled_from(Side), offsets, st.integers(1, 9)), max_size=8)
    )
    def a_crowd_comes(self, orders: list[tuple[Instrument, Side, int, int]]) -> None:
        house = self.house
        for instrument, side, ticks, size in orders:
            self.crowd += 1
            house.ns += SECOND
            quantity = size if instrument.shortable else size * 100
            price, name = price_at(instrument, ticks), f"crowd{self.crowd}"
            command = PlaceOrder(name, name, "", instrument, side, OrderType.LO, price, quantity)
            house.told(house.exchange.execute(command, house.ns))
        self.look()

    def look(self) -> None:
        house = self.house
        for public in house.exchange.take_public():
            if isinstance(public, Trade):
                units = INSTRUMENTS[public.symbol].units(public.price)
                house.broker.mark(public.symbol, units, house.ns)
                self.marks[public.symbol] = units
        house.hear()


_FEW = settings(max_examples=40, stateful_step_count=80, deadline=None)
TestOverTheTape = PaperBroker.TestCase
TestOverALateExchange = LateBroker.TestCase
TestOverBooks = BookBroker.TestCase
TestOverTheTape.settings = TestOverALateExchange.settings = TestOverBooks.settings = _FEW
