"""A sandbox put together: market, broker, service, operator, faults and state, ready to be served or stepped.

sandbox = assemble(Recipe.new(source="VN30F1M"), speed=60)
async with serve(sandbox.host) as running:
    document = sandbox.document(running.url)
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algo.clock import to_datetime
from algo.market import Session
from algo.sandbox.control import Control
from algo.sandbox.faults import Faults
from algo.sandbox.host import Host
from algo.sandbox.identity import ShownCode
from algo.sandbox.messages import Request, Response
from algo.sandbox.recipe import Recipe
from algo.sandbox.service import Service
from algo.sandbox.source import Source
from algo.sandbox.state import State
from algo.sandbox.world import World


@dataclass(frozen=True)
class Sandbox:
    """One sandbox. `inputs` is how many inputs of an earlier run were put in again."""

    recipe: Recipe
    world: World
    service: Service
    host: Host
    control: Control
    token: str
    inputs: int = 0

    def document(self, url: str, ca_file: Path | None = None) -> dict[str, Any]:
        """All that a client needs to use it at `url`."""
        return self.recipe.document(url, self.world, self.token, ca_file)


def assemble(
    recipe: Recipe | None = None,
    *,
    source: Source | None = None,
    speed: float = 0.0,
    faults: Faults | None = None,
    state: State | None = None,
    limited: bool = True,
    note: Callable[[str], None] = lambda _: None,
    wall: Callable[[], float] = time.time,
    make_host: Callable[..., Host] = Host,
) -> Sandbox:
    """Put a sandbox together; a `state` that has been used before brings its own recipe and goes on.

    `source` replaces the market of the recipe. At `speed` 0 the market stands until the operator steps it.
    `make_host` makes another kind of host. `note` hears one-time codes and what else a person should know.
    """
    kept = state.recipe if state is not None else None
    recipe = Recipe.of(kept) if kept is not None else recipe or Recipe.new()

    def show(shown: ShownCode) -> None:
        if not replaying:
            note(f"one-time code for {shown.consumer_id[:8]}…: {shown.code}")

    replaying = True
    world, service = recipe.build(source, limited=limited, on_code=show)
    while not world.tape.states and world.next_stop() is not None:
        world.step()
    service.publish()
    if state is not None and kept is None:
        state.begin(recipe.asdict())
    host = make_host(service, world, speed=speed, faults=faults, note=note, wall=wall)
    token = secrets.token_urlsafe(24)
    control = Control(host, service, world, token)
    inputs = 0
    if state is not None:

        def handle(request: Request, moment: float) -> Response:
            if request.path.lstrip("/").startswith("control/"):
                return host.guarded(control.replay, request)
            return host.guarded(lambda one: service.handle(one, moment), request)

        inputs = state.replay(world, service, handle)
    replaying = False
    host.begin(control, journal=state)
    service.trading.spoil = host.faults.spoil
    host.closed = lambda: all(session == Session.C for session in world.tape.sessions.values())
    if inputs:
        note(f"going on from {to_datetime(world.now):%d/%m/%Y %H:%M:%S}, after {inputs:,} inputs")
    return Sandbox(recipe, world, service, host, control, token, inputs)
