"""The report is one page that stands alone, escapes all text and says what the run said."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from algo.report import page as report
from algo.report.statistics import statistics
from tests.generators.results import made_result

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page: whether its tags match, its addresses, its tables and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [
            value or "" for key, value in attrs if key in {"href", "src", "xlink:href", "action"}
        ]
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & set(self.open[-2:]):
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row and row[0] == first)


def read(result: Any) -> Page:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = Page(report.html(result))
    assert page.open == []
    assert not page.tags & {"script", "link", "iframe", "object"}
    assert all(address.startswith("#") for address in page.addresses)
    return page


def test_the_page_stands_alone() -> None:
    text = report.html(made_result(bars=2000, trades=30, symbols=("FPT", "HPG")))
    assert text.startswith("<!doctype html>")
    for outside in ("http:", "https:", "//cdn", "@import", "url(http"):
        assert outside not in text


def test_the_page_says_what_the_run_said() -> None:
    result = made_result(bars=3000, trades=20, warnings=["12 fills were capped"])
    page = read(result)
    stats = result.stats
    assert page.row("Net profit")[1] == f"{stats['net_profit']:,} đ".replace("-", "−")
    assert page.row("Sharpe ratio")[1] == f"{stats['sharpe']:,.2f}".replace("-", "−")
    assert page.row("Fees")[1] == f"{stats['fees']:,} đ"
    assert page.row("fast") == ["fast", "20"]
    assert page.row("slippage") == ["slippage", "1 tick"]
    assert "12 fills were capped" in page.text
    assert page.row("All")[1:4] == [
        f"{stats[key]:,}" if key != "both" else f"{stats['fees'] + stats['taxes']:,}"
        for key in ("fees", "taxes", "both")
    ]
    table = [row for row in page.rows if len(row) == 10][1:]
    assert len(table) == 20
    for row, trade in zip(table, result.trades.itertuples(), strict=True):
        assert row[0:3] == [trade.symbol, trade.side, "1"]
        assert row[3] == trade.entry_time.strftime("%Y-%m-%d %H:%M")
        assert float(row[4].replace(",", "")) == trade.entry_price
        assert int(row[7].replace(",", "").replace("−", "-")) == trade.pnl


def test_every_figure_has_a_name_on_the_page() -> None:
    named = {key for group in report.FIGURES.values() for key in group} | {"start", "end"}
    result = made_result(bars=100, trades=1)
    assert set(result.stats) == named
    result.stats["orders_refused"] = 3
    assert read(result).row("Orders refused") == ["Orders refused", "3"]


def test_monthly_returns_multiply_up_to_the_whole() -> None:
    result = made_result(bars=70_000, trades=40, seed=8)
    page = read(result)
    monthly = result.equity.groupby(result.equity.index.strftime("%Y-%m")).last()
    expected = monthly / monthly.shift(fill_value=result.stats["opening"]) - 1
    yearly = result.equity.groupby(result.equity.index.year).last()
    for year, value in (yearly / yearly.shift(fill_value=result.stats["opening"]) - 1).items():
        cells = page.row(str(year))
        assert float(cells[13].replace("−", "-")) == pytest.approx(100 * value, abs=0.006)
        for month in range(1, 13):
            there = f"{year}-{month:02}" in expected.index
            assert bool(cells[month]) == there
            if there:
                shown = float(cells[month].replace("−", "-"))
                assert shown == pytest.approx(100 * expected[f"{year}-{month:02}"], abs=0.006)


def test_costs_add_up_by_symbol_and_beyond_the_fills() -> None:
    result = made_result(bars=900, trades=9, symbols=("FPT", "HPG"))
    result.stats["fees"] += 1_234
    page = read(result)
    rows = [page.row(name)[1:3] for name in ("FPT", "HPG", "Not for a fill", "All")]
    fees, taxes = ([int(row[k].replace(",", "")) for row in rows] for k in (0, 1))
    assert fees[2] == 1_234 and sum(fees[:3]) == fees[3] == result.stats["fees"]
    assert taxes[2] == 0 and sum(taxes[:3]) == taxes[3] == result.stats["taxes"]
    assert all(row[0] != "Not for a fill" for row in read(made_result(bars=900, trades=9)).rows if row)


HOSTILE = '<script>alert("x")</script>&\'$\\'


def test_all_text_is_escaped() -> None:
    result = made_result(
        bars=300,
        trades=3,
        strategy=HOSTILE,
        symbols=(HOSTILE,),
        parameters={HOSTILE: HOSTILE},
        settings={HOSTILE: HOSTILE},
        warnings=[HOSTILE],
    )
    result.data = [{"symbol": HOSTILE, "notes": HOSTILE}]
    result.trades["exit_reason"] = HOSTILE
    result.stats[HOSTILE] = HOSTILE
    page = read(result)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) >= 10
    assert "<script" not in report.html_summary(result)


@pytest.mark.parametrize(("bars", "trades"), [(0, 0), (1, 0), (2, 1), (400, 0), (400, 1)])
def test_small_runs_have_a_page_too(bars: int, trades: int) -> None:
    page = read(made_result(bars=bars, trades=trades))
    assert ("No trade was closed." in page.text) == (trades == 0)
    assert ("no bars" in page.text) == (bars == 0)


def test_a_ruined_account_has_a_page_too() -> None:
    result = made_result(bars=50_000, trades=5)
    result.equity -= pd.Series(range(50_000), index=result.equity.index) * 6000.0
    result.stats = statistics(result.equity, result.trades, result.fills, result.exposure, bars=50_000)
    assert read(result).row("Sharpe ratio")[1] == "–"


def test_a_long_run_stays_small() -> None:
    result = made_result(
        bars=300_000, trades=5000, symbols=("A", "B", "C"), warnings=[f"warning {n}" for n in range(1000)]
    )
    text = report.html(result)
    assert len(text.encode()) < 2_000_000
    page = read(result)
    assert f"The first {report.TRADES} of 5,000 trades." in page.text
    assert len([row for row in page.rows if len(row) == 10]) == report.TRADES + 1
    assert "and 900 more" in page.text


def test_many_symbols_are_named_though_not_drawn() -> None:
    symbols = tuple(f"S{number:02}" for number in range(12))
    page = read(made_result(bars=100, trades=12, symbols=symbols))
    assert "Not drawn: S06, S07, S08, S09, S10, S11." in page.text
    assert "and 4 more" in page.text
    assert page.row("S11")


def test_what_is_said_of_several_symbols_is_said_once_and_names_them() -> None:
    said = [f"{symbol}: prices are adjusted" for symbol in ("FPT", "HPG", "VCB")]
    page = read(made_result(bars=10, trades=0, warnings=[*said, "2 fills cut short"]))
    assert "FPT, HPG and VCB: prices are adjusted" in page.text
    assert page.text.count("prices are adjusted") == 1


def test_the_datas_moments_are_written_like_all_others() -> None:
    result = made_result(bars=10, trades=0)
    result.data = [{"symbol": "DATA", "from": "2025-07-01T08:59:00+07:00", "to": "2025-07-01T14:45:00+07:00"}]
    assert read(result).row("DATA") == ["DATA", "2025-07-01 08:59", "2025-07-01 14:45"]


def test_the_same_run_gives_the_same_page_in_any_process_and_needs_no_pyplot() -> None:
    code = """
import hashlib, sys
from algo.report import page as report
from algo.report import plots
early = "matplotlib" in sys.modules or "jinja2" in sys.modules
from tests.generators.results import made_result
page = report.html(made_result(1000, 10))
print(hashlib.sha256(page.encode()).hexdigest(), early, "matplotlib.pyplot" in sys.modules)
"""
    mine = hashlib.sha256(report.html(made_result(1000, 10)).encode()).hexdigest()
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == [mine, "False", "False"]


def test_a_notebook_gets_a_card() -> None:
    result = made_result(bars=500, trades=5, warnings=["one"])
    card = report.html_summary(result)
    page = Page(card)
    assert page.open == []
    assert "SmaCross" in page.text and "1 warning" in page.text
    assert re.search(r"data:image/png;base64,[A-Za-z0-9+/=]+", page.addresses[0])
    assert len(card) < 300_000
