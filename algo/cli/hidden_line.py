"""One line typed at a terminal without echo, on an event loop, so that Ctrl-C ends the wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO


async def hidden_line(prompt: str) -> str:
    """What the person types, without the line's end; '' when the terminal is gone."""
    if sys.platform == "win32":
        import getpass

        return await asyncio.to_thread(getpass.getpass, prompt)
    terminal = sys.stdin
    with _silent(terminal):
        print(prompt, end="", file=sys.stderr, flush=True)
        try:
            await _readable(terminal.fileno())
            return terminal.readline().rstrip("\n")
        finally:
            print(file=sys.stderr)


async def _readable(file: int) -> None:
    """Until a whole line waits: a terminal in its usual mode gives no part of one."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(file, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(file)


@contextlib.contextmanager
def _silent(terminal: TextIO) -> Iterator[None]:
    """Without echo; as it was afterwards, whatever happens."""
    assert sys.platform != "win32"
    import termios

    before = termios.tcgetattr(terminal)
    after = list(before)
    after[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, after)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
