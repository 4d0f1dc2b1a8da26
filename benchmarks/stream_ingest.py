"""Order events from the socket to whoever acts on them: algo and SSI's own client.

A local server, a process of its own, sends the same messages to both: one order event a frame, each with a
new price of one of a strategy's working orders. On algo's side every message goes through the adapter and the
engine to the strategy's ``on_order``, fills to ``on_fill`` too; on the other side it goes to the client's
callback, which decodes its JSON. They take turns in one run.

    python benchmarks/stream_ingest.py [--messages N] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import hashlib
import json
import statistics
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

ORDERS = 20
EVERY_FILL = 10
"""One message in so many is a fill."""
SYMBOL = "VN30F2612"
FIRST = 10_000_000


def token() -> str:
    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part({'exp': int(time.time()) + 8 * 3600})}.c2ln"


# The server


def message(number: int, ids: list[str], began: int) -> dict:
    """The message of this number about one of the orders."""
    which = number % ORDERS
    common = {
        "orderID": f"26061100{which:06}",
        "notifyID": number + 1,
        "data": None,
        "instrumentID": SYMBOL,
        "uniqueID": ids[which],
        "buySell": "B",
        "ipAddress": "192.168.202.36",
        "prefix": "2mw",
        "account": "0901358",
    }
    if number // ORDERS % EVERY_FILL == EVERY_FILL - 1:
        match = {"matchPrice": 1400.0, "matchQty": 1, "matchTime": str(began + number)}
        return {"type": "orderMatchEvent", "data": common | match}
    filled = number // ORDERS // EVERY_FILL
    order = {
        "lastAction": "NEW_ORDER",
        "orderType": "LO",
        "price": 1400.0 + number // ORDERS % 5,
        "quantity": 250,
        "marketID": "VNFE",
        "origOrderId": "",
        "cancelQty": 0,
        "osQty": 250 - filled,
        "filledQty": filled,
        "avgPrice": 1400.0 if filled else 0.0,
        "channel": "TA",
        "inputTime": str(began),
        "modifiedTime": str(began + number),
        "isForceSell": "F",
        "isShortSell": "F",
        "orderStatus": "PF" if filled else "QU",
        "rejectReason": "",
        "origRequestID": ids[which],
        "stopOrder": False,
        "stopPrice": 0.0,
        "stopType": "",
        "stopStep": 0.0,
        "profitPrice": 0.0,
    }
    return {"type": "orderEvent", "data": common | order}


def frame(text: str) -> bytes:
    """A WebSocket text frame, unmasked."""
    body = text.encode()
    if len(body) < 126:
        return bytes((0x81, len(body))) + body
    return bytes((0x81, 126)) + len(body).to_bytes(2, "big") + body


def frames(count: int, ids: list[str], began: int) -> bytes:
    made = [frame('{"C":"d-0","S":1,"M":[]}')]
    for number in range(count):
        text = json.dumps(message(number, ids, began))
        made.append(
            frame(
                json.dumps(
                    {"C": f"d-{number}", "M": [{"H": "BroadcastHubV2", "M": "Broadcast", "A": [text]}]}
                )
            )
        )
    return b"".join(made)


async def serve(count: int, ids: list[str], began: int) -> None:
    stream = frames(count, ids, began)
    negotiation = {
        "Url": "/v2.0/signalr", "ConnectionToken": "t", "ConnectionId": "i", "KeepAliveTimeout": 20.0,
        "DisconnectTimeout": 30.0, "ConnectionTimeout": 110.0, "TryWebSockets": True,
        "ProtocolVersion": "1.3", "TransportConnectTimeout": 5.0, "LongPollDelay": 0.0,
    }  # fmt: skip

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(
                    line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
                )
                await reader.readexactly(int(fields.get(b"content-length", 0)))
                path = head.split(b" ")[1]
                if b"/connect" in path:
                    for line in head.split(b"\r\n"):
                        if line.lower().startswith(b"sec-websocket-key"):
                            key = line.split(b": ", 1)[1].strip()
                    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
                    writer.write(
                        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
                    )
                    await writer.drain()
                    for place in range(0, len(stream), 65_536):
                        writer.write(stream[place : place + 65_536])
                        await writer.drain()
                    await reader.read()
                    break
                data = {"message": "Success", "status": 200, "data": {"accessToken": token()}}
                answer = json.dumps(negotiation if b"negotiate" in path else data).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    % len(answer)
                    + answer
                )
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# The clients


def official(url: str, private_key: str, count: int) -> float:
    """Messages a second at the callback of SSI's client, decoded."""
    import ssi_fctrading
    from ssi_fctrading.fc_stream import FCTradingStream

    client = ssi_fctrading.FCTradingClient(url + "/", "id", "secret", private_key, 0)
    done = threading.Event()
    seen = 0
    began = ended = 0.0

    def on_message(text: str) -> None:
        nonlocal seen, began, ended
        json.loads(text)
        seen += 1
        if seen == 1:
            began = time.perf_counter()
        if seen == count:
            ended = time.perf_counter()
            done.set()

    stream = FCTradingStream(client, url + "/v2.0", on_message, print)
    with contextlib.redirect_stdout(sys.stderr):
        stream.start()
        assert done.wait(120), f"{seen} of {count}"
        stream.connection._Connection__transport._ws.close()  # its own close() raises AttributeError
    return (count - 1) / (ended - began)


