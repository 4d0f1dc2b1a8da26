"""``algo sandbox``: it says where it is, writes what a client needs, and ends in order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from algo.data.catalog import Catalog
from algo.data.synthetic import fill
from algo.sandbox.recipe import Recipe
from algo.sandbox.state import State
from tests.cli.conftest import Command
from tests.conftest import ROOT


@pytest.fixture
def market(own_catalog: Path) -> Path:
    """A catalog with two days of a share."""
    fill(Catalog(own_catalog), ["FPT"], days=2)
    return own_catalog


@contextlib.contextmanager
def run(folder: Path, catalog: Path, *options: str) -> Iterator[tuple[subprocess.Popen, list[str], dict]]:
    """A sandbox in a process of its own, once it is up: the process, its lines and the document."""
    process = subprocess.Popen(
        [sys.executable, "-m", "algo", "sandbox", "--source", "FPT", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ALGO_CATALOG": str(catalog), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                break
        document = json.loads((folder / "sandbox" / "credentials.json").read_text())
        yield process, lines, document
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def control(document: dict, name: str, **fields: object) -> dict:
    found = document["control"]
    answer = httpx.post(
        f"{found['url']}control/{name}", json=fields, headers={"X-Control-Token": found["token"]}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.slow
def test_it_runs_until_ctrl_c(tmp_path: Path, market: Path) -> None:
    with run(tmp_path, market, "--speed", "600") as (process, lines, document):
        assert document["url"].rstrip("/") in lines[0]
        assert (tmp_path / "sandbox" / "credentials.json").stat().st_mode & 0o777 == 0o600
        assert document["pin"] in "\n".join(lines)
        assert [one["symbol"] for one in document["symbols"]] == ["FPT"]
        page = httpx.get(document["url"])
        assert page.status_code == 200 and "<title>algo sandbox</title>" in page.text
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stdout.read().strip().endswith("The sandbox has ended.")  # type: ignore[union-attr]


@pytest.mark.slow
def test_the_other_commands_take_its_file(tmp_path: Path, market: Path, algo: Command) -> None:
    with run(tmp_path, market, "--speed", "0", "--no-limits") as (_, _, document):
        for _ in range(400):
            if control(document, "step", stops=1)["now"] % (86_400 * 10**9) >= 3 * 3600 * 10**9:
                break  # ten o'clock in Vietnam
        file = str(tmp_path / "sandbox" / "credentials.json")
        assert algo("login", "--credentials", file).exit_code == 0
        price = str(document["symbols"][0]["reference"] or 100_000)
        placed = algo("order", "place", "buy", "100", "FPT", "--price", price, "--yes", "--credentials", file)
        assert placed.exit_code == 0, placed.stderr
        for command in ("status", "orders", "positions", "balance", "limits"):
            shown = algo(command, "--credentials", file, "--json")
            assert shown.exit_code == 0, shown.stderr
            json.loads(shown.stdout)
        (order,) = json.loads(algo("orders", "--credentials", file, "--json").stdout)
        assert "FPT" in order.values()


@pytest.mark.slow
def test_tls_with_an_authority_of_its_own(tmp_path: Path, market: Path, algo: Command) -> None:
    with run(tmp_path, market, "--speed", "0", "--tls") as (_, _, document):
        assert document["url"].startswith("https://")
        context = ssl.create_default_context(cafile=document["ca_file"])
        assert httpx.get(document["url"], verify=context).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(document["url"])
        file = str(tmp_path / "sandbox" / "credentials.json")
        assert algo("balance", "--credentials", file).exit_code == 0


@pytest.mark.slow
def test_a_kill_and_a_restart_on_its_state(tmp_path: Path, market: Path) -> None:
    options = ("--speed", "0", "--state", "state.db")
    with run(tmp_path, market, *options) as (_, _, document):
        control(document, "step", stops=30)
        control(document, "order", symbol="FPT", side="buy", type="LO", quantity=100, price=100_000)
        before = control(document, "view")
        assert before["orders"]
    with run(tmp_path, market, *options) as (_, lines, again):
        after = control(again, "view")
        assert lines[0].startswith("going on from")
        for name in ("now", "orders", "accounts", "notify_id", "sessions"):
            assert after[name] == before[name]
        for name in ("consumer_id", "private_key", "pin", "accounts"):
            assert again[name] == document[name]
    with sqlite3.connect(tmp_path / "state.db") as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--source", "NOTHING"], "NOTHING"),
        (["--source", "no/such.csv"], "no/such.csv"),
        (["--source", "FPT", "--day", "2099-01-01"], "2099"),
        (["--day", "tomorrow"], "no day"),
        (["--speed", "-1"], "speed"),
        (["--cash", "-1"], "cash"),
        (["--faults", "nothing=0.1"], "nothing"),
        (["--faults", "lose=2"], "0 to 1"),
        (["--source", "FPT", "--port", "70000"], "70000"),
        (["--state", "text.txt"], "--state"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path,
    market: Path,
    algo: Command,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("some text that is no database" * 100)
    result = algo("sandbox", *options)
    assert result.exit_code == 2, result.stdout + result.stderr
    assert said in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "sandbox").exists()


def test_a_state_of_another_market_is_not_mixed_up(
    tmp_path: Path, market: Path, algo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    state = State(tmp_path / "state.db")
    state.begin(Recipe.new("FPT").asdict())
    state.close()
    for options in (["--source", "HPG"], ["--source", "FPT", "--seed", "7"], ["--day", "2025-07-02"]):
        result = algo("sandbox", "--state", "state.db", *options)
        assert result.exit_code == 2 and "another --state" in result.stderr


def test_a_port_that_is_taken(
    tmp_path: Path, market: Path, algo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = algo("sandbox", "--source", "FPT", "--port", str(other.getsockname()[1]))
    assert result.exit_code == 2 and "choose another --port" in result.stderr
