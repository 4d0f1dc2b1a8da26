"""The readiness check against a sandbox over TLS, and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from algo.brokers.fctrading.credentials import read_file
from algo.brokers.fctrading.signing import generate
from algo.journal import Journal, RowKind, fingerprint
from algo.live.latch import Latch
from algo.sandbox.authority import Authority
from tests.cli.conftest import Command
from tests.cli.sandboxed import Reached, reached
from tests.sandbox.running import DAY, MORNING, made, served

pytestmark = pytest.mark.slow

SETTINGS = """
journal = "live.journal"
credentials = "sandbox.json"
tokens = "tokens.json"
[limits]
order_quantity = 5
order_value = 1_000_000_000
position = 10
daily_loss = 20_000_000
[alerts]
log = "alerts.jsonl"
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reached]:
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "live.toml").write_text(SETTINGS)
    with reached(folder, tls=True) as world:
        yield world


@pytest.fixture
def examine(world: Reached, algo: Command) -> Any:
    """Run the check; gives the exit code and the findings by name."""

    def run(
        *more: str, settings: Path | None = None, day: str = DAY.isoformat()
    ) -> tuple[int, dict[str, Any]]:
        file = settings or world.credentials.with_name("live.toml")
        result = algo("doctor", "VN30F1M", "FPT", "--settings", str(file), "--day", day, "--json", *more)
        document = json.loads(result.stdout)
        assert document["ready"] == (result.exit_code == 0)
        return result.exit_code, {one["name"]: one for one in document["checks"]}

    return run


def test_a_sandbox_is_ready(world: Reached, examine: Any, algo: Command) -> None:
    code, found = examine()
    assert code == 0, [one for one in found.values() if one["verdict"] == "fail"]
    assert {name for name, one in found.items() if one["verdict"] == "warn"} <= {"alerts", "disk", "fsync"}
    assert "days left" in found["certificate of 127.0.0.1"]["found"]
    assert "s to" in found["rate limits"]["found"]
    assert {"prices of 41I1F7000", "prices of FPT", "clock", "signing key", "credentials", "sign-in"} <= set(
        found
    )
    shown = algo(
        "doctor", "--settings", str(world.credentials.with_name("live.toml")), "--day", DAY.isoformat()
    )
    assert shown.exit_code == 0
    assert "Ready." in shown.stdout
    document = json.loads(world.credentials.read_text())
    for name in ("consumer_id", "consumer_secret", "private_key", "pin"):
        assert document[name] not in json.dumps(found) + shown.stdout


def test_no_order_is_sent_and_nothing_is_left_behind(world: Reached, examine: Any) -> None:
    before = set(world.credentials.parent.iterdir())
    examine()
    assert world.working() == []
    assert set(world.credentials.parent.iterdir()) - before <= {world.credentials.with_name("tokens.json")}


