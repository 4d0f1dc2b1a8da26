"""An event loop whose clock jumps ahead whenever nothing else is left to do: waits take no time at all."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Real sockets still work, but only as far as they answer within the same pass: use it without any."""

    def __init__(self) -> None:
        super().__init__(_Selector(self))
        self.now = 1000.0

    def time(self) -> float:
        return self.now


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing is left to do, and something still waits")
            self._loop.now += max(0.0, timeout)
        return ready


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
