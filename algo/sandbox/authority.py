"""A certificate authority of the sandbox's own, so that clients verify TLS to it as they do to SSI.

Made anew at every start and worth nothing elsewhere: its key is never written, and what it signs is this
machine's loopback names alone, by a name constraint that clients check.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=30)
_CLOCK_SKEW = timedelta(days=1)
"""How far behind a client's clock may be and still find the certificates valid."""


class Authority:
    """Signs one server certificate for 127.0.0.1, ::1 and localhost. `certificate` is PEM, for clients."""

    def __init__(self, now: datetime | None = None) -> None:
        began = (now or datetime.now(UTC)) - _CLOCK_SKEW
        key, name = ec.generate_private_key(ec.SECP256R1()), _name("algo sandbox authority")
        authority = (
            _builder(name, name, key.public_key(), began)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.NameConstraints(_CONSTRAINED, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        server_key = ec.generate_private_key(ec.SECP256R1())
        server = (
            _builder(_name("algo sandbox"), name, server_key.public_key(), began)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(server_key.public_key()), False)
            .sign(key, hashes.SHA256())
        )
        self.certificate: bytes = authority.public_bytes(serialization.Encoding.PEM)
        self._chain = server.public_bytes(serialization.Encoding.PEM)
        self._key = server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def context(self) -> ssl.SSLContext:
        """What a server needs to prove that it is one of these names."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        # The library reads certificates from files alone; the folder is ours (0700) and gone at once.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "server.pem"
            path.write_bytes(self._key + self._chain)
            context.load_cert_chain(path)
        return context


_LOOPBACK = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
_NAMES: list[x509.GeneralName] = [x509.DNSName("localhost"), *map(x509.IPAddress, _LOOPBACK)]
_CONSTRAINED: list[x509.GeneralName] = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
    x509.IPAddress(ipaddress.ip_network("::1/128")),
]


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, began: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + _CLOCK_SKEW + _LIFE)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
