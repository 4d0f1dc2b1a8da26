"""A program with a known mistake in it is found out: the judge of the simulation can fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from algo.brokers.fctrading.adapter import FastConnect
from algo.live.runtime import Runtime
from algo.model import RequestUnknown
from algo.sim.report import played

SEEDS = range(2, 8)


def found() -> list[str]:
    """The violations of the first seed that has some."""
    for seed in SEEDS:
        if violations := played(seed).violations:
            return violations
    return []


@pytest.mark.slow
def test_sending_before_it_is_recorded_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(self: Any, commands: list[Any], *, urgent: bool) -> None:
        for command in commands:
            self._send(command)
        asyncio.get_running_loop().call_later(1.0, self._late_commit)

    monkeypatch.setattr(Runtime, "_leave", leave)
    assert any(one.startswith("invariant 1:") for one in found())


@pytest.mark.slow
def test_sending_a_request_of_unknown_outcome_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapter's own guard is taken out as well: with it, the runtime's mistake does no harm."""
    prepared = FastConnect._prepared

    async def sent(self: Any, command: Any) -> None:
        outcome = await self.broker.send(command)
        if isinstance(outcome, RequestUnknown):
            outcome = await self.broker.send(command)
        self.post([outcome])

    monkeypatch.setattr(FastConnect, "_prepared", lambda self, command: (True, prepared(self, command)[1]))
    monkeypatch.setattr(Runtime, "_sent", sent)
    assert any(one.startswith("invariant 2:") for one in found())


@pytest.mark.slow
def test_never_taking_the_brokers_books_for_evidence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "_proven", lambda _self, _snapshot, _io: [])
    assert found() != [] or not all(played(seed).resumed for seed in SEEDS)
