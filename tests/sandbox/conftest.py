"""The samples of SSI's own answers and events."""

from __future__ import annotations

import json

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def samples() -> dict:
    return json.loads((ROOT / "tests/brokers/fctrading/samples.json").read_text())
