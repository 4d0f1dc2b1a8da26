"""What became of a request that changes something: received, refused, unknown or not sent. Pure.

A refusal is proven only by our envelope with a refusing status. Everything else that comes back may hide
an order that exists: a gateway's page, a 5xx, cut JSON, a text body, an envelope that contradicts its HTTP
status.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from algo.fastconnect.limits import quota_rule, quota_wait
from algo.fastconnect.wire import Envelope, plain, read_envelope

UNAUTHORISED = 401
_CODE = re.compile(r"\b(?:ERR|ORD)\d{3}\b")


class Fate(Enum):
    """The four fates of a request that changes something. There is no fifth."""

    RECEIVED = "received"
    """The broker took it. Whether the order stands is told on the stream."""
    REFUSED = "refused"
    """Proven without effect."""
    UNKNOWN = "unknown"
    """It may stand. Ask; never send it again."""
    NOT_SENT = "not sent"
    """Provably never left this machine."""


@dataclass(frozen=True)
class Outcome:
    """The fate of one request, why, and what the broker said."""

    fate: Fate
    text: str = ""
    status: int = 0
    """The envelope's status, else the HTTP status, else 0."""
    code: str = ""
    """The broker's code, such as ORD003, when its message names one."""
    data: Any = None
    retry_after: float | None = None
    """Seconds to wait before the next request, when the quota was the reason."""
    quota: tuple[int, float] | None = None
    """The limit that a 429 named, as (calls, seconds)."""
    unauthorised: bool = False
    """Whether the token was refused: sign in again before the next request."""


def judge(http_status: int, body: bytes, retry_after: str | None = None) -> Outcome:
    """The fate of a request by its answer."""
    envelope = read_envelope(body)
    wait = quota_wait(http_status, envelope, retry_after)
    unauthorised = UNAUTHORISED in {http_status, envelope.status if envelope else 0}
    if envelope is None:
        text = f"HTTP {http_status} without the broker's envelope"
        told = quota_rule(body[:500].decode("latin1")) if wait is not None else None
        return Outcome(
            Fate.UNKNOWN, text, http_status, retry_after=wait, quota=told, unauthorised=unauthorised
        )
    message = plain(envelope.message)
    code = _CODE.search(message)
    fate = _fate(http_status, envelope)
    return Outcome(
        fate,
        message if fate is not Fate.UNKNOWN else f"HTTP {http_status}, status {envelope.status}: {message}",
        envelope.status,
        code.group() if code else "",
        envelope.data,
        wait,
        quota_rule(message) if wait is not None else None,
        unauthorised,
    )


def _fate(http_status: int, envelope: Envelope) -> Fate:
    if 200 <= http_status < 300 and envelope.succeeded:
        return Fate.RECEIVED
    plausible = 200 <= http_status < 300 or 400 <= http_status < 500
    if plausible and 400 <= envelope.status < 500:
        return Fate.REFUSED
    return Fate.UNKNOWN
