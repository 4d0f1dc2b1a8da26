"""Settings of trading on a sandbox or live: one TOML file, parsed once, checked whole.

::

    journal = "live.journal"        # paths are looked for beside this file
    credentials = "ssi.json"        # else ALGO_CREDENTIALS, the environment, the keyring
    accounts = ["0901351"]          # live trades in accounts that are named here, and in no other

    [limits]                        # of each strategy; all four are required before live starts
    order_quantity = 5
    order_value = 1_000_000_000
    position = 10
    daily_loss = 20_000_000

    [limits.account]                # of all strategies together, with what you hold besides

    [strategies.sma]                # what belongs to one of them: cash, limits, source, parameters
    cash = { derivatives = 200_000_000 }

    [controls]
    collar = "3%"
    repeat = "2s"

    [alerts.telegram]
    token = "env:TELEGRAM_TOKEN"    # a secret is env:NAME, keyring:NAME or file:PATH (mode 0600)
    chat = "123456"

A secret may stand in the file itself only while the file's mode is 0600.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from algo.config.tables import AlertTable, ControlTable, LiveSettings
from algo.config.values import Reading, from_keyring
from algo.errors import SettingError

__all__ = ["AlertTable", "ControlTable", "LiveSettings", "load_settings"]


def load_settings(
    path: Path | str | None,
    *,
    environment: Mapping[str, str] | None = None,
    keyring: Callable[[str, str], str | None] | None = None,
) -> LiveSettings:
    """The settings in a TOML file, the defaults for None. Raises SettingError, in one line without values."""
    environment = os.environ if environment is None else environment
    if path is None:
        return LiveSettings()
    path = Path(path).expanduser()
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            private = os.name == "nt" or not stat.S_IMODE(status.st_mode) & 0o077
            table = tomllib.load(file)
    except OSError as error:
        raise SettingError(f"{path} cannot be read: {error.strerror or 'unknown reason'}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        place = re.search(r"at line \d+, column \d+", str(error))  # the rest may quote a secret
        raise SettingError(f"{path} is no TOML{' ' + place.group() if place else ''}") from None
    reading = Reading(path.parent, private, environment, keyring or from_keyring)
    try:
        return LiveSettings.model_validate({"journal": "live.journal"} | table, context=reading)
    except ValidationError as error:
        raise SettingError(f"{path}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, and where; never the value, which may be a secret."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    where = ".".join(str(part) for part in found[0]["loc"])
    what = found[0]["msg"].removeprefix("Value error, ")
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where + ': ' if where else ''}{what}{more}"
