"""What accounts are told: fields and types of SSI's samples, read by our own adapter, against the books."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.brokers.fctrading import balances, models, services
from algo.clock import HOUR
from tests.sandbox.desk import DAY, DERIVATIVES, EQUITY, FUTURE, Client, Desk, service
from tests.sandbox.shapes import differences

NEWER = frozenset({"note", "rejectReason"})
PERIOD = {"startDate": "01/06/2026", "endDate": "30/06/2026"}
MONTH = {"fromDate": "01/06/2026", "toDate": "30/06/2026"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> Client:
    """A person who bought and sold shares and contracts, and has orders in the market."""
    found = Client(service(desk))
    found.sign_in()
    found.place(found.order("1", price=30_100.0, quantity=500)), desk.fill(30_100, 300)
    found.place(found.order("2", buySell="S", price=31_000.0, quantity=400)), desk.fill(31_000, 100)
    found.place(found.contract("3", quantity=8)), desk.fill(19_000, 8)
    found.place(found.contract("4", buySell="S", price=1910.0, quantity=3))
    return found


def test_every_query_has_the_fields_of_its_sample(client: Client, samples: dict) -> None:
    wanted = {
        ("orderBook", EQUITY): samples["order_book"],
        ("auditOrderBook", EQUITY): samples["audit_order_book"],
        ("stockPosition", EQUITY): samples["stock_position"],
        ("derivPosition", DERIVATIVES): samples["derivative_position"],
        ("cashAcctBal", EQUITY): samples["cash_balance"],
        ("derivAcctBal", DERIVATIVES): samples["derivative_balance"],
        ("ppmmraccount", EQUITY): samples["margin_account"],
    }
    for (name, account), sample in wanted.items():
        found = client.data(f"Trading/{name}", account=account)
        assert differences(found, sample, NEWER) == [], name
    item = client.data("Trading/orderBook", account=EQUITY)["orders"][0]
    assert differences(item, samples["order_item_live"]) == []
    history = client.answer(client.get("Trading/orderHistory", account=EQUITY, **PERIOD))
    assert differences(history, samples["order_history"], NEWER) == []
    assert len(history["data"]["orderHistories"]) == 2
    most = client.data("Trading/maxBuyQty", account=EQUITY, instrumentID="SSI", price=30_000)
    assert differences(most, samples["max_buy"]) == []
    most = client.data("Trading/maxSellQty", account=EQUITY, instrumentID="SSI")
    assert differences(most, samples["max_sell"]) == []
    assert differences(client.data("Trading/rateLimit"), samples["rate_limit"]) == []


def test_numbers_print_as_the_server_prints_them(client: Client) -> None:
    body = client.get("Trading/orderBook", account=EQUITY).body
    assert b'"price":30100.0,"quantity":500,"filledQty":300,"orderStatus":"PF"' in body
    assert b'"avgPrice":30100.0,"isForcesell":"F","isShortsell":"F"' in body
    body = client.get("Trading/stockPosition", account=EQUITY).body
    assert b'"onHand":9900,"block":0' in body
    assert b" " not in client.get("Trading/derivAcctBal", account=DERIVATIVES).body


def test_our_adapter_reads_every_answer(client: Client) -> None:
    book = models.OrderBook.read(client.data("Trading/orderBook", account=EQUITY))
    assert [order.status for order in book.orders] == ["PF", "PF"]
    assert models.OrderBook.read(client.data("Trading/auditOrderBook", account=EQUITY)).orders
    held = models.StockPosition.read(client.data("Trading/stockPosition", account=EQUITY)).holdings[0]
    # 10,000 from before, 300 bought and 100 sold today, 300 more on sale.
    assert (held.on_hand, held.buy_t0, held.sell_t0) == (9_900, 300, 100)
    assert (held.sellable, held.hold_for_trade) == (9_600, 300)
    contract = models.DerivativePosition.read(client.data("Trading/derivPosition", account=DERIVATIVES)).open[
        0
    ]
    assert (contract.instrument_id, contract.net, contract.trade_price) == (FUTURE, 8, 1900.0)
    cash = balances.CashBalance.read(client.data("Trading/cashAcctBal", account=EQUITY))
    assert cash.matched_buy == 300 * 30_100
    assert cash.matched_sell == 100 * 31_000
    assert cash.unmatched_buy == 200 * 30_100
    assert cash.unmatched_sell == 300 * 31_000
    assert cash.secured is not None
    assert cash.cash - cash.secured == cash.purchasing_power
    money = balances.DerivativeBalance.read(client.data("Trading/derivAcctBal", account=DERIVATIVES))
    assert money.internal_margin is not None
    assert money.internal_margin.required == 8 * 19_000 * 10_000 * 17 // 100
    assert balances.MarginAccount.read(client.data("Trading/ppmmraccount", account=EQUITY)).cash == cash.cash


def test_what_could_be_bought_can_be_bought(client: Client) -> None:
    found = client.data("Trading/maxBuyQty", account=EQUITY, instrumentID="FPT", price=100_000)
    most = models.MaxBuy.read(found).quantity
    assert most > 0
    body = client.order("10", instrumentID="FPT", price=100_000.0, quantity=most)
    client.place(body)
    assert client.data("Trading/orderBook", account=EQUITY)["orders"][-1]["orderStatus"] == "QU"
    assert (
        client.data("Trading/maxBuyQty", account=EQUITY, instrumentID="FPT", price=100_000)["maxBuyQty"] == 0
    )


def test_contracts_have_a_most_of_their_own(client: Client) -> None:
    found = client.data("Trading/maxBuyQty", account=DERIVATIVES, instrumentID=FUTURE, price=1900.0)
    assert found["marginRatio"] == "17%"
    assert models.MaxBuy.read(found).quantity > 0
    found = client.data("Trading/maxSellQty", account=DERIVATIVES, instrumentID=FUTURE, price=1900.0)
    assert models.MaxSell.read(found).quantity > 8


def test_the_last_error_of_an_order_is_in_the_audit_book(client: Client, samples: dict) -> None:
    order_id = client.data("Trading/orderBook", account=EQUITY)["orders"][0]["orderID"]
    body = {
        "account": EQUITY,
        "requestID": "20",
        "orderID": order_id,
        "marketID": "VN",
        "instrumentID": "SSI",
    }
    body |= {"price": 90_000.0, "quantity": 500, "buySell": "B", "orderType": "LO", "deviceId": "x"}
    assert client.place(body, "ModifyOrder")["status"] == 200, "received means no more than that"
    found = client.data("Trading/auditOrderBook", account=EQUITY)
    assert differences(found, samples["audit_order_book"], NEWER) == []
    item = found["orders"][0]
    assert item["orderStatus"] == "PF"
    error = item["lastErrorEvent"]
    assert (error["uniqueID"], error["orderStatus"], error["lastErrorEvent"]) == ("20", "RJ", None)
    assert error["rejectReason"]


def test_a_closed_contract_shows_as_closed_today(client: Client, desk: Desk) -> None:
    client.place(client.contract("5", buySell="S", price=1899.0, quantity=8)), desk.fill(19_100, 8)
    found = client.data("Trading/derivPosition", account=DERIVATIVES, querySummary="True")
    assert found["openPosition"] == []
    closed = found["closePosition"][0]
    assert (closed["net"], closed["bidAvgPrice"], closed["askAvgPrice"]) == (0, 1900.0, 1910.0)


def test_history_goes_by_the_day(client: Client, desk: Desk) -> None:
    desk.start(DAY + timedelta(1))
    client.place(client.order("1"))

    def ids(start: str, end: str) -> list[str]:
        data = client.data("Trading/orderHistory", account=EQUITY, startDate=start, endDate=end)
        return [order.unique_id for order in models.OrderHistory.read(data).orders]

    assert ids("09/06/2026", "09/06/2026") == ["1", "2"]
    assert ids("10/06/2026", "10/06/2026") == ["1"]
    assert ids("01/01/2026", "31/12/2026") == ["1", "2", "1"]
    assert ids("11/06/2026", "31/12/2026") == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, "'Start Date' must not be empty; StartDate is required."),
        ({"startDate": "2026-06-09", "endDate": "09/06/2026"}, "Start Date must be in the format dd/MM/yyyy"),
        ({"startDate": "09/06/2026"}, "'End Date' must not be empty; EndDate is required."),
    ],
)
def test_a_period_needs_its_dates(client: Client, query: dict, text: str) -> None:
    found = client.answer(client.get("Trading/orderHistory", account=EQUITY, **query))
    assert found == {"message": text, "status": 400}


@pytest.mark.parametrize("name", ["cashAcctBal", "ppmmraccount"])
def test_a_balance_is_asked_of_its_own_kind_of_account(client: Client, name: str) -> None:
    assert client.answer(client.get(f"Trading/{name}", account=DERIVATIVES))["status"] == 400


def test_a_client_that_asks_both_positions_of_one_account_is_answered(client: Client) -> None:
    assert (
        client.data("Trading/stockPosition", account=DERIVATIVES, querySummary="true")["stockPositions"] == []
    )
    assert client.data("Trading/derivPosition", account=EQUITY)["openPosition"] == []


# Cash, rights and shares without orders


def test_every_service_query_is_read_by_our_adapter(client: Client) -> None:
    read = {
        "cash/cashInAdvanceAmount": (services.CashAdvanceAmount, {}),
        "cash/unsettleSoldTransaction": (services.UnsettledSales, {"settleDate": "11/06/2026"}),
        "cash/cashInAdvanceHistories": (services.CashAdvanceHistory, PERIOD),
        "cash/estCashInAdvanceFee": (services.CashAdvanceFee, {"ciaAmount": 1e6, "receiveAmount": 0}),
        "ors/dividend": (services.Dividends, {}),
        "ors/exercisableQuantity": (services.ExercisableRights, {}),
        "ors/histories": (services.RightsHistory, PERIOD),
        "stock/transferable": (services.TransferableStocks, {}),
        "stock/transferHistories": (services.StockTransferHistory, PERIOD),
    }
    for name, (model, query) in read.items():
        assert model.read(client.data(name, account=EQUITY, **query)).account == EQUITY, name
    assert client.data("cash/transferHistories", account=EQUITY, **MONTH) == {"transferHistories": []}


def test_sale_money_can_be_used_early(client: Client) -> None:
    sales = services.UnsettledSales.read(client.data("cash/unsettleSoldTransaction", account=EQUITY))
    net = sum(int(sale.net_sell_value or 0) for sale in sales.orders)
    assert 0 < net < 100 * 31_000
    offer = services.CashAdvanceAmount.read(client.data("cash/cashInAdvanceAmount", account=EQUITY))
    assert [one.cash_advance for one in offer.amounts] == [net]
    before = client.data("Trading/cashAcctBal", account=EQUITY)["cashBal"]
    fee = client.data("cash/estCashInAdvanceFee", account=EQUITY, ciaAmount=net, receiveAmount=0)["fee"]
    body = {"account": EQUITY, "ciaAmount": float(net), "receiveAmount": 0, "code": ""}
    found = client.answer(client.post("/api/v2/cash/createCashInAdvance", body))
    assert services.Transaction.read(found["data"]).transaction_id
    after = client.data("Trading/cashAcctBal", account=EQUITY)
    assert after["cashBal"] == before + net - fee
    assert after["receivingCashT2"] == 0
    assert client.answer(client.post("/api/v2/cash/createCashInAdvance", body))["status"] == 400
    past = services.CashAdvanceHistory.read(
        client.data("cash/cashInAdvanceHistories", account=EQUITY, **PERIOD)
    )
    assert [one.total for one in past.advances] == [net]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 15 * 10**9)), max_size=6))
def test_cash_moves_between_a_persons_accounts_and_nowhere_else(moves: list[tuple[bool, int]]) -> None:
    desk = Desk()
    client = Client(service(desk))
    client.sign_in()
    cash = desk.people[0].portfolio.cash
    whole = sum(cash.values())
    for out, amount in moves:
        source, target = (EQUITY, DERIVATIVES) if out else (DERIVATIVES, EQUITY)
        query = "Trading/cashAcctBal" if out else "Trading/derivAcctBal"
        most = client.data(query, account=source)["withdrawable"]
        body = {"account": source, "beneficiaryAccount": target, "amount": amount, "remark": "", "code": ""}
        found = client.answer(client.post("/api/v2/cash/transferInternal", body))
        assert (found["status"] == 200) is (amount <= most)
        assert sum(cash.values()) == whole
        assert min(cash.values()) >= 0
    done = client.data("cash/transferHistories", account=EQUITY, **MONTH)["transferHistories"]
    assert len({one["transactionID"] for one in done}) == len(done)
    assert not client.data(
        "cash/transferHistories", account=EQUITY, fromDate="01/01/2026", toDate="02/01/2026"
    )["transferHistories"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("cash/transferInternal", {"beneficiaryAccount": "9999999", "amount": 5}),
        ("cash/transferInternal", {"beneficiaryAccount": EQUITY, "amount": 5}),
        ("cash/transferInternal", {"beneficiaryAccount": DERIVATIVES, "amount": 0}),
        ("cash/vsdCashDW", {"amount": 5, "type": "D"}),
        ("ors/create", {"instrumentID": "SSI", "entitlementID": "1", "quantity": 1, "amount": 1.0}),
        ("stock/transfer", {"beneficiaryAccount": "9999999", "instrumentID": "SSI", "quantity": 1}),
    ],
)  # fmt: skip
def test_nothing_leaves_the_house(client: Client, path: str, body: dict) -> None:
    before = client.data("Trading/cashAcctBal", account=EQUITY)
    found = client.answer(client.post(f"/api/v2/{path}", {"account": EQUITY, "code": ""} | body))
    assert found["status"] == 400
    assert client.data("Trading/cashAcctBal", account=EQUITY) == before


def test_a_deposit_of_margin_is_taken(client: Client) -> None:
    body = {"account": DERIVATIVES, "amount": 1_000_000, "type": "D", "remark": "", "code": ""}
    assert client.answer(client.post("/api/v2/cash/vsdCashDW", body))["data"]["transactionID"]


def test_shares_settle(client: Client, desk: Desk) -> None:
    for later in (1, 2):
        desk.start(DAY + timedelta(later))
    held = client.data("Trading/stockPosition", account=EQUITY)["stockPositions"][0]
    assert (held["onHand"], held["buyT0"], held["buyT1"], held["buyT2"]) == (9_900, 0, 0, 300)
    desk.now += 4 * HOUR
    desk.brokerage.mark("SSI", 30_000, desk.now)
    held = client.data("Trading/stockPosition", account=EQUITY)["stockPositions"][0]
    assert (held["onHand"], held["buyT2"]) == (10_200, 0)
