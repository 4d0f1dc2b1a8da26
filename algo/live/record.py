"""A live run in its journal: writing each step before its commands leave, and doing a recorded run again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from algo.decisions import Decision
from algo.errors import JournalMismatch
from algo.journal import Journal, Records, RowKind, StrategyState, StreamPosition
from algo.live.core import Core, Step
from algo.model import Command

START, STOP = "start", "stop"


@dataclass
class RecordedStep:
    """One step as the journal has it: its input, and what followed."""

    seq: int
    ns: int
    event: Any
    """An event, the bars of one moment, or START or STOP."""
    decisions: list[Decision] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    states: dict[str, Any] = field(default_factory=dict)


class Record:
    """Writes the steps of a run. Without a journal it keeps nothing."""

    def __init__(self, journal: Journal | None) -> None:
        self.journal = journal
        self._dirty = False

    def step(self, ns: int, event: Any, step: Step) -> None:
        """Keep a step for the next commit."""
        journal = self.journal
        if journal is None or journal.failed:
            return
        journal.append(RowKind.INPUT, ns, {event: ns} if isinstance(event, str) else event)
        if step.decisions:
            rows = [[one.strategy, one.call, one.action, list(one.arguments)] for one in step.decisions]
            journal.append(RowKind.DECISION, ns, {"decisions": rows})
        for command in step.commands:
            journal.append(RowKind.COMMAND, ns, command)
        for name, state in step.states.items():
            journal.append(RowKind.STATE, ns, StrategyState(name, state))
        for alarm in step.alarms:
            journal.append(RowKind.ALARM, ns, alarm._asdict())
        for _, name, text in step.messages:
            journal.append(RowKind.NOTE, ns, {"strategy": name, "text": text})
        self._dirty = True

    def position(self, ns: int, position: str) -> None:
        """Keep where the broker's stream is, in the same commit as the steps that it covers."""
        if self.journal is not None and not self.journal.failed:
            self.journal.append(RowKind.CURSOR, ns, StreamPosition(position))
            self._dirty = True

    def run(self, ns: int, facts: dict[str, Any]) -> None:
        """A process begins."""
        if self.journal is not None:
            self.journal.append(RowKind.RUN, ns, facts)
            self._dirty = True

    def commit(self) -> None:
        """Make it durable. Raises JournalFailed when that cannot be had."""
        if self.journal is not None and self._dirty:
            self._dirty = False
            self.journal.commit()

    @property
    def failed(self) -> str:
        """Why nothing more is recorded, '' while it is."""
        return self.journal.failed if self.journal is not None else ""


def steps(records: Records) -> Iterator[RecordedStep | dict[str, Any]]:
    """What a journal holds, in order: the facts of each process (a dict), and its steps."""
    current: RecordedStep | None = None
    kinds = (RowKind.RUN, RowKind.INPUT, RowKind.DECISION, RowKind.COMMAND, RowKind.STATE)
    for row in records.rows(kinds=kinds):
        if row.kind in (RowKind.RUN, RowKind.INPUT):
            if current is not None:
                yield current
            current = None
        if row.kind is RowKind.RUN:
            yield row.value
        elif row.kind is RowKind.INPUT:
            event = row.value
            if isinstance(event, dict):
                (event,) = event
            elif isinstance(event, list):
                event = tuple(event)
            current = RecordedStep(row.seq, row.ns, event)
        elif current is None:
            raise JournalMismatch(f"row {row.seq} follows from nothing")
        elif row.kind is RowKind.DECISION:
            current.decisions += [Decision(a, b, c, tuple(d)) for a, b, c, d in row.value["decisions"]]
        elif row.kind is RowKind.COMMAND:
            current.commands.append(row.value)
        else:
            current.states[row.value.strategy] = row.value.state
    if current is not None:
        yield current


def again(core: Core, recorded: RecordedStep) -> Step:
    """Do a recorded step again."""
    if recorded.event == START:
        return core.start(recorded.ns, recorded.decisions)
    if recorded.event == STOP:
        return core.stop(recorded.ns, recorded.decisions)
    return core.step(recorded.event, recorded.decisions)


def restore(core: Core, records: Records) -> int:
    """Bring a fresh core to where the journal ends; gives the number of steps.

    Raises JournalMismatch when the commands that follow now are not those that were recorded.
    """
    count, begun = 0, False
    for one in steps(records):
        if isinstance(one, dict):
            if begun:
                core.restart()
            begun = True
            continue
        step = again(core, one)
        if step.commands != one.commands:
            raise JournalMismatch(
                f"row {one.seq}: the recorded commands do not follow any more; "
                "look with `algo replay`, and start anew with another journal when the account is clear"
            )
        core.remember(one.states)
        count += 1
    return count
