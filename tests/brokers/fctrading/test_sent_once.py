"""Rest and session together, in virtual time: whatever happens, no order leaves twice, and its fate is true.

Tokens expire at any moment, codes are wrong, servers fail in every way, and callers come in groups.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.brokers.fctrading import requests
from algo.brokers.fctrading.api import TradingApi
from algo.brokers.fctrading.outcome import Fate, Outcome
from algo.brokers.fctrading.quota import Quota, Rule
from algo.brokers.fctrading.rest import Rest
from algo.brokers.fctrading.session import Session
from algo.brokers.fctrading.signing import SigningKey
from algo.errors import BrokerError
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment, read_token
from algo.fastconnect.transport import open_client, trust
from tests.brokers.fctrading.conftest import make_credentials
from tests.brokers.fctrading.connected import CANCEL, ORDER
from tests.brokers.fctrading.stub import envelope, jwt
from tests.generators.virtual_time import run

WALL = 1_780_000_000.0
PIN = "740913"
CONTEXT = trust()
ANSWERS = {
    "ok": (200, envelope({"requestID": "1"}).body),
    "refused": (200, envelope(None, 400, "ORD003 price").body),
    "unauthorised": (200, envelope(None, 401, "Unauthorized").body),
    "http 401": (401, b""),
    "error": (500, b"Internal Server Error"),
    "page": (502, b"<html>Bad Gateway</html>"),
    "page with 200": (200, b"<html>Please wait</html>"),
    "cut": (200, b'{"message":"Success","status":200,"da'),
    "nothing": (204, b""),
    "moved": (307, b""),
    "moved nowhere": (302, b""),
    "quota": (429, b"API calls quota exceeded! maximum admitted 5 per 1 s"),
}
MOVES = {"moved": "https://elsewhere.example/x", "moved nowhere": "https://[::/"}
FAULTS = ("no route", "reset", "hangs before", "hangs after", "bug")
ways = st.sampled_from([*ANSWERS, *FAULTS])
sign_in_ways = st.sampled_from(["ok", "ok", "ok", *ANSWERS, *FAULTS])
lives = st.sampled_from([8 * 3600, 3600, 40, 6])
actions = st.sampled_from(["order", "cancel", "query", "sign in", "sign in badly"])
groups = st.lists(
    st.tuples(st.lists(actions, min_size=1, max_size=4), st.sampled_from([0, 1, 30, 9000])), max_size=12
)


class Broker(httpx.AsyncBaseTransport):
    """Answers each request in the next of the ways that were drawn, well when none is left.

    What it sees and should not is kept in `wrongs`, because the client takes any exception for a fault.
    """

    def __init__(self, ways: list[str], sign_in_ways: list[str], lives: list[int]) -> None:
        self.ways, self.sign_in_ways, self.lives = list(ways), ["ok", *sign_in_ways], list(lives)
        self.wrongs: list[str] = []
        self.seen: Counter[str] = Counter()
        self.did: dict[str, str] = {}
        self.signing_in = 0
        self.tokens = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        left = self.sign_in_ways if name == "AccessToken" else self.ways
        way = left.pop(0) if left else "ok"
        content = await request.aread()
        body = json.loads(content) if content else {}
        number = body.get("requestID", "")
        if request.url.host != "broker.example":
            self.wrongs.append("a redirect was followed")
        if way == "no route":
            raise httpx.ConnectError("no route")
        if way == "hangs before":
            await asyncio.Event().wait()
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        if number:
            self.seen[number] += 1
            self.did[number] = way
        if name != "AccessToken":
            token = read_token(request.headers["Authorization"].removeprefix("Bearer "), self.now)
            if token is None or token.left(self.now) <= 0:
                self.wrongs.append("an expired token was sent")
        if way == "hangs after":
            await asyncio.Event().wait()
        if way == "reset":
            raise httpx.ReadError("reset")
        if way == "bug":
            raise RuntimeError("a library's own bug")
        if name == "AccessToken":
            return await self.sign_in(way, body)
        status, answer = ANSWERS[way]
        if way == "ok" and name == "orderBook":
            answer = envelope({"account": "1", "orders": []}).body
        headers = {"Location": MOVES[way]} if way in MOVES else {}
        return httpx.Response(status, content=answer, headers=headers)

    async def sign_in(self, way: str, body: dict) -> httpx.Response:
        self.signing_in += 1
        if self.signing_in > 1:
            self.wrongs.append("two sign-ins at once")
        await asyncio.sleep(0.2)
        self.signing_in -= 1
        if way != "ok":
            return httpx.Response(ANSWERS[way][0], content=ANSWERS[way][1])
        if body["isSave"] and body["code"] != PIN:
            return httpx.Response(200, content=envelope(None, 400, "PIN is wrong").body)
        life = self.lives.pop(0) if self.lives else 8 * 3600
        self.tokens += 1
        token = jwt(self.now.wall + life, n=self.tokens)
        return httpx.Response(200, content=envelope({"accessToken": token}).body)

    @property
    def now(self) -> Moment:
        steady = asyncio.get_running_loop().time()
        return Moment(WALL + steady, steady)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ways, max_size=25),
    st.lists(sign_in_ways, max_size=8),
    st.lists(lives, max_size=6),
    groups,
    st.booleans(),
)
def test_no_order_leaves_twice_and_its_fate_is_true(
    key: SigningKey, ways: list[str], sign_ins: list[str], lives: list[int], groups: list, saved: bool
) -> None:
    async def main() -> None:
        broker = Broker(ways, sign_ins, lives)
        url = "https://broker.example"
        quota = Quota([Rule("*", 1.0, 50)])
        rest = Rest(open_client(url, CONTEXT, broker), key, random=lambda: 0.5, quota=quota)
        session = Session(make_credentials(key, url), rest.sign_in, lambda: broker.now, saved=saved)
        rest.use(session)
        api = TradingApi(rest)
        fates: dict[str, Outcome] = {}
        numbers = iter(range(10_000_000, 10_001_000))

        async def act(action: str) -> None:
            if action in ("order", "cancel"):
                number = str(next(numbers))
                request = (
                    api.new_order(requests.NewOrder(**ORDER | {"request_id": number}))
                    if action == "order"
                    else api.cancel_order(requests.CancelOrder(**CANCEL | {"request_id": number}))
                )
                fates[number] = await request
                return
            with contextlib.suppress(BrokerError):
                if action == "query":
                    await api.order_book("1")
                else:
                    await session.login(Secret(PIN if action == "sign in" else "000000"))

        with contextlib.suppress(BrokerError):
            await session.login(Secret(PIN))
        for group, pause in groups:
            await asyncio.gather(*map(act, group))
            await asyncio.sleep(pause)
        await session.close()
        await rest.close()

        assert not broker.wrongs
        assert not [number for number, count in broker.seen.items() if count > 1]
        for number, outcome in fates.items():
            way = broker.did.get(number)
            if outcome.fate is Fate.NOT_SENT:
                assert way is None, f"it was sent ({way}): {outcome.text}"
            elif outcome.fate is Fate.RECEIVED:
                assert way == "ok"
            elif outcome.fate is Fate.REFUSED:
                assert way in {"refused", "unauthorised"}
            else:
                assert way not in {None, "ok", "refused"}, outcome.text

    run(main())
