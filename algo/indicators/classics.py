"""The commonest functions of TA-Lib, written out for editors and type checkers."""

from __future__ import annotations

from numpy.typing import ArrayLike

from algo.indicators.inputs import Array, Arrays2, Arrays3
from algo.indicators.ta_lib import one, three, two

# Averages and bands


def sma(close: ArrayLike, period: int = 30) -> Array:
    """Simple moving average of the last `period` values."""
    return one("SMA", close, timeperiod=period)


def ema(close: ArrayLike, period: int = 30) -> Array:
    """Exponential moving average, weight 2 / (`period` + 1), started by the first simple average."""
    return one("EMA", close, timeperiod=period)


def wma(close: ArrayLike, period: int = 30) -> Array:
    """Linearly weighted moving average; the newest value weighs `period` times the oldest."""
    return one("WMA", close, timeperiod=period)


def dema(close: ArrayLike, period: int = 30) -> Array:
    """Double exponential moving average: 2 EMA - EMA of EMA."""
    return one("DEMA", close, timeperiod=period)


def tema(close: ArrayLike, period: int = 30) -> Array:
    """Triple exponential moving average: 3 EMA - 3 EMA of EMA + EMA of EMA of EMA."""
    return one("TEMA", close, timeperiod=period)


def kama(close: ArrayLike, period: int = 30) -> Array:
    """Kaufman's adaptive moving average: quick in a trend, slow in noise."""
    return one("KAMA", close, timeperiod=period)


def bbands(
    close: ArrayLike, period: int = 20, nbdevup: float = 2.0, nbdevdn: float = 2.0, matype: int = 0
) -> Arrays3:
    """Bollinger bands (upper, middle, lower): an average, and so many standard deviations off it."""
    options = {"timeperiod": period, "nbdevup": nbdevup, "nbdevdn": nbdevdn, "matype": matype}
    return three("BBANDS", close, **options)


def sar(high: ArrayLike, low: ArrayLike, acceleration: float = 0.02, maximum: float = 0.2) -> Array:
    """Wilder's parabolic stop-and-reverse, in price."""
    return one("SAR", high, low, acceleration=acceleration, maximum=maximum)


# Momentum


def rsi(close: ArrayLike, period: int = 14) -> Array:
    """Wilder's relative strength index, 0 to 100."""
    return one("RSI", close, timeperiod=period)


def macd(close: ArrayLike, fastperiod: int = 12, slowperiod: int = 26, signalperiod: int = 9) -> Arrays3:
    """Moving average convergence and divergence: (fast EMA - slow EMA, its EMA, their difference)."""
    options = {"fastperiod": fastperiod, "slowperiod": slowperiod, "signalperiod": signalperiod}
    return three("MACD", close, **options)


def stoch(
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    fastk_period: int = 5,
    slowk_period: int = 3,
    slowk_matype: int = 0,
    slowd_period: int = 3,
    slowd_matype: int = 0,
) -> Arrays2:
    """Slow stochastic oscillator (%K, %D), 0 to 100: where the close lies in the recent range."""
    options = {"fastk_period": fastk_period, "slowk_period": slowk_period, "slowk_matype": slowk_matype}
    options |= {"slowd_period": slowd_period, "slowd_matype": slowd_matype}
    return two("STOCH", high, low, close, **options)


def stochrsi(
    close: ArrayLike, period: int = 14, fastk_period: int = 5, fastd_period: int = 3, fastd_matype: int = 0
) -> Arrays2:
    """Fast stochastic oscillator (%K, %D) of the relative strength index, 0 to 100."""
    options = {"timeperiod": period, "fastk_period": fastk_period}
    return two("STOCHRSI", close, **options, fastd_period=fastd_period, fastd_matype=fastd_matype)


def cci(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Array:
    """Commodity channel index: the typical price off its average, in 0.015 mean deviations."""
    return one("CCI", high, low, close, timeperiod=period)


def mfi(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, period: int = 14) -> Array:
    """Money flow index, 0 to 100: a relative strength index weighted by traded value."""
    return one("MFI", high, low, close, volume, timeperiod=period)


def mom(close: ArrayLike, period: int = 10) -> Array:
    """Momentum: the change over `period` bars, in price."""
    return one("MOM", close, timeperiod=period)


def roc(close: ArrayLike, period: int = 10) -> Array:
    """Rate of change over `period` bars, in percent."""
    return one("ROC", close, timeperiod=period)


def willr(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Array:
    """Williams' %R, -100 to 0: how far the close lies below the highest high."""
    return one("WILLR", high, low, close, timeperiod=period)


def aroon(high: ArrayLike, low: ArrayLike, period: int = 14) -> Arrays2:
    """Aroon (down, up), 0 to 100: how lately the lowest low and the highest high were."""
    return two("AROON", high, low, timeperiod=period)


def adx(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Array:
    """Wilder's average directional index, 0 to 100: the strength of a trend, whichever way."""
    return one("ADX", high, low, close, timeperiod=period)


def plus_di(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Array:
    """Wilder's plus directional indicator, 0 to 100."""
    return one("PLUS_DI", high, low, close, timeperiod=period)


def minus_di(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Array:
    """Wilder's minus directional indicator, 0 to 100."""
    return one("MINUS_DI", high, low, close, timeperiod=period)


# Range, spread and volume


def atr(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Array:
    """Wilder's average true range, in price."""
    return one("ATR", high, low, close, timeperiod=period)


def natr(high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> Array:
    """Average true range in percent of the close."""
    return one("NATR", high, low, close, timeperiod=period)


def trange(high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Array:
    """True range of each bar, the gap from the close before included, in price."""
    return one("TRANGE", high, low, close)


def stddev(close: ArrayLike, period: int = 5, nbdev: float = 1.0) -> Array:
    """Standard deviation of the last `period` values (divided by `period`), times `nbdev`."""
    return one("STDDEV", close, timeperiod=period, nbdev=nbdev)


def linearreg_slope(close: ArrayLike, period: int = 14) -> Array:
    """Slope of the straight line through the last `period` values, in price a bar."""
    return one("LINEARREG_SLOPE", close, timeperiod=period)


def obv(close: ArrayLike, volume: ArrayLike) -> Array:
    """On-balance volume: volume added on a rise and taken off on a fall, from the first bar on."""
    return one("OBV", close, volume)


def highest(high: ArrayLike, period: int = 20) -> Array:
    """Highest of the last `period` values, this bar's included (TA-Lib's MAX)."""
    return one("MAX", high, timeperiod=period)


def lowest(low: ArrayLike, period: int = 20) -> Array:
    """Lowest of the last `period` values, this bar's included (TA-Lib's MIN)."""
    return one("MIN", low, timeperiod=period)
