"""Who we are to the broker: ids, secrets, key, accounts and addresses.

A file is used whole and alone. Without one, each setting comes from its environment variable, and those that
the environment lacks from the operating system's keyring (service ``algo``, the setting's name as the user).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shlex
import socket
import stat
import tomllib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from algo.brokers.fctrading.signing import SigningKey, parse_key
from algo.errors import CredentialError
from algo.fastconnect.addresses import Endpoints
from algo.fastconnect.secret import Secret

FILE_VARIABLE = "ALGO_CREDENTIALS"
KEYRING_SERVICE = "algo"
_LARGEST_FILE = 256 * 1024
_ADDRESSES = ("url", "stream_url", "data_url", "data_stream_url")
_PLAIN = ("consumer_id", "consumer_secret", "private_key", "two_factor", "device_id", "pin", "ca_file")
_ACCOUNTS = ("equity", "derivatives")
_KNOWN = (*_PLAIN, *_ADDRESSES, "accounts")


class TwoFactor(StrEnum):
    """How a person proves who they are. SSI's wire knows PIN (0) and OTP (1)."""

    PIN = "pin"
    OTP = "otp"
    """SMS or e-mail: the broker sends the code when `GetOTP` asks for it."""
    SMART_OTP = "smart-otp"
    """The broker's phone app shows the code; nothing is asked for."""

    @property
    def wire(self) -> int:
        """`twoFactorType` of the API."""
        return 0 if self is TwoFactor.PIN else 1


@dataclass(frozen=True)
class Accounts:
    """SSI gives a person one account for shares and one for derivatives. Either may be ''."""

    equity: str = ""
    derivatives: str = ""

    def __post_init__(self) -> None:
        for name in _ACCOUNTS:
            if not re.fullmatch(r"[0-9A-Za-z]{0,20}", getattr(self, name)):
                raise CredentialError(f"accounts.{name} must be letters and digits, such as 0901351")


@dataclass(frozen=True)
class Credentials:
    """Everything that is needed to speak to the broker in one person's name."""

    consumer_id: Secret
    consumer_secret: Secret
    key: SigningKey
    accounts: Accounts
    endpoints: Endpoints = field(default_factory=Endpoints)
    two_factor: TwoFactor = TwoFactor.PIN
    device_id: str = ""
    pin: Secret | None = None
    """The sandbox's own PIN. A real PIN is asked of the person and kept in memory only."""
    ca_file: Path | None = None
    """A certificate authority to trust instead of the public ones, as the sandbox's."""

    def __post_init__(self) -> None:
        if not self.device_id:
            object.__setattr__(self, "device_id", machine_device_id())

    @property
    def fingerprint(self) -> str:
        """A name for this identity at this address, for file names: 16 hex characters, no way back."""
        text = f"{self.endpoints.url}\n{self.consumer_id.reveal()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def machine_device_id() -> str:
    """This machine's MAC address as ``AA:BB:CC:DD:EE:FF``; without one, a stable one of the host's name."""
    node = uuid.getnode()
    if node >> 40 & 1:
        digest = hashlib.sha256(socket.gethostname().encode()).digest()
        node = int.from_bytes(digest[:6], "big") & ~(1 << 40) | 1 << 41
    return ":".join(f"{node:012X}"[i : i + 2] for i in range(0, 12, 2))


def load_credentials(
    path: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    keyring: Callable[[str, str], str | None] | None = None,
) -> Credentials:
    """The credentials in the file `path`, else in the file that ALGO_CREDENTIALS names, else in the
    environment (ALGO_CONSUMER_ID, ALGO_PRIVATE_KEY, ALGO_ACCOUNT_EQUITY, …) and the keyring.

    `keyring` is ``keyring.get_password`` unless given. Raises CredentialError that says what to do.
    """
    environment = os.environ if environment is None else environment
    path = path or environment.get(FILE_VARIABLE) or None
    if path is not None:
        return read_file(Path(path))
    document: dict[str, Any] = {"accounts": {}}
    for name in (*_PLAIN, *_ADDRESSES):
        value = environment.get(f"ALGO_{name.upper()}") or _from_keyring(name, keyring)
        if value:
            document[name] = value
    for name in _ACCOUNTS:
        value = environment.get(f"ALGO_ACCOUNT_{name.upper()}") or _from_keyring(f"account_{name}", keyring)
        if value:
            document["accounts"][name] = value
    if not {"consumer_id", "consumer_secret", "private_key"} & document.keys():
        raise CredentialError(
            "no credentials: name a file with --credentials or ALGO_CREDENTIALS, or set ALGO_CONSUMER_ID, "
            "ALGO_CONSUMER_SECRET and ALGO_PRIVATE_KEY"
        )
    return parse_document(document, "the environment and the keyring", Path())


