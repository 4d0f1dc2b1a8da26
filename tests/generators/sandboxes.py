"""Sandboxes on real sockets, and live runs beside them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algo.backtest import load
from algo.brokers.fctrading.credentials import Credentials, read_file
from algo.data.feed import BarFeed
from algo.durable import write_bytes, write_text
from algo.fastconnect.transport import open_client, trust
from algo.live.clock import SteppedClock
from algo.live.control import Control
from algo.live.core import Plan, Seat
from algo.live.stepping import SteppedBars, Stepper
from algo.live.trading import Setup, Trading
from algo.orders.controls import ControlSettings
from algo.sandbox.assembly import Sandbox, assemble
from algo.sandbox.authority import Authority
from algo.sandbox.recipe import Recipe
from algo.sandbox.server import serve
from algo.sandbox.sources.bars import BarReplay
from algo.strategy import Strategy

CASH = 1_000_000_000
# What a made-up market may ask of a run, so that nothing but the market decides.
FREE = ControlSettings(collar=1.0, repeat=0, open_orders=10_000, refusals=10_000, loops=10_000)


@dataclass
class Stage:
    """A running sandbox over bars, and how a client reaches it."""

    sandbox: Sandbox
    credentials: Credentials
    control: Control
    series: Mapping[str, Any]
    feed: BarFeed
    folder: Path


@contextlib.asynccontextmanager
async def stage(data: Any, folder: Path, *, tls: bool = False) -> AsyncIterator[Stage]:
    """A sandbox that replays `data` by steps."""
    series = load(data)
    made = assemble(Recipe.new(cash=CASH), source=BarReplay(series), limited=False)
    authority = Authority() if tls else None
    async with serve(made.host, authority=authority) as running:
        ca_file = None
        if authority is not None:
            ca_file = write_bytes(folder / "ca.pem", authority.certificate)
        file = write_text(
            folder / "credentials.json", json.dumps(made.document(running.url, ca_file)), mode=0o600
        )
        who = read_file(file)
        control = Control(open_client(running.url, trust(who.ca_file)), made.token)
        try:
            yield Stage(made, who, control, series, BarFeed(series), folder)
        finally:
            await control.close()


def setup_of(
    on: Stage,
    strategy: type[Strategy],
    parameters: Mapping[str, Any] | None = None,
    *,
    controls: ControlSettings = FREE,
    name: str = "trader",
) -> Setup:
    """A run of one strategy that steps the sandbox."""
    instruments = dict(on.feed.instruments)
    plan = Plan(
        [Seat(name, strategy, parameters or {}, {one.account: CASH for one in instruments.values()})],
        list(on.series),
        on.feed.days[0],
        width=next(iter(on.series.values())).width,
        controls=controls,
        days=on.feed.days,
        contracts=instruments,
    )
    return Setup(
        plan,
        on.credentials,
        journal=on.folder / "run.journal",
        warm_days=0,
        clock=SteppedClock(on.sandbox.world.now),
        bars=SteppedBars(),
        stepped=True,
    )


async def stepped_through(on: Stage, setup: Setup) -> Trading:
    """Go through the whole replay; gives the run, ended."""
    assert isinstance(setup.clock, SteppedClock) and isinstance(setup.bars, SteppedBars)
    async with Trading(setup) as trading:
        await Stepper(trading, on.control, setup.clock, setup.bars).run()
        await trading.finish()
    return trading
