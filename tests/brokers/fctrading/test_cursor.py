"""What is new, what is a duplicate, and from where to resume: against a broker that replays its day."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.fctrading.cursor import Cursor, Position
from algo.brokers.fctrading.events import (
    MatchEvent,
    OrderErrorEvent,
    PortfolioEvent,
    StreamEvent,
    UnknownEvent,
)
from algo.clock import DAY, HOUR, at

MONDAY = date(2026, 6, 8)
MORNING = at(MONDAY, 9 * HOUR)


def fill(notify_id: int, ms: int | None = None, order: str = "1") -> MatchEvent:
    moment = MORNING // 1_000_000 + notify_id if ms is None else ms
    return MatchEvent(notify_id, order, "1", "0901351", "FPT", "B", 98500.0, 100, moment, {})


def error(notify_id: int, request: str = "5", code: str = "ERR500", text: str = "no") -> OrderErrorEvent:
    return OrderErrorEvent(notify_id, text, code, request, "", "", "", "", "", "", "", "", 0.0, 0, 0, 0, {})


@given(
    st.lists(st.integers(1, 5), max_size=30).map(lambda gaps: [sum(gaps[: i + 1]) for i in range(len(gaps))]),
    st.lists(st.integers(0, 30), max_size=6),
    st.sampled_from(["start", "live", "kept"]),
)
def test_every_message_once_over_any_reconnects(ids: list[int], cuts: list[int], begin: str) -> None:
    """A broker with gaps in its ids, and connections that break anywhere, in their replay too."""
    first = Position(MONDAY, ids[0]) if begin == "kept" and ids else None
    cursor = Cursor(first, live_only=begin == "live")
    taken: list[int] = []
    for cut in [*cuts, len(ids)]:
        start = int(cursor.resume(MORNING))
        cursor.connected()
        replay = ids if start == 0 else [i for i in ids if i >= start] if start > 0 else ids
        taken += [i for i in replay[:cut] if cursor.take(fill(i), MORNING)]
    assert sorted(taken) == sorted(ids)
    assert len(set(taken)) == len(taken)
    if ids:
        assert cursor.position == Position(MONDAY, ids[-1])


@given(st.permutations(range(1, 8)), st.lists(st.integers(1, 7)))
def test_messages_out_of_order_all_come_through(order: list[int], again: list[int]) -> None:
    cursor = Cursor()
    assert all(cursor.take(fill(i), MORNING) for i in order)
    assert not any(cursor.take(fill(i), MORNING) for i in again)


def test_two_fills_that_look_alike_are_two() -> None:
    cursor = Cursor()
    assert cursor.take(fill(1, 1000), MORNING)
    assert cursor.take(fill(2, 1000), MORNING)
    assert not cursor.take(fill(2, 1000), MORNING)


def test_an_order_event_and_a_fill_may_share_an_id() -> None:
    cursor = Cursor()
    assert cursor.take(fill(1), MORNING)
    assert cursor.take(PortfolioEvent(1, "0901358", (), (), {}), MORNING)


def test_midnight_starts_the_ids_again() -> None:
    cursor = Cursor()
    assert cursor.take(fill(420_825), MORNING)
    assert cursor.resume(MORNING) == "420825"
    tomorrow = MORNING + DAY
    assert cursor.resume(tomorrow) == "0"
    assert cursor.take(fill(3, tomorrow // 1_000_000), tomorrow)
    assert cursor.position == Position(date(2026, 6, 9), 3)
    assert cursor.resume(tomorrow) == "3"
    assert cursor.take(fill(420_825, tomorrow // 1_000_000 + 5), tomorrow), "the same id of another day"


def test_a_message_of_yesterday_is_still_known_after_midnight() -> None:
    cursor = Cursor()
    assert cursor.take(fill(7), MORNING)
    assert not cursor.take(fill(7), MORNING + DAY)


def test_a_replay_of_yesterday_does_not_set_todays_place() -> None:
    """The counter begins again at an hour that is not known: before it, yesterday's messages are replayed."""
    cursor = Cursor()
    night = at(MONDAY, 0) + DAY + HOUR
    assert cursor.take(fill(420_825), night)
    assert cursor.position is None
    assert cursor.resume(night + 8 * HOUR) == "0"
    assert cursor.take(fill(5, (night + 8 * HOUR) // 1_000_000), night + 8 * HOUR)
    assert cursor.resume(night + 9 * HOUR) == "5"


def test_a_message_that_does_not_say_when_counts_as_of_today() -> None:
    cursor = Cursor()
    assert cursor.take(PortfolioEvent(9, "0901358", (), (), {}), MORNING)
    assert cursor.position == Position(MONDAY, 9)


def test_a_kept_position_of_another_day_is_not_resumed() -> None:
    cursor = Cursor(Position(MONDAY, 99))
    assert cursor.resume(MORNING) == "99"
    assert cursor.resume(MORNING + DAY) == "0"


def test_ids_that_step_back_are_new_and_make_the_next_resume_safe() -> None:
    cursor = Cursor()
    assert cursor.take(fill(1000), MORNING)
    assert cursor.take(fill(2), MORNING)
    assert cursor.resume(MORNING) == "0"
    cursor.connected()
    assert not cursor.take(fill(1000), MORNING)
    assert not cursor.take(fill(2), MORNING)


def test_a_zero_id_never_moves_the_cursor() -> None:
    cursor = Cursor()
    cursor.take(fill(10), MORNING)
    for event in (error(0), UnknownEvent(0, "x", "y", "z"), PortfolioEvent(0, "", (), (), {}), fill(-5)):
        cursor.take(event, MORNING)
        assert cursor.position == Position(MONDAY, 10)


def test_zero_id_errors_are_told_apart_by_request_code_and_text() -> None:
    cursor = Cursor()
    different: list[StreamEvent] = [error(0), error(0, "6"), error(0, code="ORD003"), error(0, text="other")]
    assert all(cursor.take(event, MORNING) for event in different)
    assert not any(cursor.take(event, MORNING) for event in different)
    assert cursor.take(error(0), MORNING + 2 * DAY), "request ids begin again on another day"


def test_other_zero_id_messages_are_always_passed_on() -> None:
    """Two fills without ids may be two fills: the order's own filled quantity decides."""
    cursor = Cursor()
    assert cursor.take(fill(0), MORNING)
    assert cursor.take(fill(0), MORNING)


def test_live_only_holds_for_the_first_connection() -> None:
    cursor = Cursor(live_only=True)
    assert cursor.resume(MORNING) == "-1"
    assert cursor.resume(MORNING) == "-1", "the first one never stood"
    cursor.connected()
    assert cursor.resume(MORNING) == "0", "a gap is now a loss"
    cursor.take(fill(5), MORNING)
    assert cursor.resume(MORNING) == "5"
