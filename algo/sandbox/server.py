"""The server: loopback sockets around the functions of the service. ``async with serve(…) as running``.

It can be started in the caller's event loop on a port of its own choosing, or in a thread for callers that
block. Nothing here decides anything: see `host`, and `sockets` for what the protocols need of connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as PageRequest
from starlette.responses import Response as PageResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from algo.errors import RunFailed, SettingError, place_of
from algo.sandbox.authority import Authority
from algo.sandbox.gate import FORBIDDEN, admits
from algo.sandbox.host import Answer, Host
from algo.sandbox.messages import Request, Response, parsed_query
from algo.sandbox.sockets import HttpConnection, StreamConnection

LARGEST_BODY = 256 * 1024
"""Bytes of a request's body; more is answered with 413."""
BODY_TIME = 30.0
"""Seconds in which a request's body must have come."""
START_TIME = 10.0
_TOO_LARGE = Response(413, b'{"message":"Request body is too large","status":413}')
_TOO_SLOW = Response(408, b'{"message":"Request took too long","status":408}')
_PAGE = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Running:
    """Where a server runs."""

    url: str
    port: int


@contextlib.asynccontextmanager
async def serve(host: Host, *, port: int = 0, authority: Authority | None = None) -> AsyncIterator[Running]:
    """Serve on 127.0.0.1 until the block ends; port 0 is any free one. TLS with an `authority`.

    Raises SettingError when the port is taken. When the market fails the block is cancelled, and RunFailed
    is raised from it.
    """
    listening = _listening(port)
    port = int(listening.getsockname()[1])
    config = _config(host)
    config.load()
    if authority is not None:
        config.ssl = authority.context()
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    keeping_time = asyncio.create_task(host.run())
    block = asyncio.current_task()
    assert block is not None
    keeping_time.add_done_callback(lambda task: task.cancelled() or block.cancel())
    try:
        async with asyncio.timeout(START_TIME):
            while not server.started:
                await asyncio.wait({serving}, timeout=0.001)
                if serving.done():
                    serving.result()
                    raise SettingError("the server ended before it began")
        scheme = "https" if authority is not None else "http"
        yield Running(f"{scheme}://127.0.0.1:{port}", port)
    finally:
        failed = _failure(keeping_time)
        if failed is not None:
            block.uncancel()
        keeping_time.cancel()
        server.should_exit = True
        await asyncio.gather(serving, keeping_time, return_exceptions=True)
        if failed is not None:
            raise RunFailed(f"the sandbox failed inside: {place_of(failed)}") from failed


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


@contextlib.contextmanager
def in_thread(make: Callable[[], contextlib.AbstractAsyncContextManager[Running]]) -> Iterator[Running]:
    """Run ``make()``, such as ``lambda: serve(host)``, in a thread of its own, for callers that block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="algo-sandbox", daemon=True)
    thread.start()
    block: list[contextlib.AbstractAsyncContextManager[Running]] = []

    async def enter() -> Running:
        block.append(make())
        return await block[0].__aenter__()

    async def leave() -> None:
        await block[0].__aexit__(None, None, None)

    try:
        running = asyncio.run_coroutine_threadsafe(enter(), loop).result(START_TIME + 5)
        try:
            yield running
        finally:
            asyncio.run_coroutine_threadsafe(leave(), loop).result(START_TIME + 5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Server(uvicorn.Server):
    """Leaves the process's signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(port: int) -> socket.socket:
    # asyncio sends small packets at once (TCP_NODELAY) only on sockets that name their protocol.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or "no such port"
        raise SettingError(f"cannot listen on 127.0.0.1:{port}: {why}; choose another --port") from None
    return listening


def _config(host: Host) -> uvicorn.Config:
    logging.getLogger("uvicorn").propagate = False
    return uvicorn.Config(
        application(host),
        http=HttpConnection,
        ws=StreamConnection,
        lifespan="off",
        loop="asyncio",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
        backlog=1024,
    )


# The application


def application(host: Host) -> Starlette:
    """The ASGI application: the page, the operator's requests, and both services below them."""
    app = Starlette(
        routes=[
            Route("/", _page, methods=["GET"]),
            Route("/page/{name}", _page, methods=["GET"]),
            Mount("/", app=_Services(host)),
        ]
    )
    app.state.host = host
    return app


async def _page(request: PageRequest) -> PageResponse:
    """A file of the page. It holds no secret: what it shows, it asks for with the operator's token."""
    name = request.path_params.get("name", "index.html")
    if not admits(dict(request.headers)):
        return PageResponse(FORBIDDEN.body, FORBIDDEN.status, media_type=FORBIDDEN.content_type)
    if name not in _PAGE:
        return PageResponse(b"Not Found", 404, media_type="text/plain")
    content = resources.files("algo.sandbox").joinpath("page", name).read_bytes()
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return PageResponse(content, media_type=_PAGE[name], headers=headers)


class _Services:
    """ASGI in, `messages` out."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        if isinstance(request, Request):
            await _write(await self._host.answer(request), scope, send)
        elif request is not None:
            await _write(Answer(request), scope, send)


async def _read(scope: Scope, receive: Receive) -> Request | Response | None:
    """The request; or the answer that refuses it unread, or None when the client is gone."""
    headers = {name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]}
    if not admits(headers):
        return FORBIDDEN
    if (
        headers.get("content-length", "0").isdecimal()
        and int(headers.get("content-length", 0)) > LARGEST_BODY
    ):
        return _TOO_LARGE
    body = b""
    try:
        async with asyncio.timeout(BODY_TIME) if scope["method"] != "GET" else contextlib.nullcontext():
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > LARGEST_BODY:
                    return _TOO_LARGE
    except TimeoutError:
        return _TOO_SLOW
    query = parsed_query(scope["query_string"].decode("latin1"))
    return Request(scope["method"], scope["path"], query, headers, body)


async def _write(answer: Answer, scope: Scope, send: Send) -> None:
    response = answer.response
    transport: Any = scope["state"]["transport"]
    if response is None:
        transport.abort()
        await asyncio.sleep(0)  # so that uvicorn knows before we return
        return
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        (b"cache-control", b"no-store"),
        *((name.lower().encode("latin1"), value.encode("latin1")) for name, value in response.headers),
    ]
    if response.status in {408, 413}:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if answer.cut:
        await send(
            {
                "type": "http.response.body",
                "body": response.body[: len(response.body) // 2],
                "more_body": True,
            }
        )
        transport.abort()
        await asyncio.sleep(0)
        return
    await send({"type": "http.response.body", "body": response.body})
