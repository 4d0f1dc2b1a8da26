"""Writing and reading: what was committed is there in order, and a restart finds its way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algo.clock import at, local_date
from algo.errors import CodecError, JournalForeign
from algo.fastconnect.secret import Secret
from algo.journal import (
    Halted,
    HaltLifted,
    Journal,
    Records,
    Row,
    RowKind,
    StrategyState,
    StreamPosition,
    fingerprint,
    verify,
)
from algo.market import instrument_of
from algo.model import Bar, CancelOrder, OrderType, PlaceOrder, Side, Trade
from algo.orders import RequestIds
from tests.generators.journals import Loose
from tests.generators.recorded import anything, registered, same

DAY = date(2026, 6, 11)
OPENING = at(DAY, 9 * 3600 * 10**9)
FPT = instrument_of("FPT")
INPUT, NOTE = RowKind.INPUT, RowKind.NOTE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "live" / "run.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal.open(path, connect=Loose)
    yield journal
    journal.close()


def bar(ns: int, close: float = 100.0) -> Bar:
    return Bar("FPT", ns, close, close, close, close, 10, ns - 60 * 10**9, "FPT")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    groups=st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(RowKind),
                st.integers(0, 2**62).filter(lambda ns: local_date(ns).year < 9000),
                registered | anything,
            ),
            max_size=4,
        ),
        max_size=4,
    ),
    reopen=st.booleans(),
)
def test_what_was_committed_is_read_as_it_was_in_order(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[tuple[RowKind, int, Any]]], reopen: bool
) -> None:
    path = tmp_path_factory.mktemp("j") / "run.journal"
    journal = Journal.open(path, connect=Loose)
    expected: list[Row] = []
    for group in groups:
        for kind, ns, value in group:
            seq = journal.append(kind, ns, value)
            expected.append(Row(seq, local_date(ns), ns, kind, value))
        assert journal.commit() == len(expected)
    if reopen:
        journal.close()
        journal = Journal.open(path, connect=Loose)
    read = list(journal.rows())
    assert [row.seq for row in read] == list(range(1, len(expected) + 1))
    assert same(list(map(tuple, read)), list(map(tuple, expected)))
    assert verify(journal, journal.noted(), whole=True).seq == len(expected)
    for kind in RowKind:
        mine = [row.seq for row in expected if row.kind is kind]
        assert [row.seq for row in journal.rows(kinds=[kind])] == mine
        last = journal.last(kind)
        assert (last.seq if last else None) == (mine[-1] if mine else None)
    for day in journal.days():
        assert [row.seq for row in journal.rows(day=day)] == [r.seq for r in expected if r.day == day]
    journal.close()


def test_only_what_was_committed_can_be_seen(path: Path, journal: Journal) -> None:
    journal.append(INPUT, OPENING, bar(OPENING))
    with Records.open(path) as reader:
        assert list(journal.rows()) == list(reader.rows()) == []
        journal.commit()
        assert list(journal.rows()) == list(reader.rows()) != []


def test_a_value_that_cannot_be_recorded_leaves_no_gap(journal: Journal) -> None:
    journal.append(NOTE, OPENING, "one")
    for ns, value in [(OPENING, object()), (-1, "early"), (2**63, "late"), (1.5, "between")]:
        with pytest.raises(CodecError):
            journal.append(NOTE, ns, value)  # type: ignore[arg-type]
    journal.append(NOTE, OPENING, "two")
    assert journal.commit() == 2
    assert [row.value for row in journal.rows()] == ["one", "two"]


def test_closing_commits(path: Path) -> None:
    with Journal.open(path, connect=Loose) as journal:
        journal.append(NOTE, OPENING, "last words")
    with Records.open(path) as reader:
        assert [row.value for row in reader.rows()] == ["last words"]


def test_a_journal_says_whether_it_knows_a_past(path: Path) -> None:
    with Journal.open(path, connect=Loose) as journal:
        assert journal.new
        journal.append(NOTE, OPENING, "began")
    with Journal.open(path, connect=Loose) as journal:
        assert not journal.new


def test_rows_since_and_until(journal: Journal) -> None:
    for number in range(10):
        journal.append(INPUT if number % 2 else NOTE, OPENING, number)
    journal.commit()
    assert [row.value for row in journal.rows(since=4, until=7)] == [3, 4, 5, 6]
    assert [row.value for row in journal.rows(since=4, kinds=[NOTE])] == [4, 6, 8]
    assert [row.value for row in journal.rows(kinds=[NOTE, INPUT], until=3)] == [0, 1, 2]
    assert list(journal.rows(kinds=[])) == []


def test_the_day_is_the_servers_once_it_is_told(journal: Journal) -> None:
    early = at(DAY)  # a clock that is fast shows tomorrow before the server does
    journal.append(NOTE, early, "by the moment")
    journal.start_day(date(2026, 6, 10))
    journal.append(NOTE, early, "by the server")
    journal.commit()
    assert [row.day for row in journal.rows()] == [DAY, date(2026, 6, 10)]


def test_the_streams_position_is_of_its_day(journal: Journal) -> None:
    assert journal.cursor(DAY) == ""
    journal.start_day(DAY)
    for position in ("2026-06-11/5", "2026-06-11/9"):
        journal.append(RowKind.CURSOR, OPENING, StreamPosition(position))
    journal.commit()
    assert journal.cursor(DAY) == "2026-06-11/9"
    assert journal.cursor(date(2026, 6, 12)) == ""


def test_the_last_state_of_each_strategy(journal: Journal) -> None:
    assert journal.states() == {}
    for strategy, state in [("a", {"n": 1}), ("b", {"seen": {(1, 2)}}), ("a", {"n": 2})]:
        journal.append(RowKind.STATE, OPENING, StrategyState(strategy, state))
    journal.commit()
    assert journal.states() == {"a": {"n": 2}, "b": {"seen": {(1, 2)}}}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_a_halt_lasts_until_it_is_lifted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bool]]
) -> None:
    path = tmp_path_factory.mktemp("j") / "run.journal"
    with Journal.open(path, connect=Loose) as journal:
        for number, (scope, halted) in enumerate(steps):
            value = Halted(scope, str(number)) if halted else HaltLifted(scope, "operator")
            journal.append(RowKind.HALT, OPENING, value)
    with Journal.open(path, connect=Loose) as journal:
        found = journal.halts()
    for scope in "abc":
        mine = [halted for name, halted in steps if name == scope]
        assert (scope in found) == (bool(mine) and mine[-1])


@given(st.lists(st.tuples(st.integers(10, 12), st.integers(1, 30)), max_size=5), st.randoms())
def test_request_ids_go_on_where_a_crash_left_them(
    tmp_path_factory: pytest.TempPathFactory, takes: list[tuple[int, int]], random: Any
) -> None:
    path = tmp_path_factory.mktemp("j") / "run.journal"
    given_away: list[str] = []
    for slot, count in takes:
        with Journal.open(path, connect=Loose) as journal:
            journal.start_day(DAY)
            ids = RequestIds(slot, journal.request_ids(DAY).get(slot, 0))
            for _ in range(count):
                request_id = ids.take()
                given_away.append(request_id)
                command = PlaceOrder(request_id, "x", "s", FPT, Side.BUY, OrderType.LO, 100, 1)
                if random.random() < 0.5:
                    command = CancelOrder(request_id, "x", "s", FPT)
                journal.append(RowKind.COMMAND, OPENING, command)
            assert journal.request_ids(date(2026, 6, 12)) == {}
    assert len(set(given_away)) == len(given_away)


def test_one_thread_appends_while_another_commits(path: Path, journal: Journal) -> None:
    stop = threading.Event()

    def commit() -> None:
        while not stop.is_set():
            journal.commit()

    committer = threading.Thread(target=commit)
    committer.start()
    for number in range(3_000):
        journal.append(NOTE, OPENING, number)
    stop.set()
    committer.join()
    journal.commit()
    assert [row.value for row in journal.rows()] == list(range(3_000))
    verify(journal, journal.noted(), whole=True)


def test_the_log_is_moved_into_the_file_while_commits_go_on(path: Path, journal: Journal) -> None:
    for number in range(50):
        journal.append(NOTE, OPENING, number)
        journal.commit()
    before = path.stat().st_size
    journal.append(NOTE, OPENING, "pending")
    journal.checkpoint()
    assert path.stat().st_size > before
    assert journal.commit() == 51
    with Records.open(path) as reader:
        assert verify(reader, reader.noted(), whole=True).seq == 51


SECRET = 'Zm9vYmFy+/PK<RSA>"quoted"=='
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3NjQwMzgxMDB9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "wrap",
    [lambda text: text, lambda text: {"said": [f"bad key {text}, sorry"]}, lambda text: {text: 1}],
    ids=["alone", "within", "as a key"],
)
@pytest.mark.parametrize("text", [SECRET, TOKEN])
def test_no_secret_gets_in(path: Path, journal: Journal, text: str, wrap: Callable[[str], Any]) -> None:
    journal.hide(Secret(SECRET), Secret("1234"))
    journal.append(NOTE, OPENING, wrap(text))
    journal.append(NOTE, OPENING, Trade("FPT", OPENING, 1234.0, 1234))
    journal.commit()
    said, trade = (row.value for row in journal.rows())
    assert "<secret>" in str(said)
    assert trade == Trade("FPT", OPENING, 1234.0, 1234)
    for part in path.parent.iterdir():
        content = part.read_bytes()
        assert text.encode() not in content
        assert text[:20].encode() not in content


def test_another_accounts_journal_is_refused(path: Path) -> None:
    mine = fingerprint("0901351", "0901358")
    assert mine == fingerprint("0901358", "0901351") != fingerprint("0901351")
    Journal.open(path, account=mine).close()
    with pytest.raises(JournalForeign, match="another account"):
        Journal.open(path, account=fingerprint("0901352"))
    Journal.open(path, account=mine).close()
    assert "0901351" not in path.read_bytes().decode("latin-1")
