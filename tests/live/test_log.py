"""The log of a run: each order can be followed to its end, no secret is in it, and it never hurts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from algo.clock import DAY, HOUR, at
from algo.data import synthetic
from algo.fastconnect.secret import Secret
from algo.live.core import Core, Step
from algo.live.log import DailyLines, RunLog, name_of
from algo.model import OrderStatus, RequestUnknown, StreamLost
from algo.orders.controls import Alarm
from algo.strategy import Strategy
from strategies.two_sided_quoter import TwoSidedQuoter
from tests.generators.live_runs import SEAT, plan_of, played
from tests.generators.traders import RandomTrader

DATA = synthetic.make(["VN30F1M"], days=3)
SECRET = "planted-secret-of-the-run"
NS = at(date(2026, 6, 9)) + 10 * HOUR


def lines(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(folder.glob("algo-*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def logged(folder: Path, strategy: type[Strategy], **parameters: Any) -> tuple[Core, list[dict[str, Any]]]:
    log = RunLog(DailyLines(folder))
    core, _ = played(plan_of(strategy, DATA, parameters), DATA, log=log)
    log.close()
    return core, lines(folder)


@pytest.mark.parametrize(("strategy", "given"), [(TwoSidedQuoter, {}), (RandomTrader, {"seed": 7})])
def test_one_name_follows_each_order_from_its_intent_to_its_end(
    tmp_path: Path, strategy: type[Strategy], given: dict[str, Any]
) -> None:
    core, found = logged(tmp_path, strategy, **given)
    stories: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        if "order" in one and one["what"] != "decision":
            stories.setdefault(one["order"], []).append(one)
    orders = core.engine.manager.every
    assert set(stories) == {name_of(order) for order in orders}
    assert len(orders) > 20
    for order in orders:
        story = stories[name_of(order)]
        assert [one["what"] for one in story].count("intent") == 1
        assert story[0]["what"] == "intent"
        last = [one for one in story if one["what"] == "order"][-1]
        assert last["status"] == str(order.status)
        assert last["filled"] == order.filled
        filled = sum(one["quantity"] for one in story if one["what"] == "fill")
        assert filled == order.filled
        sent = [one for one in story if one["what"] == "command" and one["command"] == "place"]
        assert bool(sent) == bool(order.order_id)


def test_there_is_a_file_for_each_day_of_the_market(tmp_path: Path) -> None:
    _, found = logged(tmp_path, TwoSidedQuoter)
    days = Counter(one["time"][:10] for one in found)
    names = [path.name for path in sorted(tmp_path.glob("*"))]
    assert names == [f"algo-{day}.jsonl" for day in sorted(days)]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("*"))


def test_decisions_commands_and_outcomes_stand_in_their_order(tmp_path: Path) -> None:
    _, found = logged(tmp_path, TwoSidedQuoter)
    whats = Counter(one["what"] for one in found)
    assert {"run", "decision", "intent", "command", "order", "fill"} <= set(whats)
    first = next(one for one in found if one["what"] == "command")
    story = [one["what"] for one in found if one.get("order") == first["order"]]
    assert story[:3] == ["intent", "command", "order"]


def core_of() -> Core:
    return Core(plan_of(TwoSidedQuoter, DATA))


def nothing(**given: Any) -> Step:
    return Step(
        *(
            given.get(name, kind())
            for name, kind in zip(Step._fields, (list, list, dict, list, list), strict=True)
        )
    )


def test_a_planted_secret_is_in_no_line(tmp_path: Path) -> None:
    log = RunLog(DailyLines(tmp_path, hide=[Secret(SECRET)]))
    core = core_of()
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    step = nothing(
        messages=[(NS, SEAT, f"my key is {SECRET}")], alarms=[Alarm(NS, "sign-in", "", f"refused {token}")]
    )
    log.step(NS, StreamLost(NS, f"refused {SECRET}"), step, core)
    log.step(NS, RequestUnknown("1", "x", NS, f"sent {SECRET}"), nothing(), core)
    log.note(NS, "problem", text=SECRET)
    log.close()
    text = "".join(path.read_text() for path in tmp_path.glob("*"))
    assert SECRET not in text
    assert token not in text
    assert text.count("<secret>") == 5


def test_a_full_or_missing_disk_ends_the_log_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    log = RunLog(DailyLines(tmp_path / "file" / "logs"), told.append)
    for _ in range(3):
        log.step(NS, StreamLost(NS, "x"), nothing(), core_of())
    assert len(told) == 1
    assert "the log in" in told[0]


def test_old_files_go_and_others_stay(tmp_path: Path) -> None:
    for name in ("algo-2026-03-01.jsonl", "algo-2026-06-01.jsonl", "algo-notes.jsonl", "mine.txt"):
        (tmp_path / name).write_text("")
    out = DailyLines(tmp_path)
    out.write(NS, [{"what": "x"}])
    out.write(NS + DAY, [{"what": "y"}])
    out.close()
    assert sorted(path.name for path in tmp_path.glob("*")) == [
        *(f"algo-2026-06-{day}.jsonl" for day in ("01", "09", "10")),
        "algo-notes.jsonl",
        "mine.txt",
    ]


def test_an_order_from_before_is_followed_on_and_not_told_as_new(tmp_path: Path) -> None:
    core, _ = played(plan_of(TwoSidedQuoter, DATA), DATA)
    order = core.engine.manager.every[-1]
    order.status = OrderStatus.WORKING
    log = RunLog(DailyLines(tmp_path))
    log.begin(NS, core, version="1")
    log.step(NS, StreamLost(NS, "x"), nothing(), core)
    order.status = OrderStatus.CANCELLED
    log.step(NS, StreamLost(NS, "x"), nothing(), core)
    log.close()
    found = lines(tmp_path)
    assert found[0]["open_orders"] == 1
    assert [one["what"] for one in found] == ["run", "stream lost", "stream lost", "order"]
    assert found[-1]["order"] == name_of(order)
