"""What a person gives wrong: one clear line, exit code 2, no traceback, and nothing written."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command

BARS = "Date,Open,High,Low,Close,Volume\n2024-01-02 09:00:00,1,1,1,1,1\n"
FILES = {
    "none.py": "x = 1\n",
    "imported.py": "from algo import Strategy\n",
    "two.py": "from algo import Strategy\nclass A(Strategy): pass\nclass B(Strategy): pass\n",
    "syntax.py": "from algo import Strategy\nclass A(Strategy):\n    def on_bar(self, bar)\n        pass\n",
    "imports.py": "\nimport pandass\n",
    "raises.py": "from algo import Strategy\n1 / 0\n",
    "exits.py": "import sys\nsys.exit('bye')\n",
    "reserved.py": "from algo import Strategy\nclass A(Strategy):\n    orders: int = 3\n",
    "needs.py": "from algo import Strategy\nclass A(Strategy):\n    size: int\n",
    "empty.csv": "",
    "header.csv": "Date,Open,High,Low,Close,Volume\n",
    "columns.csv": "Date,Open,High,Low,Volume\n2024-01-02,1,1,1,1\n",
    "broken.csv": "Date,Open,High,Low,Close,Volume\n2024-01-02,2,1,3,2,5\n",
    "noise.parquet": "this is no parquet file",
    "FPT.csv": BARS,
    "fees.toml": "futures_brker = 5\n",
    "broken.toml": "futures_broker = = 5\n",
    "actions.csv": "symbol,ex_date,dividend\nFPT,someday,1000\n",
    "not_a_folder": "",
}

HERE = ("backtest", "cross.py", "--data", "VN30F1M")
CASES = {
    "no such strategy file": (
        ("backtest", "crss.py", "--data", "VN30F1M"),
        "crss.py: no such file; did you mean cross.py?",
    ),
    "a folder": (("backtest", "./", "--data", "VN30F1M"), "is a folder"),
    "no strategy in it": (("backtest", "none.py", "--data", "VN30F1M"), "none.py defines no Strategy"),
    "only the base class": (("backtest", "imported.py", "--data", "VN30F1M"), "defines no Strategy"),
    "two strategies": (
        ("backtest", "two.py", "--data", "VN30F1M"),
        "defines 2 strategies (A, B): name one, as two.py:B",
    ),
    "no such class": (("backtest", "two.py:C", "--data", "VN30F1M"), "two.py has no class 'C'"),
    "syntax error": (("backtest", "syntax.py", "--data", "VN30F1M"), "syntax.py:3: syntax error"),
    "import error": (
        ("backtest", "imports.py", "--data", "VN30F1M"),
        "No module named 'pandass' at imports.py:2",
    ),
    "raises on import": (
        ("backtest", "raises.py", "--data", "VN30F1M"),
        "ZeroDivisionError: division by zero at raises.py:2",
    ),
    "exits on import": (("backtest", "exits.py", "--data", "VN30F1M"), "SystemExit: bye at exits.py:2"),
    "reserved parameter": (
        ("backtest", "reserved.py", "--data", "VN30F1M"),
        "the name 'orders' is the framework's",
    ),
    "no such module": (
        ("backtest", "nowhere.strategies:A", "--data", "VN30F1M"),
        "no module 'nowhere.strategies'",
    ),
    "no strategy class": (("backtest", "json:JSONDecoder", "--data", "VN30F1M"), "is no strategy"),
    "unknown parameter": ((*HERE, "-p", "fsat=3"), "SmaCross has no parameter 'fsat'; did you mean 'fast'?"),
    "wrong type": ((*HERE, "-p", "fast=quick"), "SmaCross.fast must be int: 'quick' is not"),
    "no value": ((*HERE, "-p", "fast"), "write -p NAME=VALUE"),
    "missing parameter": (("backtest", "needs.py", "--data", "VN30F1M"), "A needs a value for 'size'"),
    "no data": (("backtest", "cross.py"), "no data given: add --data"),
    "blank data": (("backtest", "cross.py", "--data", ""), "--data needs"),
    "no such data file": (("backtest", "cross.py", "--data", "nothing.csv"), "nothing.csv: no such file"),
    "no such file of a symbol": (
        ("backtest", "cross.py", "--data", "VN30F1M=nothing.csv"),
        "nothing.csv: no such file",
    ),
    "empty file": (("backtest", "cross.py", "--data", "empty.csv"), "empty.csv: the file is empty"),
    "no rows": (("backtest", "cross.py", "--data", "header.csv"), "header.csv: no rows"),
    "unreadable file": (("backtest", "cross.py", "--data", "noise.parquet"), "noise.parquet: cannot be read"),
    "missing column": (("backtest", "cross.py", "--data", "columns.csv"), "no column for close"),
    "unknown column": (
        ("backtest", "cross.py", "--data", "columns.csv", "--column", "close=Last"),
        "no column 'Last'",
    ),
    "unknown role": (
        ("backtest", "cross.py", "--data", "columns.csv", "--column", "clos=Low"),
        "unknown role 'clos'",
    ),
    "unusable rows": (("backtest", "cross.py", "--data", "broken.csv", "--symbol", "FPT"), "high below low"),
    "unknown symbol": (("backtest", "cross.py", "--data", "VN30F2M"), "did you mean VN30F1M?"),
    "symbol not in the data": ((*HERE, "-p", "symbol=FPT"), "the data has no symbol 'FPT'"),
    "unknown unit": (
        ("backtest", "cross.py", "--data", "FPT.csv", "--unit", "pounds"),
        "unknown unit 'pounds'",
    ),
    "unknown board": (
        ("backtest", "cross.py", "--data", "FPT.csv", "--board", "NYSE"),
        "unknown board 'NYSE'",
    ),
    "unknown stamp": (("backtest", "cross.py", "--data", "FPT.csv", "--stamp", "middle"), "not 'middle'"),
    "reading a stored symbol": ((*HERE, "--unit", "point"), "unit says how files are read"),
    "impossible width": ((*HERE, "--width", "7x"), "7x"),
    "cash is no number": ((*HERE, "--cash", "much"), "cash is whole đồng"),
    "cash below zero": ((*HERE, "--cash", "-5"), "cash is whole đồng"),
    "half a đồng": ((*HERE, "--cash", "10.5"), "cash is whole đồng"),
    "infinite cash": ((*HERE, "--cash", "inf"), "cash is whole đồng"),
    "cash in the wrong account": ((*HERE, "--cash", "equity=5"), "cash has nothing for derivatives"),
    "unknown account": ((*HERE, "--cash", "bank=5"), "not 'bank'"),
    "one cash for two accounts": ((*HERE, "--data", "FPT"), "give cash for each"),
    "unknown fill": ((*HERE, "--fill", "never"), "fill is open or close"),
    "unknown limit": ((*HERE, "--limit", "near"), "limit is through or touch"),
    "slippage below zero": ((*HERE, "--slippage", "-1"), "slippage is a whole number of ticks from 0"),
    "slippage is no number": ((*HERE, "--slippage", "some"), "--slippage"),
    "participation above one": ((*HERE, "--participation", "2"), "participation is above 0 and at most 1"),
    "participation is no number": ((*HERE, "--participation", "most"), "participation is a rate"),
    "margin above one": ((*HERE, "--margin", "200%"), "margin is above 0 and at most 1"),
    "margin is not a number": ((*HERE, "--margin", "nan"), "margin is"),
    "unknown fees": ((*HERE, "--fees", "usual"), "fees are vietnam, none or a TOML file"),
    "no such fees file": ((*HERE, "--fees", "nothing.toml"), "nothing.toml: no such file"),
    "unknown fee setting": ((*HERE, "--fees", "fees.toml"), "did you mean futures_broker?"),
    "no TOML": ((*HERE, "--fees", "broken.toml"), "broken.toml: not a TOML file"),
    "bad action": ((*HERE, "--actions", "actions.csv"), "actions.csv: row 1: ex_date is a date"),
    "bad date": ((*HERE, "--from", "2025-13-01"), "'2025-13-01' is not a date"),
    "range turned round": ((*HERE, "--from", "2025-08-01", "--to", "2025-07-01"), "is empty"),
    "range without bars": ((*HERE, "--from", "2031-01-01"), "VN30F1M has no bars in the range"),
    "report is a folder": ((*HERE, "--report", "."), "cannot write .: it is a folder"),
    "json below a file": ((*HERE, "--json", "not_a_folder/out.json"), "is not a folder"),
    "no such experiment": (("backtest", "nothing.toml"), "nothing.toml: no such file"),
    "broken experiment": (("backtest", "broken.toml"), "broken.toml: not a TOML file"),
    "wrong experiment": (("backtest", "fees.toml"), "there is no futures_brker"),
    "unknown option": ((*HERE, "--slipage", "1"), "--slipage"),
    "unknown command": (("bactest",), "bactest"),
    "unknown broker": (
        ("run", "cross.py", "--data", "VN30F1M", "--broker", "ssi"),
        "choose paper, sandbox or live",
    ),
    "speed below zero": (("run", "cross.py", "--data", "VN30F1M", "--speed", "-1"), "speed is 0"),
    "endless speed": (("run", "cross.py", "--data", "VN30F1M", "--speed", "inf"), "speed is 0"),
    "too many cuts": (("check", "cross.py", "--data", "VN30F1M", "--cuts", "999"), "too few for 999 cuts"),
    "no cuts": (("check", "cross.py", "--data", "VN30F1M", "--cuts", "0"), "--cuts"),
    "check of nothing": (("check", "cross.py"), "no data given"),
    "import of nothing": (("data", "import", "nothing.csv"), "nothing.csv: no such file"),
    "import of unusable rows": (("data", "import", "broken.csv", "--symbol", "FPT"), "high below low"),
    "show an unknown symbol": (("data", "show", "VN30"), "did you mean VN30F1M?"),
    "show no bars": (("data", "show", "FPT", "--from", "2031-01-01"), "no bars in that range"),
    "a market without days": (("data", "demo", "--days", "0"), "--days"),
    "a strategy of no name": (("new", "strategy", "2fast"), "cannot name a strategy"),
    "a strategy by a keyword": (("new", "strategy", "class"), "cannot name a strategy"),
    "a strategy that is there": (("new", "strategy", "there"), "is there already"),
}


@pytest.fixture
def files(market: Path) -> Path:
    for name, text in FILES.items():
        (market / name).write_text(text, encoding="utf-8")
    (market / "strategies").mkdir()
    (market / "strategies" / "there.py").write_text("", encoding="utf-8")
    return market


@pytest.mark.parametrize(("arguments", "said"), CASES.values(), ids=CASES)
def test_one_clear_line(files: Path, algo: Command, arguments: tuple[str, ...], said: str) -> None:
    result = algo(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.lower().startswith("error")]
    assert len(lines) == 1
    assert result.stdout == "" or arguments[0] == "data"


def test_nothing_is_written_when_the_input_is_wrong(files: Path, algo: Command) -> None:
    before = sorted(files.rglob("*"))
    assert algo(*HERE, "-p", "fsat=3", "--json", "out.json", "--report", "out.html").exit_code == 2
    assert algo("data", "import", "broken.csv", "--symbol", "FPT").exit_code == 2
    assert algo("new", "strategy", "there").exit_code == 2
    assert sorted(files.rglob("*")) == before
