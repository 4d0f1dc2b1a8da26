"""Values with a history."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.market import Dated
from tests.generators.market import days


@given(st.dictionaries(days, st.integers(), min_size=1, max_size=8), days)
def test_the_latest_row_that_has_begun_holds(rows, day):
    dated = Dated(tuple(sorted(rows.items())))
    begun = [start for start in rows if start <= day]
    assert dated.at(day) == rows[max(begun) if begun else min(rows)]


def test_rows_must_rise():
    day = date(2024, 1, 2)
    for rows in ((), ((day, 1), (day, 2)), ((day, 1), (day - timedelta(days=1), 2))):
        with pytest.raises(ValueError, match="rising"):
            Dated(rows)
