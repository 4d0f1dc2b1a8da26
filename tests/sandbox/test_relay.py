"""The relay passes every byte on, and breaks connections in each way that it promises."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from algo.sandbox.relay import Relay, Way


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[Relay]:
    """A relay in front of a server that says back what it hears."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        async with Relay(server.sockets[0].getsockname()[1]) as relay:
            yield relay
    finally:
        server.close()


async def connected(relay: Relay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", relay.port)


async def everything(reader: asyncio.StreamReader) -> bytes:
    """What comes until the end, however the connection ends."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            got += data
    return got


@given(data=st.binary(min_size=1, max_size=3000), largest=st.integers(1, 4000))
async def test_every_byte_comes_back_in_order_and_the_end_is_told(data: bytes, largest: int) -> None:
    async with echoing() as relay:
        relay.largest = largest
        reader, writer = await connected(relay)
        writer.write(data)
        writer.write_eof()
        assert await everything(reader) == data
        writer.close()


@given(data=st.binary(min_size=2, max_size=500), part=st.integers(0, 498))
async def test_a_cut_passes_exactly_so_many_bytes(data: bytes, part: int) -> None:
    part %= len(data)
    async with echoing() as relay:
        relay.cut(part)
        reader, writer = await connected(relay)
        writer.write(data)
        assert await everything(reader) == data[:part]
        again, writer_again = await connected(relay)
        writer_again.write(data)
        writer_again.write_eof()
        assert await everything(again) == data, "a cut is over after one connection"
        for one in (writer, writer_again):
            one.close()


async def test_a_stall_holds_the_bytes_until_it_is_mended() -> None:
    async with echoing() as relay:
        reader, writer = await connected(relay)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        relay.stall(Way.DOWN)
        writer.write(b"b")
        waiting = asyncio.create_task(reader.readexactly(1))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not waiting.done()
        relay.mend()
        assert await waiting == b"b"
        writer.close()


async def test_half_open_tells_no_end() -> None:
    async with echoing() as relay:
        reader, writer = await connected(relay)
        writer.write(b"a")
        await reader.readexactly(1)
        relay.half_open()
        writer.write_eof()
        waiting = asyncio.create_task(reader.read(1))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not waiting.done()
        relay.drop()
        with contextlib.suppress(ConnectionError):
            assert await waiting == b""
        writer.close()


async def test_dropped_and_refused() -> None:
    async with echoing() as relay:
        reader, writer = await connected(relay)
        writer.write(b"a")
        await reader.readexactly(1)
        assert relay.connections == 1
        relay.refuse()
        assert await everything(reader) == b""
        other, other_writer = await connected(relay)
        assert await everything(other) == b""
        relay.mend()
        third, third_writer = await connected(relay)
        third_writer.write(b"c")
        assert await third.readexactly(1) == b"c"
        for one in (writer, other_writer, third_writer):
            one.close()


async def test_a_server_that_is_gone_is_a_connection_dropped() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with Relay(port) as relay:
        reader, writer = await connected(relay)
        assert await everything(reader) == b""
        writer.close()
