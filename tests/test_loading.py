"""Strategies by name: every form that people write, every way in which it can be wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from algo.errors import StrategyLoadError
from algo.loading import load_strategy
from algo.strategy import Strategy

ONE = "from algo import Strategy\n\n\nclass {name}(Strategy):\n    size: int = 3\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "reference", ["one.py", "./one.py", "one.py:One", "one:One", "one", "deep.er.two:Two"]
)
def test_the_forms_that_people_write(folder: Path, reference: str) -> None:
    write(folder / "one.py", ONE.format(name="One"))
    write(folder / "deep" / "er" / "two.py", ONE.format(name="Two"))
    found = load_strategy(reference)
    assert issubclass(found, Strategy)
    assert found.__name__ == ("Two" if "Two" in reference else "One")
    assert found(size="5").parameters == {"size": 5}


def test_a_path_from_anywhere(folder: Path) -> None:
    path = write(folder / "a b" / "one.py", ONE.format(name="One"))
    assert load_strategy(path).__name__ == "One"
    assert load_strategy(f"{path}:One").__name__ == "One"


def test_two_files_of_one_name_do_not_meet(folder: Path) -> None:
    first = load_strategy(write(folder / "a" / "one.py", ONE.format(name="First")))
    second = load_strategy(write(folder / "b" / "one.py", ONE.format(name="Second")))
    assert (first.__name__, second.__name__) == ("First", "Second")
    assert first.__module__ != second.__module__


def test_a_file_is_read_anew(folder: Path) -> None:
    path = write(folder / "one.py", ONE.format(name="Before"))
    load_strategy(path)
    write(path, ONE.format(name="Changed"))
    assert load_strategy(path).__name__ == "Changed"


def test_a_file_may_import_what_lies_beside_it_but_hides_nothing(folder: Path) -> None:
    write(folder / "s" / "sizes_of_mine.py", "SIZE = 7\n")
    write(folder / "s" / "random.py", "raise RuntimeError\n")
    path = write(
        folder / "s" / "one.py",
        "import random\nfrom sizes_of_mine import SIZE\nfrom algo import Strategy\n"
        "class One(Strategy):\n    size: int = SIZE\n    die = random.Random\n",
    )
    assert load_strategy(path)().parameters == {"size": 7}


def test_annotations_as_text_are_understood(folder: Path) -> None:
    path = write(folder / "one.py", "from __future__ import annotations\n" + ONE.format(name="One"))
    assert load_strategy(path)(size="4").parameters == {"size": 4}


def test_a_base_is_no_choice_and_neither_is_a_private_class(folder: Path) -> None:
    text = (
        ONE.format(name="Base")
        + "class Real(Base):\n    pass\nclass _Aside(Strategy):\n    pass\nSame = Real\n"
    )
    path = write(folder / "one.py", text)
    assert load_strategy(path).__name__ == "Real"
    assert load_strategy(f"{path}:Base").__name__ == "Base"
    assert load_strategy(f"{path}:_Aside").__name__ == "_Aside"


@pytest.mark.parametrize(
    ("text", "reference", "said"),
    [
        ("", "absent.py", "absent.py: no such file"),
        ("", "on.py", "on.py: no such file; did you mean one.py?"),
        ("", ".", "is a folder"),
        ("", "absent.module:One", "no file and no module 'absent.module'"),
        ("", "", "names no strategy"),
        ("", "one.py", "defines no Strategy"),
        ("from algo import Strategy", "one.py", "defines no Strategy"),
        (ONE.format(name="A") + ONE.format(name="B"), "one.py", r"defines 2 strategies \(A, B\).*one.py:B"),
        (ONE.format(name="Cross"), "one.py:Corss", "has no class 'Corss'; did you mean Cross?"),
        ("x = 1", "one.py:x", "x in one.py is no strategy"),
        ("from algo import Strategy", "one.py:Strategy", "is no strategy"),
        ("\n\nclass A(:\n", "one.py", r"^one.py:3: syntax error: .*class A\(:"),
        ("def f():\nreturn 1", "one.py", r"^one.py:2: syntax error"),
        ("\nimport nothing_of_this_name", "one.py", r"ModuleNotFoundError: .* at one.py:2$"),
        ("\nimport nothing_of_this_name", "one:One", r"ModuleNotFoundError: .* at one.py:2$"),
        ("def f():\n    raise ValueError('a\\nb')\nf()", "one.py", r"ValueError: a b at one.py:2$"),
        ("raise SystemExit(3)", "one.py", r"SystemExit: 3 at one.py:1$"),
        (ONE.format(name="A") + "    buy: int = 1\n", "one.py", r"^one.py cannot be used: .*'buy' is the"),
        ("x = '\0'", "one.py", "null bytes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(folder: Path, text: str, reference: str, said: str) -> None:
    write(folder / "one.py", text)
    with pytest.raises(StrategyLoadError, match=said) as caught:
        load_strategy(reference)
    assert "\n" not in str(caught.value)


def test_a_file_that_fails_leaves_nothing_behind(folder: Path) -> None:
    before = set(sys.modules)
    path = write(folder / "one.py", "1 / 0")
    with pytest.raises(StrategyLoadError):
        load_strategy(path)
    assert set(sys.modules) == before


def test_an_encoding_that_is_none(folder: Path) -> None:
    (folder / "one.py").write_bytes(b"x = '\xff\xfe'\n")
    with pytest.raises(StrategyLoadError):
        load_strategy("one.py")
