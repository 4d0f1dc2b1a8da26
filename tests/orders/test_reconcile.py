"""Evidence and holdings: nothing is taken for not received too early, and positions add up for ever."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from algo.clock import SECOND
from algo.model import BooksStated, HoldingsStated
from algo.orders.reconcile import AFTER, APART, BOOKS, SETTLING, Evidence, Holdings

SENT = 1_000 * SECOND


def book(second: float, *named: str) -> BooksStated:
    """Asked for at this second of the machine; the market's own time stands still."""
    return BooksStated(SENT, SENT, frozenset(named), second)


def test_absence_counts_from_the_first_book_that_was_surely_asked_for_later() -> None:
    evidence = Evidence()
    evidence.unknown("1")
    assert evidence.books(book(1)) == [], "it may have been asked for before the request was sent"
    assert [evidence.books(book(second)) for second in (2, 12, 22, 31.9)] == [[], [], [], []]
    assert evidence.books(book(32)) == ["1"]
    assert evidence.books(book(60)) == [], "it is said once"


def test_books_that_are_close_count_as_one() -> None:
    evidence = Evidence()
    evidence.unknown("1")
    evidence.books(book(0))
    found = [second for second in range(1, 60) if evidence.books(book(second))]
    assert found == [31]


def test_a_market_that_runs_fast_proves_nothing_sooner() -> None:
    evidence = Evidence()
    evidence.unknown("1")
    for number in range(50):
        ns = SENT + number * 60 * SECOND
        assert evidence.books(BooksStated(ns, ns, frozenset(), number * 0.1)) == []


story = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.booleans()),
        st.tuples(st.sampled_from(["lost", "restored"]), st.booleans()),
    ),
    max_size=25,
)


@given(story, st.lists(st.integers(0, 14), min_size=25, max_size=25), st.integers(0, 5))
def test_what_is_proven_has_the_evidence(
    events: list[tuple[str, bool]], pauses: list[int], told_at: int
) -> None:
    """Compared with the rule itself, over the whole story."""
    evidence, now = Evidence(), 0.0
    absent: list[float] = []  # moments of books without it, since the last that spoils the count
    broken = sure = False
    for number, ((what, seen), pause) in enumerate(zip(events, pauses, strict=False)):
        if number == told_at:
            evidence.unknown("1")
        told = number >= told_at
        now += pause
        if what == "lost":
            evidence.stream_lost()
            broken, absent, sure = True, [], False
        elif what == "restored":
            evidence.stream_restored()
            broken, absent, sure = False, [], False
        else:
            proven = evidence.books(book(now, *(["1"] if seen else [])))
            if not told:
                assert proven == []
                continue
            if seen:
                absent = []
            elif sure and not broken:
                absent.append(now)
            else:
                sure = True
            spaced: list[float] = []
            for at in absent:
                if not spaced or at - spaced[-1] >= APART:
                    spaced.append(at)
            enough = len(spaced) >= BOOKS and spaced[-1] - spaced[0] >= AFTER
            assert proven == (["1"] if enough else [])
            if enough:
                return


def test_a_break_begins_the_count_anew() -> None:
    evidence = Evidence()
    evidence.unknown("1")
    for second in (0, 1, 11, 21):
        assert evidence.books(book(second)) == []
    evidence.stream_lost()
    evidence.stream_restored()
    assert [evidence.books(book(second)) for second in (31, 32, 42, 52)] == [[], [], [], []]
    assert evidence.books(book(62)) == ["1"]


def test_what_is_settled_is_asked_for_no_more() -> None:
    evidence = Evidence()
    evidence.unknown("1")
    evidence.settled("1")
    assert not any(evidence.books(book(second)) for second in (0, 10, 20, 30, 40, 50))


def held(second: int, **quantities: int) -> HoldingsStated:
    asked = SENT + second * SECOND
    return HoldingsStated(asked, asked, quantities)


def test_what_was_there_before_is_not_ours_and_no_mismatch() -> None:
    holdings = Holdings()
    assert holdings.compare(held(0, FPT=500, HPG=100), {"FPT": 200}, {}) == ({}, [])
    assert holdings.outside == {"FPT": 300, "HPG": 100}


def test_a_change_from_outside_halts_until_two_matches() -> None:
    holdings = Holdings()
    holdings.compare(held(0, FPT=500), {}, {})
    assert holdings.compare(held(60, FPT=400), {}, {}) == ({"FPT": -100}, [])
    assert holdings.compare(held(120, FPT=400), {}, {}) == ({}, [])
    assert holdings.compare(held(180, FPT=300), {}, {}) == ({"FPT": -100}, []), "the count begins anew"
    assert holdings.compare(held(240, FPT=300), {}, {}) == ({}, [])
    assert holdings.compare(held(300, FPT=300), {}, {}) == ({}, ["FPT"])
    assert holdings.compare(held(360, FPT=300), {}, {}) == ({}, [])


def test_a_symbol_that_traded_as_the_first_statement_was_made_is_taken_up_by_the_next() -> None:
    holdings = Holdings()
    holdings.compare(held(0, FPT=700), {"FPT": 200}, {"FPT": SENT - SECOND})
    assert holdings.compare(held(60, FPT=700), {"FPT": 200}, {"FPT": SENT - SECOND}) == ({}, [])
    assert holdings.outside == {"FPT": 500}
    assert holdings.compare(held(120, FPT=600), {"FPT": 200}, {})[0] == {"FPT": -100}


statements = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["A", "B"]), st.integers(-5, 5)),
        st.dictionaries(st.sampled_from(["A", "B"]), st.integers(-5, 5)),
        st.sets(st.sampled_from(["A", "B"])),
    ),
    min_size=1,
    max_size=12,
)


@given(statements)
def test_position_is_opening_and_fills_and_recorded_changes(told: list[Any]) -> None:
    """After each statement that counts, ours and what is recorded as outside are what the broker holds."""
    holdings = Holdings()
    for number, (stated, own, trading) in enumerate(told):
        ns = SENT + number * 60 * SECOND
        traded = dict.fromkeys(trading, ns - SETTLING + 1)
        before = dict(holdings.outside)
        found, _ = holdings.compare(HoldingsStated(ns, ns, stated), own, traded)
        for symbol in ("A", "B"):
            outside = holdings.outside.get(symbol, 0)
            if symbol in trading:
                assert outside == before.get(symbol, 0)
                assert symbol not in found
            else:
                assert own.get(symbol, 0) + outside == stated.get(symbol, 0)
                assert found.get(symbol, outside - before.get(symbol, 0)) == outside - before.get(symbol, 0)
        assert not found or number > 0
        again, trusted = holdings.compare(HoldingsStated(ns, ns, stated), own, traded)
        assert again == {}, "the same statement again tells nothing new"
