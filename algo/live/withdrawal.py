"""What a run does when it cannot go on: it latches, and its orders are cancelled as from another terminal.

Nothing of the run itself is relied upon but its journal: the part that failed may be the one that sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from algo.brokers.fctrading.credentials import Credentials
from algo.errors import AlgoError
from algo.live.kill import kill_outside
from algo.live.latch import Latch
from algo.live.machine import Machine
from algo.orders.controls import Alarm


class Withdrawal:
    """The way out of one run. Without a journal nobody knows what is its own, and a person must look."""

    def __init__(
        self,
        credentials: Credentials,
        journal: Path | None,
        tokens: Path | None,
        machine: Machine,
        *,
        now: Callable[[], int],
        on_alarm: Callable[[Alarm], None],
    ) -> None:
        self._credentials = credentials
        self._journal = journal
        self._tokens = tokens
        self._machine = machine
        self._now = now
        self._on_alarm = on_alarm

    def hung(self, seconds: float) -> None:
        """The loop does not answer. Called in the watchdog's thread."""
        asyncio.run(
            self.withdraw("watchdog", f"the run did not answer for {seconds:.0f} s: a strategy hangs")
        )

    async def withdraw(self, kind: str, reason: str) -> None:
        """Tell a person, latch, and cancel what works. Raises nothing of the broker or the journal."""
        alarm = Alarm(self._now(), kind, "", reason)
        self._on_alarm(alarm)
        if self._journal is None:
            return
        Latch(self._journal).set(reason)
        try:
            found = await kill_outside(self._credentials, self._journal, self._tokens, machine=self._machine)
        except AlgoError as error:
            self._on_alarm(alarm._replace(text=f"cancelling from outside failed: {error}"))
            return
        if not found.done:
            self._on_alarm(alarm._replace(text="orders may still work at the broker: look, or `algo kill`"))
