"""The HTTP seam: a request put together from prepared parts is the one that the client would build."""

from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st

from algo.fastconnect.transport import Form, open_client, trust

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
