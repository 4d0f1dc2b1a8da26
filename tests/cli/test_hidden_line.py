"""A code is typed at a real terminal without echo, and Ctrl-C ends the wait for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")

PROGRAM = """
import asyncio
from algo.cli.hidden_line import hidden_line
print("typed", asyncio.run(hidden_line("Your code: "))[::-1])
"""
UNTIL_IT_ENDS = 60


def until(terminal: int, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 1024)
    return seen


@pytest.mark.parametrize(("keys", "code"), [(b"135790\n", 0), (b"13\x03", 1)])
def test_a_code_is_typed_without_echo_and_ctrl_c_ends_it(keys: bytes, code: int) -> None:
    ours, theirs = pty.openpty()
    # In a session of its own, with the terminal as the controlling one: then Ctrl-C is a signal there.
    become = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    process = subprocess.Popen(
        [sys.executable, "-c", f"{become}\nexec({PROGRAM!r})"], stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    try:
        until(ours, b"Your code: ")
        os.write(ours, keys)
        assert process.wait(UNTIL_IT_ENDS) == (0 if code == 0 else -signal.SIGINT)
        shown = until(ours, b"typed 097531" if code == 0 else b"KeyboardInterrupt")
        assert keys.strip() not in shown
        assert termios.tcgetattr(theirs)[3] & termios.ECHO
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
