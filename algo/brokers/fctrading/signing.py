"""Signing keys in SSI's form, and the signature over a request body.

SSI hands out a private key as base64 of the .NET XML form ``<RSAKeyValue>`` whose elements are big-endian
integers in base64. A signed request carries ``X-Signature``: RSASSA-PKCS1-v1_5 over SHA-256 of the exact
bytes of the body, as lower-case hex (FastConnect Trading API specification, "Signature").
"""

from __future__ import annotations

import base64
import binascii
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from algo.errors import CredentialError
from algo.fastconnect.secret import Secret

SMALLEST_KEY = 1024
_LARGEST_TEXT = 64 * 1024
_PRIVATE = ("D", "P", "Q")
_DERIVED = ("DP", "DQ", "InverseQ")
_PADDING = padding.PKCS1v15()
_HASH = hashes.SHA256()


class SigningKey:
    """A private key, parsed once. Its repr shows the size only."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key

    @property
    def bits(self) -> int:
        """Size of the modulus. SSI issues 1024."""
        return self._key.key_size

    def sign(self, body: bytes) -> str:
        """The value of ``X-Signature`` for exactly these bytes: lower-case hex, `bits` / 4 characters."""
        return self._key.sign(body, _PADDING, _HASH).hex()

    def public_text(self) -> str:
        """The public half in SSI's form, which may be shown."""
        public = self._key.public_key().public_numbers()
        return _encode({"Modulus": public.n, "Exponent": public.e})

    def private_text(self) -> Secret:
        """The private key in SSI's form, all eight elements, as the official clients need them."""
        private = self._key.private_numbers()
        public = private.public_numbers
        values = {"Modulus": public.n, "Exponent": public.e, "P": private.p, "Q": private.q}
        values |= {"DP": private.dmp1, "DQ": private.dmq1, "InverseQ": private.iqmp, "D": private.d}
        return Secret(_encode(values))

    def __repr__(self) -> str:
        return f"SigningKey({self.bits} bits)"


@dataclass(frozen=True)
class KeyReport:
    """What `check` found out about a key: `problems` is empty when it can sign. Never holds key material."""

    bits: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the key can sign."""
        return not self.problems


def generate(bits: int = SMALLEST_KEY) -> SigningKey:
    """A new key pair for the sandbox and for tests; SSI's own keys come from its web page."""
    if not SMALLEST_KEY <= bits <= 8192:
        raise CredentialError(f"a key of {bits} bits cannot be made: choose 1024 to 8192")
    return SigningKey(rsa.generate_private_key(public_exponent=65537, key_size=bits))


def parse_key(text: Secret | str) -> SigningKey:
    """The signing key in `text`. Raises CredentialError that says what is wrong, never showing the key."""
    values, problem = _read(text.reveal() if isinstance(text, Secret) else text)
    if not problem:
        problem = _missing(values)
    if problem:
        raise CredentialError(f"the private key cannot be used: {problem}")
    return SigningKey(_build(values))


def check(text: Secret | str) -> KeyReport:
    """What is wrong with a key in SSI's form, each problem a line that says what to do."""
    values, problem = _read(text.reveal() if isinstance(text, Secret) else text)
    bits = values.get("Modulus", 0).bit_length()
    problem = problem or _missing(values)
    if problem:
        return KeyReport(bits, (problem,))
    try:
        _build(values)
    except CredentialError as error:
        return KeyReport(bits, (str(error).removeprefix("the private key cannot be used: "),))
    absent = [name for name in _DERIVED if name not in values]
    notes = (f"{', '.join(absent)} missing: algo works them out, other clients may not",) if absent else ()
    return KeyReport(bits, (), notes)


def _read(text: str) -> tuple[dict[str, int], str]:
    """The integers of the XML form, and what is wrong with the text ('' when nothing is)."""
    text = text.strip().removeprefix("\ufeff").strip()
    if not text:
        return {}, "it is empty"
    if len(text) > _LARGEST_TEXT:
        return {}, "it is far too long to be a key"
    if "-----BEGIN" in text:
        return {}, "it is in PEM form; SSI's form is base64 of <RSAKeyValue> XML"
    xml = text
    if not text.startswith("<"):
        try:
            raw = base64.b64decode(re.sub(r"\s+", "", text), validate=True)
        except (binascii.Error, ValueError):
            return {}, "it is not base64: copy it whole, without quotes or line numbers"
        try:
            xml = raw.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            return {}, "its base64 does not hold text; SSI's form is base64 of <RSAKeyValue> XML"
    if not xml.startswith("<") or "<!" in xml:
        return {}, "its base64 does not hold <RSAKeyValue> XML"
    try:
        root = ET.fromstring(xml)  # noqa: S314  the person's own key; declarations are refused above
    except ET.ParseError:
        return {}, "its XML is cut off or damaged: copy the key whole"
    if root.tag != "RSAKeyValue":
        return {}, "its XML is not <RSAKeyValue>"
    values: dict[str, int] = {}
    for element in root:
        name = element.tag
        try:
            number = base64.b64decode("".join((element.text or "").split()), validate=True)
        except (binascii.Error, ValueError):
            return values, f"its element {name[:20]!r} is not base64"
        if number:
            values[name] = int.from_bytes(number, "big")
    return values, ""


def _missing(values: dict[str, int]) -> str:
    if "Modulus" not in values or "Exponent" not in values:
        return "its Modulus or Exponent is missing"
    if "D" not in values:
        return "it is the public key; give the private one (it has a D element)"
    if values["Modulus"].bit_length() < SMALLEST_KEY:
        return f"it has {values['Modulus'].bit_length()} bits, too few: {SMALLEST_KEY} at least"
    return ""


def _build(values: dict[str, int]) -> rsa.RSAPrivateKey:
    """The key of these integers. P, Q and what derives from them are worked out where they are absent."""
    n, e, d = values["Modulus"], values["Exponent"], values["D"]
    try:
        if "P" in values and "Q" in values:
            p, q = values["P"], values["Q"]
        else:
            p, q = rsa.rsa_recover_prime_factors(n, e, d)
        numbers = rsa.RSAPrivateNumbers(
            p=p,
            q=q,
            d=d,
            dmp1=values.get("DP") or rsa.rsa_crt_dmp1(d, p),
            dmq1=values.get("DQ") or rsa.rsa_crt_dmq1(d, q),
            iqmp=values.get("InverseQ") or rsa.rsa_crt_iqmp(p, q),
            public_numbers=rsa.RSAPublicNumbers(e, n),
        )
        key = numbers.private_key()
        signature = key.sign(b"algo", _PADDING, _HASH)
        key.public_key().verify(signature, b"algo", _PADDING, _HASH)
    except Exception:  # noqa: BLE001  the library's texts may hold numbers of the key
        raise CredentialError(
            "the private key cannot be used: its numbers do not belong together; copy the key whole"
        ) from None
    return key


def _encode(values: dict[str, int]) -> str:
    def number(value: int) -> str:
        return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()

    inner = "".join(f"<{name}>{number(value)}</{name}>" for name, value in values.items())
    return base64.b64encode(f"<RSAKeyValue>{inner}</RSAKeyValue>".encode()).decode()
