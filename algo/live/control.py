"""The operator's side of a sandbox, as its client sees it: time that is stepped, and how things stand."""

from __future__ import annotations

from typing import Any

import httpx

from algo.errors import QueryFailed


class Control:
    """The control endpoint of a sandbox. Its token comes with the credentials document."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        """`client` comes from `transport.open_client` for the sandbox's address."""
        self._client = client
        self._headers = {"X-Control-Token": token}

    async def state(self) -> dict[str, Any]:
        """Market time, what comes next, and the last message ids."""
        return await self._ask("state")

    async def step(self, stops: int = 1) -> dict[str, Any]:
        """Let the next stops happen; how things stand then."""
        return await self._ask("step", stops=stops)

    async def approach(self, ns: int) -> dict[str, Any]:
        """Let market time come to `ns`, with what is due at that moment still to happen."""
        return await self._ask("approach", to=ns)

    async def speed(self, speed: float) -> dict[str, Any]:
        """Let market time run `speed` times as fast as the machine's; 0 stops it."""
        return await self._ask("clock", speed=speed)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _ask(self, name: str, **fields: Any) -> dict[str, Any]:
        try:
            answer = await self._client.post(f"/control/{name}", json=fields, headers=self._headers)
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise QueryFailed(f"the sandbox did not answer: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise QueryFailed(f"the sandbox refused {name}: {found.get('error', answer.status_code)}")
        return found
