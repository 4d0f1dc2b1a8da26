"""Orders over HTTP: what is taken, how it is echoed, and what is refused with which words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.fctrading import models, requests
from algo.brokers.fctrading.outcome import Fate, judge
from tests.sandbox.desk import DERIVATIVES, DEVICE, EQUITY, FUTURE, OTHER_KEY, Client, Desk, service
from tests.sandbox.shapes import differences


@pytest.fixture
def client() -> Client:
    found = Client(service())
    found.sign_in()
    return found


def book(client: Client, account: str = EQUITY) -> list:
    return client.data("Trading/orderBook", account=account)["orders"]


def test_the_echo_is_the_sample_byte_for_byte(samples: dict) -> None:
    """The sample of SSI's specification: an order of ours with its values gets its answer."""
    desk = Desk()
    client = Client(service(desk))
    client.sign_in()
    wanted = samples["new_order"]
    body = client.order("1678195") | {
        name: value for name, value in wanted["data"]["requestData"].items() if name != "price"
    }
    answer = client.post("/api/v2/Trading/NewOrder", body | {"price": 28000.0})
    assert answer.body == json.dumps(wanted, separators=(",", ":")).encode().replace(b"21000.0", b"28000.0")
    assert answer.content_type == "application/json; charset=utf-8"


def test_an_order_its_change_and_its_end(client: Client, samples: dict) -> None:
    echo = models.NewOrderAnswer.read(client.place(client.contract("11"), "derNewOrder")["data"])
    assert echo.request is not None
    assert (echo.request.price, echo.request.quantity) == (1900.0, 2)
    order_id = book(client, DERIVATIVES)[0]["orderID"]

    change = requests.ModifyOrder(
        account=DERIVATIVES, request_id="12", order_id=order_id, market_id="VNFE", instrument_id=FUTURE,
        price=1899.5, quantity=2, buy_sell="B", order_type="LO", device_id=DEVICE,
    )  # fmt: skip
    found = client.place(json.loads(change.body()), "derModifyOrder")
    assert differences(found, samples["modify_order"]) == []
    assert models.ModifyOrderAnswer.read(found["data"]).request_id == "12"
    standing = book(client, DERIVATIVES)[0]
    assert (standing["price"], standing["quantity"], standing["orderID"]) == (1899.5, 2, order_id)

    cancel = requests.CancelOrder(
        account=DERIVATIVES, request_id="13", order_id=order_id, market_id="VNFE", instrument_id=FUTURE,
        buy_sell="B", device_id=DEVICE,
    )  # fmt: skip
    found = client.place(json.loads(cancel.body()), "derCancelOrder")
    assert differences(found, samples["cancel_order"]) == []
    assert models.CancelOrderAnswer.read(found["data"]).request_id == "13"
    gone = book(client, DERIVATIVES)[0]
    assert (gone["orderStatus"], gone["cancelQty"]) == ("CL", 2)


@pytest.mark.parametrize("path", ["NewOrder", "derNewOrder", "/neworder", "DERNEWORDER"])
def test_both_families_take_both_markets(client: Client, path: str) -> None:
    assert client.place(client.order("1"), path)["status"] == 200
    assert client.place(client.contract("2"), path)["status"] == 200


def test_names_and_values_are_read_as_liberally_as_clients_need(client: Client) -> None:
    """Numbers as text, words for truth, prefixed and differently spelt names, nulls, and a field too many."""
    body = {
        "REQUEST.ACCOUNT": EQUITY, "requestid": 7, "InstrumentID": "ssi", "Market": "vn", "buysell": "b",
        "orderType": "lo", "price": "30000", "quantity": "300", "stopOrder": "False", "stopPrice": None,
        "stopType": "string", "channelID": "IW", "modifiable": True, "DeviceID": "eth0:02:fc|lo:",
    }  # fmt: skip
    found = client.place(body)
    assert found["status"] == 200, found
    assert found["data"]["requestID"] == "7"
    echo = found["data"]["requestData"]
    assert (echo["price"], echo["quantity"], echo["channelID"]) == (30000.0, 300, "IW")


def test_the_stream_says_ta_whatever_channel_was_named(client: Client) -> None:
    client.place(client.order("7", channelID="IW"))
    assert client.service.world.brokerage.orders(EQUITY)[0].channel == "TA"


