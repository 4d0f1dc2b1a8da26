import json
import os
import subprocess
from pathlib import Path

import pytest

from algo.brokers.fctrading.credentials import (
    Credentials,
    TwoFactor,
    load_credentials,
    machine_device_id,
    read_file,
)
from algo.brokers.fctrading.endpoints import ALLOWED, Kind
from algo.brokers.fctrading.signing import SigningKey
from algo.errors import CredentialError
from algo.fastconnect.addresses import Endpoints

SANDBOX = {
    "url": "http://127.0.0.1:8000",
    "stream_url": "http://localhost:8000/",
    "data_url": "http://[::1]:8000",
    "data_stream_url": "https://example.com",
    "consumer_id": "planted-id",
    "consumer_secret": "planted-secret",
    "pin": "123456",
    "accounts": {"equity": "0901351", "derivatives": "0901358"},
    "symbols": [{"symbol": "FPT", "board": "HOSE", "reference": 98500}],
}


@pytest.fixture
def document(key: SigningKey) -> dict:
    return SANDBOX | {"private_key": key.private_text().reveal()}


def written(path: Path, document: object, mode: int = 0o600) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(mode)
    return path


def test_the_sandbox_file_is_all_that_is_needed(tmp_path: Path, document: dict) -> None:
    found = read_file(written(tmp_path / "c.json", document | {"ca_file": "ca.pem"}))
    assert found.consumer_secret.reveal() == "planted-secret"
    assert found.pin is not None
    assert found.pin.reveal() == "123456"
    assert found.accounts.derivatives == "0901358"
    assert found.endpoints.stream_url == "http://localhost:8000"
    assert found.ca_file == tmp_path / "ca.pem"
    assert found.two_factor is TwoFactor.PIN
    assert found.device_id == machine_device_id()


def test_toml_reads_the_same(tmp_path: Path, document: dict) -> None:
    lines = [f'{name} = "{value}"' for name, value in document.items() if isinstance(value, str)]
    text = "\n".join([*lines, 'two_factor = "smart_otp"', "[accounts]", 'equity = "0901351"'])
    found = read_file(written(tmp_path / "c.toml", text))
    assert found.two_factor is TwoFactor.SMART_OTP
    assert found.two_factor.wire == 1
    assert found.accounts.equity == "0901351"


def test_without_addresses_it_is_production(tmp_path: Path, document: dict) -> None:
    for name in ("url", "stream_url", "data_url", "data_stream_url"):
        del document[name]
    found = read_file(written(tmp_path / "c.json", document))
    assert found.endpoints == Endpoints()
    assert found.endpoints.url == "https://fc-tradeapi.ssi.com.vn"


def test_nothing_shows_a_secret(tmp_path: Path, document: dict) -> None:
    found = read_file(written(tmp_path / "c.json", document))
    shown = repr(found) + str(found) + f"{found}" + found.fingerprint
    for secret in ("planted", "123456", document["private_key"][100:140]):
        assert secret not in shown


@pytest.mark.skipif(os.name != "posix", reason="file modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o777, 0o610])
def test_a_loose_mode_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, document: dict, mode: int
) -> None:
    path = written(tmp_path / "my creds.json", document, mode)
    with pytest.raises(CredentialError) as caught:
        read_file(path)
    command = str(caught.value).split("run: ")[1]
    subprocess.run(command, shell=True, check=True)
    assert isinstance(read_file(path), Credentials)


