"""What every example promises: it is a short lesson, trades, is never refused, and sees no future."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from algo import Result, Strategy, backtest
from algo.data import Series, synthetic
from tests.conftest import ROOT

FILES = sorted((ROOT / "strategies").glob("*.py"))


@pytest.fixture(scope="module")
def market() -> dict[str, Series]:
    """Minute bars: three months of the future with their rolls, half a year of shares."""
    shares = [name for name in synthetic.SYMBOLS if name != "VN30F1M"]
    return synthetic.make(["VN30F1M"], days=64) | synthetic.make(shares)


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
def test_an_example_does_on_part_of_the_bars_what_it_does_on_all(
    path: Path, market: dict[str, Series]
) -> None:
    whole = fitting(path, market)
    end = int(min(one.time[int(len(one) * 0.83)] for one in whole.values()))
    part = {name: one.take(one.time <= end) for name, one in whole.items()}
    runs = [backtest(example(path), data) for data in (whole, part)]
    asked = [
        [(request.ns, request.kind, request.price, request.quantity, order.symbol, order.side)
         for order in run._orders for request in order.requests if request.ns < end]
        for run in runs
    ]  # fmt: skip
    filled = [[fill for fill in run._fills if fill.ns < end] for run in runs]
    assert asked[0] == asked[1]
    assert filled[0] == filled[1]
    assert filled[0]


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
    if not path.exists():
        pytest.skip(f"there is no {name} yet")
    result = backtest(example(path), shared_data / source)
    assert len(result.trades) > 50
    assert list(refused(result)) == []
