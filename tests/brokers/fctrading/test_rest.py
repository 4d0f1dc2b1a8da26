"""The REST shell over real sockets: what goes out, what comes back, and what never happens twice."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import ssl
import time
from collections.abc import AsyncIterator, Callable
from datetime import date

import httpcore
import httpx
import pytest
import ssi_fctrading
import trustme
from Crypto.Hash import SHA256
from Crypto.Signature import pkcs1_15
from ssi_fctrading.models import fcmodel_requests as official

from algo.brokers.fctrading import endpoints, requests
from algo.brokers.fctrading.api import TradingApi
from algo.brokers.fctrading.outcome import Fate
from algo.brokers.fctrading.quota import Quota, Rule
from algo.brokers.fctrading.rest import TRIES, Rest
from algo.brokers.fctrading.session import Session
from algo.brokers.fctrading.signing import SigningKey
from algo.errors import (
    AuthError,
    BrokerError,
    CredentialError,
    ProtocolError,
    QueryFailed,
    QuotaExceeded,
    RequestNotSent,
    RequestRefused,
    RequestUnknown,
)
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment
from algo.fastconnect.transport import FOREIGN, open_client, translate, trust
from tests.brokers.fctrading.conftest import make_credentials, server_context
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope, in_thread, jwt
from tests.brokers.fctrading.test_signing import public
from tests.generators.virtual_time import run

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


# The official client's traffic is the oracle


async def test_orders_equal_the_official_clients_byte_for_byte(key: SigningKey) -> None:
    pairs = [
        (
            "new_order",
            official.NewOrder("0901351", "10000017", "SSI", "VN", "B", "LO", 21000.0, 300, deviceId="d"),
            requests.NewOrder(**ORDER | {"device_id": "d"}),
        ),
        (
            "der_new_order",
            official.NewOrder(
                "0901358", "7", "VN30F2612", "VNFE", "S", "LO", 1402.5, 2, True, 1400.1, "D", 0.5, 0.1, 0.2
            ),
            requests.NewOrder(
                account="0901358",
                request_id="7",
                instrument_id="VN30F2612",
                market="VNFE",
                buy_sell="S",
                order_type="LO",
                price=1402.5,
                quantity=2,
                stop_order=True,
                stop_price=1400.1,
                stop_type="D",
                stop_step=0.5,
                loss_step=0.1,
                profit_step=0.2,
            ),
        ),
        (
            "modify_order",
            official.ModifyOrder("0901351", "8", "12658867", "VN", "SSI", 21050.0, 200, "B", "LO"),
            requests.ModifyOrder(
                **CANCEL | {"request_id": "8", "price": 21050, "quantity": 200, "order_type": "LO"}
            ),
        ),
        (
            "der_modify_order",
            official.ModifyOrder("0901351", "8", "12658867", "VNFE", "SSI", 1410.0, 2, "B", "LO"),
            requests.ModifyOrder(
                **CANCEL
                | {"request_id": "8", "price": 1410, "quantity": 2, "order_type": "LO", "market_id": "VNFE"}
            ),
        ),
        (
            "cancle_order",
            official.CancelOrder("0901351", "10000018", "12658867", "VN", "SSI", "B"),
            requests.CancelOrder(**CANCEL),
        ),
        (
            "der_cancle_order",
            official.CancelOrder("0901351", "10000018", "12658867", "VNFE", "SSI", "B"),
            requests.CancelOrder(**CANCEL | {"market_id": "VNFE"}),
        ),
    ]
    with in_thread(Stub(broker())) as stub:

        def theirs() -> None:
            with contextlib.redirect_stdout(io.StringIO()):
                client = ssi_fctrading.FCTradingClient(
                    stub.url + "/",
                    "planted-consumer-id",
                    "planted-consumer-secret",
                    key.private_text().reveal(),
                    0,
                )
                client.verifyCode("1234")
                for name, order, _ in pairs:
                    getattr(client, name)(order)

        await asyncio.to_thread(theirs)
        expected, stub.seen = stub.seen, []
        async with connected(stub.url, key) as api:
            for _, _, order in pairs:
                method = {"New": api.new_order, "Mod": api.modify_order, "Can": api.cancel_order}
                outcome = await method[type(order).__name__[:3]](order)
                assert outcome.fate is Fate.RECEIVED
        ours = stub.seen
    assert [seen.body for seen in ours[1:]] == [seen.body for seen in expected[2:]]
    assert [seen.path for seen in ours[1:]] == [seen.path for seen in expected[2:]]
    assert ours[0].body == expected[1].body
    for mine, other in zip(ours[1:], expected[2:], strict=True):
        assert mine.headers["x-signature"] == other.headers["x-signature"]
        assert mine.headers["content-type"] == other.headers["content-type"]
        assert mine.headers["authorization"].startswith("Bearer ")
        signature = bytes.fromhex(mine.headers["x-signature"])
        pkcs1_15.new(public(key)).verify(SHA256.new(mine.body), signature)
    assert "x-signature" not in ours[0].headers


QUERIES: dict[str, tuple[tuple, tuple | None]] = {
    "order_book": (("0901351",), ("get_order_book", official.OrderBook("0901351"))),
    "audit_order_book": (("0901351",), ("get_audit_order_book", official.AuditOrderBook("0901351"))),
    "order_history": (
        ("0901351", date(2026, 2, 1), date(2026, 2, 3)),
        ("get_order_history", official.OrderHistory("0901351", "01/02/2026", "03/02/2026")),
    ),
    "stock_position": (("0901351",), ("get_stock_position", official.StockPosition("0901351"))),
    "derivative_position": (
        ("0901358",),
        ("get_derivative_position", official.DerivativePosition("0901358")),
    ),
    "cash_balance": (("0901351",), ("get_stock_account_balance", official.StockAccountBalance("0901351"))),
    "derivative_balance": (
        ("0901358",),
        ("get_derivative_account_balance", official.DerivativeAccountBalance("0901358")),
    ),
    "margin_account": (("0901351",), ("get_pp_mmr_account", official.PPMMRAccount("0901351"))),
    "max_buy": (("1", "SSI", 21000.0), ("get_max_buy_qty", official.MaxBuyQty("1", "SSI", 21000.0))),
    "max_sell": (("1", "SSI", 21000.0), ("get_max_sell_qty", official.MaxSellQty("1", "SSI", 21000.0))),
    "rate_limit": ((), ("get_ratelimit", None)),
    "cash_advance_amount": (
        ("1",),
        ("get_cash_cia_amount", official.CashInAdvanceAmount("1")),
    ),
    "cash_advance_fee": (
        ("1", 5.0, 0.0),
        ("get_cash_cia_est_fee", official.CashInAdvanceEstFee("1", 5.0, 0.0)),
    ),
    "cash_advance_history": (
        ("1", date(2026, 2, 1), date(2026, 2, 3)),
        ("get_cash_cia_history", official.CashInAdvanceHistory("1", "01/02/2026", "03/02/2026")),
    ),
    "unsettled_sales": (
        ("1", date(2026, 2, 1)),
        ("get_cash_unsettle_sold_transaction", official.UnsettleSoldTransaction("1", "01/02/2026")),
    ),
    "cash_transfer_history": (
        ("1", date(2026, 2, 1), date(2026, 2, 3)),
        ("get_cash_transfer_history", official.CashTransferHistory("1", "01/02/2026", "03/02/2026")),
    ),
    "dividends": (("1",), ("get_ors_dividend", official.OrsDividend("1"))),
    "exercisable_rights": (("1",), ("get_ors_exercisable_quantity", official.OrsExercisableQuantity("1"))),
    "rights_history": (
        ("1", date(2026, 2, 1), date(2026, 2, 3)),
        ("get_ors_history", official.OrsHistory("1", "01/02/2026", "03/02/2026")),
    ),
    "transferable_stock": (("1",), ("get_stock_transferable", official.StockTransferable("1"))),
    "stock_transfer_history": (
        ("1", date(2026, 2, 1), date(2026, 2, 3)),
        ("get_stock_transfer_history", official.StockTransferHistory("1", "01/02/2026", "03/02/2026")),
    ),
}
DATA: dict[str, object] = {
    "rate_limit": [{"endpoint": "*", "period": "1s", "limit": 700}],
    "cash_advance_amount": {"CIAAmounts": []},
    "cash_advance_fee": {"fee": 1},
    "cash_advance_history": {"CIAHistories": []},
    "unsettled_sales": {"orders": []},
    "cash_transfer_history": {"transferHistories": []},
    "dividends": {"dividends": []},
    "exercisable_rights": {"exercisableQuantities": []},
    "rights_history": {"onlineRightSubscriptionHistories": []},
    "transferable_stock": {"transferableStocks": []},
    "stock_transfer_history": {"stockTransferHistories": []},
}


async def test_every_query_asks_as_the_official_client_does(key: SigningKey, samples: dict) -> None:
    current = ""

    def answer(seen: Seen) -> Reply:
        if current in DATA:
            return envelope(DATA[current])
        return envelope(samples[current].get("data", samples[current]))

    with in_thread(Stub(broker(answer))) as stub:
        current = "order_book"

        def theirs() -> list[Seen]:
            nonlocal current
            client = ssi_fctrading.FCTradingClient(stub.url + "/", "i", "s", key.private_text().reveal(), 0)
            stub.seen.clear()
            for query, (_, (name, model)) in QUERIES.items():
                current = query
                getattr(client, name)(*([] if model is None else [model]))
            return list(stub.seen)

        expected = await asyncio.to_thread(theirs)
        async with connected(stub.url, key) as api:
            current = "order_book"
            await api.order_book("x")
            stub.seen.clear()
            for current, (arguments, _) in QUERIES.items():
                await getattr(api, current)(*arguments)
        assert api.rest.quota.rules == (Rule("*", 1.0, 700),)
        ours = list(stub.seen)
    assert [(seen.method, seen.path, seen.query) for seen in ours] == [
        (seen.method, seen.path, seen.query) for seen in expected
    ]
    assert all("x-signature" not in seen.headers for seen in ours)


def test_every_allowed_endpoint_has_its_method() -> None:
    source = inspect.getsource(TradingApi)
    for name, endpoint in vars(endpoints).items():
        if isinstance(endpoint, endpoints.Endpoint) and endpoint.kind is not endpoints.Kind.SIGN_IN:
            assert f"endpoints.{name}" in source


async def test_what_is_not_on_the_list_is_not_called(key: SigningKey) -> None:
    async with Stub(broker()) as stub, connected(stub.url, key) as api:
        count = len(stub.seen)
        for path in ("cash/transferInternal", "cash/vsdCashDW", "stock/transfer"):
            for kind in endpoints.Kind:
                endpoint = endpoints.Endpoint("POST", f"/api/v2/{path}", kind)
                for call in (
                    lambda e=endpoint: api.rest.change(e, b"{}", "1"),
                    lambda e=endpoint: api.rest.query(e, {}),
                    lambda e=endpoint: api.rest.sign_in(e, Secret("{}")),
                ):
                    with pytest.raises(ValueError, match="may make"):
                        await call()
        assert len(stub.seen) == count


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


# TLS


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


def test_a_useless_authority_is_said(tmp_path: object) -> None:
    for content in (None, b"", b"rubbish"):
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CredentialError, match=r"ca\.pem"):
            trust(path)


def test_every_context_verifies(ca_file: object) -> None:
    for context in (trust(), trust(ca_file)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


# The one place of translation


def all_foreign_errors() -> list[Exception]:
    found: list[Exception] = []
    request = httpx.Request("GET", "http://x")
    for module in (httpx, httpcore):
        for kind in vars(module).values():
            if not (isinstance(kind, type) and issubclass(kind, Exception)):
                continue
            for arguments in (("boom",), ("boom", request), ()):
                try:
                    found.append(kind(*arguments))
                    break
                except TypeError:
                    continue
            else:
                found.append(kind("boom", request=request, response=httpx.Response(500, request=request)))
    return found


def test_the_translation_is_total() -> None:
    errors = [error for error in all_foreign_errors() if type(error).__module__.startswith("httpx")]
    assert len(errors) >= 25
    for error in [*errors, OSError("x"), TimeoutError(), ssl.SSLError("x"), ConnectionResetError()]:
        assert isinstance(error, FOREIGN), type(error)
        assert isinstance(translate(error, changes=False), QueryFailed)
        sent = translate(error, changes=True, sent=True)
        assert isinstance(sent, RequestUnknown), "what was sent may stand"
        assert isinstance(translate(error, changes=True, sent=False), RequestNotSent | RequestUnknown)
    for error in (httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), TimeoutError()):
        assert isinstance(translate(error, changes=True, sent=False), RequestNotSent)
    for error in (httpx.ReadTimeout("x"), httpx.WriteError("x"), httpx.RemoteProtocolError("x")):
        assert isinstance(translate(error, changes=True, sent=False), RequestUnknown)


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
