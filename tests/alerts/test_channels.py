"""Channels over real sockets and files: what arrives, and what a failure shows."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import stat
from datetime import date
from pathlib import Path

import pytest

from algo.alerts.channels import LONGEST, Email, LogFile, Telegram, Terminal, Webhook
from algo.alerts.notice import Notice
from algo.clock import HOUR, at
from algo.errors import ChannelFailed
from algo.fastconnect.secret import Secret
from tests.alerts import listeners

SECRET = "planted-secret-token"
NS = at(date(2026, 6, 9)) + 9 * HOUR
ALARM = Notice(NS, "breaker", "strategy:sma", "five refusals\r\nin a row", urgent=True, times=3)
NOTE = Notice(NS, "message", "sma", "hôm nay đẹp trời")


def test_the_terminal_shows_one_line_each() -> None:
    lines: list[str] = []
    Terminal(lines.append).send([ALARM, NOTE])
    assert lines == [
        "09:00:00 ALARM breaker (strategy:sma): five refusals in a row [3 times]",
        "09:00:00 message (sma): hôm nay đẹp trời",
    ]


def test_the_log_has_json_lines_that_its_owner_reads(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "new" / "alerts.jsonl")
    log.send([ALARM])
    log.send([NOTE])
    path = tmp_path / "new" / "alerts.jsonl"
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [one["text"] for one in found] == [ALARM.text, NOTE.text]
    assert found[0]["time"] == "2026-06-09T09:00:00+07:00"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ChannelFailed):
        LogFile(path / "below-a-file").send([NOTE])


def test_a_webhook_gets_the_text_and_the_fields() -> None:
    with listeners.http() as heard:
        hook = Webhook(Secret(f"{heard.url}/{SECRET}?key=1"))
        hook.send([ALARM, NOTE])
        heard.answers = [(500, {})]
        with pytest.raises(ChannelFailed, match="HTTP 500"):
            hook.send([NOTE])
        heard.answers = [(429, {"Retry-After": "7"})]
        with pytest.raises(ChannelFailed) as caught:
            hook.send([NOTE])
        assert caught.value.wait == 7.0
        heard.answers = [(302, {"Location": "http://127.0.0.1:1/"})]
        with pytest.raises(ChannelFailed, match="HTTP 302"):
            hook.send([NOTE])
        hook.close()
    where, document = heard.came[0]
    assert where == f"200 /{SECRET}?key=1"
    assert document["text"] == f"{ALARM.line}\n{NOTE.line}"
    assert document["notices"][0]["kind"] == "breaker"
    assert document["notices"][0]["times"] == 3


def test_telegram_writes_to_the_chat_and_parts_what_is_too_long() -> None:
    with listeners.http() as heard:
        bot = Telegram(Secret(SECRET), "42", heard.url + "/")
        bot.send([NOTE])
        long = Notice(NS, "message", "sma", "x" * (LONGEST + 10))
        bot.send([long])
        bot.close()
    assert heard.came[0] == (f"200 /bot{SECRET}/sendMessage", {"chat_id": "42", "text": NOTE.line})
    parts = [document["text"] for _, document in heard.came[1:]]
    assert "".join(parts) == long.line
    assert all(len(part) <= LONGEST for part in parts)


def test_an_address_that_is_a_secret_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with listeners.http() as heard:
        gone = heard.url
        bot = Telegram(Secret(SECRET), "42", gone)
        bot.send([NOTE])
    with pytest.raises(ChannelFailed) as caught:
        Telegram(Secret(SECRET), "42", gone).send([NOTE])
    seen = caplog.text + str(caught.value) + repr(caught.value.__cause__) + repr(vars(bot))
    assert SECRET not in seen
    assert caught.value.__suppress_context__


def test_a_mail_has_all_that_is_due() -> None:
    with listeners.mail() as heard:
        post = Email(
            "127.0.0.1", heard.port, "bot@example.com", ["a@example.com", "b@example.com"], "bot",
            Secret(SECRET), tls="none",
        )  # fmt: skip
        post.send([ALARM, NOTE])
    kinds = [kind for kind, _ in heard.came]
    assert kinds == ["auth", "mail"]
    to, raw = heard.came[1][1]
    mail = email.message_from_string(raw, policy=email.policy.default)
    assert len(to) == 2
    assert mail["Subject"] == "[algo] five refusals in a row (+1)"
    assert mail["From"] == "bot@example.com"
    assert mail.get_content().split() == f"{ALARM.line}\n{NOTE.line}".split()
    assert SECRET not in raw


@pytest.mark.parametrize("refuse", ["AUTH", "RCPT", "DATA", "EHLO"])
def test_a_mail_that_is_refused_failed_without_showing_the_password(refuse: str) -> None:
    with listeners.mail(refuse) as heard:
        post = Email("127.0.0.1", heard.port, "a@b.vn", ["c@d.vn"], "bot", Secret(SECRET), tls="none")
        with pytest.raises(ChannelFailed) as caught:
            post.send([NOTE])
    assert SECRET not in str(caught.value) + repr(vars(post))


def test_a_mail_never_goes_over_a_server_without_tls_that_was_asked_for() -> None:
    with listeners.mail() as heard:
        post = Email("127.0.0.1", heard.port, "a@b.vn", ["c@d.vn"], "bot", Secret(SECRET))
        with pytest.raises(ChannelFailed):
            post.send([NOTE])
    assert heard.came == []
