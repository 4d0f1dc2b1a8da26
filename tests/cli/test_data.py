"""`algo data`: what is imported is found again, findings are told, JSON says the same as the tables."""

import json
from pathlib import Path

import pytest

from algo.data import Catalog, synthetic
from tests.cli.conftest import Command
from tests.data.layouts import daily, moments

SHARE = synthetic.make(("FPT",), days=3)["FPT"]


def test_the_demo_market_is_made_and_listed(folder: Path, algo: Command) -> None:
    made = algo("data", "demo", "--days", "2", "--seed", "5")
    assert made.exit_code == 0
    for symbol in ("VN30F1M", "FPT", "HPG", "VCB"):
        assert symbol in made.stdout
        assert symbol in algo("data", "list").stdout
    listed = json.loads(algo("data", "list", "--json").stdout)
    assert {one["symbol"]: one["bars"] for one in listed} == {
        "VN30F1M": 484,
        "FPT": 454,
        "HPG": 454,
        "VCB": 454,
    }
    assert all(one["synthetic"] for one in listed)
    again = json.loads(algo("data", "demo", "--days", "2", "--seed", "5", "--json").stdout)
    assert [one["symbol"] for one in again] == ["VN30F1M", "FPT", "HPG", "VCB"]


def test_an_empty_catalog_says_how_to_fill_it(folder: Path, algo: Command) -> None:
    result = algo("data", "list")
    assert result.exit_code == 0
    assert "algo data import FILE" in result.stdout
    assert json.loads(algo("data", "list", "--json").stdout) == []


def test_what_is_imported_can_be_backtested(folder: Path, algo: Command) -> None:
    moments(SHARE).to_csv("fpt_1m.csv")
    result = algo("data", "import", "fpt_1m.csv")
    assert result.exit_code == 0, result.stderr
    assert "FPT" in result.stdout
    assert Catalog().load("FPT").close.tolist() == SHARE.close.tolist()
    run = algo("backtest", "cross.py", "--data", "FPT", "-p", "symbol=FPT", "--json", "-")
    assert json.loads(run.stdout)["stats"]["bars"] == len(SHARE)


def test_overrides_reach_the_reader(folder: Path, algo: Command) -> None:
    frame = daily(SHARE).groupby(level=0).last().rename(columns={"Close": "Final"})
    frame.to_csv("export.csv")
    result = algo(
        "data", "import", "export.csv", "--symbol", "HPG", "--unit", "thousand", "--adjusted",
        "--board", "HNX", "--column", "close=Final", "--as", "mine", "--json",
    )  # fmt: skip
    (entry,) = json.loads(result.stdout)["kept"]
    facts = {name: entry[name] for name in ("symbol", "width", "board", "adjusted", "bars")}
    assert facts == {"symbol": "MINE", "width": "1d", "board": "HNX", "adjusted": True, "bars": 3}
    assert Catalog().load("MINE").close[-1] == SHARE.close[-1]


def test_findings_are_told_and_repaired_only_when_asked(folder: Path, algo: Command) -> None:
    frame = moments(SHARE)
    frame.iloc[10, frame.columns.get_loc("High")] = 1.0
    frame.to_csv("FPT.csv")
    refused = algo("data", "import", "FPT.csv")
    assert refused.exit_code == 2
    assert "high below low" in refused.stdout
    assert "--repair" in refused.stderr
    assert "FPT" not in Catalog()
    facts = json.loads(algo("data", "import", "FPT.csv", "--json").stdout)
    assert facts["kept"] == []
    assert facts["findings"][0]["kind"] == "high below low"
    assert len(facts["errors"]) == 1
    mended = algo("data", "import", "FPT.csv", "--repair")
    assert mended.exit_code == 0
    assert "high and low swapped" in mended.stdout
    assert "FPT" in Catalog()


def test_one_bad_file_does_not_keep_the_others_out(folder: Path, algo: Command) -> None:
    moments(SHARE).to_csv("FPT.csv")
    Path("bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    result = algo("data", "import", "bad.csv", "nothing.csv", "FPT.csv")
    assert result.exit_code == 2
    assert [line[:14] for line in result.stderr.splitlines()] == ["error: bad.csv", "error: nothing"]
    assert "FPT" in Catalog()


def test_synthetic_bars_are_never_mixed_with_real_ones(market: Path, algo: Command) -> None:
    moments(SHARE).to_csv("FPT.csv")
    refused = algo("data", "import", "FPT.csv")
    assert refused.exit_code == 2
    assert "synthetic" in refused.stderr
    assert algo("data", "import", "FPT.csv", "--replace").exit_code == 0
    assert algo("data", "demo", "--days", "2").exit_code == 2


@pytest.mark.parametrize("width", [(), ("--width", "15m"), ("--width", "1d")])
def test_show_has_bars_notes_and_findings(market: Path, algo: Command, width: tuple[str, ...]) -> None:
    result = algo("data", "show", "vn30f1m", *width)
    assert result.exit_code == 0
    for text in (
        "VN30F1M",
        "41I1F7000",
        "algo data demo, seed 1",
        "no price in them is real",
        "finds nothing wrong",
    ):
        assert text in result.stdout
    facts = json.loads(algo("data", "show", "VN30F1M", *width, "--json").stdout)
    series = Catalog().load("VN30F1M", width[1] if width else None)
    assert facts["bars"]["count"] == len(series)
    assert facts["bars"]["last"]["close"] == series.close[-1]
    assert facts["findings"] == []