REFUSED = [
    ({"account": "0000000"}, "Account is not exist."),
    ({"account": ""}, "'Account' must not be empty."),
    ({"account": None}, "'Account' must not be empty."),
    ({"requestID": ""}, "'Request ID' must not be empty."),
    ({"requestID": "123456789"}, "Request ID must be a number of at most 8 digits"),
    ({"requestID": "12a"}, "Request ID must be a number of at most 8 digits"),
    ({"requestID": "١٢"}, "Request ID must be a number of at most 8 digits"),
    ({"instrumentID": "NOPE"}, "ORD001 Instrument does not exist"),
    ({"instrumentID": FUTURE}, "Market ID is invalid"),
    ({"market": ""}, "'Market' must not be empty."),
    ({"buySell": "X"}, "Buy Sell must be B or S"),
    ({"orderType": "XYZ"}, "ORD010 Order type is invalid"),
    ({"orderType": "MARKET"}, "ORD010 Order type is invalid"),
    ({"orderType": "ATO"}, "Price is null or equal zero when order is market order"),
    ({"price": 0}, "'Price' must be greater than '0'."),
    ({"price": 30000.5}, "ORD004 Price is not a multiple of the tick size"),
    ({"quantity": 0}, "'Quantity' must be greater than '0'."),
    ({"quantity": None}, "'Quantity' must be greater than '0'."),
    ({"quantity": 1.5}, "The request is invalid."),
    ({"quantity": -300}, "The request is invalid."),
    ({"quantity": True}, "The request is invalid."),
    ({"quantity": 10**30}, "The request is invalid."),
    ({"price": "dear"}, "The request is invalid."),
    ({"price": 1e300}, "The request is invalid."),
    ({"price": [1]}, "The request is invalid."),
    ({"stopOrder": "perhaps"}, "The request is invalid."),
    ({"deviceId": ""}, "'Device Id' must not be empty."),
    ({"stopOrder": True, "stopType": "D", "stopPrice": 1}, "Stop order is for derivatives only"),
]


@pytest.mark.parametrize(("change", "text"), REFUSED, ids=[f"{c}" for c, _ in REFUSED])
def test_a_senseless_order_is_refused_at_once(client: Client, change: dict, text: str) -> None:
    answer = client.post("/api/v2/Trading/NewOrder", client.order("1") | change)
    assert (answer.status, client.answer(answer)) == (200, {"message": text, "status": 400})
    outcome = judge(answer.status, answer.body)
    assert outcome.fate is Fate.REFUSED
    assert book(client) == []
    assert client.place(client.order("1"))["status"] == 200, "its number was not used up"


def test_not_a_number_is_no_price(client: Client) -> None:
    raw = json.dumps(client.order("1") | {"price": float("nan")}).encode()
    assert b"NaN" in raw
    assert client.place(json.loads(raw))["message"] == "The request is invalid."


def test_an_order_number_serves_once_a_day(client: Client) -> None:
    assert client.place(client.order("5"))["status"] == 200
    again = client.place(client.contract("0005"), "derNewOrder")
    assert again["status"] == 400
    assert "Duplicate request ID" in again["message"]


@pytest.mark.parametrize(
    "trigger",
    [
        {"stopType": "D", "stopPrice": 1890.0},
        {"stopType": "U", "stopPrice": 1910.0},
        {"stopType": "V", "stopStep": 2.0},
        {"stopType": "E", "stopStep": 2.0},
        {"stopType": "O", "stopPrice": 1890.0, "profitStep": 3.0, "lossStep": 2.0},
    ],
)
def test_conditional_orders_of_derivatives(client: Client, trigger: dict) -> None:
    side = "S" if trigger["stopType"] in "DVO" else "B"
    found = client.place(client.contract("1", stopOrder=True, buySell=side, **trigger), "derNewOrder")
    assert found["status"] == 200, found
    assert found["data"]["requestData"]["stopType"] == trigger["stopType"]
    assert book(client, DERIVATIVES)[0]["orderStatus"] == "SOR"


def test_a_bull_bear_order_stands_in_the_market_at_once(client: Client) -> None:
    steps = {"stopType": "B", "profitStep": 3.0, "lossStep": 2.0}
    found = client.place(client.contract("1", stopOrder=True, **steps), "derNewOrder")
    assert found["status"] == 200, found
    assert sorted(one["orderStatus"] for one in book(client, DERIVATIVES)) == ["QU", "SOS"]
    missing = client.place(client.contract("2", stopOrder=True, stopType="B", profitStep=3.0), "derNewOrder")
    assert missing["status"] == 400, missing


def test_a_stop_without_its_price_is_refused(client: Client) -> None:
    found = client.place(client.contract("1", stopOrder=True, stopType="D"), "derNewOrder")
    assert found["status"] == 400
    assert "trigger price" in found["message"]
    assert (
        client.place(client.contract("1", stopOrder=True, stopType="Q"))["message"] == "Stop type is invalid"
    )


