"""What every test shares: how hard hypothesis looks, where the real data lies, a catalog of its own."""

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=10, derandomize=True, database=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

ROOT = Path(__file__).parents[1]

_catalogs = itertools.count()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market files: $ALGO_SHARED_DATA, else `shared/data` beside the checkout."""
    named = os.environ.get("ALGO_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real market files here: set ALGO_SHARED_DATA to the folder that has them")
    return folder


@pytest.fixture(autouse=True)
def own_catalog(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog folder for this test alone, not made yet, so that no test reads or changes a person's own."""
    folder = tmp_path_factory.getbasetemp() / f"catalog-{next(_catalogs)}"
    monkeypatch.setenv("ALGO_CATALOG", str(folder))
    return folder
