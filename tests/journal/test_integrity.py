"""A torn or altered journal never passes for a sound one, and a damaged one is set aside whole."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.clock import at
from algo.errors import JournalDamaged, JournalError, JournalForeign, JournalLocked
from algo.journal import Head, Journal, Records, Row, RowKind, set_aside, verify
from algo.journal.lock import beside
from algo.model import Trade
from tests.generators.journals import Loose

DAYS = [date(2026, 6, 10), date(2026, 6, 11), date(2026, 6, 12)]
NAMES = ("run.journal", "run.journal-wal", "run.journal.lock")
Image = dict[str, bytes]


def written(path: Path, rows: int = 60) -> Journal:
    journal = Journal.open(path, connect=Loose)
    for number in range(rows):
        journal.start_day(DAYS[number * len(DAYS) // rows])
        ns = at(DAYS[0]) + number
        journal.append(RowKind.INPUT, ns, Trade("FPT", ns, 100.0 + number, 100))
        journal.append(RowKind.NOTE, ns, {"number": number, "text": "x" * 40})
        journal.commit()
        if number == rows // 2:
            journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return journal


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Image, list[Row]]:
    """The files of a journal as a crash leaves them, half of it in the log, and its rows."""
    path = tmp_path_factory.mktemp("whole") / NAMES[0]
    journal = written(path)
    rows = list(journal.rows())
    files = {name: path.with_name(name).read_bytes() for name in NAMES}
    journal.close()
    assert all(len(content) > 100 for content in files.values())
    return files, rows


def laid_out(folder: Path, files: Image) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / NAMES[0]


@st.composite
def damages(draw: st.DrawFn) -> Callable[[Image], Image]:
    """Something that disks, copies and people do to a file."""
    name = draw(st.sampled_from(NAMES[:2]))
    kind = draw(st.sampled_from(["flip", "flip", "flip", "cut", "zeros", "swap", "drop"]))
    where = draw(st.floats(0, 1, exclude_max=True))
    bit = draw(st.integers(0, 7))

    def damage(files: Image) -> Image:
        content = bytearray(files[name])
        place = int(where * len(content))
        if kind == "flip":
            content[place] ^= 1 << bit
        elif kind == "cut":
            del content[place:]
        elif kind == "zeros":
            content[place : place + 512] = bytes(len(content[place : place + 512]))
        elif kind == "swap":
            half = place // 2
            content[half : half + 64], content[place : place + 64] = (
                content[place : place + 64],
                content[half : half + 64],
            )
        else:
            return {other: kept for other, kept in files.items() if other != name}
        return files | {name: bytes(content)}

    return damage


@settings(max_examples=400)
@given(damage=damages())
def test_a_damage_is_noticed_or_changes_no_row(
    tmp_path_factory: pytest.TempPathFactory,
    image: tuple[Image, list[Row]],
    damage: Callable[[Image], Image],
) -> None:
    files, rows = image
    path = laid_out(tmp_path_factory.mktemp("altered"), damage(files))
    try:
        with Records.open(path) as records:
            verify(records, records.noted(), whole=True)
            assert list(records.rows()) == rows
            assert [row for day in DAYS for row in records.rows(day=day)] == rows
    except JournalError:
        pass
    try:
        with Journal.open(path, moved=True, connect=Loose) as journal:
            assert list(journal.rows(day=DAYS[-1])) == [row for row in rows if row.day == DAYS[-1]]
            notes = [row for row in rows if row.kind is RowKind.NOTE]
            assert [row.seq for row in journal.rows(kinds=[RowKind.NOTE])] == [row.seq for row in notes]
    except JournalError:
        pass


@pytest.mark.parametrize("name", NAMES[:2])
def test_nothing_committed_goes_missing_quietly_wherever_the_end_was_lost(
    tmp_path: Path, image: tuple[Image, list[Row]], name: str
) -> None:
    files, rows = image
    noticed = 0
    for part in range(24):
        folder = tmp_path / str(part)
        folder.mkdir()
        path = laid_out(folder, files | {name: files[name][: len(files[name]) * part // 24]})
        try:
            with Journal.open(path, moved=True, connect=Loose) as journal:
                assert list(journal.rows()) == rows  # the log has what the file lost
        except JournalError:
            noticed += 1
    assert noticed >= 12


def altered(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        ("UPDATE rows SET body = replace(body, '110.0', '111.0') WHERE seq = 21", 21),
        ("UPDATE rows SET ns = ns + 1 WHERE seq = 30", 30),
        ("UPDATE rows SET kind = 'note' WHERE seq = 31", 31),
        ("UPDATE rows SET day = '2026-06-11' WHERE seq = 2", 2),
        ("UPDATE rows SET chain = zeroblob(16) WHERE seq = 40", 40),
        ("DELETE FROM rows WHERE seq = 50", 50),
        ("UPDATE rows SET seq = seq + 1000", 1),
        ("DELETE FROM rows WHERE seq = 120", 120),
        ("DELETE FROM rows WHERE seq <= 60", 1),
        ('UPDATE meta SET value = replace(value, \'"account": ""\', \'"account": "x"\')', 1),
        ("INSERT INTO rows VALUES (121, '2026-06-12', 1, 'note', '\"forged\"', zeroblob(16))", 121),
    ],
)
def test_an_alteration_by_hand_is_found_and_placed(tmp_path: Path, sql: str, seq: int) -> None:
    path = tmp_path / NAMES[0]
    written(path).close()
    altered(path, sql)
    with Records.open(path) as records, pytest.raises(JournalDamaged) as raised:
        verify(records, records.noted(), whole=True)
    assert raised.value.seq == seq
    assert "algo journal check" in str(raised.value)


def test_an_index_that_hides_a_row_is_noticed(tmp_path: Path) -> None:
    """The rows are all there, and a restart that asks for halts would not see one."""
    path = tmp_path / NAMES[0]
    written(path).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '<> ''input''', '= ''halt''')"
            " WHERE name = 'rows_by_kind'"
        )
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("REINDEX rows_by_kind")  # as a lost page would leave it: without the notes
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '= ''halt''', '<> ''input''')"
            " WHERE name = 'rows_by_kind'"
        )
    with Records.open(path) as records:
        assert list(records.rows(kinds=[RowKind.NOTE])) == []
    with pytest.raises(JournalDamaged, match="missing from index rows_by_kind"):
        Journal.open(path)


def test_the_last_day_is_checked_on_opening_the_rest_on_demand(tmp_path: Path) -> None:
    path = tmp_path / NAMES[0]
    written(path).close()
    altered(path, "UPDATE rows SET ns = ns + 1 WHERE seq = 5")
    with Journal.open(path) as journal, pytest.raises(JournalDamaged, match="at row 5"):
        verify(journal, journal.noted(), whole=True)
    altered(path, "UPDATE rows SET ns = ns + 1 WHERE seq = 115")
    with pytest.raises(JournalDamaged, match="at row 115"):
        Journal.open(path)


def test_a_row_other_than_the_one_committed_is_noticed(tmp_path: Path) -> None:
    """A whole chain made anew is sound in itself; the writer's note is not part of it."""
    path, other = tmp_path / NAMES[0], tmp_path / "other.journal"
    written(path).close()
    written(other).close()
    with Records.open(other) as records:
        verify(records, records.noted(), whole=True)
        with pytest.raises(JournalDamaged, match="at row 120"):
            verify(records, Head(120, bytes(16)), whole=True)
    shutil.copyfile(other, path)
    with pytest.raises(JournalDamaged, match="another one than was committed"):
        Journal.open(path)


