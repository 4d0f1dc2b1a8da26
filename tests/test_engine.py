"""What a strategy asks for and what comes of it: whole runs over small written markets."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.paper import FillRules
from algo.clock import HO_CHI_MINH, HOUR, MINUTE, at
from algo.data.continuous import with_contracts
from algo.data.series import join
from algo.errors import DataError, SettingError
from algo.model import OrderStatus
from algo.orders import Limits
from tests.generators.markets import (
    FUTURE,
    SHARE,
    WEDNESDAY,
    daily,
    fills,
    flat,
    minutes,
    played,
    prepared,
    scripted,
    series,
    statuses,
)

CAPPED = FillRules(participation=0.10)
WEEK = [date(2023, 3, day) for day in (13, 14, 15, 16, 17, 20, 21)]


def clock(s: Any) -> str:
    return f"{s.now:%H:%M}"


def aim(quantity: int, price: float | None) -> Any:
    return lambda s, b: s.target(FUTURE, quantity, price)


# -- targets --------------------------------------------------------------------------------------


def test_a_target_is_asked_for_once_however_often_it_is_named() -> None:
    every = scripted({}, on_bar=lambda s, b: s.target(FUTURE, 2))
    s, result = played(every, minutes(FUTURE, flat(1200, 10)))
    assert fills(result) == [("buy", 2, 1200.0)]
    assert len(result._orders) == 1
    assert s.position(FUTURE).quantity == 2


def test_a_flip_is_one_order_and_two_trades() -> None:
    plan = {1: lambda s, b: s.target(FUTURE, 1), 4: lambda s, b: s.target(FUTURE, -1)}
    _, result = played(scripted(plan), minutes(FUTURE, flat(1200, 10)))
    assert fills(result) == [("buy", 1, 1200.0), ("sell", 2, 1200.0)]
    assert len(result._trades) == 1


def test_a_target_that_works_is_replaced_after_its_cancel() -> None:
    plan = {
        1: lambda s, b: s.target(FUTURE, 3, 1190.0),
        2: lambda s, b: s.target(FUTURE, -1),
    }
    s, result = played(scripted(plan), minutes(FUTURE, flat(1200, 6)))
    assert statuses(result) == ["cancelled", "filled"]
    assert s.position(FUTURE).quantity == -1


def test_the_last_of_several_targets_in_one_callback_counts() -> None:
    def act(s: Any, _bar: Any) -> None:
        for quantity in (1, 5, -2, 3):
            s.target(FUTURE, quantity)

    s, _ = played(scripted({2: act}), minutes(FUTURE, flat(1200, 8)))
    assert s.position(FUTURE).quantity == 3


def test_a_target_filled_in_part_goes_on_from_what_is_held() -> None:
    rows = [*flat(1200, 2, 30), *flat(1200, 8, 1000)]
    plan = {1: lambda s, b: s.target(FUTURE, 10), 2: lambda s, b: s.target(FUTURE, -4)}
    s, result = played(scripted(plan), minutes(FUTURE, rows), rules=CAPPED)
    assert fills(result) == [("buy", 3, 1200.0), ("sell", 7, 1200.0)]
    assert s.position(FUTURE).quantity == -4


def test_a_refused_target_is_tried_again_when_it_is_named_again() -> None:
    cash = 1200 * 100_000 * 17 // 100
    many = scripted({1: lambda s, b: s.target(FUTURE, 2), 3: lambda s, b: s.target(FUTURE, 2)})
    _, result = played(many, minutes(FUTURE, flat(1200, 5)), cash=cash)
    assert statuses(result) == ["refused", "refused"]
    lower = [*flat(1200, 2), *flat(600, 8)]
    every = scripted({}, on_bar=lambda s, b: s.target(FUTURE, 2))
    s, result = played(every, minutes(FUTURE, lower), cash=cash)
    assert s.position(FUTURE).quantity == 2


def test_an_expired_target_is_tried_again() -> None:
    rows = flat(1200, 3)
    data = join([minutes(FUTURE, rows, day=day) for day in WEEK[:3]])
    every = scripted({}, on_bar=lambda s, b: s.target(FUTURE, 1, 1190.0) if clock(s) == "09:16" else None)
    _, result = played(every, data)
    assert statuses(result) == ["expired", "expired", "working"]  # the data end inside the third day


def test_a_limit_target_follows_its_price() -> None:
    plan = {n: aim(1, 1190.0 + n) for n in range(1, 12)}
    s, result = played(scripted(plan), minutes(FUTURE, flat(1200, 14)))
    assert s.position(FUTURE).quantity == 1
    assert fills(result) == [("buy", 1, 1200.0)]
    assert statuses(result)[:-1] == ["cancelled"] * (len(statuses(result)) - 1)


def test_an_exit_opens_the_target_again() -> None:
    rows = [*flat(1200, 3), (1200, 1200, 1190, 1195), *flat(1195, 5)]
    plan = {
        1: lambda s, b: s.target(FUTURE, 1),
        2: lambda s, b: s.sell(FUTURE, 1, stop=1195.0),
        6: lambda s, b: s.target(FUTURE, 1),
    }
    _, result = played(scripted(plan), minutes(FUTURE, rows))
    assert [side for side, _, _ in fills(result)] == ["buy", "sell", "buy"]


@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.none() | st.sampled_from((1199.0, 1200.0, 1201.0))), max_size=15
    )
)
def test_the_position_ends_at_the_last_target(targets: list[tuple[int, float | None]]) -> None:
    plan = {n: aim(*one) for n, one in enumerate(targets, 1)}
    plan[20] = lambda s, b: s.target(FUTURE, 2)
    s, _ = played(scripted(plan), minutes(FUTURE, [(1200, 1202, 1198, 1200)] * 25))
    assert s.position(FUTURE).quantity == 2


# -- brackets -------------------------------------------------------------------------------------


def bracket(**exits: Any) -> Any:
    return lambda s, b: s.buy(FUTURE, 2, **exits)


def test_a_stop_ends_the_target_and_the_other_way_round() -> None:
    for rows, price, reason in (
        ([(1200, 1200, 1189, 1195)], 1190.0, "stop_loss"),
        ([(1200, 1211, 1195, 1205)], 1210.0, "take_profit"),
        ([(1200, 1211, 1189, 1205)], 1190.0, "stop_loss"),
        ([(1180, 1185, 1180, 1185)], 1180.0, "stop_loss"),
        ([(1220, 1225, 1180, 1185)], 1220.0, "take_profit"),
    ):
        plan = {1: bracket(stop_loss=1190.0, take_profit=1210.0)}
        data = minutes(FUTURE, [*flat(1200, 3), *rows, *flat(1200, 4)])
        s, result = played(scripted(plan), data)
        assert fills(result) == [("buy", 2, 1200.0), ("sell", 2, price)]
        assert result._fills[1].exit_reason == reason
        assert not s.orders


def test_entry_and_stop_inside_one_bar_is_a_loss() -> None:
    plan = {1: lambda s, b: s.buy(FUTURE, 1, 1195.0, stop_loss=1190.0, take_profit=1205.0)}
    data = minutes(FUTURE, [*flat(1200, 1), (1200, 1210, 1189, 1208), *flat(1208, 3)])
    _, result = played(scripted(plan), data)
    assert fills(result) == [("buy", 1, 1195.0), ("sell", 1, 1190.0)]


def test_entry_on_the_open_lets_the_same_bar_reach_the_target() -> None:
    plan = {1: lambda s, b: s.buy(FUTURE, 1, stop_loss=1190.0, take_profit=1205.0)}
    data = minutes(FUTURE, [*flat(1200, 1), (1200, 1210, 1195, 1208), *flat(1208, 3)])
    _, result = played(scripted(plan), data)
    assert fills(result) == [("buy", 1, 1200.0), ("sell", 1, 1205.0)]


def test_a_target_is_not_reached_in_the_bar_of_a_limit_entry() -> None:
    plan = {1: lambda s, b: s.buy(FUTURE, 1, 1195.0, take_profit=1205.0)}
    data = minutes(
        FUTURE, [*flat(1200, 1), (1200, 1210, 1194, 1200), *flat(1200, 2), (1206, 1206, 1206, 1206)]
    )
    _, result = played(scripted(plan), data)
    assert fills(result) == [("buy", 1, 1195.0), ("sell", 1, 1206.0)]


def test_a_trailing_exit() -> None:
    plan = {1: lambda s, b: s.buy(FUTURE, 1, trailing=5.0)}
    data = minutes(
        FUTURE, [*flat(1200, 2), (1200, 1220, 1200, 1219), (1219, 1219, 1214, 1214), *flat(1214, 2)]
    )
    _, result = played(scripted(plan), data)
    assert fills(result) == [("buy", 1, 1200.0), ("sell", 1, 1215.0)]
    assert result._fills[1].exit_reason == "trailing"


def test_exits_shrink_with_the_position_and_end_with_it() -> None:
    plan = {
        1: bracket(stop_loss=1190.0, take_profit=1210.0),
        3: lambda s, b: s.sell(FUTURE, 1),
        5: lambda s, b: [o.leaves for o in s.orders],
        6: lambda s, b: s.close(FUTURE),
        8: lambda s, b: list(s.orders),
    }
    s, result = played(scripted(plan), minutes(FUTURE, [*flat(1200, 9), (1180, 1220, 1180, 1180)]))
    assert s.views[2] == [1]
    assert s.views[4] == []
    assert [side for side, _, _ in fills(result)] == ["buy", "sell", "sell"]
    assert s.position(FUTURE).quantity == 0


def test_a_refused_order_takes_no_exit_away() -> None:
    data = join([minutes(FUTURE, flat(1200, 3), day=WEEK[0]), minutes(FUTURE, flat(1200, 8), day=WEEK[1])])
    plan = {
        4: bracket(stop_loss=1190.0),
        6: lambda s, b: s.sell(FUTURE, 2, 1300.0),
        8: lambda s, b: [o.leaves for o in s.orders],
    }
    s, result = played(scripted(plan), data)
    assert statuses(result) == ["filled", "waiting", "refused"]
    assert s.views[2] == [2]


def test_a_target_beyond_the_band_keeps_its_stop() -> None:
    data = join([minutes(FUTURE, flat(1200, 3), day=day) for day in WEEK[:2]])
    data = join([data, minutes(FUTURE, [*flat(1200, 2), (1195, 1195, 1185, 1185)], day=WEEK[2])])
    plan = {4: bracket(stop_loss=1190.0, take_profit=1400.0)}
    _, result = played(scripted(plan), data)
    assert fills(result) == [("buy", 2, 1200.0), ("sell", 2, 1190.0)]


def test_exits_of_shares_wait_until_these_have_settled() -> None:
    rows = [(80_000,) * 4] * 2 + [(79_000, 79_000, 75_000, 78_000)] + [(80_000,) * 4] * 3
    plan = {1: lambda s, b: s.buy(SHARE, 100, stop_loss=76_000)}
    _, result = played(scripted(plan), daily(SHARE, rows, WEEK[:6]))
    assert fills(result) == [("buy", 100, 80_000.0)]
    rows[4] = (79_000, 79_000, 75_000, 78_000)
    _, result = played(scripted(plan), daily(SHARE, rows, WEEK[:6]))
    assert fills(result) == [("buy", 100, 80_000.0), ("sell", 100, 76_000.0)]


walks = st.lists(st.integers(-8, 8), min_size=10, max_size=30)


@given(
    walks,
    st.lists(st.tuples(st.integers(1, 8), st.sampled_from((-3, -1, 1, 2)), st.integers(1, 6)), max_size=6),
    st.sampled_from((None, 0.1, 0.5)),
    st.sampled_from(("open", "close")),
)
def test_exits_never_ask_for_more_than_is_held(
    walk: list[int], entries: list[tuple[int, int, int]], share: float | None, fill: Any
) -> None:
    price, rows = 1200, []
    for step in walk:
        opened, price = price, price + step
        rows.append((opened, max(opened, price) + 1, min(opened, price) - 1, price, 30))
    excess: list[str] = []

    def on_bar(s: Any, bar: Any) -> None:
        s.n += 1
        held = s.position(FUTURE).quantity
        against = sum(
            o.leaves for o in s.orders if o.parent and int(o.side) * held < 0 and not o.cancel_wanted
        )
        other = [o for o in s.orders if o.parent and int(o.side) * held >= 0 and not o.cancel_wanted]
        if against > abs(held) or other:
            excess.append(f"bar {s.n}: {held} held, exits {s.orders}")
        for when, signed, distance in entries:
            if when == s.n:
                act = s.buy if signed > 0 else s.sell
                sign = 1 if signed > 0 else -1
                act(
                    FUTURE,
                    abs(signed),
                    stop_loss=bar.close - sign * distance,
                    take_profit=bar.close + sign * distance if distance % 2 else None,
                    trailing=float(distance) if distance > 3 else None,
                )

    played(
        scripted({}, on_bar=on_bar),
        minutes(FUTURE, rows),
        rules=FillRules(fill, participation=share),
    )
    assert not excess


# -- lasting orders -------------------------------------------------------------------------------


def test_a_lasting_order_is_placed_anew_each_day_for_what_is_left() -> None:
    data = join(
        [
            minutes(FUTURE, [*flat(1200, 3, 1000), (1200, 1200, 1189, 1200, 20)], day=WEEK[0]),
            minutes(FUTURE, flat(1200, 3, 1000), day=WEEK[1]),
            minutes(FUTURE, [*flat(1200, 3, 1000), (1200, 1200, 1189, 1200, 1000)], day=WEEK[2]),
        ]
    )
    plan = {1: lambda s, b: s.buy(FUTURE, 5, 1190.0, tif="gtc")}
    _, result = played(scripted(plan), data, rules=CAPPED)
    assert fills(result) == [("buy", 2, 1190.0), ("buy", 3, 1190.0)]
    (order,) = result._orders
    assert len({r.order_id for r in order.requests}) == 3
    assert order.status is OrderStatus.FILLED


def test_a_day_order_ends_with_the_day() -> None:
    data = join([minutes(FUTURE, flat(1200, 3), day=WEEK[0]), minutes(FUTURE, flat(1100, 3), day=WEEK[1])])
    plan = {1: lambda s, b: s.buy(FUTURE, 1, 1190.0)}
    s, result = played(scripted(plan), data)
    assert statuses(result) == ["expired"]
    assert s.told[-1] == ("expired", "the trading day ended")


def test_an_order_at_the_closing_auction_trades_at_its_print() -> None:
    day = minutes(FUTURE, flat(1200, 5), first=14 * 60 + 25)
    last = minutes(FUTURE, [(1207, 1207, 1207, 1207)], first=14 * 60 + 45)
    flat_at = scripted(
        {1: lambda s, b: s.buy(FUTURE, 1)}, lambda s: s.at(time(14, 30), lambda: s.close(FUTURE))
    )
    _, result = played(flat_at, join([day, last]))
    assert fills(result) == [("buy", 1, 1200.0), ("sell", 1, 1207.0)]
    assert [str(o.wire_type) for o in result._orders] == ["MTL", "ATC"]


def test_orders_of_the_day_take_part_in_a_bar_across_the_close() -> None:
    rows = [*flat(1200, 2), (1200, 1200, 1180, 1195)]
    hours = [at(WEDNESDAY, (13 + k) * HOUR) for k in range(3)]
    data = series(FUTURE, rows, hours, 60 * MINUTE)
    _, result = played(scripted({2: lambda s, b: s.buy(FUTURE, 1, 1190.0)}), data)
    assert fills(result) == [("buy", 1, 1190.0)]


def test_what_is_asked_outside_the_sessions_is_held_to_the_next_that_takes_it() -> None:
    data = join(
        [
            minutes(FUTURE, flat(1200, 3), day=WEEK[0], first=14 * 60 + 45),
            minutes(FUTURE, flat(1201, 3), day=WEEK[1], first=9 * 60),
        ]
    )
    s, result = played(scripted({1: lambda s, b: s.buy(FUTURE, 1)}), data)
    assert s.told[0][0] == "held"
    assert fills(result) == [("buy", 1, 1201.0)]
    assert str(result._orders[0].wire_type) == "ATO"


# -- illegal orders and strategies that raise -----------------------------------------------------


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda s: s.buy("NOPE", 1), "no data for 'NOPE'"),
        (lambda s: s.buy(FUTURE, 0), "above zero"),
        (lambda s: s.buy(FUTURE, 1.5), "whole number"),
        (lambda s: s.buy(FUTURE, 1, 1200.05), "off the tick"),
        (lambda s: s.buy(FUTURE, 1, float("nan")), "above zero"),
        (lambda s: s.buy(FUTURE, 1, float("inf")), "above zero"),
        (lambda s: s.buy(FUTURE, 1, -5.0), "above zero"),
        (lambda s: s.buy(FUTURE, 501), "largest order of 500"),
        (lambda s: s.buy(FUTURE, 1, order_type="ATC"), "in session LO, not ATC"),
        (lambda s: s.buy(FUTURE, 1, order_type="WISH"), "WISH"),
        (lambda s: s.buy(FUTURE, 1, order_type="LO"), "limit price"),
        (lambda s: s.buy(FUTURE, 1, 1200.0, order_type="MTL"), "limit price"),
        (lambda s: s.buy(FUTURE, 1, tif="week"), "week"),
        (lambda s: s.buy(FUTURE, 1, stop_loss=1210.0, take_profit=1190.0), "wrong sides"),
        (lambda s: s.buy(FUTURE, 1, stop=float("inf")), "above zero"),
        (lambda s: s.target("NOPE", 1), "no data for 'NOPE'"),
        (lambda s: s.buy(FUTURE, 1, "1200"), "'1200' is not a number"),
        (lambda s: s.buy(FUTURE, 1, stop="1210"), "'1210' is not a number"),
        (lambda s: s.buy(FUTURE, 1, take_profit=[1210.0]), "is not a number"),
        (lambda s: s.target(FUTURE, "1"), "'1' must be a whole number"),
        (lambda s: s.target(FUTURE, 1.5), "1.5 must be a whole number"),
        (lambda s: s.target(FUTURE, None), "None must be a whole number"),
        (lambda s: s.target(FUTURE, 1, "1200"), "'1200' is not a number"),
    ],
)
def test_an_illegal_order_is_refused_with_its_reason_and_the_run_goes_on(act: Any, why: str) -> None:
    s, result = played(scripted({1: lambda s, b: act(s)}), minutes(FUTURE, flat(1200, 4)))
    ((status, reason),) = s.told
    assert status == "refused"
    assert why in reason
    assert s.n == 4
    assert any("1 order refused" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda s, o: s.amend(o, price=1190.05), "off the tick"),
        (lambda s, o: s.amend(o, quantity=0), "above zero"),
        (lambda s, o: s.amend(o, quantity="5"), "whole number"),
        (lambda s, o: s.amend(o, price=float("inf")), "above zero"),
        (lambda s, o: s.amend(o, price="1191"), "'1191' is not a number"),
        (lambda s, o: s.amend(o, price=1191.0, quantity=600), "largest order"),
    ],
)
def test_an_illegal_amendment_leaves_the_order_standing(act: Any, why: str) -> None:
    plan = {1: lambda s, b: s.buy(FUTURE, 2, 1190.0), 2: lambda s, b: act(s, s.views[0])}
    s, result = played(scripted(plan), minutes(FUTURE, flat(1200, 4)))
    assert s.told[1][0] == "working"
    assert s.told[1][1].startswith("amend refused")
    assert why in s.told[1][1]
    (told,) = [warning for warning in result.warnings if "1 amendment refused" in warning]
    assert why in told
    assert (result._orders[0].price, result._orders[0].quantity) == (11_900, 2)


def test_a_target_that_is_no_number_leaves_the_one_on_its_way() -> None:
    plan = {1: lambda s, b: s.target(FUTURE, 2, 1190.0), 2: lambda s, b: s.target(FUTURE, "3")}
    s, result = played(scripted(plan), minutes(FUTURE, flat(1200, 4)))
    assert s.n == 4
    assert [str(order.status) for order in result._orders] == ["working", "refused"]
    assert not any(order.cancel_wanted for order in result._orders)


def test_the_table_of_orders_has_stop_prices() -> None:
    plan = {1: lambda s, b: (s.buy(FUTURE, 1, stop=1210.0), s.buy(FUTURE, 1))}
    _, result = played(scripted(plan), minutes(FUTURE, flat(1200, 4)))
    assert result.orders["stop_price"].fillna(0).tolist() == [1210.0, 0.0]


def test_a_series_that_cannot_roll_is_said() -> None:
    within, beyond = (
        join([minutes(FUTURE, flat(1200, 2), day=WEEK[0]), minutes(FUTURE, flat(1200, 2), day=last)])
        for last in (WEEK[1], date(2063, 1, 3))  # further than the codes of contracts go
    )
    named = with_contracts(join([within, minutes(FUTURE, flat(1200, 2), day=WEEK[0] + timedelta(31))]))
    for data, said in ((within, 0), (beyond, 1), (named, 0)):
        _, result = played(scripted({}), data)
        assert sum("never rolls" in warning for warning in result.warnings) == said


def test_an_amendment_of_an_order_that_never_was_is_no_end() -> None:
    plan = {
        1: lambda s, b: s.buy("NOPE", 1),
        2: lambda s, b: (s.amend(s.views[0], quantity=2), s.cancel(s.views[0])),
    }
    s, _ = played(scripted(plan), minutes(FUTURE, flat(1200, 4)))
    assert s.n == 4


def test_an_amended_order_trades_as_it_was_amended() -> None:
    plan = {
        1: lambda s, b: s.buy(FUTURE, 2, 1190.0),
        2: lambda s, b: s.amend(s.views[0], price=1201.0),
        3: lambda s, b: s.views[0].filled,
    }
    s, result = played(scripted(plan), minutes(FUTURE, flat(1200, 5)))
    assert fills(result) == [("buy", 2, 1200.0)]
    assert s.views[2] == 2


def test_a_strategy_that_raises_is_stopped_its_orders_cancelled_its_results_kept() -> None:
    def fail(s: Any, bar: Any) -> None:
        s.buy(FUTURE, 5)
        raise ValueError("thought about it")

    plan = {1: lambda s, b: (s.buy(FUTURE, 1), s.buy(FUTURE, 3, 1100.0)), 3: fail}
    s, result = played(scripted(plan), minutes(FUTURE, flat(1200, 9)))
    assert s.n == 3
    assert fills(result) == [("buy", 1, 1200.0)]
    assert statuses(result) == ["filled", "cancelled"]
    assert len(result.equity) == 3
    assert "thought about it" in result.error
    assert "test_engine.py" in result.error or "markets.py" in result.error


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit("no")])
@pytest.mark.parametrize(
    "name", ["on_start", "on_bar", "on_order", "on_fill", "on_bars", "on_timer", "on_session", "on_stop"]
)
def test_whatever_raises_the_run_ends_in_order(name: str, error: BaseException) -> None:
    def fail(*_args: Any) -> None:
        raise error

    plan = {1: lambda s, b: s.buy(FUTURE, 1), 2: lambda s, b: s.every(timedelta(minutes=1))}
    run = prepared(scripted(plan, **{name: fail}), minutes(FUTURE, flat(1200, 6)))
    result = run.execute()
    assert run.simulation.failure is not None
    assert "no" in str(run.simulation.failure)
    assert result.error


def test_endless_answers_to_refusals_end_with_a_clear_error() -> None:
    def again(s: Any, order: Any) -> None:
        if order.status == "refused":
            s.buy(FUTURE, 501)

    s, result = played(
        scripted({2: lambda s, b: s.buy(FUTURE, 501)}, on_order=again), minutes(FUTURE, flat(1200, 6))
    )
    assert "without end" in result.error
    assert s.n == 2


def test_no_callback_runs_inside_an_action_and_none_inside_another() -> None:
    depth: list[str] = []
    seen: list[str] = []

    def watched(name: str, act: Any) -> Any:
        def call(s: Any, *args: Any) -> None:
            assert not depth
            depth.append(name)
            seen.append(name)
            act(s, *args)
            depth.pop()

        return call

    def on_bar(s: Any, bar: Any) -> None:
        s.n += 1
        view = s.buy(FUTURE, 501 if s.n == 1 else 1)
        assert view.status == "created"
        if s.n < 3:
            s.cancel(view)

    watched_class = scripted(
        {},
        on_bar=watched("bar", on_bar),
        on_order=watched("order", lambda s, o: None),
        on_fill=watched("fill", lambda s, f: s.sell(FUTURE, 1)),
        on_portfolio=watched("portfolio", lambda s, p: None),
    )
    played(watched_class, minutes(FUTURE, flat(1200, 6)))
    assert {"bar", "order", "fill", "portfolio"} <= set(seen)


# -- time -----------------------------------------------------------------------------------------


def test_timers_come_at_their_time_and_between_bars() -> None:
    heard: list[str] = []
    strategy = scripted(
        {},
        lambda s: (
            s.at(time(9, 17), lambda: heard.append(f"{s.now:%H:%M:%S}")),
            s.every(timedelta(seconds=150)),
            s.at(datetime(2023, 3, 15, 9, 18, 30, tzinfo=HO_CHI_MINH)),
        ),
        on_timer=lambda s, name: (
            heard.append(f"{name} {s.now:%H:%M:%S}") if s.now.hour == 9 and s.now.minute >= 15 else None
        ),
    )
    played(strategy, minutes(FUTURE, flat(1200, 5)))
    assert "09:17:00" in heard
    assert "at 09:18:30" in heard or any(h.endswith("09:18:30") for h in heard)
    assert [h for h in heard if h.startswith("every")] == [
        "every 0:02:30 09:15:00",
        "every 0:02:30 09:17:30",
    ]


def test_a_daily_timer_comes_every_trading_day_also_where_no_bar_ends() -> None:
    heard: list[datetime] = []
    data = join([minutes(FUTURE, flat(1200, 3), day=day, first=9 * 60 + 15) for day in WEEK[:4]])
    played(scripted({}, lambda s: s.at(time(9, 10), lambda: heard.append(s.now))), data)
    assert [f"{moment:%d %H:%M}" for moment in heard] == ["13 09:10", "14 09:10", "15 09:10", "16 09:10"]


def test_orders_of_a_timer_trade_on_the_next_open() -> None:
    rows = [(1200 + k, 1200 + k, 1200 + k, 1200 + k) for k in range(6)]
    strategy = scripted({}, lambda s: s.at(time(9, 17), lambda: s.buy(FUTURE, 1)))
    _, result = played(strategy, minutes(FUTURE, rows))
    assert fills(result) == [("buy", 1, 1202.0)]


def test_sessions_are_told_in_their_order() -> None:
    heard: list[str] = []
    data = join(
        [minutes(FUTURE, flat(1200, 2), first=9 * 60), minutes(FUTURE, flat(1200, 2), first=14 * 60 + 45)]
    )
    played(scripted({}, on_session=lambda s, e: heard.append(f"{e.session} {clock(s)} {s.session()}")), data)
    assert heard == [
        "ATO 08:45 ATO",
        "LO 09:00 LO",
        "BREAK 11:30 BREAK",
        "LO 13:00 LO",
        "ATC 14:30 ATC",
        "C 14:45 C",
    ]


# -- several symbols and widths -------------------------------------------------------------------


def test_bars_of_one_moment_come_together_after_each_alone() -> None:
    heard: list[Any] = []
    a = minutes("FPT", flat(80_000, 4))
    b = minutes("SSI", flat(20_000, 3)).take(slice(1, 3))
    strategy = scripted(
        {},
        on_bar=lambda s, bar: heard.append(bar.symbol),
        on_bars=lambda s, bars: heard.append(sorted(bars)),
    )
    played(strategy, a, b)
    both = ["FPT", "SSI"]
    assert heard == ["FPT", ["FPT"], *both, both, *both, both, "FPT", ["FPT"]]


def test_wider_bars_show_only_what_is_complete() -> None:
    seen: list[tuple[str, int, int]] = []

    def on_bar(s: Any, bar: Any) -> None:
        wide = s.bars(FUTURE, "5m")
        seen.append((clock(s), len(s.bars(FUTURE)), len(wide)))
        assert len(s.bars(FUTURE)) == 0 or s.bars(FUTURE).ns[-1] == bar.ns
        assert len(wide) == 0 or wide.ns[-1] <= bar.ns
        if len(wide):
            narrow = s.bars(FUTURE)
            inside = (narrow.ns > wide.ns[-1] - 5 * MINUTE) & (narrow.ns <= wide.ns[-1])
            assert wide.close[-1] == narrow.close[inside][-1]
            assert wide.high[-1] == narrow.high[inside].max()

    rows = [(1200 + k % 7, 1210 + k % 5, 1190 - k % 3, 1200 + k % 4) for k in range(13)]
    played(scripted({}, on_bar=on_bar), minutes(FUTURE, rows))
    assert seen[3:5] == [("09:19", 4, 0), ("09:20", 5, 1)]
    assert seen[-1] == ("09:28", 13, 2)


def test_a_daily_bar_of_minutes_is_seen_after_its_day() -> None:
    seen: dict[str, int] = {}
    data = join([minutes(FUTURE, flat(1200 + k, 3), day=day) for k, day in enumerate(WEEK[:3])])

    def on_bar(s: Any, bar: Any) -> None:
        days = s.bars(FUTURE, "1d")
        seen[f"{s.now:%d %H:%M}"] = len(days)
        assert len(days) == 0 or days.close[-1] == bar.close - 1

    played(scripted({}, on_bar=on_bar), data)
    assert list(seen.values()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_what_the_future_holds_cannot_be_read() -> None:
    def act(s: Any, bar: Any) -> None:
        mean = s.indicator(lambda close: close, FUTURE)
        assert len(mean) == len(s.bars(FUTURE)) == 2
        for index in (2, 5, -3):
            with pytest.raises(IndexError):
                mean[index]
        with pytest.raises(ValueError, match="read-only"):
            s.bars(FUTURE).close[0] = 1.0

    _, result = played(scripted({2: act}), minutes(FUTURE, flat(1200, 6)))
    assert not result.error


def test_unknown_symbols_and_widths_are_said() -> None:
    for act, why in (
        (lambda s, b: s.bars("NOPE"), "no data for 'NOPE'"),
        (lambda s, b: s.bars("VN30F2M"), "did you mean 'VN30F1M'"),
        (lambda s, b: s.position("NOPE"), "no data for 'NOPE'"),
        (lambda s, b: s.bars(FUTURE, "7x"), "7x"),
    ):
        _, result = played(scripted({1: act}), minutes(FUTURE, flat(1200, 2)))
        assert why in result.error


# -- rolls ----------------------------------------------------------------------------------------


def rolling(plan: dict[int, Any], **more: Any) -> Any:
    old = minutes(
        FUTURE, [*flat(1200, 3), (1200, 1206, 1200, 1205)], day=WEEK[0], contracts=["VN30F2303"] * 4
    )
    new = minutes(FUTURE, flat(1190, 4), day=WEEK[1], contracts=["VN30F2304"] * 4)
    return played(scripted(plan), join([old, new]), **more)


def test_a_contract_is_settled_at_its_last_close_and_the_strategy_is_told() -> None:
    s, result = rolling({1: lambda s, b: s.target(FUTURE, 2), 5: lambda s, b: s.position(FUTURE).quantity})
    assert fills(result) == [("buy", 2, 1200.0), ("sell", 2, 1205.0)]
    assert result._fills[1].exit_reason == "settlement"
    (roll,) = s.rolls
    assert (roll.symbol, roll.old.symbol, roll.new.symbol) == (FUTURE, "VN30F2303", "VN30F2304")
    assert s.views[1] == 0
    assert any("settled" in warning for warning in result.warnings)


def test_the_same_target_after_a_roll_buys_the_new_contract() -> None:
    s, result = rolling({n: lambda s, b: s.target(FUTURE, 2) for n in range(1, 9)})
    assert [(f.instrument.symbol, int(f.side)) for f in result._fills] == [
        ("VN30F2303", 1),
        ("VN30F2303", -1),
        ("VN30F2304", 1),
    ]
    assert s.position(FUTURE).symbol == "VN30F2304"


def test_a_held_target_is_dropped_at_the_roll_and_exits_end() -> None:
    s, result = rolling(
        {
            1: lambda s, b: s.buy(FUTURE, 1, stop_loss=1100.0),
            4: lambda s, b: s.orders[0].leaves,
            5: lambda s, b: list(s.orders),
        }
    )
    assert s.views[1] == 1
    assert s.views[2] == []
    assert statuses(result) == ["filled", "cancelled"]


def test_a_lasting_order_goes_on_in_the_new_contract() -> None:
    _, result = rolling({1: lambda s, b: s.buy(FUTURE, 1, 1195.0, tif="gtc")})
    assert [(f.instrument.symbol, f.units) for f in result._fills] == [("VN30F2304", 11_900)]


def test_a_roll_inside_a_day_ends_orders_and_positions_in_the_old_contract() -> None:
    names = ["VN30F2303"] * 4 + ["VN30F2304"] * 4
    data = minutes(FUTURE, [*flat(1200, 4), *flat(1150, 4)], contracts=names)
    plan = {1: lambda s, b: (s.buy(FUTURE, 1), s.buy(FUTURE, 1, 1160.0)), 6: lambda s, b: s.buy(FUTURE, 1)}
    _, result = played(scripted(plan), data)
    assert [(f.instrument.symbol, int(f.side), f.units) for f in result._fills] == [
        ("VN30F2303", 1, 12_000),
        ("VN30F2303", -1, 12_000),
        ("VN30F2304", 1, 11_500),
    ]
    assert statuses(result) == ["filled", "expired", "filled"]


# -- limits and the first moment ------------------------------------------------------------------


def test_after_the_days_loss_a_reversal_is_refused_and_a_close_is_not() -> None:
    plan = {
        1: lambda s, b: s.buy(FUTURE, 1),
        3: lambda s, b: s.sell(FUTURE, 2),
        4: lambda s, b: s.close(FUTURE),
    }
    rows = [*flat(1200, 2), *flat(1180, 6)]
    s, result = played(scripted(plan), minutes(FUTURE, rows), limits=Limits(daily_loss=1_000_000))
    assert statuses(result) == ["filled", "refused", "filled"]
    assert "reductions only" in s.told[-3][1] or any("reductions only" in r for _, r in s.told)


def test_on_start_knows_the_rules_of_the_first_day() -> None:
    seen: list[Any] = []
    strategy = scripted({}, lambda s: (seen.append(s.lot(SHARE)), s.buy(SHARE, 110, 80_000)))
    s, _ = played(strategy, minutes(SHARE, flat(80_000, 2)))
    assert seen == [100]
    assert "not a multiple of the lot of 100" in s.told[0][1]


def test_a_sale_waits_for_an_exit_that_cannot_be_cancelled_in_the_auction() -> None:
    days = []
    for day in WEEK[:4]:
        days.append(minutes(SHARE, flat(80_000, 3), day=day))
        days.append(minutes(SHARE, flat(84_500, 1), day=day, first=14 * 60 + 45))
    late = datetime(2023, 3, 16, 14, 35, tzinfo=HO_CHI_MINH)
    strategy = scripted(
        {1: lambda s, b: s.buy(SHARE, 100, take_profit=84_000)},
        lambda s: s.at(late, lambda: s.sell(SHARE, 100)),
    )
    # On the third day the exit goes out at one o'clock, and the auction's print reaches it.
    days[5] = minutes(SHARE, flat(80_000, 1), day=WEEK[2], first=14 * 60 + 45)
    s, result = played(strategy, join(days))
    assert fills(result) == [("buy", 100, 80_000.0), ("sell", 100, 84_500.0)]
    assert statuses(result) == ["filled", "filled", "held"]
    assert ("held", "waits until its exits have made room") in s.told
    assert s.position(SHARE).quantity == 0


def test_prices_before_the_market_are_unknown() -> None:
    strategy = scripted({}, lambda s: s.buy(FUTURE, 1))
    s, _ = played(strategy, minutes(FUTURE, flat(1200, 3), first=9 * 60))
    assert s.told[0][0] == "held"
    assert "no price is known" in s.told[-1][1]


def test_two_accounts_need_two_amounts() -> None:
    with pytest.raises(SettingError, match="two accounts"):
        prepared(scripted({}), minutes(FUTURE, flat(1200, 2)), minutes(SHARE, flat(80_000, 2)), cash=10**9)


def test_data_errors_name_the_symbol() -> None:
    with pytest.raises(DataError, match="no bars"):
        prepared(scripted({}), minutes(FUTURE, flat(1200, 2)).take(slice(0)))


@pytest.mark.slow
def test_placing_and_cancelling_without_end_stops_when_the_days_ids_are_used_up() -> None:
    def again(s: Any, order: Any) -> None:
        if order.status == "working":
            s.cancel(order)
        elif order.status == "cancelled":
            s.buy(FUTURE, 1, 1190.0)

    plan = {2: lambda s, b: s.buy(FUTURE, 1, 1190.0)}
    s, result = played(scripted(plan, on_order=again), minutes(FUTURE, flat(1200, 4)))
    assert s.n == 4
    assert not s.orders
    assert "request ids are used up" in result._orders[-1].reason
