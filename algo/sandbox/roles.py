"""Who stands around the host: market, service, streams, their sockets, and where inputs are written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from algo.sandbox.messages import Request, Response


class Stream(Protocol):
    """The server's side of one connection to a hub."""

    on_ready: Callable[[], None] | None

    @property
    def closed(self) -> bool:
        """Whether the connection is to end."""
        ...

    def receive(self, text: str, wall: float) -> None:
        """Take a message of the client."""
        ...

    def frames(self) -> list[str]:
        """What is to be sent, once."""
        ...

    def lost(self) -> None:
        """The client is gone."""
        ...


class Stop(Protocol):
    """A moment at which something happens in the market."""

    @property
    def ns(self) -> int:
        """When."""
        ...

    @property
    def kind(self) -> str:
        """What: day, session, open, range, event or end."""
        ...


class Market(Protocol):
    """Market time, and what is due in it."""

    @property
    def now(self) -> int:
        """Nanoseconds since the epoch."""
        ...

    def advance(self, to: int) -> None:
        """Run everything due up to and including `to`."""
        ...

    def approach(self, to: int) -> None:
        """As `advance`, but what is due at `to` itself is still to come."""
        ...

    def next_stop(self) -> Stop | None:
        """What comes next, None at the end."""
        ...

    def step(self) -> Stop | None:
        """Run exactly the next stop."""
        ...


class Server(Protocol):
    """The whole server as functions: `algo.sandbox.service.Service`."""

    def handle(self, request: Request, wall: float) -> Response:
        """Answer one HTTP request."""
        ...

    def connect(self, request: Request, wall: float) -> Any:
        """A stream for an upgrade, or the answer that refuses it."""
        ...

    def publish(self) -> None:
        """Number what the world has said and put it on the streams."""
        ...

    def keep_alive(self, wall: float) -> None:
        """Put an empty frame on streams that have been silent."""
        ...


class Socket(Protocol):
    """What carries one stream."""

    @property
    def stream(self) -> Stream | None:
        """The stream, while there is one."""
        ...

    def send(self, frames: bytes) -> None:
        """Send encoded frames."""
        ...

    def drop(self) -> None:
        """End the connection."""
        ...


class Journal(Protocol):
    """Where inputs are written down before anyone hears of what they caused."""

    def requested(self, request: Request, wall: float) -> None:
        """A request was carried out."""
        ...

    def stepped(self, stops: int, until: int) -> None:
        """Market time passed: so many stops, then up to `until`."""
        ...
