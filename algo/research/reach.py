"""What a strategy can get at beside what it is given: tables in its reach, and files that it opens."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from algo.strategy import Strategy

_OBJECTS = 20_000  # looked at, at most
_SHORTEST = 12  # values: shorter arrays say nothing


def held_arrays(strategy: Strategy) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Every column of numbers that the strategy can reach by itself, with the name of its place.

    It looks at the instance, its classes, the modules that define them and those beside them, into
    containers, objects, closures and defaults; not into the framework or into libraries.
    """
    queue: deque[tuple[str, Any]] = deque()
    own = {name: value for name, value in vars(strategy).items() if name != "_desk"}
    queue += [(f"self.{name}", value) for name, value in own.items()]
    for cls in type(strategy).__mro__:
        module = sys.modules.get(cls.__module__)
        if module is None or _foreign(module):
            continue
        queue += [(f"{cls.__name__}.{name}", value) for name, value in vars(cls).items()]
        queue += [(name, value) for name, value in vars(module).items() if not name.startswith("__")]
    folders = {Path(path).parent for path in map(_file, _modules(strategy)) if path}
    seen: set[int] = set()
    keep: list[Any] = []  # so that no id is used twice
    while queue and len(seen) < _OBJECTS:
        place, value = queue.popleft()
        if id(value) in seen or isinstance(value, str | bytes | int | float | bool | None):
            continue
        seen.add(id(value))
        keep.append(value)
        columns = list(_columns(place, value))
        if columns:
            yield from columns
        else:
            queue += _inside(place, value, folders)


def _modules(strategy: Strategy) -> list[ModuleType]:
    found = (sys.modules.get(cls.__module__) for cls in type(strategy).__mro__)
    return [module for module in found if module is not None and not _foreign(module)]


def _foreign(module: ModuleType) -> bool:
    """Whether a module belongs to the framework, to Python or to a library."""
    name, file = module.__name__, _file(module)
    return name.partition(".")[0] == "algo" or not file or _of_library(file)


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or ""


def _of_library(file: str) -> bool:
    return "site-packages" in file or file.startswith((sys.base_prefix + os.sep + "lib", "<"))


def _columns(place: str, value: Any) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The columns of numbers that `value` is, if it is a table, an array or a row of numbers."""
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):  # a DataFrame, of whatever library
        for name in list(value.columns):
            column = _numbers(value[name])
            if column is not None:
                yield f"{place}[{name!r}]", column
        return
    if isinstance(value, np.ndarray) and value.ndim == 2:
        for number in range(value.shape[1]):
            column = _numbers(value[:, number])
            if column is not None:
                yield f"{place}[:, {number}]", column
        return
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, np.ndarray | list | tuple | deque) or hasattr(value, "to_numpy"):
        column = _numbers(value)
        if column is not None:
            yield place, column


def _numbers(value: Any) -> NDArray[np.float64] | None:
    if isinstance(value, list | tuple | deque) and not (
        len(value) >= _SHORTEST and all(isinstance(one, int | float | np.number) for one in value)
    ):
        return None
    try:
        array = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
        if array.ndim != 1 or len(array) < _SHORTEST or array.dtype.kind not in "iuf":
            return None
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return None


def _inside(place: str, value: Any, folders: set[Path]) -> list[tuple[str, Any]]:
    """What `value` leads to."""
    if isinstance(value, ModuleType):
        if _foreign(value) or Path(_file(value)).parent not in folders:
            return []
        return [(f"{place}.{name}", one) for name, one in vars(value).items() if not name.startswith("__")]
    if isinstance(value, MethodType):
        return [(place, value.__func__)]
    if isinstance(value, FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=False)
        found = [(f"{name} of {place}", _content(cell)) for name, cell in cells]
        return found + [(f"a default of {place}", one) for one in value.__defaults__ or ()]
    if isinstance(value, Mapping):
        return [(f"{place}[{key!r}]", one) for key, one in value.items()]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return [(f"{place}[{number}]", one) for number, one in enumerate(value)]
    module = sys.modules.get(type(value).__module__)
    if isinstance(value, type) or module is None or _foreign(module):
        return []
    return [(f"{place}.{name}", one) for name, one in getattr(value, "__dict__", {}).items()]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


class Watched:
    """Which of some files were opened while it was on, each with the line of the user's code that did it."""

    def __init__(self, files: Iterable[str | Path]) -> None:
        self.opened: dict[str, str] = {}
        self._files = {os.path.realpath(one): str(one) for one in files}
        self.on = True

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The hook: whatever it raised would come out of the user's own call."""
        if not self.on or event != "open" or not arguments or not isinstance(arguments[0], str | os.PathLike):
            return
        name = self._files.get(os.path.realpath(arguments[0]))
        if name is not None:
            self.opened.setdefault(name, _line(sys._getframe()))


def _line(frame: FrameType | None) -> str:
    """The nearest line that belongs to neither the framework nor a library, as ``file.py:12``."""
    framework = str(Path(__file__).parents[1]) + os.sep
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(framework) and not _of_library(file):
            return f"{Path(file).name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


@contextmanager
def watching(files: Iterable[str | Path]) -> Iterator[Watched]:
    """Note which of `files` are opened inside the block, by an audit hook (PEP 578).

    Python cannot take such a hook away again; afterwards it hears nothing.
    """
    watched = Watched(files)
    sys.addaudithook(watched.hear)
    try:
        yield watched
    finally:
        watched.on = False
