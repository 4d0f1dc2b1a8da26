"""What the README promises first: a fresh clone in an empty environment runs the main job."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.soak
def test_a_fresh_clone_runs() -> None:
    done = subprocess.run(
        [ROOT / ".ci" / "fresh"],
        env={**os.environ, "PYTHON": os.path.realpath(sys.executable)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
