"""The day of one seed: when the traders try things, and how market time passes meanwhile."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from algo.clock import HOUR, MINUTE, SECOND, at
from algo.sim.timetable import Stretch, Timetable

DAY = date(2026, 3, 11)
BEGIN = 8 * HOUR + 40 * MINUTE
END = 15 * HOUR + 2 * MINUTE
DULL = 90.0
"""How fast the market is while nothing is tried."""
BUSY = 100
"""Seconds of one busy stretch."""
CALM = 45
"""Seconds after each, at the market's own speed, in which what was tried may settle."""
LAST = 14 * HOUR + 20 * MINUTE
"""When the last busy stretch begins: before the closing auction, and long enough for the quiet phase."""
QUIET = 170
"""Seconds of the quiet phase, in which the traders go on and no fault happens."""


@dataclass(frozen=True)
class Hours:
    """Busy stretches as seconds of the day, and the moment (ns) at which the quiet phase begins."""

    busy: tuple[tuple[int, int], ...]
    quiet: int
    timetable: Timetable
    end: int

    @property
    def text(self) -> str:
        """As the traders' parameter."""
        return ",".join(f"{begin}-{end}" for begin, end in self.busy)


def hours_of(seed: int, stretches: int = 3) -> Hours:
    """The hours of a seed: one stretch about an opening, some in the day, the last one before the close."""
    dice = random.Random(f"{seed} hours")  # noqa: S311  repeatable on purpose
    opening = dice.choice((8 * HOUR + 58 * MINUTE, 9 * HOUR + 14 * MINUTE, 9 * HOUR + MINUTE))
    begins = [opening // SECOND]
    slots = [(9 * 60 + 30, 11 * 60 + 15), (13 * 60 + 2, 14 * 60 + 5)]
    for number in range(stretches - 1):
        first, last = slots[number % 2]
        begins.append(dice.randint(first, last) * 60 + dice.randint(0, 20))
    if dice.random() < 0.3:
        begins.append(11 * 3600 + 29 * 60 + 10)  # into lunch
    begins = sorted(begins)
    chosen: list[int] = []
    for begin in begins:
        if not chosen or begin > chosen[-1] + BUSY + CALM + 5:
            chosen.append(begin)
    last = LAST // SECOND
    busy = [(begin, begin + BUSY) for begin in chosen] + [(last, last + BUSY + QUIET)]
    stretches_: list[Stretch] = [Stretch(at(DAY, BEGIN), DULL)]
    # The program starts at the market's own speed.
    stretches_ = [Stretch(at(DAY, BEGIN), 1.0), Stretch(at(DAY, BEGIN + 20 * SECOND), DULL)]
    for begin, end in busy:
        stretches_.append(Stretch(at(DAY, (begin - 5) * SECOND), 1.0))
        stretches_.append(Stretch(at(DAY, (end + CALM) * SECOND), DULL))
    close = 14 * 3600 + 44 * 60 + 50
    stretches_.append(Stretch(at(DAY, close * SECOND), 1.0))
    stretches_.append(Stretch(at(DAY, (close + 25) * SECOND), DULL))
    stretches_.append(Stretch(at(DAY, (15 * 3600 - 5) * SECOND), 1.0))
    return Hours(
        tuple(busy), at(DAY, (last + BUSY) * SECOND), Timetable(stretches_), at(DAY, END - 60 * SECOND)
    )
