"""The server's sockets: what ASGI alone could not do, and what a client that misbehaves must not do."""

import asyncio
import contextlib
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from algo.errors import SettingError
from algo.sandbox.authority import Authority
from algo.sandbox.faults import Asked, Fault
from algo.sandbox.host import Host, encoded
from algo.sandbox.server import LARGEST_BODY, Running, in_thread, serve
from tests.sandbox.stub_service import StubService, stub_host

HEADERS = {"Authorization": "Bearer x"}


async def raw(running: Running, text: bytes) -> bytes:
    """What comes back for these bytes until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(text)
    got = b""
    with contextlib.suppress(ConnectionError):
        got = await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    return got


def upgrade(path: str, extra: str = "") -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n"
    ).encode()


async def test_a_request_comes_through_as_it_was_sent() -> None:
    service = StubService()
    async with (
        serve(Host(service, service.world)) as running,
        httpx.AsyncClient(base_url=running.url) as client,
    ):
        address = running.url + "//api/v2/Trading/NewOrder?a=1&A=&b=x%2Fy+z"
        answer = await client.post(address, content=b"{}", headers=HEADERS)
        assert answer.json() == {
            "method": "POST",
            "path": "//api/v2/Trading/NewOrder",
            "query": [["a", "1"], ["A", ""], ["b", "x/y z"]],
            "size": 2,
        }
        assert service.seen[0].header("Authorization") == "Bearer x"
        assert service.seen[0].body == b"{}"


async def test_node_starts_with_upgrade_headers_and_is_answered_plainly() -> None:
    async with serve(stub_host()) as running:
        got = await raw(running, upgrade("/v2.0/signalr/start?transport=webSockets"))
        assert got.startswith(b"HTTP/1.1 200 OK\r\n")
        assert json.loads(got.partition(b"\r\n\r\n")[2])["path"] == "/v2.0/signalr/start"


async def test_node_says_goodbye_with_upgrade_headers_too() -> None:
    async with serve(stub_host()) as running:
        text = upgrade("/v2.0/signalr/abort?transport=serverSentEvents", "Content-Length: 0\r\n")
        got = await raw(running, text.replace(b"GET", b"POST", 1))
        assert got.startswith(b"HTTP/1.1 200 OK\r\n")
        assert json.loads(got.partition(b"\r\n\r\n")[2])["method"] == "POST"


async def test_a_stream_opens_without_ping_and_ends_without_close() -> None:
    service = StubService()
    host = Host(service, service.world)
    async with serve(host) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(upgrade("/v2.0/signalr/connect", "Authorization: Bearer x\r\n"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert await reader.readexactly(26) == encoded('{"C":"d-0","S":1,"M":[]}')
        service.say("x" * 70_000)
        size = len(encoded("x" * 70_000))
        assert await reader.readexactly(size) == encoded("x" * 70_000)
    rest = b""
    with contextlib.suppress(ConnectionError):
        rest = await reader.read(-1)
    assert rest == b"", "only keep-alives of the hub's own may come, and no Close frame"
    writer.close()
    assert not service.streams


async def test_an_upgrade_elsewhere_is_a_plain_request_and_one_without_a_token_is_refused() -> None:
    service = StubService()
    async with serve(Host(service, service.world)) as running:
        assert (await raw(running, upgrade("/v2.0/signalr/negotiate"))).startswith(b"HTTP/1.1 200 OK")
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{running.port}/v2.0/signalr/connect")
        assert refused.value.response.status_code == 401
        assert not service.streams


async def test_messages_go_both_ways_and_fragments_are_put_together() -> None:
    service = StubService()
    url = "/v2.0/signalr/reconnect"
    async with (
        serve(Host(service, service.world)) as running,
        connect(f"ws://127.0.0.1:{running.port}{url}", additional_headers=HEADERS) as client,
    ):
        assert json.loads(await client.recv())["S"] == 1
        await client.send(["a", "b", "c"])
        assert json.loads(await client.recv()) == {"I": "abc"}
        await client.send(b"binary is not for a hub")
        await client.send("d")
        assert json.loads(await client.recv()) == {"I": "d"}
        await client.ping()


async def test_rubbish_from_one_client_ends_that_one_alone() -> None:
    service = StubService()
    notes: list[str] = []
    async with serve(Host(service, service.world, note=notes.append)) as running:
        address = f"ws://127.0.0.1:{running.port}/connect"
        good = await connect(address, additional_headers=HEADERS)
        bad = await connect(address, additional_headers=HEADERS)
        large = await connect(address, additional_headers=HEADERS)
        await bad.recv()
        await bad.send("raise")
        with pytest.raises(ConnectionClosed):
            await bad.recv()
        await large.recv()
        with pytest.raises(ConnectionClosed):
            await large.send("x" * 1_000_000)
            await large.recv()
        await good.recv()
        await good.send("still here")
        assert json.loads(await good.recv()) == {"I": "still here"}
        await good.close()
        async with httpx.AsyncClient(base_url=running.url) as client:
            failed = await client.get("/raise")
            assert (failed.status_code, failed.text) == (500, "Internal Server Error")
    assert len(notes) == 2 and not any("secret" in note for note in notes)


async def test_a_client_that_does_not_read_is_cut_off_without_harm_to_the_rest() -> None:
    service = StubService()
    async with serve(Host(service, service.world)) as running:
        address = f"ws://127.0.0.1:{running.port}/connect"
        stalled_reader, stalled = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
        stalled.write(upgrade("/connect", "Authorization: Bearer x\r\n"))
        await stalled_reader.readuntil(b"\r\n\r\n")
        stalled.transport.pause_reading()
        async with connect(address, additional_headers=HEADERS, max_size=None) as reading:
            await reading.recv()
            for number in range(64):
                service.say(f"{number:03}" + "x" * 500_000)
                assert (await reading.recv())[:3] == f"{number:03}"
                if len(service.streams) == 1:
                    break
            assert len(service.streams) == 1, "32 MB wait for a client that reads nothing"
            service.say("after")
            assert await reading.recv() == "after"
        stalled.transport.abort()


async def test_a_long_replay_reaches_a_client_that_reads() -> None:
    service = StubService()
    async with serve(Host(service, service.world)) as running:
        address = f"ws://127.0.0.1:{running.port}/connect"
        async with connect(address, additional_headers=HEADERS, max_size=None) as client:
            await client.recv()
            for stream in service.streams:
                stream.queue = [f"{number:03}" + "x" * 1_000_000 for number in range(20)]
                stream.put("last")
            assert [(await client.recv())[:3] for _ in range(20)] == [f"{n:03}" for n in range(20)]
            assert await client.recv() == "last"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
    ],
)
async def test_pages_of_other_sites_are_kept_out(headers: dict[str, str]) -> None:
    service = StubService()
    async with (
        serve(Host(service, service.world)) as running,
        httpx.AsyncClient(base_url=running.url) as client,
    ):
        for path in ("/", "/api/v2/Trading/orderBook", "/control/state"):
            assert (await client.get(path, headers=headers)).status_code == 403
        extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name != "Host")
        text = upgrade("/connect", extra)
        if "Host" in headers:
            text = text.replace(b"Host: 127.0.0.1", f"Host: {headers['Host']}".encode())
        assert (await raw(running, text)).startswith(b"HTTP/1.1 403 ")
    assert not service.seen and not service.streams


async def test_large_and_broken_requests_are_refused_and_the_server_goes_on() -> None:
    service = StubService()
    async with (
        serve(Host(service, service.world)) as running,
        httpx.AsyncClient(base_url=running.url) as client,
    ):
        assert (await client.post("/x", content=b"x" * (LARGEST_BODY + 1))).status_code == 413

        async def pieces():
            for _ in range(LARGEST_BODY // 1000 + 2):
                yield b"x" * 1000

        with contextlib.suppress(httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
            assert (await client.post("/x", content=pieces())).status_code == 413
        assert (await raw(running, b"rubbish\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        head = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n"
        assert (await raw(running, head)).startswith((b"HTTP/1.1 400 ", b""))
        assert (await client.post("/x", content=b"x" * LARGEST_BODY)).json()["size"] == LARGEST_BODY
    assert [len(request.body) for request in service.seen] == [LARGEST_BODY]


async def test_faults_break_the_connection_in_the_promised_place() -> None:
    service = StubService()
    host = Host(service, service.world)
    async with serve(host) as running, httpx.AsyncClient(base_url=running.url) as client:
        for fault, reached in [(Fault.DROP, 0), (Fault.LOSE, 1), (Fault.CUT, 1)]:
            service.seen.clear()
            host.faults.ask(Asked(fault, match="NewOrder"))
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post("/NewOrder", content=b"{}")
            assert len(service.seen) == reached
        for fault, status in [(Fault.ERROR, 500), (Fault.QUOTA, 429), (Fault.GATEWAY, 502)]:
            host.faults.ask(Asked(fault))
            assert (await client.post("/NewOrder", content=b"{}")).status_code == status
        host.faults.ask(Asked(Fault.DELAY, seconds=0.01))
        assert (await client.post("/NewOrder", content=b"{}")).status_code == 200


async def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    async with serve(stub_host()) as running:
        with pytest.raises(SettingError, match="choose another --port"):
            async with serve(stub_host(), port=running.port):
                pass


async def test_tls_is_verified_against_the_authority() -> None:
    import ssl

    authority = Authority()
    async with serve(stub_host(), authority=authority) as running:
        assert running.url.startswith("https://")
        context = ssl.create_default_context(cadata=authority.certificate.decode())
        async with httpx.AsyncClient(base_url=running.url, verify=context) as client:
            assert (await client.get("/x")).json()["path"] == "/x"
        address = f"wss://localhost:{running.port}/connect"
        async with connect(address, additional_headers=HEADERS, ssl=context) as stream:
            assert json.loads(await stream.recv())["S"] == 1


def test_in_a_thread_for_callers_that_block() -> None:
    with in_thread(lambda: serve(stub_host())) as running:
        assert httpx.get(running.url + "/x").json()["path"] == "/x"
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url + "/x")
