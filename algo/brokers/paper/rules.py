"""The settings of the paper exchange. Their meaning is written out in docs/fill-rules.md."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Literal

from algo.errors import SettingError
from algo.model import Board


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


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """What a replayed market does to orders beside what was recorded. The defaults do nothing.

    A command acts `latency` nanoseconds after it was sent, and up to `jitter` later, drawn with `seed`. Of
    what is displayed at one price, an order takes the share `impact_share` at that price and the rest
    `impact_ticks` ticks worse.
    """

    latency: int = 0
    jitter: int = 0
    seed: int = 0
    impact_share: float = 1.0
    impact_ticks: int = 0

    def __post_init__(self) -> None:
        for name in ("latency", "jitter", "impact_ticks"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise SettingError(f"{name} is a whole number from 0, not {value!r}")
        if not (isinstance(self.impact_share, Real) and 0 <= self.impact_share <= 1):
            raise SettingError(f"impact_share is from 0 to 1, not {self.impact_share!r}")


@dataclass(frozen=True, slots=True)
class BookSettings:
    """What no rule of the market fixes about the book exchange.

    `depth` and `hose_depth`: price levels shown on each side. `largest`: the largest order in shares
    on HNX and UPCOM, which publish none that could be confirmed; None is no limit.
    """

    depth: int = 10
    hose_depth: int = 3
    largest: int | None = None

    def __post_init__(self) -> None:
        if min(self.depth, self.hose_depth, 1 if self.largest is None else self.largest) < 1:
            raise SettingError("depth, hose_depth and largest are at least 1")

    def levels(self, board: Board) -> int:
        """How many price levels of each side the board shows."""
        return self.hose_depth if board is Board.HOSE else self.depth

    def largest_order(self, board: Board) -> int | None:
        """The setting for boards whose own largest order is not known, else None."""
        return self.largest if board in (Board.HNX, Board.UPCOM) else None
