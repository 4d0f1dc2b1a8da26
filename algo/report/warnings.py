"""Warnings as people read them: what is said of several symbols is said once."""

from __future__ import annotations

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
