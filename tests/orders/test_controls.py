"""The operational controls: each turns down what it should, halts once, says so, and lets go by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import MINUTE, SECOND
from algo.model import Order, OrderStatus, OrderType, Side, Trigger, TriggerKind
from algo.orders.controls import ALL, FLATTEN, Controls, ControlSettings
from algo.orders.risk import Limits
from tests.generators.venues import NOON, order_of, venue_of

VENUE = venue_of("FPT", 80_000.0)


def controls(**settings: Any) -> Controls:
    found = Controls(ControlSettings(**settings))
    return found


def order(price: float | None = 80_000, side: Side = Side.BUY, quantity: int = 100, **more: Any) -> Order:
    return order_of(VENUE, side, quantity, price, **more)


def refusal(
    found: Controls, one: Order, *, ns: int = NOON, reduces: bool = False, account: int = 0, peers: Any = ()
) -> str | None:
    return found.refusal(one, VENUE, ns, peers, reduces=reduces, account=account)


def kinds(found: Controls) -> list[tuple[str, str]]:
    return [(one.kind, one.scope) for one in found.alarms]


# -- what stops entries ---------------------------------------------------------------------------


def stopped(found: Controls, how: str) -> None:
    if how == "not ready":
        found.ready = "not compared"
    elif how == "signed out":
        found.signed_out = "not signed in"
    elif how == "all halted":
        found.halt(NOON, "breaker", ALL, "a reason")
    elif how == "strategy halted":
        found.halt(NOON, "breaker", "strategy:one", "a reason")
    elif how == "symbol halted":
        found.halt(NOON, "mismatch", "symbol:FPT", "a reason")
    elif how == "symbol doubted":
        found.doubts["FPT"] = "crossed"
    elif how == "all doubted":
        found.doubts[ALL] = "no frame for 25 s"
    elif how == "unknown":
        found.became_unknown("1", "FPT", NOON - 15 * SECOND - 1)


WAYS = [
    *("not ready", "signed out", "all halted", "strategy halted"),
    *("symbol halted", "symbol doubted", "all doubted", "unknown"),
]


@pytest.mark.parametrize("how", WAYS)
def test_what_stops_entries_lets_reductions_pass(how: str) -> None:
    found = controls()
    stopped(found, how)
    assert refusal(found, order()) is not None
    assert refusal(found, order(side=Side.SELL), reduces=True) is None


@pytest.mark.parametrize("how", WAYS)
def test_an_entry_by_amendment_is_an_entry(how: str) -> None:
    found = controls()
    stopped(found, how)

    def amended(price: int | None, quantity: int | None, *, reduces: bool = False) -> str | None:
        working = order()
        return found.amend_refusal(
            working, price, quantity, VENUE, NOON, [working], reduces=reduces, account=0
        )

    assert amended(80_100, None) is not None, "dearer"
    assert amended(None, 200) is not None, "more"
    assert amended(79_900, None) is None
    assert amended(None, 50) is None
    assert amended(80_100, 200, reduces=True) is None


@pytest.mark.parametrize("how", ["strategy halted", "symbol halted", "symbol doubted", "unknown"])
def test_others_go_on(how: str) -> None:
    found = controls()
    stopped(found, how)
    other = venue_of("HPG", 30_000.0)
    one = order_of(other, Side.BUY, 100, 30_000, strategy="two")
    assert found.refusal(one, other, NOON, (), reduces=False, account=0) is None


def test_a_kill_stops_reductions_too_and_lets_flattening_pass() -> None:
    found = controls()
    found.kill(NOON, "bad news")
    found.kill(NOON, "another")
    assert refusal(found, order(), reduces=True) == "halted: bad news"
    assert refusal(found, order(None, tag=FLATTEN)) is None
    assert found.amend_refusal(order(), 79_900, None, VENUE, NOON, (), reduces=True, account=0)
    assert kinds(found) == [("kill", ALL)]
    found.resume()
    assert refusal(found, order()) is None


# -- several reasons for one scope ----------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["halt", "release"]), st.sampled_from("abc"), st.sampled_from(["", "symbol:FPT"])
        )
    )
)
def test_a_scope_is_halted_as_long_as_any_reason_holds(story: list[tuple[str, str, str]]) -> None:
    found, held = controls(), set[tuple[str, str]]()
    alarms = 0
    for what, kind, scope in story:
        if what == "halt":
            alarms += (scope, kind) not in held
            held.add((scope, kind))
            found.halt(NOON, kind, scope, f"{kind} of {scope}")
        else:
            held.discard((scope, kind))
            found.release(scope, kind)
        assert set(found.halts) == {scope for scope, _ in held}
        assert (refusal(found, order()) is not None) == bool(held)
    assert len(found.alarms) == alarms


def test_a_mismatch_outlives_an_unknown_request_of_the_same_symbol() -> None:
    found = controls()
    found.became_unknown("1", "FPT", NOON)
    found.tick(NOON + 16 * SECOND)
    found.halt(NOON, "mismatch", "symbol:FPT", "it does not match")
    found.settled("1")
    found.tick(NOON + 17 * SECOND)
    assert found.halts == {"symbol:FPT": "it does not match"}
    assert kinds(found) == [("unknown", "symbol:FPT"), ("mismatch", "symbol:FPT")]


# -- unknown requests -----------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from(["ask", "settle", "wait"]), st.sampled_from("12345")), max_size=40))
def test_an_old_unknown_blocks_its_symbol_and_three_block_all(story: list[tuple[str, str]]) -> None:
    found, now = controls(), NOON
    since: dict[str, int] = {}
    many = False
    for what, number in story:
        symbol = "FPT" if number < "3" else "HPG"
        if what == "ask":
            found.became_unknown(number, symbol, now)
            since.setdefault(number, now)
        elif what == "settle":
            found.settled(number)
            since.pop(number, None)
        now += 6 * SECOND
        found.tick(now)
        old = [n for n, at in since.items() if now - at > 15 * SECOND]
        many = (many or len(old) >= 3) and bool(since)
        assert (ALL in found.halts) == many
        symbols = {f"symbol:{'FPT' if n < '3' else 'HPG'}" for n in old}
        assert symbols <= set(found.halts)
        blocked = bool(many or "symbol:FPT" in symbols)
        assert (refusal(found, order(), ns=now) is not None) >= blocked
        if not since:
            assert found.halts == {}


def test_a_symbol_is_free_when_its_own_request_is_settled() -> None:
    found = controls()
    found.became_unknown("1", "FPT", NOON)
    found.became_unknown("2", "HPG", NOON)
    found.tick(NOON + 16 * SECOND)
    found.settled("1")
    found.tick(NOON + 17 * SECOND)
    assert set(found.halts) == {"symbol:HPG"}


# -- prices, repeats, counts ----------------------------------------------------------------------


@given(st.integers(70_000, 90_000))
def test_the_collar_is_three_percent_about_the_last_price(price: int) -> None:
    inside = abs(price - 80_000) <= 2_400
    assert (refusal(controls(), order(price)) is None) == inside
    amended = controls().amend_refusal(order(), price, None, VENUE, NOON, (), reduces=False, account=0)
    assert (amended is None) == inside


def test_no_price_no_order() -> None:
    venue = venue_of("FPT", None)
    for price in (None, 80_000.0):
        one = order_of(venue, Side.BUY, 100, price)
        assert "no price" in str(controls().refusal(one, venue, NOON, (), reduces=False, account=0))


def test_the_same_order_within_two_seconds_is_refused() -> None:
    found = controls()
    found.went_out(order(), NOON, reduces=False)
    for ns, same in [(NOON + 2 * SECOND - 1, True), (NOON + 2 * SECOND, False)]:
        assert (refusal(found, order(), ns=ns) is not None) == same
    found.went_out(order(), NOON, reduces=False)
    for other in (order(79_900), order(quantity=200), order(side=Side.SELL), order(parent="x")):
        assert refusal(found, other) is None
    stop = order(stop=Trigger(TriggerKind.UP, 81_000))
    assert refusal(found, stop) is None


def test_fifty_open_orders_are_the_most_and_exits_still_go() -> None:
    found = controls(repeat=0)
    peers = [order(80_000) for _ in range(50)]
    for peer in peers:
        peer.status = OrderStatus.WORKING
    assert "50 orders of one" in str(refusal(found, order(), peers=peers))
    assert refusal(found, order(), peers=peers[1:]) is None
    assert refusal(found, order(strategy="two"), peers=peers) is None
    assert refusal(found, order(side=Side.SELL), reduces=True, peers=peers) is None
    peers[0].status = OrderStatus.FILLED
    assert refusal(found, order(), peers=peers) is None


# -- the breaker ----------------------------------------------------------------------------------


def test_five_refusals_in_a_row_halt_the_strategy() -> None:
    found = controls()
    for _ in range(4):
        found.refused(order(), NOON, "no")
    found.accepted(order())
    for count in range(5):
        assert found.halts == {}, count
        found.refused(order(), NOON, "no")
        found.refused(order(strategy="two"), NOON, "no") if count < 4 else None
    assert set(found.halts) == {"strategy:one"}
    assert kinds(found) == [("breaker", "strategy:one")]
    found.resume()
    found.refused(order(), NOON, "no")
    assert found.halts == {}


@pytest.mark.parametrize(
    ("pause", "gap", "halts"),
    [(SECOND, 5 * SECOND, True), (2 * SECOND + 1, 5 * SECOND, False), (SECOND, 16 * SECOND, False)],
)
def test_five_fills_and_new_entries_within_a_minute_halt(pause: int, gap: int, halts: bool) -> None:
    found, now = controls(), NOON
    for _ in range(5):
        found.filled(order(), now)
        found.went_out(order(), now + pause, reduces=False)
        now += gap
    assert bool(found.halts) == halts


def test_a_ladder_after_one_fill_is_one_loop() -> None:
    found = controls()
    found.filled(order(), NOON)
    for step in range(10):
        found.went_out(order(80_000 - 100 * step), NOON + SECOND, reduces=False)
    assert found.halts == {}


def test_exits_are_no_loop() -> None:
    found = controls()
    for second in range(10):
        found.filled(order(), NOON + second * SECOND)
        found.went_out(order(side=Side.SELL), NOON + second * SECOND, reduces=True)
    assert found.halts == {}


# -- the account ----------------------------------------------------------------------------------


@given(
    account=st.integers(-20, 20), side=st.sampled_from(Side), quantity=st.integers(1, 20),
    working=st.integers(0, 10), theirs=st.integers(-10, 10),
)  # fmt: skip
def test_the_account_never_passes_its_limit_by_an_entry(
    account: int, side: Side, quantity: int, working: int, theirs: int
) -> None:
    venue = venue_of("VN30F1M", 1200.0)
    found = controls(account=Limits(position=15), repeat=0, open_orders=1000)
    found.foreign_order("theirs", venue.instrument.symbol, theirs)
    peers = []
    if working:
        peer = order_of(venue, side, working, 1200.0, strategy="two")
        peer.status = OrderStatus.WORKING
        peers.append(peer)
    one = order_of(venue, side, quantity, 1200.0)
    why = found.refusal(one, venue, NOON, peers, reduces=False, account=account)
    with_us = theirs if theirs * side > 0 else 0
    worst = abs(account + side * (quantity + working) + with_us)
    assert (why is None) == (worst <= max(15, abs(account)))
    grown = order_of(venue, side, 1, 1200.0)
    grown.status = OrderStatus.WORKING
    if quantity > 1:
        amended = found.amend_refusal(
            grown, None, quantity, venue, NOON, [*peers, grown], reduces=False, account=account
        )
        assert (amended is None) == (why is None), "growing is like placing"


def test_orders_of_others_are_forgotten_when_they_are_over() -> None:
    found = controls()
    found.foreign_order("a", "FPT", 100)
    found.foreign_order("b", "FPT", -100)
    found.foreign_order("a", "FPT", 0)
    assert found.foreign == {"b": ("FPT", -100)}
    found.start_day()
    assert found.foreign == {}


@given(st.integers(-200, 200), st.integers(-200, 200))
def test_a_loss_above_its_limit_halts_for_the_rest_of_the_day(one: int, two: int) -> None:
    found = controls(account=Limits(daily_loss=150))
    limits = {"one": Limits(daily_loss=100)}
    for profits in ({"one": one, "two": two}, {"one": 0, "two": 0}):
        found.day_profits(profits, limits, NOON)
    expected = {"strategy:one"} if one < -100 else set()
    expected |= {ALL} if one + two < -150 else set()
    assert set(found.halts) == expected
    assert {kind for kind, _ in kinds(found)} <= {"daily loss"}
    assert len(found.alarms) == len(expected)
    found.halt(NOON, "mismatch", "symbol:FPT", "x")
    found.start_day()
    assert set(found.halts) == {"symbol:FPT"}


def test_market_orders_and_stops_have_no_collar() -> None:
    assert refusal(controls(), order(None)) is None
    far = order(70_000, stop=Trigger(TriggerKind.DOWN, 70_000), side=Side.SELL)
    assert far.order_type is OrderType.LO
    assert refusal(controls(), far) is None


def test_the_defaults_are_those_of_the_guide() -> None:
    found = ControlSettings()
    assert (found.collar, found.repeat, found.open_orders) == (0.03, 2 * SECOND, 50)
    assert (found.refusals, found.loops, found.loop_window) == (5, 5, MINUTE)
    assert (found.unknown_blocks, found.unknown_halts, found.token_life) == (15 * SECOND, 3, 1800.0)
