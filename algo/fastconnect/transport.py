"""The HTTP seam: a pooled client whose TLS always verifies, and the one place that translates its errors."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from algo.errors import BrokerError, CredentialError, QueryFailed, RequestNotSent, RequestUnknown
from algo.fastconnect.addresses import is_loopback
from algo.fastconnect.wire import plain

TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)
LARGEST_ANSWER = 32 * 1024 * 1024
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30.0)

_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
"""Errors that httpx raises before the first byte of a request. `sent` must agree before that is believed."""

FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, OSError, TimeoutError)
"""Everything that an exchange may raise and that is translated here."""


def trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """A context that verifies certificates and host names by the public authorities, or `ca_file` alone."""
    try:
        if ca_file is not None:
            return ssl.create_default_context(cafile=str(ca_file))
        return httpx.create_ssl_context()
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
        raise CredentialError(f"the certificate authority {ca_file} cannot be used: {reason}") from None


def open_client(
    url: str, context: ssl.SSLContext, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A pooled client of one service. It follows no redirect and keeps no password for another host.

    A proxy of the environment is used for https only, through which TLS goes end to end.
    """
    return httpx.AsyncClient(
        base_url=url,
        verify=context,
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=False,
        trust_env=not is_loopback(urlsplit(url).hostname or ""),
        transport=transport,
        headers={"User-Agent": "algo"},
    )


class Form:
    """A POST of JSON to one path: what is the same each time is merged once, by the client itself."""

    def __init__(self, client: httpx.AsyncClient, path: str) -> None:
        blank = client.build_request("POST", path, headers={"Content-Type": "application/json"})
        each = {b"content-length", b"cookie"}
        self._cookies = client.cookies
        self._url = blank.url
        self._headers = [pair for pair in blank.headers.raw if pair[0].lower() not in each]

    def request(
        self, body: bytes, headers: Mapping[str, str], extensions: Mapping[str, object]
    ) -> httpx.Request:
        """The request with this body and these headers, and the cookies that the server has set by now."""
        own = [(name.encode(), value.encode()) for name, value in headers.items()]
        return httpx.Request(
            "POST",
            self._url,
            headers=[*self._headers, *own, (b"Content-Length", b"%d" % len(body))],
            cookies=self._cookies,
            stream=httpx.ByteStream(body),
            extensions=dict(extensions),
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer. Its body is not shown: it may hold a token."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None


async def read_answer(response: httpx.Response, largest: int = LARGEST_ANSWER) -> bytes:
    """The whole body, unless it is far larger than any answer. Closes the response."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in response.aiter_bytes():
            size += len(part)
            if size > largest:
                raise httpx.RemoteProtocolError("the answer is too large")
            parts.append(part)
    finally:
        await response.aclose()
    return b"".join(parts)


class Departure:
    """Notes whether a request's first byte may have left, as the transport itself reports it."""

    def __init__(self) -> None:
        self.begun = False

    async def __call__(self, name: str, info: object) -> None:
        if name.endswith("send_request_headers.started"):
            self.begun = True


def translate(error: BaseException, *, changes: bool, sent: bool = True) -> BrokerError:
    """Our error for one of `FOREIGN`. `changes`: whether the request changes something over there.

    Not sent is said only when the transport reports that nothing left and the error's kind agrees.
    """
    what = describe(error)
    if not changes:
        return QueryFailed(f"no answer from the broker: {what}")
    if not sent and isinstance(error, (*_BEFORE_SENDING, TimeoutError)):
        return RequestNotSent(f"not sent: {what}")
    return RequestUnknown(f"sent, but its fate is unknown: {what}")


def describe(error: BaseException) -> str:
    """The error in one line, without URL, headers or body."""
    reason = plain(str(error), 120)
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__
