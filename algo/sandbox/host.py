"""The sandbox between its sockets: requests in, answers and events out, and market time that passes.

It runs on one event loop and nowhere else. Everything that decides is in the service, the world and the
faults; here is when they are asked, what is written down first, and who hears of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from algo.errors import place_of
from algo.sandbox.faults import Faults
from algo.sandbox.messages import Request, Response
from algo.sandbox.pace import Pace
from algo.sandbox.roles import Journal, Market, Server, Socket, Stop, Stream

TICK = 0.01
"""Seconds between looks at the clock."""
GATHER = 0.004
"""Seconds for which events are gathered before they are sent, so that many go in one frame."""
NIGHT = 15.0
"""Seconds of the machine's that a market which runs by itself rests when its day is over."""
_TURN = 0.02
"""Seconds that the market may run before sockets have their turn."""
_UNKNOWN = Response(500, b"Internal Server Error", "text/plain; charset=utf-8")


class Answer(NamedTuple):
    """What comes of a request. Without a response the connection ends; with `cut` it ends amid the body."""

    response: Response | None
    cut: bool = False


class Host:
    """One running sandbox. `note` hears lines for the console."""

    def __init__(
        self,
        service: Server,
        world: Market,
        *,
        speed: float = 0.0,
        faults: Faults | None = None,
        note: Callable[[str], None] = lambda _: None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.service = service
        self.world = world
        self.faults = faults or Faults()
        self.pace = Pace(speed, world.now, time.monotonic())
        self.note = note
        self.wall = wall
        self._control: Callable[[Request], Response] | None = None
        self.closed: Callable[[], bool] = lambda: False
        """Whether every board is closed, so that time may be left out until something happens."""
        self._rest = 0.0
        self._played = False
        self._journal: Journal | None = None
        self._stops = 0
        self._sockets: dict[Stream, Socket] = {}
        self._ready: dict[Stream, None] = {}
        self._due: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, control: Callable[[Request], Response], journal: Journal | None) -> None:
        """Let the operator's requests in, and write down what happens from now on."""
        self._control, self._journal = control, journal
        self.pace.restart(self.world.now, time.monotonic())

    # Requests

    async def answer(self, request: Request) -> Answer:
        """What comes of an HTTP request."""
        try:
            return await self._answered(request)
        except Exception as error:  # noqa: BLE001 - no handler's: those are guarded
            self._fail(error)
            return Answer(_UNKNOWN)

    async def _answered(self, request: Request) -> Answer:
        if self._control is not None and request.path.lstrip("/").startswith("control/"):
            return Answer(self.guarded(self._control, request))
        treatment = self.faults.treat(request)
        if treatment.unheard:
            return Answer(None)
        response = treatment.instead or self.carry_out(request)
        if treatment.seconds:
            await asyncio.sleep(treatment.seconds)
        return Answer(treatment.after(response), treatment.cut)

    def carry_out(self, request: Request) -> Response:
        """Let the service answer; what it caused is sent soon."""
        wall = self.wall()
        response = self.guarded(lambda one: self.service.handle(one, wall), request)
        if response.status != 429 and (request.method != "GET" or "/signalr/" in request.path):
            self.write_down(request, wall)
        self.wake()
        return response

    def write_down(self, request: Request, wall: float = 0.0) -> None:
        """Write down a request that may have changed something, and the moment of the market."""
        if self._journal is not None:
            self._mark()
            self._journal.requested(request, wall)

    def guarded(self, work: Callable[[Request], Response], request: Request) -> Response:
        """A handler's answer. One that fails must not stop the server, nor say to the client why."""
        try:
            return work(request)
        except Exception as error:  # noqa: BLE001
            self.note(f"{request.method} {request.path} failed: {place_of(error)}")
            return _UNKNOWN

    def _fail(self, error: Exception) -> None:
        """What keeps market, record or streams going failed: nothing may go on as if it had not."""
        self._failure = self._failure or error

    # Streams

    def connect(self, request: Request) -> Stream | Response:
        """A stream for a client that asks for one, or the answer that refuses it."""
        treatment = self.faults.treat(request)
        if treatment.instead is not None:
            return treatment.instead
        try:
            found: Stream | Response = self.service.connect(request, self.wall())
        except Exception as error:  # noqa: BLE001
            self._fail(error)
            return _UNKNOWN
        return found

    def hear(self, stream: Stream, text: str) -> None:
        """A message from a client of a hub."""
        try:
            stream.receive(text, self.wall())
        except Exception as error:  # noqa: BLE001  rubbish from one client is no reason to stop the others
            self.note(f"a message to the hub failed: {type(error).__name__}")
            if stream in self._sockets:
                self._sockets[stream].drop()

    def remember(self, socket: Socket) -> None:
        """A socket's stream may send from now on."""
        stream = socket.stream
        assert stream is not None
        self._sockets[stream] = socket
        stream.on_ready = lambda: self._has_frames(stream)
        self._has_frames(stream)

    def forget(self, socket: Socket) -> None:
        """A socket is gone."""
        if socket.stream is not None:
            socket.stream.on_ready = None
            self._sockets.pop(socket.stream, None)
            self._ready.pop(socket.stream, None)

    @property
    def streams(self) -> int:
        """How many clients listen to a hub."""
        return len(self._sockets)

    def drop_streams(self) -> None:
        """End every stream without a close."""
        for socket in list(self._sockets.values()):
            socket.drop()

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it on the event loop, and keep it from being forgotten."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _has_frames(self, stream: Stream) -> None:
        self._ready[stream] = None
        self.wake()

    def wake(self) -> None:
        """Send soon what there is to send."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(GATHER, self._flush_due)

    def _flush_due(self) -> None:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - the loop would only print it
            self._fail(error)

    def flush(self) -> None:
        """Send what there is to send. The same text to many streams is encoded once."""
        if self._due is not None:
            self._due.cancel()
        if self._stops:
            self._mark()
        self.service.publish()
        ready, self._ready = self._ready, {}
        known: dict[str, bytes] = {}
        for stream in ready:
            socket = self._sockets.get(stream)
            if socket is None:
                continue
            frames = []
            for text in stream.frames():
                frame = known.get(text)
                if frame is None:
                    frame = known[text] = encoded(text)
                frames.append(frame)
            if frames:
                socket.send(b"".join(frames))
            if stream.closed:
                socket.drop()
        self._due = None

    # Time

    def step(self, stops: int = 1) -> Stop | None:
        """Run so many stops of the market and send what they caused; the last one, None at the end."""
        last = None
        done = 0
        for _ in range(stops):
            found = self.world.step()
            if found is None:
                break
            last = found
            done += 1
        self._stops += done
        self._passed()
        return last

    def approach(self, to: int) -> None:
        """Let the market run up to `to` (ns), with what is due at that moment still to come."""
        while (stop := self.world.next_stop()) is not None and stop.ns < to:
            self.world.step()
            self._stops += 1
        self.world.approach(to)
        self._passed()

    def advance(self, to: int) -> None:
        """Let the market run up to `to` (ns) and send what that caused."""
        while (stop := self.world.next_stop()) is not None and stop.ns <= to:
            self.world.step()
            self._stops += 1
        self.world.advance(to)
        self._passed()

    def change_speed(self, speed: float) -> None:
        """Let market time pass at `speed`, 0 to step it by hand."""
        self.pace.change(speed, self.world.now, time.monotonic())

    def _passed(self) -> None:
        self._mark()
        self.pace.restart(self.world.now, time.monotonic())
        self.flush()

    def _mark(self) -> None:
        """Write down how far market time is, before anyone hears of what that caused."""
        if self._journal is not None:
            self._journal.stepped(self._stops, self.world.now)
        self._stops = 0

    def tick(self) -> None:
        """Let the market do what is due, for a short while at most. Nights are left out, after a rest."""
        if not self.pace.speed:
            return
        world = self.world
        began = time.monotonic()
        due = self.pace.due(began)
        if due < world.now:
            due = world.now
            self.pace.restart(due, began)
        stopped = False
        while (stop := world.next_stop()) is not None:
            if stop.ns > due:
                if not self._night_is_over(began):
                    break
                due = stop.ns
                self.pace.restart(due, began)
            world.step()
            self._stops += 1
            stopped = True
            if time.monotonic() - began > _TURN:
                # Behind: time slips. Another stop at this very moment waits for the next turn.
                self.pace.restart(world.now, time.monotonic())
                due = 0
                break
        if stop is None:
            self.note("the market is at the end of its data: its clock stands")
            self.change_speed(0.0)
        elif due > world.now:
            world.advance(due)
        if stopped:
            self.wake()

    def _night_is_over(self, monotonic: float) -> bool:
        """Whether nothing trades, and the rest after the day was long enough."""
        if not self.closed():
            self._rest, self._played = 0.0, True
            return False
        if not self._rest:
            self._rest = monotonic + NIGHT
            if self._played:
                self.note(f"the trading day is over; the next one begins in {NIGHT:.0f} s")
        return monotonic >= self._rest or not self._played

    async def run(self) -> None:
        """Keep time until cancelled. Raises what made the market, its record or its streams fail."""
        beat = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            if self._failure is not None:
                raise self._failure
            self.tick()
            if time.monotonic() - beat >= 1.0:
                beat = time.monotonic()
                self.service.keep_alive(self.wall())


def encoded(text: str) -> bytes:
    """A WebSocket text frame from a server: unmasked, whole."""
    body = text.encode()
    size = len(body)
    if size < 126:
        return bytes((0x81, size)) + body
    if size < 65_536:
        return bytes((0x81, 126)) + size.to_bytes(2, "big") + body
    return bytes((0x81, 127)) + size.to_bytes(8, "big") + body
