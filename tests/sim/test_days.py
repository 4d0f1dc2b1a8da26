"""Days of trading with faults: both sides agree at the end, and a seed is the same day everywhere."""

from __future__ import annotations

import pytest

from algo.sim.faults import Trouble, plan_of
from algo.sim.report import Report, played


@pytest.mark.slow
def test_days_with_faults_end_with_both_sides_in_agreement() -> None:
    report = Report()
    for seed in range(6):
        report.add(played(seed))
    facts = report.facts()
    assert report.violations == []
    assert facts["resumed_pct"] == 100.0
    assert facts["orders"] > 300
    assert facts["fills"] > 150
    assert facts["amends"] > 50
    report.repeat(range(2))
    assert report.mismatches == []


@pytest.mark.soak
def test_many_days_with_faults_end_with_both_sides_in_agreement() -> None:
    report = Report()
    for seed in range(100, 160):
        report.add(played(seed))
    assert report.violations == []
    assert {one.seed for one in report.seeds if not one.resumed} == set()
    report.repeat(range(100, 110))
    assert report.mismatches == []
    injected = report.facts()["faults"]
    assert {str(kind) for kind in Trouble} <= set(injected)


def test_troubles_are_drawn_from_the_seed_alone() -> None:
    busy = ((36_000, 36_200), (50_000, 50_300))
    assert plan_of(7, busy, 50_200) == plan_of(7, busy, 50_200)
    assert plan_of(7, busy, 50_200) != plan_of(8, busy, 50_200)
    assert plan_of(0, busy, 50_200) == []
    assert all(one.second < 50_200 for seed in range(50) for one in plan_of(seed, busy, 50_200))
