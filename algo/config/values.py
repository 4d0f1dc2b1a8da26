"""What people write in settings, and what it means: times, shares, paths, addresses and secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from algo.clock import HOUR, MINUTE, SECOND
from algo.errors import AlgoError
from algo.fastconnect.addresses import is_loopback
from algo.fastconnect.secret import Secret

KEYRING_SERVICE = "algo"
_UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": MINUTE, "h": HOUR}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")


@dataclass(frozen=True)
class Reading:
    """What is needed to make sense of values: where paths begin, and where secrets come from."""

    folder: Path
    private: bool
    environment: Mapping[str, str]
    keyring: Callable[[str, str], str | None]


def duration(value: object) -> int:
    """Nanoseconds of ``"500ms"``, ``"2s"``, ``"1m"``, ``"8h"``, or of a number of seconds."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        return round(float(found[1]) * _UNITS[found[2]])
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
        return round(value * SECOND)
    raise ValueError('write a time such as "500ms", "2s", "1m" or "8h"')


def share(value: object) -> float:
    """A fraction of ``"3%"`` or 0.03."""
    found = value
    if isinstance(value, str) and (text := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip())):
        found = float(text[1]) / 100
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 < found <= 1:
        return float(found)
    raise ValueError('write a share such as "3%" or 0.03')


def _place(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError("write a path in quotes")
    return _reading(info).folder / Path(value).expanduser()


def _secret(value: object, info: ValidationInfo) -> Secret:
    """The secret that is named, or that stands here when nobody else can read the file."""
    reading = _reading(info)
    if not isinstance(value, str) or not value:
        raise ValueError("write env:NAME, keyring:NAME or file:PATH")
    kind, _, name = value.partition(":")
    if kind == "env":
        found = reading.environment.get(name)
        if not found:
            raise ValueError(f"the environment has no {name}")
    elif kind == "keyring":
        try:
            found = reading.keyring(KEYRING_SERVICE, name)
        except Exception:  # noqa: BLE001 - a machine without a keyring simply has nothing in it
            found = None
        if not found:
            raise ValueError(f"the keyring has no {name} of the service {KEYRING_SERVICE!r}")
    elif kind == "file":
        from algo.brokers.fctrading.credentials import read_private

        try:
            found = read_private(reading.folder / Path(name).expanduser()).strip()
        except AlgoError as error:
            raise ValueError(str(error)) from None
    elif not reading.private:
        raise ValueError("a secret in a file that others can read: chmod 600 it, or write env:NAME")
    else:
        found = value
    return Secret(found)


def _reading(info: ValidationInfo) -> Reading:
    found = info.context
    return found if isinstance(found, Reading) else Reading(Path(), False, os.environ, from_keyring)


def from_keyring(service: str, name: str) -> str | None:
    import keyring

    found: str | None = keyring.get_password(service, name)
    return found


def _safe_url(url: str) -> str:
    """An address that is https, or http on this machine. It may be secret, so no error shows it."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.scheme not in {"http", "https"}:
        raise ValueError("it is not a URL: give one like https://example.com/hook")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("it must be https://; plain http:// goes to this machine only")
    return url.strip().rstrip("/")


def _secret_url(secret: Secret) -> Secret:
    return Secret(_safe_url(secret.reveal()))


Duration = Annotated[int, BeforeValidator(duration)]
Share = Annotated[float, BeforeValidator(share)]
Place = Annotated[Path, BeforeValidator(_place)]
Hidden = Annotated[Secret, BeforeValidator(_secret)]
HiddenUrl = Annotated[Secret, BeforeValidator(_secret), AfterValidator(_secret_url)]
Count = Annotated[int, Field(strict=True, gt=0)]
Url = Annotated[str, AfterValidator(_safe_url)]
