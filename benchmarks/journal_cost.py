"""What it costs to have a command on the disk before it is sent: one commit, with and without durability.

Each command is committed with the order's first state, as a live run does. Besides: commands that share a
commit, the disk's own sync of one page, rows to JSON and back, market inputs a second, and the check when a
journal is opened. The folder should lie on the disk that a live run would use.

    python benchmarks/journal_cost.py [--commands N] [--folder DIR] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from algo.clock import at
from algo.journal import CODEC, Journal, OrderOrigin, RowKind
from algo.market import instrument_of
from algo.model import Bar, Level, OrderType, PlaceOrder, Quote, Side, TimeInForce, Trade

GROUP = 10
"""Commands that share a commit, where they do."""
INPUTS = 100_000
FUTURE = instrument_of("VN30F1M")
OPENING = at(date(2026, 6, 11), 9 * 3600 * 10**9)


def command(number: int) -> tuple[PlaceOrder, OrderOrigin]:
    request = f"10{number:05d}0"
    order_id = f"20260611-{request}"
    place = PlaceOrder(request, order_id, "cross", FUTURE, Side.BUY, OrderType.LO, 12_025, 2)
    origin = OrderOrigin(
        order_id, "cross", "VN30F1M", FUTURE, Side.BUY, 2, OrderType.LO, OrderType.LO, 12_025, None,
        TimeInForce.DAY, "", OPENING, None, "", "", 0, 0,
    )  # fmt: skip
    return place, origin


def commits(path: Path, count: int, group: int, durable: bool) -> list[float]:
    """Milliseconds of each commit of `group` commands, appending included."""
    times = []
    with Journal.open(path) as journal:
        if not durable:
            journal._connection.execute("PRAGMA synchronous = OFF")
        for first in range(0, count * group, group):
            made = [command(number) for number in range(first, first + group)]
            began = time.perf_counter()
            for place, origin in made:
                journal.append(RowKind.ORDER, OPENING, origin)
                journal.append(RowKind.COMMAND, OPENING, place)
            journal.commit()
            times.append((time.perf_counter() - began) * 1_000)
    return times


def syncs(path: Path, count: int) -> list[float]:
    """Milliseconds that the disk takes for one page alone."""
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(bytes(4_096))
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1_000)
    return times


def microseconds(call: Callable[[], object], times: int = 20_000) -> float:
    """The best of five averages."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            call()
        best = min(best, time.perf_counter() - began)
    return best / times * 1e6


def codec() -> dict[str, float]:
    bar = Bar("VN30F1M", OPENING, 1202.5, 1203.1, 1201.9, 1202.8, 1_250, OPENING, "VN30F2606")
    levels = tuple(Level(1202.5 + step / 10, 10) for step in range(3))
    rows = {
        "bar": bar,
        "trade": Trade("VN30F1M", OPENING, 1202.5, 3, 1),
        "quote": Quote("VN30F1M", OPENING, levels, levels),
        "command": command(1)[0],
    }
    found = {}
    for name, value in rows.items():
        text = CODEC.encode(value)
        found[f"encode_{name}"] = microseconds(lambda value=value: CODEC.encode(value))
        found[f"decode_{name}"] = microseconds(lambda text=text: CODEC.decode(text))
    return found


def inputs(path: Path) -> tuple[float, float]:
    """Market inputs recorded a second, a commit every hundred, and seconds to open and check that day."""
    trade = Trade("VN30F1M", OPENING, 1202.5, 3, 1)
    with Journal.open(path) as journal:
        began = time.perf_counter()
        for number in range(INPUTS):
            journal.append(RowKind.INPUT, OPENING, trade)
            if number % 100 == 99:
                journal.commit()
        rate = INPUTS / (time.perf_counter() - began)
    began = time.perf_counter()
    Journal.open(path).close()
    return rate, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        place, count = Path(folder), arguments.commands
        timed = {
            "durable": commits(place / "durable", count, 1, True),
            "not_durable": commits(place / "loose", count, 1, False),
            f"durable_{GROUP}_together": commits(place / "group", count // GROUP, GROUP, True),
            "bare_sync": syncs(place / "page", count),
        }
        rate, opening = inputs(place / "inputs")
    found = {
        f"{name}_p{percent}": statistics.quantiles(times, n=100, method="inclusive")[percent - 1]
        for name, times in timed.items()
        for percent in (50, 99)
    }
    figures = {name: {"value": round(value, 4), "unit": "ms"} for name, value in found.items()}
    figures |= {name: {"value": round(value, 2), "unit": "us"} for name, value in codec().items()}
    figures["inputs_a_second"] = {"value": round(rate), "unit": "rows/s"}
    figures["open_and_check"] = {"value": round(opening / INPUTS * 1e6, 3), "unit": "us/row"}
    ratios = {
        "durability_p50": round(found["durable_p50"] / found["not_durable_p50"], 3),
        "to_bare_sync_p50": round(found["durable_p50"] / found["bare_sync_p50"], 3),
        "together_p50": round(found[f"durable_{GROUP}_together_p50"] / GROUP / found["durable_p50"], 3),
    }
    if arguments.json:
        print(json.dumps({"figures": figures, "ratios": ratios}))
        return
    print(f"{'one commit':34} {'p50':>10} {'p99':>10}")
    for name in timed:
        row = [figures[f"{name}_p{percent}"]["value"] for percent in (50, 99)]
        print(f"{name.replace('_', ' '):34} {row[0]:>7.3f} ms {row[1]:>7.3f} ms")
    for name, figure in figures.items():
        if figure["unit"] != "ms":
            print(f"{name.replace('_', ' '):34} {figure['value']:>10,} {figure['unit']}")
    for name, ratio in ratios.items():
        print(f"{name.replace('_', ' '):34} {ratio:>10.3f}")


if __name__ == "__main__":
    main()
