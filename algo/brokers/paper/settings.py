"""How the paper broker runs its house, where brokers differ."""

from __future__ import annotations

from dataclasses import dataclass

from algo.errors import SettingError
from algo.market import POSITION_LIMIT, WARNING_LEVELS


@dataclass(frozen=True, slots=True)
class HouseSettings:
    """`early`: orders are taken before the session opens and sent at the open, else refused.

    `levels` are percents of the margin assets in use: from the first on the broker warns, beyond the second
    it takes no order that adds to a position, from the third on it closes positions itself (only with
    `forced_close`). `position_limit` is in contracts. `daily_settlement`: the profit of futures becomes cash
    every evening.
    """

    early: bool = True
    levels: tuple[int, int, int] = (WARNING_LEVELS[0], WARNING_LEVELS[1], WARNING_LEVELS[2])
    forced_close: bool = True
    position_limit: int = POSITION_LIMIT
    daily_settlement: bool = True

    def __post_init__(self) -> None:
        if len(self.levels) != 3 or not 0 < self.levels[0] <= self.levels[1] <= self.levels[2]:
            raise SettingError(f"margin levels are three rising percents, not {self.levels!r}")
        if self.position_limit < 1:
            raise SettingError(f"the position limit is at least 1, not {self.position_limit}")