def desk(began: int):
    """An engine whose strategy has its orders out, the strategy, and the commands that placed them."""
    import numpy as np

    from algo import Strategy
    from algo.clock import local_date
    from algo.engine import Engine
    from algo.errors import DataError
    from algo.history import History
    from algo.market import instrument_of
    from algo.model import Account, Board, DayStarted, SessionChanged
    from algo.orders import Venue
    from algo.portfolio import Portfolio

    class Counting(Strategy):
        """Puts its orders out and counts what it hears of them."""

        def on_start(self) -> None:
            self.heard = self.fills = 0
            for _ in range(ORDERS):
                self.buy(SYMBOL, 250, price=1400.0)

        def on_order(self, order) -> None:
            self.heard += 1

        def on_fill(self, fill) -> None:
            self.fills += 1

    whole, real = np.empty(0, np.int64), np.empty(0)
    history = History(SYMBOL, 60, whole, whole, real, real, real, real, whole)

    class Empty:
        def history(self, symbol: str, width: str | None) -> History:
            if width is not None:
                raise DataError("no bars")
            return history

    instrument = instrument_of(SYMBOL)
    ns = began * 10**6
    strategy = Counting()
    ledger = Portfolio({Account.DERIVATIVES: 10**15})
    engine = Engine({"s": (strategy, ledger)}, {SYMBOL: Venue(SYMBOL, instrument, history)}, Empty())
    engine.start(ns)
    engine.step(DayStarted(ns, local_date(ns), {SYMBOL: 14_000}))
    commands = list(engine.step(SessionChanged(ns, Board.DERIVATIVES, "LO")))
    assert len(commands) == ORDERS, engine.refusals
    strategy.heard = 0
    return engine, strategy, commands


async def ours(url: str, private_key: str, count: int, began: int) -> tuple[float, int, int]:
    """Messages a second at the strategy, and how many callbacks it had."""
    from algo.brokers.fctrading.adapter import FastConnect
    from algo.brokers.fctrading.connection import Connection
    from algo.brokers.fctrading.credentials import Accounts, Credentials
    from algo.brokers.fctrading.signing import parse_key
    from algo.fastconnect.addresses import Endpoints
    from algo.fastconnect.secret import Secret
    from algo.model import StreamLost, StreamRestored

    engine, strategy, commands = desk(began)
    who = Credentials(
        Secret("id"), Secret("secret"), parse_key(private_key), Accounts("", "0901358"),
        Endpoints(url, url, url, url),
    )  # fmt: skip
    broker = FastConnect(Connection(who), now=lambda: began * 10**6)
    for command in commands:
        broker.book.register.placed(command)
    running = asyncio.create_task(broker.stream.run())
    first = 0.0
    async for batch in broker.events():
        if not first and len(batch.events) > 1:
            first = time.perf_counter()
        for event in batch.events:
            if not isinstance(event, StreamLost | StreamRestored):
                engine.step(event)
        if batch.position.endswith(f"/{count}"):
            break
    rate = (count - 1) / (time.perf_counter() - first)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await broker.close()
    return rate, strategy.heard, strategy.fills


def request_ids() -> list[str]:
    """The ids that the strategy's orders get, in their order."""
    return [command.request_id for command in desk(int(time.time() * 1000))[2]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    count = arguments.messages
    if arguments.serve:
        asyncio.run(serve(count, arguments.serve[0].split(","), int(arguments.serve[1])))
        return

    from algo.brokers.fctrading.signing import generate
    from algo.clock import HO_CHI_MINH

    private_key = generate(1024).private_text().reveal()
    ten = datetime.now(HO_CHI_MINH).replace(hour=10, minute=0, second=0, microsecond=0)
    began = int(ten.timestamp() * 1000)
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", ",".join(request_ids()), str(began), "--messages", str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )
    rates: dict[str, list[float]] = {"official": [], "algo": []}
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        for _ in range(arguments.rounds):
            gc.collect()
            rates["official"].append(official(url, private_key, count))
            gc.collect()
            rate, heard, fills = asyncio.run(ours(url, private_key, count, began))
            rates["algo"].append(rate)
            assert heard >= count, f"the strategy heard {heard} of {count}"
            assert fills, "the strategy saw no fill"
    finally:
        server.kill()
        server.wait()

    middle = {name: statistics.median(values) for name, values in rates.items()}
    pairs = zip(rates["algo"], rates["official"], strict=True)
    ratio = round(statistics.median(mine / other for mine, other in pairs), 3)
    if arguments.json:
        figures = {name: {"value": round(value), "unit": "messages/s"} for name, value in middle.items()}
        print(json.dumps({"figures": figures, "ratios": {"messages_vs_official": ratio}}))
        return
    for name, value in middle.items():
        print(f"{name:10} {value:>12,.0f} messages a second")
    print(f"{'ratio':10} {ratio:>12.2f}")


if __name__ == "__main__":
    main()
