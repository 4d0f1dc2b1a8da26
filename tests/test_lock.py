"""The locked dependencies: whole, with hashes, from no particular host, in step with pyproject.toml."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LOCKS = ["requirements.lock", "requirements-source.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def locked(name: str) -> list[Requirement]:
    """The pins of a lock file, each checked to carry a hash."""
    text = re.sub(r" \\\n", " ", (ROOT / name).read_text(encoding="utf-8"))
    pins = []
    for line in text.splitlines():
        pin, *hashes = line.split(" --hash=")
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", part.strip()) for part in hashes), pin
        pins.append(Requirement(pin.strip()))
    return pins


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--(?:extra-)?index|--find-links| @ ", text)


@pytest.mark.parametrize("text", [*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["peers"]])
def test_what_the_project_asks_for_is_locked(text: str) -> None:
    wanted = Requirement(text)
    name = canonicalize_name(wanted.name)
    pins = [pin for lock in LOCKS for pin in locked(lock) if canonicalize_name(pin.name) == name]
    assert pins, f"{wanted.name} is not locked: run `make lock`"
    for pin in pins:
        (only,) = pin.specifier
        assert only.operator == "==" and wanted.specifier.contains(only.version, prereleases=True), (
            f"{pin}: make lock"
        )
