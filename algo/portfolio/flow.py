"""What moves an account besides fills."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """What changed the account besides a fill: đồng, and for a split the change in shares."""

    ns: int
    kind: str
    symbol: str
    amount: int
    quantity: int = 0
