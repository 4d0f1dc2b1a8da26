"""What statistics, plots and reports need to know of a finished run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd


class Result(Protocol):
    """A finished run. Tables are pandas; times are aware, in Asia/Ho_Chi_Minh; money is đồng.

    - `data`: a mapping for each symbol, with `symbol, from, to, bars, width, source, notes`.
    - `equity`: the account's value at the completion of each bar.
    - `trades`: `symbol, side ("long", "short"), quantity, entry_time, entry_price, exit_time,
      exit_price, pnl (after fees and taxes), fees, taxes, exit_reason`.
    - `fills`: `time, symbol, side ("buy", "sell"), price, quantity, value (đồng), fee, tax, order,
      reason`.
    - `prices`: a table of `open, high, low, close, volume` for each symbol, by the bars' completion.
    """

    @property
    def strategy(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def data(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def equity(self) -> pd.Series[Any]: ...
    @property
    def trades(self) -> pd.DataFrame: ...
    @property
    def fills(self) -> pd.DataFrame: ...
    @property
    def prices(self) -> Mapping[str, pd.DataFrame]: ...
    @property
    def stats(self) -> Mapping[str, Any]: ...
    @property
    def warnings(self) -> Sequence[str]: ...
