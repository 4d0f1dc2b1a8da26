"""What the readiness check says of what was measured: bounds, and words that say what to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.live import readiness
from algo.live.readiness import FAIL, PASS, WARN
from algo.market import VIETNAM, TradingCalendar

NOW = datetime(2026, 6, 9, 8, tzinfo=UTC)


@given(st.floats(-300, 300), st.floats(0, 2))
def test_a_clock_is_judged_beyond_what_the_question_took(off: float, trip: float) -> None:
    found = readiness.clock(1_000_000.5 + off, 1_000_000.0, trip)
    sure = abs(off) - 0.5 - trip / 2
    if abs(sure - readiness.CLOCK_FAIL) < 1e-6 or abs(sure - readiness.CLOCK_WARN) < 1e-6:
        return
    expected = FAIL if sure > readiness.CLOCK_FAIL else WARN if sure > readiness.CLOCK_WARN else PASS
    assert found.verdict == expected
    assert bool(found.advice) == (expected != PASS)


@pytest.mark.parametrize("off", [120.0, -120.0])
def test_a_clock_two_minutes_off_fails(off: float) -> None:
    found = readiness.clock(1_000_000 + off, 1_000_000, 0.1)
    assert found.verdict == FAIL
    assert ("ahead" in found.found) == (off > 0)


@pytest.mark.parametrize(
    ("problem", "days", "verdict"),
    [("", 90, PASS), ("", 13, WARN), ("", 0, WARN), ("does not verify: certificate has expired", None, FAIL)],
)
def test_certificates(problem: str, days: int | None, verdict: str) -> None:
    ends = None if days is None else NOW + timedelta(days=days, hours=1)
    assert readiness.certificate("x", problem, ends, NOW).verdict == verdict


@pytest.mark.parametrize(
    ("mode", "secret", "verdict"),
    [
        (0o600, True, PASS),
        (0o400, True, PASS),
        (0o640, True, FAIL),
        (0o604, True, FAIL),
        (0o644, False, PASS),
        (None, True, PASS),
    ],
)
def test_modes(mode: int | None, secret: bool, verdict: str) -> None:
    assert readiness.file_mode("x", "file", mode, secret=secret).verdict == verdict


@pytest.mark.parametrize(
    ("state", "left", "pin", "verdict"),
    [
        ("trading", 8 * 3600.0, False, PASS),
        ("trading", 1799.0, False, WARN),
        ("expiring", 1801.0, False, PASS),
        ("signed out", 0.0, False, WARN),
        ("read only", 9000.0, False, WARN),
        ("signed out", 0.0, True, PASS),
    ],
)
def test_the_sign_in(state: str, left: float, pin: bool, verdict: str) -> None:
    found = readiness.sign_in(state, left, "otp", pin_kept=pin, needed=1800.0)
    assert found.verdict == verdict
    assert ("algo login" in found.advice) == (verdict == WARN)


@given(st.integers(0, 10**13), st.floats(0, 1))
def test_the_disk(free: int, seconds: float) -> None:
    space, sync = readiness.disk("folder", free, seconds, "")
    assert space.verdict == (FAIL if free < 10**8 else WARN if free < 10**9 else PASS)
    assert sync.verdict == (WARN if seconds > 0.05 else PASS)
    (broken,) = readiness.disk("folder", None, None, "folder cannot be written: Read-only file system")
    assert broken.verdict == FAIL


def test_prices_of_the_day() -> None:
    day = date(2026, 6, 9)
    found = readiness.market_data(
        {"A": (93.0, 100.0, 107.0), "B": None, "C": (0.0, 100.0, 107.0), "D": (101.0, 100.0, 107.0)}, day
    )
    assert [one.verdict for one in found] == [PASS, WARN, FAIL, FAIL]


def test_the_calendar() -> None:
    assert readiness.trading_day(date(2026, 6, 9), VIETNAM).verdict == PASS
    saturday = readiness.trading_day(date(2026, 6, 13), VIETNAM)
    assert saturday.verdict == WARN
    assert "15/06/2026" in saturday.advice
    guess = readiness.trading_day(date(2031, 6, 10), VIETNAM)
    assert guess.verdict == FAIL
    assert "--assume-open" in guess.advice
    assert readiness.trading_day(date(2026, 6, 9), TradingCalendar({})).verdict == FAIL


@pytest.mark.parametrize("live", [True, False])
def test_limits_and_names_are_required_live_alone(live: bool) -> None:
    assert readiness.limits(["position"], live=live).verdict == (FAIL if live else WARN)
    assert readiness.limits([], live=live).verdict == PASS
    assert readiness.accounts(["1", "2"], ["1"], live=live).verdict == (FAIL if live else PASS)
    assert readiness.accounts(["1", "2"], ["2", "1"], live=live).verdict == PASS


def test_the_journal_and_the_latch() -> None:
    def verdict(rows: int | None = 3, problem: str = "", holder: str = "", other: bool = False) -> str:
        return readiness.journal("j", rows, problem, holder, other_account=other).verdict

    assert verdict() == verdict(None) == PASS
    assert verdict(problem="damaged") == verdict(other=True) == FAIL
    assert verdict(holder="12") == WARN
    assert readiness.latch("killed").verdict == FAIL
    assert readiness.latch("").verdict == PASS


def test_alerts_that_nobody_sees_are_told() -> None:
    assert readiness.alerts(["terminal", "log"]).verdict == WARN
    assert readiness.alerts(["terminal", "telegram"]).verdict == PASS


def test_only_what_fails_stands_in_the_way() -> None:
    assert not readiness.failed([readiness.alerts([]), readiness.latch("")])
    assert readiness.failed([readiness.latch("x")])
