"""How another terminal reaches a run: a loopback port with a token, named in a file of mode 0600.

One line of JSON each way: ``{"token", "action", "detail"}`` and ``{"ok", …}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from algo.durable import write_text
from algo.errors import AlgoError

LARGEST = 64 * 1024
PATIENCE = 60.0

Answer = Callable[[str, str], Awaitable[dict[str, Any]]]
"""What an action does: (action, detail) -> the facts of its answer."""


def port_file(journal: Path) -> Path:
    """Where a run with this journal says how it is reached."""
    return journal.with_name(f"{journal.name}.operator")


class OperatorPort:
    """Listens while the block lasts: ``async with OperatorPort(journal, answer)``."""

    def __init__(self, journal: Path, answer: Answer) -> None:
        self._file = port_file(journal)
        self._answer = answer
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> OperatorPort:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LARGEST)
        port = self._server.sockets[0].getsockname()[1]
        facts = {"port": port, "token": self._token, "pid": os.getpid()}
        write_text(self._file, json.dumps(facts) + "\n", mode=0o600)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._file.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found: dict[str, Any]
        try:
            asked = json.loads(await asyncio.wait_for(reader.readline(), PATIENCE))
            if not hmac.compare_digest(str(asked.get("token", "")), self._token):
                found = {"ok": False, "error": "the token is wrong"}
            else:
                found = {"ok": True} | await self._answer(
                    str(asked.get("action", "")), str(asked.get("detail", ""))
                )
        except AlgoError as error:
            found = {"ok": False, "error": str(error)}
        except (ValueError, AttributeError, TimeoutError, OSError):
            found = {"ok": False, "error": "that was no request"}
        with contextlib.suppress(OSError):
            writer.write(json.dumps(found).encode() + b"\n")
            await writer.drain()
            writer.close()


async def ask(
    journal: Path, action: str, detail: str = "", patience: float = PATIENCE
) -> dict[str, Any] | None:
    """What the run with this journal answers; None when no run does."""
    try:
        facts = json.loads(port_file(journal).read_text(encoding="utf-8"))
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection("127.0.0.1", int(facts["port"]), limit=LARGEST), 5.0
        )
    except (OSError, ValueError, KeyError, TypeError, TimeoutError):
        return None
    try:
        asked = {"token": facts["token"], "action": action, "detail": detail}
        writer.write(json.dumps(asked).encode() + b"\n")
        line = await asyncio.wait_for(reader.readline(), patience)
        found = json.loads(line)
        return found if isinstance(found, dict) else None
    except (OSError, ValueError, TimeoutError):
        return None
    finally:
        writer.close()
