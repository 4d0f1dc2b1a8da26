"""Notices, in a thread of its own, that a run does not answer: a strategy that hangs stops the whole loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMIT = 5.0
"""Seconds that one pass of the loop may take before the run counts as hung."""
LOOK = 0.25


class Watchdog:
    """Calls `on_hang`, once for each hang, in its own thread. `beat` says that the loop is alive."""

    def __init__(self, on_hang: Callable[[float], None], *, limit: float = LIMIT) -> None:
        self._on_hang = on_hang
        self._limit = limit
        self._last = time.monotonic()
        self._barked = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="algo-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._last = time.monotonic()
        self._thread.start()

    def beat(self) -> None:
        """The loop lives."""
        self._last = time.monotonic()
        self._barked = False

    def stop(self) -> None:
        """Watch no more."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(LOOK):
            silence = time.monotonic() - self._last
            if silence > self._limit and not self._barked:
                self._barked = True
                self._on_hang(silence)
