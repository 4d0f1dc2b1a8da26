"""What a live run takes from the machine under it: clocks, chance, storage, and a second pair of eyes.

Everything else that a run does follows from these and from what comes over its connections, so that whoever
gives other ones (the simulation does) can have the same run again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from algo.fastconnect.tokens import Moment
from algo.journal.storage import Connect, connect
from algo.live.watchdog import Watchdog


class Watch(Protocol):
    """Notices that a run does not answer: `algo.live.watchdog.Watchdog`."""

    def start(self) -> None: ...
    def beat(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Machine:
    """The machine that the program runs on, unless told otherwise.

    `wall` is seconds since the epoch, `monotonic` seconds that never jump, `random` numbers in [0, 1),
    `connect` opens the journal's file, `watch` makes what calls its argument when the loop hangs.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    connect: Connect = connect
    watch: Callable[[Callable[[float], None]], Watch] = Watchdog

    def moment(self) -> Moment:
        """Now, by both clocks."""
        return Moment(self.wall(), self.monotonic())
