"""The file layouts that Vietnamese data come in, written from a series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from algo.data.series import Series


def _stamps(series: Series) -> pd.DatetimeIndex:
    return pd.DatetimeIndex((series.start + 7 * 3_600_000_000_000).view("datetime64[ns]"))


def _prices(series: Series, *names: str) -> dict[str, np.ndarray]:
    return {name: getattr(series, name.lower()) for name in names}


def contracts(series: Series) -> pd.DataFrame:
    """(index),Date,Time,tickersymbol,Open,Close,High,Low,Volume: the front contract, with rolls."""
    stamps = _stamps(series)
    head = {"Date": stamps.strftime("%Y-%m-%d"), "Time": stamps.strftime("%H:%M:%S")}
    frame = pd.DataFrame(
        {**head, "tickersymbol": series.contract, **_prices(series, "Open", "Close", "High", "Low", "Volume")}
    )
    frame.index += 1
    return frame


def moments(series: Series, end: bool = False) -> pd.DataFrame:
    """Date (with time),Open,High,Low,Close,Volume."""
    stamps = _stamps(series) + pd.Timedelta(series.width if end else 0)
    frame = pd.DataFrame(
        {
            "Date": stamps.strftime("%Y-%m-%d %H:%M:%S"),
            **_prices(series, "Open", "High", "Low", "Close", "Volume"),
        }
    )
    return frame.set_index("Date")


def daily(series: Series) -> pd.DataFrame:
    """Date,Open,High,Low,Close,Volume: days, in thousands of đồng."""
    prices = {name: values / 1000 for name, values in _prices(series, "Open", "High", "Low", "Close").items()}
    frame = pd.DataFrame({"Date": _stamps(series).strftime("%Y-%m-%d"), **prices, "Volume": series.volume})
    return frame.set_index("Date")
