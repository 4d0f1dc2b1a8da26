"""`algo check`: an honest strategy passes, a planted cheat is named, and the exit code says which it was."""

from pathlib import Path

from tests.cli.conftest import Command
from tests.data.layouts import moments
from tests.generators.traders import CHEATS, HONEST
from tests.research.test_lookahead import BARS


def test_an_honest_strategy_passes(market: Path, algo: Command) -> None:
    result = algo("check", "cross.py", "--data", "VN30F1M", "--cuts", "3")
    assert result.exit_code == 0
    assert "does not look ahead: 3 cuts" in result.stdout


def test_a_cheat_is_shown_in_a_table(folder: Path, algo: Command) -> None:
    moments(BARS).to_csv("VN30F1M.csv")
    Path("cheat.py").write_text(CHEATS["centred window"], encoding="utf-8")
    result = algo("check", "cheat.py", "--data", "VN30F1M.csv", "--cuts", "3")
    assert result.exit_code == 1
    assert "Look-ahead" in result.stdout
    assert "centred(" in result.stdout
    assert "not to be believed" in result.stderr


def test_a_strategy_that_opens_the_data_is_caught_even_if_it_keeps_no_price(
    folder: Path, algo: Command
) -> None:
    moments(BARS).to_csv("VN30F1M.csv")
    Path("cheat.py").write_text(
        "import csv\n" + HONEST + "\nwith open('VN30F1M.csv') as file:\n"
        "    SIGNS = [float(row['Close']) > float(row['Open']) for row in csv.DictReader(file)]\n",
        encoding="utf-8",
    )
    result = algo("check", "cheat.py", "--data", "VN30F1M.csv", "--cuts", "2")
    assert result.exit_code == 1
    assert "It opens VN30F1M.csv by itself at cheat.py:" in result.stdout
