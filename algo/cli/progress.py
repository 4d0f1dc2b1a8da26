"""How far a long command is: a bar in a terminal, a line now and then elsewhere, nothing for quick ones."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PATIENCE = 1.0  # seconds before a bar shows
_QUIET = 10.0  # seconds between lines where there is no terminal
_REFRESH = 0.1


class Progress:
    """Call it with how much is done, as often as you like. It writes to stderr.

    ::

        with Progress("SmaCross", total=300_000, unit="bars") as progress:
            progress(1_000)
    """

    def __init__(self, title: str, total: int, unit: str = "") -> None:
        self._title, self._total, self._unit = title, total, unit
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (_PATIENCE if self._terminal else _QUIET)
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        return self

    def __call__(self, done: int) -> None:
        """Show that `done` of the total is done."""
        now = time.monotonic()
        if now < self._next:
            return
        if self._terminal:
            self._next = now + _REFRESH
            self._draw(done)
        else:
            self._next = now + _QUIET
            share = done / self._total if self._total else 1.0
            print(
                f"{self._title}: {share:.0%}, {done:,} of {self._total:,} {self._unit}".rstrip(),
                file=sys.stderr,
            )

    def _draw(self, done: int) -> None:
        if self._bar is None:
            from rich import progress
            from rich.console import Console

            self._bar = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.TaskProgressColumn(),
                progress.TextColumn("{task.completed:,} " + self._unit),
                progress.TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
                auto_refresh=False,
            )
            self._task = self._bar.add_task(self._title, total=self._total)
            self._bar.start()
        self._bar.update(self._task, completed=done, refresh=True)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A turning sign beside `text` while something of unknown length runs, in a terminal alone."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield
