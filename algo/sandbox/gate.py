"""Who may speak to a server on loopback: programs of this machine, and no page of another site.

A page that the user's browser has open can reach loopback too, and by a name of its own that resolves to
127.0.0.1 it can even read the answers. Its requests give it away by their Host and Origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from algo.fastconnect.addresses import is_loopback
from algo.sandbox.messages import Response

FORBIDDEN = Response(403, b"This server answers programs of its own machine alone.", "text/plain")


def admits(headers: Mapping[str, str]) -> bool:
    """Whether a request is meant for this machine and does not come from another site's page.

    Names of `headers` are lower-case. A request without Host or Origin is a program's.
    """
    host, origin = headers.get("host", ""), headers.get("origin", "")
    if host and not is_loopback(_name(f"//{host}")):
        return False
    return not origin or (is_loopback(_name(origin)) and urlsplit(origin).netloc.lower() == host.lower())


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
