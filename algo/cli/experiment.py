"""One run as a person describes it: by options, by a saved file, or by a file with options on top.

A saved experiment is TOML::

    strategy = "strategies/sma_cross.py"
    data = ["VN30F1M"]              # files, symbols of the catalog, SYMBOL=FILE
    from = 2025-07-01
    report = "reports/sma_cross.html"

    [parameters]
    fast = 20

    [settings]                      # cash, fill, slippage, limit, participation, fees, margin,
    cash = 1_000_000_000            # actions, and the tables limits and opening
    fees = "vietnam"                # or a file, or a table of settings

    [reading]                       # symbol, unit, adjusted, board, stamp, width, columns
    stamp = "start"

Its paths are looked for beside the file, then in the folders above it up to the project's root (the
one with a pyproject.toml or .git); what it writes goes to that root.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algo.errors import SettingError

if TYPE_CHECKING:
    from algo.backtest import Run, Settings
    from algo.data import Series
    from algo.strategy import Strategy

_TOP = ("strategy", "data", "from", "to", "json", "report", "parameters", "settings", "reading")
_SETTINGS = ("cash", "fill", "slippage", "limit", "participation", "fees", "margin", "limits", "opening",
             "actions", "advance")  # fmt: skip
_READING = ("symbol", "unit", "adjusted", "board", "stamp", "width", "columns")
_MARKS = ("pyproject.toml", ".git")


@dataclass
class Experiment:
    """Everything a run needs. Paths are resolved, values are not yet checked; None is the default."""

    strategy: str = ""
    data: list[str] = field(default_factory=list)
    from_: Any = None
    to: Any = None
    parameters: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    json: str | None = None
    report: Path | None = None

    def load_strategy(self) -> type[Strategy]:
        """The strategy class. Raises StrategyLoadError."""
        from algo.loading import load_strategy

        return load_strategy(self.strategy)

    def load_data(self) -> dict[str, Series]:
        """The series by symbol. Raises DataError and CatalogError."""
        from algo.backtest import load
        from algo.data.sources import is_file

        if not self.data:
            raise SettingError("no data given: add --data FILE, or --data SYMBOL for one of the catalog")
        sources = [source_of(one) for one in self.data]
        about_files = [name for name in self.reading if name != "width"]
        if about_files and not any(isinstance(one, dict) or is_file(one) for one in sources):
            raise SettingError(
                f"{about_files[0]} says how files are read; {', '.join(self.data)} is in the catalog"
            )
        return load(sources, from_=self.from_, to=self.to, **self.reading)

    def make_settings(self) -> Settings:
        """The settings of the run. Raises SettingError for impossible ones."""
        from algo.backtest import DEFAULT_CASH, Settings
        from algo.brokers.paper import FillRules
        from algo.market import fees_from
        from algo.orders import Limits

        given = self.settings
        rules: dict[str, Any] = {name: given[name] for name in ("fill", "slippage", "limit") if name in given}
        if "participation" in given:
            rules["participation"] = _participation(given["participation"])
        fees = _fees(given.get("fees", "vietnam"))
        fees_from(fees)  # says what is wrong with them before the data is read
        limits, opening = given.get("limits", {}), given.get("opening", {})
        if not isinstance(limits, Mapping) or set(limits) - set(Limits.__dataclass_fields__):
            raise SettingError(f"limits is a table of {', '.join(Limits.__dataclass_fields__)}")
        if not isinstance(opening, Mapping) or not all(
            isinstance(one, list) and len(one) == 2 for one in opening.values()
        ):
            raise SettingError("opening is a table of SYMBOL = [quantity, average price]")
        actions = given.get("actions")
        return Settings(
            cash=_cash(given.get("cash", DEFAULT_CASH)),
            rules=FillRules(**rules),
            fees=fees,
            margin=_rate("margin", given.get("margin")),
            limits=Limits(**limits),
            opening={name: (one[0], one[1]) for name, one in opening.items()},
            actions=_actions(Path(actions)) if actions is not None else (),
            advance=bool(given.get("advance", False)),
        )

    def check(self) -> None:
        """Find what is wrong with dates and outputs before anything takes long."""
        from algo.data.series import moment_ns

        for one in (self.from_, self.to):
            if one is not None:
                moment_ns(one)
        if (
            self.from_ is not None
            and self.to is not None
            and moment_ns(self.from_) >= moment_ns(self.to, end=True)
        ):
            raise SettingError(
                f"the range from {self.from_} to {self.to} is empty: give a start before its end"
            )
        for target in (self.json, self.report):
            if target is not None and str(target) != "-":
                check_writable(Path(target))

    def prepare(self, series: Mapping[str, Series] | None = None) -> Run:
        """Wire the run: strategy and settings first, because what is wrong with them shows at once."""
        from algo.backtest import prepare
        from algo.parameters import bind, declared

        self.check()
        strategy = self.load_strategy()
        settings = self.make_settings()
        known = declared(strategy)
        bind(strategy, {**{name: "" for name in known if known[name][0] is str}, **self.parameters})
        return prepare(
            strategy, series if series is not None else self.load_data(), settings, self.parameters
        )


def source_of(text: str) -> Any:
    """What `--data` names: SYMBOL=FILE as a mapping, a file or a symbol as it is."""
    symbol, equals, file = text.partition("=")
    if not text.strip():
        raise SettingError("--data needs a FILE, a SYMBOL or SYMBOL=FILE")
    if not equals or Path(text).exists():
        return text
    if not symbol.strip() or not file.strip():
        raise SettingError(f"--data {text!r}: write SYMBOL=FILE, FILE or SYMBOL")
    return {symbol.strip(): Path(file.strip())}


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """name=value texts of a repeated option, the last one of a name winning."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingError(f"{option} {text!r}: write {option} NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def check_writable(path: Path) -> None:
    """Raise SettingError when nothing can be written to `path`."""
    import os

    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if path.is_dir():
        raise SettingError(f"cannot write {path}: it is a folder")
    if not folder.is_dir():
        raise SettingError(f"cannot write {path}: {folder} is not a folder")
    if not os.access(folder, os.W_OK):
        raise SettingError(f"cannot write {path}: {folder} may not be written to")


