"""The figures of a run, from its equity, trades and fills. Pure functions.

Daily figures rest on the daily returns: the change from one day's last equity to the next day's.
So the first day only sets the base, and a run of one day has none. A year is 252 trading days; the
riskless rate and the required return are 0. The formulas are those of the empyrical library
(volatility, Sharpe, Sortino, Calmar, compound growth, drawdown), which the tests compare with.

What cannot be told is None, never NaN or infinity: a mean of nothing, a ratio with nothing under it.
Counts and sums of nothing are 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from algo.clock import DAY, at

if TYPE_CHECKING:
    import pandas as pd

_EPOCH = date(1970, 1, 1)

Floats = NDArray[np.float64]
Figures = dict[str, Any]


def statistics(
    equity: pd.Series[Any],
    trades: pd.DataFrame,
    fills: Mapping[str, Any] | pd.DataFrame,
    exposure: pd.Series[Any],
    *,
    bars: int,
    opening: float | None = None,
    days_per_year: int = 252,
) -> Figures:
    """The figures of a run by name, as plain numbers and text that JSON can hold.

    `equity` is the account's value (đồng) at each bar's completion, `exposure` whether or how much was
    held then, `bars` how many bars the strategy saw, `opening` the equity before the first bar (the
    first value where it is not given). `trades` and `fills` are as in `algo.report.subject.Result`; of the
    fills the columns value, fee and tax are enough.

    The run:
        start, end              completion of the first and the last bar, ISO 8601 with offset
        bars, days              bars seen; calendar days with a bar
        opening, closing        equity before the first bar and at the last one, đồng
        net_profit              closing - opening, after all costs, đồng
        return_pct              net profit in percent of the opening equity
        exposure_pct            bars with an open position, in percent of the bars of `equity`

    From daily returns r, n of them:
        cagr_pct                compound growth a year, (last / first daily equity)^(252 / n) - 1, percent
        volatility_pct          standard deviation of r (n - 1 below) times √252, percent
        sharpe                  mean of r over its standard deviation (n - 1 below), times √252
        sortino                 mean of r over √(mean of min(r, 0)²), times √252
        max_drawdown_pct        lowest daily equity against the highest before it, percent, 0 or negative
        max_drawdown_days       longest time from a daily high until it is reached again, or until the
                                end, calendar days
        calmar                  cagr_pct over the size of max_drawdown_pct
        best_day_pct, worst_day_pct, winning_days_pct    largest and smallest r; share of r above 0

    From the equity at every bar:
        max_drawdown_intraday_pct    as max_drawdown_pct, but over bars and from the opening equity on

    From closed trades, pnl after costs:
        trades                  how many
        win_rate_pct            trades with pnl above 0, percent
        profit_factor           profit of the winning trades over the loss of the losing ones
        expectancy              mean pnl of a trade, đồng
        avg_win, avg_loss       mean pnl of the winning and of the losing trades, đồng
        payoff_ratio            avg_win over the size of avg_loss
        best_trade, worst_trade    largest and smallest pnl, đồng
        sqn                     Van Tharp's system quality number, √trades times mean over standard
                                deviation (n - 1 below) of pnl
        max_losing_streak       most losing trades in a row, by exit time
        avg_holding_hours       mean time from entry to exit, nights and holidays included, hours

    From fills:
        fills                   how many
        traded_value            price times quantity (times the multiplier), buys and sells together, đồng
        turnover                traded value over the mean equity, times
        fees, taxes             sums, đồng; the run adds what it paid without a fill
    """
    moments = local_moments(equity.index)
    values = np.asarray(equity, dtype=np.float64)
    first = opening if opening is not None else (values[0] if values.size else 0.0)
    last = values[-1] if values.size else first
    days, daily = _daily(moments, values)
    figures: Figures = {
        "start": _moment(moments, 0),
        "end": _moment(moments, -1),
        "bars": int(bars),
        "days": len(daily),
        "opening": round(first),
        "closing": round(last),
        "net_profit": round(last - first),
        "return_pct": _number(100 * (last / first - 1) if first > 0 else None),
        "exposure_pct": _share(np.nan_to_num(np.asarray(exposure, dtype=np.float64)) != 0) or 0.0,
    }
    figures |= _from_days(days, daily, days_per_year)
    figures["max_drawdown_intraday_pct"] = _number(100 * drawdown(np.concatenate([[first], values])).min())
    figures |= _from_trades(trades)
    figures |= _from_fills(fills, values)
    return figures


def daily_equity(equity: pd.Series[Any]) -> pd.Series[Any]:
    """The last equity of each local calendar day that has one, by the day's last bar."""
    moments = local_moments(equity.index)
    ends = _day_ends(moments)
    return equity.iloc[ends].set_axis(moments[ends])


def local_moments(index: Any) -> pd.DatetimeIndex:
    """`index` in Vietnamese time; without a time zone it is taken to be that already."""
    import pandas as pd

    moments = pd.DatetimeIndex(index)
    if moments.tz is None:
        return moments.tz_localize("Asia/Ho_Chi_Minh")
    return moments.tz_convert("Asia/Ho_Chi_Minh")


def drawdown(values: Floats) -> Floats:
    """How far each value lies below the highest so far, as a share of it: 0 or negative.

    Where nothing above 0 came before, it is 0.
    """
    peak = np.maximum.accumulate(np.asarray(values, dtype=np.float64))
    below = ~(peak > 0)
    peak[below] = 1.0  # in place, here and after: these are as long as the run
    fall: Floats = np.divide(values, peak, out=peak)
    fall -= 1
    fall[below] = 0.0
    return fall


