"""What is told, and the port through which it is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from algo.clock import to_datetime


class Notice(NamedTuple):
    """One thing to tell. `ns` is market time; `times` is how often it was said since it was last told.

    `kind` is an alarm's kind, or "message" for a strategy's own words; `scope` is as an alarm's, or the
    strategy's name. An `urgent` one, such as a halt or an alarm, is never dropped.
    """

    ns: int
    kind: str
    scope: str
    text: str
    urgent: bool = False
    times: int = 1

    @property
    def line(self) -> str:
        """For a person, on one line."""
        head = f"ALARM {self.kind}" if self.urgent else self.kind
        scope = f" ({self.scope})" if self.scope else ""
        times = f" [{self.times} times]" if self.times > 1 else ""
        return f"{to_datetime(self.ns):%H:%M:%S} {head}{scope}: {' '.join(self.text.split())}{times}"

    def facts(self) -> dict[str, object]:
        """For a machine."""
        return {
            "time": to_datetime(self.ns).isoformat(),
            "kind": self.kind,
            "scope": self.scope,
            "text": self.text,
            "urgent": self.urgent,
            "times": self.times,
        }


class Notify(Protocol):
    """A channel. `send` blocks until the notices are delivered, and raises ChannelFailed when they are not.

    It is called from one thread alone. What was sent in vain is sent again, perhaps together with more.
    """

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    def send(self, notices: Sequence[Notice]) -> None:
        """Deliver, oldest alarm first."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
