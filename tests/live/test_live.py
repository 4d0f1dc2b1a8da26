"""``algo run --broker live``, the command itself, against a sandbox over TLS.

The command goes by the machine's clock and calendar. So the clock of its process is set to that of the
sandbox's market, a minute in two seconds; nothing else differs from an account's but addresses, keys and
authority.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from algo.durable import write_bytes, write_text
from algo.sandbox.authority import Authority
from tests.sandbox.running import made, served

ROOT = Path(__file__).parents[2]

CLOCKED = """
import sys, time
begin, since, machine = int(sys.argv.pop(1)), time.time_ns(), time.time_ns
time.time_ns = lambda: begin + 30 * (machine() - since)
from algo.__main__ import main
main()
"""

STRATEGY = """
from algo import Strategy


class Once(Strategy):
    symbol: str = "VN30F1M"

    def on_start(self):
        self.buy(self.symbol, 1)

    def on_fill(self, fill):
        print("FILLED", fill.quantity, flush=True)
        self.sell(self.symbol, 1, fill.price + 5)

    def on_order(self, order):
        print("ORDER", order.status.value, flush=True)
"""

SETTINGS = """
accounts = {accounts}

[limits]
order_quantity = 5
order_value = 2_000_000_000
position = 5
daily_loss = 50_000_000
"""


@pytest.mark.slow
def test_the_command_trades_over_tls_with_nothing_different(tmp_path: Path) -> None:
    authority = Authority()
    with served(made(), authority) as on:
        recipe, brokerage = on.sandbox.recipe, on.sandbox.world.brokerage
        ca_file = write_bytes(tmp_path / "ca.pem", authority.certificate)
        trusted = ssl.create_default_context(cafile=str(ca_file))
        token = {"X-Control-Token": on.sandbox.token}
        paced = httpx.post(f"{on.url}/control/clock", json={"speed": 30}, headers=token, verify=trusted)
        assert paced.status_code == 200
        document = on.document | {"ca_file": str(ca_file)}
        write_text(tmp_path / "me.json", json.dumps(document), mode=0o600)
        accounts = json.dumps([recipe.equity, recipe.derivatives])
        write_text(tmp_path / "live.toml", SETTINGS.format(accounts=accounts))
        write_text(tmp_path / "once.py", STRATEGY)
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", CLOCKED, str(on.sandbox.world.now)),
                *("run", "once.py", "--broker", "live"),
                *("--credentials", "me.json", "--settings", "live.toml"),
            ],
            cwd=tmp_path,
            env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.strip())
            if "FILLED 1" in lines and lines[-1] == "ORDER working":
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=60)
        orders = brokerage.orders(recipe.derivatives)
        assert process.returncode == 130, "\n".join([*lines, rest, errors])
        assert [(one.filled, one.stage.over) for one in orders] == [(1, True), (0, False)]
        assert [one.net for one in brokerage.contract_positions(recipe.derivatives)] == [1]
