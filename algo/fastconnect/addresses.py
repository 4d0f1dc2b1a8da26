"""Where FastConnect is: the addresses of its services, and which of them are safe to speak to."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from algo.errors import CredentialError


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine itself: `localhost` or a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str, name: str) -> str:
    """`url` without its last slash, once it is safe: https, or plain http to this machine only.

    Raises CredentialError for any other scheme or host, and for a URL with a user, a query or a fragment.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise CredentialError(f"{name} is not a URL: give one like https://fc-tradeapi.ssi.com.vn") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise CredentialError(f"{name} must be a plain URL, without user, query or fragment")
    if not host or parts.scheme not in {"http", "https"}:
        raise CredentialError(f"{name} is not a URL: give one like https://fc-tradeapi.ssi.com.vn")
    if parts.scheme == "http" and not is_loopback(host):
        raise CredentialError(f"{name} must be https://; plain http:// goes to this machine only")
    return url.strip().rstrip("/")


@dataclass(frozen=True)
class Endpoints:
    """Addresses of the four services. The defaults are SSI's production."""

    url: str = "https://fc-tradeapi.ssi.com.vn"
    stream_url: str = "https://fc-tradehub.ssi.com.vn"
    data_url: str = "https://fc-data.ssi.com.vn"
    data_stream_url: str = "https://fc-datahub.ssi.com.vn"

    def __post_init__(self) -> None:
        for name in ("url", "stream_url", "data_url", "data_stream_url"):
            object.__setattr__(self, name, checked_url(getattr(self, name), name))
