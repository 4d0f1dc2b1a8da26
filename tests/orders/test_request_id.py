"""Request ids: each once a day, their owner readable, every slip of a person found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import ExhaustedError, SettingError
from algo.orders.request_id import FIRST_SLOT, LAST_SLOT, PER_DAY, RequestIds, check_digit, parse

slots = st.integers(FIRST_SLOT, LAST_SLOT)
counters = st.integers(0, PER_DAY - 1)


def made(slot: int, counter: int) -> str:
    return RequestIds(slot, counter).take()


@given(slots, counters)
def test_an_id_is_eight_digits_and_tells_slot_and_counter(slot: int, counter: int) -> None:
    found = made(slot, counter)
    assert len(found) == 8
    assert int(found) >= 10_000_000
    assert parse(found) == (slot, counter)


@given(slots, counters, st.integers(0, 7), st.integers(1, 9))
def test_one_wrong_digit_is_found(slot: int, counter: int, place: int, by: int) -> None:
    good = made(slot, counter)
    bad = good[:place] + str((int(good[place]) + by) % 10) + good[place + 1 :]
    assert parse(bad) is None


@given(slots, counters, st.integers(0, 6))
def test_two_neighbours_swapped_are_found(slot: int, counter: int, place: int) -> None:
    good = made(slot, counter)
    bad = good[:place] + good[place + 1] + good[place] + good[place + 2 :]
    assert bad == good or parse(bad) is None


@given(st.lists(slots, min_size=1, max_size=5, unique=True), st.integers(1, 300))
def test_no_id_is_given_twice_in_a_day(found: list[int], count: int) -> None:
    ids = [generator.take() for slot in found for generator in [RequestIds(slot)] for _ in range(count)]
    ids += [made(slot, count) for slot in found]  # a restart goes on after what was used
    assert len(set(ids)) == len(ids)


def test_every_id_of_a_day_differs_and_then_there_are_none() -> None:
    generator = RequestIds(42)
    assert len({generator.take() for _ in range(PER_DAY)}) == PER_DAY
    with pytest.raises(ExhaustedError, match="100,000 requests"):
        generator.take()
    generator.new_day()
    assert generator.take() == made(42, 0)


@given(st.text(max_size=9))
def test_only_what_can_be_ours_is_parsed(text: str) -> None:
    found = parse(text)
    if found is not None:
        assert check_digit(text) == 0
        assert made(*found) == text


@pytest.mark.parametrize("slot", [FIRST_SLOT - 1, LAST_SLOT + 1, 0, -1])
def test_a_slot_outside_its_range_is_refused(slot: int) -> None:
    with pytest.raises(SettingError, match="slot"):
        RequestIds(slot)
