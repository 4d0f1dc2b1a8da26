"""How a person ends what runs on an event loop: Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any


class Ending:
    """The wish of a person that the current task should end.

    It ends in order once it has begun; at once before that, and at the second wish.
    """

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self._begun = False
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            # Windows has no signals in its loops: there KeyboardInterrupt ends the run.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(name, self.want)

    @property
    def wanted(self) -> bool:
        """Whether a person asked for it."""
        return self._wanted.is_set()

    def begin(self) -> None:
        """From now on there is something to end in order."""
        self._begun = True

    def want(self) -> None:
        """A person asks for it."""
        if self._task is not None and (self.wanted or not self._begun):
            self._task.cancel()
        self._wanted.set()

    async def first(self, work: Coroutine[Any, Any, Any], *ends: asyncio.Event) -> None:
        """Until the work is done, one of the ends has come, or a person wants it.

        What the work raises is raised, unless one of the ends is the reason.
        """
        ends = (self._wanted, *ends)
        tasks = [asyncio.create_task(one) for one in (work, *(end.wait() for end in ends))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done() and not any(end.is_set() for end in ends):
                tasks[0].result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