def test_an_older_copy_put_back_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / NAMES[0]
    with written(path):
        pass
    shutil.copyfile(path, tmp_path / "backup")
    with Journal.open(path) as journal:
        journal.append(RowKind.NOTE, 1, "after the backup")
    shutil.copyfile(tmp_path / "backup", path)
    with pytest.raises(JournalDamaged, match="121 rows were committed, and 120 are left"):
        Journal.open(path)


def test_a_deleted_journal_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / NAMES[0]
    written(path).close()
    path.unlink()
    with pytest.raises(JournalDamaged, match="it is gone; it had 120 rows"):
        Journal.open(path)
    path.touch()
    with pytest.raises(JournalDamaged, match="it is empty"):
        Journal.open(path)


def test_a_copy_is_refused_and_a_moved_one_is_not(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    home.mkdir()
    written(home / NAMES[0]).close()
    shutil.copytree(home, copy)
    with pytest.raises(JournalForeign, match=r"is a copy of .*home"):
        Journal.open(copy / NAMES[0])
    home.rename(tmp_path / "moved")
    Journal.open(tmp_path / "moved" / NAMES[0]).close()
    Journal.open(copy / NAMES[0], moved=True).close()
    Journal.open(copy / NAMES[0]).close()


def test_a_damaged_journal_is_set_aside_whole_and_another_one_begins(tmp_path: Path) -> None:
    path = tmp_path / NAMES[0]
    journal = written(path)
    with pytest.raises(JournalLocked):
        set_aside(path, datetime(2026, 6, 12, 9, 5))
    files = {name: path.with_name(name).read_bytes() for name in NAMES}
    journal.close()
    laid_out(tmp_path, files)  # as a crash leaves it, with its log
    aside = set_aside(path, datetime(2026, 6, 12, 9, 5))
    assert aside.name == "run.journal.20260612T090500"
    assert not path.exists()
    assert not path.with_name(NAMES[1]).exists()
    assert beside(aside).is_file()
    with Journal.open(path) as fresh:
        assert fresh.new
        fresh.append(RowKind.NOTE, 1, "began anew")
    with Records.open(aside) as records:
        assert verify(records, records.noted(), whole=True).seq == 120
    with pytest.raises(JournalError, match="is there already"):
        set_aside(path, datetime(2026, 6, 12, 9, 5))


# -- what is no journal of ours -----------------------------------------------------------------


def test_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / NAMES[0]
    Journal.open(path).close()
    altered(path, "PRAGMA user_version = 7")
    for opened in (Journal.open, Records.open):
        with pytest.raises(JournalForeign, match="has version 7 of the journal"):
            opened(path)


def test_rows_of_types_that_this_version_does_not_know_are_refused(tmp_path: Path) -> None:
    path = tmp_path / NAMES[0]
    Journal.open(path).close()
    altered(path, """UPDATE meta SET value = '{"Future": ["ns"]}' WHERE name = 'shapes'""")
    for opened in (Journal.open, Records.open):
        with pytest.raises(JournalForeign, match="another version of algo: it has Future"):
            opened(path)


def test_another_database_or_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.db"
    altered(path, "CREATE TABLE prices (close REAL)")
    text = tmp_path / "notes.txt"
    text.write_text("no database at all, but long enough to have a header " * 10)
    short = tmp_path / "short.txt"
    short.write_text("a few words")
    for opened in (Journal.open, Records.open):
        with pytest.raises(JournalForeign, match="no journal of algo"):
            opened(path)
        for file in (text, short):
            with pytest.raises(JournalForeign, match="is no journal"):
                opened(file)
    assert {one.name for one in tmp_path.iterdir()} == {"prices.db", "notes.txt", "short.txt"}
    assert short.read_text() == "a few words"
    assert text.read_text().startswith("no database")
    with pytest.raises(JournalForeign, match="no such journal"):
        Records.open(tmp_path / "nothing")
