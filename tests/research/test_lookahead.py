"""Look-ahead: every planted cheat is found and named, honest strategies pass, whatever they do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.backtest import Settings
from algo.brokers.paper import FillRules
from algo.data import synthetic
from algo.errors import DataError, SettingError, StrategyError
from algo.loading import load_strategy
from algo.research.lookahead import Difference, look_ahead
from algo.research.reach import watching
from algo.strategy import Strategy
from tests.data.layouts import moments
from tests.generators.traders import HONEST, INDICATOR_CHEATS, TABLE_CHEATS, RandomTrader

MARKET = synthetic.make(("VN30F1M", "FPT"), days=15)  # with a roll
BARS = synthetic.make(("VN30F1M",), days=2)["VN30F1M"]
PRINCIPAL = {"equity": 10_000_000_000, "derivatives": 10_000_000_000}


def loaded(folder: Path, source: str, name: str = "cheat.py") -> type[Strategy]:
    (folder / name).write_text(source, encoding="utf-8")
    return load_strategy(folder / name)


def kinds(found: list[Difference]) -> set[str]:
    return {one.kind for one in found}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    moments(BARS).to_csv("bars.csv")
    return tmp_path


@pytest.mark.parametrize("source", INDICATOR_CHEATS.values(), ids=INDICATOR_CHEATS)
def test_an_indicator_that_looks_ahead_is_found(folder: Path, source: str) -> None:
    found = look_ahead(loaded(folder, source), {"VN30F1M": BARS})
    assert "indicator" in kinds(found)
    one = next(one for one in found if one.kind == "indicator")
    assert one.what.endswith("() of VN30F1M")
    assert one.before != one.after
    assert int(BARS.time[0]) <= one.ns <= int(BARS.time[one.bars - 1])
    assert "\n" not in str(one)


def test_decisions_that_change_are_found_with_their_moment(folder: Path) -> None:
    found = look_ahead(loaded(folder, INDICATOR_CHEATS["scaled by the highest of all"]), {"VN30F1M": BARS})
    decision = next(one for one in found if one.kind == "decision")
    assert decision.before != decision.after
    assert decision.ns in BARS.time.tolist()


@pytest.mark.parametrize("source", TABLE_CHEATS.values(), ids=TABLE_CHEATS)
def test_a_table_of_the_future_is_found(folder: Path, source: str) -> None:
    found = look_ahead(loaded(folder, source), {"VN30F1M": BARS}, cuts=3)
    assert kinds(found) == {"future"}
    assert all("holds later prices of VN30F1M" in one.what for one in found)


def test_a_table_in_a_module_beside_the_strategy_is_found(folder: Path) -> None:
    name = f"prices_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text(
        "import pandas as pd\nDATA = pd.read_csv('bars.csv')\n", encoding="utf-8"
    )
    source = f"import {name}\n{HONEST}"
    try:
        found = look_ahead(loaded(folder, source), {"VN30F1M": BARS}, cuts=2)
    finally:
        sys.modules.pop(name, None)
    assert kinds(found) == {"future"}


def test_the_past_may_be_kept(folder: Path) -> None:
    assert look_ahead(loaded(folder, HONEST), {"VN30F1M": BARS}) == []


def test_an_earlier_run_in_memory_is_the_past_too(folder: Path) -> None:
    source = HONEST.replace("class Honest", "EVER = []\n\n\nclass Honest").replace(
        "        self.closes.append(bar.close)\n", "        EVER.append(bar.close)\n"
    )
    assert look_ahead(loaded(folder, source), {"VN30F1M": BARS}, cuts=3) == []


def test_chance_is_told_from_look_ahead(folder: Path) -> None:
    source = HONEST.replace("import numpy as np", "import random").replace(
        "if bar.close > self.average[-1]", "if random.random() < 0.5"
    )
    assert kinds(look_ahead(loaded(folder, source), {"VN30F1M": BARS})) == {"chance"}


def test_a_strategy_that_raises_only_when_it_knows_more_differs(folder: Path) -> None:
    source = INDICATOR_CHEATS["negative shift"] + "        assert self.sign[-1] < 90\n"
    spoiled = source.replace("series.shift(-1) - series", "series * 0 + (100 if len(close) > 400 else 50)")
    found = look_ahead(loaded(folder, spoiled), {"VN30F1M": BARS})
    assert any("raise" in one.after for one in found if one.kind == "decision")


@pytest.mark.parametrize("symbol", ["VN30F1M", "FPT"])
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), cuts=st.integers(1, 4), late=st.booleans())
def test_no_strategy_can_look_ahead_through_the_framework(
    symbol: str, seed: int, cuts: int, late: bool
) -> None:
    found = look_ahead(
        RandomTrader,
        {symbol: MARKET[symbol]},
        parameters={"symbol": symbol, "seed": seed},
        settings=Settings(cash=PRINCIPAL, rules=FillRules(fill="close" if late else "open")),
        cuts=cuts,
    )
    assert found == []


def test_a_strategy_that_simply_raises_is_no_cheat_but_no_proof_either(folder: Path) -> None:
    source = HONEST + "        if len(self.closes) == 30:\n            raise ValueError('enough')\n"
    with pytest.raises(StrategyError, match=r"enough at cheat.py:\d+"):
        look_ahead(loaded(folder, source), {"VN30F1M": BARS}, cuts=2)


def test_the_same_question_has_the_same_answer_and_progress_comes_to_its_end(folder: Path) -> None:
    cheat = loaded(folder, INDICATOR_CHEATS["centred window"])
    steps: list[int] = []
    first = look_ahead(cheat, {"VN30F1M": BARS}, cuts=4, on_progress=steps.append)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert look_ahead(cheat, {"VN30F1M": BARS}, cuts=4) == first


@pytest.mark.parametrize(
    ("series", "cuts", "error"),
    [
        ({}, 3, DataError),
        ({"VN30F1M": BARS.take(slice(0, 3))}, 3, SettingError),
        ({"VN30F1M": BARS}, 0, SettingError),
    ],
)
def test_what_cannot_be_checked_is_said(series: dict[str, Any], cuts: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        look_ahead(RandomTrader, series, cuts=cuts)


def test_a_file_that_is_opened_is_noted_with_its_line(folder: Path) -> None:
    code = compile("def look():\n    return open('bars.csv').read(3)\n", str(folder / "user.py"), "exec")
    names: dict[str, Any] = {}
    exec(code, names)
    with watching([folder / "bars.csv"]) as watched:
        names["look"]()
        (folder / "other.csv").write_text("x", encoding="utf-8")
    assert watched.opened == {str(folder / "bars.csv"): "user.py:2"}
    watched.opened.clear()
    names["look"]()
    assert watched.opened == {}
