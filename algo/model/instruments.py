"""What can be traded, and the exact integer arithmetic of its prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from algo.errors import SettingError


class Board(StrEnum):
    """Where an instrument trades."""

    HOSE = "HOSE"
    HNX = "HNX"
    UPCOM = "UPCOM"
    DERIVATIVES = "DERIVATIVES"


class Kind(StrEnum):
    """What an instrument is."""

    SHARE = "share"
    ETF = "etf"
    WARRANT = "warrant"
    FUTURE = "future"


class Account(StrEnum):
    """The two accounts a person has with the broker. The instrument decides which one an order uses."""

    EQUITY = "equity"
    DERIVATIVES = "derivatives"


class Side(IntEnum):
    """The direction of an order or fill; its value is the sign of the position change."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable thing.

    `scale` is the number of price units in a price of 1.0: 1 for shares (unit 1 đồng), 10 for
    futures (unit 0.1 index point). `multiplier` is what one price unit of one share or contract is
    worth in đồng: 1 for shares, 10,000 for futures (100,000 đồng a point). Prices inside orders and
    the ledger are whole price units, so notional and profit are exact.

    `account` is the one that its orders, positions and cash belong to; `shortable` says whether a
    position may be negative: futures only. Both follow from the rest.

    `adjusted` marks a series whose past prices were adjusted for corporate actions: they lie off
    the tick, so ticks are not enforced on it.
    """

    symbol: str
    board: Board
    kind: Kind = Kind.SHARE
    scale: int = 1
    multiplier: int = 1
    adjusted: bool = False
    account: Account = field(init=False, repr=False, compare=False)
    shortable: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.symbol:
            raise SettingError("an instrument needs a symbol")
        if self.scale < 1 or self.multiplier < 1:
            raise SettingError(f"{self.symbol}: scale and multiplier must be at least 1")
        account = Account.DERIVATIVES if self.board is Board.DERIVATIVES else Account.EQUITY
        object.__setattr__(self, "account", account)
        object.__setattr__(self, "shortable", self.kind is Kind.FUTURE)

    def units(self, price: float) -> int:
        """`price` in whole price units, rounded to the nearest (halves up)."""
        return int(price * self.scale + 0.5)

    def price(self, units: int) -> float:
        """The price of `units` as the strategy and the wire show it."""
        return units / self.scale

    def notional(self, units: int, quantity: int) -> int:
        """Value in đồng of `quantity` at a price of `units`."""
        return units * quantity * self.multiplier
