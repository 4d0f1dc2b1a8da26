"""From the decision to place an order to the signed request at the server: algo and SSI's own client.

Both send the same orders to the same local TLS server, in one run, in turns. The server is a process of its
own; it notes when the last byte of each request has arrived, on the clock that all processes share.

    python benchmarks/order_path.py [--orders N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

TURN = 25
"""Orders that one client sends before it is the other's turn."""
WARM_UP = 10


def token() -> str:
    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part({'exp': int(time.time()) + 8 * 3600})}.c2ln"


# The server


async def serve(certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    arrivals: dict[str, float] = {}

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                moment = time.monotonic()
                path = head.split(b" ")[1]
                data: object = {"accessToken": token()}
                if path.endswith(b"neworder"):
                    assert b"x-signature:" in head
                    request = json.loads(body)
                    arrivals[request["requestID"]] = moment
                    data = {"requestID": request["requestID"], "requestData": request}
                elif path.endswith(b"arrivals"):
                    data = arrivals
                answer = json.dumps({"message": "Success", "status": 200, "data": data}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# The clients


def official(url: str, private_key: str):
    """A function that places one order with SSI's client and gives the moment of the decision."""
    import ssi_fctrading
    from ssi_fctrading.models import fcmodel_requests

    client = ssi_fctrading.FCTradingClient(url + "/", "id", "secret", private_key, 0)
    client.verifyCode("123456")

    def place(request_id: str) -> float:
        with contextlib.redirect_stdout(io.StringIO()):
            began = time.monotonic()
            answer = client.new_order(
                fcmodel_requests.NewOrder("0901351", request_id, "SSI", "VN", "B", "LO", 21000.0, 300)
            )
        assert answer["status"] == 200
        return began

    return place


async def ours(url: str, private_key: str, ca_file: str):
    """A coroutine function that does the same with algo."""
    from algo.brokers.fctrading.api import TradingApi
    from algo.brokers.fctrading.credentials import Accounts, Credentials
    from algo.brokers.fctrading.outcome import Fate
    from algo.brokers.fctrading.quota import Quota, Rule
    from algo.brokers.fctrading.requests import NewOrder
    from algo.brokers.fctrading.rest import Rest
    from algo.brokers.fctrading.session import Session
    from algo.brokers.fctrading.signing import parse_key
    from algo.fastconnect.addresses import Endpoints
    from algo.fastconnect.secret import Secret
    from algo.fastconnect.tokens import Moment
    from algo.fastconnect.transport import open_client, trust

    credentials = Credentials(
        Secret("id"),
        Secret("secret"),
        parse_key(private_key),
        Accounts("0901351"),
        Endpoints(url, url, url, url),
    )
    quota = Quota([Rule("*", 1.0, 100_000)])
    client = open_client(url, trust(Path(ca_file)))
    rest = Rest(client, credentials.key, random=random.random, quota=quota)
    session = Session(credentials, rest.sign_in, lambda: Moment(time.time(), time.monotonic()))
    rest.use(session)
    api = TradingApi(rest)
    await session.login(Secret("123456"))

    async def place(request_id: str) -> float:
        began = time.monotonic()
        outcome = await api.new_order(
            NewOrder(
                account="0901351",
                request_id=request_id,
                instrument_id="SSI",
                market="VN",
                buy_sell="B",
                order_type="LO",
                price=21000.0,
                quantity=300,
            )
        )
        assert outcome.fate is Fate.RECEIVED
        return began

    return place, rest


async def measure(url: str, ca_file: str, orders: int) -> dict[str, list[float]]:
    """Milliseconds from decision to arrival, for each client."""
    from algo.brokers.fctrading.signing import generate

    private_key = generate(1024).private_text().reveal()
    theirs = official(url, private_key)
    mine, rest = await ours(url, private_key, ca_file)
    began: dict[str, dict[str, float]] = {"official": {}, "algo": {}}
    number = 10_000_000
    for done in range(0, orders + WARM_UP, TURN):
        for _ in range(min(TURN, orders + WARM_UP - done)):
            number += 1
            began["official"][str(number)] = theirs(str(number))
        for _ in range(min(TURN, orders + WARM_UP - done)):
            number += 1
            began["algo"][str(number)] = await mine(str(number))
    reply = await rest._client.get("/arrivals")
    arrivals = reply.json()["data"]
    await rest.close()
    return {
        name: [(arrivals[key] - moment) * 1000 for key, moment in list(moments.items())[WARM_UP:]]
        for name, moments in began.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(arguments.serve))
        return

    import trustme

    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        ca_file, certificate = str(Path(folder, "ca.pem")), str(Path(folder, "server.pem"))
        authority.cert_pem.write_to_path(ca_file)
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
        os.environ["REQUESTS_CA_BUNDLE"] = ca_file
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", certificate], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            url = f"https://localhost:{server.stdout.readline().strip()}"
            found = asyncio.run(measure(url, ca_file, arguments.orders))
        finally:
            server.kill()
            server.wait()

    figures, ratios = {}, {}
    for percent in (50, 99):
        values = {}
        for name, times in found.items():
            values[name] = statistics.quantiles(times, n=100, method="inclusive")[percent - 1]
            figures[f"{name}_p{percent}"] = {"value": round(values[name], 3), "unit": "ms"}
        ratios[f"p{percent}_vs_official"] = round(values["algo"] / values["official"], 4)
    if arguments.json:
        print(json.dumps({"figures": figures, "ratios": ratios}))
        return
    print(f"{'decision to signed request at the server':42} {'p50':>10} {'p99':>10}")
    for name in found:
        row = [figures[f"{name}_p{percent}"]["value"] for percent in (50, 99)]
        print(f"{name:42} {row[0]:>7.3f} ms {row[1]:>7.3f} ms")
    print(f"{'algo to official':42} {ratios['p50_vs_official']:>10.3f} {ratios['p99_vs_official']:>10.3f}")


if __name__ == "__main__":
    main()
