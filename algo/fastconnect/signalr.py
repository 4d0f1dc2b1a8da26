"""Classic ASP.NET SignalR 1.3 over WebSocket, sans-I/O: fragments of messages in, events out.

A shell sends the HTTP requests that `negotiate_url` and `connect_url` describe, hands the answer to
`negotiated`, and every fragment of a text message to `receive`. The machine does no I/O, reads no clock and
raises only ProtocolError and AuthError. Trading hub and data hub speak the same.

    new ── negotiated ──> negotiated ── the frame with S:1, or any frame ──> open ──> closed

Protocol 1.3 has no ``/start`` request: the server runs at connect what newer ones run there. Source: the
frames of ASP.NET SignalR 2 (C cursor, S started, M messages, G groups token, I result, E error, T and D).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from algo.errors import AuthError, ProtocolError
from algo.fastconnect.wire import parse_json, plain

PROTOCOL = "1.3"
LARGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes of one message. A longer one breaks the connection instead of the memory."""
_LARGEST_HANDSHAKE = 64 * 1024


class Phase(Enum):
    """Where a connection stands."""

    NEW = "new"
    NEGOTIATED = "negotiated"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Opened:
    """The server's first frame: from here on, what the hub sends arrives."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """An empty frame: the server lives."""


class Invocation(msgspec.Struct, frozen=True, rename={"hub": "H", "method": "M", "arguments": "A"}):
    """The hub calls `method` of ours. The hub's name and the method come as the server spelled them."""

    hub: str
    method: str
    arguments: list[Any]


class _Calls(msgspec.Struct, forbid_unknown_fields=True, rename={"cursor": "C", "messages": "M"}):
    """A frame that holds calls and nothing else, as nearly all do."""

    cursor: str
    messages: list[Invocation]


_read_calls = msgspec.json.Decoder(_Calls).decode


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to `invoke` number `number`; `error` is '' when it succeeded."""

    number: str
    value: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server reports an error of the connection itself."""

    text: str


@dataclass(frozen=True, slots=True)
class ReconnectAsked:
    """The server wants us to connect again; the connection ends soon."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The server ends the connection for good: negotiate anew."""


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """A frame, or a part of one, that nothing is known about. Kept raw, never fatal."""

    raw: Any


Event = Opened | KeepAlive | Invocation | Result | ServerError | ReconnectAsked | Disconnected | Unrecognised


@dataclass(frozen=True)
class Handshake:
    """What the server said at negotiation. Times in seconds; `keep_alive` is None when it sends none."""

    token: str
    connection_id: str
    keep_alive: float | None
    disconnect_timeout: float
    protocol: str


