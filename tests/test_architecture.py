"""The shape of the project: rooms, imports, file sizes, and a core that reads no clock and rolls no dice."""

import ast
import configparser
import itertools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

from tests.conftest import ROOT

ALGO = ROOT / "algo"
SOURCES = sorted(ALGO.rglob("*.py"))
CORE = (
    *("model", "errors", "market", "history", "parameters", "indicators", "portfolio"),
    *("strategy", "orders", "desk", "engine", "decisions", "kill_switch", "supervisor"),
)
LINES = 400

# Files that may be longer, each with the reason why its idea cannot be split.
LONGER = {
    "engine.py": "one step takes an event through market, orders, ledger and strategies in a fixed order",
    "orders/manager.py": "every event that can move an order or a request, beside the table that allows it",
}

# What a file of the core may not call: each answers differently when asked again.
UNREPEATABLE = {
    *(f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter") for unit in ("", "_ns")),
    *(
        f"{place}.{name}"
        for place in ("datetime", "datetime.datetime")
        for name in ("now", "utcnow", "today")
    ),
    *(
        "date.today",
        "datetime.date.today",
        "uuid.uuid1",
        "uuid.uuid4",
        "os.urandom",
        "open",
        "input",
        "print",
    ),
}
# Random numbers are repeatable when the generator is made with a seed.
SEEDED = {"default_rng", "Random", "SeedSequence", "RandomState", "PCG64"}


def core_files() -> list[Path]:
    """Every file of the rooms that promise to be pure, of those that exist."""
    places = [ALGO / room for room in CORE] + [ALGO / f"{room}.py" for room in CORE]
    return sorted(path for place in places for path in ([place] if place.is_file() else place.rglob("*.py")))


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def unrepeatable(source: str) -> Iterator[str]:
    """Each call in `source` whose answer is not settled by its arguments, as `line: call`."""
    tree = ast.parse(source)
    names = {  # what a name of this file stands for: np -> numpy, now -> datetime.now
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        if isinstance(node, ast.ImportFrom)
        else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not (called := dotted(node.func)):
            continue
        head, _, rest = called.partition(".")
        called = names.get(head, head) + (f".{rest}" if rest else "")
        last = called.rpartition(".")[2]
        if "random" in called.split(".")[:-1]:
            if last not in SEEDED or not (node.args or node.keywords):
                yield f"{node.lineno}: {called}"
        elif called in UNREPEATABLE:
            yield f"{node.lineno}: {called}"


@pytest.mark.parametrize("path", core_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_answers_the_same_when_asked_again(path: Path) -> None:
    assert list(unrepeatable(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import time_ns as now\nnow()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\ndt.datetime.now(tz=None)",
        "import random\nrandom.random()",
        "from random import shuffle\nshuffle([])",
        "import numpy as np\nnp.random.default_rng()",
        "import numpy as np\nnp.random.rand(3)",
        "open('x')",
    ],
)
def test_that_rule_sees_every_spelling(source: str) -> None:
    assert list(unrepeatable(source))


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.random.default_rng(7)",
        "from datetime import datetime\ndatetime(2024, 1, 2)",
        "clock.now()",
    ],
)
def test_that_rule_lets_repeatable_calls_pass(source: str) -> None:
    assert not list(unrepeatable(source))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_named_after_an_idea(path: Path) -> None:
    name = path.relative_to(ALGO).as_posix()
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LINES or name in LONGER, f"{name} has {lines} lines: what is the second idea in it?"
    assert not {"util", "utils", "helper", "helpers", "misc", "common"} & set(
        path.relative_to(ALGO).with_suffix("").parts
    )


def test_the_list_of_longer_files_has_no_leftovers() -> None:
    short = [name for name in LONGER if len((ALGO / name).read_text(encoding="utf-8").splitlines()) <= LINES]
    assert short == []


@pytest.mark.parametrize("path", sorted((ROOT / "strategies").glob("**/*.py")), ids=lambda path: path.name)
def test_a_strategy_sees_the_public_names_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        inner = [name for name in modules if name.startswith("algo.")]
        assert not inner, f"{path.name}:{node.lineno} imports {inner[0]}: use `from algo import …`"  # type: ignore[attr-defined]


def test_every_room_of_the_core_is_under_the_contract_against_io() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    named = set(contracts["importlinter:contract:io"]["source_modules"].split())
    there = {f"algo.{room}" for room in CORE if (ALGO / room).is_dir() or (ALGO / f"{room}.py").is_file()}
    assert named == there, f"set source_modules of the contract `io` in .importlinter to {sorted(there)}"


BASE = {"model", "errors", "clock", "durable"}
READS = {"history", "parameters", "indicators", "portfolio"}
SHELLS = {"journal", "data", "brokers"}
EDGES = SHELLS | {"fastconnect"}
CORE_BELOW_BACKTEST = BASE | {"market", "strategy", "orders", "desk", "engine"} | READS
WATCH = {"decisions", "kill_switch", "supervisor"}
RUN = {"simulation", "store", "valuation", "report", "result", "outcome"}
ROOMS = {  # room: what it may import, as docs/architecture.md has it
    "market": BASE,
    **{room: BASE | {"market"} for room in READS},
    "strategy": BASE | {"market"} | READS,
    "orders": BASE | {"market"} | READS,
    "desk": BASE | {"market", "strategy", "orders"} | READS,
    "engine": CORE_BELOW_BACKTEST - {"engine"},
    **dict.fromkeys(("decisions", "kill_switch"), CORE_BELOW_BACKTEST),
    "supervisor": CORE_BELOW_BACKTEST | {"decisions", "kill_switch"},
    "fastconnect": BASE | {"market"},
    **{room: (BASE | {"market", "portfolio"} | EDGES) - {room} for room in SHELLS},
    "sandbox": BASE | {"market", "portfolio"} | EDGES,
    **{
        room: CORE_BELOW_BACKTEST | WATCH | EDGES | {"sandbox"}
        for room in ("simulation", "store", "valuation", "report")
    },
    "result": CORE_BELOW_BACKTEST | WATCH | EDGES | {"sandbox"} | RUN - {"result", "outcome"},
    "outcome": CORE_BELOW_BACKTEST | WATCH | EDGES | {"sandbox"} | RUN - {"outcome"},
    "backtest": CORE_BELOW_BACKTEST | WATCH | EDGES | RUN,
    "live": CORE_BELOW_BACKTEST | WATCH | EDGES | RUN | {"sandbox", "config"},
    "loading": CORE_BELOW_BACKTEST | WATCH | RUN,
    "research": CORE_BELOW_BACKTEST
    | WATCH
    | EDGES
    | RUN
    | {"sandbox", "config", "backtest", "live", "loading"},
}


@pytest.mark.slow
def test_the_contracts_say_what_the_architecture_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package with every room and one import in it: allowed where the map allows it, else reported."""
    house = tmp_path / "house"
    house.mkdir()
    rooms = [*ROOMS, *sorted(BASE), "config", "sim", "research", "testing", "cli"]
    for room in ["__init__", *rooms]:
        (house / f"{room}.py").touch()
    contracts = re.sub(r"\balgo\b", "house", (ROOT / ".importlinter").read_text(encoding="utf-8"))
    contracts = re.sub(r"^ignore_imports =\n.*\n", "", contracts, flags=re.MULTILINE)
    # What two rooms inside of rooms may do is no matter of this map.
    contracts = re.sub(r"^\[importlinter:contract:services\][^\[]*", "", contracts, flags=re.MULTILINE)
    (tmp_path / "contracts.ini").write_text(contracts, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [os.fspath(tmp_path), *sys.path])
    configure()

    wrong = []
    for importer, imported in itertools.product(ROOMS, rooms):
        if importer == imported:
            continue
        (house / f"{importer}.py").write_text(f"import house.{imported}\n", encoding="utf-8")
        kept = lint_imports("contracts.ini", cache_dir=None)
        (house / f"{importer}.py").write_text("", encoding="utf-8")
        if kept != (imported in ROOMS[importer]):
            wrong.append(f"{importer} -> {imported}: {'let pass' if kept else 'reported'}")
    assert wrong == []
