"""Help: every command has one with an example, and it comes quickly because nothing heavy is imported."""

import re
import subprocess
import sys

import pytest

from tests.cli.conftest import Command
from tests.conftest import ROOT

COMMANDS = [
    ("backtest",),
    ("run",),
    ("check",),
    ("sandbox",),
    ("replay",),
    ("doctor",),
    ("kill",),
    ("resume",),
    ("new", "strategy"),
    ("data", "import"),
    ("data", "list"),
    ("data", "show"),
    ("data", "demo"),
    *((name,) for name in ("quote", "login", "status", "orders", "positions", "balance", "limits")),
    *(("order", name) for name in ("place", "amend", "cancel")),
    *(("keys", name) for name in ("check", "new")),
    *(("journal", name) for name in ("show", "check", "export")),
]
# With `--help` alone; to read options typer itself imports pydantic.
HEAVIEST = ("pydantic",)
HEAVY = ("numpy", "pandas", "pyarrow", "matplotlib", "talib", "jinja2", "httpx", "websockets")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(algo: Command, command: tuple[str, ...]) -> None:
    result = algo(*command, "--help")
    assert result.exit_code == 0
    assert f"algo {' '.join(command)} " in result.stdout or f"algo {' '.join(command)}\n" in result.stdout
    assert "Example" in result.stdout


def test_no_command_is_without_a_test_here(algo: Command) -> None:
    listed = algo("--help").stdout.partition("Commands:")[2].partition("Start with")[0]
    names = re.findall(r"^  (\w+)  ", listed, re.MULTILINE)
    assert set(names) == {command[0] for command in COMMANDS}


@pytest.mark.parametrize(
    "arguments", [(), ("data",), ("new",), ("order",), ("keys",), ("journal",)], ids=" ".join
)
def test_no_command_shows_what_there_is(algo: Command, arguments: tuple[str, ...]) -> None:
    result = algo(*arguments)
    assert "Usage: " in result.stdout + result.stderr


def test_the_version(algo: Command) -> None:
    from algo import __version__

    assert algo("--version").stdout == f"algo {__version__}\n"


@pytest.mark.parametrize("arguments", [("--help",), ("backtest", "--help"), ("--version",), ("bactest",)])
def test_nothing_heavy_is_imported_for_help(arguments: tuple[str, ...]) -> None:
    heavy = HEAVY + (HEAVIEST if arguments == ("--help",) else ())
    code = (
        "import sys\nfrom algo.__main__ import main\n"
        f"try:\n    main()\nexcept SystemExit:\n    pass\nprint([m for m in {heavy!r} if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
