"""Keeping secrets out of texts that people and machines read: logs, alerts, reports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from algo.fastconnect.secret import Secret

HIDDEN = "<secret>"
SHORTEST = 8
"""Characters of a secret that is looked for. A PIN's digits stand in honest numbers too, so none are."""
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)?")


class Redactor:
    """Takes known secrets, and whatever looks like a token, out of a text."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        shown = {one.reveal() for one in secrets}
        shown |= {json.dumps(text)[1:-1] for text in shown}
        long = [text for text in shown if len(text) >= SHORTEST and not text.isdigit()]
        self._texts = sorted(long, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` without them."""
        if "eyJ" in text:
            text = _TOKEN.sub(HIDDEN, text)
        for secret in self._texts:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._texts)} secrets>"
