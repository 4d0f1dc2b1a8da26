"""The channels: terminal, log, webhook, e-mail, Telegram. Each blocks for seconds at most.

Errors name what failed and never the address, which holds a token where a bot or a webhook is addressed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import smtplib
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from algo.alerts.notice import Notice
from algo.errors import ChannelFailed
from algo.fastconnect.addresses import is_loopback
from algo.fastconnect.secret import Secret

TIMEOUT = 10.0
LONGEST = 4_000
"""Characters that Telegram takes in a message, with some to spare."""
_SUBJECT = 120


class Terminal:
    """Shows a line for each, by `write`."""

    name = "terminal"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def send(self, notices: Sequence[Notice]) -> None:
        """Show them."""
        for one in notices:
            self._write(one.line)

    def close(self) -> None:
        """Nothing is held."""


class LogFile:
    """Appends a JSON line for each to a file that only its owner reads."""

    name = "log"

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, notices: Sequence[Notice]) -> None:
        """Write them."""
        lines = "".join(json.dumps(one.facts(), ensure_ascii=False) + "\n" for one in notices)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(file, "a", encoding="utf-8") as stream:
                stream.write(lines)
        except OSError as error:
            raise ChannelFailed(error.strerror or "the file cannot be written") from None

    def close(self) -> None:
        """Nothing is held."""


class Webhook:
    """Posts JSON: ``text`` for chat programs, and ``notices`` with their fields."""

    name = "webhook"

    def __init__(self, url: Secret) -> None:
        self._post = _Post(url)

    def send(self, notices: Sequence[Notice]) -> None:
        """Post them, all in one."""
        self._post({"text": _text(notices), "notices": [one.facts() for one in notices]})

    def close(self) -> None:
        """Close the connection."""
        self._post.close()


class Telegram:
    """Writes to a chat as a bot."""

    name = "telegram"

    def __init__(self, token: Secret, chat: str, base_url: str = "https://api.telegram.org") -> None:
        self._chat = chat
        self._post = _Post(Secret(f"{base_url.rstrip('/')}/bot{token.reveal()}/sendMessage"))

    def send(self, notices: Sequence[Notice]) -> None:
        """Write them: one message as long as they fit into one."""
        text = _text(notices)
        for begin in range(0, len(text), LONGEST):
            self._post({"chat_id": self._chat, "text": text[begin : begin + LONGEST]})

    def close(self) -> None:
        """Close the connection."""
        self._post.close()


class Email:
    """Sends one mail for all that is due. TLS always verifies; "none" is for this machine's own server."""

    name = "e-mail"

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        to: Sequence[str],
        user: str = "",
        password: Secret | None = None,
        *,
        tls: str = "starttls",
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._sender, self._to = host, port, sender, list(to)
        self._user, self._password, self._tls, self._context = user, password, tls, context

    def send(self, notices: Sequence[Notice]) -> None:
        """Send the mail."""
        try:
            with self._server() as server:
                if self._user and self._password is not None:
                    server.login(self._user, self._password.reveal())
                server.send_message(self._mail(notices))
        except smtplib.SMTPResponseException as error:
            raise ChannelFailed(f"the mail server answered {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise ChannelFailed(f"the mail server: {type(error).__name__}") from None

    def _server(self) -> smtplib.SMTP:
        context = self._context or ssl.create_default_context()
        if self._tls == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT)
        if self._tls == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _mail(self, notices: Sequence[Notice]) -> EmailMessage:
        mail = EmailMessage()
        first = " ".join(notices[0].text.split())
        more = f" (+{len(notices) - 1})" if len(notices) > 1 else ""
        mail["Subject"] = f"[algo] {first[:_SUBJECT]}{more}"
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(domain="algo.local")
        mail.set_content(_text(notices) + "\n", cte="quoted-printable")  # not every server takes 8 bits
        return mail

    def close(self) -> None:
        """Each mail has a connection of its own."""


def _text(notices: Sequence[Notice]) -> str:
    return "\n".join(one.line for one in notices)


class _Post:
    """A POST of JSON to an address that is a secret."""

    def __init__(self, url: Secret) -> None:
        self._url = url
        loopback = is_loopback(urlsplit(url.reveal()).hostname or "")
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=not loopback)
        # httpx logs each address, and this one is a secret.
        self._filter = lambda record: url.reveal() not in record.getMessage()
        logging.getLogger("httpx").addFilter(self._filter)

    def __call__(self, document: object) -> None:
        try:
            answer = self._client.post(self._url.reveal(), json=document)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChannelFailed(type(error).__name__) from None
        if not answer.is_success:
            wait = 0.0
            with contextlib.suppress(ValueError):
                wait = float(answer.headers.get("Retry-After", 0))
            raise ChannelFailed(f"HTTP {answer.status_code}", wait)

    def close(self) -> None:
        self._client.close()
        logging.getLogger("httpx").removeFilter(self._filter)
