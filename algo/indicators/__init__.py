"""Indicators: causal functions of price history.

Every function takes whole arrays, oldest value first, and gives one array (or a tuple of arrays) of
the same length. The value at a place depends on that place and earlier ones only, to the bit: over
a growing history the old values never change. Values that are not known yet are NaN.

Every function of TA-Lib is here under its name in lower case, the commonest written out below, the
others made on demand: ``from algo.indicators import hma, supertrend, cdlhammer``. Their parameters
have TA-Lib's names, but `timeperiod` is called `period`. The own ones are what TA-Lib lacks or calls
otherwise: `session_vwap`, `donchian`, `zscore`, `highest`, `lowest`, `crossed_above`, `crossed_below`.

The leading parameters are named by what they want: `open`, `high`, `low`, `close`, `volume`, `time`.
A strategy's ``self.indicator(atr, "FPT", 14)`` fills those from its bars by name, and the rest from
what the user gave. Called directly they take anything that numpy can turn into an array of floats.

Periods count bars. An impossible one raises `ParameterError`, arrays that do not fit together raise
`DataError`. `matype` chooses an average: 0 simple, 1 exponential, 2 weighted, 3 double exponential,
4 triple exponential, 5 triangular, 6 Kaufman, 7 MESA, 8 T3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from algo.indicators import ta_lib
from algo.indicators.classics import (
    adx,
    aroon,
    atr,
    bbands,
    cci,
    dema,
    ema,
    highest,
    kama,
    linearreg_slope,
    lowest,
    macd,
    mfi,
    minus_di,
    mom,
    natr,
    obv,
    plus_di,
    roc,
    rsi,
    sar,
    sma,
    stddev,
    stoch,
    stochrsi,
    tema,
    trange,
    willr,
    wma,
)
from algo.indicators.own import (
    crossed_above,
    crossed_below,
    donchian,
    session_vwap,
    zscore,
)

__all__ = [
    "adx",
    "aroon",
    "atr",
    "bbands",
    "cci",
    "crossed_above",
    "crossed_below",
    "dema",
    "donchian",
    "ema",
    "highest",
    "kama",
    "linearreg_slope",
    "lowest",
    "macd",
    "mfi",
    "minus_di",
    "mom",
    "natr",
    "obv",
    "offered",
    "plus_di",
    "roc",
    "rsi",
    "sar",
    "session_vwap",
    "sma",
    "stddev",
    "stoch",
    "stochrsi",
    "tema",
    "trange",
    "willr",
    "wma",
    "zscore",
]


def __getattr__(name: str) -> Callable[..., Any]:
    if not name.startswith("_") and name.islower() and name.upper() in ta_lib.names():
        return ta_lib.made(name.upper())
    raise AttributeError(f"algo.indicators has no {name!r}, nor has TA-Lib")


def __dir__() -> list[str]:
    return sorted({*globals(), *offered()})


def offered() -> dict[str, Callable[..., Any]]:
    """Every indicator by its name, own ones and TA-Lib's, sorted."""
    wanted = {*__all__, *(name.lower() for name in ta_lib.names())} - {"offered"}
    return {name: globals().get(name) or __getattr__(name) for name in sorted(wanted)}
