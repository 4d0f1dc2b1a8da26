"""How much the sandbox takes: signed orders over many connections, and events to many streams.

The server is a process of its own on one core; the clients share what else there is. Orders are signed with a
1024-bit key before the clock starts, and sent over keep-alive connections, each waiting for its answer. Then
100 clients of the trading stream each hear every event for a minute, while one more reads nothing and is cut
off. A delay is from the moment an order is sent to the moment a client has its event: the order's way through
the server is in it.

    python benchmarks/sandbox_load.py [--seconds N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

CONNECTIONS = 20
STREAMS = 100
EVENTS = 200
"""A second."""
BATCH = 5
"""Orders that are sent together while streams are measured."""
FIRST = 10_000_000
UNIQUE = re.compile(rb'uniqueID\\":\\"(\d+)')
NOTIFY = re.compile(rb'notifyID\\":(\d+)')


# The server


async def serve() -> None:
    """A sandbox whose market stands in the middle of a session; its document goes to stdout."""
    from algo.clock import MINUTE
    from algo.data.synthetic import make
    from algo.sandbox.assembly import assemble
    from algo.sandbox.recipe import Recipe
    from algo.sandbox.server import serve as serving
    from algo.sandbox.sources.bars import BarReplay

    source = BarReplay(make(["FPT", "HPG", "VN30F1M"], days=2))
    sandbox = assemble(Recipe.new(cash=10**17), source=source, limited=False)
    sandbox.world.advance(sandbox.world.now + 10 * 60 * MINUTE)
    async with serving(sandbox.host) as running:
        document = sandbox.document(running.url)
        document["last"] = {name: state.last for name, state in sandbox.world.tape.states.items()}
        print(json.dumps(document), flush=True)
        await asyncio.Event().wait()


# The clients


class Orders:
    """Signed orders as HTTP requests, each with a request id of its own."""

    def __init__(self, document: dict[str, Any], token: str) -> None:
        from algo.brokers.fctrading.signing import parse_key

        self._key = parse_key(document["private_key"])
        self._account = document["accounts"]["equity"]
        self._token = token
        self._price = document["last"]["FPT"]
        self._ids = count(FIRST)

    def make(self) -> tuple[int, bytes]:
        """The next order: a purchase below the market, so that it stays."""
        number = next(self._ids)
        body = json.dumps(
            {
                "account": self._account, "requestID": str(number), "instrumentID": "FPT", "market": "VN",
                "buySell": "B", "orderType": "LO", "price": self._price - 100.0 * (1 + number % 5),
                "quantity": 100, "stopOrder": False, "stopPrice": 0.0, "stopType": "", "stopStep": 0.0,
                "lossStep": 0.0, "profitStep": 0.0, "channelID": "TA", "code": "", "deviceId": "AA-BB",
                "userAgent": "load",
            }
        ).encode()  # fmt: skip
        head = (
            "POST /api/v2/Trading/NewOrder HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self._token}\r\nX-Signature: {self._key.sign(body)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return number, head.encode() + body


async def answered(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


async def ask(port: int, text: bytes) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    found = json.loads(await answered(reader))
    writer.close()
    return found


async def signed_in(document: dict[str, Any], port: int) -> str:
    body = json.dumps(
        {
            "consumerID": document["consumer_id"], "consumerSecret": document["consumer_secret"],
            "twoFactorType": 0, "code": document["pin"], "isSave": True,
        }
    ).encode()  # fmt: skip
    head = (
        "POST /api/v2/Trading/AccessToken HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (await ask(port, head.encode() + body))["data"]["accessToken"]


async def order_rate(orders: Orders, port: int, number: int) -> float:
    """Orders accepted in a second, over all connections."""
    made = [orders.make()[1] for _ in range(number)]
    waiting = iter(made)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for text in waiting:
            writer.write(text)
            body = await answered(reader)
            assert b'"status":200' in body, body
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return number / (time.perf_counter() - began)


class Stream(asyncio.Protocol):
    """One listener: which events it had, and how late they were."""

    def __init__(self, target: str, token: str, notify_id: str, sent: dict[int, float]) -> None:
        self._head = (
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {token}\r\nNotifyID: {notify_id}\r\n\r\n"
        )
        self._sent = sent
        self._rest = b""
        self._open = False
        self.ids: set[bytes] = set()
        self.delays: list[float] = []
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self._head.encode())  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._rest + data
        place = 0
        if not self._open:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            assert data.startswith(b"HTTP/1.1 101"), data[:100]
            self._open, place = True, end + 4
        while len(data) >= place + 4:
            size, begin = data[place + 1], place + 2
            if size == 126:
                size, begin = int.from_bytes(data[begin : begin + 2], "big"), begin + 2
            elif size == 127:
                size, begin = int.from_bytes(data[begin : begin + 8], "big"), begin + 8
            if len(data) < begin + size:
                break
            frame = data[begin : begin + size]
            self.ids.update(NOTIFY.findall(frame))
            sent = self._sent
            self.delays += [
                now - sent[number] for number in map(int, UNIQUE.findall(frame)) if number in sent
            ]
            place = begin + size
        self._rest = data[place:]


async def listening(port: int, token: str, notify_id: str, sent: dict[int, float]) -> Stream:
    query = "connectionData=%5B%7B%22name%22%3A%20%22BroadcastHubV2%22%7D%5D&clientProtocol=1.3"
    found = await ask(
        port,
        f"POST /v2.0/signalr/negotiate?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode(),
    )
    target = f"/v2.0/signalr/connect?transport=webSockets&connectionToken={found['ConnectionToken']}&{query}"
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(
        lambda: Stream(target, token, notify_id, sent), "127.0.0.1", port
    )
    return stream


async def until(condition: Any, seconds: float) -> bool:
    for _ in range(int(seconds * 100)):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False


async def stream_load(orders: Orders, port: int, token: str, view: bytes, seconds: float) -> dict[str, float]:
    """Events to every stream, their delays, and what became of the client that reads nothing."""
    sent: dict[int, float] = {}
    streams = [await listening(port, token, "-1", sent) for _ in range(STREAMS)]
    stalled = await listening(port, token, "-1", sent)
    assert isinstance(stalled.transport, asyncio.Transport)
    stalled.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.transport.pause_reading()
    made = [orders.make() for _ in range(int(seconds * EVENTS / 3) // BATCH * BATCH)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    for place in range(0, len(made), BATCH):
        due = began + place * 3 / EVENTS
        while (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        for number, text in made[place : place + BATCH]:
            sent[number] = time.perf_counter()
            writer.write(text)
            await answered(reader)
    took = time.perf_counter() - began
    writer.close()
    await until(lambda: len({len(stream.ids) for stream in streams}) == 1, 5)
    whole = await listening(port, token, "0", {})
    first = min(min(map(int, stream.ids)) for stream in streams)
    await until(lambda: streams[0].ids <= whole.ids, 5)
    events = {number for number in whole.ids if int(number) >= first}
    delays = sorted(delay for stream in streams for delay in stream.delays)
    left = (await ask(port, view))["streams"]
    stalled.transport.abort()
    return {
        "events": len(events),
        "events_per_second": len(events) / took,
        "events_lost": sum(len(events - stream.ids) for stream in streams),
        "streams_lost": sum(stream.lost for stream in streams),
        "delay_p50_ms": statistics.median(delays) * 1000,
        "delay_p99_ms": delays[int(len(delays) * 0.99)] * 1000,
        "delay_max_ms": delays[-1] * 1000,
        "stalled_cut_off": float(left == STREAMS + 1),
    }


async def measure(document: dict[str, Any], number: int, seconds: float) -> dict[str, tuple[float, str]]:
    port = int(document["url"].rstrip("/").rpartition(":")[2])
    token = await signed_in(document, port)
    orders = Orders(document, token)
    await order_rate(orders, port, 200)  # warm up
    rate = await order_rate(orders, port, number)
    view = (
        "POST /control/view HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n"
        f"X-Control-Token: {document['control']['token']}\r\n\r\n{{}}"
    )
    found = await stream_load(orders, port, token, view.encode(), seconds)
    units = {
        "delay_p50_ms": "ms",
        "delay_p99_ms": "ms",
        "delay_max_ms": "ms",
        "events_per_second": "events/s",
    }
    return {"orders_per_second": (rate, "orders/s")} | {
        name: (value, units.get(name, "count")) for name, value in found.items()
    }


def pinned(core: int) -> None:
    """Keep this process on one core, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        pinned(0)
        asyncio.run(serve())
        return
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        document = json.loads(server.stdout.readline())
        pinned(1)
        figures = asyncio.run(measure(document, arguments.orders, arguments.seconds))
    finally:
        server.kill()
        server.wait()
    if arguments.json:
        print(
            json.dumps(
                {"figures": {name: {"value": round(v, 3), "unit": u} for name, (v, u) in figures.items()}}
            )
        )
        return
    for name, (value, unit) in figures.items():
        print(f"{name:20} {value:>12,.1f} {unit}")


if __name__ == "__main__":
    main()
