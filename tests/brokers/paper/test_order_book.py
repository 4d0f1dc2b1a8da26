"""The order book against a list that is sorted anew for every question."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.paper.order_book import AHEAD, OrderBook, Resting
from algo.model import Side

prices = st.integers(95, 105)
steps = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(Side), prices | st.just(0), st.integers(1, 9)),
    st.tuples(st.just("remove"), st.integers(0, 30)),
    st.tuples(st.just("reduce"), st.integers(0, 30), st.integers(1, 9)),
    st.tuples(st.just("take"), st.sampled_from(Side), prices, st.integers(1, 30)),
)


def ranked(orders: list[Resting], side: Side) -> list[Resting]:
    """A side's orders as they trade; a stable sort keeps time."""
    return sorted((o for o in orders if o.side is side), key=lambda o: -side * o.price)


@given(st.lists(steps, max_size=60))
def test_the_book_answers_as_a_sorted_list_does(steps: list[tuple]) -> None:
    book, orders, count = OrderBook(), [], 0
    for step in steps:
        match step:
            case ("add", side, price, quantity):
                count += 1
                order = Resting(f"o{count}", side, price or side * AHEAD, quantity)
                book.add(order)
                orders.append(order)
            case ("remove", index) if index < len(orders):
                book.remove(order := orders.pop(index))
                assert order not in book
            case ("reduce", index, quantity) if index < len(orders):
                order, before = orders[index], orders[index].leaves
                book.reduce(order, min(quantity, before))
                assert order.leaves == before - min(quantity, before)
            case ("take", side, limit, quantity):
                want, expected = quantity, []
                for order in ranked(orders, side.opposite):
                    if want and (limit - order.price) * side >= 0:
                        expected.append((order, min(want, order.leaves), order.leaves))
                        want -= min(want, order.leaves)
                assert book.fillable(side, limit, quantity) == quantity - want
                assert book.take(side, limit, quantity) == [(order, size) for order, size, _ in expected]
                assert all(order.leaves == before - size for order, size, before in expected)
        orders = [order for order in orders if order.leaves]
        for side in Side:
            expected = ranked(orders, side)
            assert list(book.orders(side)) == expected
            assert book.best(side) == (expected[0].price if expected else None)
            sums: dict[int, int] = {}
            for order in expected:
                sums[order.price] = sums.get(order.price, 0) + order.leaves
            assert list(book.levels(side)) == list(sums.items())
        bid, ask = book.best(Side.BUY), book.best(Side.SELL)
        assert book.crossed == (bid is not None and ask is not None and bid >= ask)
