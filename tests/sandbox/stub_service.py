"""A service with one hub and no market, for tests of the shell alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from algo.sandbox.host import Host
from algo.sandbox.messages import Request, Response


class StubStop(NamedTuple):
    ns: int
    kind: str


class StubMarket:
    """Stops at given times; remembers which happened."""

    def __init__(self, stops: list[StubStop] | None = None, now: int = 0) -> None:
        self.stops = list(stops or [])
        self.happened: list[StubStop] = []
        self.now = now

    def next_stop(self) -> StubStop | None:
        return self.stops[0] if self.stops else None

    def step(self) -> StubStop | None:
        if not self.stops:
            return None
        stop = self.stops.pop(0)
        self.now = max(self.now, stop.ns)
        self.happened.append(stop)
        return stop

    def approach(self, to: int) -> None:
        while self.stops and self.stops[0].ns < to:
            self.step()
        self.now = max(self.now, to)

    def advance(self, to: int) -> None:
        while self.stops and self.stops[0].ns <= to:
            self.step()
        self.now = max(self.now, to)


class StubStream:
    def __init__(self, service: StubService) -> None:
        self.service = service
        self.on_ready: Callable[[], None] | None = None
        self.closed = False
        self.was_lost = False
        self.queue = ['{"C":"d-0","S":1,"M":[]}']
        self.heard: list[str] = []

    def receive(self, text: str, wall: float) -> None:
        if text == "raise":
            raise ValueError(text)
        self.heard.append(text)
        self.put(json.dumps({"I": text}))

    def put(self, text: str) -> None:
        self.queue.append(text)
        if self.on_ready is not None:
            self.on_ready()

    def frames(self) -> list[str]:
        out, self.queue = self.queue, []
        return out

    def lost(self) -> None:
        self.was_lost = True
        self.service.streams.remove(self)


class StubService:
    """Answers every request with what it was; `say` goes to every stream."""

    def __init__(self, market: StubMarket | None = None) -> None:
        self.world = market or StubMarket()
        self.seen: list[Request] = []
        self.streams: list[StubStream] = []
        self.kept_alive = 0

    def handle(self, request: Request, wall: float) -> Response:
        self.seen.append(request)
        if request.path.endswith("raise"):
            raise RuntimeError("secret")
        body = {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "size": len(request.body),
        }
        return Response(200, json.dumps(body).encode())

    def connect(self, request: Request, wall: float) -> StubStream | Response:
        if not request.header("authorization"):
            return Response(401)
        stream = StubStream(self)
        self.streams.append(stream)
        return stream

    def say(self, text: str) -> None:
        for stream in self.streams:
            stream.put(text)

    def publish(self) -> None:
        pass

    def keep_alive(self, wall: float) -> None:
        self.kept_alive += 1
        self.say("{}")


def stub_host() -> Host:
    service = StubService()
    return Host(service, service.world)
