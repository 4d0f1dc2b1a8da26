"""The server's side of one hub connection: frames out, invocations in. Pure.

What a shell does with it: send what `frames` gives, hand every text message to `receive`, call `lost` when
the socket is gone, and drop the socket (without a Close frame) once `closed`. `on_ready` is called when there
is something to send or the connection was closed from here; a writer stuck in a send learns it that way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from algo.fastconnect.wire import parse_json
from algo.sandbox.identity import Consumer, Scope

KEEP_ALIVE = "{}"
SILENCE = 10.0
"""Seconds after which a silent connection is told that it lives."""
MOST_WAITING = 5_000
"""Frames that may wait for a reader; one that leaves more is cut off."""
_LARGEST_MESSAGE = 64 * 1024


class HubError(Exception):
    """An invocation that fails, with the text for the caller."""


class Hub(Protocol):
    """What lies behind connections: it sends to those that joined, and answers invocations."""

    name: str
    scopes: frozenset[Scope]

    def cursor(self, connection: Connection) -> str:
        """Where the hub's messages stand for this connection."""
        ...

    def join(self, connection: Connection, notify_id: str) -> None:
        """A connection is there: messages from `notify_id` on, then what comes."""
        ...

    def rejoin(self, connection: Connection, cursor: str, groups: str) -> None:
        """A connection is there again and goes on from `cursor`, in the groups of its `groups` token."""
        ...

    def invoke(self, connection: Connection, method: str, arguments: list[Any]) -> str:
        """A call of the client. Gives the token of its changed groups, or ''. Raises HubError."""
        ...

    def leave(self, connection: Connection) -> None:
        """A connection is gone. One that never joined is no error."""
        ...


class Connection:
    """One connection of one consumer to one hub."""

    def __init__(
        self, connection_id: str, hub: Hub, consumer: Consumer, wall: float, most_waiting: int = MOST_WAITING
    ) -> None:
        self.connection_id = connection_id
        self.hub = hub
        self.consumer = consumer
        self.joined = False
        self.notify_id = "-1"
        self.closed = False
        self.on_ready: Callable[[], object] | None = None
        self._frames: list[str] = []
        self._most_waiting = most_waiting
        self._allowed = most_waiting
        self._spoke = True
        self._silent_since = wall

    # What the shell calls

    def receive(self, text: str, wall: float) -> None:
        """Take a message of the client. One that is no invocation ends the connection, as the server does."""
        if self.closed:
            return
        call = _invocation(text)
        if call is None:
            self.close()
            return
        reply: dict[str, Any] = {}
        number = call.get("i")
        if number is not None:
            reply["I"] = str(number)[:40]
        groups = ""
        try:
            groups = self._invoke(call)
        except HubError as error:
            reply["E"] = str(error)
        if groups:
            self.send(json.dumps({"C": self.hub.cursor(self), "G": groups, "M": []}, separators=(",", ":")))
        if number is not None:
            self.send(json.dumps(reply, separators=(",", ":")))

    def frames(self) -> list[str]:
        """Everything that waits to be sent, in order; it waits no longer."""
        waiting, self._frames = self._frames, []
        self._allowed = self._most_waiting
        return waiting

    def lost(self) -> None:
        """The socket is gone."""
        self.closed = True
        self._frames = []
        self.hub.leave(self)

    # What hubs and the server call

    def send(self, frame: str) -> None:
        """Queue a frame. A reader that has left too many is cut off."""
        if self.closed:
            return
        self._frames.append(frame)
        self._spoke = True
        if len(self._frames) > self._allowed:
            self.close()
        elif len(self._frames) == 1 and self.on_ready is not None:
            self.on_ready()

    def catch_up(self, frames: list[str]) -> None:
        """Queue what was missed. It does not count as left waiting until it was fetched once."""
        self._allowed = self._most_waiting + len(self._frames) + len(frames)
        for frame in frames:
            self.send(frame)

    def keep_alive(self, wall: float) -> None:
        """Say that the connection lives if nothing was said for a while."""
        if self._spoke:
            self._spoke, self._silent_since = False, wall
        elif wall - self._silent_since >= SILENCE:
            self.send(KEEP_ALIVE)
            self._spoke, self._silent_since = False, wall

    def close(self) -> None:
        """End the connection from here."""
        if self.closed:
            return
        self.lost()
        if self.on_ready is not None:
            self.on_ready()

    def _invoke(self, call: dict[str, Any]) -> str:
        name, method, arguments = call.get("h"), call.get("m"), call.get("a")
        if not isinstance(name, str) or name.lower() != self.hub.name.lower():
            raise HubError(f"'{str(name)[:80]}' Hub could not be resolved.")
        if not isinstance(method, str):
            raise HubError("'' method could not be resolved.")
        return self.hub.invoke(self, method, arguments if isinstance(arguments, list) else [])


def frame(cursor: str, entries: list[str]) -> str:
    """A frame of messages that are JSON already."""
    return f'{{"C":"{cursor}","M":[{",".join(entries)}]}}'


def entry(hub: str, method: str, argument: str) -> str:
    """One message that calls `method` of the clients of `hub` with a text."""
    return f'{{"H":"{hub}","M":"{method}","A":[{json.dumps(argument)}]}}'


def _invocation(text: str) -> dict[str, Any] | None:
    if len(text) > _LARGEST_MESSAGE:
        return None
    try:
        found = parse_json(text)
    except (ValueError, RecursionError):
        return None
    return {key.lower(): value for key, value in found.items()} if isinstance(found, dict) else None
