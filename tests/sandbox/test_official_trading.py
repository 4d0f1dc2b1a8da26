"""SSI's own Python client for trading, ssi-fctrading 2.5.3, unmodified, over real sockets."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from ssi_fctrading import FCTradingClient, FCTradingStream
from ssi_fctrading.models import fcmodel_requests as models

from tests.sandbox.running import Served, made, served

IDS = count(20_000_000)
HEARD_WITHIN = 10.0


@pytest.fixture(scope="module", autouse=True)
def quiet_client() -> Iterator[None]:
    """The client logs every lost connection with a traceback."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def running() -> Iterator[Served]:
    with served(made()) as found:
        yield found


def client_of(running: Served, factor: int = 0) -> FCTradingClient:
    document = running.document
    return FCTradingClient(
        document["url"],
        document["consumer_id"],
        document["consumer_secret"],
        document["private_key"],
        factor,
    )


@pytest.fixture
def client(running: Served) -> FCTradingClient:
    found = client_of(running)
    found.verifyCode(running.document["pin"])
    return found


@dataclass
class Heard:
    """What a stream of the client's heard, and how to wait for more."""

    stream: Any = None
    events: list[dict] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    closed: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, text: str) -> None:
        with self.changed:
            self.events.append(json.loads(text))
            self.changed.notify_all()

    def fail(self, error: Any) -> None:
        with self.changed:
            self.errors.append(error)
            self.changed.notify_all()

    def end(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def wait(self, condition: Callable[[Heard], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), HEARD_WITHIN), self.events

    @property
    def ids(self) -> list[int]:
        return [event["data"]["notifyID"] for event in self.events]

    def states(self, request_id: str) -> list[str]:
        return [
            event["data"]["orderStatus"]
            for event in self.events
            if event["type"] == "orderEvent" and event["data"]["origRequestID"] == request_id
        ]


@contextlib.contextmanager
def listening(running: Served, client: FCTradingClient, notify_id: str = "-1") -> Iterator[Heard]:
    heard = Heard()
    opened = threading.Event()
    stream = FCTradingStream(
        client, running.document["stream_url"], heard.take, heard.fail, notify_id, heard.end, opened.set
    )
    heard.stream = stream
    stream.start()
    assert opened.wait(HEARD_WITHIN)
    try:
        yield heard
    finally:
        # The client's own close() raises AttributeError.
        stream.connection._Connection__transport._ws.close()


def order(running: Served, symbol: str, side: str, price: float, quantity: int) -> models.NewOrder:
    is_future = symbol not in {"FPT", "HPG"}
    return models.NewOrder(
        running.document["accounts"]["derivatives" if is_future else "equity"],
        str(next(IDS)),
        symbol,
        "VNFE" if is_future else "VN",
        side,
        "LO",
        price,
        quantity,
        deviceId="AA:BB:CC:DD:EE:FF",
        userAgent=FCTradingClient.get_user_agent(),
    )


def last(running: Served, symbol: str) -> float:
    return running.sandbox.world.tape.states[symbol].last


def future(running: Served) -> str:
    return next(one["symbol"] for one in running.document["symbols"] if one["board"] == "DERIVATIVES")


def place(client: FCTradingClient, sent: models.NewOrder) -> dict:
    return client.der_new_order(sent) if sent.market == "VNFE" else client.new_order(sent)


def test_signing_in(running: Served) -> None:
    client = client_of(running)
    assert client.get_access_token()
    with pytest.raises(NameError, match="PIN"):
        client.verifyCode("wrong")
    assert client.verifyCode(running.document["pin"]) == client.get_writer_access_token()
    with pytest.raises(NameError):
        FCTradingClient(running.document["url"], "nobody", "x", running.document["private_key"], 0)


def test_signing_in_by_a_one_time_code(running: Served) -> None:
    client = client_of(running, factor=1)
    document = running.document
    answer = client.get_otp(models.GetOTP(document["consumer_id"], document["consumer_secret"]))
    assert answer == {"message": "Success", "status": 200}
    code = running.sandbox.service.identity.shown[-1].code
    assert client.verifyCode(code)
    with pytest.raises(NameError, match="OTP"):
        client.verifyCode(code)


@pytest.mark.parametrize("board", ["VN", "VNFE"])
def test_an_order_from_its_placement_to_its_cancel(
    running: Served, client: FCTradingClient, board: str
) -> None:
    symbol = "FPT" if board == "VN" else future(running)
    step, quantity = (100.0, 300) if board == "VN" else (0.1, 3)
    low = round(last(running, symbol) - 20 * step, 1)
    sent = order(running, symbol, "B", low, quantity)
    with listening(running, client) as heard:
        answer = place(client, sent)
        assert (answer["status"], answer["data"]["requestID"]) == (200, sent.requestID)
        heard.wait(lambda h: "QU" in h.states(sent.requestID))
        (standing,) = client.get_order_book(models.OrderBook(sent.account))["data"]["orders"]
        assert (standing["orderStatus"], standing["price"], standing["quantity"]) == ("QU", low, quantity)
        change = models.ModifyOrder(
            sent.account, str(next(IDS)), standing["orderID"], board, symbol, low - step, quantity, "B", "LO",
            deviceId="x",
        )  # fmt: skip
        modify = client.modify_order if board == "VN" else client.der_modify_order
        answer = modify(change)
        assert answer["status"] == 200, answer
        heard.wait(lambda h: h.states(sent.requestID)[-1] == "QU" and len(h.states(sent.requestID)) > 3)
        (standing,) = client.get_order_book(models.OrderBook(sent.account))["data"]["orders"]
        assert standing["price"] == pytest.approx(low - step)
        end = models.CancelOrder(
            sent.account, str(next(IDS)), standing["orderID"], board, symbol, "B", deviceId="x"
        )
        cancel = client.cancle_order if board == "VN" else client.der_cancle_order
        assert cancel(end)["status"] == 200
        heard.wait(lambda h: h.states(sent.requestID)[-1] == "CL")
        (gone,) = client.get_order_book(models.OrderBook(sent.account))["data"]["orders"]
        assert (gone["orderStatus"], gone["cancelQty"]) == ("CL", quantity)
        assert heard.ids == sorted(set(heard.ids)) and not heard.errors


@pytest.mark.parametrize("board", ["VN", "VNFE"])
def test_a_fill_is_told_and_counted(running: Served, client: FCTradingClient, board: str) -> None:
    symbol, quantity = ("FPT", 100) if board == "VN" else (future(running), 1)
    high = round(last(running, symbol) + (2000.0 if board == "VN" else 10.0), 1)
    sent = order(running, symbol, "B", high, quantity)
    with listening(running, client) as heard:
        assert place(client, sent)["status"] == 200
        running.control("step", until=running.sandbox.world.now + 5 * 60 * 10**9)
        heard.wait(lambda h: "FF" in h.states(sent.requestID))
        matches = [event["data"] for event in heard.events if event["type"] == "orderMatchEvent"]
        assert sum(match["matchQty"] for match in matches) == quantity
    if board == "VN":
        held = client.get_stock_position(models.StockPosition(sent.account))["data"]["stockPositions"]
        assert [(one["instrumentID"], one["buyT0"], one["sellableQty"]) for one in held] == [(symbol, 100, 0)]
    else:
        held = client.get_derivative_position(models.DerivativePosition(sent.account))["data"]["openPosition"]
        assert [(one["instrumentID"], one["net"]) for one in held] == [(symbol, 1)]
        assert any(event["type"] == "clientPortfolioEvent" for event in heard.events)


def test_a_refusal_comes_on_the_stream_after_a_success(running: Served, client: FCTradingClient) -> None:
    sent = order(running, "FPT", "B", running.sandbox.world.tape.states["FPT"].ceiling + 100, 100)
    with listening(running, client) as heard:
        assert client.new_order(sent)["status"] == 200
        heard.wait(lambda h: any(event["type"] == "orderError" for event in h.events))
    (error,) = [event["data"] for event in heard.events if event["type"] == "orderError"]
    assert (error["uniqueID"], error["errorCode"]) == (sent.requestID, "ORD003")


def test_every_query_is_answered(running: Served, client: FCTradingClient) -> None:
    equity, derivatives = (running.document["accounts"][name] for name in ("equity", "derivatives"))
    days = ("01/07/2025", "02/07/2025")
    symbol = future(running)
    answers = {
        "cash": client.get_stock_account_balance(models.StockAccountBalance(equity)),
        "derivatives": client.get_derivative_account_balance(models.DerivativeAccountBalance(derivatives)),
        "margin": client.get_pp_mmr_account(models.PPMMRAccount(equity)),
        "stocks": client.get_stock_position(models.StockPosition(equity)),
        "contracts": client.get_derivative_position(models.DerivativePosition(derivatives)),
        "max buy": client.get_max_buy_qty(models.MaxBuyQty(equity, "FPT", last(running, "FPT"))),
        "max buy contracts": client.get_max_buy_qty(
            models.MaxBuyQty(derivatives, symbol, last(running, symbol))
        ),
        "max sell": client.get_max_sell_qty(models.MaxSellQty(equity, "FPT", "0")),
        "history": client.get_order_history(models.OrderHistory(equity, *days)),
        "book": client.get_order_book(models.OrderBook(equity)),
        "audit": client.get_audit_order_book(models.AuditOrderBook(derivatives)),
        "limits": client.get_ratelimit(),
        "advance": client.get_cash_cia_amount(models.CashInAdvanceAmount(equity)),
        "unsettled": client.get_cash_unsettle_sold_transaction(
            models.UnsettleSoldTransaction(equity, days[1])
        ),
        "transfers": client.get_cash_transfer_history(models.CashTransferHistory(equity, *days)),
        "advances": client.get_cash_cia_history(models.CashInAdvanceHistory(equity, *days)),
        "advance fee": client.get_cash_cia_est_fee(models.CashInAdvanceEstFee(equity, 0, 0)),
        "dividends": client.get_ors_dividend(models.OrsDividend(equity)),
        "rights": client.get_ors_exercisable_quantity(models.OrsExercisableQuantity(equity)),
        "subscriptions": client.get_ors_history(models.OrsHistory(equity, *days)),
        "transferable": client.get_stock_transferable(models.StockTransferable(equity)),
        "stock transfers": client.get_stock_transfer_history(models.StockTransferHistory(equity, *days)),
    }
    refused = {name: answer for name, answer in answers.items() if answer["status"] != 200}
    assert not refused
    assert answers["max buy"]["data"]["maxBuyQty"] > 0
    assert answers["limits"]["data"][0].keys() == {"endpoint", "period", "limit"}


def test_the_stream_from_the_start_from_now_and_from_a_number(
    running: Served, client: FCTradingClient
) -> None:
    low = running.sandbox.world.tape.states["FPT"].floor
    with listening(running, client) as live:
        for _ in range(3):
            client.new_order(order(running, "FPT", "B", low, 100))
        live.wait(lambda h: len(h.events) == 9)
    with listening(running, client, "0") as whole:
        whole.wait(lambda h: len(h.events) >= 9)
        assert whole.events == live.events
    middle = live.ids[4]
    with listening(running, client, str(middle)) as rest, listening(running, client, "-1") as later:
        rest.wait(lambda h: len(h.events) >= 5)
        assert rest.ids == live.ids[4:]
        client.new_order(order(running, "FPT", "B", low, 100))
        rest.wait(lambda h: len(h.events) >= 8)
        later.wait(lambda h: len(h.events) >= 3)
        assert later.ids == rest.ids[5:]


def test_connecting_again_after_a_drop_loses_nothing(running: Served, client: FCTradingClient) -> None:
    low = running.sandbox.world.tape.states["FPT"].floor
    with listening(running, client) as first:
        client.new_order(order(running, "FPT", "B", low, 100))
        first.wait(lambda h: len(h.events) == 3)
        running.control("drop")
        first.wait(lambda h: h.closed)
    client.new_order(order(running, "FPT", "B", low, 200))
    with listening(running, client, str(first.ids[-1])) as again:
        again.wait(lambda h: len(h.events) >= 4)
    assert again.ids[0] == first.ids[-1] and again.events[-1]["data"]["quantity"] == 200


def test_a_warning_goes_to_the_error_handler(running: Served, client: FCTradingClient) -> None:
    with listening(running, client) as heard:
        running.control("warn", text="Connection has been blocked, quota 5 exceeded by 1")
        heard.wait(lambda h: bool(h.errors))
    assert heard.errors == ["Connection has been blocked, quota 5 exceeded by 1"]


def test_too_many_requests_are_answered_with_429() -> None:
    with served(made(limited=True)) as running:
        client = client_of(running)
        account = models.OrderBook(running.document["accounts"]["equity"])
        with pytest.raises(ValueError, match="Expecting value"):  # the client decodes whatever comes
            for _ in range(20):
                client.get_order_book(account)
