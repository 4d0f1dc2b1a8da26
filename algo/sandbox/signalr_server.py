"""Classic ASP.NET SignalR, the server's side, for every hub at ``/v2.0/signalr``. Pure.

A request goes by the last segment of its path first, whatever its headers say: one official client sends
``/start`` with the headers of a WebSocket upgrade. Source: the frames and rules of ASP.NET SignalR 2, and
what the official clients were seen to send.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from random import Random
from urllib.parse import unquote
from uuid import UUID

from algo.fastconnect.wire import parse_json
from algo.sandbox.answers import Denied, text
from algo.sandbox.hub_connection import MOST_WAITING, Connection, Hub, HubError
from algo.sandbox.identity import ANY, Consumer, Grant, Identity
from algo.sandbox.messages import Request, Response

BASE = "/v2.0/signalr"
_JSON = "application/json; charset=UTF-8"
_OLDEST, _NEWEST = (1, 2), (2, 0)
_START_REQUIRED = (1, 4)
_LIVE_ONLY = "-1"
_MOST_DECODINGS = 3
_STARTED = Response(200, b'{ "Response": "started" }', _JSON)
_PONG = Response(200, b'{ "Response": "pong" }', _JSON)
_UNAUTHORISED = Response(401)
_ANOTHER = "Unrecognized user identity. The user identity cannot change during an active SignalR connection."


class SignalRServer:
    """Negotiates, connects, and keeps connections alive. `most_waiting` frames cut a slow reader off."""

    def __init__(
        self, hubs: Iterable[Hub], identity: Identity, *, seed: int = 0, most_waiting: int = MOST_WAITING
    ) -> None:
        self._hubs = {hub.name.lower(): hub for hub in hubs}
        self._identity = identity
        self._random = Random(seed)  # noqa: S311  repeatable on purpose
        self._proof_key = self._random.randbytes(32)
        self._most_waiting = most_waiting
        self.connections: dict[str, Connection] = {}

    def handle(self, request: Request, wall: float) -> Response:
        """The answer to a request that is no WebSocket upgrade."""
        action = _action(request.path)
        method = request.method.upper()
        if action == "ping" and method == "GET":
            return _PONG
        if action == "abort" and method == "POST":
            return self._abort(request)
        if action == "negotiate" and method in ("GET", "POST"):
            return self._negotiate(request, wall)
        if action == "start" and method == "GET":
            return self._start(request, wall)
        if action in ("connect", "reconnect", "send", "poll"):
            return text("Protocol error: Unknown transport.", 400)
        return Response(404)

    def connect(self, request: Request, wall: float) -> Connection | Response:
        """A WebSocket upgrade: the connection, or the answer that is given instead."""
        action = _action(request.path)
        if action not in ("connect", "reconnect"):
            return self.handle(request, wall)
        if request.asked("transport", "webSockets").lower() != "websockets":
            return text("Protocol error: Unknown transport.", 400)
        try:
            hub = self._hub(request)
            grant = self._grant(request, hub, wall)
        except Denied as denied:
            return text(str(denied), 400) if denied.status == 400 else _UNAUTHORISED
        connection_id = self._connection_id(request, grant.consumer)
        if isinstance(connection_id, Response):
            return connection_id
        if hub is None:
            return text("Protocol error: Missing connection data.", 400)
        return self._connected(request, connection_id, hub, grant.consumer, wall, again=action == "reconnect")

    def keep_alive(self, wall: float) -> None:
        """Let every silent connection know that it lives, and forget those that are gone."""
        for name, connection in list(self.connections.items()):
            if connection.closed:
                del self.connections[name]
            else:
                connection.keep_alive(wall)

    # The actions

    def _negotiate(self, request: Request, wall: float) -> Response:
        try:
            grant = self._grant(request, self._hub(request), wall)
        except Denied as denied:
            return text(str(denied), 400) if denied.status == 400 else _UNAUTHORISED
        connection_id = str(UUID(int=self._random.getrandbits(128), version=4))
        major, minor = _protocol(request.asked("clientProtocol"))
        found = {
            "Url": BASE,
            "ConnectionToken": self._token(connection_id, grant.consumer),
            "ConnectionId": connection_id,
            "KeepAliveTimeout": 20.0,
            "DisconnectTimeout": 30.0,
            "ConnectionTimeout": 110.0,
            "TryWebSockets": True,
            "ProtocolVersion": f"{major}.{minor}",
            "TransportConnectTimeout": 5.0,
            "LongPollDelay": 0.0,
        }
        return Response(200, json.dumps(found, separators=(",", ":")).encode(), _JSON)

    def _connected(
        self, request: Request, name: str, hub: Hub, consumer: Consumer, wall: float, *, again: bool
    ) -> Connection | Response:
        earlier = self.connections.get(name)
        if earlier is not None:
            earlier.close()
        connection = Connection(name, hub, consumer, wall, self._most_waiting)
        connection.notify_id = request.header("notifyid").strip() or _LIVE_ONLY
        self.connections[name] = connection
        if again:
            connection.joined = True
            try:
                hub.rejoin(connection, request.asked("messageId"), request.asked("groupsToken"))
            except HubError as error:
                connection.close()
                return text(str(error), 400)
            return connection
        connection.send(f'{{"C":"{hub.cursor(connection)}","S":1,"M":[]}}')
        told = request.asked("clientProtocol")
        if not told or _protocol(told) < _START_REQUIRED:
            _join(connection)
        return connection

    def _start(self, request: Request, wall: float) -> Response:
        token = request.asked("connectionToken")
        if not token:
            return text("Protocol error: Missing connection token.", 400)
        connection = self.connections.get(_decoded(token).partition(".")[0])
        consumer = connection.consumer if connection is not None else None
        if request.header("authorization") or request.asked("access_token"):
            try:
                consumer = self._grant(request, None, wall).consumer
            except Denied:
                return _UNAUTHORISED
        if consumer is None:
            return _UNAUTHORISED
        name = self._connection_id(request, consumer)
        if isinstance(name, Response):
            return name
        if connection is not None and not connection.joined and not connection.closed:
            connection.notify_id = request.header("notifyid").strip() or connection.notify_id
            _join(connection)
        return _STARTED

    def _abort(self, request: Request) -> Response:
        connection = self.connections.get(_decoded(request.asked("connectionToken")).partition(".")[0])
        if connection is not None and _decoded(request.asked("connectionToken")) == self._token(
            connection.connection_id, connection.consumer
        ):
            connection.close()
        return Response(200, b"", _JSON)

    # Who, where to, and by which token

    def _hub(self, request: Request) -> Hub | None:
        """The hub of the connection data, None without any. Raises Denied for one that is not there."""
        given = request.asked("connectionData")
        if not given:
            return None
        try:
            found = parse_json(_decoded(given).replace("+", " "))
            first = {key.lower(): value for key, value in found[0].items()}
            name = first["name"].lower()
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            raise Denied("Protocol error: Invalid connection data.") from None
        hub = self._hubs.get(name)
        if hub is None:
            raise Denied(f"'{name[:80]}' Hub could not be resolved.")
        return hub

    def _grant(self, request: Request, hub: Hub | None, wall: float) -> Grant:
        header = request.header("authorization")
        token = request.asked("access_token")
        scopes = ANY if hub is None else hub.scopes
        if not header and token:
            return self._identity.grant(token, wall, scopes)
        return self._identity.bearer(header, wall, scopes)

    def _token(self, connection_id: str, consumer: Consumer) -> str:
        name = f"{connection_id}.{self._proof(consumer.consumer_id)[:16]}"
        return f"{name}.{self._proof(name)}"

    def _proof(self, text_: str) -> str:
        return hmac.digest(self._proof_key, text_.encode("utf-8", "replace"), "sha256").hex()[:32]

    def _connection_id(self, request: Request, consumer: Consumer) -> str | Response:
        """The id that the connection token is for, or the answer to a token that is missing or another's."""
        token = _decoded(request.asked("connectionToken"))
        if not token:
            return text("Protocol error: Missing connection token.", 400)
        connection_id, _, rest = token.partition(".")
        if hmac.compare_digest(
            token.encode("utf-8", "replace"), self._token(connection_id, consumer).encode("utf-8", "replace")
        ):
            return connection_id
        owner, _, given = rest.partition(".")
        proof = self._proof(f"{connection_id}.{owner}")
        if hmac.compare_digest(given.encode("utf-8", "replace"), proof.encode()):
            return text(_ANOTHER, 403)
        return text("The ConnectionId is in the incorrect format.", 400)


def _join(connection: Connection) -> None:
    connection.joined = True
    connection.hub.join(connection, connection.notify_id)


def _action(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].lower()


def _protocol(text_: str) -> tuple[int, int]:
    """The protocol that is spoken with a client that asks for this one."""
    major, _, minor = text_.strip().partition(".")
    if not (major.isdecimal() and (minor or "0").isdecimal() and text_.isascii() and len(text_) < 10):
        return _OLDEST
    return min(max((int(major), int(minor or 0)), _OLDEST), _NEWEST)


def _decoded(value: str) -> str:
    """`value` without any more URL encoding: one client encodes twice."""
    for _ in range(_MOST_DECODINGS):
        plain = unquote(value)
        if plain == value:
            break
        value = plain
    return value