# Who may


def test_an_order_needs_a_token_a_signature_and_a_code(client: Client) -> None:
    body = json.dumps(client.order("1")).encode()
    path = "/api/v2/Trading/NewOrder"
    token, client.token = client.token, ""
    answer = client.post(path, client.order("1"))
    assert answer.status == 200
    assert client.answer(answer) == {"message": "Missing Authorization header", "status": 401}
    client.token = token
    for headers in ({}, {"x-signature": ""}, {"x-signature": OTHER_KEY.sign(body)}, {"x-signature": "zz"}):
        assert client.answer(client.send("POST", path, body, headers))["message"] == "Signature is invalid"
    client.sign_in("1", save=False)
    assert client.place(client.order("1"))["message"] == "'Code' must not be empty."
    assert client.place(client.order("1", code="000000"))["message"] == "PIN is incorrect"
    assert book(client) == []
    assert client.place(client.order("1", code="123456"))["status"] == 200


def test_a_one_time_code_in_the_body_serves_one_order(client: Client) -> None:
    client.sign_in("1", factor=1, save=False)
    client.post("/api/v2/Trading/GetOTP", client.credentials)
    code = client.service.identity.shown[-1].code
    assert client.place(client.order("1", code=code))["status"] == 200
    assert client.place(client.order("2", code=code))["status"] == 400


def test_the_bytes_that_came_are_what_is_signed(client: Client) -> None:
    """A client that signs other bytes than it sends, though they mean the same, is refused."""
    from tests.sandbox.desk import KEY

    spaced, compact = json.dumps(client.order("1")), json.dumps(client.order("1"), separators=(",", ":"))
    for signed, sent, right in ((spaced, compact, False), (compact, compact, True)):
        headers = {"x-signature": KEY.sign(signed.encode())}
        found = client.answer(client.send("POST", "/api/v2/Trading/NewOrder", sent.encode(), headers))
        assert (found["status"] == 200) is right


def test_the_misspelt_header_of_the_specification_is_read(client: Client) -> None:
    from tests.sandbox.desk import KEY

    body = json.dumps(client.order("1")).encode()
    headers = {"x-singature": KEY.sign(body)}
    assert client.answer(client.send("POST", "/api/v2/Trading/NewOrder", body, headers))["status"] == 200


def test_nobody_reaches_another_persons_account_or_orders() -> None:
    found = service(people=2)
    one, two = Client(found, 0), Client(found, 1)
    one.sign_in(), two.sign_in()
    assert two.place(two.order("1"))["status"] == 200
    theirs = two.data("Trading/orderBook", account=two.equity)["orders"][0]["orderID"]
    assert one.answer(one.get("Trading/orderBook", account=two.equity))["message"] == "Account is not exist."
    assert one.place(one.order("2", account=two.equity))["message"] == "Account is not exist."
    assert one.cancel("3", theirs)["message"] == "ORD013 Order is not exist"
    assert two.data("Trading/orderBook", account=two.equity)["orders"][0]["orderStatus"] == "QU"


def test_a_request_about_no_order_is_refused(client: Client) -> None:
    client.place(client.order("1"))
    body = {"account": EQUITY, "requestID": "2", "marketID": "VN", "instrumentID": "SSI", "buySell": "B"}
    body |= {"deviceId": DEVICE}
    assert client.place(body, "CancelOrder")["message"] == "'Order ID' must not be empty."
    assert client.cancel("2", "26060999999999")["message"] == "ORD013 Order is not exist"
    order_id = book(client)[0]["orderID"]
    assert client.place(body | {"orderID": order_id, "buySell": "S"}, "CancelOrder")["status"] == 400
    assert client.place(body | {"orderID": order_id, "instrumentID": "FPT"}, "CancelOrder")["status"] == 400
    assert book(client)[0]["orderStatus"] == "QU"


@given(
    price=st.integers(1, 10**7),
    quantity=st.integers(1, 10**6),
    request_id=st.integers(0, 99_999_999),
    side=st.sampled_from("BS"),
)
def test_what_is_echoed_is_what_was_read(price: int, quantity: int, request_id: int, side: str) -> None:
    client = Client(service())
    client.sign_in()
    found = client.place(client.order(str(request_id), price=float(price), quantity=quantity, buySell=side))
    echo = found["data"]["requestData"]
    assert (echo["price"], echo["quantity"], echo["buySell"]) == (float(price), quantity, side)
    order = client.service.world.brokerage.orders(EQUITY)[0]
    assert (order.price, order.quantity, order.first_request_id) == (price, quantity, str(request_id))
