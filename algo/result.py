"""What a finished run gives: figures, tables, pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algo.clock import HO_CHI_MINH
from algo.durable import write_text
from algo.model import Fill, Order, OrderView
from algo.portfolio import RoundTrip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from algo.data.series import Series

_TRADE_COLUMNS = (
    "symbol", "contract", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price",
    "pnl", "fees", "taxes", "exit_reason", "tag",
)  # fmt: skip
_JSON_TRADE = (
    "symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "pnl", "fees",
    "taxes", "exit_reason",
)  # fmt: skip


@dataclass
class Result:
    """A finished run. Times are aware, in Asia/Ho_Chi_Minh; money is đồng; prices as the market shows them.

    - ``stats``: figures by name, defined in `algo.report.statistics`.
    - ``trades``: round trips, first in first out: `symbol, contract, side ("long", "short"), quantity,
      entry_time, entry_price, exit_time, exit_price, pnl` (after fees and taxes), `fees, taxes,
      exit_reason, tag`.
    - ``fills``: `time, symbol, contract, side, price, quantity, value, fee, tax, order, reason, tag`.
    - ``orders``: `created, order, symbol, side, type, price, stop_price, quantity, filled, average_price,
      status, reason, tag`.
    - ``equity``: the account's value when each bar was complete.
    """

    strategy: str
    parameters: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: Sequence[Mapping[str, Any]]
    equity: pd.Series[Any]
    exposure: pd.Series[Any]
    stats: Mapping[str, Any]
    warnings: Sequence[str]
    messages: Sequence[tuple[int, str]] = ()
    error: str = ""
    _fills: Sequence[Fill] = field(default=(), repr=False)
    _orders: Sequence[Order] = field(default=(), repr=False)
    _trades: Sequence[RoundTrip] = field(default=(), repr=False)
    _symbols: Mapping[str, str] = field(default_factory=dict, repr=False)
    _series: Mapping[str, Series] = field(default_factory=dict, repr=False)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a round trip, oldest exit first."""
        return trades_frame(self._trades, self._symbols, self._fills)

    @cached_property
    def fills(self) -> pd.DataFrame:
        """One row a fill, oldest first."""
        return fills_frame(self._fills, self._symbols)

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order, refused ones included, oldest first."""
        return orders_frame(self._orders)

    @cached_property
    def prices(self) -> dict[str, pd.DataFrame]:
        """The bars by symbol, indexed by the moment when each was complete."""
        return {symbol: one.to_frame() for symbol, one in self._series.items()}

    def plot(self) -> Figure:
        """Equity, drawdown and prices with entries and exits, as a matplotlib figure."""
        from algo.report.plots import figure

        return figure(self)

    def report(self, path: str | Path) -> Path:
        """Write the report, one self-contained HTML page, to `path`; gives the path."""
        from algo.report.page import html

        return write_text(Path(path), html(self))

    def as_dict(self) -> dict[str, Any]:
        """The run as plain values, the same for the same run: what `--json` writes."""
        trades = self.trades.loc[:, list(_JSON_TRADE)].to_dict("records")
        for trade in trades:
            trade["entry_time"] = trade["entry_time"].isoformat()
            trade["exit_time"] = trade["exit_time"].isoformat()
        refused = [order for order in self._orders if order.status in ("refused", "rejected")]
        plain: dict[str, Any] = {
            "strategy": self.strategy,
            "parameters": dict(self.parameters),
            "settings": dict(self.settings),
            "data": [dict(one) for one in self.data],
            "stats": dict(self.stats),
            "trades": trades,
            "orders": {"sent": len(self._orders) - len(refused), "refused": len(refused)},
            "warnings": list(self.warnings),
        }
        if self.error:
            plain["error"] = self.error
        return plain

    def to_json(self) -> str:
        """`as_dict` as JSON text."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2, allow_nan=False, default=str) + "\n"

    def __repr__(self) -> str:
        s = self.stats
        share = "" if s["return_pct"] is None else f" ({s['return_pct']:.2f} %)"
        return (
            f"<Result {self.strategy}: {s['net_profit']:,} đ{share}, "
            f"{s['trades']} trades, max drawdown {s['max_drawdown_pct']:.2f} %>"
        )

    def _repr_html_(self) -> str:
        from algo.report.page import html_summary

        return html_summary(self)


