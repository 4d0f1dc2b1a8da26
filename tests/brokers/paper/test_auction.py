"""The auction's price against trying every price of the band, and the rule's parts one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.paper.auction import clearing
from algo.brokers.paper.order_book import AHEAD, OrderBook, Resting
from algo.market import Band, band
from algo.model import Instrument, Side
from tests.generators.second_exchange import auction_price, every_price
from tests.generators.trading_days import INSTRUMENTS, REFERENCES, SINCE

BUY, SELL = Side.BUY, Side.SELL
Orders = list[tuple[Side, int | None, int]]


def book_of(orders: Orders) -> OrderBook:
    book = OrderBook()
    for number, (side, price, quantity) in enumerate(orders):
        book.add(Resting(f"o{number}", side, side * AHEAD if price is None else price, quantity))
    return book


@st.composite
def auctions(draw: st.DrawFn) -> tuple[Instrument, Band, Orders, int]:
    """A crossed or uncrossed book inside a band, orders at any price among it, and the last match."""
    instrument = draw(st.sampled_from(INSTRUMENTS))
    edges = band(instrument, REFERENCES[instrument.board], SINCE)
    prices = every_price(instrument, edges, SINCE)
    middle = len(prices) // 2
    near = st.integers(max(middle - 6, 0), min(middle + 6, len(prices) - 1)).map(prices.__getitem__)
    price = near | st.sampled_from(prices) | st.none()
    order = st.tuples(st.sampled_from(Side), price, st.integers(1, 5).map(lambda lots: lots * 100))
    return instrument, edges, draw(st.lists(order, max_size=16)), draw(near | st.sampled_from(prices))


@given(auctions())
def test_no_price_of_the_band_clears_better(auction: tuple[Instrument, Band, Orders, int]) -> None:
    instrument, edges, orders, anchor = auction
    found = clearing(book_of(orders), edges, anchor)
    assert found == auction_price(orders, every_price(instrument, edges, SINCE), anchor)


WIDE = Band(80, 100, 120)


@pytest.mark.parametrize(
    ("orders", "anchor", "expected"),
    [
        pytest.param([(BUY, 104, 5), (SELL, 96, 5)], 100, (100, 5), id="nearest the last match"),
        pytest.param([(BUY, 104, 5), (SELL, 96, 5)], 107, (104, 5), id="as near as the orders let it"),
        pytest.param([(BUY, 104, 5), (BUY, 103, 4), (SELL, 96, 9)], 110, (103, 9), id="volume before all"),
        pytest.param([(BUY, 99, 5), (SELL, 101, 5)], 100, None, id="nobody meets"),
        pytest.param([(BUY, None, 5), (SELL, None, 3)], 90, (90, 3), id="at any price only"),
        pytest.param([(BUY, None, 5), (SELL, 103, 5)], 100, (103, 5), id="one side at any price"),
        pytest.param([(BUY, None, 5)], 100, None, id="one side is empty"),
        pytest.param([(BUY, 104, 5), (SELL, 96, 5)], None, (104, 5), id="the higher price at last"),
    ],
)
def test_the_rule_part_by_part(orders: Orders, anchor: int | None, expected: tuple | None) -> None:
    assert clearing(book_of(orders), WIDE, anchor) == expected


def test_without_a_band_the_orders_alone_bound_the_price() -> None:
    assert clearing(book_of([(BUY, None, 5), (SELL, 103, 3)]), None, None) == (103, 3)
    assert clearing(book_of([(BUY, None, 5), (SELL, None, 3)]), None, None) is None
    assert clearing(book_of([(BUY, None, 5), (SELL, None, 3)]), None, 100) == (100, 3)
