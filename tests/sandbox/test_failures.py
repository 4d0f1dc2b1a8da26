"""A sandbox whose market, record or streams fail ends and says so, instead of going on as if nothing were."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from algo.errors import RunFailed
from algo.sandbox.assembly import Sandbox
from algo.sandbox.server import serve
from tests.sandbox.running import made


class Odd(Exception):
    """What nobody expects."""


def odd(*_: Any, **__: Any) -> Any:
    raise Odd("a secret")


class FullDisk:
    """A record that takes nothing more."""

    requested = stepped = staticmethod(odd)


def market(sandbox: Sandbox) -> None:
    sandbox.world.source.step = odd  # type: ignore[method-assign]
    sandbox.host.change_speed(1_000_000)


def console(sandbox: Sandbox) -> None:
    sandbox.service.on_statements = odd
    sandbox.world.step()
    sandbox.host.flush = odd  # type: ignore[method-assign]
    sandbox.host.wake()


def record(sandbox: Sandbox) -> None:
    sandbox.host._journal = FullDisk()


@pytest.mark.parametrize("break_it", [market, console, record])
async def test_what_fails_inside_ends_the_sandbox(break_it: Any) -> None:
    sandbox = made()
    with pytest.raises(
        RunFailed, match=r"the sandbox failed inside: Odd at test_failures\.py:\d+$"
    ) as raised:
        async with asyncio.timeout(30), serve(sandbox.host) as running, httpx.AsyncClient() as client:
            break_it(sandbox)
            answer = await client.post(f"{running.url}/api/v2/Trading/AccessToken", json={})
            assert break_it is not record or answer.status_code == 500
            await asyncio.Event().wait()
    assert isinstance(raised.value.__cause__, Odd)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_a_handler_that_fails_ends_nothing() -> None:
    sandbox = made()
    said: list[str] = []
    sandbox.host.note = said.append
    sandbox.service.handle = odd  # type: ignore[method-assign]
    async with serve(sandbox.host) as running, httpx.AsyncClient() as client:
        assert (await client.post(f"{running.url}/api/v2/Trading/NewOrder", json={})).status_code == 500
        await asyncio.sleep(0)
        assert (await client.get(running.url)).status_code == 200
    assert said == [
        f"POST /api/v2/Trading/NewOrder failed: Odd at test_failures.py:{odd.__code__.co_firstlineno + 1}"
    ]
