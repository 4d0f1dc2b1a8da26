"""Corporate actions from a CSV file: what is written is read, and what is wrong is named with its row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import at
from algo.data.actions import read_actions
from algo.errors import DataError
from algo.model import CorporateAction

DAYS = st.dates(date(2010, 1, 1), date(2030, 1, 1))
RATIOS = st.sampled_from([(1, 1), (2, 1), (11, 10), (115, 100)])
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["FPT", "HPG"]), DAYS, st.integers(1, 50_000), st.none() | DAYS, RATIOS),
    max_size=8,
)


@given(ACTIONS)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]
) -> None:
    path = tmp_path_factory.mktemp("actions") / "actions.csv"
    lines = ["symbol,ex_date,dividend,ratio,pay_date"]
    wanted = []
    for symbol, day, dividend, paid, (new, old) in rows:  # type: ignore[misc]
        lines.append(f"{symbol},{day},{dividend},{new}:{old},{paid or ''}")
        low = CorporateAction(at(day), str(symbol), dividend, at(paid) if paid else 0, new, old)
        wanted.append(low)
    path.write_text("\n".join(lines), encoding="utf-8")
    found = read_actions(path)
    key = lambda one: (one.ns, one.symbol, one.dividend, one.ratio_new / one.ratio_old, one.paid_ns)  # noqa: E731
    assert sorted(map(key, found)) == sorted(map(key, wanted))
    assert [one.ns for one in found] == sorted(one.ns for one in wanted)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("symbol,ex_dat\nFPT,2024-01-02", "unknown column 'ex_dat'"),
        ("symbol,dividend\nFPT,5", "no column ex_date"),
        ("", "no column symbol"),
        ("symbol,ex_date,dividend\nFPT,soon,5", "row 1: ex_date is a date such as 2024-06-13, not 'soon'"),
        ("symbol,ex_date,dividend\nFPT,2024-01-02,5\n,2024-01-02,5", "row 2 has no symbol"),
        ("symbol,ex_date,dividend\nFPT,2024-01-02,-5", "dividend is whole đồng a share from 0, not '-5'"),
        ("symbol,ex_date,dividend\nFPT,2024-01-02,much", "not 'much'"),
        ("symbol,ex_date,ratio\nFPT,2024-01-02,0:1", "ratio is new shares for old ones"),
        ("symbol,ex_date,ratio\nFPT,2024-01-02,1:0", "ratio is new shares for old ones"),
        ("symbol,ex_date,ratio\nFPT,2024-01-02,two", "not 'two'"),
        ("symbol,ex_date,ratio\nFPT,2024-01-02,", "neither a dividend nor a ratio"),
        ("symbol,ex_date,pay_date,ratio\nFPT,2024-01-02,later,2:1", "pay_date is a date"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_actions(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_actions(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_actions(tmp_path)
    (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a CSV file"):
        read_actions(tmp_path / "noise.csv")
