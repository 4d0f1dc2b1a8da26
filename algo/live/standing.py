"""How a run stands, as plain values: what the operator's terminal is told."""

from __future__ import annotations

from typing import Any

from algo.live.core import Core
from algo.model import Account


def standing(core: Core) -> dict[str, Any]:
    """Halts, open orders and positions. `locked` is what cannot be sold before it settles, by symbol."""
    controls = core.controls
    held = [(desk.name, position) for desk in core.engine.desks.values() for position in desk.ledger.held()]
    locked: dict[str, int] = {}
    for _, position in held:
        if position.instrument.account is Account.EQUITY and position.quantity > position.sellable:
            kept = position.quantity - position.sellable
            locked[position.symbol] = locked.get(position.symbol, 0) + kept
    positions: dict[str, dict[str, int]] = {name: {} for name in core.engine.desks}
    for name, position in held:
        positions[name][position.symbol] = position.quantity
    return {
        "killed": controls.killed,
        "not_ready": controls.ready,
        "halts": dict(controls.halts),
        "open_orders": [
            {
                "order_id": order.order_id,
                "broker_id": order.broker_id,
                "strategy": order.strategy,
                "symbol": order.instrument.symbol,
                "side": order.side.name.lower(),
                "leaves": order.leaves,
                "status": str(order.status),
            }
            for order in core.open_orders
        ],
        "positions": positions,
        "locked": locked,
        "others": len(controls.foreign),
    }
