"""`algo journal`: rows are shown, damage is found and placed, what is exported is what is there."""

import json
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from algo.clock import at
from algo.journal import Halted, Journal, Records, RowKind
from algo.market import instrument_of
from algo.model import Bar, OrderFilled, OrderType, PlaceOrder, RequestReceived, Side
from tests.cli.conftest import Command

DAYS = (date(2026, 6, 10), date(2026, 6, 11))
ORDER = "20260611-10000017"


@pytest.fixture
def file(folder: Path) -> Path:
    """A journal of two days: bars, one order's story, a halt."""
    path = folder / "live.journal"
    with Journal.open(path) as journal:
        for day in DAYS:
            journal.start_day(day)
            ns = at(day, 9 * 3600 * 10**9)
            journal.append(RowKind.RUN, ns, {"version": "0.1.0", "strategies": {"cross": {"fast": 20}}})
            for minute in range(3):
                bar = Bar("VN30F1M", ns + minute, 1202.5, 1203.0, 1202.0, 1202.5, 10, ns, "VN30F2606")
                journal.append(RowKind.INPUT, bar.ns, bar)
        command = PlaceOrder(
            "10000017", ORDER, "cross", instrument_of("VN30F1M"), Side.BUY, OrderType.LO, 12025, 2
        )
        journal.append(RowKind.COMMAND, ns, command)
        journal.append(RowKind.OUTCOME, ns, RequestReceived("10000017", ORDER, ns))
        journal.append(RowKind.INPUT, ns, OrderFilled(ORDER, ns, 12025, 2, "5"))
        journal.append(RowKind.HALT, ns, Halted("strategy cross", "5 refusals in a row"))
    return path


def test_rows_are_shown_with_what_is_in_force(algo: Command, file: Path) -> None:
    shown = algo("journal", "show", "live.journal").stdout
    assert "12 rows" in shown
    assert "2026-06-10 to 2026-06-11" in shown
    assert "halted: strategy cross: 5 refusals in a row" in shown
    assert f"PlaceOrder request_id=10000017 order_id={ORDER}" in shown
    assert "instrument=VN30F1M side=BUY" in shown


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ((), range(1, 13)),
        (("--tail", "2"), [11, 12]),
        (("--day", "2026-06-10"), [1, 2, 3, 4]),
        (("--kind", "command", "--kind", "outcome"), [9, 10]),
        (("--order", "10000017"), [9, 10, 11]),
        (("--order", ORDER, "--kind", "input"), [11]),
        (("--kind", "note"), []),
        (("--day", "2026-06-11", "--tail", "0"), range(5, 13)),
    ],
)
def test_what_was_asked_for_is_shown_as_json_too(
    algo: Command, file: Path, options: tuple[str, ...], rows: list[int]
) -> None:
    told = json.loads(algo("journal", "show", "live.journal", "--json", *options).stdout)
    assert [row["seq"] for row in told["rows"]] == list(rows)
    assert told["journal"]["halts"] == {"strategy cross": "5 refusals in a row"}
    table = algo("journal", "show", "live.journal", *options)
    assert table.exit_code == 0
    assert ("no such rows" in table.stdout) == (not rows)


def test_a_journal_that_is_being_written_can_be_shown_and_checked(algo: Command, file: Path) -> None:
    with Journal.open(file) as journal:
        journal.append(RowKind.NOTE, at(DAYS[1]), "more")
        journal.commit()
        assert "13 rows" in algo("journal", "show", "live.journal").stdout
        assert algo("journal", "check", "live.journal").stdout == "live.journal is sound: 13 rows of 2 days\n"


def test_a_sound_journal(algo: Command, file: Path) -> None:
    result = algo("journal", "check", "live.journal")
    assert (result.exit_code, result.stdout) == (0, "live.journal is sound: 12 rows of 2 days\n")
    told = json.loads(algo("journal", "check", "live.journal", "--json").stdout)
    assert told == {"file": "live.journal", "sound": True, "rows": 12, "days": 2}
    refused = algo("journal", "check", "live.journal", "--set-aside")
    assert refused.exit_code == 2
    assert "is sound: there is nothing to set aside" in refused.stderr
    assert file.is_file()


@pytest.fixture
def damaged(file: Path) -> Path:
    connection = sqlite3.connect(file)
    connection.execute("UPDATE rows SET body = replace(body, '12025', '12035') WHERE seq = 9")
    connection.commit()
    connection.close()
    return file


def test_a_damaged_journal_says_where(algo: Command, damaged: Path) -> None:
    result = algo("journal", "check", "live.journal")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "live.journal is damaged at row 9" in result.stderr
    told = algo("journal", "check", "live.journal", "--json")
    assert told.exit_code == 1
    assert (json.loads(told.stdout)["sound"], json.loads(told.stdout)["row"]) == (False, 9)


def test_a_damaged_journal_is_set_aside_when_asked(algo: Command, damaged: Path) -> None:
    result = algo("journal", "check", "live.journal", "--set-aside")
    assert result.exit_code == 1
    (aside,) = damaged.parent.glob("live.journal.2*T??????")
    assert f"set aside as {aside.name}" in result.stderr
    assert not damaged.exists()
    with Records.open(aside) as records:
        assert records.head().seq == 12
    with Journal.open(damaged) as journal:
        assert journal.new


def test_a_deleted_journal_is_damage_and_no_typing_error(algo: Command, file: Path) -> None:
    file.unlink()
    result = algo("journal", "check", "live.journal")
    assert result.exit_code == 1
    assert "it is gone; it had 12 rows" in result.stderr


def test_what_is_exported_is_what_is_shown(algo: Command, file: Path, folder: Path) -> None:
    result = algo("journal", "export", "live.journal", "--out", "day.jsonl", "--order", "10000017")
    assert result.stdout == "3 rows in day.jsonl\n"
    lines = (folder / "day.jsonl").read_text(encoding="utf-8").splitlines()
    shown = json.loads(algo("journal", "show", "live.journal", "--json", "--order", "10000017").stdout)
    assert [json.loads(line) for line in lines] == shown["rows"]
    assert algo("journal", "export", "live.journal", "--out", "day.csv", "--day", "2026-06-10").exit_code == 0
    assert len((folder / "day.csv").read_text(encoding="utf-8").splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nothing.journal"), "nothing.journal: no such journal"),
        (("check", "nothing.journal"), "nothing.journal: no such journal"),
        (("show", "cross.py"), "cross.py is no journal"),
        (("check", "cross.py"), "cross.py is no journal"),
        (("show", "live.journal", "--day", "yesterday"), "'yesterday' is not a date"),
        (("show", "live.journal", "--kind", "comand"), "did you mean command?"),
        (("show", "live.journal", "--kind", "zzz"), "there are run, input, decision"),
        (("export", "live.journal", "--out", "day.xml"), "ends in .jsonl or .csv"),
        (("export", "live.journal", "--out", "nowhere/day.csv"), "cannot write nowhere/day.csv"),
    ],
)
def test_what_is_given_wrong_is_one_line(
    algo: Command, file: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = algo("journal", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
