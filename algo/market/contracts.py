"""VN30 index futures: contract months, codes, expiry and aliases.

HNX's contract specification. Listed are this month, the next and the next two quarter ends. A
contract's last trading day is the third Thursday of its month, or the trading day before it when
that is closed; the next one is listed on the trading day after. Contracts listed before KRX are
called ``VN30FYYMM`` and kept that name; later ones ``41I1``, a letter for the year (F is 2025; I, O
and U are left out), a digit or letter for the month (A, B, C from October), ``000``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

from algo.errors import SettingError
from algo.market.calendar import VIETNAM, TradingCalendar

FIRST_DAY = date(2017, 8, 10)
"""The first day of the derivatives board."""

_YEARS = "FGHJKLMNPQRSTVWXYZ"  # 2025 and on
_FIRST_LETTER_YEAR = 2025
_MONTHS = "123456789ABC"
_LAST_OLD_EXPIRY = (2025, 4)  # the last expiry, and so the last listing, before KRX
_OLD = re.compile(r"VN30F(\d\d)(0[1-9]|1[0-2])")
_NEW = re.compile(rf"41I1([{_YEARS}])([{_MONTHS}])000")
_ALIASES = {"VN30F1M": 0, "VN30F2M": 1, "VN30F1Q": 2, "VN30F2Q": 3}
_THURSDAY = 3
_QUARTER = 3
_QUARTER_END_LISTED = -8  # it is listed after the expiry of the contract eight months earlier
_MONTH_LISTED = -2  # any other month after the expiry two months earlier


class Contract(NamedTuple):
    """A contract month."""

    year: int
    month: int

    @property
    def code(self) -> str:
        """The name that the exchange gave it, which depends on when it was listed."""
        return self.old_code if self.listed_after <= _LAST_OLD_EXPIRY else self.krx_code

    @property
    def old_code(self) -> str:
        """The name in the scheme before KRX, as ``VN30F2306``."""
        return f"VN30F{self.year % 100:02d}{self.month:02d}"

    @property
    def krx_code(self) -> str:
        """The name in the scheme since KRX, as ``41I1GC000``."""
        index = self.year - _FIRST_LETTER_YEAR
        if not 0 <= index < len(_YEARS):
            last = _FIRST_LETTER_YEAR + len(_YEARS) - 1
            raise SettingError(f"41I1 codes go from {_FIRST_LETTER_YEAR} to {last}, not to {self.year}")
        return f"41I1{_YEARS[index]}{_MONTHS[self.month - 1]}000"

    @property
    def listed_after(self) -> Contract:
        """The contract whose expiry made room for this one."""
        return self.shifted(_MONTH_LISTED if self.month % _QUARTER else _QUARTER_END_LISTED)

    def shifted(self, months: int) -> Contract:
        """The contract month that lies `months` later."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Contract(year, month + 1)

    @classmethod
    def parse(cls, code: str) -> Contract:
        """The contract month of a code in either scheme; SettingError for anything else."""
        if found := _OLD.fullmatch(code):
            return cls(2000 + int(found[1]), int(found[2]))
        if found := _NEW.fullmatch(code):
            return cls(_FIRST_LETTER_YEAR + _YEARS.index(found[1]), _MONTHS.index(found[2]) + 1)
        raise SettingError(f"{code!r} is not a VN30 futures code such as VN30F2306 or 41I1GC000")


def is_contract(symbol: str) -> bool:
    """Whether `symbol` is the code of a contract, in either scheme."""
    return bool(_OLD.fullmatch(symbol) or _NEW.fullmatch(symbol))


def is_alias(symbol: str) -> bool:
    """Whether `symbol` names a place in the list of contracts, as VN30F1M does."""
    return symbol in _ALIASES


def last_trading_day(contract: Contract, calendar: TradingCalendar = VIETNAM) -> date:
    """The third Thursday of the contract's month, or the trading day before when that is closed."""
    first = date(contract.year, contract.month, 1)
    thursday = first + timedelta(days=(_THURSDAY - first.weekday()) % 7 + 14)
    return thursday if calendar.is_trading_day(thursday) else calendar.previous_trading_day(thursday)


def listing_day(contract: Contract, calendar: TradingCalendar = VIETNAM) -> date:
    """The contract's first trading day."""
    return max(calendar.next_trading_day(last_trading_day(contract.listed_after, calendar)), FIRST_DAY)


def front_contract(day: date, calendar: TradingCalendar = VIETNAM) -> Contract:
    """The nearest contract on `day`; on a last trading day still the one that ends."""
    contract = Contract(day.year, day.month)
    return contract if day <= last_trading_day(contract, calendar) else contract.shifted(1)


def listed_contracts(day: date, calendar: TradingCalendar = VIETNAM) -> tuple[Contract, ...]:
    """The four contracts that trade on `day`: this month, the next, the next two quarter ends."""
    front = front_contract(day, calendar)
    second = front.shifted(1)
    quarter = second.shifted(_QUARTER - second.month % _QUARTER)
    return front, second, quarter, quarter.shifted(_QUARTER)


def resolve(symbol: str, day: date, calendar: TradingCalendar = VIETNAM) -> str:
    """The code of the contract that an alias stands for on `day`; any other symbol as it is.

    VN30F1M and VN30F2M are the nearest and the next month, VN30F1Q and VN30F2Q the quarter ends
    after them.
    """
    place = _ALIASES.get(symbol)
    return symbol if place is None else listed_contracts(day, calendar)[place].code
