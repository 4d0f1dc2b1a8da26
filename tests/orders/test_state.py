"""The transition table: what every order may go through."""

from __future__ import annotations

import re

import pytest

from algo.model import OrderStatus
from algo.orders.state import TRANSITIONS, Step, after, diagram

TERMINAL = [status for status in OrderStatus if status.terminal]
LIVE = [status for status in OrderStatus if not status.terminal]
FILLS = (Step.FILL, Step.COMPLETE)


@pytest.mark.parametrize("status", TERMINAL)
def test_what_is_over_stays_over_but_for_late_fills_and_proof_of_life(status: OrderStatus) -> None:
    for step in Step:
        found = after(status, step)
        if found is None:
            continue
        if status is OrderStatus.FAILED and step in (Step.ACCEPT, Step.WAIT):
            assert found in (OrderStatus.WORKING, OrderStatus.WAITING)
        else:
            assert step in FILLS
            assert found is status or (step is Step.COMPLETE and found is OrderStatus.FILLED)


@pytest.mark.parametrize("status", [OrderStatus.FILLED, OrderStatus.REFUSED])
def test_nothing_happens_to_what_is_filled_or_was_never_sent(status: OrderStatus) -> None:
    assert all(after(status, step) is None for step in Step)


@pytest.mark.parametrize("status", LIVE)
def test_every_living_order_can_end_in_one_step(status: OrderStatus) -> None:
    ends = {after(status, step) for step in Step}
    assert any(found is not None and found.terminal for found in ends)


def test_every_status_can_be_reached_from_the_beginning() -> None:
    reached, edge = {OrderStatus.CREATED}, [OrderStatus.CREATED]
    while edge:
        status = edge.pop()
        for step in Step:
            found = after(status, step)
            if found is not None and found not in reached:
                reached.add(found)
                edge.append(found)
    assert reached == set(OrderStatus)


@pytest.mark.parametrize("status", [OrderStatus.SUBMITTED, OrderStatus.WAITING, OrderStatus.WORKING])
@pytest.mark.parametrize("step", [*FILLS, Step.CANCEL, Step.EXPIRE, Step.RENEW, Step.REJECT])
def test_whatever_is_out_there_may_trade_or_end(status: OrderStatus, step: Step) -> None:
    assert after(status, step) is not None


def test_a_fill_before_the_acknowledgement_makes_the_order_work() -> None:
    assert after(OrderStatus.SUBMITTED, Step.FILL) is OrderStatus.WORKING
    assert after(OrderStatus.WORKING, Step.ACCEPT) is OrderStatus.WORKING


def test_the_diagram_has_each_transition_once() -> None:
    arrows = re.findall(r"^    (\S+) --> (\S+): (.+)$", diagram(), re.MULTILINE)
    assert len(arrows) == len(TRANSITIONS) == len(set(arrows))
    for (status, step), target in TRANSITIONS.items():
        assert (str(status), str(target), str(step)) in arrows
    ends = re.findall(r"^    (\S+) --> \[\*\]$", diagram(), re.MULTILINE)
    assert set(ends) == {str(status) for status in TERMINAL}