def read_file(path: Path) -> Credentials:
    """The credentials in a JSON or TOML file that nobody else may read (mode 0600)."""
    path = path.expanduser()
    document = _parse_text(read_private(path), path)
    return parse_document(document, path.name, path.parent)


def read_private(path: Path) -> str:
    """The text of a file that holds secrets, once its mode keeps others out. Raises CredentialError."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CredentialError(f"{path} is not a file")
            if os.name == "posix":
                if status.st_mode & 0o077:
                    mode = stat.S_IMODE(status.st_mode)
                    raise CredentialError(
                        f"others can read or change {path} (mode {mode:04o}); run: "
                        f"chmod 600 {shlex.quote(str(path))}"
                    )
                if status.st_uid not in {os.getuid(), 0}:
                    raise CredentialError(f"{path} belongs to another user; copy it and chmod 600 the copy")
            raw = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {error.strerror or 'unknown reason'}") from None
    if len(raw) > _LARGEST_FILE:
        raise CredentialError(f"{path} is too large to hold credentials")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CredentialError(f"{path} is not UTF-8 text") from None


def parse_document(document: Mapping[str, Any], source: str, base: Path) -> Credentials:
    """Credentials of a parsed document; `source` names it in errors, `base` is where `ca_file` starts."""
    for name in document:
        near = difflib.get_close_matches(name, _KNOWN, 1, 0.75)
        if name not in _KNOWN and near:
            raise CredentialError(f"{source} has {name[:40]!r}: did you mean {near[0]!r}?")
    values = {name: _text(document, name, source) for name in (*_PLAIN, *_ADDRESSES)}
    missing = [name for name in ("consumer_id", "consumer_secret", "private_key") if not values[name]]
    if missing:
        raise CredentialError(f"{source} lacks {', '.join(missing)}")
    return Credentials(
        consumer_id=Secret(values["consumer_id"]),
        consumer_secret=Secret(values["consumer_secret"]),
        key=parse_key(values["private_key"]),
        accounts=_accounts(document.get("accounts"), source),
        endpoints=_endpoints(values, source),
        two_factor=_two_factor(values["two_factor"], source),
        device_id=values["device_id"],
        pin=Secret(values["pin"]) if values["pin"] else None,
        ca_file=base / Path(values["ca_file"]).expanduser() if values["ca_file"] else None,
    )


def _accounts(given: object, source: str) -> Accounts:
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise CredentialError(
            f'{source}: accounts must be like {{"equity": "0901351", "derivatives": "0901358"}}'
        )
    for name in given:
        if name not in _ACCOUNTS:
            raise CredentialError(
                f"{source}: accounts has {str(name)[:40]!r}; it may have equity and derivatives"
            )
    accounts = Accounts(**{name: _text(given, name, source) for name in _ACCOUNTS})
    if not (accounts.equity or accounts.derivatives):
        raise CredentialError(
            f"{source} names no account: give accounts.equity, accounts.derivatives or both"
        )
    return accounts


def _endpoints(values: Mapping[str, str], source: str) -> Endpoints:
    """All four addresses or none: a half-given set would send the sandbox's orders to production."""
    given = [name for name in _ADDRESSES if values[name]]
    if not given:
        return Endpoints()
    if len(given) < len(_ADDRESSES):
        lacking = ", ".join(name for name in _ADDRESSES if name not in given)
        raise CredentialError(f"{source} has {', '.join(given)} but lacks {lacking}: give all four or none")
    return Endpoints(**{name: values[name] for name in _ADDRESSES})


def _two_factor(text: str, source: str) -> TwoFactor:
    try:
        return TwoFactor(text.lower().replace("_", "-")) if text else TwoFactor.PIN
    except ValueError:
        raise CredentialError(f"{source}: two_factor must be pin, otp or smart-otp") from None


def _text(document: Mapping[str, Any], name: str, source: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise CredentialError(f"{source}: {name} must be text in quotes")
    return value.strip()


def _parse_text(text: str, path: Path) -> Mapping[str, Any]:
    """The document in `text`. The parsers' own errors quote the text, so none of them is passed on."""
    place = ""
    document: Any = None
    try:
        document = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except json.JSONDecodeError as error:
        place = f" at line {error.lineno}, column {error.colno}"
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line \d+, column \d+", str(error))
        place = f" {found.group()}" if found else ""
    except (ValueError, RecursionError):
        place = ""
    else:
        if isinstance(document, dict):
            return document
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    raise CredentialError(f"{path} is not a {kind} document of settings{place}")


def _from_keyring(name: str, get: Callable[[str, str], str | None] | None) -> str | None:
    if get is None:
        import keyring

        get = keyring.get_password
    try:
        return get(KEYRING_SERVICE, name)
    except Exception:  # noqa: BLE001  a machine without a keyring simply has nothing in it
        return None
