"""`algo run --broker sandbox`: a day through SSI's protocol gives what a backtest gives. Live asks more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

DAY = ("cross.py", "--data", "VN30F1M", "--from", "2025-07-02", "--to", "2025-07-03")
SANDBOX = (*DAY, "--broker", "sandbox", "--speed", "0")
LIMITS = """
journal = "kept.journal"
logs = "logs"

[limits]
order_quantity = 5
order_value = 2_000_000_000
position = 5
daily_loss = 50_000_000
"""


def test_it_trades_as_the_backtest_does_and_leaves_report_and_json(market: Path, algo: Command) -> None:
    result = algo("run", *SANDBOX, "--json", "sandbox.json", "--report", "sandbox.html")
    assert result.exit_code == 0, result.stderr
    assert algo("backtest", *DAY, "--json", "backtest.json").exit_code == 0
    through, straight = (
        json.loads(Path(name).read_text(encoding="utf-8")) for name in ("sandbox.json", "backtest.json")
    )
    facts = ("symbol", "side", "quantity", "entry_time", "entry_price", "exit_price", "pnl", "fees")
    assert [[one[name] for name in facts] for one in through["trades"]] == [
        [one[name] for name in facts] for one in straight["trades"]
    ]
    assert through["trades"] and through["settings"]["broker"] == "sandbox"
    assert "<html" in Path("sandbox.html").read_text(encoding="utf-8")[:200].lower()
    assert any(" buy " in line or " sell " in line for line in result.stdout.splitlines())


def test_settings_bound_it_record_it_and_log_it(market: Path, algo: Command) -> None:
    Path("live.toml").write_text(LIMITS, encoding="utf-8")
    result = algo("run", *SANDBOX, "--settings", "live.toml")
    assert result.exit_code == 0, result.stderr
    again = algo("replay", "kept.journal", "--json")
    assert again.exit_code == 0
    facts = json.loads(again.stdout)
    assert facts["row"] is None and facts["commands"] > 2
    logged = "".join(path.read_text(encoding="utf-8") for path in Path("logs").glob("*.jsonl"))
    assert '"what": "fill"' in logged or '"fill"' in logged
    other = algo("run", *SANDBOX, "--settings", "live.toml")  # another sandbox has other accounts
    assert other.exit_code == 2
    assert "another account" in other.stderr and other.stderr.count("\n") == 1


def test_a_replay_of_another_strategy_says_where_it_differs(market: Path, algo: Command) -> None:
    Path("live.toml").write_text(LIMITS, encoding="utf-8")
    assert algo("run", *SANDBOX, "--settings", "live.toml").exit_code == 0
    slower = Path("cross.py").read_text(encoding="utf-8").replace("slow: int = 50", "slow: int = 60")
    Path("slower.py").write_text(slower, encoding="utf-8")
    result = algo("replay", "kept.journal", "--strategy", "slower.py")
    assert result.exit_code == 1
    assert "differs" in result.stdout and "PlaceOrder" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "cross.py", "--broker", "sandbox", "--speed", "0"), "--speed above 0, or bars with --data"),
        (("run", *SANDBOX, "--credentials", "none.json"), "none.json cannot be read"),
        (("run", *SANDBOX, "--settings", "none.toml"), "none.toml"),
        (("run", *SANDBOX, "--journal", "cross.py"), "cross.py is no journal"),
        (("run", "cross.py", "--broker", "live"), "no credentials"),
        (("replay", "none.journal"), "no such journal"),
    ],
)
def test_what_is_given_wrong_is_one_line(
    market: Path, algo: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    for name in ("ALGO_CREDENTIALS", "ALGO_CONSUMER_ID", "ALGO_CONSUMER_SECRET", "ALGO_PRIVATE_KEY"):
        monkeypatch.delenv(name, raising=False)
    result = algo(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_live_wants_limits_and_the_account_by_name(market: Path, algo: Command) -> None:
    from algo.brokers.fctrading.signing import generate

    document = {
        "consumer_id": "me",
        "consumer_secret": "secret",
        "private_key": generate().private_text().reveal(),
        "accounts": {"derivatives": "0901358"},
    }
    Path("ssi.json").write_text(json.dumps(document), encoding="utf-8")
    Path("ssi.json").chmod(0o600)
    live = ("run", "cross.py", "--broker", "live", "--credentials", "ssi.json")
    bare = algo(*live)
    assert bare.exit_code == 2 and "without limits" in bare.stderr
    Path("live.toml").write_text(LIMITS, encoding="utf-8")
    unnamed = algo(*live, "--settings", "live.toml")
    assert unnamed.exit_code == 2 and "0901358" in unnamed.stderr
