"""The REST shell: one pooled client, paced by the quota, that tells the fate of every request.

Queries are repeated after faults; whatever changes something is sent once. Wall clock, randomness and sleep
are given, so that a simulation can own them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import httpx

from algo.brokers.fctrading.auth import Purpose
from algo.brokers.fctrading.endpoints import ALLOWED, Endpoint, Kind
from algo.brokers.fctrading.outcome import Fate, Outcome, judge
from algo.brokers.fctrading.quota import Quota
from algo.brokers.fctrading.session import Session
from algo.brokers.fctrading.signing import SigningKey
from algo.errors import AuthError, BrokerError, QueryFailed, QuotaExceeded, RequestNotSent, RequestRefused
from algo.fastconnect.secret import Secret
from algo.fastconnect.transport import FOREIGN, Departure, Form, Reply, read_answer, translate

DEADLINE = 15.0
"""Seconds for one request from its first byte to the end of its answer."""
PATIENCE = 5.0
"""Seconds that something which changes may wait for the quota; a cancel may wait longer."""
CANCEL_PATIENCE = 60.0
QUERY_PATIENCE = 60.0
TRIES = 4
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
_BEHIND_A_CANCEL = 0.01


class Rest:
    """Sends requests to the broker. Give it its session with `use` before the first one."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        key: SigningKey,
        *,
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        quota: Quota | None = None,
    ) -> None:
        self._client = client
        self._key = key
        self._random = random
        self._sleep = sleep
        self.quota = quota or Quota()
        self._session: Session | None = None
        self._forms: dict[str, Form] = {}
        self._turns: dict[tuple[str, Kind], asyncio.Lock] = {}
        self._cancels: dict[str, int] = {}

    def use(self, session: Session) -> None:
        """Take tokens from `session`."""
        self._session = session

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def sign_in(self, endpoint: Endpoint, body: Secret) -> Reply:
        """Send a sign-in request, unsigned and without a token.

        Raises RequestNotSent when it provably never left, RequestUnknown after any other fault.
        """
        self._check(endpoint, Kind.SIGN_IN)
        try:
            await self._pace("", endpoint, PATIENCE)
        except QuotaExceeded as error:
            raise RequestNotSent(str(error)) from None
        return await self._exchange(endpoint, body=body)

    async def query(self, endpoint: Endpoint, query: Mapping[str, str], account: str = "") -> object:
        """The `data` of a query's answer, after as many tries as faults need.

        Raises RequestRefused when the broker's envelope refuses it, QuotaExceeded or QueryFailed when no try
        gave an answer, AuthError when there is no token to be had.
        """
        self._check(endpoint, Kind.QUERY)
        failure: BrokerError = QueryFailed("the query was not tried")
        renewed = False
        for attempt in range(TRIES):
            if attempt:
                await self._sleep(self._random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))
            await self._pace(account, endpoint, QUERY_PATIENCE)
            token = await self._require().token(Purpose.READ)
            try:
                reply = await self._exchange(endpoint, token, query=query)
            except BrokerError as error:
                failure = error
                continue
            outcome = judge(reply.status, reply.body, reply.retry_after)
            if outcome.unauthorised:
                self._require().token_refused(token)
                failure = AuthError(f"the broker refused the token: {outcome.text}")
                if renewed:
                    raise failure
                renewed = True
            elif outcome.retry_after is not None:
                self._slow_down(account, outcome)
                failure = QuotaExceeded(f"the rate limit is used up: {outcome.text}", outcome.retry_after)
            elif outcome.fate is Fate.RECEIVED:
                return outcome.data
            elif outcome.fate is Fate.REFUSED:
                raise RequestRefused(f"the broker refused: {outcome.text}", outcome.status, outcome.code)
            else:
                failure = QueryFailed(f"no usable answer from the broker: {outcome.text}")
        raise failure

    async def change(self, endpoint: Endpoint, body: bytes, account: str) -> Outcome:
        """Sign `body` and send it, once. Always tells its fate and raises nothing of the network.

        A caller that is cancelled while it waits learns nothing: it must take the fate as unknown.
        """
        if endpoint not in ALLOWED or not endpoint.kind.changes:
            raise ValueError(f"{endpoint.path} is not a request that algo may make")
        patience = CANCEL_PATIENCE if endpoint.kind is Kind.CANCEL else PATIENCE
        try:
            await self._pace(account, endpoint, patience)
            token = self._require().order_token()
        except BrokerError as error:
            return Outcome(Fate.NOT_SENT, str(error))
        try:
            reply = await self._exchange(endpoint, token, body=body, signature=self._key.sign(body))
        except RequestNotSent as error:
            return Outcome(Fate.NOT_SENT, str(error))
        except BrokerError as error:
            return Outcome(Fate.UNKNOWN, str(error))
        outcome = judge(reply.status, reply.body, reply.retry_after)
        if outcome.unauthorised:
            self._require().token_refused(token)
        if outcome.retry_after is not None:
            self._slow_down(account, outcome)
        if outcome.fate is Fate.REFUSED:
            self._require().order_refused(outcome.text)
        return outcome

    async def _exchange(
        self,
        endpoint: Endpoint,
        token: Secret | None = None,
        *,
        body: Secret | bytes | None = None,
        signature: str = "",
        query: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request and its whole answer. Raises our errors only.

        What is secret is kept in no variable here, so that a traceback with its variables shows none of it.
        """
        departure = Departure()
        changes = endpoint.kind is not Kind.QUERY
        if self._client.is_closed:
            raise RequestNotSent("not sent: the connection was closed by this program")
        try:
            async with asyncio.timeout(DEADLINE):
                response = await self._client.send(
                    self._request(endpoint, token, body, signature, query, departure), stream=True
                )
                wait = response.headers.get("Retry-After")
                return Reply(response.status_code, await read_answer(response), wait)
        except FOREIGN as error:
            raise translate(error, changes=changes, sent=departure.begun) from None
        except asyncio.CancelledError:
            raise
        except BrokerError:
            raise
        except Exception as error:  # noqa: BLE001  an order must have a fate, whatever a library does
            raise translate(error, changes=changes, sent=True) from None

    def _request(
        self,
        endpoint: Endpoint,
        token: Secret | None,
        body: Secret | bytes | None,
        signature: str,
        query: Mapping[str, str] | None,
        departure: Departure,
    ) -> httpx.Request:
        """The request. A POST's fixed parts are merged once for each endpoint, because an order is hot."""
        extensions = {"trace": departure}
        if body is None:
            return self._client.build_request(
                endpoint.method,
                endpoint.path,
                params=query,
                headers=_headers(token, signature),
                extensions=extensions,
            )
        form = self._forms.get(endpoint.path)
        if form is None:
            form = self._forms[endpoint.path] = Form(self._client, endpoint.path)
        return form.request(
            body.reveal().encode() if isinstance(body, Secret) else body,
            _headers(token, signature),
            extensions,
        )

    async def _pace(self, account: str, endpoint: Endpoint, patience: float) -> None:
        """Wait for the quota, first come first served within a kind of call, cancels before the others.

        Raises QuotaExceeded after `patience` seconds.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + patience
        cancel = endpoint.kind is Kind.CANCEL
        turn = self._turns.setdefault((account, endpoint.kind), asyncio.Lock())
        if not turn.locked() and not self._wait(account, endpoint, now()):  # the usual case, made quick
            self.quota.spend(account, endpoint, now())
            return
        if cancel:
            self._cancels[account] = self._cancels.get(account, 0) + 1
        try:
            async with asyncio.timeout_at(deadline), turn:
                while wait := self._wait(account, endpoint, now()):
                    await asyncio.sleep(wait)
                self.quota.spend(account, endpoint, now())
        except TimeoutError:
            raise QuotaExceeded(f"not sent: the rate limit left no room for {patience:g} s") from None
        finally:
            if cancel:
                self._cancels[account] -= 1

    def _wait(self, account: str, endpoint: Endpoint, now: float) -> float:
        """Seconds until this call may go; a moment at least while a cancel waits before it."""
        wait = self.quota.delay(account, endpoint, now)
        behind = endpoint.kind is not Kind.CANCEL and self._cancels.get(account)
        return max(wait, _BEHIND_A_CANCEL) if behind else wait

    def _slow_down(self, account: str, outcome: Outcome) -> None:
        moment = asyncio.get_running_loop().time()
        self.quota.refused(account, outcome.retry_after or 1.0, moment, outcome.quota)

    def _require(self) -> Session:
        if self._session is None:
            raise AuthError("not signed in: this connection has no session")
        return self._session

    @staticmethod
    def _check(endpoint: Endpoint, kind: Kind) -> None:
        if endpoint not in ALLOWED or endpoint.kind is not kind:
            raise ValueError(f"{endpoint.path} is not a {kind.value} that algo may make")


def _headers(token: Secret | None, signature: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    if signature:
        headers["X-Signature"] = signature
    return headers
