"""The documentation is run: each block of README.md and docs/ does what it says, in order, page by page.

How a page is written so that it can be run:

- `python` blocks share one namespace. A first line `# name.py` (or .toml, .csv …) saves the block
  as that file, whatever its language; later blocks may import it.
- `console` blocks hold `$ command` lines, and under a command what it prints; `bash` and `sh` blocks hold
  commands alone. The commands of a block share one shell. A command may fail only if `$ echo $?` follows it.
- A `text` block straight after a `python` block is what that block prints. `>>>` prompts work too.
- `...` in a shown output stands for any text, also for many lines.
- `make TARGET`, `git clone`, package installs and the plain commands under a make target are compared with
  the Makefile instead; `make fresh` runs those for real. `powershell` blocks must say what the shell's say.

A page runs in an empty folder that has copies of strategies/ and backtests/.
"""

import contextlib
import doctest
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SHELLS = {"console", "bash", "sh"}
SHOWN_ONLY = {"", "text", "toml", "json", "yaml", "ini", "csv", "mermaid", "html", "powershell"}
SECONDS = 300


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, its lines, and the number of its first line."""

    language: str
    text: str
    line: int
    output: str | None = None

    @property
    def file_name(self) -> str | None:
        """The file that the block's first line names, if it does."""
        found = re.match(r"# ([\w./-]+\.(?:py|toml|csv|json|env))\n", self.text)
        return found.group(1) if found else None


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in their order, each with the output that is shown right after it."""
    found = []
    for fence in re.finditer(r"^```(\w*)[^\n]*\n(.*?)^```$\n?", page, re.MULTILINE | re.DOTALL):
        block = Block(fence[1], fence[2], page.count("\n", 0, fence.start()) + 2)
        after = re.match(r"\n*```text\n(.*?)^```$", page[fence.end() :], re.MULTILINE | re.DOTALL)
        if after and block.language == "python":
            block = Block(block.language, block.text, block.line, after[1])
        found.append(block)
    return found


def commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a shell block, each with the output shown under it."""
    text = re.sub(r"\\\n\s*(?:> )?", "", block.text)
    if block.language != "console":
        return [(line, "") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"line {block.line}: a console block starts with `$ `"
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts[1:])]


def matches(shown: str, printed: str) -> bool:
    """Is `printed` what a page shows, where `...` stands for anything?"""
    lines = ["\n".join(line.rstrip() for line in text.strip("\n").splitlines()) for text in (shown, printed)]
    pattern = ".*?".join(re.escape(part) for part in lines[0].split("..."))
    return re.fullmatch(pattern, lines[1], re.DOTALL) is not None


def recipe(target: str) -> list[str]:
    """The plain commands of a make target, without those that make keeps to itself."""
    found = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
    assert found, f"the Makefile has no target {target}"
    lines = re.sub(r"\\\n\s*", "", found[1]).splitlines()
    return [line.strip() for line in lines if not line.strip().startswith("@")]


def plain(target: str) -> list[str]:
    """What a person without make types for a target that rests on `install`."""
    return (
        ["python3.11 -m venv .venv", *recipe(".venv/.installed")] if target == "install" else recipe(target)
    )


PLAIN = {line for target in ("install", "run", "test", "quick", "soak") for line in plain(target)}


def is_checked_elsewhere(command: str) -> bool:
    """True for set-up commands, after comparing them with the Makefile."""
    if command.startswith("make"):
        for target in (word for word in command.split()[1:] if "=" not in word):
            recipe(target)
        return True
    if command.startswith((".venv/", "python3.11 -m venv")):
        assert command in PLAIN, f"no make target does this: {command}"
        return True
    return command.startswith(("git clone ", "cd algo", "sudo ", "apt-get ", "brew ", "pip install "))