# -- saved experiments ----------------------------------------------------------------------------


def saved(path: Path) -> Experiment:
    """The experiment in a TOML file. Raises SettingError for what is wrong in it."""
    table = read_toml(path)
    _known(path, "", table, _TOP)
    sections: dict[str, dict[str, Any]] = {}
    for name, keys in (("parameters", None), ("settings", _SETTINGS), ("reading", _READING)):
        section = table.get(name, {})
        if not isinstance(section, dict):
            raise SettingError(f"{path}: {name} is a table: write [{name}] above its lines")
        if keys is not None:
            _known(path, f"{name}.", section, keys)
        sections[name] = section
    strategy = table.get("strategy")
    if not isinstance(strategy, str):
        raise SettingError(f'{path}: name the strategy, as strategy = "strategies/sma_cross.py"')
    data = table.get("data", [])
    data = [data] if isinstance(data, str) else data
    if not isinstance(data, list) or not all(isinstance(one, str) for one in data):
        raise SettingError(f"{path}: data is a list of files and symbols")
    root = _root(path)
    settings = dict(sections["settings"])
    for name in ("fees", "actions"):
        if isinstance(settings.get(name), str):
            settings[name] = _found(settings[name], path)
    for name in ("from", "to"):
        if not isinstance(table.get(name), str | date | datetime | None):
            raise SettingError(f"{path}: {name} is a date, as {name} = 2025-07-01")
    for name in ("json", "report"):
        if not isinstance(table.get(name), str | None):
            raise SettingError(f"{path}: {name} is the name of a file")
    return Experiment(
        strategy=_found_strategy(strategy, path),
        data=[_found_source(one, path) for one in data],
        from_=table.get("from"),
        to=table.get("to"),
        parameters=sections["parameters"],
        settings=settings,
        reading=sections["reading"],
        json=table["json"] if table.get("json") == "-" else _target(table.get("json"), root),
        report=Path(report) if (report := _target(table.get("report"), root)) else None,
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file. Raises SettingError when there is none to be read."""
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingError(f"{path}: no such file") from None
    except OSError as error:
        raise SettingError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: not a TOML file: {error}") from None


def _known(path: Path, where: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for name in table:
        if name not in keys:
            near = difflib.get_close_matches(name, keys, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it may have {', '.join(keys)}"
            raise SettingError(f"{path}: there is no {where}{name}; {hint}")


def _root(path: Path) -> Path:
    """The project's root above `path`, or its own folder when there is none."""
    folder = path.absolute().parent
    for above in (folder, *folder.parents):
        if any((above / mark).exists() for mark in _MARKS):
            return above
    return folder


def _found(text: str, path: Path) -> str:
    """A file named in `path`: beside it, or in a folder above up to the root; else as it is written."""
    folder, root = path.absolute().parent, _root(path)
    for above in (folder, *folder.parents):
        if (above / text).exists():
            return _short(above / text)
        if above == root:
            break
    return text


def _found_strategy(text: str, path: Path) -> str:
    head, colon, tail = text.rpartition(":")
    if colon and tail.isidentifier():
        return f"{_found(head, path)}:{tail}"
    return _found(text, path)


def _found_source(text: str, path: Path) -> str:
    symbol, equals, file = text.partition("=")
    return f"{symbol}={_found(file, path)}" if equals else _found(text, path)


def _target(text: str | None, root: Path) -> str | None:
    return None if text is None else _short(root / text)


def _short(path: Path) -> str:
    """`path` from the present folder on, where that says the same."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path.resolve())


# -- values as people write them -------------------------------------------------------------------


def _whole(label: str, value: Any) -> int:
    from decimal import Decimal, InvalidOperation

    if isinstance(value, str | float):
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("nan")
        value = int(number) if number.is_finite() and number == int(number) else value
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingError(f"{label} is whole đồng from 0, such as 500_000_000, not {value!r}")
    return value


def _cash(value: Any) -> int | dict[str, int]:
    if isinstance(value, str) and "=" in value:
        value = pairs(value.split(","), "--cash")
    if isinstance(value, Mapping):
        for name in value:
            if name not in ("equity", "derivatives"):
                raise SettingError(f"cash is by account, equity and derivatives, not {name!r}")
        return {name: _whole(f"cash of {name}", amount) for name, amount in value.items()}
    return _whole("cash", value)


def _rate(label: str, value: Any) -> float | None:
    """A share such as 0.17 or "17%"."""
    if value is None:
        return None
    text = str(value).strip()
    try:
        rate = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise SettingError(f"{label} is a rate such as 0.17 or 17%, not {value!r}") from None
    return rate


def _participation(value: Any) -> float | None:
    return None if value is None or value is False or value == "none" else _rate("participation", value)


def _fees(value: Any) -> Any:
    if not isinstance(value, str) or value in ("vietnam", "none"):
        return value
    path = Path(value)
    if path.suffix != ".toml" and not path.exists():
        raise SettingError(f"fees are vietnam, none or a TOML file, not {value!r}")
    return read_toml(path)


def _actions(path: Path) -> tuple[Any, ...]:
    from algo.data.actions import read_actions

    return tuple(read_actions(path))