def _from_days(days: NDArray[np.int64], daily: Floats, days_per_year: int) -> Figures:
    fall = float(drawdown(daily).min()) if daily.size else 0.0
    # Once the equity is not above 0 a return means nothing.
    sound = daily.size > 1 and bool((daily[:-1] > 0).all()) and bool(daily[-1] >= 0)
    returns = daily[1:] / daily[:-1] - 1 if sound else np.empty(0)
    mean = _mean(returns)
    deviation = _deviation(returns)
    downside = sqrt(float(np.mean(np.minimum(returns, 0) ** 2))) if returns.size else None
    growth = _growth(daily, days_per_year) if sound else None
    yearly = sqrt(days_per_year)
    return {
        "cagr_pct": _number(None if growth is None else 100 * growth),
        "volatility_pct": _number(None if deviation is None else 100 * deviation * yearly),
        "sharpe": _ratio(mean, deviation, yearly),
        "sortino": _ratio(mean, downside, yearly),
        "max_drawdown_pct": _number(100 * fall),
        "max_drawdown_days": _longest_below_peak(days, daily),
        "calmar": _ratio(growth, -fall),
        "best_day_pct": _number(100 * returns.max() if returns.size else None),
        "worst_day_pct": _number(100 * returns.min() if returns.size else None),
        "winning_days_pct": _share(returns > 0),
    }


def _from_trades(trades: pd.DataFrame) -> Figures:
    ordered = trades.sort_values("exit_time", kind="stable") if len(trades) else trades
    profits = np.asarray(ordered["pnl"], dtype=np.float64)
    wins, losses = profits[profits > 0], profits[profits < 0]
    hours = np.empty(0)
    if len(ordered):
        held = ordered["exit_time"] - ordered["entry_time"]
        hours = held.dt.total_seconds().to_numpy(dtype=np.float64) / 3600
    win, loss, mean = _mean(wins), _mean(losses), _mean(profits)
    return {
        "trades": len(profits),
        "win_rate_pct": _share(profits > 0),
        "profit_factor": _ratio(float(wins.sum()), -float(losses.sum())) if profits.size else None,
        "expectancy": _number(mean),
        "avg_win": _number(win),
        "avg_loss": _number(loss),
        "payoff_ratio": _ratio(win, -loss if loss is not None else None),
        "best_trade": round(profits.max()) if profits.size else None,
        "worst_trade": round(profits.min()) if profits.size else None,
        "sqn": _ratio(mean, _deviation(profits), sqrt(profits.size)),
        "max_losing_streak": _longest_run(profits < 0),
        "avg_holding_hours": _number(_mean(hours)),
    }


def _from_fills(fills: Mapping[str, Any] | pd.DataFrame, equity: Floats) -> Figures:
    traded = float(fills["value"].sum())
    return {
        "fills": len(fills["value"]),
        "traded_value": round(traded),
        "turnover": _ratio(traded, _mean(equity)) if traded else 0.0,
        "fees": round(fills["fee"].sum()),
        "taxes": round(fills["tax"].sum()),
    }


def _day_ends(moments: pd.DatetimeIndex) -> NDArray[np.intp]:
    """The places of each local day's last moment."""
    return _last_places(_day_numbers(moments))


def _last_places(days: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.flatnonzero(np.append(days[1:] != days[:-1], True)) if days.size else np.empty(0, dtype=np.intp)


def _day_numbers(moments: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Days since the epoch of each moment, by the local calendar."""
    return (np.asarray(moments.as_unit("ns").asi8) - at(_EPOCH)) // DAY


def _daily(moments: pd.DatetimeIndex, values: Floats) -> tuple[NDArray[np.int64], Floats]:
    days = _day_numbers(moments)
    ends = _last_places(days)
    return days[ends], values[ends]


def _moment(moments: pd.DatetimeIndex, place: int) -> str | None:
    if not len(moments):
        return None
    moment: datetime = moments[place].to_pydatetime()
    return moment.isoformat()


def _growth(daily: Floats, days_per_year: int) -> float | None:
    """Compound growth a year of at least two daily values, as a share."""
    try:
        return float((float(daily[-1]) / float(daily[0])) ** (days_per_year / (daily.size - 1)) - 1)
    except OverflowError:
        return None


def _longest_below_peak(days: NDArray[np.int64], daily: Floats) -> int:
    """Most days from a high until it is reached again, or until the end, where it was left at all."""
    longest, peak, since, below = 0, -np.inf, 0, False
    for day, value in zip(days.tolist(), daily.tolist(), strict=True):
        regained = value >= peak
        if below or not regained:
            longest = max(longest, day - since)
        if regained:
            peak, since = value, day
        below = not regained
    return longest


def _longest_run(flags: NDArray[np.bool_]) -> int:
    longest = run = 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None


def _deviation(values: Floats) -> float | None:
    return float(values.std(ddof=1)) if values.size > 1 else None


def _share(flags: NDArray[np.bool_]) -> float | None:
    return 100 * float(flags.mean()) if flags.size else None


def _ratio(over: float | None, under: float | None, times: float = 1.0) -> float | None:
    """`over` / `under` * `times`; None where one is unknown or there is nothing under it."""
    return _number(over / under * times) if over is not None and under is not None and under > 0 else None


def _number(value: float | None) -> float | None:
    """`value` as a plain float; None instead of NaN and infinity."""
    return float(value) if value is not None and isfinite(value) else None
