"""Who watches a run may leave: that ends the showing and not the run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from algo.cli.live_view import LiveView
from algo.orders.controls import Alarm


class Closed(io.StringIO):
    """A reader that is gone."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error
        self.tried = 0

    def write(self, _text: str) -> int:
        self.tried += 1
        raise self.error

    def fileno(self) -> int:
        raise OSError


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(5, "Input/output error")])
def test_a_reader_that_is_gone_ends_the_showing_alone(
    error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "on_broken_pipe", lambda _self: (_ for _ in ()).throw(SystemExit(1)))
    file = Closed(error)
    view = LiveView(Console(file=file), "trader", 1.0, "live")
    view.alarm(Alarm(0, "stream", "", "the order stream is down"))
    view.message(0, "trader", "what the strategy says")
    view.line("a line")
    assert file.tried == 1
    assert view.told_by_strategy == [(0, "what the strategy says")]
    assert len(view.news) == 2
