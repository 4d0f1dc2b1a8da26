"""Rows for people and other programs: strict JSON with named fields, the same rows in CSV."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.journal import Row, RowKind
from algo.journal.export import concerns, facts, plain, write
from algo.market import instrument_of
from algo.model import Bar, OrderFilled, OrderType, PlaceOrder, Side, Trigger, TriggerKind
from tests.generators.recorded import anything, registered

DAY = date(2026, 6, 11)
FUTURE = instrument_of("VN30F1M")
COMMAND = PlaceOrder(
    "10000017", "20260611-10000017", "cross", FUTURE, Side.SELL, OrderType.LO, 12025, 2,
    Trigger(TriggerKind.DOWN, 12020),
)  # fmt: skip


@given(registered | anything)
def test_every_value_becomes_strict_json(value: Any) -> None:
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text) == plain(value)


def test_fields_have_names_and_enums_are_words() -> None:
    told = plain(COMMAND)
    assert told["side"] == "SELL"
    assert told["instrument"]["symbol"] == "VN30F1M"
    assert told["trigger"] == {"kind": "DOWN", "price": 12020, "step": 0, "profit_step": 0, "loss_step": 0}
    assert plain(Bar("FPT", 1, float("nan"), float("inf"), 1.0, 1.0, 5, 0, "FPT"))["open"] == "nan"


def test_the_story_of_an_order_is_found_by_any_of_its_ids() -> None:
    fill = OrderFilled("20260611-10000017", 1, 12025, 2, "5")
    for value in (COMMAND, fill, {"seen": [COMMAND]}):
        for name in ("10000017", "20260611-10000017"):
            assert concerns(plain(value), name)
        for name in ("10000018", "0000017", "", "cross"):
            assert not concerns(plain(value), name)


@given(values=st.lists(registered | anything, max_size=6), suffix=st.sampled_from([".jsonl", ".csv", ".CSV"]))
def test_both_forms_have_every_row(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], suffix: str
) -> None:
    out = tmp_path_factory.mktemp("x") / f"day{suffix}"
    rows = [Row(number, DAY, 10**18, RowKind.INPUT, value) for number, value in enumerate(values, start=1)]
    assert write(rows, out) == len(rows)
    if suffix == ".jsonl":
        found = [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n")[:-1]]
    else:
        with out.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
        for one in found:
            one |= {"seq": int(one["seq"]), "ns": int(one["ns"]), "value": json.loads(one["value"])}
    assert found == [facts(row) for row in rows]
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_what_is_no_unicode_is_exported_as_its_escape(tmp_path: Path) -> None:
    write([Row(1, DAY, 1, RowKind.NOTE, "lone \ud800, Việt")], tmp_path / "day.jsonl")
    (line,) = (tmp_path / "day.jsonl").read_text(encoding="utf-8").splitlines()
    assert "lone \\ud800, Việt" in line
    assert json.loads(line)["value"] == "lone \ud800, Việt"


def test_an_export_goes_to_a_known_form_and_a_place_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"ends in \.jsonl or \.csv"):
        write([], tmp_path / "day.xml")
    with pytest.raises(SettingError, match="cannot write"):
        write([], tmp_path / "nowhere" / "day.csv")


def test_rows_that_cannot_be_read_leave_no_file(tmp_path: Path) -> None:
    def rows() -> Any:
        yield Row(1, DAY, 1, RowKind.NOTE, "one")
        raise SettingError("damaged")

    with pytest.raises(SettingError, match="damaged"):
        write(rows(), tmp_path / "day.csv")
    assert list(tmp_path.iterdir()) == []
