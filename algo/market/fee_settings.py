"""Fees from what a user writes: a word, a function, or a table of a TOML file.

share_rate = "0.1%"                       # or 0.001
futures_exchange = 2700
futures_broker = [[99, 2000], [300, 1500], [500]]
margin = { 2018-07-18 = "13%", 2022-12-15 = "17%" }
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from fractions import Fraction
from typing import TypeVar, cast

from algo.errors import SettingError
from algo.market.dated import Dated
from algo.market.fees import FeeFunction, Fees, FlatFees, FunctionFees, NoFees, Tiers, VietnamFees

T = TypeVar("T")

_NAMES = tuple(field.name for field in fields(VietnamFees))
_FLAT = "per_contract"


def fees_from(value: object = None) -> Fees:
    """The fees that `value` asks for; SettingError says what is wrong with it.

    None or ``"vietnam"`` is the usual tariff, ``"none"`` nothing. A mapping changes settings of
    `VietnamFees` by their names, or is ``per_contract`` alone. A function gets (symbol, side,
    price, quantity) and gives đồng. `Fees` are taken as they are.
    """
    if isinstance(value, Fees):
        return value
    if value is None or value == "vietnam":
        return VietnamFees()
    if value == "none":
        return NoFees()
    if isinstance(value, Mapping):
        return _from_table(value)
    if callable(value) and not isinstance(value, type):
        return FunctionFees(cast(FeeFunction, value))
    raise SettingError(f"fees are 'vietnam', 'none', a table of settings, a function or Fees, not {value!r}")


def _from_table(table: Mapping[object, object]) -> Fees:
    if _FLAT in table:
        if len(table) > 1:
            raise SettingError(f"fees: {_FLAT} stands alone; remove the other settings")
        return FlatFees(_whole(_FLAT, table[_FLAT]))
    settings: dict[str, object] = {}
    for key, value in table.items():
        name = str(key)
        if name not in _NAMES:
            near = difflib.get_close_matches(name, (*_NAMES, _FLAT), 1)
            hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(_NAMES)}"
            raise SettingError(f"fees: there is no setting {name!r}; {hint}")
        if name == "futures_broker":
            settings[name] = _dated(name, value, _tiers)
        elif name in ("futures_exchange", "futures_depository"):
            settings[name] = _dated(name, value, _whole)
        else:
            settings[name] = _dated(name, value, _rate)
    return VietnamFees(**settings)  # type: ignore[arg-type]


def _dated(name: str, value: object, read: Callable[[str, object], T]) -> Dated[T]:
    """One value for all time, or a mapping from the first day of each value."""
    if isinstance(value, Dated):
        return Dated(tuple((day, read(name, one)) for day, one in value.rows))
    if not isinstance(value, Mapping):
        return Dated.constant(read(name, value))
    rows: list[tuple[date, T]] = []
    for key, one in value.items():
        try:
            day = key if isinstance(key, date) else date.fromisoformat(str(key))
        except ValueError:
            raise SettingError(f"fees: {name} has the day {key!r}; write it as 2020-03-19") from None
        rows.append((day, read(name, one)))
    if not rows:
        raise SettingError(f"fees: {name} is an empty table; give it a value")
    rows.sort(key=lambda row: row[0])
    try:
        return Dated(tuple(rows))
    except ValueError:
        raise SettingError(f"fees: {name} gives one day twice") from None


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingError(f"fees: {name} is whole đồng from 0 on, not {value!r}")
    return value


def _rate(name: str, value: object) -> Fraction:
    """A fraction from 0 to 1, exact as it was written."""
    wrong = f"fees: {name} is a rate such as 0.0015 or '0.15%', not {value!r}"
    if isinstance(value, bool):
        raise SettingError(wrong)
    text = str(value).strip()
    try:
        rate = Fraction(text[:-1].strip()) / 100 if text.endswith("%") else Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise SettingError(wrong) from None
    if not 0 <= rate <= 1:
        raise SettingError(f"fees: {name} is a rate from 0 to 1 (or '100%'), not {value!r}")
    return rate


def _tiers(name: str, value: object) -> Tiers:
    """A fee for every contract, or rows of the last contract of the day and the fee up to it."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ((None, _whole(name, value)),)
    wrong = f"fees: {name} is a number or rows [last contract of the day, fee] and at the end [fee]"
    tiers: list[tuple[int | None, int]] = []
    before = 0
    for place, row in enumerate(value, start=1):
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) not in (1, 2):
            raise SettingError(f"{wrong}, not {row!r}")
        last = row[0] if len(row) == 2 else None
        if (last is None) != (place == len(value)):
            raise SettingError(wrong)
        if last is not None:
            if _whole(name, last) <= before:
                raise SettingError(f"{wrong}, the contracts rising")
            before = last
        tiers.append((last, _whole(name, row[-1])))
    if not tiers:
        raise SettingError(wrong)
    return tuple(tiers)
