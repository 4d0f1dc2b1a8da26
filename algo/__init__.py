"""algo: algorithmic trading in Vietnam, from one strategy class to live orders.

These are the public names. They load when they are first used, so that importing algo is quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algo.backtest import backtest
    from algo.errors import AlgoError, InputError, StrategyError
    from algo.market import FlatFees, NoFees, VietnamFees
    from algo.model import Bar, ContractRolled, CorporateAction, Fill, OrderView, Quote, SessionChanged, Trade
    from algo.orders.risk import Limits
    from algo.portfolio import Portfolio, Position
    from algo.result import Result
    from algo.strategy import Strategy

__version__ = "0.1.0"

_HOMES = {
    "AlgoError": "algo.errors",
    "Bar": "algo.model",
    "ContractRolled": "algo.model",
    "CorporateAction": "algo.model",
    "Fill": "algo.model",
    "FlatFees": "algo.market",
    "InputError": "algo.errors",
    "Limits": "algo.orders.risk",
    "NoFees": "algo.market",
    "OrderView": "algo.model",
    "Portfolio": "algo.portfolio",
    "Position": "algo.portfolio",
    "Quote": "algo.model",
    "Result": "algo.result",
    "SessionChanged": "algo.model",
    "Strategy": "algo.strategy",
    "StrategyError": "algo.errors",
    "Trade": "algo.model",
    "VietnamFees": "algo.market",
    "backtest": "algo.backtest",
}

__all__ = [
    "AlgoError",
    "Bar",
    "ContractRolled",
    "CorporateAction",
    "Fill",
    "FlatFees",
    "InputError",
    "Limits",
    "NoFees",
    "OrderView",
    "Portfolio",
    "Position",
    "Quote",
    "Result",
    "SessionChanged",
    "Strategy",
    "StrategyError",
    "Trade",
    "VietnamFees",
    "backtest",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is not None:
        value = getattr(import_module(home), name)
    elif name.startswith("_"):
        raise AttributeError(name)
    else:
        # Every indicator is a public name: ``from algo import sma``.
        value = getattr(import_module("algo.indicators"), name, None)
        if value is None:
            raise AttributeError(f"module 'algo' has no attribute {name!r}")
    globals()[name] = value
    return value


class _Names(ModuleType):
    """Keeps a public name what it is when a module of the same name is imported: ``algo.backtest``."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and name in _HOMES:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Names


def __dir__() -> list[str]:
    return sorted(__all__)
