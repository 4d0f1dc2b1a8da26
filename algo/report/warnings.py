"""Warnings as people read them: what is said of several symbols, or many times, is said once."""

from __future__ import annotations

import re
from collections.abc import Sequence


def together(warnings: Sequence[str], *, named: int | None = None) -> list[str]:
    """The warnings, those that say the same of several symbols in one line: ``FPT, HPG and VCB: …``.

    With more than `named` symbols, the first one and how many others: ``FPT and 3 others: …``.
    """
    about: dict[str, list[str]] = {}
    for text in warnings:
        symbol, colon, said = text.partition(": ")
        of_symbol = bool(colon) and symbol.isalnum() and symbol.isupper()
        about.setdefault(said if of_symbol else text, []).append(symbol if of_symbol else "")
    return [f"{_listed(symbols, named)}: {said}" if symbols[0] else said for said, symbols in about.items()]


def _listed(symbols: list[str], named: int | None) -> str:
    if named is not None and len(symbols) > named:
        return f"{symbols[0]} and {len(symbols) - 1} others"
    return f"{', '.join(symbols[:-1])} and {symbols[-1]}" if len(symbols) > 1 else symbols[0]


def ranked(reasons: Sequence[str]) -> str:
    """The commonest reasons; those that differ in their numbers alone are one, shown by its first case."""
    kinds: dict[str, list[str]] = {}
    for reason in reasons:
        kinds.setdefault(re.sub(r"[\d.,-]+", "", reason), []).append(reason)
    order = sorted(kinds.values(), key=len, reverse=True)
    return "; ".join(f"{len(alike)} × {alike[0]}" for alike in order[:3]) + ("; …" if len(order) > 3 else "")


def counted(number: int, noun: str) -> str:
    """A number of things in words: ``1 order``, ``1,200 orders``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
