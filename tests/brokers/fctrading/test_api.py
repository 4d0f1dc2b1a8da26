"""Every endpoint, with the official client's traffic as the oracle, and what may not be called at all."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
from datetime import date

import pytest
import ssi_fctrading
from Crypto.Hash import SHA256
from Crypto.Signature import pkcs1_15
from ssi_fctrading.models import fcmodel_requests as official

from algo.brokers.fctrading import endpoints, requests
from algo.brokers.fctrading.api import TradingApi
from algo.brokers.fctrading.outcome import Fate
from algo.brokers.fctrading.quota import Rule
from algo.brokers.fctrading.signing import SigningKey
from algo.fastconnect.secret import Secret
from tests.brokers.fctrading.connected import CANCEL, ORDER, broker, connected
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope, in_thread
from tests.brokers.fctrading.test_signing import public


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
