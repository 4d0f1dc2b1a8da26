"""Whole days of a crowd at the book exchange: against a second exchange, and what may never happen."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given

from algo.brokers.paper import Indicated
from algo.market import Session
from algo.model import (
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderType,
    Quote,
    RequestRefused,
    Side,
    Trade,
)
from tests.generators.second_exchange import SecondExchange
from tests.generators.trading_days import Amend, Cancel, Day, Hand, Next, Place, days


def walk(day: Day, hand: Hand, second: SecondExchange | None = None):
    """Do the day; gives after each step its events and whether the second exchange took the request."""
    for step in day.steps:
        session = hand.sessions[0] if isinstance(step, Next) else None
        events, taken = hand.do(step), True
        if second is not None:
            match step:
                case Next():
                    second.enter(session)
                case Place(side, kind, away, lots):
                    price = hand.price(away) if kind is OrderType.LO else 0
                    taken = second.place(f"o{hand.count}", side, kind, price, lots * hand.lot)
                case Amend(number, away, lots):
                    price = None if away is None else hand.price(away)
                    taken = second.amend(f"o{number}", price, None if lots is None else lots * hand.lot)
                case Cancel(number):
                    taken = second.cancel(f"o{number}")
        yield step, events, taken


@given(days())
def test_every_fill_and_every_end_is_that_of_a_second_exchange(day: Day) -> None:
    hand = Hand(day.instrument, day.day)
    second = SecondExchange(day.instrument, day.day, hand.reference)
    got: Counter[tuple[str, int]] = Counter()
    over: set[str] = set()
    for step, events, taken in walk(day, hand, second):
        refused = any(isinstance(event, RequestRefused) for event in events)
        assert refused is not taken, step
        for event in events:
            if isinstance(event, OrderFilled):
                got[event.order_id, event.price] += event.quantity
            elif isinstance(event, OrderCancelled | OrderExpired):
                over.add(event.order_id)
        assert got == second.fills, step
        assert over == second.over, step
        assert hand.exchange.close_price(hand.symbol) == second.last


@given(days())
def test_quantities_are_conserved_and_every_trade_lies_in_the_band(day: Day) -> None:
    hand = Hand(day.instrument, day.day)
    edges = hand.exchange.market(hand.symbol).engine.band
    total: dict[str, int] = {}
    limit: dict[str, int] = {}
    sides: dict[str, Side] = {}
    filled: dict[str, int] = defaultdict(int)
    over: set[str] = set()
    for step, events, _ in walk(day, hand):
        if isinstance(step, Place):
            name = f"o{hand.count}"
            total[name], sides[name] = step.lots * hand.lot, step.side
            limit[name] = hand.price(step.away) if step.kind is OrderType.LO else 0
        bought = sold = 0
        for event in events:
            if isinstance(event, RequestRefused):
                continue
            assert event.order_id not in over
            match event:
                case OrderFilled(order_id=name, price=price, quantity=quantity):
                    assert edges is not None
                    assert edges.contains(price)
                    assert not limit[name] or (limit[name] - price) * sides[name] >= 0
                    filled[name] += quantity
                    bought += quantity if sides[name] is Side.BUY else 0
                    sold += quantity if sides[name] is Side.SELL else 0
                    assert filled[name] <= total[name]
                    if filled[name] == total[name]:
                        over.add(name)
                case OrderAmended(order_id=name, price=price, quantity=quantity):
                    total[name], limit[name] = quantity, price
                case OrderCancelled() | OrderExpired():
                    over.add(event.order_id)
        assert bought == sold
        public = hand.exchange.take_public()
        assert sum(item.quantity for item in public if isinstance(item, Trade)) == bought
        tickets = hand.exchange.market(hand.symbol).orders()
        assert {ticket.order_id for ticket in tickets}.isdisjoint(over)
        assert all(
            ticket.leaves == total[ticket.order_id] - filled[ticket.order_id] > 0 for ticket in tickets
        )
    assert hand.exchange.market(hand.symbol).orders() == []


@given(days())
def test_what_is_shown_is_what_rests_and_it_is_never_crossed_in_continuous_trading(day: Day) -> None:
    hand = Hand(day.instrument, day.day)
    market = hand.exchange.market(hand.symbol)
    last: Quote | None = None
    for _, events, _ in walk(day, hand):
        public = hand.exchange.take_public()
        quotes = [item for item in public if isinstance(item, Quote)]
        indications = [item for item in public if isinstance(item, Indicated)]
        assert len(quotes) <= 1
        last = quotes[0] if quotes else last
        quote = hand.exchange.depth(hand.symbol)
        seen = ((), ()) if last is None else (last.bids, last.asks)
        assert seen == (quote.bids, quote.asks)  # nothing changes unseen
        if market.session in (Session.LO, Session.BREAK):
            assert quote.bid is None or quote.ask is None or quote.bid < quote.ask
            assert sum(level.quantity for level in (*quote.bids, *quote.asks)) <= sum(
                ticket.leaves for ticket in market.orders()
            )
        assert [level.price for level in quote.bids] == sorted((p for p, _ in quote.bids), reverse=True)
        assert [level.price for level in quote.asks] == sorted(p for p, _ in quote.asks)
        assert len(quote.bids) <= (3 if day.instrument.board == "HOSE" else 10)
        assert bool(indications) <= (market.session in (Session.ATO, Session.ATC))
        if indications:
            shown = indications[0]
            found = market.engine.clearing()
            assert shown.volume == (found.volume if found else 0)
