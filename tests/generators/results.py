"""Made-up results of finished runs: equity, trades and fills that fit together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from algo.report.statistics import statistics

ZONE = "Asia/Ho_Chi_Minh"
TRADE_COLUMNS = [
    "symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price",
    "pnl", "fees", "taxes", "exit_reason",
]  # fmt: skip
FILL_COLUMNS = ["time", "symbol", "side", "price", "quantity", "value", "fee", "tax", "order", "reason"]
MULTIPLIER = 100_000


@dataclass
class MadeResult:
    """Has what `algo.report.subject.Result` asks for."""

    strategy: str
    equity: pd.Series[Any]
    trades: pd.DataFrame
    fills: pd.DataFrame
    prices: dict[str, pd.DataFrame]
    exposure: pd.Series[Any]
    parameters: dict[str, Any] = field(default_factory=lambda: {"fast": 20, "slow": 50})
    settings: dict[str, str] = field(default_factory=lambda: {"fill": "next open", "slippage": "1 tick"})
    data: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stats = statistics(self.equity, self.trades, self.fills, self.exposure, bars=len(self.equity))
        self.data = self.data or [
            {
                "symbol": symbol,
                "from": table.index[0].isoformat() if len(table) else "",
                "to": table.index[-1].isoformat() if len(table) else "",
                "bars": len(table),
                "width": "1m",
                "source": "made.csv",
                "notes": "",
            }
            for symbol, table in self.prices.items()
        ]


def minutes(count: int, day_bars: int = 225, start: str = "2023-01-03") -> pd.DatetimeIndex:
    """`count` bar completions, `day_bars` of them on each working day from 9:01 on."""
    days = pd.bdate_range(start, periods=count // day_bars + 1)
    stamps = days.to_numpy()[:, None] + np.arange(1, day_bars + 1) * np.timedelta64(60, "s")
    naive = pd.DatetimeIndex(stamps.ravel()[:count] + np.timedelta64(9, "h"))
    return naive.tz_localize(ZONE)


def made_result(
    bars: int = 3000, trades: int = 40, seed: int = 1, symbols: tuple[str, ...] = ("VN30F1M",), **more: Any
) -> MadeResult:
    """A run over random walks: trades that do not overlap, on one symbol after the other."""
    rng = np.random.default_rng(seed)
    index = minutes(bars)
    prices = {}
    for symbol in symbols:
        close = np.round(1100 * np.exp(np.cumsum(rng.normal(0, 2e-4, bars))), 1)
        open_ = np.concatenate([close[:1], close[:-1]])
        high = np.maximum(open_, close) + rng.integers(0, 5, bars) / 10
        low = np.minimum(open_, close) - rng.integers(0, 5, bars) / 10
        volume = rng.integers(1, 900, bars)
        columns = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
        prices[symbol] = pd.DataFrame(columns, index=index)
    places = np.sort(rng.choice(bars, 2 * trades, replace=False)) if trades else np.empty(0, dtype=int)
    closed, filled = [], []
    equity, held = np.full(bars, 200_000_000.0), np.zeros(bars)
    for number, (entry, leave) in enumerate(places.reshape(-1, 2)):
        symbol = symbols[number % len(symbols)]
        sign = int(rng.choice([1, -1]))
        close = prices[symbol]["close"].to_numpy()
        fee, tax = 7_400, round(0.0005 * close[leave] * MULTIPLIER)
        gross = sign * (close[leave] - close[entry]) * MULTIPLIER
        for place, side in ((entry, sign), (leave, -sign)):
            value = round(close[place] * MULTIPLIER)
            filled.append(
                [index[place], symbol, "buy" if side > 0 else "sell", close[place], 1, value, fee // 2,
                 tax // 2, number, "market"]
            )  # fmt: skip
        closed.append(
            [symbol, "long" if sign > 0 else "short", 1, index[entry], close[entry], index[leave],
             close[leave], round(gross) - fee // 2 * 2 - tax // 2 * 2, fee // 2 * 2, tax // 2 * 2, "signal"]
        )  # fmt: skip
        equity[entry:leave] += sign * (close[entry:leave] - close[entry]) * MULTIPLIER
        equity[leave:] += closed[-1][7]
        held[entry:leave] = sign
    return MadeResult(
        strategy=more.pop("strategy", "SmaCross"),
        equity=pd.Series(equity, index=index),
        trades=pd.DataFrame(closed, columns=TRADE_COLUMNS),
        fills=pd.DataFrame(filled, columns=FILL_COLUMNS),
        prices=prices,
        exposure=pd.Series(held, index=index),
        **more,
    )
