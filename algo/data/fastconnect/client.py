"""The REST shell of market data: one pooled client, a token that is renewed ahead of time, paced calls.

Everything here only reads, so whatever fails is tried again. Wall clock, randomness and sleep are given, so
that a simulation can own them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

import httpx

from algo.clock import SECOND
from algo.data.fastconnect.answers import (
    AccessToken,
    DailyBar,
    DayPrice,
    Index,
    IndexDay,
    IndexMember,
    MinuteBar,
    Page,
    Security,
    SecurityDetail,
    grouped,
    read_page,
)
from algo.data.fastconnect.pace import Pace
from algo.errors import AuthError, BrokerError, ProtocolError, QueryFailed, QuotaExceeded, RequestRefused
from algo.fastconnect.limits import quota_rule, quota_wait
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment, Token, read_token
from algo.fastconnect.transport import FOREIGN, Reply, read_answer, translate
from algo.fastconnect.wire import Answer, Envelope

PATH = "/api/v2/Market/"
DEADLINE = 20.0
"""Seconds for one request from its first byte to the end of its answer."""
PATIENCE = 120.0
"""Seconds that a call may wait for the rate limit."""
TRIES = 4
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
AHEAD = 600.0
"""Seconds before its end at which a token is renewed; a tenth of its life, when it lives shortly."""
WINDOW = 30
"""Days that one query of bars may span."""
PAGES = 10
ROWS = 1000
_DETAIL_ROWS = 100

A = TypeVar("A", bound=Answer)


class DataClient:
    """The data service in one person's name. One for a program: the rate limit goes by the key."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        consumer_id: Secret,
        consumer_secret: Secret,
        *,
        wall: Callable[[], int],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        pace: Pace | None = None,
    ) -> None:
        """`client` comes from `transport.open_client`; `wall` gives nanoseconds since the epoch, `random`
        numbers in [0, 1)."""
        self._client = client
        self._consumer_id = consumer_id
        self._consumer_secret = consumer_secret
        self._wall = wall
        self._random = random
        self._sleep = sleep
        self.pace = pace or Pace()
        self._token: Token | None = None
        self._renewal = asyncio.Lock()
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    # Signing in

    async def token(self) -> Secret:
        """A token that is good now. One renewal at a time.

        Raises AuthError when the service refuses the key, QueryFailed or QuotaExceeded when it gave no
        answer.
        """
        async with self._renewal:
            if self._token is None or self._token.left(self._now()) <= min(AHEAD, self._token.life / 10):
                self._token = await self._sign_in()
            return self._token.secret

    def token_refused(self, token: Secret) -> None:
        """The service refused `token`: take another one next time."""
        if self._token is not None and self._token.secret == token:
            self._token = None

    async def _sign_in(self) -> Token:
        page = await self._tried("AccessToken", self._ask_token)
        if page.status != 200:
            raise AuthError(f"the data service refused the key: {page.message}")
        found = read_token(AccessToken.read(page.data).access_token, self._now())
        if found is None:
            raise ProtocolError("the data service sent no token")
        return found

    async def _ask_token(self) -> Reply:
        return await self._exchange("POST", "AccessToken", body=self._identity())

    def _identity(self) -> Secret:
        """Who we are, as the service wants it. Made in a call of its own, so that no traceback shows it."""
        consumer = {
            "consumerID": self._consumer_id.reveal(),
            "consumerSecret": self._consumer_secret.reveal(),
        }
        return Secret(json.dumps(consumer))

    # What there is

    async def securities(self, market: str) -> list[Security]:
        """The instruments of a market: HOSE, HNX, UPCOM or DER."""
        return await self._rows("Securities", {"market": market}, Security.read)

    async def security(self, symbol: str, market: str = "") -> SecurityDetail | None:
        """What is known of an instrument; None when the service knows none of that name."""
        query = {"market": market, "symbol": symbol}
        rows = grouped(await self._pages("SecuritiesDetails", query, size=_DETAIL_ROWS), "repeatedinfo")
        details = (SecurityDetail.read(row) for row in rows)
        return next((one for one in details if one.symbol.upper() == symbol.upper()), None)

    async def index_members(self, index: str) -> list[str]:
        """The symbols in an index, such as VN30."""
        rows = grouped(await self._pages("IndexComponents", {"indexCode": index}, size=100), "indexcomponent")
        return [IndexMember.read(row).symbol for row in rows]

    async def indices(self, exchange: str) -> list[Index]:
        """The indices of an exchange: HOSE or HNX."""
        return [Index.read(row) for row in await self._pages("IndexList", {"exchange": exchange}, size=100)]

    # Prices, from `first` to `last`, both included

    async def daily_bars(self, symbol: str, first: date, last: date) -> list[DailyBar]:
        """The days of a symbol, oldest first."""
        query = {"symbol": symbol}
        return await self._spans("DailyOhlc", query, first, last, {"ascending": "True"}, DailyBar.read)

    async def minute_bars(self, symbol: str, first: date, last: date) -> list[MinuteBar]:
        """The minutes of a symbol, oldest first, as traded (not adjusted). History begins early in 2020."""
        extra = {"ascending": "True", "resolution": "1"}
        return await self._spans("IntradayOhlc", {"symbol": symbol}, first, last, extra, MinuteBar.read)

    async def day_prices(self, symbol: str, first: date, last: date, market: str = "") -> list[DayPrice]:
        """The days of a symbol with reference price, ceiling and floor."""
        query = {"symbol": symbol}
        return await self._spans("DailyStockPrice", query, first, last, {"market": market}, DayPrice.read)

    async def index_days(self, index: str, first: date, last: date) -> list[IndexDay]:
        """The days of an index such as VNINDEX or VN30, oldest first."""
        query = {"requestId": "", "indexId": index}
        order = {"orderBy": "", "order": ""}
        days = await self._spans("DailyIndex", query, first, last, order, IndexDay.read)
        return sorted(days, key=lambda one: (one.day, one.time or 0))

    # Inside

    async def _spans(
        self,
        name: str,
        what: Mapping[str, str],
        first: date,
        last: date,
        extra: Mapping[str, str],
        read: Callable[[object], A],
    ) -> list[A]:
        """Rows of as many queries as the days need, one after another."""
        found: list[A] = []
        while first <= last:
            end = min(last, first + timedelta(days=WINDOW - 1))
            query = {**what, "fromDate": _day(first), "toDate": _day(end)}
            rows = await self._pages(name, query, extra)
            found += map(read, rows)
            first = end + timedelta(days=1)
        return found

    async def _rows(self, name: str, query: Mapping[str, str], read: Callable[[object], A]) -> list[A]:
        return [read(row) for row in await self._pages(name, query)]

    async def _pages(
        self, name: str, query: Mapping[str, str], extra: Mapping[str, str] | None = None, size: int = ROWS
    ) -> list[Any]:
        """All rows of a query. Raises QueryFailed when the service gives fewer than it says that there are,
        because rows that are missing must not look like days without trading."""
        found: list[Any] = []
        total: int | None = None
        for number in range(1, PAGES + 1):
            paged = {**query, "pageIndex": str(number), "pageSize": str(size), **(extra or {})}
            page = await self._page(name, paged)
            found += page.rows
            total = page.total or total
            if not page.rows or (len(page.rows) < size if total is None else len(found) >= total):
                break
        else:
            if total is None or len(found) < total:
                raise QueryFailed(f"{name} has more rows than its {PAGES} pages hold: ask for less at once")
        if total is not None and len(found) < total:
            raise QueryFailed(f"{name} sent {len(found)} of {total} rows")
        return found

    async def _page(self, name: str, query: Mapping[str, str]) -> Page:
        page, token = await self._authorised(name, query)
        if page.status == 401:
            self.token_refused(token)
            page, token = await self._authorised(name, query)
            if page.status == 401:
                self.token_refused(token)
                raise AuthError(f"the data service refused the token: {page.message}")
        if page.status != 200 and not _is_empty(page):
            raise RequestRefused(f"the data service refused {name}: {page.message}", page.status)
        return page

    async def _authorised(self, name: str, query: Mapping[str, str]) -> tuple[Page, Secret]:
        token = await self.token()

        async def ask() -> Reply:
            return await self._exchange("GET", name, token, query=query)

        return await self._tried(name, ask), token

    async def _tried(self, name: str, ask: Callable[[], Awaitable[Reply]]) -> Page:
        """The answer of the first try that gave one. Raises QueryFailed or QuotaExceeded when none did."""
        failure: BrokerError = QueryFailed(f"{name} was not asked")
        for attempt in range(TRIES):
            if attempt:
                await self._sleep(self._random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))
            await self._paced(name)
            try:
                reply = await ask()
            except BrokerError as error:
                failure = error
                continue
            page = read_page(reply.body)
            told = Envelope(page.message, page.status) if page else None
            wait = quota_wait(reply.status, told, reply.retry_after)
            if wait is not None:
                text = page.message if page else reply.body[:500].decode("latin1")
                self.pace.refused(wait, asyncio.get_running_loop().time(), quota_rule(text))
                failure = QuotaExceeded(f"the rate limit of the data service is used up: {name}", wait)
            elif reply.status == 401:
                return Page(401, page.message if page else "HTTP 401", None, None)
            elif page is None or reply.status >= 500:
                failure = QueryFailed(f"no usable answer to {name}: HTTP {reply.status}")
            else:
                return page
        raise failure

    async def _paced(self, name: str) -> None:
        """Wait for the rate limit, first come first served."""
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                while (wait := self.pace.delay(now())) > 0:
                    await asyncio.sleep(wait)
                self.pace.spend(now())
        except TimeoutError:
            raise QuotaExceeded(f"{name} was not asked: no room in the rate limit") from None

    async def _exchange(
        self,
        method: str,
        name: str,
        token: Secret | None = None,
        *,
        body: Secret | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request and its whole answer. Raises our errors only, and keeps no secret in a variable."""
        if self._client.is_closed:
            raise QueryFailed("the connection was closed by this program")
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(DEADLINE):
                request = self._client.build_request(
                    method,
                    PATH + name,
                    params=query,
                    content=body.reveal() if body is not None else None,
                    headers=headers | ({"Authorization": f"Bearer {token.reveal()}"} if token else {}),
                )
                response = await self._client.send(request, stream=True)
                wait = response.headers.get("Retry-After")
                return Reply(response.status_code, await read_answer(response), wait)
        except FOREIGN as error:
            raise translate(error, changes=False) from None

    def _now(self) -> Moment:
        return Moment(self._wall() / SECOND, asyncio.get_running_loop().time())


def _is_empty(page: Page) -> bool:
    """Whether a refusal only says that there are no rows."""
    return not page.rows and "no data" in page.message.lower().replace("nodata", "no data")


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")
