"""Who asks: consumers and their keys, codes that are locked when guessed at, tokens that expire. Pure.

Tokens live in real time, whatever the market day is: clients compare their `exp` with the wall clock, given
here as seconds since the epoch. A token looks like the real service's (three parts, RS256); it carries its
own proof, so the server keeps none. Its payload stays within the characters of standard base64, because the
official Python client decodes it with that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from algo.errors import CredentialError, SettingError
from algo.fastconnect.secret import Secret
from algo.sandbox.answers import Denied

TOKEN_LIFE = 8 * 3600.0
"""Seconds that a token lives (SSI's guide)."""
OTP_LIFE = 120.0
"""Seconds that a one-time code can be used."""
MOST_ATTEMPTS = 5
"""Wrong codes in a row that lock the code."""
_MOST_KNOWN_TOKENS = 4096
_LARGEST_TOKEN = 4096
_PADDING = padding.PKCS1v15()
_HASH = hashes.SHA256()
_HEADER = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
UNAUTHORISED = 401


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"
    WRITE = "write"
    DATA = "data"


TRADING = frozenset({Scope.READ, Scope.WRITE})
MARKET_DATA = frozenset({Scope.DATA})
ANY = frozenset(Scope)


class TwoFactor(StrEnum):
    """How a person proves to be there; the values are the names that messages use."""

    PIN = "PIN"
    OTP = "OTP"


@dataclass(frozen=True)
class Consumer:
    """A registered program: its secret, the public half of its signing key, its person's PIN and accounts."""

    consumer_id: str
    secret: Secret = field(repr=False)
    key: rsa.RSAPublicKey = field(repr=False)
    pin: Secret = field(repr=False)
    accounts: tuple[str, ...] = ()


class Grant(NamedTuple):
    """What a token says. `ends` is in seconds since the epoch, `serial` counts tokens."""

    consumer: Consumer
    scope: Scope
    ends: int
    serial: int


class ShownCode(NamedTuple):
    """A one-time code as the person would get it by SMS."""

    wall: float
    consumer_id: str
    code: str


class _Codes:
    """The codes of one consumer: the current one-time code, and how often a wrong one came."""

    def __init__(self) -> None:
        self.otp = ""
        self.otp_ends = 0.0
        self.wrong = 0
        self.locked = False


class Identity:
    """Everybody who may ask. `on_code` is called with each one-time code, for a console to show it."""

    def __init__(
        self,
        consumers: Iterable[Consumer],
        *,
        seed: int = 0,
        life: float = TOKEN_LIFE,
        otp_life: float = OTP_LIFE,
        most_attempts: int = MOST_ATTEMPTS,
        on_code: Callable[[ShownCode], object] = lambda _code: None,
    ) -> None:
        self.consumers = {consumer.consumer_id: consumer for consumer in consumers}
        self._owners: dict[str, Consumer] = {}
        for consumer in self.consumers.values():
            for account in consumer.accounts:
                if self._owners.setdefault(account, consumer) is not consumer:
                    raise SettingError(f"account {account} belongs to two consumers")
        self.life = life
        self.otp_life = otp_life
        self.most_attempts = most_attempts
        self.shown: deque[ShownCode] = deque(maxlen=20)
        self._on_code = on_code
        self._random = Random(seed)  # noqa: S311  a sandbox is repeatable; the secrets below hold it together
        self._mark = self._random.randbytes(16)
        self._tags = {_tag(consumer.consumer_id): consumer for consumer in self.consumers.values()}
        self._proofs = {
            name: hashlib.sha256(self._mark + one.secret.reveal().encode()).digest()
            for name, one in self.consumers.items()
        }
        self._codes = {name: _Codes() for name in self.consumers}
        self._serial = 0
        self._floor = dict.fromkeys(self.consumers, 0)
        self._known: dict[str, Grant] = {}

    # Signing in

    def sign_in(
        self, consumer_id: str, secret: str, factor: str, code: str, *, save: bool, wall: float
    ) -> str:
        """A token. With `save` the code is checked and the token may place orders; else it may read.

        `factor` is 0 for a PIN and 1 for a one-time code.
        """
        consumer = self._consumer(consumer_id, secret)
        if factor not in ("", "0", "1"):
            raise Denied("Two factor type is not supported")
        if not save:
            return self._token(consumer, Scope.READ, wall)
        self.check_code(consumer, code, wall, TwoFactor.OTP if factor == "1" else TwoFactor.PIN)
        return self._token(consumer, Scope.WRITE, wall)

    def data_token(self, consumer_id: str, secret: str, wall: float) -> str:
        """A token for market data."""
        return self._token(self._consumer(consumer_id, secret), Scope.DATA, wall)

    def verified(self, grant: Grant, code: str, wall: float) -> str:
        """A token that may place orders, for the holder of a reading one who knows the code."""
        self.check_code(grant.consumer, code, wall)
        return self._token(grant.consumer, Scope.WRITE, wall)

    def send_code(self, consumer_id: str, secret: str, wall: float) -> None:
        """Make a one-time code and show it; an earlier one is void."""
        consumer = self._consumer(consumer_id, secret)
        codes = self._codes[consumer.consumer_id]
        codes.otp = f"{self._random.randrange(10**6):06d}"
        codes.otp_ends = wall + self.otp_life
        shown = ShownCode(wall, consumer.consumer_id, codes.otp)
        self.shown.append(shown)
        self._on_code(shown)

    def check_code(self, consumer: Consumer, code: str, wall: float, factor: TwoFactor | None = None) -> None:
        """Let a right code pass; without a `factor` either kind will do. A one-time code is spent by it."""
        codes = self._codes[consumer.consumer_id]
        name = (factor or TwoFactor.PIN).value
        if codes.locked:
            raise Denied(f"{name} is locked")
        if not code:
            raise Denied("'Code' must not be empty.")
        given = code.encode("utf-8", "replace")
        if factor is not TwoFactor.OTP and hmac.compare_digest(given, consumer.pin.reveal().encode()):
            codes.wrong = 0
            return
        current = codes.otp if wall < codes.otp_ends else ""
        if factor is not TwoFactor.PIN and current and hmac.compare_digest(given, current.encode()):
            codes.wrong, codes.otp = 0, ""
            return
        codes.wrong += 1
        codes.locked = codes.wrong >= self.most_attempts
        raise Denied(f"{name} is locked" if codes.locked else f"{name} is incorrect")

    def unlock(self, consumer_id: str) -> None:
        """Let codes be tried again."""
        codes = self._codes[consumer_id]
        codes.wrong, codes.locked = 0, False

    # Tokens

    def bearer(self, header: str, wall: float, scopes: frozenset[Scope] = ANY) -> Grant:
        """What the token in an Authorization header grants. Raises Denied with status 401."""
        if not header:
            raise Denied("Missing Authorization header", UNAUTHORISED)
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer":
            raise Denied("The connection is invalid", UNAUTHORISED)
        return self.grant(token.strip(), wall, scopes)

    def grant(self, token: str, wall: float, scopes: frozenset[Scope] = ANY) -> Grant:
        """What a token grants. Raises Denied with status 401 for none of ours, an ended or another one."""
        found = self._known.get(token)
        if found is None:
            found = self._read(token)
            if found is None:
                raise Denied("The connection is invalid", UNAUTHORISED)
            if len(self._known) >= _MOST_KNOWN_TOKENS:
                self._known.clear()
            self._known[token] = found
        ended = wall >= found.ends or found.serial <= self._floor[found.consumer.consumer_id]
        if ended or found.scope not in scopes:
            raise Denied("The connection is invalid", UNAUTHORISED)
        return found

    def expire(self, consumer_id: str | None = None) -> None:
        """End every token that was given so far: to one consumer, or to all."""
        for name in self.consumers if consumer_id is None else (consumer_id,):
            self._floor[name] = self._serial

    def owner(self, account: str) -> Consumer | None:
        """The consumer to whom an account belongs."""
        return self._owners.get(account)

    @staticmethod
    def signed(consumer: Consumer, body: bytes, signature: str) -> bool:
        """Whether `signature` (hex) is the consumer's over these bytes: RSASSA-PKCS1-v1_5, SHA-256."""
        try:
            consumer.key.verify(bytes.fromhex(signature), body, _PADDING, _HASH)
        except (ValueError, InvalidSignature):
            return False
        return True

    def _consumer(self, consumer_id: str, secret: str) -> Consumer:
        consumer = self.consumers.get(consumer_id)
        if consumer is None:
            raise Denied("ConsumerID is invalid", UNAUTHORISED)
        if consumer.secret != Secret(secret.encode("utf-8", "replace").decode()):
            raise Denied("Key does not exist.", UNAUTHORISED)
        return consumer

    def _token(self, consumer: Consumer, scope: Scope, wall: float) -> str:
        self._serial += 1
        claims = {
            "sub": _tag(consumer.consumer_id),
            "scope": scope.value,
            "jti": self._serial,
            "iat": int(wall),
            "exp": int(wall + self.life),
        }
        payload = _base64(json.dumps(claims, separators=(",", ":")).encode())
        return f"{_HEADER}.{payload}.{self._proof(consumer.consumer_id, payload)}"

    def _proof(self, consumer_id: str, payload: str) -> str:
        """As long as the signature of a 1024-bit key."""
        key, message = self._proofs[consumer_id], f"{_HEADER}.{payload}".encode()
        first = hmac.digest(key, message, "sha512")
        return _base64(first + hmac.digest(key, first, "sha512"))

    def _read(self, token: str) -> Grant | None:
        parts = token.split(".") if len(token) <= _LARGEST_TOKEN and token.isascii() else []
        if len(parts) != 3 or parts[0] != _HEADER:
            return None
        try:
            claims = json.loads(base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            consumer = self._tags[claims["sub"]]
            if not hmac.compare_digest(parts[2], self._proof(consumer.consumer_id, parts[1])):
                return None
            return Grant(consumer, Scope(claims["scope"]), claims["exp"], claims["jti"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def public_key(text: str) -> rsa.RSAPublicKey:
    """The public key in SSI's form (base64 of ``<RSAKeyValue>``). Raises CredentialError when it is none."""
    try:
        root = ET.fromstring(base64.b64decode(text, validate=True))  # noqa: S314  written by our own set-up
        modulus, exponent = (
            int.from_bytes(base64.b64decode(root.findtext(name) or ""), "big")
            for name in ("Modulus", "Exponent")
        )
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, ET.ParseError):
        raise CredentialError("the public key of a consumer is not in SSI's form") from None


def _tag(consumer_id: str) -> str:
    """Tells consumers apart in a token without showing their ids."""
    return hashlib.sha256(consumer_id.encode()).hexdigest()[:16]


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
