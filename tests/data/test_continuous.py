"""Continuous futures: the right contract at every moment, with or without its name in the data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import HOUR, at, local_date
from algo.data.continuous import contracts_at, rolls, splice, with_contracts
from algo.data.series import Series
from algo.data.synthetic import make
from algo.errors import DataError
from algo.market import front_contract, resolve
from algo.model import Board
from tests.generators.bars import same_bars, series_at

FUTURE = make(["VN30F1M"], days=70)["VN30F1M"]


@given(st.lists(st.dates(date(2017, 8, 10), date(2026, 12, 31)), min_size=1, max_size=20))
def test_every_moment_has_the_contract_of_its_day(days: list[date]) -> None:
    times = np.array([at(day, 10 * HOUR) for day in days], dtype=np.int64)
    assert contracts_at("VN30F1M", times).tolist() == [front_contract(day).code for day in days]
    assert contracts_at("VN30F2M", times).tolist() == [resolve("VN30F2M", day) for day in days]


def test_rolls_are_where_the_contract_changes() -> None:
    assert FUTURE.contract is not None
    expected = [i for i in range(1, len(FUTURE)) if FUTURE.contract[i] != FUTURE.contract[i - 1]]
    assert rolls(FUTURE).tolist() == expected
    assert len(expected) == 3
    assert rolls(replace(FUTURE, contract=None)).tolist() == []


def test_a_file_without_codes_takes_them_from_the_calendar() -> None:
    named = with_contracts(replace(FUTURE, contract=None))
    assert same_bars(named, FUTURE)
    assert any("calendar" in note for note in named.notes)
    assert with_contracts(FUTURE) is FUTURE
    share = make(["FPT"], days=1)["FPT"]
    assert with_contracts(share) is share


def each_contract() -> dict[str, Series]:
    """Every contract over the whole time, told apart by its prices."""
    assert FUTURE.contract is not None
    found = {}
    for number, code in enumerate(dict.fromkeys(FUTURE.contract.tolist())):
        prices = {name: getattr(FUTURE, name) + 100 * number for name in ("open", "high", "low", "close")}
        found[code] = replace(FUTURE, symbol=code, contract=None, **prices)
    return found


def test_splicing_takes_each_contract_in_its_time() -> None:
    parts = each_contract()
    spliced = splice(parts)
    assert spliced.symbol == "VN30F1M"
    assert spliced.time.tolist() == FUTURE.time.tolist()
    assert spliced.contract is not None
    for index in [*rolls(spliced), *(rolls(spliced) - 1), 0, len(spliced) - 1]:
        code = resolve("VN30F1M", local_date(int(spliced.time[index])))
        assert spliced.contract[index] == code
        assert spliced.close[index] == parts[code].close[index]


def test_splicing_another_place_in_the_list() -> None:
    spliced = splice(each_contract(), "VN30F2M")
    assert spliced.contract is not None
    assert spliced.contract.tolist() == contracts_at("VN30F2M", spliced.time).tolist()


def test_nothing_to_splice() -> None:
    late = series_at([at(date(2030, 1, 3), 10 * HOUR)], 60_000_000_000, Board.DERIVATIVES)
    with pytest.raises(DataError, match="is VN30F1M at the time"):
        splice({"VN30F2301": late})
    with pytest.raises(DataError, match="no alias"):
        splice({"VN30F2301": late}, "FPT")
