"""Each reason to refuse an order, at the edge where it begins."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import HOUR, at
from algo.errors import SettingError
from algo.market import FlatFees, NoFees, Session, TradingCalendar, VietnamFees
from algo.model import Account, Board, Order, OrderType, Side, TimeInForce, Trigger, TriggerKind
from algo.orders import Limits, OrderManager, RequestIds, Venue
from algo.portfolio import Portfolio
from tests.generators.venues import DAY, DAYS, NOON, ledger_of, order_of, venue_of

BUY, SELL = Side.BUY, Side.SELL


class Counter:
    """A manager with its ledger, and the reason of the last refusal."""

    def __init__(self, ledger: Portfolio | None = None, limits: Limits | None = None) -> None:
        self.manager = OrderManager({"one": RequestIds(10)}, {"one": limits or Limits()})
        self.manager.start_day(NOON)
        self.ledger = ledger or ledger_of()

    def ask(self, venue: Venue, *args: Any, **more: Any) -> str:
        order: Order = order_of(venue, *args, **more)
        self.manager.submit(order, venue, self.ledger, self.ledger.ns)
        self.order = order
        return order.reason if str(order.status) == "refused" else ""


def ask(venue: Venue, *args: Any, **more: Any) -> str:
    return Counter().ask(venue, *args, **more)


# -- lots, ticks, bands, types --------------------------------------------------------------------


def test_quantities() -> None:
    venue = venue_of()
    assert "above the largest order of 500,000" in ask(venue, BUY, 500_100, 80_000.0)
    assert not ask(venue, BUY, 500_000, 80_000.0)
    assert "not a multiple of the lot of 100" in ask(venue, BUY, 150, 80_000.0)
    assert not ask(venue, BUY, 99, 80_000.0)
    old = venue_of(day=date(2022, 9, 9))
    assert "took no odd lots" in ask(old, BUY, 99, 80_000.0)


def test_ticks_of_limit_and_trigger() -> None:
    venue = venue_of()
    assert "not on the tick of 100" in ask(venue, BUY, 100, 79_950.0)
    assert not ask(venue_of(last=49_000.0), BUY, 100, 48_950.0)
    assert "not on the tick" in ask(venue, BUY, 100, stop=Trigger(TriggerKind.UP, 80_050))


def test_the_band() -> None:
    venue = venue_of()
    assert "above the ceiling of 85,600" in ask(venue, BUY, 100, 85_700.0)
    assert not ask(venue, BUY, 100, 85_600.0)
    assert "below the floor of 74,400" in ask(venue, BUY, 100, 74_300.0)
    assert not ask(venue, BUY, 100, 74_400.0)
    assert not ask(venue_of(reference=None), BUY, 100, 200_000.0)
    assert not ask(venue_of(idle=True), BUY, 100, 96_000.0)


def test_a_stop_may_lie_beyond_the_band_and_a_lasting_order_waits_for_it() -> None:
    venue = venue_of("VN30F1M", 1200.0)
    oco = Trigger(TriggerKind.OCO, 11_900)
    assert not ask(venue, SELL, 1, 1300.0, stop=oco)
    counter = Counter()
    assert not counter.ask(venue, SELL, 1, 1300.0, tif=TimeInForce.GTC)
    assert str(counter.order.status) == "held"
    assert "band" in counter.order.reason


@pytest.mark.parametrize(
    ("session", "order_type", "legal"),
    [
        (Session.LO, OrderType.ATO, False),
        (Session.LO, OrderType.ATC, False),
        (Session.LO, OrderType.MAK, True),
        (Session.LO, OrderType.MOK, True),
        (Session.LO, OrderType.MTL, True),
        (Session.ATC, OrderType.MTL, False),
        (Session.ATC, OrderType.ATC, True),
        (Session.ATO, OrderType.ATO, True),
        (Session.ATO, OrderType.MAK, False),
        (Session.LO, OrderType.MP, False),
    ],
)
def test_order_types_by_session(session: Session, order_type: OrderType, legal: bool) -> None:
    venue = venue_of("VN30F1M", 1200.0, session=session)
    reason = ask(venue, BUY, 1, order_type=order_type)
    assert (not reason) is legal
    if not legal:
        assert f"in session {session}, not {order_type}" in reason


def test_a_market_order_needs_a_known_price_where_a_limit_carries_it() -> None:
    venue = venue_of("BSR", None, board=Board.UPCOM)
    counter = Counter()
    counter.ledger.open(venue.instrument, 100, 20_000)
    assert "no price is known" in counter.ask(venue, SELL, 100)


# -- shares ---------------------------------------------------------------------------------------


def test_buying_power_to_the_dong_with_fees() -> None:
    need = 8_000_000 + 12_000
    for cash, refused in ((need, False), (need - 1, True)):
        counter = Counter(ledger_of(cash, fees=VietnamFees()))
        reason = counter.ask(venue_of(), BUY, 100, 80_000.0)
        assert bool(reason) is refused
        assert not refused or reason == f"buying power: {need:,} đ needed with fees, {cash:,} đ free"


def test_a_market_order_sets_the_ceiling_aside() -> None:
    assert not Counter(ledger_of(8_560_000)).ask(venue_of(), BUY, 100)
    assert "buying power" in Counter(ledger_of(8_559_999)).ask(venue_of(), BUY, 100)


def test_open_purchases_keep_their_cash_each_at_its_own_price() -> None:
    dear, cheap = venue_of("FPT", 100_000.0), venue_of("SSI", 10_000.0)
    for first, second in ((dear, cheap), (cheap, dear)):
        for price in (True, False):
            counter = Counter(ledger_of(10_700_000 + 1_070_000 - 1))
            prices = {dear: 107_000.0, cheap: 10_700.0}
            assert not counter.ask(first, BUY, 100, prices[first] if price else None)
            assert "buying power" in counter.ask(second, BUY, 100, prices[second] if price else None)
            counter.ledger.cash[Account.EQUITY] += 1
            assert not counter.ask(second, BUY, 100, prices[second] if price else None)


def test_sale_money_on_its_way_buys_nothing() -> None:
    counter = Counter(ledger_of(0))
    counter.ledger.open(venue_of().instrument, 100, 80_000)
    counter.ledger.book(NOON, venue_of().instrument, SELL, 80_000, 100)
    assert counter.ledger.receivable == 8_000_000
    assert "0 đ free" in counter.ask(venue_of(), BUY, 100, 80_000.0)


def test_shares_are_not_sold_short_nor_twice() -> None:
    counter, venue = Counter(), venue_of()
    assert "cannot be sold short: 0 held and free, 100 to sell" in counter.ask(venue, SELL, 100)
    counter.ledger.open(venue.instrument, 200, 80_000)
    assert "200 held and free, 300 to sell" in counter.ask(venue, SELL, 300)
    assert not counter.ask(venue, SELL, 100, 81_000.0)
    assert "100 held and free, 200 to sell" in counter.ask(venue, SELL, 200)
    assert not counter.ask(venue, SELL, 100, 81_000.0)
    assert "0 held and free" in counter.ask(venue, SELL, 100, 81_000.0)


def test_unsettled_shares_are_named() -> None:
    counter, venue = Counter(), venue_of()
    counter.ledger.open(venue.instrument, 100, 80_000)
    counter.ledger.book(NOON, venue.instrument, BUY, 80_000, 200)
    assert "100 of 300 shares have settled and are free" in counter.ask(venue, SELL, 200)
    assert not counter.ask(venue, SELL, 100)
    friday = at(date(2023, 3, 17), 13 * HOUR)
    counter.ledger.advance_to(friday - 1)
    assert "settled" in counter.ask(venue, SELL, 100)
    counter.ledger.advance_to(friday)
    assert not counter.ask(venue, SELL, 200)


@given(st.data())
def test_no_lot_is_sold_before_it_settles_also_when_added_to(data: st.DataObject) -> None:
    venue = venue_of(reference=None)
    days = DAYS
    ledger = Portfolio({Account.EQUITY: 10**12}, calendar=TradingCalendar.from_days(days))
    lots: list[tuple[int, int]] = []  # settles from, quantity: kept here in test code
    sold = 0
    for index, day in enumerate(days[:-2]):
        venue.start_day(day, None, False)
        ledger.start_day(at(day))
        for hour in sorted(data.draw(st.lists(st.sampled_from((9, 10, 12, 13, 14)), max_size=4))):
            ns = at(day, hour * HOUR)
            ledger.advance_to(ns)
            quantity = 100 * data.draw(st.integers(1, 4))
            side = data.draw(st.sampled_from(Side))
            counter = Counter(ledger)
            refused = counter.ask(venue, side, quantity, 80_000.0)
            if side is SELL:
                settled = sum(q for due, q in lots if due <= ns) - sold
                assert (not refused) == (quantity <= settled)
            if refused:
                continue
            ledger.book(ns, venue.instrument, side, 80_000, quantity)
            if side is BUY:
                lots.append((at(days[index + 2], 13 * HOUR), quantity))
            else:
                sold += quantity


# -- contracts ------------------------------------------------------------------------------------


def margin_ledger(cash: int, **more: Any) -> Portfolio:
    venue = venue_of("VN30F1M", 1200.0)
    return ledger_of(cash, margin=Fraction(1, 5), marks=lambda _one: venue.last, **more)


def test_margin_to_the_dong_with_fees() -> None:
    need = 24_000_000 + 5_000
    venue = venue_of("VN30F1M", 1200.0)
    assert not Counter(margin_ledger(need, fees=FlatFees(5_000))).ask(venue, SELL, 1)
    reason = Counter(margin_ledger(need - 1, fees=FlatFees(5_000))).ask(venue, SELL, 1)
    assert reason == f"margin: {need:,} đ needed with fees, {need - 1:,} đ free"


def test_margin_counts_open_orders_the_same_way_only() -> None:
    venue = venue_of("VN30F1M", 1200.0)
    counter = Counter(margin_ledger(48_000_000))
    assert not counter.ask(venue, BUY, 1, 1200.0)
    assert not counter.ask(venue, BUY, 1, 1200.0)
    assert "margin" in counter.ask(venue, BUY, 1, 1200.0)
    assert not counter.ask(venue, SELL, 1, 1210.0)


def test_what_reduces_a_position_needs_no_margin() -> None:
    venue = venue_of("VN30F1M", 1200.0)
    counter = Counter(margin_ledger(24_000_000))
    counter.ledger.book(NOON, venue.instrument, BUY, 12_000, 1)
    counter.ledger.cash[Account.DERIVATIVES] = -1_000_000
    assert not counter.ask(venue, SELL, 1)
    assert not Counter(counter.ledger).ask(venue, SELL, 2)  # a reversal frees what the new side binds
    assert "margin" in Counter(counter.ledger).ask(venue, SELL, 3)


def test_the_position_limit_of_a_person() -> None:
    venue = venue_of("VN30F1M", 1200.0)
    counter = Counter()
    counter.ledger.book(NOON, venue.instrument, BUY, 12_000, 4_600)
    assert "position of 5,001 contracts is above the limit of 5,000" in counter.ask(venue, BUY, 401)
    assert not counter.ask(venue, BUY, 400)
    assert "5,001" in counter.ask(venue, BUY, 1)


# -- no trade with oneself ------------------------------------------------------------------------


def test_an_order_that_would_meet_ones_own_is_refused() -> None:
    venue = venue_of("VN30F1M", 1200.0)
    counter = Counter()
    assert not counter.ask(venue, SELL, 1, 1201.0)
    own = counter.order.order_id
    assert f"your own order {own}" in counter.ask(venue, BUY, 1, 1201.0)
    assert not counter.ask(venue, BUY, 1, 1200.9)
    assert f"your own order {counter.order.order_id}" in counter.ask(venue, SELL, 1, 1200.9)


def test_a_market_order_meets_ones_own_only_at_the_last_price() -> None:
    counter = Counter()
    assert not counter.ask(venue_of("VN30F1M", 1200.0), SELL, 1, 1201.0)
    venue = venue_of("VN30F1M", 1200.0)
    counter.manager.every[0].instrument = venue.instrument
    assert not counter.ask(venue, BUY, 1)
    higher = venue_of("VN30F1M", 1201.0)
    counter.manager.every[0].instrument = higher.instrument
    assert "your own order" in counter.ask(higher, BUY, 1)


# -- the user's limits ----------------------------------------------------------------------------


def test_order_quantity_and_value() -> None:
    venue = venue_of()
    limits = Limits(order_quantity=200, order_value=16_000_000)
    assert not Counter(limits=limits).ask(venue, BUY, 200, 80_000.0)
    assert "an order of 300 is above 200" in Counter(limits=limits).ask(venue, BUY, 300, 80_000.0)
    reason = Counter(limits=limits).ask(venue, BUY, 200, 80_100.0)
    assert reason == "limit: an order of 16,020,000 đ is above 16,000,000 đ"


def test_position_with_open_orders_and_never_against_a_reduction() -> None:
    venue = venue_of("VN30F1M", 1200.0)
    counter = Counter(limits=Limits(position=3))
    assert not counter.ask(venue, BUY, 2, 1190.0)
    assert "a position of 4 is above 3" in counter.ask(venue, BUY, 2, 1190.0)
    assert not counter.ask(venue, BUY, 1, 1190.0)
    counter = Counter(limits=Limits(position=3))
    counter.ledger.book(NOON, venue.instrument, SELL, 12_000, 5)
    assert not counter.ask(venue, BUY, 1)
    assert "above 3" in counter.ask(venue, SELL, 1)
    assert not Counter(counter.ledger, Limits(position=3)).ask(venue, BUY, 8)
    assert "4 is above 3" in Counter(counter.ledger, Limits(position=3)).ask(venue, BUY, 9)


def test_the_loss_of_the_day_leaves_reductions_alone() -> None:
    venue = venue_of("VN30F1M", 1200.0)
    limits = Limits(daily_loss=999_999)
    counter = Counter(ledger_of(fees=NoFees(), marks=lambda _one: 11_990), limits)
    counter.ledger.book(NOON, venue.instrument, BUY, 12_000, 10)
    assert counter.ledger.day_loss == 1_000_000
    assert "reductions only" in counter.ask(venue, BUY, 1)
    assert not counter.ask(venue, SELL, 10)
    assert "reductions only" in Counter(counter.ledger, limits).ask(venue, SELL, 11)
    assert not Counter(counter.ledger, Limits(daily_loss=1_000_000)).ask(venue, BUY, 1)


@pytest.mark.parametrize("name", ["order_quantity", "order_value", "position", "daily_loss"])
def test_a_limit_is_above_zero(name: str) -> None:
    with pytest.raises(SettingError, match=name):
        Limits(**{name: 0})


def test_the_day_is_the_one_of_the_tables() -> None:
    assert DAY in DAYS
