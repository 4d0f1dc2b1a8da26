"""`algo new strategy`: what it writes runs, passes its own test, and is never written over another file."""

import os
import subprocess
import sys
from pathlib import Path

from algo.loading import load_strategy
from tests.cli.conftest import Command
from tests.conftest import ROOT


def test_the_new_strategy_runs_and_its_test_passes(market: Path, algo: Command) -> None:
    result = algo("new", "strategy", "meanReversion")
    assert result.exit_code == 0
    assert "strategies/mean_reversion.py" in result.stdout
    assert load_strategy("strategies/mean_reversion.py").__name__ == "MeanReversion"
    assert algo("backtest", "strategies/mean_reversion.py", "--data", "VN30F1M").exit_code == 0
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "3 passed" in run.stdout


def test_it_passes_the_linter(folder: Path, algo: Command) -> None:
    algo("new", "strategy", "breakout")
    for command in (("check",), ("format", "--check")):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                *command,
                "--config",
                str(ROOT / "pyproject.toml"),
                "strategies",
                "tests",
            ],
            check=True,
        )


def test_it_does_not_overwrite_even_the_test_alone(folder: Path, algo: Command) -> None:
    (folder / "tests").mkdir()
    mine = folder / "tests" / "test_breakout.py"
    mine.write_text("mine", encoding="utf-8")
    assert algo("new", "strategy", "breakout").exit_code == 2
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (folder / "strategies").exists()
