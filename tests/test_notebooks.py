"""The notebooks run from their first cell to their last, in a copy, on a kernel of this environment."""

import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/*.ipynb"))
SECONDS = 300


def execute(notebook: Path) -> nbformat.NotebookNode:
    """Run all cells of `notebook` in its own folder; an error in a cell is raised."""
    cells = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        cells, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(notebook.parent)}}
    )
    client.execute()
    return cells


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folders that a notebook may use."""
    for name in ("notebooks", "strategies", "backtests"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONEXECUTABLE", sys.executable)
    return tmp_path / "notebooks"


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(notebook: Path, copied: Path) -> None:
    execute(copied / notebook.relative_to(ROOT / "notebooks"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs(notebook: Path) -> None:
    cells = nbformat.read(notebook, as_version=4).cells
    assert not [cell for cell in cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]


@pytest.mark.slow
def test_an_error_in_a_cell_is_found(tmp_path: Path) -> None:
    bad = tmp_path / "bad.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import algo\n1 / 0")]), bad)
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(bad)
