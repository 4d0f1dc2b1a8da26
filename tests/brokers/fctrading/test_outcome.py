import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.fctrading.outcome import Fate, judge, quota_rule
from tests.brokers.fctrading.stub import envelope

OK = envelope({"requestID": "1"}).body
TEXT_429 = b"API calls quota exceeded! maximum admitted 5 per 1 s"


def refusal(status: int, message: str = "x") -> bytes:
    return envelope(None, status, message).body


@pytest.mark.parametrize(
    ("http", "body", "fate"),
    [
        (200, OK, Fate.RECEIVED),
        (200, envelope(None, 200).body, Fate.RECEIVED),
        (200, refusal(400), Fate.REFUSED),
        (200, refusal(401), Fate.REFUSED),
        (400, refusal(400), Fate.REFUSED),
        (429, refusal(429), Fate.REFUSED),
        # A status without our envelope proves nothing, nor does an envelope that contradicts its HTTP status.
        (400, b"Bad Request", Fate.UNKNOWN),
        (401, b"", Fate.UNKNOWN),
        (403, b"<html>Forbidden</html>", Fate.UNKNOWN),
        (404, b'{"message":"no Route matched with those values"}', Fate.UNKNOWN),
        (429, TEXT_429, Fate.UNKNOWN),
        (200, TEXT_429, Fate.UNKNOWN),
        (400, OK, Fate.UNKNOWN),
        (500, OK, Fate.UNKNOWN),
        (502, refusal(400), Fate.UNKNOWN),
        (302, refusal(400), Fate.UNKNOWN),
        (200, refusal(500), Fate.UNKNOWN),
        (200, refusal(0), Fate.UNKNOWN),
        (200, refusal(201), Fate.UNKNOWN),
        (500, b"Internal Server Error", Fate.UNKNOWN),
        (200, OK[:-3], Fate.UNKNOWN),
        (200, b"", Fate.UNKNOWN),
        (204, b"", Fate.UNKNOWN),
    ],
)
def test_only_our_envelope_proves_anything(http: int, body: bytes, fate: Fate) -> None:
    assert judge(http, body).fate is fate


@given(st.integers(100, 599), st.binary() | st.builds(refusal, st.integers(-5, 700), st.text()))
def test_no_answer_raises_and_received_is_never_guessed(http: int, body: bytes) -> None:
    found = judge(http, body)
    assert "\n" not in found.text
    if found.fate in {Fate.RECEIVED, Fate.REFUSED}:
        status = int(json.loads(body)["status"])
        assert (found.fate is Fate.RECEIVED) == (status == 200)
        assert found.fate is Fate.RECEIVED or 400 <= status < 500


@given(st.integers(0, len(OK) - 1))
def test_a_cut_answer_is_unknown(end: int) -> None:
    assert judge(200, OK[:end]).fate is Fate.UNKNOWN


def test_it_reads_what_the_broker_said() -> None:
    found = judge(200, refusal(400, "ORD003 price\n above ceiling"))
    assert (found.code, found.status, found.text) == ("ORD003", 400, "ORD003 price above ceiling")
    assert judge(200, OK).data == {"requestID": "1"}
    assert judge(401, b"").unauthorised
    assert judge(200, refusal(401)).unauthorised
    assert not judge(200, OK).unauthorised


@pytest.mark.parametrize(
    ("http", "body", "header", "wait"),
    [
        (429, TEXT_429, None, 1.0),
        (429, TEXT_429, "3", 3.0),
        (429, b"", "0", 0.1),
        (429, b"", "Wed, 21 Oct 2026 07:28:00 GMT", 1.0),
        (429, b"", "999999", 60.0),
        (429, b"", "-5", 1.0),
        (200, refusal(429), "2", 2.0),
        (200, OK, "2", None),
        (503, b"", "2", None),
    ],
)
def test_how_long_to_wait(http: int, body: bytes, header: str | None, wait: float | None) -> None:
    assert judge(http, body, header).retry_after == wait


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (TEXT_429.decode(), (5, 1.0)),
        ("API calls quota exceeded! maximum admitted 30 per 5s.", (30, 5.0)),
        ("API calls quota exceeded! maximum admitted 100 per Minute.", (100, 60.0)),
        ("API calls quota exceeded! maximum admitted 0 per 1 s", None),
        ("slow down", None),
    ],
)
def test_what_a_429_tells_of_the_limit(text: str, rule: tuple | None) -> None:
    assert quota_rule(text) == rule
