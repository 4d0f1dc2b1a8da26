"""The HTTP seam: prepared requests, contexts that verify, and errors that are all translated."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpcore
import httpx
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import CredentialError, QueryFailed, RequestNotSent, RequestUnknown
from algo.fastconnect.transport import FOREIGN, Form, open_client, translate, trust

CONTEXT = trust()
TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)


@given(
    base=st.sampled_from(["https://a.example", "https://a.example:8443/base/", "http://127.0.0.1:8000"]),
    body=st.binary(max_size=2000),
    token=TOKENS,
    cookie=st.none() | st.sampled_from(["c1", "c2"]),
)
def test_a_form_sends_what_the_client_itself_would(
    base: str, body: bytes, token: str, cookie: str | None
) -> None:
    client = open_client(base, CONTEXT)
    form = Form(client, "/api/v2/Trading/NewOrder")
    if cookie is not None:  # set by an answer, after the form was made
        client.cookies.set("affinity", cookie, domain=httpx.URL(base).host.replace("127.0.0.1", ""))
    headers = {"Authorization": f"Bearer {token}", "X-Signature": "ab"}
    mine = form.request(body, headers, {"trace": None})
    theirs = client.build_request(
        "POST",
        "/api/v2/Trading/NewOrder",
        content=body,
        headers={"Content-Type": "application/json"} | headers,
    )
    assert (mine.method, mine.url) == (theirs.method, theirs.url)
    lower = [sorted((key.lower(), value) for key, value in one.headers.raw) for one in (mine, theirs)]
    assert lower[0] == lower[1]
    assert cookie is None or mine.headers["Cookie"] == f"affinity={cookie}"
    assert mine.read() == theirs.content == body
    assert "trace" in mine.extensions


# Trust


def test_a_useless_authority_is_said(tmp_path: Path) -> None:
    for content in (None, b"", b"rubbish"):
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CredentialError, match=r"ca\.pem"):
            trust(path)


def test_every_context_verifies(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for context in (trust(), trust(tmp_path / "ca.pem")):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


# The one place of translation


def all_foreign_errors() -> list[Exception]:
    found: list[Exception] = []
    request = httpx.Request("GET", "http://x")
    for module in (httpx, httpcore):
        for kind in vars(module).values():
            if not (isinstance(kind, type) and issubclass(kind, Exception)):
                continue
            for arguments in (("boom",), ("boom", request), ()):
                try:
                    found.append(kind(*arguments))
                    break
                except TypeError:
                    continue
            else:
                found.append(kind("boom", request=request, response=httpx.Response(500, request=request)))
    return found


def test_the_translation_is_total() -> None:
    errors = [error for error in all_foreign_errors() if type(error).__module__.startswith("httpx")]
    assert len(errors) >= 25
    for error in [*errors, OSError("x"), TimeoutError(), ssl.SSLError("x"), ConnectionResetError()]:
        assert isinstance(error, FOREIGN), type(error)
        assert isinstance(translate(error, changes=False), QueryFailed)
        sent = translate(error, changes=True, sent=True)
        assert isinstance(sent, RequestUnknown), "what was sent may stand"
        assert isinstance(translate(error, changes=True, sent=False), RequestNotSent | RequestUnknown)
    for error in (httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), TimeoutError()):
        assert isinstance(translate(error, changes=True, sent=False), RequestNotSent)
    for error in (httpx.ReadTimeout("x"), httpx.WriteError("x"), httpx.RemoteProtocolError("x")):
        assert isinstance(translate(error, changes=True, sent=False), RequestUnknown)