def test_every_mistake_is_told_in_one_line_without_its_value(tmp_path: Path, document: dict) -> None:
    mistakes = [
        ('{"consumer_secret": "planted-secret", ', "JSON"),
        ('{"consumer_secret": planted-secret}', "line 1"),
        ("[1, 2]", "JSON"),
        ("[" * 100_000, "JSON"),
        (document | {"consumer_secret": None}, "lacks consumer_secret"),
        (document | {"consumer_secret": ""}, "lacks consumer_secret"),
        (document | {"consumer_secret": 5}, "consumer_secret must be text"),
        (document | {"private_key": "planted-secret"}, "private key"),
        (document | {"accounts": None}, "names no account"),
        (document | {"accounts": []}, "accounts must be like"),
        (document | {"accounts": {"equty": "1"}}, "equty"),
        (document | {"accounts": {"equity": "../planted-secret"}}, "letters and digits"),
        (document | {"two_factor": "sms"}, "two_factor must be"),
        (document | {"two_facter": "otp"}, "did you mean 'two_factor'"),
        (document | {"stream_url": None}, "lacks stream_url"),
        (document | {"url": "http://example.com"}, "https"),
        (document | {"url": "ftp://127.0.0.1"}, "not a URL"),
        (document | {"url": "https://u:planted-secret@example.com"}, "plain URL"),
        (document | {"url": "http://127.0.0.1.example.com"}, "https"),
        (document | {"url": "https://[::1"}, "not a URL"),
        (document | {"url": "https://h:99999"}, "not a URL"),
    ]
    for given, words in mistakes:
        with pytest.raises(CredentialError) as caught:
            read_file(written(tmp_path / "c.json", given))
        text = str(caught.value)
        assert words in text, (words, text)
        assert "\n" not in text
        assert "planted" not in text + repr(caught.value.__cause__)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
    with pytest.raises(CredentialError, match="line 2, column"):
        read_file(written(tmp_path / "c.toml", 'a = "x"\nconsumer_secret = planted-secret'))
    for path, words in [(tmp_path / "absent.json", "cannot be read"), (tmp_path, "cannot be read")]:
        with pytest.raises(CredentialError, match=words):
            read_file(path)
    with pytest.raises(CredentialError, match="UTF-8"):
        path = tmp_path / "c.json"
        path.write_bytes(b"\xff\xfe\x00")
        read_file(path)
    with pytest.raises(CredentialError, match="too large"):
        read_file(written(tmp_path / "c.json", " " * 300_000))


def test_environment_and_keyring_fill_each_other(document: dict) -> None:
    environment = {
        "ALGO_CONSUMER_ID": "from-env",
        "ALGO_ACCOUNT_EQUITY": "0901351",
        "ALGO_DEVICE_ID": "x:y",
        "ALGO_CREDENTIALS": "",
    }
    kept = {"consumer_id": "from-keyring", "consumer_secret": "kept", "private_key": document["private_key"]}
    asked = []

    def keyring(service: str, name: str) -> str | None:
        asked.append(service)
        return kept.get(name)

    found = load_credentials(environment=environment, keyring=keyring)
    assert found.consumer_id.reveal() == "from-env"
    assert found.consumer_secret.reveal() == "kept"
    assert found.accounts.equity == "0901351"
    assert found.device_id == "x:y"
    assert set(asked) == {"algo"}


def test_a_file_is_used_whole_and_alone(tmp_path: Path, document: dict) -> None:
    path = written(tmp_path / "c.json", document)
    environment = {"ALGO_CREDENTIALS": str(path), "ALGO_CONSUMER_ID": "other", "ALGO_URL": "https://x"}
    for found in (
        load_credentials(environment=environment, keyring=lambda *_: "other"),
        load_credentials(path, {}, keyring=lambda *_: "other"),
    ):
        assert found.consumer_id.reveal() == "planted-id"
        assert found.endpoints.url == "http://127.0.0.1:8000"


def test_nothing_at_all_says_what_to_give() -> None:
    def no_keyring(*_: str) -> str:
        raise RuntimeError("no backend")

    with pytest.raises(CredentialError, match="ALGO_CREDENTIALS"):
        load_credentials(environment={}, keyring=no_keyring)


def test_fingerprints_tell_addresses_and_people_apart(tmp_path: Path, document: dict) -> None:
    files = [document, document | {"consumer_id": "b"}, document | {"url": "https://other"}]
    found = [read_file(written(tmp_path / f"{i}.json", file)).fingerprint for i, file in enumerate(files)]
    assert len(set(found)) == 3


def test_device_id_is_a_mac_and_stable() -> None:
    first = machine_device_id()
    assert len(bytes.fromhex(first.replace(":", ""))) == 6
    assert first == machine_device_id()


def test_transfers_are_not_on_the_list() -> None:
    paths = {endpoint.path.lower() for endpoint in ALLOWED}
    for forbidden in ("cash/vsdcashdw", "cash/transferinternal", "stock/transfer"):
        assert not any(path.endswith(forbidden) for path in paths)
    posts = {endpoint.path for endpoint in ALLOWED if endpoint.method == "POST"}
    assert len(posts) == 10
    assert all(endpoint.method == "GET" for endpoint in ALLOWED if endpoint.kind is Kind.QUERY)
    assert len(ALLOWED) == 31