def shell(block: Block, folder: Path) -> None:
    """Run the commands of a block in one shell and compare what they print with what the page shows."""
    todo = [pair for pair in commands(block) if not is_checked_elsewhere(pair[0])]
    if not todo:
        return
    mark = "\x1e"
    script = "".join(
        f"{command}\nstatus=$?; printf '\\n{mark}%s{mark}' $status; (exit $status)\n" for command, _ in todo
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, **surroundings(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    parts = done.stdout.split(mark)
    results = list(zip(parts[::2], parts[1::2], strict=False))
    assert len(results) == len(todo), f"line {block.line}: the shell ended early:\n{done.stdout}"
    asked = [command == "echo $?" for command, _ in todo[1:]] + [False]
    for (command, shown), (printed, status), may_fail in zip(todo, results, asked, strict=True):
        where = f"line {block.line}: $ {command}\n{printed}"
        assert status == "0" or may_fail, f"{where}\nended with status {status}"
        assert not shown.strip() or matches(shown, printed), f"{where}\nis not what the page shows:\n{shown}"


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a page: this Python first, a catalog of its own, output as on a plain terminal."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "ALGO_CATALOG": str(folder / "catalog"),
        "MPLBACKEND": "Agg",
        "COLUMNS": "110",
        "TERM": "dumb",
        "NO_COLOR": "1",
    }


def python(block: Block, namespace: dict[str, Any], page: Path) -> None:
    """Run a block of Python and compare what it prints, if the page shows that."""
    name = f"{page.name}:{block.line}"
    if block.text.lstrip().startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(block.text, namespace, name, str(page), block.line - 1)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        report = io.StringIO()
        runner.run(test, out=report.write, clear_globs=False)
        namespace.update(test.globs)
        assert runner.failures == 0, report.getvalue()
        return
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    if block.output is not None:
        assert matches(block.output, printed.getvalue()), f"{name} printed:\n{printed.getvalue()}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a page runs: empty but for the examples, with the environment of a page."""
    for name in ("strategies", "backtests"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
    for name, value in surroundings(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # a page may import the files that it shows
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def run(page: Path, text: str, folder: Path) -> None:
    """Run every block of a page."""
    namespace: dict[str, Any] = {"__name__": "__docs__"}
    for block in blocks(text):
        if block.file_name:
            (folder / block.file_name).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file_name).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            python(block, namespace, page)
        elif block.language in SHELLS:
            shell(block, folder)
        else:
            assert block.language in SHOWN_ONLY, f"line {block.line}: nothing runs `{block.language}` blocks"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page: Path, folder: Path) -> None:
    run(page, page.read_text(encoding="utf-8"), folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def windows(command: str) -> str:
    """A plain command as Windows has it."""
    return command.replace("python3.11 ", "py -3.11 ").replace(".venv/bin/", ".venv\\Scripts\\")


@pytest.mark.parametrize("target", ["install", "run", "test"])
def test_the_readme_shows_the_plain_commands_of(target: str) -> None:
    readme = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    shown = {
        family: list(
            itertools.chain.from_iterable(commands(block) for block in readme if block.language in languages)
        )
        for family, languages in {"shell": SHELLS, "windows": {"powershell"}}.items()
    }
    for family, spelt in {
        "shell": plain(target),
        "windows": [windows(line) for line in plain(target)],
    }.items():
        lines = [command for command, _ in shown[family]]
        starts = [at for at, line in enumerate(lines) if line == spelt[0]]
        assert any(lines[at : at + len(spelt)] == spelt for at in starts), (
            f"the README's {family} commands: {spelt}"
        )


def test_the_readme_starts_with_the_two_commands() -> None:
    first = [
        command
        for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        for command, _ in commands(block)
    ]
    assert [line for line in first if line.startswith("make")][:2] == ["make run", "make test"]


@pytest.mark.parametrize(
    "page",
    [
        "```python\n1 / 0\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ false\n```\n",
        "```bash\nexit 3\n```\n",
        "```console\n$ make nonsense\n```\n",
        "```console\n$ .venv/bin/python -m nonsense\n```\n",
        "```fortran\nEND\n```\n",
    ],
)
def test_a_wrong_page_is_found(page: str, folder: Path) -> None:
    with pytest.raises((AssertionError, ZeroDivisionError)):
        run(Path("wrong.md"), page, folder)


def test_a_right_page_passes(folder: Path) -> None:
    page = """
```python
# bot/rules.py
fast = 20
```

```python
print(f"fast is {fast} of 50\\nand so on\\nuntil here")
```

```text
fast is ... of 50
...
until here
```

```python
>>> fast + 1
21
```

```console
$ cat bot/rules.py
# bot/rules.py
fast = ...
$ cd bot && name=rules
$ ls $name.py \\
>   rules.py | wc -l
...2
$ (echo gone >&2; exit 2)
gone
$ echo $?
2
```
"""
    run(Path("right.md"), page, folder)
