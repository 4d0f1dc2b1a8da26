"""Tokens, codes and signatures."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import CredentialError, SettingError
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment, read_token
from algo.sandbox.answers import Denied
from algo.sandbox.identity import Consumer, Identity, Scope, TwoFactor, public_key
from tests.sandbox.desk import KEY, OTHER_KEY, PIN, WALL, Client, consumers, service


def identity(**options) -> Identity:
    return Identity(consumers(2), seed=3, **options)


def read(found: Identity, wall: float = WALL) -> str:
    return found.sign_in("consumer-0", "planted-secret-0", "0", "1", save=False, wall=wall)


def write(found: Identity, code: str = PIN, factor: str = "0", wall: float = WALL) -> str:
    return found.sign_in("consumer-0", "planted-secret-0", factor, code, save=True, wall=wall)


def test_the_code_of_a_reading_token_is_not_looked_at() -> None:
    found = identity()
    for code in ("", "1", "wrong", PIN):
        token = found.sign_in("consumer-0", "planted-secret-0", "0", code, save=False, wall=WALL)
        assert found.grant(token, WALL).scope is Scope.READ
    assert found.grant(write(found), WALL).scope is Scope.WRITE


@given(st.floats(0, 4e9), st.sampled_from([60.0, 3600.0, 8 * 3600.0]))
def test_a_token_is_one_that_every_client_can_read(wall: float, life: float) -> None:
    found = identity(life=life)
    token = read(found, wall)
    header, payload, signature = token.split(".")
    assert not set(payload) & set("-_="), "the official Python client decodes it with the standard alphabet"
    claims = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True))
    assert type(claims["exp"]) is int
    assert claims["exp"] == int(wall + life)
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "RS256"
    assert len(base64.urlsafe_b64decode(signature + "==")) == 128
    ours = read_token(token, Moment(wall, 0.0))
    assert ours is not None
    assert ours.ends_wall == pytest.approx(claims["exp"])


@given(st.floats(1, 1e9))
def test_a_token_ends_by_the_wall_clock(life: float) -> None:
    found = identity(life=life)
    token = read(found)
    ends = int(WALL + life)
    if ends > WALL:
        found.grant(token, min(WALL, ends - 1))
    with pytest.raises(Denied) as denied:
        found.grant(token, ends)
    assert denied.value.status == 401


@given(st.data())
def test_a_token_that_was_altered_is_none(data) -> None:
    found = identity()
    token = read(found)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_.+/=é"))
    altered = token[:place] + letter + token[place + 1 :]
    if altered == token:
        return
    # The last character of a part holds bits that base64 throws away; the text must match all the same.
    with pytest.raises(Denied):
        found.grant(altered, WALL)


@given(st.text(max_size=300))
def test_rubbish_is_no_token(token: str) -> None:
    with pytest.raises(Denied):
        identity().grant(token, WALL)


def test_a_token_of_another_sandbox_is_none() -> None:
    token = read(Identity(consumers(), seed=1))
    with pytest.raises(Denied):
        Identity(consumers(), seed=2).grant(token, WALL)
    assert Identity(consumers(), seed=1).grant(token, WALL), "the same sandbox, started again, knows it"


def test_tokens_can_be_made_to_expire() -> None:
    found = identity()
    old = read(found)
    other = found.sign_in("consumer-1", "planted-secret-1", "0", "", save=False, wall=WALL)
    found.expire("consumer-0")
    with pytest.raises(Denied):
        found.grant(old, WALL)
    assert found.grant(read(found), WALL)
    assert found.grant(other, WALL)
    found.expire()
    with pytest.raises(Denied):
        found.grant(other, WALL)


@pytest.mark.parametrize(
    ("consumer_id", "secret", "text"),
    [("nobody", "x", "ConsumerID is invalid"), ("consumer-0", "x", "Key does not exist.")],
)
def test_strangers_are_told_so(consumer_id: str, secret: str, text: str) -> None:
    with pytest.raises(Denied, match=text) as denied:
        identity().sign_in(consumer_id, secret, "0", PIN, save=True, wall=WALL)
    assert denied.value.status == 401


def test_a_code_is_locked_after_wrong_ones_and_can_be_unlocked() -> None:
    found = identity(most_attempts=3)
    for text in ("PIN is incorrect", "PIN is incorrect", "PIN is locked", "PIN is locked"):
        with pytest.raises(Denied, match=text):
            write(found, "000000")
    with pytest.raises(Denied, match="locked"):
        write(found)
    found.unlock("consumer-0")
    assert write(found)


def test_a_right_code_forgives_the_wrong_ones_before_it() -> None:
    found = identity(most_attempts=2)
    for _ in range(5):
        with pytest.raises(Denied, match="incorrect"):
            write(found, "000000")
        assert write(found)


def test_an_empty_code_is_no_attempt() -> None:
    found = identity(most_attempts=1)
    for _ in range(3):
        with pytest.raises(Denied, match="'Code' must not be empty"):
            write(found, "")
    assert write(found)


def test_a_one_time_code_is_shown_works_once_and_expires() -> None:
    shown = []
    found = identity(otp_life=60.0, on_code=shown.append)
    with pytest.raises(Denied, match="OTP is incorrect"):
        write(found, "000000", factor="1")
    found.send_code("consumer-0", "planted-secret-0", WALL)
    code = shown[-1].code
    assert found.shown[-1].code == code
    assert len(code) == 6
    with pytest.raises(Denied, match="PIN is incorrect"):
        write(found, code)
    assert write(found, code, factor="1")
    with pytest.raises(Denied, match="OTP is incorrect"):
        write(found, code, factor="1")
    found.send_code("consumer-0", "planted-secret-0", WALL)
    first = shown[-1].code
    found.send_code("consumer-0", "planted-secret-0", WALL)
    if shown[-1].code != first:
        with pytest.raises(Denied):
            write(found, first, factor="1")
    with pytest.raises(Denied):
        write(found, shown[-1].code, factor="1", wall=WALL + 60.0)


def test_a_pin_is_no_one_time_code() -> None:
    with pytest.raises(Denied, match="OTP is incorrect"):
        write(identity(), PIN, factor="1")


@given(st.binary(max_size=300), st.data())
def test_a_signature_holds_for_its_bytes_alone(body: bytes, data) -> None:
    person = consumers()[0]
    signature = KEY.sign(body)
    assert Identity.signed(person, body, signature)
    assert Identity.signed(person, body, signature.upper())
    assert not Identity.signed(person, body + b" ", signature)
    assert not Identity.signed(person, body, OTHER_KEY.sign(body))
    place = data.draw(st.integers(0, len(signature) - 1))
    letter = data.draw(st.sampled_from("0123456789abcdefxé "))
    altered = signature[:place] + letter + signature[place + 1 :]
    assert Identity.signed(person, body, altered) is (altered == signature)


@given(st.text(max_size=600))
def test_rubbish_is_no_signature(text: str) -> None:
    assert not Identity.signed(consumers()[0], b"{}", text)


def test_secrets_are_in_no_repr() -> None:
    found = repr(consumers()[0]) + repr(identity().__dict__["consumers"])
    assert "planted-secret" not in found
    assert PIN not in found


def test_an_account_has_one_owner() -> None:
    first, second = consumers(2)
    with pytest.raises(SettingError, match="two consumers"):
        Identity([first, Consumer("x", Secret("s"), second.key, Secret("1"), first.accounts)])


@pytest.mark.parametrize("text", ["", "x", "eA==", base64.b64encode(b"<RSAKeyValue/>").decode()])
def test_a_bad_public_key_is_one_clear_line(text: str) -> None:
    with pytest.raises(CredentialError, match="SSI's form"):
        public_key(text)


# Over HTTP


def test_the_answer_has_exactly_the_keys_that_clients_allow() -> None:
    client = Client(service())
    body = client.credentials | {"twoFactorType": 0, "code": "1", "isSave": False}
    found = client.answer(client.post("/api/v2/Trading/AccessToken", body))
    assert list(found) == ["message", "status", "data"]
    assert found["status"] == 200
    assert list(found["data"]) == ["accessToken"]


def test_signing_in_ignores_headers_that_an_official_client_leaves_there() -> None:
    client = Client(service())
    stale = {"authorization": "Bearer ended", "x-signature": "00ff"}
    body = json.dumps(client.credentials | {"twoFactorType": 0, "code": "1", "isSave": False}).encode()
    found = client.answer(client.send("POST", "/api/v2/Trading/AccessToken", body, stale))
    client.token = found["data"]["accessToken"]
    assert (
        client.answer(
            client.send(
                "GET", f"/api/v2/Trading/orderBook?account={client.equity}", b"", {"x-signature": "00ff"}
            )
        )["status"]
        == 200
    )


def test_the_dotnet_client_writes_names_in_its_own_case() -> None:
    client = Client(service())
    body = {f"{name[0].upper()}{name[1:]}": value for name, value in client.credentials.items()}
    body |= {"TwoFactorType": "0", "Code": PIN, "IsSave": "True"}
    assert client.answer(client.post("//api/v2/trading/ACCESSTOKEN", body))["status"] == 200


def test_an_otp_by_http() -> None:
    client = Client(service())
    found = client.post("/api/v2/Trading/GetOTP", client.credentials)
    assert found.body == b'{"message":"Success","status":200}'
    code = client.service.identity.shown[-1].code
    assert client.sign_in(code, factor=1)


def test_verify_code_gives_a_bare_token() -> None:
    client = Client(service())
    client.sign_in("1", save=False)
    answer = client.post("/api/v2/Trading/verifyCode", {"code": PIN})
    assert answer.content_type.startswith("text/plain")
    assert client.service.identity.grant(answer.body.decode(), WALL).scope is Scope.WRITE


def test_the_kind_of_code_is_checked_when_it_is_named() -> None:
    found = identity()
    found.check_code(found.consumers["consumer-0"], PIN, WALL)
    with pytest.raises(Denied):
        found.check_code(found.consumers["consumer-0"], PIN, WALL, TwoFactor.OTP)
