"""Broadcasts of the data hub: the specification's samples, and made ones."""

from __future__ import annotations

import json
from pathlib import Path

SAMPLES: dict[str, dict] = json.loads(Path(__file__).with_name("samples.json").read_text("utf-8"))


def broadcast(kind: str, content: dict) -> str:
    """What the hub sends as the argument of `Broadcast`."""
    return json.dumps({"DataType": kind, "Content": json.dumps(content)})


def frame(*arguments: object, method: str = "Broadcast", hub: str = "FcMarketDataV2Hub") -> str:
    """A frame of the hub."""
    return json.dumps({"C": "d-1", "M": [{"H": hub, "M": method, "A": [one]} for one in arguments]})


def bar(
    symbol: str, time: str, close: float, volume: int = 1, day: str = "08/06/2026", **more: object
) -> str:
    prices = {"Open": close, "High": close, "Low": close, "Close": close} | more
    return broadcast(
        "B", {"RType": "B", "TradingDate": day, "Time": time, "Symbol": symbol, "Volume": volume, **prices}
    )
