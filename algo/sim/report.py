"""What many seeds found: one line each, and the figures of all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from algo.model import RequestStatus
from algo.sim.run import Run


@dataclass
class Played:
    """One seed, played."""

    seed: int
    digest: str
    orders: int
    fills: int
    amends: int
    events: int
    injected: dict[str, int]
    happened: dict[str, int]
    violations: list[str]
    resumed: bool
    latched: list[str]
    story: list[tuple[float, str, str]] = field(default_factory=list)


def played(seed: int, *, keep: bool = False) -> Played:
    """Play a seed."""
    run = Run(seed, keep=keep)
    run.play()
    core = run.processes[-1].core
    orders = [one for one in core.engine.manager.every if one.order_id] if core is not None else []
    controls = core.controls if core is not None else None
    latched = sorted({alarm.kind for alarm in run.alarms if alarm.kind in ("mismatch", "unknown", "breaker")})
    return Played(
        seed,
        run.trace.digest,
        len(orders),
        sum(1 for one in orders for _ in one.fill_keys),
        sum(
            1
            for one in orders
            for r in one.requests
            if r.kind == "amend" and r.status is RequestStatus.RECEIVED
        ),
        run.house.service.market.sent,
        dict(run.injected),
        {str(kind): count for kind, count in run.house.host.faults.happened.items() if count},
        run.judge.violations,
        controls is not None and not controls.ready and not controls.killed,
        latched,
        run.trace.lines,
    )


class Report:
    """Sums up."""

    def __init__(self) -> None:
        self.seeds: list[Played] = []
        self.mismatches: list[int] = []
        self.repeated = 0

    def add(self, one: Played) -> None:
        """Another seed."""
        self.seeds.append(one)

    @property
    def violations(self) -> list[str]:
        """Everything that was broken, with its seed."""
        return [f"seed {one.seed}: {text}" for one in self.seeds for text in one.violations]

    def repeat(self, seeds: Iterable[int]) -> None:
        """Play seeds again in other processes with other hash seeds, and compare what happened."""
        known = {one.seed: one.digest for one in self.seeds}
        for seed in seeds:
            environment = os.environ | {"PYTHONHASHSEED": str(seed + 1)}
            command = [sys.executable, "-m", "algo.sim", "--digest", "--seed", str(seed)]
            found = subprocess.run(  # noqa: S603  our own program
                command, env=environment, capture_output=True, text=True, check=True
            )
            self.repeated += 1
            if found.stdout.strip() != known[seed]:
                self.mismatches.append(seed)

    def line(self, seed: int) -> str:
        """One seed in a line."""
        one = next(found for found in self.seeds if found.seed == seed)
        troubles = ", ".join(f"{kind} {count}" for kind, count in sorted(one.injected.items()))
        state = "resumed" if one.resumed else "not resumed"
        text = (
            f"seed {seed}: {one.orders} orders, {one.fills} fills, {one.amends} amends, {state}; {troubles}"
        )
        return "\n".join([text, *(f"  {violation}" for violation in one.violations)])

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        injected: dict[str, int] = {}
        happened: dict[str, int] = {}
        for one in self.seeds:
            for kind, count in one.injected.items():
                injected[kind] = injected.get(kind, 0) + count
            for kind, count in one.happened.items():
                happened[kind] = happened.get(kind, 0) + count
        kinds = sorted({*injected, *happened})
        return {
            "seeds": len(self.seeds),
            "days": len(self.seeds),
            "orders": sum(one.orders for one in self.seeds),
            "fills": sum(one.fills for one in self.seeds),
            "amends": sum(one.amends for one in self.seeds),
            "faults": {
                kind: {
                    "injected": injected.get(kind, 0),
                    "happened": happened.get(kind, injected.get(kind, 0)),
                }
                for kind in kinds
            },
            "violations": self.violations,
            "repeated": self.repeated,
            "hash_mismatches": len(self.mismatches),
            "resumed_pct": round(100 * sum(one.resumed for one in self.seeds) / max(len(self.seeds), 1), 1),
            "latched": {str(one.seed): one.latched for one in self.seeds if one.latched},
        }

    def text(self) -> str:
        """For people."""
        facts = self.facts()
        lines = [
            f"{facts['seeds']} days: {facts['orders']:,} orders, {facts['fills']:,} fills, "
            f"{facts['amends']:,} amends; {facts['resumed_pct']} % traded again",
        ]
        lines += [
            f"  {kind:10} {one['injected']:4} planned, {one['happened']:5} times"
            for kind, one in facts["faults"].items()
        ]
        lines.append(f"{self.repeated} repeated elsewhere, {facts['hash_mismatches']} otherwise")
        lines.append(f"{len(self.violations)} violations")
        lines += [f"  {text}" for text in self.violations]
        return "\n".join(lines)
