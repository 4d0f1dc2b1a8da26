"""How a person ends a run: in order once it trades, at once before that and at the second wish."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from algo.cli.ending import Ending


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_wish_ends_the_work_and_what_comes_after_it_still_happens() -> None:
    ending = Ending()
    ending.begin()
    os.kill(os.getpid(), signal.SIGINT)
    await ending.first(forever())
    assert ending.wanted
    await asyncio.sleep(0)


@pytest.mark.parametrize("begun", [False, True])
async def test_before_the_beginning_and_at_the_second_wish_it_ends_at_once(begun: bool) -> None:
    async def run() -> None:
        ending = Ending()
        if begun:
            ending.begin()
            ending.want()
            await ending.first(forever())
        ending.want()
        await forever()

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(30):
            await asyncio.create_task(run())


async def test_what_the_work_raises_is_raised_unless_an_end_is_the_reason() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    end = asyncio.Event()
    with pytest.raises(ValueError, match="broken"):
        await Ending().first(broken(), end)
    end.set()
    await Ending().first(broken(), end)
