"""Evidence and holdings: nothing is taken for not received too early, and positions add up for ever."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from algo.clock import SECOND
from algo.model import BooksStated, HoldingsStated
from algo.orders.reconcile import AFTER, APART, BOOKS, SETTLING, Evidence, Holdings

SENT = 1_000 * SECOND


def book(second: float, *named: str, late: float = 0.5) -> BooksStated:
    asked = SENT + round(second * SECOND)
    return BooksStated(asked + round(late * SECOND), asked, frozenset(named))


def test_absence_from_three_books_ten_seconds_apart_the_last_after_thirty() -> None:
    evidence = Evidence()
    evidence.unknown("1", SENT)
    assert [evidence.books(book(second)) for second in (1, 11, 21, 29.9)] == [[], [], [], []]
    assert evidence.books(book(31)) == ["1"]
    assert evidence.books(book(60)) == [], "it is said once"


def test_books_that_are_close_count_as_one() -> None:
    evidence = Evidence()
    evidence.unknown("1", SENT)
    for second in range(31, 50):
        assert evidence.books(book(second)) == []
        if second == 41:
            break
    assert evidence.books(book(51)) == ["1"]


story = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.booleans()),
        st.tuples(st.sampled_from(["lost", "restored"]), st.booleans()),
    ),
    max_size=25,
)


@given(story, st.lists(st.integers(0, 8), min_size=25, max_size=25), st.integers(0, 5))
def test_what_is_proven_has_the_evidence(
    events: list[tuple[str, bool]], pauses: list[int], told_at: int
) -> None:
    """Compared with the rule itself, over the whole story."""
    evidence, now = Evidence(), SENT
    absent: list[int] = []  # moments of books without it, since the last that spoils the count
    broken, since = False, SENT
    for number, ((what, seen), pause) in enumerate(zip(events, pauses, strict=False)):
        if number == told_at:
            evidence.unknown("1", SENT)
        told = number >= told_at
        now += pause * SECOND
        if what == "lost":
            evidence.stream_lost()
            broken, absent = True, []
        elif what == "restored":
            evidence.stream_restored(now)
            broken, absent, since = False, [], max(since, now)
        else:
            proven = evidence.books(BooksStated(now + SECOND, now, frozenset({"1"} if seen else ())))
            if not told:
                assert proven == []
                continue
            if seen:
                absent, since = [], now + SECOND
            elif not broken and now >= since:
                absent.append(now)
            spaced: list[int] = []
            for at in absent:
                if not spaced or at - spaced[-1] >= APART:
                    spaced.append(at)
            enough = len(spaced) >= BOOKS and spaced[-1] - SENT >= AFTER
            assert proven == (["1"] if enough else [])
            if enough:
                return


def test_a_break_before_the_request_was_known_to_be_unknown_counts_too() -> None:
    evidence = Evidence()
    evidence.stream_lost()
    evidence.stream_restored(SENT + 5 * SECOND)
    evidence.unknown("1", SENT)
    assert evidence.books(book(4)) == [], "it was asked for while nothing was heard"
    assert [evidence.books(book(second)) for second in (14, 34)] == [[], []], "two since then"
    assert evidence.books(book(44)) == ["1"]


def test_what_is_settled_is_asked_for_no_more() -> None:
    evidence = Evidence()
    evidence.unknown("1", SENT)
    evidence.settled("1")
    assert not any(evidence.books(book(second)) for second in (10, 20, 30, 40, 50))


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
