"""Faults as decisions: what was asked for happens so often and no more, and chance repeats itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.sandbox.faults import Asked, Fault, Faults, parse_odds
from algo.sandbox.messages import Request, Response

OF_STREAM = [fault for fault in Fault if fault.of_stream]
OF_REQUESTS = [fault for fault in Fault if not fault.of_stream]
ANSWER = Response(200, b"{}")
texts = st.lists(st.integers(0, 10**6).map(str), max_size=30)


def split(messages: list[str], sizes: list[int]) -> list[list[str]]:
    """The messages in batches, as a server hands them over."""
    batches, rest = [], messages
    for size in sizes:
        batches.append(rest[:size])
        rest = rest[size:]
    return [*batches, rest]


@given(texts, st.lists(st.integers(0, 5)))
def test_without_faults_nothing_changes(messages: list[str], sizes: list[int]) -> None:
    faults = Faults()
    assert [one for batch in split(messages, sizes) for one in faults.spoil("me", batch)] == messages
    assert faults.treat(Request("POST", "/x")).fault is None


@given(texts, st.lists(st.integers(0, 5)), st.integers(1, 40))
def test_missed_messages_are_the_first_ones_and_no_others(
    messages: list[str], sizes: list[int], count: int
) -> None:
    faults = Faults()
    faults.ask(Asked(Fault.MISS, count))
    assert [one for batch in split(messages, sizes) for one in faults.spoil("me", batch)] == messages[count:]


@given(texts, st.integers(1, 40))
def test_repeated_messages_come_twice_at_their_place(messages: list[str], count: int) -> None:
    faults = Faults()
    faults.ask(Asked(Fault.REPEAT, count))
    doubled = [one for message in messages[:count] for one in (message, message)]
    assert faults.spoil("me", messages) == doubled + messages[count:]


@given(st.lists(st.integers(), unique=True, min_size=2, max_size=30), st.lists(st.integers(0, 5)))
def test_a_reordered_message_changes_places_with_the_next(numbers: list[int], sizes: list[int]) -> None:
    messages = [str(number) for number in numbers]
    faults = Faults()
    faults.ask(Asked(Fault.REORDER))
    came = [one for batch in split(messages, sizes) for one in faults.spoil("me", batch)]
    assert came == [messages[1], messages[0], *messages[2:]]


def test_nobody_hears_what_was_held_back_from_another() -> None:
    faults = Faults()
    faults.ask(Asked(Fault.REORDER))
    assert faults.spoil("me", ["mine"]) == []
    assert faults.spoil("you", ["yours"]) == ["yours"]
    assert faults.spoil("me", ["next"]) == ["next", "mine"]


@given(texts, st.lists(st.integers(0, 5)), st.integers(0, 99))
def test_chance_repeats_itself_and_loses_nothing_but_what_it_counts(
    messages: list[str], sizes: list[int], seed: int
) -> None:
    odds = dict.fromkeys(OF_STREAM, 0.2)
    one, other = Faults(odds, seed), Faults(odds, seed)
    batches = split(messages, sizes)
    came = [message for batch in batches for message in one.spoil("me", batch)]
    assert came == [message for batch in batches for message in other.spoil("me", batch)]
    held = len(messages) - len(came) - one.happened[Fault.MISS] + one.happened[Fault.REPEAT]
    assert held in {0, 1}


@given(st.lists(st.sampled_from(OF_REQUESTS)), st.integers(0, 20))
def test_each_asked_fault_happens_once_in_the_order_asked(asked: list[Fault], more: int) -> None:
    faults = Faults()
    for fault in asked:
        faults.ask(Asked(fault))
    met = [faults.treat(Request("POST", "/x")).fault for _ in range(len(asked) + more)]
    assert met == [*asked, *[None] * more]
    assert faults.quiet


def test_a_fault_waits_for_what_it_fits() -> None:
    faults = Faults()
    faults.ask(Asked(Fault.LOSE, match="neworder"))
    assert faults.treat(Request("GET", "/api/v2/Trading/orderBook")).fault is None
    treatment = faults.treat(Request("POST", "/api/v2/Trading/NewOrder"))
    assert treatment.after(ANSWER) is None and not treatment.unheard and treatment.instead is None
    assert faults.treat(Request("POST", "/api/v2/Trading/NewOrder")).after(ANSWER) is ANSWER


def test_which_faults_carry_the_request_out() -> None:
    reached = {}
    for fault in OF_REQUESTS:
        faults = Faults()
        faults.ask(Asked(fault))
        treatment = faults.treat(Request("POST", "/x"))
        reached[fault] = treatment.instead is None and not treatment.unheard
    assert [fault for fault, is_reached in reached.items() if not is_reached] == [
        Fault.DROP,
        Fault.ERROR,
        Fault.QUOTA,
    ]


def test_clearing_ends_everything() -> None:
    faults = Faults({Fault.ERROR: 1.0, Fault.MISS: 1.0})
    faults.ask(Asked(Fault.LOSE, 5))
    faults.clear()
    assert faults.quiet and faults.spoil("me", ["a"]) == ["a"]


@pytest.mark.parametrize("text", ["lose", "lose=2", "lose=-0.1", "nothing=0.1", "lose=x", "lose=nan"])
def test_odds_that_are_none(text: str) -> None:
    with pytest.raises(SettingError):
        Faults(parse_odds(text))


def test_odds_by_name() -> None:
    assert parse_odds("lose=0.01, delay=0.5") == {Fault.LOSE: 0.01, Fault.DELAY: 0.5}
