"""What an answer says about the rate limit: how long to wait, and the limit itself."""

from __future__ import annotations

import re

from algo.fastconnect.wire import Envelope

TOO_MANY = 429
_QUOTA_TEXT = re.compile(
    r"quota exceeded! maximum admitted (\d{1,9}) per (?:(\d{1,9}) ?)?([smhd])", re.IGNORECASE
)


def quota_wait(http_status: int, envelope: Envelope | None, retry_after: str | None) -> float | None:
    """Seconds to wait when the answer says that the quota is used up, else None. At most a minute."""
    if TOO_MANY not in {http_status, envelope.status if envelope else 0}:
        return None
    text = (retry_after or "").strip()
    wait = float(text) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) else 1.0
    return min(60.0, max(0.1, wait))


def quota_rule(message: str) -> tuple[int, float] | None:
    """The limit that a 429's text names, as (calls, seconds): ``maximum admitted 5 per 1 s``."""
    found = _QUOTA_TEXT.search(message)
    if not found:
        return None
    seconds = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[found[3][0].lower()] * int(found[2] or 1)
    calls = int(found[1])
    return (calls, seconds) if calls and seconds else None
