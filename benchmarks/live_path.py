"""From a strategy's decision to the request at the server, with and without a journal; and the kill switch.

Real sockets, real signatures, the sandbox in a thread of its own. A strategy amends an order at every bar;
the time runs from the bar's arrival in the run's queue to the arrival of the signed request. The kill switch
finds fifty working orders, under the broker's usual limit of five requests a second.

    python benchmarks/live_path.py [--orders N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from algo import Bar, Strategy
from algo.backtest import load
from algo.brokers.fctrading.credentials import read_file
from algo.data import synthetic
from algo.data.feed import BarFeed
from algo.durable import write_text
from algo.fastconnect.transport import open_client, trust
from algo.live.clock import SteppedClock
from algo.live.control import Control
from algo.live.core import Plan, Seat
from algo.live.operator_port import ask
from algo.live.stepping import SteppedBars, Stepper
from algo.live.trading import Setup, Trading
from algo.orders.controls import ControlSettings
from algo.sandbox.assembly import Sandbox, assemble
from algo.sandbox.messages import Request, Response
from algo.sandbox.recipe import Recipe
from algo.sandbox.server import in_thread, serve
from algo.sandbox.sources.bars import BarReplay

FREE = ControlSettings(collar=1.0, repeat=0, open_orders=1_000)
WORKING = 50


class Mover(Strategy):
    """Keeps one order away from the market and moves it at every bar."""

    symbol: str = "VN30F1M"

    def on_bar(self, bar: Bar) -> None:
        if self.session(self.symbol) != "LO":
            return
        price = self.round_price(self.symbol, bar.close * 0.98)
        if self.orders:
            self.amend(self.orders[0], price=price)
        else:
            self.buy(self.symbol, 1, price)


class Crowd(Strategy):
    """Places fifty orders away from the market, as many at a bar as the rate limit takes."""

    symbol: str = "VN30F1M"

    def on_bar(self, bar: Bar) -> None:
        if self.session(self.symbol) == "LO":
            for n in range(len(self.orders), min(len(self.orders) + 15, WORKING)):
                price = self.round_price(self.symbol, bar.close * (0.95 + 0.0005 * n))
                self.buy(self.symbol, 1, price)


class Watch:
    """Notes when requests arrive at the service."""

    def __init__(self, sandbox: Sandbox, *names: str) -> None:
        self.times: list[float] = []
        handle = sandbox.service.handle

        def watched(request: Request, wall: float) -> Response:
            if any(name in request.path for name in names):
                self.times.append(time.perf_counter())
            return handle(request, wall)

        sandbox.service.handle = watched  # type: ignore[method-assign]


def prepared(folder: Path, strategy: type[Strategy], days: int, journal: bool, limited: bool) -> Any:
    """A sandbox over made-up minutes, and how to set up a run beside it."""
    series = load(synthetic.make(["VN30F1M"], days=days))
    feed = BarFeed(series)
    sandbox = assemble(Recipe.new(cash=10**11), source=BarReplay(series), limited=limited)

    def setup(url: str) -> Setup:
        file = write_text(folder / "c.json", json.dumps(sandbox.document(url)), mode=0o600)
        cash = {one.account: 10**11 for one in feed.instruments.values()}
        plan = Plan(
            [Seat("bench", strategy, {}, cash)],
            list(series),
            feed.days[0],
            controls=FREE,
            days=feed.days,
            contracts=dict(feed.instruments),
        )
        return Setup(
            plan,
            read_file(file),
            journal=folder / "run.journal" if journal else None,
            warm_days=0,
            clock=SteppedClock(sandbox.world.now),
            bars=SteppedBars(),
            stepped=True,
        )

    return sandbox, setup


def decisions(orders: int, *, journal: bool) -> list[float]:
    """Milliseconds from a bar's arrival in the queue to the request at the server, for each."""
    with tempfile.TemporaryDirectory() as name:
        sandbox, setup = prepared(Path(name), Mover, 1 + orders // 200, journal, False)
        watch = Watch(sandbox, "NewOrder", "derNewOrder", "ModifyOrder", "derModifyOrder")
        found: list[float] = []

        async def measure(url: str) -> None:
            made = setup(url)
            async with Trading(made) as trading:
                control = Control(open_client(url, trust(None)), sandbox.token)
                post, began = trading.runtime.post, [0.0]

                def timed(events: Any, position: str = "") -> None:
                    listed = list(events)
                    if any(one.__class__ is tuple for one in listed):
                        began[0] = time.perf_counter()
                    post(listed, position)

                trading.runtime.post = timed  # type: ignore[method-assign]
                stepper = Stepper(trading, control, made.clock, made.bars)  # type: ignore[arg-type]
                state = await control.state()
                while len(found) < orders and (following := state["next"]) is not None:
                    seen = len(watch.times)
                    await stepper._timers(following["ns"], following["kind"])
                    state = await control.step()
                    await stepper._happened(state)
                    if len(watch.times) > seen:
                        found.append((watch.times[seen] - began[0]) * 1e3)
                await control.close()

        with in_thread(lambda: serve(sandbox.host)) as running:
            asyncio.run(measure(running.url))
        return found


def killed() -> tuple[float, float, int, int]:
    """Milliseconds from the command to the first cancel, cancels a second, cancels, and others in between."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sandbox, setup = prepared(folder, Crowd, 1, True, True)
        cancels = Watch(sandbox, "CancelOrder")
        others = Watch(sandbox, "NewOrder", "ModifyOrder")
        result = (0.0, 0.0, 0, 0)

        async def measure(url: str) -> None:
            nonlocal result
            made = setup(url)
            async with Trading(made) as trading:
                control = Control(open_client(url, trust(None)), sandbox.token)
                stepper = Stepper(trading, control, made.clock, made.bars)  # type: ignore[arg-type]
                state = await control.state()
                while len(trading.core.open_orders) < WORKING:
                    following = state["next"]
                    await stepper._timers(following["ns"], following["kind"])
                    state = await control.step()
                    await stepper._happened(state)
                before, began = len(others.times), time.perf_counter()
                await ask(folder / "run.journal", "kill", "the benchmark")
                while trading.core.open_orders:
                    await asyncio.sleep(0.05)
                first = (cancels.times[0] - began) * 1e3
                span = cancels.times[-1] - cancels.times[0]
                sent = [t for t in others.times[before:] if t > began]
                result = (first, (len(cancels.times) - 1) / span, len(cancels.times), len(sent))
                await control.close()

        with in_thread(lambda: serve(sandbox.host)) as running:
            asyncio.run(measure(running.url))
        return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=300, help="decisions that are measured (300)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    bare = decisions(given.orders, journal=False)
    durable = decisions(given.orders, journal=True)
    first, rate, cancels, others = killed()

    def percentiles(values: list[float]) -> tuple[float, float]:
        ordered = sorted(values)
        return statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))]

    (bare50, bare99), (durable50, durable99) = percentiles(bare), percentiles(durable)
    figures = {
        "decision_p50_without": (bare50, "ms"),
        "decision_p99_without": (bare99, "ms"),
        "decision_p50_durable": (durable50, "ms"),
        "decision_p99_durable": (durable99, "ms"),
        "journal_cost_p50": (durable50 - bare50, "ms"),
        "kill_first_cancel": (first, "ms"),
        "kill_cancels_per_second": (rate, "1/s"),
        "kill_cancels": (float(cancels), "requests"),
        "kill_other_requests": (float(others), "requests"),
    }
    if given.json:
        found = {name: {"value": value, "unit": unit} for name, (value, unit) in figures.items()}
        print(json.dumps({"figures": found, "ratios": {"durable_vs_bare": durable50 / bare50}}, indent=2))
        return
    table = Table("Figure", "Value", "Unit", box=None)
    for name, (value, unit) in figures.items():
        table.add_row(name, f"{value:,.2f}", unit)
    Console().print(table)


if __name__ == "__main__":
    main()
