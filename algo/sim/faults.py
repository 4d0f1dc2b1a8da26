"""What goes wrong in a seed, and when: drawn once, so that the same seed has the same troubles.

Each kind of fault happens where the production code meets the world: at requests and messages (the sandbox's
own faults), at connections (the network), at the process, at the disk, at the sign-in, in the market, and by
people. Rows of the catalogue of faults are named with each kind.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from algo.sandbox.faults import Fault


class Trouble(StrEnum):
    """Kinds that are not a fault of one request or message."""

    KILL = "kill"  # 27, 39: the process dies at any await, and starts again
    RESET = "reset"  # 1, 21: every connection is reset
    SILENCE = "silence"  # 31: every connection is half open
    REFUSE = "refuse"  # 2: connections are refused for some seconds
    EXPIRE = "expire"  # 23: every token has expired
    HAND = "hand"  # 33, 34: an order by hand in the broker's app
    HALT = "halt"  # 35, 37: an instrument is halted for a while
    DISK = "disk"  # 28: the disk is full, until the process starts anew
    OPERATOR = "operator"  # the kill switch, and later a resume


SPELLS = (
    Fault.DROP,  # 1: reset before the request is looked at
    Fault.LOSE,  # 1, 3: carried out, and no answer
    Fault.CUT,  # 5: carried out, the answer is cut
    Fault.GATEWAY,  # 4, 5: carried out, a gateway's page comes
    Fault.DELAY,  # 1, 13: carried out, the answer comes late
    Fault.ERROR,  # 5: HTTP 500
    Fault.QUOTA,  # 25: HTTP 429
    Fault.MISS,  # 11: a message never comes
    Fault.REPEAT,  # 9: a message comes twice
    Fault.REORDER,  # 10, 13: messages out of order
)


@dataclass(frozen=True)
class Planned:
    """One trouble at a second of the day, or a spell of faults with a chance each."""

    second: int
    kind: Trouble | Fault
    chance: float = 0.0
    seconds: int = 0


def plan_of(seed: int, busy: tuple[tuple[int, int], ...], quiet: int) -> list[Planned]:
    """The troubles of a seed, in order. Seed 0 has none; nothing happens from second `quiet` on."""
    if seed == 0:
        return []
    dice = random.Random(f"{seed} troubles")  # noqa: S311  repeatable on purpose
    found: list[Planned] = []
    for begin, end in busy:
        last = min(end, quiet) - 12
        if last <= begin:
            continue
        for fault in dice.sample(SPELLS, dice.randint(1, 4)):
            second = dice.randint(begin, last)
            chance = 1.0 if fault in (Fault.MISS, Fault.REPEAT) else dice.choice((0.1, 0.3, 0.6))
            found.append(Planned(second, fault, min(chance, 0.5), dice.randint(3, 12)))
        found.extend(
            Planned(dice.randint(begin, last), kind, seconds=dice.randint(2, 10))
            for kind in dice.sample(list(Trouble), dice.randint(0, 2))
        )
    return sorted(found, key=lambda one: one.second)
