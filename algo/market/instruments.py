"""From a symbol to an instrument, by the way Vietnamese symbols are made.

Futures have their own codes; covered warrants are C, the share, and four digits; exchange-traded
funds are E1VFVN30 and FUE with five more. Everything else is a share, on HOSE unless told.
"""

from __future__ import annotations

import re

from algo.errors import SettingError
from algo.market.contracts import is_alias, is_contract
from algo.model import Board, Instrument, Kind

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._-]*")
_WARRANT = re.compile(r"C[A-Z0-9]{3}\d{4}")
_ETF = re.compile(r"E1VFVN30|FUE[A-Z0-9]{5}")

_FUTURE_SCALE = 10  # price units of 0.1 point
_FUTURE_MULTIPLIER = 10_000  # đồng for 0.1 point: 100,000 a point


def kind_of(symbol: str) -> Kind:
    """What a symbol names, as far as its form tells."""
    if is_alias(symbol) or is_contract(symbol):
        return Kind.FUTURE
    if _WARRANT.fullmatch(symbol):
        return Kind.WARRANT
    if _ETF.fullmatch(symbol):
        return Kind.ETF
    return Kind.SHARE


def instrument_of(symbol: str, board: Board | None = None, *, adjusted: bool = False) -> Instrument:
    """The instrument that `symbol` names; lower case is accepted.

    `board` says where it trades when that is not HOSE (or the derivatives board for a futures
    code); on the derivatives board everything is a future. SettingError when the symbol is no
    symbol or does not go with the board.
    """
    name = symbol.strip().upper()
    if not _SYMBOL.fullmatch(name):
        raise SettingError(f"{symbol!r} is not a symbol: use letters and digits, as in FPT or VN30F1M")
    kind = kind_of(name)
    if kind is Kind.FUTURE and board not in (None, Board.DERIVATIVES):
        raise SettingError(f"{name} is a future: it trades on {Board.DERIVATIVES}, not on {board}")
    if kind is Kind.FUTURE or board is Board.DERIVATIVES:
        return Instrument(
            name, Board.DERIVATIVES, Kind.FUTURE, _FUTURE_SCALE, _FUTURE_MULTIPLIER, adjusted=adjusted
        )
    return Instrument(name, board or Board.HOSE, kind, adjusted=adjusted)
