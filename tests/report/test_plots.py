"""Pictures keep the extremes, mark the trades, and are the same bytes for the same run."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.report import plots
from tests.generators.results import made_result


@given(
    values=st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), max_size=400),
    most=st.integers(4, 60),
)
@settings(max_examples=200, deadline=None)
def test_a_thinned_curve_keeps_its_ends_and_extremes(values: list[float], most: int) -> None:
    curve = np.array(values, dtype=float)
    places = plots.thinned(curve, curve, most)
    assert np.all(np.diff(places) > 0)
    if curve.size <= most:
        assert places.tolist() == list(range(curve.size))
        return
    assert places.size <= most + 4
    assert (places[0], places[-1]) == (0, curve.size - 1)
    if not np.isnan(curve).all():
        assert np.nanmin(curve[places]) == np.nanmin(curve)
        assert np.nanmax(curve[places]) == np.nanmax(curve)


def marks(chart: Any) -> dict[str, list[tuple[float, float]]]:
    """The points of each kind of mark of the last panel."""
    lines = chart.axes[-1].get_lines()
    return {
        line.get_label(): list(map(tuple, line.get_xydata())) for line in lines if line.get_marker() != "None"
    }


def test_every_trade_is_marked_where_it_was() -> None:
    result = made_result(bars=1500, trades=12, seed=4)
    found = marks(plots.figure(result))
    index = result.equity.index
    for side, label in (("long", "long entry"), ("short", "short entry")):
        trades = result.trades[result.trades["side"] == side]
        expected = zip(index.get_indexer(trades["entry_time"]), trades["entry_price"], strict=True)
        assert found.get(label, []) == list(expected)
    exits = zip(index.get_indexer(result.trades["exit_time"]), result.trades["exit_price"], strict=True)
    assert found["exit"] == list(exits)


def test_more_trades_than_can_be_told_apart_are_cut_to_the_largest() -> None:
    result = made_result(bars=3000, trades=100)
    chart = plots.price(result, "VN30F1M", marked=10)
    assert "10 of 100 trades" in chart.axes[0].get_title(loc="left")
    largest = result.trades.loc[result.trades["pnl"].abs().nlargest(10).index].sort_index()
    assert [price for _, price in marks(chart)["exit"]] == largest["exit_price"].tolist()


def test_symbols_come_by_number_of_trades_and_take_their_own() -> None:
    result = made_result(bars=900, trades=5, symbols=("AAA", "BBB"))
    assert plots.drawn_symbols(result) == ["AAA", "BBB"]
    assert len(plots.trades_of(result, "AAA")) == 3
    result.trades["symbol"] = "BBB"
    assert plots.drawn_symbols(result) == ["BBB", "AAA"]


@pytest.mark.parametrize("bars", [0, 1, 2, 7, 300, 5000])
def test_any_length_draws_without_a_warning(bars: int) -> None:
    result = made_result(bars=bars, trades=1 if bars > 1 else 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plots.png(plots.figure(result)).startswith(b"\x89PNG")


def test_ticks_name_the_beginnings_of_days_or_months_or_years() -> None:
    for count, pattern in (
        (500, r"\d\d-\d\d \d\d:\d\d"),
        (3000, r"\d{4}-\d\d-\d\d"),
        (40_000, r"\d{4}-\d\d"),
    ):
        moments = made_result(bars=count, trades=0).equity.index
        places, labels = plots._ticks(moments)
        assert 2 <= len(places) == len(labels) <= 8
        assert all(re.fullmatch(pattern, label) for label in labels)
        for place, label in zip(places, labels, strict=True):
            assert label in str(moments[place])
            assert label not in str(moments[place - 1])


def test_svg_follows_the_page_and_has_no_outside_names() -> None:
    result = made_result(bars=2000, trades=10)
    drawing = plots.svg(plots.figure(result), 'a "label" & <more>')
    assert drawing.startswith('<svg class="chart"')
    assert "a &#34;label&#34; &amp; &lt;more&gt;" in drawing
    assert "http" not in drawing
    assert not re.search(r"#[0-9a-f]{6}\b", drawing), "every colour is one of the page's"
    assert {"var(--line)", "var(--gain)", "var(--loss)"} <= set(re.findall(r"var\(--\w+\)", drawing))
    identifiers = re.findall(r'\bid="([^"]+)"', drawing)
    assert set(re.findall(r'href="#([^"]+)"', drawing)) <= set(identifiers)


def test_the_same_run_gives_the_same_bytes_whatever_the_users_settings() -> None:
    import matplotlib as mpl

    first = made_result(bars=800, trades=6)
    drawing, image = plots.svg(plots.figure(first), "x"), plots.png(plots.figure(first))
    with mpl.rc_context(
        {"axes.grid": False, "font.size": 20, "figure.facecolor": "black", "savefig.dpi": 30}
    ):
        again = made_result(bars=800, trades=6)
        assert plots.svg(plots.figure(again), "x") == drawing
        assert plots.png(plots.figure(again)) == image


def test_hostile_symbols_are_text() -> None:
    result = made_result(bars=200, trades=3, symbols=("$x^{<b>&",))
    assert "$x^{&lt;b&gt;&amp;" in plots.svg(plots.figure(result), "x")


def test_a_notebook_shows_the_figure() -> None:
    assert plots.figure(made_result(bars=50, trades=1))._repr_png_().startswith(b"\x89PNG")


def test_trades_between_bars_and_after_the_last_lie_on_a_bar() -> None:
    result = made_result(bars=300, trades=2)
    result.trades["exit_time"] = result.equity.index[-1] + pd.Timedelta(minutes=5)
    assert [place for place, _ in marks(plots.figure(result))["exit"]] == [299.0, 299.0]
