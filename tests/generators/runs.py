"""Random markets and random strategies over them, for what must hold of any run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import numpy as np
from hypothesis import strategies as st

from algo import sma
from algo.brokers.paper import FillRules
from algo.clock import MINUTE, at
from algo.data.series import Series
from algo.indicators import donchian, rsi
from algo.market import VIETNAM
from algo.strategy import Strategy
from tests.generators.markets import FUTURE, series

DAYS = VIETNAM.trading_days(date(2023, 3, 1), date(2023, 4, 28))
_SLOTS = [*range(9 * 60, 11 * 60 + 30), *range(13 * 60, 14 * 60 + 30), 14 * 60 + 45]


def walk(
    symbol: str, bars: int, seed: int, *, width: int = 5, gaps: float = 0.0, rolls: bool = True
) -> Series:
    """A random walk of bars inside the sessions; contracts roll every third day."""
    random = np.random.default_rng(seed)
    future = symbol.startswith("VN30F")
    unit, level = (0.1, 1_200.0) if future else (50.0, 30_000.0)
    times: list[int] = []
    names: list[str] = []
    slots = [slot for slot in _SLOTS if slot % width == 0 or slot == 14 * 60 + 45]
    for number, day in enumerate(DAYS):
        for slot in slots:
            if random.random() >= gaps:
                times.append(at(day, (slot + width) * MINUTE))
                names.append(f"VN30F23{3 + number // 3:02d}")
        if len(times) >= bars:
            break
    count = min(bars, len(times))
    steps = random.integers(-6, 7, (count, 4))
    rows = []
    for k in range(count):
        opened = level + steps[k, 0] // 3 * unit
        closed = opened + steps[k, 1] * unit
        # Pulled back towards the middle, so that no day leaves its band for long.
        level = closed - (1 if closed > (1_230 if future else 31_000) else 0) * unit
        high = max(opened, closed) + abs(int(steps[k, 2])) * unit
        low = min(opened, closed) - abs(int(steps[k, 3])) * unit
        rows.append([round(p, 1) for p in (opened, high, low, closed)] + [int(random.integers(0, 3_000))])
    contracts = names[:count] if future and rolls else None
    return series(symbol, rows, times[:count], width * MINUTE, contracts=contracts)


@dataclass(frozen=True)
class Gene:
    """When the line compares so with the close, do that."""

    line: int
    above: bool
    every: int
    action: str
    quantity: int
    ticks: int


LINES: tuple[tuple[Callable[..., Any], tuple[int, ...], str | None, int | None], ...] = (
    (sma, (3,), None, None),
    (sma, (7,), None, None),
    (rsi, (5,), None, None),
    (sma, (3,), "15m", None),
    (donchian, (6,), None, 0),
    (sma, (2,), "1d", None),
)

ACTIONS = (
    "target", "target_limit", "buy", "sell", "limit", "stop", "bracket", "gtc", "cancel_all",
    "amend", "close",
)  # fmt: skip


class Random(Strategy):
    """Follows its genes."""

    symbols: tuple[str, ...] = (FUTURE,)
    _genes: ClassVar[tuple[Gene, ...]] = ()

    def on_start(self) -> None:
        self.n = 0
        self.lines: dict[str, list[Any]] = {}
        for symbol in self.symbols:
            made = []
            for function, arguments, width, part in LINES:
                line = self.indicator(function, symbol, *arguments, width=width)
                made.append(line if part is None else line[part])
            self.lines[symbol] = made

    def on_bar(self, bar: Any) -> None:
        self.n += 1
        for gene in self._genes:
            line = self.lines[bar.symbol][gene.line]
            if self.n % gene.every or not line.ready:
                continue
            if (line[-1] > bar.close) is gene.above:
                self.act(gene, bar)

    def act(self, gene: Gene, bar: Any) -> None:
        symbol, size = bar.symbol, gene.quantity
        step = self.tick(symbol)
        lots = max(abs(size), 1) * self.lot(symbol)
        price = self.round_price(symbol, bar.close + gene.ticks * step)
        if price <= 0:
            return
        long = size >= 0
        place = self.buy if long else self.sell
        away = 4 * step if long else -4 * step
        match gene.action:
            case "target":
                self.target(symbol, size * self.lot(symbol) if symbol == FUTURE or size > 0 else 0)
            case "target_limit":
                self.target(symbol, size * self.lot(symbol) if symbol == FUTURE or size > 0 else 0, price)
            case "buy":
                self.buy(symbol, lots)
            case "sell":
                self.sell(symbol, lots)
            case "limit":
                place(symbol, lots, price)
            case "stop":
                place(symbol, lots, stop=price)
            case "bracket":
                place(
                    symbol,
                    lots,
                    stop_loss=self.round_price(symbol, bar.close - away),
                    take_profit=self.round_price(symbol, bar.close + away) if gene.ticks > 0 else None,
                    trailing=3 * step if gene.ticks < -2 else None,
                )
            case "gtc":
                place(symbol, lots, price, tif="gtc")
            case "cancel_all":
                self.cancel_all(symbol)
            case "amend":
                for order in self.orders[:1]:
                    if order.symbol == symbol:
                        self.amend(order, price=price)
            case "close":
                self.close(symbol)


genes = st.builds(
    Gene,
    st.integers(0, len(LINES) - 1),
    st.booleans(),
    st.integers(1, 7),
    st.sampled_from(ACTIONS),
    st.integers(-3, 3),
    st.integers(-6, 6),
)
strategies = st.lists(genes, min_size=1, max_size=6).map(
    lambda found: type("Random", (Random,), {"_genes": tuple(found)})
)
rules = st.builds(
    FillRules,
    st.sampled_from(("open", "close")),
    st.integers(0, 2),
    st.sampled_from(("through", "touch")),
    st.sampled_from((None, 0.1, 0.01)),
)
seeds = st.integers(0, 2**32 - 1)
