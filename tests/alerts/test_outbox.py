"""The outbox of a channel: every alarm arrives, storms become counts, memory is bounded."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.alerts.notice import Notice
from algo.alerts.outbox import BATCH, Outbox

TEXTS = st.sampled_from("abcde")


def notice(text: str, urgent: bool = False) -> Notice:
    return Notice(0, "alarm" if urgent else "message", "", text, urgent)


def told(outbox: Outbox, now: float) -> list[Notice]:
    """All that can be sent at `now`, sent."""
    found: list[Notice] = []
    while batch := outbox.due(now):
        assert len(batch) <= BATCH
        found += batch
        outbox.delivered()
    return found


@given(
    st.lists(
        st.tuples(TEXTS, st.booleans(), st.floats(0, 90), st.sampled_from(["put", "send", "fail"])),
        max_size=60,
    )
)
def test_everything_that_was_said_is_told_with_its_count(story: list[tuple[str, bool, float, str]]) -> None:
    outbox, now = Outbox(most=10), 0.0
    said: Counter[tuple[bool, str]] = Counter()
    heard: Counter[tuple[bool, str]] = Counter()

    def hear(batch: list[Notice]) -> None:
        for one in batch:
            heard[one.urgent, one.text] += one.times

    for text, urgent, pause, what in story:
        now += pause
        if what == "put":
            outbox.put(notice(text, urgent), now)
            said[urgent, text] += 1
        elif batch := outbox.due(now):
            if what == "fail":
                outbox.failed(now)
            else:
                hear(batch)
                outbox.delivered()
    outbox.flush(now)
    hear(told(outbox, now))
    assert heard == said
    assert outbox.empty
    assert outbox.wait(now) is None


def test_the_same_text_is_told_at_once_and_its_repeats_when_the_minute_is_over() -> None:
    outbox = Outbox()
    for second in range(59):
        outbox.put(notice("halted", urgent=True), float(second))
        if second == 0:
            assert [(one.text, one.times) for one in told(outbox, 0.0)] == [("halted", 1)]
    assert told(outbox, 59.0) == []
    assert outbox.wait(59.0) == 1.0
    assert [(one.text, one.times) for one in told(outbox, 60.0)] == [("halted", 58)]
    outbox.put(notice("halted", urgent=True), 61.0)
    assert told(outbox, 61.0) == [], "the storm goes on: it is counted on"
    assert [one.times for one in told(outbox, 121.0)] == [1]
    assert outbox.wait(121.0) == 59.0 or outbox.wait(121.0) is None


def test_alarms_come_first_and_none_is_dropped_while_the_rest_is_bounded() -> None:
    outbox = Outbox(most=10)
    for number in range(50):
        outbox.put(notice(f"message {number}"), 0.0)
        outbox.put(notice(f"alarm {number}", urgent=True), 0.0)
    found = told(outbox, 0.0)
    assert [one.text for one in found if one.text.startswith("alarm")] == [f"alarm {n}" for n in range(50)]
    assert [one.text for one in found[-10:]] == [f"message {n}" for n in range(40, 50)]
    assert any(one.urgent and one.text == "40 messages were not told here: too many" for one in found)


def test_a_storm_of_different_texts_stays_bounded() -> None:
    outbox = Outbox(most=10)
    for number in range(20_000):
        outbox.put(notice(f"message {number}"), 0.0)
    assert len(outbox._waiting) == 10
    assert len(outbox._windows) <= 5_000
    assert sum(one.times for one in told(outbox, 0.0) if not one.urgent) == 10


def test_pauses_grow_until_something_arrives() -> None:
    outbox, now, pauses = Outbox(first=1.0, longest=60.0), 0.0, []
    outbox.put(notice("x", urgent=True), now)
    firsts = []
    for _ in range(8):
        assert outbox.due(now)
        firsts.append(outbox.failed(now))
        assert outbox.due(now) == []
        pauses.append(outbox.wait(now))
        now += pauses[-1] or 0.0
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert firsts == [True] + [False] * 7
    assert outbox.due(now)
    assert outbox.delivered() is True
    outbox.put(notice("y"), now)
    assert outbox.due(now)
    assert outbox.delivered() is False


@pytest.mark.parametrize("asked", [5.0, 1e9])
def test_a_channel_may_ask_for_a_longer_pause_within_reason(asked: float) -> None:
    outbox = Outbox()
    outbox.put(notice("x"), 0.0)
    outbox.due(0.0)
    outbox.failed(0.0, asked)
    assert outbox.wait(0.0) == min(asked, 60.0)
