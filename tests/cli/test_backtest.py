"""`algo backtest`: what it shows and writes, saved experiments, strategies that raise, interrupts."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from algo import Strategy, backtest
from algo.data import Catalog, synthetic
from tests.cli.conftest import CROSS, Command
from tests.conftest import ROOT
from tests.data.layouts import contracts

HERE = ("backtest", "cross.py", "--data", "VN30F1M")
RAISES = (
    CROSS + "        self.seen = getattr(self, 'seen', 0) + 1\n        assert self.seen < 600, 'too much'\n"
)
PRINTS = CROSS + "        print(bar.close)\n"


def test_it_shows_figures_costs_and_warnings(market: Path, algo: Command) -> None:
    result = algo(*HERE)
    assert result.exit_code == 0
    for text in (
        "SmaCross(symbol=VN30F1M, fast=20, slow=50)",
        "Net profit",
        "Sharpe ratio",
        "Taxes, đ",
        "warning",
    ):
        assert text in result.stdout
    assert result.stderr == ""


def test_the_json_is_that_of_the_python_call(market: Path, algo: Command) -> None:
    assert (
        algo(*HERE, "-p", "fast=5", "--cash", "5e8", "--slippage", "2", "--json", "out/run.json").exit_code
        == 0
    )
    written = Path("out/run.json").read_text(encoding="utf-8")
    namespace: dict[str, type[Strategy]] = {}
    exec(CROSS, namespace)
    result = backtest(namespace["SmaCross"], "VN30F1M", parameters={"fast": 5}, cash=500_000_000, slippage=2)
    assert written == result.to_json()
    assert json.loads(written)["settings"]["slippage"] == 2


def test_json_on_stdout_is_json_alone(market: Path, algo: Command) -> None:
    Path("prints.py").write_text(PRINTS, encoding="utf-8")
    result = algo("backtest", "prints.py", "--data", "VN30F1M", "--json", "-")
    facts = json.loads(result.stdout)
    assert facts["strategy"] == "SmaCross"
    assert facts["stats"]["trades"] == len(facts["trades"])
    assert "Net profit" in result.stderr


def test_the_same_run_gives_the_same_bytes(market: Path, algo: Command) -> None:
    assert algo(*HERE, "--json", "-").stdout == algo(*HERE, "--json", "-").stdout


def test_it_writes_a_report(market: Path, algo: Command) -> None:
    result = algo(*HERE, "--report", "out/report.html")
    assert "report: out/report.html" in result.stdout
    assert "SmaCross" in Path("out/report.html").read_text(encoding="utf-8")


def test_a_range_cuts_the_data(market: Path, algo: Command) -> None:
    result = algo(*HERE, "--from", "2025-07-02", "--to", "2025-07-02T10:00", "--json", "-")
    stats = json.loads(result.stdout)["stats"]
    assert stats["start"] >= "2025-07-02"
    assert stats["end"] == "2025-07-02T10:00:00+07:00"


def test_files_symbols_and_named_files_go_together(market: Path, algo: Command) -> None:
    made = synthetic.make(("VN30F1M", "HPG"), days=3)
    contracts(made["VN30F1M"]).to_csv("future.csv")
    made["HPG"].to_frame().to_csv("some shares.csv")
    result = algo(
        "backtest", "cross.py", "--data", "VN30F1M=future.csv", "--data", "FPT",
        "--data", "HPG=some shares.csv", "--cash", "equity=1_000_000_000,derivatives=500000000",
        "--json", "-",
    )  # fmt: skip
    facts = json.loads(result.stdout)
    assert {one["symbol"]: one["width"] for one in facts["data"]} == {
        "VN30F1M": "1m",
        "FPT": "1m",
        "HPG": "1m",
    }
    assert facts["stats"]["opening"] == 1_500_000_000


def test_fees_and_actions_from_files(market: Path, algo: Command) -> None:
    Path("fees.toml").write_text("per_contract = 5000\n", encoding="utf-8")
    facts = json.loads(algo(*HERE, "--fees", "fees.toml", "--json", "-").stdout)
    assert facts["stats"]["fees"] == 5_000 * sum(2 * trade["quantity"] for trade in facts["trades"]) + 5_000
    Path("actions.csv").write_text(
        "symbol,ex_date,dividend,ratio,pay_date\nFPT,2025-07-03,1000,,2025-07-04\n", encoding="utf-8"
    )
    Path("hold.py").write_text(
        "from algo import Strategy\nclass Hold(Strategy):\n    symbol: str = 'FPT'\n"
        "    def on_bar(self, bar):\n        self.target(bar.symbol, 100)\n",
        encoding="utf-8",
    )
    plain = json.loads(algo("backtest", "hold.py", "--data", "FPT", "--json", "-").stdout)["stats"]
    paid = algo("backtest", "hold.py", "--data", "FPT", "--actions", "actions.csv", "--json", "-")
    stats = json.loads(paid.stdout)["stats"]
    assert stats["net_profit"] == plain["net_profit"] + 100 * 1_000 * 95 // 100
    assert stats["taxes"] == plain["taxes"] + 100 * 1_000 * 5 // 100


def test_a_strategy_that_raises_keeps_its_results(market: Path, algo: Command) -> None:
    Path("raises.py").write_text(RAISES, encoding="utf-8")
    line = RAISES.splitlines().index("        assert self.seen < 600, 'too much'") + 1
    result = algo("backtest", "raises.py", "--data", "VN30F1M", "--json", "out.json", "--report", "out.html")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: SmaCross raised AssertionError: too much at raises.py:{line}"
    ]
    assert "Net profit" in result.stdout
    facts = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert facts["stats"]["bars"] == 600
    assert facts["trades"]
    assert f"raises.py:{line}" in facts["error"]
    assert "too much" in Path("out.html").read_text(encoding="utf-8")


def test_a_strategy_that_raises_before_the_first_bar(market: Path, algo: Command) -> None:
    Path("raises.py").write_text(
        "from algo import Strategy\nclass Raises(Strategy):\n    def on_start(self):\n        self.nothing\n",
        encoding="utf-8",
    )
    result = algo("backtest", "raises.py", "--data", "VN30F1M", "--json", "out.json")
    assert result.exit_code == 1
    assert "at raises.py:4" in result.stderr
    assert json.loads(Path("out.json").read_text(encoding="utf-8"))["trades"] == []


def test_an_interrupt_keeps_the_results_so_far(market: Path, algo: Command) -> None:
    Path("stops.py").write_text(
        CROSS.replace("from algo import", "import signal\nfrom algo import")
        + "        self.seen = getattr(self, 'seen', 0) + 1\n"
        + "        if self.seen == 600:\n            signal.raise_signal(signal.SIGINT)\n",
        encoding="utf-8",
    )
    before = signal.getsignal(signal.SIGINT)
    result = algo("backtest", "stops.py", "--data", "VN30F1M", "--json", "out.json")
    assert signal.getsignal(signal.SIGINT) is before
    assert result.exit_code == 130
    assert "stopping" in result.stderr
    assert "error" not in result.stderr
    facts = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert 600 <= facts["stats"]["bars"] < 960
    assert "interrupted: the figures cover the time until then" in facts["warnings"]


EXPERIMENT = """
strategy = "cross.py"
data = ["VN30F1M"]
from = 2025-07-02
json = "results/run.json"

