"""The state file: whatever went in comes out again, in order, also after a kill in the middle."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.sandbox.messages import Request, Response
from algo.sandbox.state import State
from tests.conftest import ROOT
from tests.sandbox.stub_service import StubMarket, StubService, StubStop


class Recording(StubService):
    """Keeps the order in which requests and stops came."""

    def __init__(self) -> None:
        super().__init__(StubMarket([StubStop(n * 10, "event") for n in range(1000)]))
        self.log: list[object] = []

    def handle(self, request: Request, wall: float) -> Response:
        self.log.append((self.world.now, len(self.world.happened), wall, request))
        return Response(200)


requests = st.builds(
    Request,
    st.just("POST"),
    st.text(max_size=20),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(["authorization", "x-signature"]), st.text(max_size=9)),
    st.binary(max_size=50),
)
inputs = st.lists(
    st.one_of(
        st.tuples(st.just("request"), requests, st.floats(0, 2e9)),
        st.tuples(st.just("step"), st.integers(0, 3), st.integers(0, 9)),
    ),
    max_size=20,
)


@settings(max_examples=25)
@given(inputs)
def test_what_went_in_comes_out_in_order_however_often_it_was_opened(happened: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        live = Recording()
        state = State(path)
        state.begin({"seed": 1})
        for kind, one, other in happened:
            if kind == "request":
                live.handle(one, other)
                state.requested(one, other)
            else:
                for _ in range(one):
                    live.world.step()
                live.world.advance(live.world.now + other)
                state.stepped(len(live.world.happened) - getattr(live, "told", 0), live.world.now)
                live.told = len(live.world.happened)  # type: ignore[attr-defined]
        state.close()
        for _ in range(2):
            state = State(path)
            assert state.recipe == {"seed": 1}
            again = Recording()
            state.replay(again.world, again, again.handle)
            state.close()
            assert again.log == live.log
            assert again.world.now == live.world.now
            assert again.world.happened == live.world.happened


WRITER = """
import sys
from pathlib import Path
from algo.sandbox.messages import Request
from algo.sandbox.state import State
state = State(Path(sys.argv[1]))
state.begin({})
for number in range(1_000_000):
    state.requested(Request("POST", str(number)), float(number))
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, path],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    last = -1
    for line in writer.stdout:
        last = int(line)
        if last == 200:
            writer.send_signal(signal.SIGKILL)
    writer.wait()
    state = State(path)
    again = Recording()
    assert state.replay(again.world, again, again.handle) >= last + 1 > 200
    assert [entry[3].path for entry in again.log] == [str(n) for n in range(len(again.log))]  # type: ignore[index]
    state.close()


def test_one_sandbox_a_file(tmp_path: Path) -> None:
    first = State(tmp_path / "state.db")
    first.begin({})
    with pytest.raises(SettingError, match="another sandbox"):
        State(tmp_path / "state.db")
    first.close()
    State(tmp_path / "state.db").close()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be taken for one by its length" * 20)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as file:
        file.execute("create table mine (a)")
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(SettingError, match="--state"):
            State(path)
        assert path.read_bytes() == before


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    State(tmp_path / "deep" / "state.db").close()
    assert (tmp_path / "deep" / "state.db").stat().st_mode & 0o077 == 0


def test_another_version_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    state.begin({})
    state.close()
    with sqlite3.connect(tmp_path / "state.db") as file:
        file.execute("update recipe set version = 99")
    file.close()
    with pytest.raises(SettingError, match="another version"):
        _ = State(tmp_path / "state.db").recipe