def test_a_clock_two_minutes_off(examine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = SimpleNamespace(
        **{name: getattr(time, name) for name in ("monotonic", "time_ns", "perf_counter")}
    )
    clocks.time = lambda: time.time() + 120
    monkeypatch.setattr("algo.live.examination.time", clocks)
    code, found = examine()
    assert code == 1
    assert found["clock"]["verdict"] == "fail"
    assert "ahead" in found["clock"]["found"]


def test_a_journal_that_was_altered_is_of_others_or_is_in_use(
    world: Reached, examine: Any, tmp_path: Path
) -> None:
    who = read_file(world.credentials)
    path = tmp_path / "other.journal"
    with_journal = ("--journal", str(path))
    journal = Journal.open(path, account=fingerprint(who.accounts.equity, who.accounts.derivatives))
    for number in range(3):
        journal.append(RowKind.NOTE, MORNING, {"number": number})
    journal.commit()
    code, found = examine(*with_journal)
    assert (code, found["journal"]["verdict"]) == (0, "warn")
    assert str(os.getpid()) in found["journal"]["found"]
    journal.close()
    assert examine(*with_journal)[1]["journal"]["found"] == "other.journal is whole, 3 rows"

    import sqlite3

    with sqlite3.connect(path) as database:
        database.execute("UPDATE rows SET body = '{}' WHERE seq = 2")
    database.close()
    code, found = examine(*with_journal)
    assert (code, found["journal"]["verdict"]) == (1, "fail")
    assert "algo journal check" in found["journal"]["advice"]

    foreign = tmp_path / "foreign.journal"
    Journal.open(foreign, account="another").close()
    code, found = examine("--journal", str(foreign))
    assert (code, found["journal"]["verdict"]) == (1, "fail")


def test_a_latch_a_guessed_day_and_a_folder_that_takes_nothing(examine: Any, tmp_path: Path) -> None:
    Latch(tmp_path / "x.journal").set("bad news")
    code, found = examine("--journal", str(tmp_path / "x.journal"))
    assert (code, found["kill switch"]["verdict"]) == (1, "fail")
    code, found = examine(day="2031-06-10")
    assert (code, found["calendar"]["verdict"]) == (1, "fail")
    assert found["prices of FPT"]["verdict"] == "warn"
    (tmp_path / "file").write_text("")
    code, found = examine("--journal", str(tmp_path / "file" / "x.journal"))
    assert (code, found["disk"]["verdict"]) == (1, "fail")


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_credentials_that_others_can_read(world: Reached, examine: Any) -> None:
    world.credentials.chmod(0o644)
    try:
        code, found = examine()
    finally:
        world.credentials.chmod(0o600)
    assert (code, found["credentials"]["verdict"]) == (1, "fail")
    assert "chmod 600" in found["credentials"]["found"]


def changed(world: Reached, folder: Path, **fields: Any) -> Path:
    """Settings beside credentials that differ in these fields."""
    document = json.loads(world.credentials.read_text()) | fields
    (folder / "sandbox.json").write_text(json.dumps(document))
    (folder / "sandbox.json").chmod(0o600)
    (folder / "live.toml").write_text(SETTINGS)
    return folder / "live.toml"


def test_a_wrong_secret_and_a_broken_key(world: Reached, examine: Any, tmp_path: Path) -> None:
    code, found = examine(settings=changed(world, tmp_path, consumer_secret="wrong"))
    assert code == 1
    assert found["broker"]["verdict"] == found["data service"]["verdict"] == "fail"
    key = generate().private_text().reveal()
    code, found = examine(settings=changed(world, tmp_path, private_key=key[:-40]))
    assert (code, found["credentials"]["verdict"]) == (1, "fail")
    assert key[:40] not in json.dumps(found)


def test_a_certificate_that_has_expired_and_one_of_a_stranger(
    world: Reached, examine: Any, tmp_path: Path
) -> None:
    (tmp_path / "stranger.pem").write_bytes(Authority().certificate)
    code, found = examine(settings=changed(world, tmp_path, ca_file=str(tmp_path / "stranger.pem")))
    assert (code, found["certificate of 127.0.0.1"]["verdict"]) == (1, "fail")
    assert found["clock"]["verdict"] == "fail"
    old = Authority(datetime.now(UTC) - timedelta(days=60))
    with served(made(), old) as sandbox:
        (tmp_path / "old.pem").write_bytes(old.certificate)
        fields = {
            name: sandbox.document[name] for name in ("url", "stream_url", "data_url", "data_stream_url")
        }
        code, found = examine(settings=changed(world, tmp_path, ca_file=str(tmp_path / "old.pem"), **fields))
    assert code == 1
    assert "expired" in found["certificate of 127.0.0.1"]["found"]


def test_a_broker_that_is_not_there(world: Reached, examine: Any, tmp_path: Path) -> None:
    gone = dict.fromkeys(("url", "stream_url", "data_url", "data_stream_url"), "http://127.0.0.1:9/")
    code, found = examine(settings=changed(world, tmp_path, **gone))
    assert code == 1
    assert {"clock", "broker", "data service"} <= {n for n, one in found.items() if one["verdict"] == "fail"}


def test_live_needs_limits_and_named_accounts(world: Reached, algo: Command, tmp_path: Path) -> None:
    document = json.loads(world.credentials.read_text())
    for name in ("url", "stream_url", "data_url", "data_stream_url", "ca_file"):
        document.pop(name)
    fields = dict.fromkeys(("url", "stream_url", "data_url", "data_stream_url"), "https://broker.invalid")
    (tmp_path / "live.json").write_text(json.dumps(document | fields))
    (tmp_path / "live.json").chmod(0o600)
    (tmp_path / "bare.toml").write_text('credentials = "live.json"\n')
    result = algo("doctor", "--settings", str(tmp_path / "bare.toml"), "--json")
    found = {one["name"]: one for one in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 1
    assert found["limits"]["verdict"] == found["accounts"]["verdict"] == "fail"
