"""The REST shell over real sockets: what goes out, what comes back, and what never happens twice."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest
import trustme

from algo.brokers.fctrading import endpoints, requests
from algo.brokers.fctrading.outcome import Fate
from algo.brokers.fctrading.quota import Quota, Rule
from algo.brokers.fctrading.rest import TRIES
from algo.brokers.fctrading.signing import SigningKey
from algo.errors import (
    AuthError,
    BrokerError,
    ProtocolError,
    QueryFailed,
    QuotaExceeded,
    RequestNotSent,
    RequestRefused,
)
from algo.fastconnect.secret import Secret
from algo.fastconnect.transport import trust
from tests.brokers.fctrading.conftest import server_context
from tests.brokers.fctrading.connected import CANCEL, FAST, ORDER, broker, connected
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope
from tests.fastconnect.test_transport import all_foreign_errors
from tests.generators.virtual_time import run

# Orders: one attempt, four fates


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        (envelope({"requestID": "1"}), Fate.RECEIVED),
        (envelope(None, 400, "ORD003 price"), Fate.REFUSED),
        (Reply(drop=True), Fate.UNKNOWN),
        (Reply(b'{"message":"Success","status":200}', cut=10), Fate.UNKNOWN),
        (Reply(b"", cut=0), Fate.UNKNOWN),
        (Reply(b"<html>", 400), Fate.UNKNOWN),
        (Reply(b"Internal Server Error", 500), Fate.UNKNOWN),
        (Reply(b"x", 200, {"Content-Encoding": "gzip"}), Fate.UNKNOWN),
        (Reply(b"", 302, {"Location": "http://127.0.0.1:1/"}), Fate.UNKNOWN),
        (Reply(b"API calls quota exceeded! maximum admitted 5 per 1 s", 429), Fate.UNKNOWN),
        (envelope(None, 401, "Unauthorized"), Fate.REFUSED),
    ],
)
async def test_an_order_is_sent_once_whatever_comes_back(key: SigningKey, reply: Reply, fate: Fate) -> None:
    async with Stub(broker(lambda seen: reply)) as stub, connected(stub.url, key) as api:
        for call in (
            api.new_order(requests.NewOrder(**ORDER)),
            api.cancel_order(requests.CancelOrder(**CANCEL)),
        ):
            if not api.rest._session.left:
                await api.rest._session.login(Secret("1234"))
            before = len(stub.seen)
            api.rest.quota = Quota(FAST.rules)
            outcome = await call
            assert outcome.fate is fate
            assert len(stub.seen) == before + 1


async def test_an_order_that_cannot_leave_is_not_sent(key: SigningKey) -> None:
    async with Stub(broker()) as stub:
        async with connected(stub.url, key) as api:
            await stub.__aexit__()
            outcome = await api.new_order(requests.NewOrder(**ORDER))
            while outcome.fate is not Fate.NOT_SENT:
                # The pooled connection was still open in our eyes: that one is unknown, and rightly so.
                assert outcome.fate is Fate.UNKNOWN
                outcome = await api.new_order(requests.NewOrder(**ORDER))
            assert "not sent" in outcome.text
        assert (await api.new_order(requests.NewOrder(**ORDER))).fate is Fate.NOT_SENT


async def test_an_order_without_a_sign_in_is_not_sent(key: SigningKey) -> None:
    async with Stub(broker()) as stub, connected(stub.url, key, login=False) as api:
        outcome = await api.new_order(requests.NewOrder(**ORDER))
        assert outcome.fate is Fate.NOT_SENT
        assert "signed out" in outcome.text
        assert not stub.seen


def test_a_sign_in_that_the_quota_holds_back_was_not_sent(key: SigningKey) -> None:
    """So that a one-time code is as fresh as before."""

    async def main() -> None:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(500)

        transport = httpx.MockTransport(answer)
        async with connected("http://127.0.0.1:1", key, transport=transport, login=False) as api:
            api.rest.quota.refused("", 60.0, asyncio.get_running_loop().time())
            with pytest.raises(RequestNotSent, match="rate limit"):
                await api.rest.sign_in(endpoints.ACCESS_TOKEN, Secret("{}"))
            assert not sent

    run(main())


async def test_a_refused_token_ends_trading_and_nothing_is_sent_again(key: SigningKey) -> None:
    refusal = envelope(None, 401, "Unauthorized")
    async with Stub(broker(lambda seen: refusal)) as stub, connected(stub.url, key) as api:
        assert (await api.new_order(requests.NewOrder(**ORDER))).fate is Fate.REFUSED
        assert (await api.new_order(requests.NewOrder(**ORDER))).fate is Fate.NOT_SENT
        assert len(stub.named("neworder")) == 1


def test_a_hanging_server_ends_in_time(key: SigningKey) -> None:
    """In virtual time, over a transport that hangs before or after the first byte."""

    async def main() -> None:
        for begins, fate in [(False, Fate.NOT_SENT), (True, Fate.UNKNOWN)]:

            class Hangs(httpx.AsyncBaseTransport):
                async def handle_async_request(
                    self, request: httpx.Request, begins: bool = begins
                ) -> httpx.Response:
                    if request.url.path.endswith("AccessToken"):
                        return httpx.Response(
                            200, content=broker()(Seen("POST", "/AccessToken", {}, b"")).body
                        )
                    if begins:
                        await request.extensions["trace"]("http11.send_request_headers.started", {})
                    await asyncio.Event().wait()
                    raise AssertionError

            async with connected("http://127.0.0.1:1", key, transport=Hangs()) as api:
                began = asyncio.get_running_loop().time()
                outcome = await api.new_order(requests.NewOrder(**ORDER))
                assert outcome.fate is fate
                assert asyncio.get_running_loop().time() - began <= 15
                with pytest.raises(QueryFailed):
                    await api.order_book("1")

    run(main())


# Queries: repeated, with pauses


@pytest.mark.parametrize(
    "fault",
    [
        Reply(drop=True),
        Reply(b"{}", cut=1),
        Reply(b"Internal Server Error", 500),
        Reply(b"<html>", 404),
        envelope(None, 500, "x"),
        Reply(b"quota", 429, {"Retry-After": "0"}),
    ],
)
async def test_a_query_is_repeated_after_a_fault(key: SigningKey, fault: Reply, samples: dict) -> None:
    replies = [fault] * (TRIES - 1) + [envelope(samples["order_book"])]

    async with Stub(broker(lambda seen: replies.pop(0))) as stub, connected(stub.url, key) as api:
        assert len((await api.order_book("1")).orders) == 1
        assert len(stub.named("orderbook")) == TRIES
        assert api.rest.pauses == [0.25, 0.5, 1.0]
        replies[:] = [fault] * 100
        with pytest.raises((QueryFailed, QuotaExceeded)):
            await api.order_book("1")
        assert len(stub.named("orderbook")) == 2 * TRIES


async def test_a_refused_query_is_not_repeated(key: SigningKey) -> None:
    refusal = envelope(None, 400, "Account is not exist.")
    async with Stub(broker(lambda seen: refusal)) as stub, connected(stub.url, key) as api:
        with pytest.raises(RequestRefused, match="Account is not exist") as caught:
            await api.order_book("1")
        assert caught.value.status == 400
        assert len(stub.named("orderbook")) == 1


async def test_a_query_signs_in_again_once_when_its_token_is_refused(key: SigningKey, samples: dict) -> None:
    bad: set[str] = set()

    def answer(seen: Seen) -> Reply:
        token = seen.headers["authorization"]
        if not bad or token in bad:
            bad.add(token)
            return envelope(None, 401, "Missing Authorization header")
        return envelope(samples["order_book"])

    async with Stub(broker(answer)) as stub, connected(stub.url, key) as api:
        await api.order_book("1")
        assert len(stub.named("accesstoken")) == 2
    async with (
        Stub(broker(lambda seen: envelope(None, 401, "no"))) as stub,
        connected(stub.url, key) as api,
    ):
        with pytest.raises(AuthError):
            await api.order_book("1")
        assert len(stub.named("orderbook")) == 2


async def test_an_answer_that_looks_like_an_empty_book_is_an_error(key: SigningKey) -> None:
    for data in (None, {}, [], {"account": "1"}, {"orders": None}, {"orders": [{}]}):
        reply = envelope(data)
        async with Stub(broker(lambda seen, r=reply: r)) as stub, connected(stub.url, key) as api:
            with pytest.raises(ProtocolError):
                await api.order_book("1")


# The quota


def test_calls_are_paced_and_cancels_are_never_starved(key: SigningKey) -> None:
    async def main() -> None:
        sent: list[tuple[float, str]] = []
        now = asyncio.get_running_loop().time

        def answer(request: httpx.Request) -> httpx.Response:
            name = request.url.path.rsplit("/", 1)[-1]
            if name == "AccessToken":
                return httpx.Response(200, content=broker()(Seen("POST", "/AccessToken", {}, b"")).body)
            sent.append((now(), name))
            return httpx.Response(200, content=envelope({"requestID": "1"}).body)

        quota = Quota([Rule("*", 1.0, 5)])
        async with connected(
            "http://127.0.0.1:1", key, quota=quota, transport=httpx.MockTransport(answer)
        ) as api:
            began = now()
            orders = [api.new_order(requests.NewOrder(**ORDER)) for _ in range(40)]
            tasks = [asyncio.create_task(order) for order in orders]
            await asyncio.sleep(0.01)
            cancels = await asyncio.gather(
                *(api.cancel_order(requests.CancelOrder(**CANCEL)) for _ in range(10))
            )
            assert all(outcome.fate is Fate.RECEIVED for outcome in cancels)
            done = max(at for at, name in sent if name == "CancelOrder")
            assert done - began < 3
            outcomes = await asyncio.gather(*tasks)
            fates = [outcome.fate for outcome in outcomes]
            assert set(fates) == {Fate.RECEIVED, Fate.NOT_SENT}
            assert fates == sorted(fates, key=[Fate.RECEIVED, Fate.NOT_SENT].index), (
                "first come, first served"
            )
            assert "rate limit" in outcomes[-1].text
            for at, _ in sent:
                assert sum(1 for other, _ in sent if at - 1 < other <= at) <= 5

    run(main())


async def test_a_429_slows_the_account_down(key: SigningKey) -> None:
    reply = Reply(b"API calls quota exceeded! maximum admitted 3 per 1 s", 429)
    async with Stub(broker(lambda seen: reply)) as stub, connected(stub.url, key) as api:
        await api.new_order(requests.NewOrder(**ORDER))
        assert Rule("*", 1.0, 3) in api.rest.quota.rules


# What is not ours


async def test_only_the_named_authority_is_believed(
    key: SigningKey, authority: trustme.CA, server_tls: ssl.SSLContext, ca_file: str
) -> None:
    async with Stub(broker(), server_tls) as stub:
        async with connected(stub.url, key, trust(ca_file)) as api:
            assert (await api.new_order(requests.NewOrder(**ORDER))).fate is Fate.RECEIVED
        stub.seen.clear()
        for context in (trust(), trust(_other_authority(ca_file))):
            async with connected(stub.url, key, context, login=False) as api:
                with pytest.raises(RequestNotSent, match="certificate"):
                    await api.rest._session.login(Secret("1234"))
        assert not stub.seen
    async with Stub(broker(), server_context(authority, "other.example")) as stub:
        async with connected(stub.url, key, trust(ca_file), login=False) as api:
            with pytest.raises(RequestNotSent, match=r"(?i)hostname"):
                await api.rest._session.login(Secret("1234"))
        assert not stub.seen


def _other_authority(ca_file: object) -> object:
    path = ca_file.with_name("other.pem")
    trustme.CA().cert_pem.write_to_path(str(path))
    return path


@pytest.mark.parametrize("error", all_foreign_errors(), ids=lambda error: type(error).__qualname__)
async def test_nothing_foreign_comes_through(key: SigningKey, error: Exception) -> None:
    """Whatever the transport raises, an order has a fate and a query our error."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("AccessToken"):
            return httpx.Response(200, content=broker()(Seen("POST", "/AccessToken", {}, b"")).body)
        raise error

    async with connected("http://127.0.0.1:1", key, transport=httpx.MockTransport(answer)) as api:
        outcome = await api.new_order(requests.NewOrder(**ORDER))
        assert outcome.fate in {Fate.UNKNOWN, Fate.NOT_SENT}
        with pytest.raises(BrokerError):
            await api.order_book("1")
