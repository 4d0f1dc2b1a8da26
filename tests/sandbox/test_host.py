"""Time in the host: what is due happens, nights are left out after a rest, and a slow machine slips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import HOUR, SECOND
from algo.sandbox import host as module
from algo.sandbox.host import Host
from algo.sandbox.pace import Pace
from tests.sandbox.stub_service import StubMarket, StubService, StubStop


class Clock:
    """A monotonic clock that is told the time."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def hosted(stops: list[StubStop], speed: float) -> Host:
    service = StubService(StubMarket(stops))
    return Host(service, service.world, speed=speed)


@given(st.floats(0, 1e6), st.integers(0, 10**18), st.lists(st.floats(0, 1e4), max_size=10))
def test_a_pace_is_a_line(speed: float, began: int, waits: list[float]) -> None:
    pace = Pace(speed, began, 50.0)
    now, last = 50.0, began
    for wait in waits:
        now += wait
        due = pace.due(now)
        assert due >= last
        assert abs(due - began - (now - 50.0) * speed * SECOND) <= 1 + 1e-6 * (due - began)
        last = due
    assert pace.due(0.0) == began


async def test_what_is_due_happens_and_no_more(clock: Clock) -> None:
    host = hosted([StubStop(n * SECOND, "event") for n in range(100)], speed=10)
    clock.now += 2.0
    host.tick()
    assert host.world.now == 20 * SECOND
    assert len(host.world.happened) == 21  # type: ignore[attr-defined]
    host.tick()
    assert len(host.world.happened) == 21  # type: ignore[attr-defined]


async def test_a_clock_that_stands_does_nothing(clock: Clock) -> None:
    host = hosted([StubStop(0, "event"), StubStop(HOUR, "event")], speed=0)
    clock.now += 1000
    host.tick()
    assert host.world.happened == []  # type: ignore[attr-defined]
    host.change_speed(5)
    clock.now += 1
    host.tick()
    assert host.world.now == 5 * SECOND


async def test_stepping_by_hand_moves_the_running_clock_too(clock: Clock) -> None:
    host = hosted([StubStop(n * HOUR, "event") for n in range(10)], speed=1)
    host.step(3)
    assert host.world.now == 2 * HOUR
    clock.now += 1
    host.tick()
    assert host.world.now == 2 * HOUR + SECOND


async def test_a_night_is_left_out_after_a_rest(clock: Clock) -> None:
    stops = [StubStop(SECOND, "session"), StubStop(2 * SECOND, "session"), StubStop(18 * HOUR, "session")]
    host = hosted(stops, speed=1)
    is_open = {SECOND: True, 2 * SECOND: False, 18 * HOUR: True}
    host.closed = lambda: (
        not any(
            is_open[stop.ns]
            for stop in host.world.happened[-1:]  # type: ignore[attr-defined]
        )
    )
    notes: list[str] = []
    host.note = notes.append
    host.tick()
    assert host.world.now == SECOND, "nothing is waited for before the first day"
    clock.now += 1.5
    host.tick()
    assert [stop.ns for stop in host.world.happened] == [SECOND, 2 * SECOND]  # type: ignore[attr-defined]
    clock.now += module.NIGHT - 1
    host.tick()
    assert host.world.now < HOUR and len(notes) == 1
    clock.now += 1.1
    host.tick()
    assert host.world.now == 18 * HOUR


async def test_the_end_stops_the_clock(clock: Clock) -> None:
    host = hosted([StubStop(SECOND, "end")], speed=1)
    notes: list[str] = []
    host.note = notes.append
    clock.now += 5
    host.tick()
    assert host.pace.speed == 0 and len(notes) == 1


async def test_a_machine_that_is_too_slow_lets_time_slip(clock: Clock) -> None:
    class Slow(StubMarket):
        def step(self) -> StubStop | None:
            clock.now += 0.05
            return super().step()

    service = StubService(Slow([StubStop(n * SECOND, "event") for n in range(1, 1000)]))
    host = Host(service, service.world, speed=1000)
    for turn in range(1, 4):
        clock.now += 1
        host.tick()
        assert len(service.world.happened) == turn, "sockets have their turn after each long stop"
