"""The settings of the paper exchange. Their meaning is written out in docs/fill-rules.md."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Literal

from algo.errors import SettingError


@dataclass(frozen=True, slots=True)
class FillRules:
    """How orders fill on bars.

    `fill`: market orders trade at the next bar's open ("open") or at this bar's close ("close").
    `slippage`: ticks by which a market or stop order trades worse. `limit`: a limit order needs the
    price to trade "through" it or only to "touch" it. `participation`: the largest share of a
    bar's volume that this account takes; None is no cap.
    """

    fill: Literal["open", "close"] = "open"
    slippage: int = 0
    limit: Literal["through", "touch"] = "through"
    participation: float | None = 0.10

    def __post_init__(self) -> None:
        if self.fill not in ("open", "close"):
            raise SettingError(f"fill is open or close, not {self.fill!r}")
        if self.limit not in ("through", "touch"):
            raise SettingError(f"limit is through or touch, not {self.limit!r}")
        if isinstance(self.slippage, bool) or not isinstance(self.slippage, int) or self.slippage < 0:
            raise SettingError(f"slippage is a whole number of ticks from 0, not {self.slippage!r}")
        share = self.participation
        if share is not None and not (isinstance(share, Real) and 0 < share <= 1):
            raise SettingError(f"participation is above 0 and at most 1, not {share!r}")
