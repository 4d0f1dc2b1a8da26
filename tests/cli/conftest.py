"""A folder of its own with a few days of the demo market, a strategy, and a way to give commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from algo.cli import app
from algo.data import Catalog, synthetic
from tests.conftest import ROOT

Command = Callable[..., Any]

CROSS = (ROOT / "strategies" / "sma_cross.py").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: empty but for cross.py."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cross.py").write_text(CROSS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def market(folder: Path, own_catalog: Path) -> Path:
    """The folder, with four days of the demo market in the catalog."""
    synthetic.fill(Catalog(own_catalog), days=4)
    return folder


@pytest.fixture
def algo() -> Command:
    """Give a command; what comes back has exit_code, stdout and stderr, and no traceback."""

    def command(*arguments: str) -> Any:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return command
