"""The dispatcher: returns at once, delivers from its own threads, and tells of a channel on the others."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import pytest

from algo.alerts import Dispatcher, Notice
from algo.alerts.channels import Webhook
from algo.alerts.outbox import Outbox
from algo.errors import ChannelFailed
from algo.fastconnect.secret import Secret
from tests.alerts import listeners

SECRET = Secret("planted-secret-of-the-run")
QUICK = partial(Outbox, first=0.01, longest=0.02)


class Kept:
    """A channel that keeps what it gets, as long as it is open."""

    name = "kept"

    def __init__(self) -> None:
        self.found: list[Notice] = []
        self.open = threading.Event()
        self.open.set()
        self.some = threading.Event()
        self.closed = False

    def send(self, notices: Sequence[Notice]) -> None:
        self.open.wait(20)
        self.found += notices
        self.some.set()

    def close(self) -> None:
        self.closed = True

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.found]


class Broken(Kept):
    """A channel that fails, with an error of anybody's, until it is mended."""

    name = "broken"

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error
        self.tried = threading.Event()

    def send(self, notices: Sequence[Notice]) -> None:
        self.tried.set()
        if self.error is not None:
            raise self.error
        super().send(notices)


def test_what_waits_is_delivered_before_the_end() -> None:
    kept = Kept()
    with Dispatcher([kept]) as tell:
        tell.message(1, "sma", "hello")
        tell.alarm(2, "kill", "", "killed")
        for _ in range(5):
            tell.alarm(3, "kill", "", "killed")
    assert kept.closed
    assert ("hello", False) in {(one.text, one.urgent) for one in kept.found}
    assert sum(one.times for one in kept.found if one.text == "killed") == 6


def test_a_channel_that_hangs_holds_up_nobody() -> None:
    stuck, kept = Kept(), Kept()
    stuck.open.clear()
    tell = Dispatcher([stuck, kept])
    with tell:
        for number in range(1_000):
            tell.message(number, "sma", f"message {number % 7}")
        tell.alarm(5, "kill", "", "killed")
        assert kept.some.wait(20)
        tell.close(0.01)
        assert stuck.found == []
        stuck.open.set()


@pytest.mark.parametrize("error", [ChannelFailed("HTTP 500"), ZeroDivisionError("no channel's own error")])
def test_a_channel_that_fails_is_told_on_the_others_once_and_gets_all_when_it_is_back(
    error: Exception,
) -> None:
    broken, kept = Broken(error), Kept()
    with Dispatcher([broken, kept], outbox=QUICK) as tell:
        tell.alarm(1, "kill", "", "killed")
        tell.message(2, "sma", "hello")
        assert broken.tried.wait(20)
        broken.tried.clear()
        assert broken.tried.wait(20), "it tries again"
        assert "broken" in tell.problems
        broken.error = None
        assert broken.some.wait(20)
    assert {"killed", "hello"} <= set(broken.texts)
    fails = [one for one in kept.found if "does not deliver" in one.text]
    assert len(fails) == 1
    assert fails[0].urgent
    assert "broken delivers again" in kept.texts
    assert not any("broken" in text for text in broken.texts)


def test_secrets_and_tokens_are_in_no_text() -> None:
    kept = Kept()
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    with Dispatcher([kept], hide=[SECRET]) as tell:
        tell.message(1, "sma", f"a {SECRET.reveal()} and {token}")
        tell.alarm(1, "sign-in", SECRET.reveal(), f"refused {SECRET.reveal()}")
    assert all(SECRET.reveal() not in repr(one) and token not in repr(one) for one in kept.found)
    assert "a <secret> and <secret>" in kept.texts


def test_over_real_http_nothing_is_lost_when_the_server_fails_for_a_while() -> None:
    with listeners.http() as heard:
        heard.answers = [(500, {}), (503, {}), (429, {"Retry-After": "0"})]
        with Dispatcher([Webhook(Secret(heard.url))], outbox=QUICK) as tell:
            tell.alarm(1, "kill", "", "killed")
            heard.wait(4)
    assert heard.came[-1][0].startswith("200")
    assert [one["text"] for one in heard.came[-1][1]["notices"]] == ["killed"]


def test_the_end_comes_even_when_a_channel_is_down() -> None:
    broken = Broken(ChannelFailed("down"))
    with Dispatcher([broken]) as tell:
        tell.alarm(1, "kill", "", "killed")
    assert broken.closed