class SignalR:
    """One connection to one hub."""

    def __init__(self, url: str, hub: str, *, largest: int = LARGEST_MESSAGE) -> None:
        """`url` is the service's address; the hub lies at ``/v2.0/signalr`` below it."""
        base = url.rstrip("/")
        self._base = base if base.lower().endswith("/signalr") else f"{base}/v2.0/signalr"
        self.hub = hub
        self.phase = Phase.NEW
        self.handshake: Handshake | None = None
        self.cursor = ""
        """The last message id (``C``), which a reconnect echoes."""
        self.groups_token = ""
        self._largest = largest
        self._parts: list[bytes] = []
        self._size = 0
        self._calls = 0

    # The handshake

    @property
    def negotiate_url(self) -> str:
        """What to GET first."""
        return f"{self._base}/negotiate?{self._query()}"

    @property
    def connect_url(self) -> str:
        """Where to open the WebSocket, after `negotiated`."""
        return self._socket_url("connect")

    @property
    def reconnect_url(self) -> str:
        """Where to open the WebSocket again and go on from `cursor`, with the same connection token."""
        extra = {"messageId": self.cursor} if self.cursor else {}
        if self.groups_token:
            extra["groupsToken"] = self.groups_token
        return self._socket_url("reconnect", extra)

    @property
    def abort_url(self) -> str:
        """What to POST to say goodbye."""
        return f"{self._base}/abort?{self._query({'transport': 'webSockets', **self._token()})}"

    def negotiated(self, status: int, body: bytes) -> Handshake:
        """Take the answer to the negotiation.

        Raises AuthError when the token was refused, ProtocolError when the answer is none.
        """
        if self.phase is not Phase.NEW:
            raise ProtocolError("the negotiation is already done")
        if status in {401, 403}:
            raise AuthError(f"the stream refused the token: HTTP {status}")
        if status != 200:
            raise ProtocolError(f"the stream refused to negotiate: HTTP {status}")
        found = _object(body, _LARGEST_HANDSHAKE)
        fields = {key.lower(): value for key, value in found.items()}
        if fields.get("status") == 401:
            raise AuthError("the stream refused the token")
        token = fields.get("connectiontoken")
        protocol = str(fields.get("protocolversion", PROTOCOL))
        if not isinstance(token, str) or not token:
            raise ProtocolError("the stream's negotiation names no connection token")
        if fields.get("trywebsockets") is False:
            raise ProtocolError("the stream offers no WebSocket")
        keep_alive = _number(fields.get("keepalivetimeout"))
        self.handshake = Handshake(
            token=token,
            connection_id=str(fields.get("connectionid", "")),
            keep_alive=keep_alive or None,
            disconnect_timeout=_number(fields.get("disconnecttimeout")) or 30.0,
            protocol=protocol if _number(protocol) else PROTOCOL,
        )
        self.phase = Phase.NEGOTIATED
        return self.handshake

    # Messages

    def receive(self, fragment: bytes | str, *, last: bool = True) -> list[Event]:
        """The events of a fragment of a text message; `last` says that the message ends with it.

        Raises ProtocolError for what is no SignalR frame, cut, or longer than allowed; the machine is closed
        then.
        """
        if self.phase in {Phase.NEW, Phase.CLOSED}:
            raise ProtocolError(f"a message came while the connection is {self.phase.value}")
        data = fragment.encode("utf-8", "replace") if isinstance(fragment, str) else fragment
        self._size += len(data)
        if self._size > self._largest:
            self.close()
            raise ProtocolError(f"the stream sent a message of more than {self._largest} bytes")
        if not last:
            if data:
                self._parts.append(data)
            return []
        if self._parts:
            data = b"".join((*self._parts, data))
            self._parts.clear()
        self._size = 0
        if self.phase is Phase.OPEN:
            try:
                calls = _read_calls(data)
            except (ValueError, RecursionError):
                pass  # it is something else
            else:
                self.cursor = calls.cursor
                return [*calls.messages]
        try:
            return self._events(_object(data, self._largest))
        except ProtocolError:
            self.close()
            raise

    def ended(self) -> None:
        """The socket ended. Raises ProtocolError when that cut a message."""
        cut = bool(self._parts)
        self.close()
        if cut:
            raise ProtocolError("the stream ended in the middle of a message")

    def close(self) -> None:
        """Take nothing more."""
        self.phase = Phase.CLOSED
        self._parts.clear()
        self._size = 0

    def invoke(self, method: str, *arguments: Any) -> tuple[str, str]:
        """The text message that calls `method` of the hub, and the number that its `Result` will carry."""
        if self.phase not in {Phase.NEGOTIATED, Phase.OPEN}:
            raise ProtocolError(f"the hub cannot be called while the connection is {self.phase.value}")
        number = self._calls
        self._calls += 1
        call = {"H": self.hub, "M": method, "A": list(arguments), "I": number}
        return json.dumps(call, allow_nan=False), str(number)

    def _events(self, frame: dict[str, Any]) -> list[Event]:
        events: list[Event] = []
        cursor = frame.get("C")
        if isinstance(cursor, str):
            self.cursor = cursor
        groups = frame.get("G")
        if isinstance(groups, str):
            self.groups_token = groups
        if self.phase is Phase.NEGOTIATED:
            self.phase = Phase.OPEN
            events.append(Opened())
        messages = frame.get("M")
        if messages is not None:
            if not isinstance(messages, list):
                raise ProtocolError("the stream's frame holds no list of messages")
            events += [_invocation(message) for message in messages]
        if messages is None or cursor is None or len(frame) > 2:
            events += self._signs(frame)
        return events

    def _signs(self, frame: dict[str, Any]) -> list[Event]:
        """Everything of a frame but its messages."""
        events: list[Event] = []
        if "I" in frame:
            error = plain(str(frame["E"])) or "failed" if frame.get("E") is not None else ""
            events.append(Result(str(frame["I"]), frame.get("R"), error))
        elif frame.get("E") is not None:
            events.append(ServerError(plain(str(frame["E"]))))
        if _is_one(frame.get("T")):
            events.append(ReconnectAsked())
        if _is_one(frame.get("D")) and "I" not in frame:
            events.append(Disconnected())
        if not frame:
            events.append(KeepAlive())
        elif not events and not frame.keys() & {"C", "S", "M", "G", "L", "T", "D"}:
            events.append(Unrecognised(frame))
        return events

    # Addresses

    def _query(self, extra: dict[str, str] | None = None) -> str:
        protocol = self.handshake.protocol if self.handshake else PROTOCOL
        fields = dict(extra or {})
        fields["connectionData"] = json.dumps([{"name": self.hub}])
        fields["clientProtocol"] = protocol
        return urlencode(fields, quote_via=quote)

    def _token(self) -> dict[str, str]:
        if self.handshake is None:
            raise ProtocolError("the connection has not been negotiated")
        return {"connectionToken": self.handshake.token}

    def _socket_url(self, action: str, extra: dict[str, str] | None = None) -> str:
        parts = urlsplit(self._base)
        scheme = "wss" if parts.scheme == "https" else "ws"
        query = self._query({"transport": "webSockets", **self._token()} | (extra or {}))
        return f"{scheme}://{parts.netloc}{parts.path}/{action}?{query}"


def _invocation(message: Any) -> Event:
    if isinstance(message, dict):
        hub, method, arguments = message.get("H"), message.get("M"), message.get("A")
        if isinstance(hub, str) and isinstance(method, str) and isinstance(arguments, list):
            return Invocation(hub, method, arguments)
    return Unrecognised(message)


def _object(data: bytes, largest: int) -> dict[str, Any]:
    """The one JSON object that `data` is. Raises ProtocolError without quoting it."""
    if len(data) > largest:
        raise ProtocolError(f"the stream sent more than {largest} bytes at once")
    try:
        found = parse_json(data)
    except ValueError:
        raise ProtocolError("the stream sent what is no JSON: cut, or not for us") from None
    if not isinstance(found, dict):
        raise ProtocolError("the stream sent JSON that is no frame")
    return found


def _number(value: object) -> float | None:
    """A positive, finite number, or the text of one; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 1e6 else None


def _is_one(value: object) -> bool:
    return value is True or (isinstance(value, int) and value == 1)
