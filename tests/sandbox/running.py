"""A whole sandbox on real sockets, for clients that block and for those that do not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from algo.clock import HOUR, at
from algo.data.synthetic import make
from algo.sandbox.assembly import Sandbox, assemble
from algo.sandbox.authority import Authority
from algo.sandbox.recipe import Recipe
from algo.sandbox.server import in_thread, serve
from algo.sandbox.sources.bars import BarReplay

DAY = date(2025, 7, 2)
MORNING = at(DAY) + 10 * HOUR
"""In the middle of the second replayed day: continuous trading on every board."""


@dataclass
class Served:
    """A sandbox that is being served, and the document that clients get."""

    sandbox: Sandbox
    document: dict[str, Any]

    @property
    def url(self) -> str:
        return self.document["url"].rstrip("/")

    def control(self, name: str, **fields: Any) -> dict[str, Any]:
        """An operator's request over HTTP; it must succeed."""
        answer = self.ask(name, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, name: str, **fields: Any) -> httpx.Response:
        return httpx.post(
            f"{self.url}/control/{name}", json=fields, headers={"X-Control-Token": self.sandbox.token}
        )


def replay() -> BarReplay:
    """A few days of three symbols, the same every time."""
    return BarReplay(make(["VN30F1M", "FPT", "HPG"], days=4))


def made(until: int = MORNING, **settings: Any) -> Sandbox:
    """A sandbox whose market stands at `until`."""
    settings = {"source": replay(), "limited": False} | settings
    sandbox = assemble(Recipe.new(cash=10**12), **settings)
    sandbox.host.world.advance(until)
    sandbox.service.publish()
    return sandbox


@contextlib.contextmanager
def served(sandbox: Sandbox, authority: Authority | None = None) -> Iterator[Served]:
    """Serve it in a thread."""
    with in_thread(lambda: serve(sandbox.host, authority=authority)) as running:
        yield Served(sandbox, sandbox.document(running.url))
