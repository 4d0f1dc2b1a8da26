"""The report of a day says what the ledger and the journal say, counted another way."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from algo.cli import live_tables
from algo.clock import SECOND, local_date
from algo.data import synthetic
from algo.journal import Journal, Records
from algo.live.core import Core, Step
from algo.live.day_report import DayReport, day_report
from algo.live.record import Record
from algo.model import OrderStatus, RequestUnknown, StreamLost, StreamRestored
from algo.orders.controls import Alarm
from strategies.two_sided_quoter import TwoSidedQuoter
from tests.generators.live_runs import SEAT, plan_of, played

DATA = synthetic.make(["VN30F1M"], days=3)


@pytest.fixture
def ended(tmp_path: Path) -> tuple[Core, Path]:
    """A core at the end of the last day, and its journal with a few troubles in it."""
    path = tmp_path / "live.journal"
    journal = Journal.open(path)
    record = Record(journal)
    record.run(0, {"version": "test"})
    core, _ = played(plan_of(TwoSidedQuoter, DATA), DATA, record)
    ns = core.engine.now
    record.run(ns, {"version": "test"})
    step = Step([], [], {}, [Alarm(ns, "unknown", "symbol:VN30F2607", "not known")], [])
    empty = Step([], [], {}, [], [])
    received = next(o for o in core.engine.manager.every if o.status is OrderStatus.FILLED)
    request = received.requests[0].request_id
    record.step(ns, RequestUnknown(request, received.order_id, ns, "cut"), step)
    record.step(ns, RequestUnknown("99", "no-such-order", ns, "cut"), empty)
    record.step(ns, StreamLost(ns, "cut"), empty)
    record.step(ns, StreamLost(ns, "cut again"), empty)
    record.step(ns + 90 * SECOND, StreamRestored(ns + 90 * SECOND), empty)
    journal.close()
    return core, path


def report(ended: tuple[Core, Path]) -> DayReport:
    core, path = ended
    with Records.open(path) as records:
        return day_report(core, local_date(core.engine.now), records)


def test_money_and_fills_are_the_ledgers(ended: tuple[Core, Path]) -> None:
    core, _ = ended
    found = report(ended)
    day = local_date(core.engine.now)
    ledger = core.engine.desks[SEAT].ledger
    fills = [one for one in ledger.fills if local_date(one.ns) == day]
    (one,) = found.strategies
    assert one.fills == len(fills) > 5
    assert one.fees == sum(f.fee for f in fills) > 0
    assert one.profit == ledger.day_profit == found.profit
    # Another way: cash of the day's trades, with what is carried at its mark.
    before = [f for f in ledger.fills if local_date(f.ns) < day]
    assert before, "the report is of one day of several"
    assert one.carried == {p.symbol: p.quantity for p in ledger.held()}
    assert sum(one.orders.values()) == sum(
        local_date(o.created) == day or local_date(o.updated) == day for o in core.engine.manager.every
    )


def test_the_journal_tells_what_came_and_went(ended: tuple[Core, Path]) -> None:
    found = report(ended)
    assert found.recorded
    assert [one.kind for one in found.alarms][-1:] == ["unknown"]
    assert [(one.kind, one.text) for one in found.stream_losses] == [("lost for 90 s", "cut")]
    assert found.unknown == {"received": 1, "open": 1}
    assert not found.clean
    assert found.processes == 1  # the first one began on another day
    assert json.loads(json.dumps(found.facts()))["profit"] == found.profit


def test_without_a_journal_there_is_what_the_core_knows(ended: tuple[Core, Path]) -> None:
    core, _ = ended
    found = day_report(core, local_date(core.engine.now))
    assert not found.recorded
    assert found.strategies == report(ended).strategies
    assert found.clean
    core.controls.kill(0, "enough")
    core.controls.outside = {"FPT": 100, "HPG": 0}
    found = day_report(core, local_date(core.engine.now))
    assert found.halts == {"": "enough"}
    assert found.outside == {"FPT": 100}
    assert not found.clean


def test_events_of_a_type_are_found_without_the_rest(ended: tuple[Core, Path]) -> None:
    _, path = ended
    with Records.open(path) as records:
        slow = [row for row in records.rows() if isinstance(row.value, StreamLost | StreamRestored)]
        assert list(records.events(StreamLost, StreamRestored)) == slow
        assert len(slow) == 3
        assert list(records.events()) == []
        assert list(records.events(StreamLost, day=records.days()[0])) == []


def test_a_person_sees_all_of_it(ended: tuple[Core, Path]) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    found = report(ended)
    console.print(live_tables.day(found))
    text = console.export_text()
    for shown in (found.day, SEAT, f"{found.profit:,}", "lost for 90 s", "1 received, 1 open", "not known"):
        assert shown in text
