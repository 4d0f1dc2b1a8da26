"""How the trading service writes its answers: the envelope, its numbers, and what it says when it refuses.

The server behind FastConnect is ASP.NET with Newtonsoft.Json: whole numbers print as ``300``, real ones as
``21000.0``, times as texts of epoch milliseconds, without spaces. Failures of business and of sign-in come
with HTTP 200 and say so in the body's `status`.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from algo.errors import AlgoError
from algo.sandbox.messages import Response

SUCCESS = "Success"
_MILLISECOND = 1_000_000
_PLAIN = "text/plain; charset=utf-8"


class Denied(AlgoError):
    """The service does not do what was asked. `status` is the body's, `http` that of the answer itself."""

    def __init__(self, text: str, status: int = 400, http: int = 200) -> None:
        super().__init__(text)
        self.status = status
        self.http = http


def encode(value: object) -> bytes:
    """`value` as compact JSON. Half a surrogate pair, which clients can send, becomes a question mark."""
    try:
        return to_json(value)
    except PydanticSerializationError:
        return to_json(_clean(value))


def answer(data: object) -> Response:
    """The answer to what was done."""
    return Response(200, encode({"message": SUCCESS, "status": 200, "data": data}))


def done() -> Response:
    """The answer to what was done and gives nothing back."""
    return Response(200, encode({"message": SUCCESS, "status": 200}))


def refusal(denied: Denied) -> Response:
    """The answer to what was not done."""
    return Response(denied.http, encode({"message": str(denied), "status": denied.status}))


def text(content: str, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An answer that is no JSON."""
    return Response(status, content.encode("utf-8", "replace"), _PLAIN, headers)


def milliseconds(ns: int) -> str:
    """A market time as the API writes it."""
    return str(ns // _MILLISECOND)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value
