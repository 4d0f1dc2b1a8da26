import base64
import contextlib
import io
import re

import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from hypothesis import given, settings
from hypothesis import strategies as st
from ssi_fctrading.core.core_crypto import core_crypto

from algo.brokers.fctrading.signing import SigningKey, check, generate, parse_key
from algo.errors import CredentialError
from algo.fastconnect.secret import Secret


def xml(key: SigningKey) -> str:
    return base64.b64decode(key.private_text().reveal()).decode()


def elements(text: str) -> dict[str, str]:
    return dict(re.findall(r"<(\w+)>([^<]+)</\1>", text.split(">", 1)[1]))


def written(values: dict[str, str]) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return base64.b64encode(f"<RSAKeyValue>{inner}</RSAKeyValue>".encode()).decode()


def public(key: SigningKey) -> RSA.RsaKey:
    values = elements(base64.b64decode(key.public_text()).decode())
    return RSA.construct(
        tuple(int.from_bytes(base64.b64decode(values[name]), "big") for name in ("Modulus", "Exponent"))
    )


@given(st.binary(max_size=2000))
def test_an_independent_library_verifies_the_signature(key: SigningKey, body: bytes) -> None:
    signature = key.sign(body)
    assert re.fullmatch("[0-9a-f]{256}", signature)
    pkcs1_15.new(public(key)).verify(SHA256.new(body), bytes.fromhex(signature))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
@settings(max_examples=30)
def test_the_official_client_signs_the_same(key: SigningKey, text: str) -> None:
    theirs = core_crypto.getRSAKey(key.private_text().reveal())
    with contextlib.redirect_stdout(io.StringIO()):
        assert core_crypto.sign(text, theirs) == key.sign(text.encode())


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_key_survives_its_own_text(bits: int) -> None:
    made = generate(bits)
    text = made.private_text().reveal()
    assert check(text).good
    assert check(text).bits == bits
    again = parse_key(Secret(text))
    assert again.sign(b"x") == made.sign(b"x")
    assert again.private_text() == made.private_text()


@pytest.mark.parametrize(
    "keep",
    [("Modulus", "Exponent", "D"), ("Modulus", "Exponent", "D", "P", "Q")],
)
def test_what_other_clients_leave_out_is_worked_out(key: SigningKey, keep: tuple[str, ...]) -> None:
    values = {name: value for name, value in elements(xml(key)).items() if name in keep}
    assert parse_key(written(values)).sign(b"x") == key.sign(b"x")
    assert check(written(values)).notes


def test_raw_xml_and_broken_lines_are_read(key: SigningKey) -> None:
    text = key.private_text().reveal()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    for form in (xml(key), "\ufeff" + text + "\n", lines, xml(key).replace("><", ">\n  <")):
        assert parse_key(form).sign(b"x") == key.sign(b"x")


def broken_forms(key: SigningKey) -> dict[str, str]:
    text, values = key.private_text().reveal(), elements(xml(key))
    other = elements(xml(generate()))
    return {
        "": "empty",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIC": "PEM",
        text[:200] + "!" + text[200:]: "base64",
        text[: len(text) // 8 * 4]: "cut off",
        base64.b64encode(b"hello").decode(): "RSAKeyValue",
        base64.b64encode(b"\xff\xfe").decode(): "text",
        base64.b64encode(b"<!DOCTYPE x [<!ENTITY a 'b'>]><RSAKeyValue/>").decode(): "RSAKeyValue",
        base64.b64encode(b"<Other/>").decode(): "not <RSAKeyValue>",
        key.public_text(): "public key",
        written({"Modulus": values["Modulus"]}): "Exponent",
        written(values | {"D": "@@@"}): "'D'",
        written(values | {"D": other["D"]}): "belong together",
        written(values | {"P": other["P"]}): "belong together",
        written(values | {"InverseQ": other["InverseQ"]}): "belong together",
        written(values | {"Modulus": values["Modulus"][:40]}): "too few",
        "A" * 100_000: "too long",
    }


def test_each_broken_key_is_diagnosed_without_showing_it(key: SigningKey) -> None:
    private = elements(xml(key))
    for text, words in broken_forms(key).items():
        report = check(text)
        assert not report.good
        assert words in report.problems[0], (words, report)
        with pytest.raises(CredentialError) as caught:
            parse_key(text)
        assert words in str(caught.value)
        shown = repr(report) + str(caught.value) + repr(caught.value.__cause__)
        assert not any(value[:20] in shown for name, value in private.items() if name != "Exponent")


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_rubbish_is_refused_with_our_error_only(text: str) -> None:
    with pytest.raises(CredentialError):
        parse_key(text)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_key_never_signs_wrongly(key: SigningKey, data: st.DataObject) -> None:
    """A key with one character changed is either refused, or signs as its own public half verifies."""
    text = xml(key)
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.sampled_from("ABab09+/=<>&")) + text[place + 1 :]
    try:
        parsed = parse_key(damaged)
    except CredentialError:
        return
    pkcs1_15.new(public(parsed)).verify(SHA256.new(b"x"), bytes.fromhex(parsed.sign(b"x")))


@pytest.mark.parametrize("bits", [0, 512, 100_000])
def test_impossible_sizes_are_refused(bits: int) -> None:
    with pytest.raises(CredentialError):
        generate(bits)
