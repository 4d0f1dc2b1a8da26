"""A key, credentials and a TLS authority, made once."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
import trustme

from algo.brokers.fctrading.credentials import Accounts, Credentials
from algo.brokers.fctrading.signing import SigningKey, generate
from algo.fastconnect.addresses import Endpoints
from algo.fastconnect.secret import Secret

SAMPLES = Path(__file__).with_name("samples.json")


@pytest.fixture(scope="session")
def samples() -> dict:
    return json.loads(SAMPLES.read_text())


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return generate()


@pytest.fixture
def credentials(key: SigningKey) -> Credentials:
    return make_credentials(key)


def make_credentials(key: SigningKey, url: str = "http://127.0.0.1:1", **changes: object) -> Credentials:
    values: dict = {
        "consumer_id": Secret("planted-consumer-id"),
        "consumer_secret": Secret("planted-consumer-secret"),
        "key": key,
        "accounts": Accounts("0901351", "0901358"),
        "endpoints": Endpoints(url, url, url, url),
        "device_id": "AA:BB:CC:DD:EE:FF",
    }
    return Credentials(**(values | changes))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    return server_context(authority, "localhost")


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