[parameters]
fast = 10

[settings]
cash = { derivatives = 300_000_000 }
slippage = 1
fees = "fees.toml"
limits = { position = 5 }
"""


def test_a_saved_experiment_has_everything_it_needs(
    market: Path, algo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pyproject.toml").touch()
    Path("backtests").mkdir()
    Path("backtests/fees.toml").write_text("per_contract = 7000\n", encoding="utf-8")
    Path("backtests/run.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert algo("backtest", "backtests/run.toml").exit_code == 0
    there = Path("results/run.json")
    first = there.read_bytes()
    facts = json.loads(first)
    assert facts["parameters"]["fast"] == 10
    assert facts["settings"]["slippage"] == 1
    assert facts["stats"]["opening"] == 300_000_000
    assert facts["stats"]["start"] >= "2025-07-02"
    # From another folder it is the same experiment, and writes to the same place.
    there.unlink()
    monkeypatch.chdir(market / "backtests")
    assert algo("backtest", "run.toml").exit_code == 0
    assert (market / "results" / "run.json").read_bytes() == first


def test_options_stand_in_place_of_what_an_experiment_says(market: Path, algo: Command) -> None:
    Path("fees.toml").write_text("per_contract = 7000\n", encoding="utf-8")
    Path("run.toml").write_text(EXPERIMENT, encoding="utf-8")
    result = algo("backtest", "run.toml", "-p", "slow=60", "--slippage", "0", "--fees", "none", "--json", "-")
    facts = json.loads(result.stdout)
    assert facts["parameters"] == {"symbol": "VN30F1M", "fast": 10, "slow": 60}
    assert facts["settings"]["slippage"] == 0
    assert facts["stats"]["fees"] == 0
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("data = 5", "data is a list"),
        ('from = "someday"', "'someday' is not a date"),
        ("from = 5", "from is a date"),
        ("report = 5", "report is the name of a file"),
        ("parameters = 5", "parameters is a table"),
        ("[settings]\nslipage = 1", "settings.slipage; did you mean 'slippage'?"),
        ("[settings]\nlimits = { daily = 1 }", "limits is a table"),
        ("[settings]\nopening = { FPT = 5 }", "opening is a table"),
        ("[settings]\nparticipation = 'most'", "participation is a rate"),
        ("[reading]\nunits = 'dong'", "reading.units; did you mean 'unit'?"),
    ],
)
def test_what_is_wrong_in_an_experiment(market: Path, algo: Command, line: str, said: str) -> None:
    Path("run.toml").write_text(f'strategy = "cross.py"\n{line}\n', encoding="utf-8")
    result = (
        algo("backtest", "run.toml", "--data", "VN30F1M")
        if "data" not in line
        else algo("backtest", "run.toml")
    )
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_saved_experiment_of_the_project_runs(algo: Command, own_catalog: Path, tmp_path: Path) -> None:
    synthetic.fill(Catalog(own_catalog), days=4)
    path = ROOT / "backtests" / "sma_cross_demo.toml"
    outputs = ("--json", str(tmp_path / "out.json"), "--report", str(tmp_path / "out.html"))
    assert algo("backtest", str(path), *outputs).exit_code == 0


def python(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", "algo", *arguments], env=environment, capture_output=True, text=True,
        encoding="utf-8", check=False, **options,  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.mark.slow
def test_the_main_job_as_people_give_it(folder: Path) -> None:
    made = python("data", "demo", "--days", "3")
    assert made.returncode == 0, made.stderr
    run = python("backtest", "cross.py", "--data", "VN30F1M", "--report", "reports/sma_cross.html")
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert Path("reports/sma_cross.html").stat().st_size > 10_000


def test_a_mistake_as_people_see_it(folder: Path) -> None:
    run = python("backtest", "cross.py", "--data", "nothing.csv")
    assert (run.returncode, run.stdout, run.stderr) == (2, "", "error: nothing.csv: no such file\n")


def test_a_reader_that_has_enough(market: Path) -> None:
    command = f'"{sys.executable}" -m algo backtest cross.py --data VN30F1M --json - | head -n 1'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout == "{\n"
    assert "Traceback" not in run.stderr
