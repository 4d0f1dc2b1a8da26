"""The ledger against a second one that shares no code with it, and against what must always hold."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY, HOUR, at
from algo.errors import SettingError
from algo.market import FlatFees, NoFees, TradingCalendar, VietnamFees
from algo.model import Account, CorporateAction, Instrument, Side
from algo.portfolio import Portfolio, draw_advance, on_the_way, settle_daily
from tests.generators.ledgers import CASH, CONTRACTS, DAYS, SHARES, Step, day_of, due, histories
from tests.generators.second_ledger import SecondLedger

FPT, VN30 = SHARES[0], CONTRACTS[0]


def portfolio(marks: dict[str, int], **more: object) -> Portfolio:
    return Portfolio(
        CASH,
        fees=more.pop("fees", VietnamFees()),
        calendar=TradingCalendar.from_days(DAYS),
        marks=lambda instrument: marks.get(instrument.symbol),
        **more,
    )


def apply(ledger: Portfolio, step: Step) -> None:
    ledger.advance_to(step.ns)
    if step.kind == "day":
        ledger.start_day(step.ns)
    elif step.kind == "fill":
        side = Side(step.sign)
        ledger.book(step.ns, step.instrument, side, step.price, step.quantity, order_id=f"o{step.ns}")
    elif step.kind == "settle":
        ledger.settle(step.ns, step.instrument, step.price)
    elif step.kind == "settle daily":
        settle_daily(ledger, step.instrument, step.price)
    elif step.kind == "dividend":
        ledger.act(CorporateAction(step.ns, step.instrument.symbol, step.price, step.paid))
    else:
        ledger.act(CorporateAction(step.ns, step.instrument.symbol, ratio_new=step.new, ratio_old=step.old))


def apply_plainly(second: SecondLedger, step: Step) -> None:
    symbol, future = step.instrument.symbol, step.instrument.shortable
    second.arrive(step.ns)
    if step.kind == "day":
        second.new_day(step.ns)
    elif step.kind == "fill":
        multiplier = step.instrument.multiplier
        moment = due(day_of(step.ns))
        second.trade(symbol, future, multiplier, step.sign, step.price, step.quantity, moment)
    elif step.kind == "settle":
        second.settle(symbol, step.price)
    elif step.kind == "settle daily":
        second.settle_daily(symbol, step.price)
    elif step.kind == "dividend":
        second.dividend(symbol, step.price, step.paid, step.ns)
    else:
        second.split(symbol, step.new, step.old)


def both(opening: list[Step]) -> tuple[Portfolio, SecondLedger, dict[str, int]]:
    marks: dict[str, int] = {}
    ledger, second = portfolio(marks), SecondLedger(*CASH.values())
    for step in opening:
        ledger.open(step.instrument, step.sign * step.quantity, step.price)
        one = step.instrument
        second.hold(one.symbol, one.shortable, one.multiplier, step.sign * step.quantity, step.price)
        marks[one.symbol] = step.price
    return ledger, second, marks


@given(histories())
def test_agrees_with_a_second_ledger_after_every_step(history: tuple[list[Step], list[Step]]) -> None:
    opening, steps = history
    ledger, second, marks = both(opening)
    for step in steps:
        if step.kind in ("fill", "settle", "settle daily"):
            marks[step.instrument.symbol] = step.price
        apply(ledger, step)
        apply_plainly(second, step)
        assert {str(account): cash for account, cash in ledger.cash.items()} == second.cash
        for instrument in (*SHARES, *CONTRACTS):
            symbol = instrument.symbol
            assert ledger.quantity(symbol) == second.quantity(symbol)
            if not instrument.shortable and symbol in ledger.positions:
                assert ledger.positions[symbol].sellable == second.sellable(symbol, step.ns)
        assert ledger.realised == second.realised
        assert (ledger.fees, ledger.taxes) == (second.fees, second.taxes)
        assert (ledger.dividends, ledger.receivable) == (second.dividends, second.receivable())
        assert ledger.opening == second.opening
        assert ledger.open_profit == second.open_profit(marks)


@given(histories())
def test_everything_owned_is_what_was_brought_and_earned(history: tuple[list[Step], list[Step]]) -> None:
    opening, steps = history
    ledger, _, marks = both(opening)
    for step in steps:
        if step.kind in ("fill", "settle", "settle daily"):
            marks[step.instrument.symbol] = step.price
        apply(ledger, step)
        earned = ledger.realised + ledger.open_profit + ledger.dividends
        assert ledger.equity == ledger.opening + earned - ledger.fees - ledger.taxes
        value = sum(p.value for p in ledger.positions.values())
        assert ledger.equity == sum(ledger.cash.values()) + ledger.receivable + value


@given(histories(actions=False))
def test_quantities_are_conserved_and_costs_divided_without_rest(
    history: tuple[list[Step], list[Step]],
) -> None:
    opening, steps = history
    ledger, _, _ = both(opening)
    traded: dict[str, int] = defaultdict(int)
    for step in steps:
        apply(ledger, step)
        if step.kind == "fill":
            traded[step.instrument.symbol] += step.sign * step.quantity
    begun = {step.instrument.symbol: step.sign * step.quantity for step in opening}
    for symbol, position in ledger.positions.items():
        assert position.quantity == traded[symbol] + begun.get(symbol, 0)
        sign = 1 if position.quantity > 0 else -1
        assert sum(lot.quantity for lot in position.lots) * sign == position.quantity
        lots = [(lot.quantity, lot.fee, lot.tax) for lot in position.lots]
        trips = [trip for trip in ledger.round_trips if trip.instrument.symbol == symbol]
        fills = [fill for fill in ledger.fills if fill.instrument.symbol == symbol]
        # Every fill's quantity is in a round trip (as entry or exit) or still open.
        asked = sum(fill.quantity for fill in fills) + abs(begun.get(symbol, 0))
        assert asked == 2 * sum(trip.quantity for trip in trips) + sum(lot[0] for lot in lots)
        assert sum(trip.fees for trip in trips) + sum(lot[1] for lot in lots) == sum(f.fee for f in fills)
        assert sum(trip.taxes for trip in trips) + sum(lot[2] for lot in lots) == sum(f.tax for f in fills)
        gross = sum(trip.sign * (trip.exit_value - trip.entry_value) for trip in trips)
        assert gross == position.realised


@given(histories())
def test_a_split_or_settlement_loses_no_fee(history: tuple[list[Step], list[Step]]) -> None:
    opening, steps = history
    ledger, _, _ = both(opening)
    for step in steps:
        apply(ledger, step)
    for symbol, position in ledger.positions.items():
        if not position.lots and position.instrument.shortable:
            trips = [t for t in ledger.round_trips if t.instrument.symbol == symbol]
            fills = [f for f in ledger.fills if f.instrument.symbol == symbol]
            assert sum(t.charges for t in trips) == sum(f.fee + f.tax for f in fills)


# -- shares that are not there yet ----------------------------------------------------------------


def test_shares_and_sale_money_arrive_at_one_on_the_second_trading_day() -> None:
    ledger = portfolio({}, fees=NoFees())
    monday, wednesday = date(2023, 3, 6), date(2023, 3, 8)
    ledger.book(at(monday, 10 * HOUR), FPT, Side.BUY, 80_000, 100)
    position = ledger.positions["FPT"]
    assert position.sellable_at(at(wednesday, 13 * HOUR) - 1) == 0
    assert position.sellable_at(at(wednesday, 13 * HOUR)) == 100
    before = ledger.cash[Account.EQUITY]
    ledger.advance_to(at(wednesday, 14 * HOUR))
    ledger.book(at(wednesday, 14 * HOUR), FPT, Side.SELL, 90_000, 100)
    friday = at(date(2023, 3, 10), 13 * HOUR)
    ledger.advance_to(friday - 1)
    assert ledger.cash[Account.EQUITY] == before
    assert ledger.receivable == 9_000_000
    ledger.advance_to(friday)
    assert ledger.cash[Account.EQUITY] == before + 9_000_000
    assert ledger.receivable == 0


def test_adding_to_a_position_does_not_delay_or_hasten_the_older_lot() -> None:
    ledger = portfolio({}, fees=NoFees())
    for day, quantity in zip(DAYS, (100, 200, 300), strict=False):
        ledger.book(at(day, 10 * HOUR), FPT, Side.BUY, 80_000, quantity)
    position = ledger.positions["FPT"]
    arrivals = [at(day, 13 * HOUR) for day in DAYS[2:5]]
    assert [position.sellable_at(ns) for ns in arrivals] == [100, 300, 600]
    assert [position.sellable_at(ns - 1) for ns in arrivals] == [0, 100, 300]


def test_old_rule_lets_shares_be_sold_on_the_third_day() -> None:
    days = [date(2021, 3, day) for day in (1, 2, 3, 4, 5)]
    ledger = Portfolio({Account.EQUITY: 10**9}, calendar=TradingCalendar.from_days(days))
    ledger.book(at(days[0], 10 * HOUR), FPT, Side.BUY, 80_000, 100)
    assert ledger.positions["FPT"].sellable_at(at(days[2], 15 * HOUR)) == 0
    assert ledger.positions["FPT"].sellable_at(at(days[3])) == 100


# -- single rules ---------------------------------------------------------------------------------


def test_reversing_in_one_fill_closes_one_trade_and_opens_another() -> None:
    marks = {VN30.symbol: 10_100}
    ledger = portfolio(marks, fees=FlatFees(1_000))
    ns = at(DAYS[0], 10 * HOUR)
    ledger.start_day(at(DAYS[0]))
    ledger.book(ns, VN30, Side.BUY, 10_000, 2)
    fill = ledger.book(ns + 1, VN30, Side.SELL, 10_100, 5)
    (trip,) = ledger.round_trips
    assert (trip.quantity, trip.sign, trip.profit) == (2, 1, 2 * 100 * 10_000 - 2_000 - 2_000)
    assert ledger.quantity(VN30.symbol) == -3
    assert fill.fee == 5_000
    assert ledger.positions[VN30.symbol].lots[0].fee == 3_000
    assert ledger.positions[VN30.symbol].average_price == 1010.0
    assert ledger.cash[Account.DERIVATIVES] == CASH[Account.DERIVATIVES] + 2_000_000 - 7_000


def test_margin_binds_and_frees_and_open_profit_counts() -> None:
    marks = {VN30.symbol: 10_000}
    ledger = portfolio(marks, fees=NoFees(), margin=Fraction(1, 5))
    ledger.start_day(at(DAYS[0]))
    ledger.book(at(DAYS[0], 10 * HOUR), VN30, Side.SELL, 10_000, 3)
    full = CASH[Account.DERIVATIVES]
    assert ledger.margin_used() == 60_000_000
    assert ledger.buying_power(Account.DERIVATIVES) == full - 60_000_000
    marks[VN30.symbol] = 10_100  # against the short position
    assert ledger.open_profit == -3_000_000
    assert ledger.buying_power(Account.DERIVATIVES) == full - 3_000_000 - 60_600_000
    ledger.book(at(DAYS[0], 11 * HOUR), VN30, Side.BUY, 10_100, 3)
    assert (
        ledger.buying_power(Account.DERIVATIVES) == full - 3_000_000 == ledger.equity - CASH[Account.EQUITY]
    )


def test_advance_brings_sale_money_at_once_for_its_fee() -> None:
    ledger = portfolio({}, advance=True)
    ledger.open(FPT, 100, 80_000)
    ledger.book(at(date(2023, 3, 2), 10 * HOUR), FPT, Side.SELL, 100_000, 100)  # Thursday to Monday: 4 days
    sale = 10_000_000 - 15_000 - 10_000
    fee = (sale * 4 * 375 + 500_000) // 1_000_000
    assert ledger.cash[Account.EQUITY] == CASH[Account.EQUITY] + sale - fee
    assert ledger.fees == 15_000 + fee
    assert ledger.receivable == 0


@given(histories())
def test_daily_settlement_moves_money_and_changes_nothing_else(
    history: tuple[list[Step], list[Step]],
) -> None:
    opening, steps = history
    with_it, _, marks = both(opening)
    without, _, _ = both(opening)
    without.mark = with_it.mark
    for step in steps:
        if step.kind in ("fill", "settle", "settle daily"):
            marks[step.instrument.symbol] = step.price
        apply(with_it, step)
        if step.kind == "settle daily":
            without.advance_to(step.ns)
        else:
            apply(without, step)
        assert with_it.equity == without.equity
        assert with_it.round_trips == without.round_trips
        assert [with_it.buying_power(account) for account in Account] == [
            without.buying_power(account) for account in Account
        ]
        for position in with_it.positions.values():
            assert position.paid == sum(lot.paid for lot in position.lots)


def test_the_profit_of_the_day_is_cash_in_the_evening_and_comes_once() -> None:
    ledger = portfolio({VN30.symbol: 10_100}, fees=NoFees())
    full = CASH[Account.DERIVATIVES]
    ledger.book(at(DAYS[0], 10 * HOUR), VN30, Side.SELL, 10_000, 3)
    assert settle_daily(ledger, VN30, 10_050) == -3 * 50 * 10_000
    assert settle_daily(ledger, VN30, 10_050) == 0
    assert ledger.cash[Account.DERIVATIVES] == full - 1_500_000
    ledger.book(at(DAYS[1], 10 * HOUR), VN30, Side.BUY, 10_020, 3)
    assert ledger.cash[Account.DERIVATIVES] == full - 3 * 20 * 10_000


def test_sale_money_can_be_drawn_in_parts_and_arrives_less_them() -> None:
    ledger = portfolio({}, fees=VietnamFees())
    ledger.open(FPT, 200, 80_000)
    ledger.book(at(date(2023, 3, 2), 10 * HOUR), FPT, Side.SELL, 100_000, 100)  # Thursday to Monday: 4 days
    ledger.book(at(date(2023, 3, 2), 11 * HOUR), FPT, Side.SELL, 100_000, 100)
    ((due, sale), (_, other)) = on_the_way(ledger)
    moment = at(date(2023, 3, 3), 9 * HOUR)
    ledger.advance_to(moment)
    fee = draw_advance(ledger, moment, due, sale + 1)
    assert fee == ((sale + 1) * 3 * 375 + 500_000) // 1_000_000
    assert ledger.cash[Account.EQUITY] == CASH[Account.EQUITY] + sale + 1 - fee
    assert ledger.receivable == other - 1
    with pytest.raises(SettingError, match="on their way"):
        draw_advance(ledger, moment, due, other)
    ledger.advance_to(due)
    assert ledger.cash[Account.EQUITY] == CASH[Account.EQUITY] + sale + other - fee
    assert ledger.receivable == 0


def test_the_tiers_of_the_broker_begin_anew_each_day() -> None:
    ledger = portfolio({VN30.symbol: 10_000})
    for day in DAYS[:2]:
        ledger.start_day(at(day))
        first = ledger.book(at(day, 10 * HOUR), VN30, Side.BUY, 10_000, 99)
        second = ledger.book(at(day, 11 * HOUR), VN30, Side.BUY, 10_000, 1)
        assert (first.fee, second.fee) == (99 * 4_700, 4_200)


def test_the_tiers_begin_anew_even_when_nobody_started_the_day() -> None:
    ledger = portfolio({})
    fees = [ledger.book(at(day, 10 * HOUR), VN30, Side.BUY, 10_000, 99).fee for day in DAYS[:2]]
    assert fees == [99 * 4_700] * 2


def test_contracts_held_over_night_cost_the_depository_fee() -> None:
    ledger = portfolio({VN30.symbol: 10_000})
    ledger.start_day(at(DAYS[0]))
    ledger.book(at(DAYS[0], 10 * HOUR), VN30, Side.SELL, 10_000, 4)
    assert ledger.start_day(at(DAYS[1])) == 4 * 2_550


def test_loss_of_the_day_counts_from_its_start() -> None:
    marks = {VN30.symbol: 10_000}
    ledger = portfolio(marks, fees=NoFees())
    ledger.start_day(at(DAYS[0]))
    ledger.book(at(DAYS[0], 10 * HOUR), VN30, Side.BUY, 10_000, 1)
    marks[VN30.symbol] = 9_950
    assert ledger.day_loss == 500_000
    ledger.start_day(at(DAYS[1]))
    assert ledger.day_loss == 0
    marks[VN30.symbol] = 9_960
    assert ledger.day_loss == 0


def test_a_split_keeps_the_cost_of_lots_that_vanish() -> None:
    ledger = portfolio({})
    for day in DAYS[:3]:
        ledger.book(at(day, 10 * HOUR), FPT, Side.BUY, 50_000, 1)
    ledger.act(CorporateAction(at(DAYS[3]), "FPT", ratio_new=1, ratio_old=2))
    position = ledger.positions["FPT"]
    assert (position.quantity, position.cost) == (1, 150_000)
    charges = sum(lot.fee + lot.tax for lot in position.lots)
    assert charges == sum(fill.fee + fill.tax for fill in ledger.fills)


def test_a_dividend_is_owed_from_the_ex_date_and_taxed() -> None:
    ledger = portfolio({"FPT": 100_000}, fees=NoFees())
    ledger.open(FPT, 1_000, 100_000)
    day = at(DAYS[1])
    ledger.act(CorporateAction(day, "FPT", dividend=2_001, paid_ns=day + 10 * DAY))
    assert (ledger.dividends, ledger.taxes) == (2_001_000, 100_050)
    assert ledger.receivable == 2_001_000 - 100_050
    ledger.advance_to(day + 10 * DAY)
    assert ledger.cash[Account.EQUITY] == CASH[Account.EQUITY] + 1_900_950


def test_settling_nothing_gives_nothing() -> None:
    assert portfolio({}).settle(at(DAYS[0]), VN30, 10_000) is None


def test_an_opening_position_of_shares_cannot_be_short() -> None:
    with pytest.raises(SettingError, match="cannot be short"):
        portfolio({}).open(FPT, -100, 80_000)


@given(st.integers(1, 10**6), st.data())
def test_taking_from_a_lot_in_any_parts_gives_it_all(cost: int, data: st.DataObject) -> None:
    ledger = Portfolio({Account.EQUITY: 10**12}, calendar=TradingCalendar.from_days(DAYS))
    share = Instrument("FPT", FPT.board)
    total = data.draw(st.integers(1, 500))
    ledger.open(share, total, cost)
    position, seen, left = ledger.positions["FPT"], 0, total
    while left:
        part = data.draw(st.integers(1, left))
        seen += position.lots[0].take(part)[0]
        left -= part
    assert seen == cost * total
