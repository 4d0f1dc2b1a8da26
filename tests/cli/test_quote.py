"""`algo quote` from the command line to a server on a real socket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from algo.brokers.fctrading.signing import generate
from algo.clock import HO_CHI_MINH
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope, in_thread, jwt
from tests.cli.sandboxed import reached
from tests.sandbox.running import DAY


@pytest.fixture
def service() -> Iterator[Stub]:
    today = datetime.now(HO_CHI_MINH).strftime("%d/%m/%Y")
    prices = {"ceilingprice": "107", "floorprice": "93", "refprice": "100", "totalmatchvol": "5000"}
    found = {
        "dailystockprice": [{"symbol": "FPT", "tradingdate": today, "closeprice": "101", **prices}],
        "intradayohlc": [],
    }

    def answer(seen: Seen) -> Reply:
        if seen.name == "accesstoken":
            return envelope({"accessToken": jwt(time.time() + 8 * 3600)})
        none = dict(seen.query)["symbol"] != "FPT"
        rows = [] if none else found[seen.name]
        return Reply(json.dumps({"message": "Success", "status": "Success", "data": rows}).encode())

    with in_thread(Stub(answer)) as stub:
        yield stub


@pytest.fixture
def keys(service: Stub, tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    who = {
        "consumer_id": "planted-id",
        "consumer_secret": "planted-secret",
        "private_key": generate().private_text().reveal(),
        "accounts": {"equity": "0901351"},
    }
    addresses = dict.fromkeys(("url", "stream_url", "data_url", "data_stream_url"), service.url)
    path.write_text(json.dumps(who | addresses))
    path.chmod(0o600)
    return path


def test_it_shows_prices(algo: Callable, keys: Path) -> None:
    told = algo("quote", "fpt", "--credentials", str(keys), "--json")
    assert told.exit_code == 0
    (fact,) = json.loads(told.stdout)
    assert (fact["symbol"], fact["last"], fact["change"], fact["volume"]) == ("FPT", 101.0, 1.0, 5000)
    table = algo("quote", "FPT", "--credentials", str(keys)).stdout
    assert {"FPT", "101", "+1", "93", "107", "5,000"} <= set(table.split())


def test_what_is_wrong_is_said_in_a_line(algo: Callable, keys: Path) -> None:
    told = algo("quote", "ABC", "--credentials", str(keys))
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)
    assert "no price of ABC" in told.stderr
    keys.chmod(0o644)
    told = algo("quote", "FPT", "--credentials", str(keys))
    assert told.exit_code == 2
    assert "chmod 600" in told.stderr
    assert "planted" not in told.stderr


def test_a_sandbox_is_asked_for_the_day_that_it_plays(algo: Callable, tmp_path: Path) -> None:
    with reached(tmp_path) as sandbox:
        told = algo("quote", "FPT", "VN30F1M", "--credentials", str(sandbox.credentials), "--json")
        assert told.exit_code == 0, told.stderr
        share, future = json.loads(told.stdout)
    assert (share["day"], future["day"]) == (f"{DAY}", f"{DAY}")
    assert share["last"] > 1000 < future["last"] < 2000
