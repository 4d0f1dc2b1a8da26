"""What every example promises: it is a short lesson, trades, is never refused, and sees no future."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from algo import Result, Strategy, backtest, testing
from algo.data import Series, synthetic
from tests.conftest import ROOT

FILES = sorted((ROOT / "strategies").glob("*.py"))


@pytest.fixture(scope="module")
def market() -> dict[str, Series]:
    """Minute bars: two months of the future with their rolls, half a year of shares."""
    shares = [name for name in synthetic.SYMBOLS if name != "VN30F1M"]
    return synthetic.make(["VN30F1M"], days=40) | synthetic.make(shares)


def example(path: Path) -> type[Strategy]:
    """The strategy class of an example file."""
    module = import_module(f"strategies.{path.stem}")
    (found,) = [
        one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__
    ]
    assert issubclass(found, Strategy)
    return found


def fitting(path: Path, market: dict[str, Series]) -> dict[str, Series]:
    """The part of the market that the example is about."""
    symbol = getattr(example(path), "symbol", None)
    return {name: one for name, one in market.items() if (name == symbol if symbol else name != "VN30F1M")}


def refused(result: Result) -> Iterator[str]:
    """Every reason why an order or an amendment was not taken. A cancel may always come too late."""
    for order in result._orders:
        if order.status in ("refused", "rejected") or order.reason.startswith("amend refused"):
            yield order.reason


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_a_short_lesson(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert (ast.get_docstring(ast.parse(text)) or "").startswith("Lesson: ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_trades_and_is_never_refused(path: Path, market: dict[str, Series]) -> None:
    result = backtest(example(path), fitting(path, market))
    assert len(result.fills) >= 3
    assert list(refused(result)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_does_not_look_ahead(path: Path, market: dict[str, Series]) -> None:
    testing.assert_no_look_ahead(example(path), fitting(path, market), cuts=1)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("sma_cross", "vn30f_5m_2023.csv"),
        ("opening_range_breakout", "vn30f_5m_2023.csv"),
        ("opening_range_breakout", "vn30f1m_15m_2018_2024.csv"),
        ("two_sided_quoter", "vn30f_5m_2024.csv"),
        ("mean_reversion_t2", "vn_daily/FPT.csv"),
        ("mean_reversion_t2", "vn_daily/HPG.csv"),
        ("monthly_rebalance", "vn_daily"),
    ],
)
@pytest.mark.slow
def test_an_example_runs_on_real_bars(name: str, source: str, shared_data: Path) -> None:
    path = ROOT / "strategies" / f"{name}.py"
    result = backtest(example(path), shared_data / source)
    assert len(result.trades) > 50
    assert list(refused(result)) == []
