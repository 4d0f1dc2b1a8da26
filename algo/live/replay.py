"""Doing a recorded run again with its strategies: the first command that is not what it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from algo.errors import JournalMismatch
from algo.journal import Records
from algo.live.core import Core, Plan
from algo.live.facts import Load, plan_of
from algo.live.record import START, RecordedStep, again, steps
from algo.model import Command


@dataclass
class Replay:
    """What came of it. `row` is the journal's row whose commands differ, None when all are the same."""

    processes: int = 0
    steps: int = 0
    commands: int = 0
    row: int | None = None
    then: list[Command] = field(default_factory=list)
    now: list[Command] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "processes": self.processes,
            "steps": self.steps,
            "commands": self.commands,
            "row": self.row,
            "then": [repr(one) for one in self.then],
            "now": [repr(one) for one in self.now],
        }


def differences(records: Records, load: Load) -> Replay:
    """Give every process of the journal its inputs again, and compare its commands with the recorded ones.

    A process begins where the one before it ended: what was decided until then is done by shadows.
    """
    found = Replay()
    before: list[RecordedStep | dict[str, Any]] = []
    core: Core | None = None
    for one in steps(records):
        if isinstance(one, dict):
            found.processes += 1
            core = _begun(plan_of(one["plan"], load) if "plan" in one else _unknown(), before)
        elif core is None:
            _unknown()
        else:
            if one.event == START:
                core.wake()  # until then the strategies slept
            step = again(core, one)
            found.steps += 1
            found.commands += len(one.commands)
            if step.commands != one.commands:
                found.row, found.then, found.now = one.seq, one.commands, step.commands
                return found
        before.append(one)
    return found


def _begun(plan: Plan, before: list[RecordedStep | dict[str, Any]]) -> Core:
    core = Core(plan)
    begun = False
    for one in before:
        if isinstance(one, dict):
            if begun:
                core.restart()
            begun = True
        else:
            again(core, one)
            core.remember(one.states)
    if begun:
        core.restart()
    return core


def _unknown() -> Plan:
    raise JournalMismatch("the journal does not say what was run")
