"""Strategies by the names that people write: ``file.py``, ``file.py:Class``, ``package.module:Class``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
import zlib
from pathlib import Path
from types import ModuleType

from algo.errors import AlgoError, StrategyLoadError
from algo.strategy import Strategy


def load_strategy(reference: str | Path) -> type[Strategy]:
    """The strategy class that `reference` names.

    A file must define one Strategy, or the reference names which; a class that others in the file
    build upon does not count. The file's own folder can be imported from, and so can the present
    folder. A file is run anew by each call.

    Raises StrategyLoadError in one line: no such file or module, a syntax error (with its line), an
    error while the file runs (with its line), no Strategy in it, or several.
    """
    place, name = _parts(str(reference))
    if not place:
        raise StrategyLoadError(f"{reference!r} names no strategy: write file.py, or package.module:Class")
    module = _from_file(place) if _is_file(place) else _from_module(place)
    return _named(module, name, place) if name else _only(module, place)


def _parts(reference: str) -> tuple[str, str]:
    """The file or module, and the class if one is named. A drive letter's colon divides nothing."""
    head, colon, tail = reference.rpartition(":")
    return (head, tail) if colon and tail.isidentifier() else (reference, "")


def _is_file(place: str) -> bool:
    return (
        place.endswith(".py")
        or place.startswith(".")
        or "/" in place
        or os.sep in place
        or Path(place).is_file()
    )


def _from_file(place: str) -> ModuleType:
    path = Path(place).expanduser()
    if not path.is_file():
        what = "is a folder: name a file in it" if path.is_dir() else "no such file" + _near_file(path)
        raise StrategyLoadError(f"{place}: {what}")
    # The engine finds the user's line by the module's file, and annotations are looked up in it.
    name = f"strategy_{zlib.crc32(os.fsencode(path.resolve())):08x}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise StrategyLoadError(f"{place} is no Python file: a strategy is a class in a .py file")
    _importable(path.resolve().parent)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        del sys.modules[name]
        raise StrategyLoadError(_reason(error, place, str(path.resolve()))) from error
    return module


def _from_module(place: str) -> ModuleType:
    _importable(Path.cwd())
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name and (place == error.name or place.startswith(f"{error.name}.")):
            raise StrategyLoadError(
                f"no file and no module {place!r}: name a strategy as file.py, file.py:Class or "
                "package.module:Class"
            ) from error
        raise StrategyLoadError(_reason(error, place, "")) from error
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        raise StrategyLoadError(_reason(error, place, "")) from error


def _importable(folder: Path) -> None:
    """Let the file import what lies beside it; behind all else, so that it hides nothing."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _near_file(path: Path) -> str:
    """A hint at a file of nearly the same name."""
    try:
        beside = [one.name for one in path.parent.iterdir() if one.suffix == ".py"]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, beside, 1)
    return f"; did you mean {path.with_name(near[0])}?" if near else ""


def _reason(error: BaseException, place: str, file: str) -> str:
    """What went wrong while the module ran, and on which of its lines, in one line."""
    if isinstance(error, SyntaxError):
        name = Path(error.filename).name if error.filename else place
        text = (error.text or "").strip()
        return f"{name}:{error.lineno}: syntax error: {error.msg}" + (f": {text}" if text else "")
    line = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if (frame.filename == file) if file else not frame.filename.startswith("<frozen"):
            line = f"{Path(frame.filename).name}:{frame.lineno}"
    kind = "" if isinstance(error, AlgoError) else f"{type(error).__name__}: "
    said = " ".join(str(error).split())
    return f"{place} cannot be used: {kind}{said}" + (f" at {line}" if line else "")


def _strategies(module: ModuleType) -> dict[str, type[Strategy]]:
    """The Strategy subclasses that the module itself defines, in their order."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Strategy) and value.__module__ == module.__name__
    }


def _named(module: ModuleType, name: str, place: str) -> type[Strategy]:
    value = getattr(module, name, None)
    if value is None:
        known = _strategies(module)
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'no Strategy'}"
        raise StrategyLoadError(f"{place} has no class {name!r}; {hint}")
    if not inspect.isclass(value) or not issubclass(value, Strategy) or value is Strategy:
        raise StrategyLoadError(f"{name} in {place} is no strategy: derive it from algo.Strategy")
    return value


def _only(module: ModuleType, place: str) -> type[Strategy]:
    found = {value for name, value in _strategies(module).items() if not name.startswith("_")}
    leaves = sorted(
        (one for one in found if not any(one in other.__mro__[1:] for other in found)),
        key=lambda one: one.__name__,
    )
    if not leaves:
        raise StrategyLoadError(f"{place} defines no Strategy: derive a class from algo.Strategy in it")
    if len(leaves) > 1:
        names = ", ".join(one.__name__ for one in leaves)
        raise StrategyLoadError(
            f"{place} defines {len(leaves)} strategies ({names}): name one, as {place}:{leaves[-1].__name__}"
        )
    return leaves[0]
