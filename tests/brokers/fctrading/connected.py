"""A signed-in client of a stub of the broker, and the requests that it sends."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable

import httpx

from algo.brokers.fctrading.api import TradingApi
from algo.brokers.fctrading.quota import Quota, Rule
from algo.brokers.fctrading.rest import Rest
from algo.brokers.fctrading.session import Session
from algo.brokers.fctrading.signing import SigningKey
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment
from algo.fastconnect.transport import open_client, trust
from tests.brokers.fctrading.conftest import make_credentials
from tests.brokers.fctrading.stub import Reply, Seen, envelope, jwt

ORDER = {
    "account": "0901351",
    "request_id": "10000017",
    "instrument_id": "SSI",
    "market": "VN",
    "buy_sell": "B",
    "order_type": "LO",
    "price": 21000.0,
    "quantity": 300,
    "device_id": "AA:BB:CC:DD:EE:FF",
}
CANCEL = {
    "account": "0901351",
    "request_id": "10000018",
    "order_id": "12658867",
    "market_id": "VN",
    "instrument_id": "SSI",
    "buy_sell": "B",
}
FAST = Quota([Rule("*", 1.0, 1000)])


def broker(answer: Callable[[Seen], Reply] | None = None) -> Callable[[Seen], Reply]:
    """Signs everybody in, and answers the rest by `answer`."""
    count = iter(range(10**9))

    def reply(seen: Seen) -> Reply:
        if seen.name == "accesstoken":
            return envelope({"accessToken": jwt(time.time() + 8 * 3600, n=next(count))})
        return answer(seen) if answer else envelope({"requestID": "10000017"})

    return reply


@contextlib.asynccontextmanager
async def connected(
    url: str,
    key: SigningKey,
    context: ssl.SSLContext | None = None,
    quota: Quota | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    login: bool = True,
) -> AsyncIterator[TradingApi]:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    rest = Rest(
        open_client(url, context or trust(), transport),
        key,
        random=lambda: 0.5,
        sleep=sleep,
        quota=quota or Quota(FAST.rules),
    )
    rest.pauses = pauses
    loop = asyncio.get_running_loop()
    session = Session(make_credentials(key, url), rest.sign_in, lambda: Moment(time.time(), loop.time()))
    rest.use(session)
    try:
        if login:
            await session.login(Secret("1234"))
        yield TradingApi(rest)
    finally:
        await session.close()
        await rest.close()