def _times(ns: Sequence[int]) -> pd.DatetimeIndex:
    import numpy as np
    import pandas as pd

    moments = np.array(ns, dtype=np.int64).view("datetime64[ns]")
    return pd.DatetimeIndex(moments, tz="UTC").tz_convert(HO_CHI_MINH)


def _columns(rows: Sequence[Any], names: tuple[str, ...]) -> dict[str, tuple[Any, ...]]:
    """Named tuples turned from rows into columns, which is how tables are made quickly."""
    return dict(zip(names, zip(*rows, strict=True) if rows else repeat(()), strict=False))


def trades_frame(
    trips: Sequence[RoundTrip], symbols: Mapping[str, str], fills: Sequence[Fill] = ()
) -> pd.DataFrame:
    """Round trips as a table; parts of the same two orders are one trade."""
    import pandas as pd

    tags = {fill.order_id: fill.tag for fill in fills if fill.tag}
    merged: list[RoundTrip] = []
    last: RoundTrip | None = None
    for trip in trips:
        if last is not None and trip.exit_order == last.exit_order != "" and _same_orders(last, trip):
            merged[-1] = last = last.plus(trip)
        else:
            merged.append(trip)
            last = trip
    of = _columns(merged, RoundTrip._fields)
    contracts = [instrument.symbol for instrument in of["instrument"]]
    columns: tuple[Any, ...] = (
        [symbols.get(contract, contract) for contract in contracts],
        contracts,
        ["long" if sign > 0 else "short" for sign in of["sign"]],
        of["quantity"],
        _times(of["entry_ns"]),
        [t.entry_price for t in merged],
        _times(of["exit_ns"]),
        [t.exit_price for t in merged],
        [t.profit for t in merged],
        of["fees"],
        of["taxes"],
        of["exit_reason"],
        [tags.get(order, "") for order in of["entry_order"]],
    )
    return pd.DataFrame(dict(zip(_TRADE_COLUMNS, columns, strict=True)))


def _same_orders(a: RoundTrip, b: RoundTrip) -> bool:
    return a.entry_order == b.entry_order and a.exit_reason == b.exit_reason and a.sign == b.sign


def fills_frame(fills: Sequence[Fill], symbols: Mapping[str, str]) -> pd.DataFrame:
    """Fills as a table."""
    import pandas as pd

    of = _columns(fills, Fill._fields)
    contracts = [instrument.symbol for instrument in of["instrument"]]
    return pd.DataFrame(
        {
            "time": _times(of["ns"]),
            "symbol": [symbols.get(c, s) for c, s in zip(contracts, of["symbol"], strict=True)],
            "contract": contracts,
            "side": ["buy" if side > 0 else "sell" for side in of["side"]],
            "price": [f.price for f in fills],
            "quantity": of["quantity"],
            "value": [f.value for f in fills],
            "fee": of["fee"],
            "tax": of["tax"],
            "order": of["order_id"],
            "reason": of["exit_reason"],
            "tag": of["tag"],
        }
    )


def orders_frame(orders: Sequence[Order]) -> pd.DataFrame:
    """Orders as a table."""
    import pandas as pd

    return pd.DataFrame(
        {
            "created": _times([o.created for o in orders]),
            "order": [o.order_id for o in orders],
            "symbol": [o.symbol for o in orders],
            "side": ["buy" if o.side > 0 else "sell" for o in orders],
            "type": [str(o.order_type) for o in orders],
            "price": [o.instrument.price(o.price) if o.price else None for o in orders],
            "stop_price": [OrderView(o).stop_price for o in orders],
            "quantity": [o.quantity for o in orders],
            "filled": [o.filled for o in orders],
            "average_price": [o.average_price for o in orders],
            "status": [str(o.status) for o in orders],
            "reason": [o.reason for o in orders],
            "tag": [o.tag for o in orders],
        }
    )
