"""Faults of rows: each is found where it was planted, refused with its place, and mended on request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.data.findings import Severity
from algo.data.reading import examine, read
from algo.data.series import Series
from algo.data.synthetic import make
from algo.errors import DataError
from tests.data.layouts import moments
from tests.generators.bars import same_bars

CLEAN = make(["FPT"], days=2)["FPT"].take(slice(0, 120))
Plant = Callable[[pd.DataFrame, int], pd.DataFrame]


def setting(column: str, value: object) -> Plant:
    def plant(frame: pd.DataFrame, at: int) -> pd.DataFrame:
        frame[column] = frame[column].astype(object if isinstance(value, str) else float)
        frame.loc[at, column] = value
        return frame

    return plant


def upside_down(frame: pd.DataFrame, at: int) -> pd.DataFrame:
    frame.loc[at, ["High", "Low"]] = [1_000, 900_000]
    return frame


def moved_on(frame: pd.DataFrame, at: int) -> pd.DataFrame:
    """The row stands one place too late."""
    order = list(range(len(frame)))
    order[at], order[at - 1] = order[at - 1], order[at]
    return frame.iloc[order].reset_index(drop=True)


def twice(frame: pd.DataFrame, at: int, change: int = 0) -> pd.DataFrame:
    again = frame.iloc[[at]].copy()
    again["Volume"] += change
    return pd.concat([frame.iloc[: at + 1], again, frame.iloc[at + 1 :]]).reset_index(drop=True)


def twice_differently(frame: pd.DataFrame, at: int) -> pd.DataFrame:
    return twice(frame, at, 100)


FATAL: dict[str, list[Plant]] = {
    "no time": [setting("Date", ""), setting("Date", "soon")],
    "missing price": [setting("Close", np.nan), setting("Open", np.inf)],
    "price not above zero": [setting("Low", 0.0), setting("Low", -1.0)],
    "negative volume": [setting("Volume", -5.0)],
    "out of order": [moved_on],
    "duplicate time": [twice_differently],
    "high below low": [upside_down],
}
HARMLESS: dict[str, list[Plant]] = {
    "repeated row": [twice],
    "open or close outside its bar": [setting("Close", 250_000.0), setting("Open", 60_000.0)],
    "missing volume": [setting("Volume", np.nan)],
}


def cases(table: dict[str, list[Plant]]) -> st.SearchStrategy[tuple[str, Plant]]:
    return st.sampled_from([(kind, plant) for kind, plants in table.items() for plant in plants])


def planted(plant: Plant, at: int) -> pd.DataFrame:
    return plant(moments(CLEAN).reset_index(), at)


@given(cases(FATAL), st.integers(1, len(CLEAN) - 2))
def test_a_fatal_fault_is_named_with_its_row(case: tuple[str, Plant], at: int) -> None:
    kind, plant = case
    frame = planted(plant, at)
    (reading,) = examine(frame, symbol="FPT")
    assert reading.series is None
    assert reading.error is not None
    assert reading.error.kind == kind
    row = at + 1
    assert f"row {row:,}" in reading.error.first
    with pytest.raises(DataError, match=kind) as caught:
        read(frame, symbol="FPT")
    assert "\n" not in str(caught.value)
    assert "repair" in str(caught.value)


@given(cases(FATAL), st.integers(1, len(CLEAN) - 2))
def test_a_repair_leaves_every_other_bar_as_it_was(case: tuple[str, Plant], at: int) -> None:
    kind, plant = case
    (reading,) = examine(planted(plant, at), symbol="FPT", repair=True)
    assert reading.series is not None
    assert reading.error is None
    finding = next(one for one in reading.findings if one.kind == kind)
    assert finding.done
    assert finding.remedy
    others = np.arange(len(CLEAN)) != at
    kept = reading.series.take(np.isin(reading.series.time, CLEAN.time[others]))
    assert same_bars(kept, CLEAN.take(others))
    assert any(kind in note for note in reading.series.notes)


@given(cases(HARMLESS), st.integers(1, len(CLEAN) - 2))
def test_a_harmless_fault_is_mended_and_reported(case: tuple[str, Plant], at: int) -> None:
    kind, plant = case
    series = read(planted(plant, at), symbol="FPT")
    assert isinstance(series, Series)
    assert len(series) == len(CLEAN)
    assert any(kind in note and "row" in note for note in series.notes)
    others = np.arange(len(CLEAN)) != at
    assert same_bars(series.take(others), CLEAN.take(others))


@given(st.permutations(range(40)))
def test_a_repair_sorts_any_order(order: list[int]) -> None:
    clean = CLEAN.take(slice(0, 40))
    frame = moments(clean).reset_index().iloc[order]
    (reading,) = examine(frame, symbol="FPT", repair=True)
    assert reading.series is not None
    assert same_bars(reading.series, clean)


def test_newest_first_is_a_layout() -> None:
    series = read(moments(CLEAN).iloc[::-1], symbol="FPT")
    assert isinstance(series, Series)
    assert same_bars(series, CLEAN)
    (reading,) = examine(moments(CLEAN).iloc[::-1], symbol="FPT")
    assert next((one.kind, one.severity) for one in reading.findings) == ("newest first", Severity.INFO)


def test_a_wide_range_is_what_the_close_needs() -> None:
    series = read(planted(setting("Close", 250_000.0), 7), symbol="FPT")
    assert isinstance(series, Series)
    assert series.high[7] == series.close[7] == 250_000.0


def test_rows_that_are_all_bad_leave_nothing() -> None:
    frame = moments(CLEAN).assign(Close=0.0)
    (reading,) = examine(frame, symbol="FPT", repair=True)
    assert reading.series is None
    with pytest.raises(DataError, match="no rows of FPT can be used"):
        read(frame, symbol="FPT", repair=True)


def test_the_message_names_the_command_for_a_file(tmp_path: Path) -> None:
    path = tmp_path / "FPT.csv"
    planted(upside_down, 3).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"row 4, .*algo data import .*FPT\.csv --repair"):
        read(path)
