"""HTTP as values, so that the server is a pure function of requests and a thin shell of sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower-case; `query` keeps the order and the spelling."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def asked(self, name: str, default: str = "") -> str:
        """The query field of that name in any case, `default` when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.query if key.lower() == wanted), default)

    def header(self, name: str) -> str:
        """The header of that name, '' when there is none."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def parsed_query(text: str) -> tuple[tuple[str, str], ...]:
    """The fields of an address's query in their order, blank ones too; none when they are absurdly many."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
    except ValueError:
        return ()
