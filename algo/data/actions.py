"""Corporate actions from a table: when a share goes ex, what it pays, how it splits."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path

from algo.clock import at
from algo.errors import DataError
from algo.model import CorporateAction

COLUMNS = ("symbol", "ex_date", "dividend", "ratio", "pay_date")


def read_actions(path: str | Path) -> list[CorporateAction]:
    """The actions in a CSV file with the columns symbol, ex_date, dividend, ratio, pay_date, by date.

    Dates are ISO. `dividend` is đồng a share before tax, paid on `pay_date` (the ex-date when it is
    empty). `ratio` is new shares for old ones: 2:1 doubles them, 11:10 is a bonus of one for ten. A
    row needs a dividend or a ratio, or both. Raises DataError, naming the row, for what cannot be read.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            _check_columns(path, names)
            found = [_action(f"{path}: row {row}", one) for row, one in enumerate(reader, start=1)]
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file: {error}") from None
    return sorted(found, key=lambda action: (action.ns, action.symbol))


def _check_columns(path: str | Path, names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise DataError(f"{path}: unknown column {name!r}; the columns are {', '.join(COLUMNS)}")
    for name in ("symbol", "ex_date"):
        if name not in names:
            raise DataError(f"{path}: no column {name}; the columns are {', '.join(COLUMNS)}")


def _action(where: str, row: Mapping[str, str | None]) -> CorporateAction:
    cell = {name: (value or "").strip() for name, value in row.items() if name is not None}
    if not cell["symbol"]:
        raise DataError(f"{where} has no symbol")
    new, old = _ratio(where, cell.get("ratio", ""))
    dividend = _dividend(where, cell.get("dividend", ""))
    if not dividend and new == old:
        raise DataError(f"{where} has neither a dividend nor a ratio")
    ex = at(_day(where, "ex_date", cell["ex_date"]))
    paid = cell.get("pay_date", "")
    return CorporateAction(
        ns=ex,
        symbol=cell["symbol"].upper(),
        dividend=dividend,
        paid_ns=at(_day(where, "pay_date", paid)) if paid else 0,
        ratio_new=new,
        ratio_old=old,
    )


def _day(where: str, name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataError(f"{where}: {name} is a date such as 2024-06-13, not {text!r}") from None


def _dividend(where: str, text: str) -> int:
    try:
        amount = int(text.replace("_", "").replace(",", "")) if text else 0
    except ValueError:
        amount = -1
    if amount < 0:
        raise DataError(f"{where}: dividend is whole đồng a share from 0, not {text!r}")
    return amount


def _ratio(where: str, text: str) -> tuple[int, int]:
    if not text:
        return 1, 1
    new, colon, old = text.partition(":")
    try:
        ratio = Fraction(new.strip()) / Fraction(old.strip()) if colon else Fraction(text)
    except (ValueError, ZeroDivisionError):
        ratio = Fraction(0)
    if ratio <= 0:
        raise DataError(f"{where}: ratio is new shares for old ones such as 2:1, not {text!r}")
    return ratio.numerator, ratio.denominator
