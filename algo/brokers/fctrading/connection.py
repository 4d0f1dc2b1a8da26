"""One person's connection to the broker: the client, the session and the endpoints, wired together."""

from __future__ import annotations

import os
import random
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import httpx

from algo.brokers.fctrading.api import TradingApi
from algo.brokers.fctrading.credentials import Credentials
from algo.brokers.fctrading.quota import Quota
from algo.brokers.fctrading.rest import Rest
from algo.brokers.fctrading.session import Ask, Session
from algo.brokers.fctrading.tokens import TokenFile
from algo.fastconnect.tokens import Moment
from algo.fastconnect.transport import open_client, trust


def token_path(credentials: Credentials, environment: Mapping[str, str] | None = None) -> Path:
    """Where this identity's tokens are kept: ``$XDG_STATE_HOME/algo``, else ``~/.local/state/algo``."""
    environment = os.environ if environment is None else environment
    state = environment.get("XDG_STATE_HOME") or ""
    base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "algo" / f"tokens-{credentials.fingerprint}.json"


def moment() -> Moment:
    """Now, by the wall's clock and by one that never jumps."""
    return Moment(time.time(), time.monotonic())


class Connection:
    """Use as ``async with``. Nothing is sent before the first call."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        ask: Ask | None = None,
        tokens: Path | None = None,
        saved: bool = True,
        quota: Quota | None = None,
        moment: Callable[[], Moment] = moment,
        random: Callable[[], float] = random.random,
    ) -> None:
        """`ask` gives codes, `tokens` is the file that keeps tokens, None for none. `moment` is now, `random`
        gives numbers in [0, 1) for pauses.

        With `saved` off, the code goes into each order instead of into the token.
        """
        self.credentials = credentials
        self.context: ssl.SSLContext = trust(credentials.ca_file)
        self.client: httpx.AsyncClient = open_client(credentials.endpoints.url, self.context)
        self.rest = Rest(self.client, credentials.key, random=random, quota=quota)
        file = TokenFile(tokens) if tokens is not None else None
        self.session = Session(credentials, self.rest.sign_in, moment, ask=ask, file=file, saved=saved)
        self.rest.use(self.session)
        self.api = TradingApi(self.rest)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of everything."""
        await self.session.close()
        await self.rest.close()
