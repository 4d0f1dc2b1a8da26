"""A small SignalR hub on a real socket, with the replay of messages from a notify id."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response


class HubStub:
    """`log` holds (id, text) of the day; a connection replays from its `NotifyID`, then hears what comes."""

    def __init__(self, samples: dict, context: ssl.SSLContext | None = None) -> None:
        self.log: list[tuple[int, str]] = []
        self.handshakes: list[tuple[str, str, str]] = []
        self.refuse: list[int] = []
        self.refuse_connect: list[int] = []
        self.redirect = ""
        self.first_frame = True
        self.cookie = ""
        self.heard: list[str] = []
        self.served = 0
        self._negotiation = json.dumps(samples["negotiate"]).encode()
        self._context = context
        self._open: set[ServerConnection] = set()
        self._server: Server | None = None
        self.changed = asyncio.Condition()

    async def __aenter__(self) -> HubStub:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._request,
            ping_interval=None,
            compression=None,
            ssl=self._context,
            close_timeout=0.1,
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"{'https' if self._context else 'http'}://localhost:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self.drop()
        self._server.close()
        await self._server.wait_closed()

    async def send(self, *messages: tuple[int, str]) -> None:
        self.log += messages
        for notify_id, text in messages:
            await self.raw(broadcast(text, f"d-{notify_id}"))

    async def raw(self, frame: str) -> None:
        for socket in list(self._open):
            with contextlib.suppress(ConnectionClosed):
                await socket.send(frame)

    def drop(self) -> None:
        for socket in list(self._open):
            socket.transport.abort()
        self._open.clear()

    def stall(self) -> None:
        """Say nothing more and notice nothing, as a half-open connection does."""
        self._open.clear()

    async def connections(self, count: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.served >= count)

    @property
    def connects(self) -> list[tuple[str, str, str]]:
        return [seen for seen in self.handshakes if "/connect" in seen[0]]

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        headers = request.headers
        self.handshakes.append((request.path, headers.get("NotifyID", ""), headers.get("Authorization", "")))
        self.cookies = headers.get("Cookie", "")
        refuse = self.refuse_connect if "/connect" in request.path else self.refuse
        if refuse:
            status = refuse.pop(0)
            location = Headers(Location=self.redirect) if self.redirect else Headers()
            return Response(status, HTTPStatus(status).phrase, location, b"")
        if "/negotiate" in request.path:
            found = Headers({"Content-Type": "application/json; charset=UTF-8"})
            if self.cookie:
                found["Set-Cookie"] = self.cookie
            return Response(200, "OK", found, self._negotiation)
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        start = int(socket.request.headers.get("NotifyID", "-1"))
        if self.first_frame:
            await socket.send('{"C":"d-0","S":1,"M":[]}')
        if start >= 0:
            for notify_id, text in self.log:
                if notify_id >= start:
                    await socket.send(broadcast(text, f"d-{notify_id}"))
        self._open.add(socket)
        self.served += 1
        async with self.changed:
            self.changed.notify_all()
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                self.heard.append(str(message))
        self._open.discard(socket)


def broadcast(text: str, cursor: str = "d-1", method: str = "Broadcast") -> str:
    return json.dumps({"C": cursor, "M": [{"H": "BroadcastHubV2", "M": method, "A": [text]}]})
