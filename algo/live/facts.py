"""A plan as plain values, for the journal, and a plan of such values again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from algo.errors import JournalMismatch
from algo.live.core import Plan, Seat
from algo.market import instrument_of
from algo.model import Account, Board
from algo.orders import Limits
from algo.orders.controls import ControlSettings
from algo.strategy import Strategy

Load = Callable[[str], type[Strategy]]
"""A strategy by the name that people write: file.py:Class, or package.module:Class."""


def facts_of(plan: Plan) -> dict[str, Any]:
    """The plan in values that JSON has. Fees that are a function of one's own have none: they are None."""
    return {
        "seats": [
            {
                "name": seat.name,
                "strategy": _name(seat.strategy),
                "parameters": {name: _plain(value) for name, value in seat.parameters.items()},
                "cash": {str(account): amount for account, amount in seat.cash.items()},
                "limits": asdict(seat.limits),
            }
            for seat in plan.seats
        ],
        "symbols": list(plan.symbols),
        "day": plan.day.isoformat(),
        "width": plan.width,
        "fees": plan.fees if isinstance(plan.fees, str | Mapping) else None,
        "margin": None if plan.margin is None else str(plan.margin),
        "advance": plan.advance,
        "controls": asdict(plan.controls),
        "days": [day.isoformat() for day in plan.days],
        "contracts": {
            symbol: [one.symbol, str(one.board), one.adjusted] for symbol, one in plan.contracts.items()
        },
    }


def plan_of(facts: Mapping[str, Any], load: Load) -> Plan:
    """The plan that `facts` were made of. Raises JournalMismatch when they are no plan's."""
    try:
        controls = dict(facts["controls"])
        account = Limits(**controls.pop("account"))
        if facts["fees"] is None:
            raise JournalMismatch("the run had fees of its own, which a journal cannot hold")
        return Plan(
            [
                Seat(
                    seat["name"],
                    load(seat["strategy"]),
                    seat["parameters"],
                    {Account(name): amount for name, amount in seat["cash"].items()},
                    Limits(**seat["limits"]),
                )
                for seat in facts["seats"]
            ],
            facts["symbols"],
            date.fromisoformat(facts["day"]),
            width=facts["width"],
            fees=facts["fees"],
            margin=None if facts["margin"] is None else Fraction(facts["margin"]),
            advance=facts["advance"],
            controls=ControlSettings(**controls, account=account),
            days=tuple(date.fromisoformat(day) for day in facts["days"]),
            contracts={
                symbol: instrument_of(code, Board(board), adjusted=adjusted)
                for symbol, (code, board, adjusted) in facts["contracts"].items()
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JournalMismatch(f"the journal does not say what was run: {type(error).__name__}") from None


def _name(strategy: type[Strategy]) -> str:
    try:
        return f"{Path(inspect.getfile(strategy)).resolve()}:{strategy.__qualname__}"
    except (TypeError, OSError):
        return f"{strategy.__module__}:{strategy.__qualname__}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
