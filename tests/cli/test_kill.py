"""The kill switch from another terminal: with a run that answers, and from outside of one that does not."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from algo.errors import SettingError
from algo.journal import Journal
from algo.live.latch import Latch
from algo.live.operator_port import OperatorPort, port_file
from algo.model import Side
from tests.cli.conftest import Command
from tests.cli.sandboxed import reached

ORDER = {
    "order_id": "20250702-10000010", "broker_id": "7", "strategy": "sma", "symbol": "FPT", "side": "buy",
    "leaves": 100, "status": "working",
}  # fmt: skip


def facts(**given: Any) -> dict[str, Any]:
    base = {
        "killed": "",
        "not_ready": "",
        "halts": {},
        "open_orders": [],
        "positions": {},
        "locked": {},
        "others": 0,
    }
    return base | given


@contextmanager
def a_run(journal: Path, answer: Callable[[str, str], Awaitable[dict[str, Any]]]) -> Iterator[None]:
    """Something that answers at a run's port, in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    port = OperatorPort(journal, answer)
    asyncio.run_coroutine_threadsafe(port.__aenter__(), loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(port.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "live.journal"
    Journal.open(path).close()
    return path


def run_of(asked: list[tuple[str, str]], **after: Any) -> Callable[[str, str], Awaitable[dict[str, Any]]]:
    async def answer(action: str, detail: str) -> dict[str, Any]:
        asked.append((action, detail))
        return facts(open_orders=[ORDER]) if action == "status" else facts(**after)

    return answer


def test_a_run_that_answers_is_told_and_the_latch_is_set_first(journal: Path, algo: Command) -> None:
    asked: list[tuple[str, str]] = []
    seen: list[str] = []
    plain = run_of(asked, positions={"sma": {"FPT": 300}}, locked={"FPT": 100}, others=2)

    async def answer(action: str, detail: str) -> dict[str, Any]:
        seen.append(Latch(journal).reason())
        return await plain(action, detail)

    with a_run(journal, answer):
        result = algo("kill", "--journal", str(journal), "--reason", "bad news", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert asked == [("status", ""), ("kill", "bad news")]
    assert seen == ["bad news"] * 2
    assert found["cancelled"] == [ORDER]
    assert (found["by"], found["done"], found["open"]) == ("the run", True, [])
    assert (found["positions"], found["locked"], found["others"]) == ({"FPT": 300}, {"FPT": 100}, 2)


def test_orders_that_stay_are_shown_with_exit_code_1(journal: Path, algo: Command) -> None:
    with a_run(journal, run_of([], open_orders=[ORDER])):
        result = algo("kill", "--journal", str(journal))
    assert result.exit_code == 1
    assert "Still open" in result.stdout
    assert ORDER["order_id"] in result.stdout
    assert "algo resume" in result.stdout


@pytest.mark.parametrize(
    ("positions", "locked", "code"),
    [({}, {}, 0), ({"a": {"FPT": 100}}, {"FPT": 100}, 0), ({"a": {"FPT": 200}}, {"FPT": 100}, 1)],
)
def test_flattening_is_done_when_only_what_is_locked_stays(
    journal: Path, algo: Command, positions: Any, locked: Any, code: int
) -> None:
    asked: list[tuple[str, str]] = []
    with a_run(journal, run_of(asked, positions=positions, locked=locked)):
        assert algo("kill", "--flatten", "--journal", str(journal)).exit_code == code
    assert asked[-1][0] == "flatten"


def test_a_wrong_journal_is_no_kill(tmp_path: Path, algo: Command) -> None:
    for command in ("kill", "resume"):
        result = algo(command, "--journal", str(tmp_path / "other.journal"))
        assert result.exit_code == 2
        assert "there is no journal" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_run_and_broker_the_latch_holds_all_the_same(
    journal: Path, algo: Command, tmp_path: Path
) -> None:
    missing = tmp_path / "gone.json"
    result = algo("kill", "--journal", str(journal), "--credentials", str(missing), "--reason", "x")
    assert result.exit_code == 1
    assert "latch is set" in result.stderr
    assert Latch(journal).reason() == "x"


def test_resume_lifts_the_latch_with_and_without_a_run(journal: Path, algo: Command) -> None:
    Latch(journal).set("bad news")
    result = algo("resume", "--journal", str(journal), "--json")
    assert json.loads(result.stdout) == {"lifted": True, "was": "bad news", "run": False, "halts": []}
    assert Latch(journal).reason() == ""
    asked: list[tuple[str, str]] = []
    with a_run(journal, run_of(asked)):
        result = algo("resume", "--journal", str(journal), "--reason", "all is well")
    assert result.exit_code == 0
    assert "Nothing was latched" in result.stdout
    assert asked == [("resume", "all is well")]


def test_a_run_that_refuses_counts_as_none(journal: Path, algo: Command) -> None:
    async def answer(_action: str, _detail: str) -> dict[str, Any]:
        raise SettingError("no")

    with a_run(journal, answer):
        result = algo("kill", "--journal", str(journal), "--credentials", "gone.json")
    assert result.exit_code == 1
    assert "the run answered: no" in result.stderr


@pytest.mark.slow
def test_from_outside_own_orders_go_and_all_others_stay(tmp_path: Path, algo: Command) -> None:
    with reached(tmp_path) as world:
        brokerage = world.sandbox.sandbox.world
        reference = {state.symbol: state.reference for state in brokerage.tape.states.values()}
        fpt, hpg = (int(reference[name] * 0.96) // 50 * 50 for name in ("FPT", "HPG"))
        own = world.place(
            ("FPT", Side.BUY, 100, fpt), ("HPG", Side.BUY, 100, hpg), ("FPT", Side.BUY, 200, fpt)
        )
        world.place(("HPG", Side.BUY, 300, hpg), known=False)  # looks like ours, and no journal has it
        world.sandbox.control("order", symbol="FPT", side="buy", quantity=500, price=fpt)  # by hand
        assert world.working() == ["FPT", "FPT", "FPT", "HPG", "HPG"]
        port_file(world.journal).write_text('{"port": 1, "token": "x"}')  # of a run that crashed
        result = algo(
            "kill", "--journal", str(world.journal), "--credentials", str(world.credentials), "--json"
        )
        assert result.exit_code == 0, result.stdout + result.stderr
        found = json.loads(result.stdout)
        assert sorted(one["order_id"] for one in found["cancelled"]) == sorted(own)
        assert [one["quantity"] for one in found["probable"]] == [300]
        assert found["others"] == 1
        assert world.working() == ["FPT", "HPG"]
        again = algo("kill", "--journal", str(world.journal), "--credentials", str(world.credentials))
        assert again.exit_code == 0
        assert "Probably" in again.stdout
        assert world.working() == ["FPT", "HPG"]
        assert Latch(world.journal).reason() == "killed by the operator"
