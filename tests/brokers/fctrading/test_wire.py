"""Requests equal the official client's, answers parse in any casing, envelopes are told from other pages."""

import dataclasses
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from ssi_fctrading.models import fcmodel_requests as official

from algo.brokers.fctrading import balances, models, requests, services
from algo.brokers.fctrading.quota import Rule, parse_rule
from algo.errors import ProtocolError
from algo.fastconnect.wire import Envelope, parse_json, plain, read_envelope, whole

names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=12)
prices = st.one_of(st.integers(0, 10**6).map(float), st.floats(0, 1e6, allow_nan=False))
ids = st.integers(0, 99_999_999).map(str)
texts = st.text(max_size=20)


def pairs() -> st.SearchStrategy:
    """The same request in the official client's words and in ours."""
    new = st.fixed_dictionaries(
        {
            "account": names,
            "requestID": ids,
            "instrumentID": names,
            "market": st.sampled_from(["VN", "VNFE"]),
            "buySell": st.sampled_from("BS"),
            "orderType": names,
            "price": prices,
            "quantity": st.integers(1, 10**7),
        },
        optional={
            "stopOrder": st.booleans(),
            "stopPrice": prices,
            "stopType": st.sampled_from(["", "D", "U", "V", "E", "O", "B"]),
            "stopStep": prices,
            "lossStep": prices,
            "profitStep": prices,
            "channelID": names,
            "code": texts,
            "deviceId": texts,
            "userAgent": texts,
        },
    )
    shared = {
        "account": names,
        "requestID": ids,
        "orderID": names,
        "marketID": st.sampled_from(["VN", "VNFE"]),
        "instrumentID": names,
        "buySell": st.sampled_from("BS"),
    }
    extras = {"code": texts, "deviceId": texts, "userAgent": texts}
    modify = st.fixed_dictionaries(
        shared | {"price": prices, "quantity": st.integers(1, 10**7), "orderType": names}, optional=extras
    )
    cancel = st.fixed_dictionaries(shared, optional=extras)
    token = st.fixed_dictionaries(
        {
            "consumerID": texts,
            "consumerSecret": texts,
            "twoFactorType": st.integers(0, 1),
            "code": texts,
            "isSave": st.booleans(),
        }
    )
    return st.one_of(
        st.tuples(st.just((official.NewOrder, requests.NewOrder)), new),
        st.tuples(st.just((official.ModifyOrder, requests.ModifyOrder)), modify),
        st.tuples(st.just((official.CancelOrder, requests.CancelOrder)), cancel),
        st.tuples(st.just((official.AccessToken, requests.AccessTokenRequest)), token),
    )


def ours(model: type, fields: dict) -> dict:
    spelled = {info.serialization_alias or name: name for name, info in model.model_fields.items()}
    return {spelled[name]: value for name, value in fields.items()}


@given(pairs())
def test_bodies_are_the_official_clients_byte_for_byte(pair: tuple) -> None:
    (theirs, mine), fields = pair
    expected = json.dumps(dataclasses.asdict(theirs(**fields))).encode()
    assert mine(**ours(mine, fields)).body() == expected


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        (official.OrderBook("1"), requests.OfAccount(account="1")),
        (official.DerivativePosition("1"), requests.DerivativePositionQuery(account="1")),
        (
            official.MaxBuyQty("1", "SSI", 21000.0),
            requests.MaxBuyQuery(account="1", instrument_id="SSI", price=21000),
        ),
        (
            official.OrderHistory("1", "01/02/2026", "03/02/2026"),
            requests.Period(account="1", start="01/02/2026", end="03/02/2026"),
        ),
        (
            official.CashTransferHistory("1", "01/02/2026", "03/02/2026"),
            requests.TransferPeriod(account="1", start="01/02/2026", end="03/02/2026"),
        ),
        (
            official.UnsettleSoldTransaction("1", "01/02/2026"),
            requests.SettleDay(account="1", settle_date="01/02/2026"),
        ),
        (
            official.CashInAdvanceEstFee("1", 10.0, 0.0),
            requests.CashAdvanceFeeQuery(account="1", amount=10, receive_amount=0.0),
        ),
    ],
)
def test_queries_are_the_official_clients(theirs: object, mine: requests.Request) -> None:
    expected = {name: str(value) for name, value in dataclasses.asdict(theirs).items()}
    assert list(mine.query().items()) == list(expected.items())


@pytest.mark.parametrize(
    "change",
    [
        {"price": float("nan")},
        {"price": float("inf")},
        {"price": -1.0},
        {"quantity": 0},
        {"quantity": 1.5},
        {"quantity": True},
        {"request_id": "123456789"},
        {"request_id": "12a"},
        {"request_id": ""},
        {"market": "HOSE"},
        {"buy_sell": "X"},
        {"account": ""},
        {"account": "1&account=2"},
        {"instrument_id": ""},
        {"stop_type": "X"},
        {"unknown": 1},
    ],
)
def test_an_order_that_makes_no_sense_is_not_born(change: dict) -> None:
    good = {
        "account": "0901351",
        "request_id": "10000000",
        "instrument_id": "FPT",
        "market": "VN",
        "buy_sell": "B",
        "order_type": "LO",
        "price": 98500.0,
        "quantity": 100,
    }
    requests.NewOrder(**good)
    with pytest.raises(ValidationError):
        requests.NewOrder(**(good | change))


def test_sign_in_requests_do_not_show_what_they_hold() -> None:
    request = requests.AccessTokenRequest(
        consumer_id="planted", consumer_secret="planted", two_factor_type=0, code="planted", is_save=True
    )
    assert "planted" not in repr(request)
    with pytest.raises(ValidationError) as caught:
        requests.AccessTokenRequest(
            consumer_id="planted", consumer_secret="x", two_factor_type="planted", code="", is_save=1
        )
    assert "planted" not in str(caught.value)


ANSWERS = {
    "access_token": models.AccessToken,
    "new_order": models.NewOrderAnswer,
    "modify_order": models.ModifyOrderAnswer,
    "cancel_order": models.CancelOrderAnswer,
    "order_item_live": models.OrderItem,
    "order_history": models.OrderHistory,
    "order_book": models.OrderBook,
    "audit_order_book": models.OrderBook,
    "stock_position": models.StockPosition,
    "derivative_position": models.DerivativePosition,
    "max_buy": models.MaxBuy,
    "max_sell": models.MaxSell,
    "cash_balance": balances.CashBalance,
    "derivative_balance": balances.DerivativeBalance,
    "margin_account": balances.MarginAccount,
}


def respelled(value: object, spell: object) -> object:
    if isinstance(value, dict):
        return {spell(key): respelled(item, spell) for key, item in value.items()}
    if isinstance(value, list):
        return [respelled(item, spell) for item in value]
    return value


def loosened(value: object) -> object:
    """Whole numbers as text and as 300.0, as other servers and clients write them."""
    if isinstance(value, dict):
        return {key: loosened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [loosened(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value % 2 else float(value)
    return value


def without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def data(samples: dict, name: str) -> dict:
    return samples[name].get("data", samples[name])


@pytest.mark.parametrize("name", ANSWERS)
def test_samples_round_trip_with_nothing_lost(samples: dict, name: str) -> None:
    given = data(samples, name)
    model = ANSWERS[name].read(given)
    back = model.model_dump(by_alias=True, exclude_unset=True)
    assert without_nulls(back) == without_nulls(given)
    assert list(without_nulls(back)) == sorted(
        without_nulls(given), key=[i.alias or n for n, i in ANSWERS[name].model_fields.items()].index
    )
    assert not model.model_extra


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("spell", [str.lower, str.upper, lambda key: key[0].upper() + key[1:]])
def test_samples_mean_the_same_in_any_casing_and_number_form(samples: dict, name: str, spell: object) -> None:
    given = data(samples, name)
    expected = ANSWERS[name].read(given)
    assert ANSWERS[name].read(respelled(given, spell)) == expected
    if name not in {"order_item_live", "order_history"}:
        assert ANSWERS[name].read(loosened(given)) == expected


@pytest.mark.parametrize("name", ANSWERS)
def test_unknown_fields_are_kept_and_absent_optional_ones_allowed(samples: dict, name: str) -> None:
    model = ANSWERS[name].read(data(samples, name) | {"newField": [1]})
    assert model.model_extra == {"newField": [1]}


@pytest.mark.parametrize(
    "name", [name for name in ANSWERS if name not in {"new_order", "modify_order", "cancel_order"}]
)
@pytest.mark.parametrize("given", [None, [], "text", 5, {}, {"message": "x"}])
def test_a_short_page_is_no_answer(name: str, given: object) -> None:
    """What looks like an empty book must not be taken for one."""
    with pytest.raises(ProtocolError):
        ANSWERS[name].read(given)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_answers_raise_nothing_but_our_error(value: object) -> None:
    for model in ANSWERS.values():
        try:
            model.read(value)
        except ProtocolError as error:
            assert "\n" not in str(error)


def test_numbers_that_are_none_are_refused(samples: dict) -> None:
    for bad in (float("nan"), float("inf"), "NaN", "abc", [1], 1.5):
        with pytest.raises(ProtocolError, match="quantity"):
            models.OrderItem.read(samples["order_item_live"] | {"quantity": bad})


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (services.CashAdvanceAmount, {"CIAAmounts": [{"DueDate": "01/01/2026", "CashAdvance": 5}]}),
        (services.UnsettledSales, {"account": "1", "unsettledSoldTransactions": [{"TradeDate": "x"}]}),
        (services.UnsettledSales, {"account": "1", "orders": [{"Quantity": 100, "Price": 1.5}]}),
        (services.CashTransferHistory, {"transferHistories": [{"transactionID": 5, "amount": 10}]}),
        (services.CashAdvanceHistory, {"account": "1", "CIAHistories": [{"Details": [{"Type": "x"}]}]}),
        (services.CashAdvanceFee, {"account": "1", "cIAAmount": 1, "receiveAmount": 2, "fee": 3}),
        (services.Dividends, {"account": "1", "dividends": [{"executedRate": 0.1, "quantity": 5}]}),
        (services.ExercisableRights, {"account": "1", "exercisableQuantities": [{"EntitlementID": "1"}]}),
        (services.RightsHistory, {"account": "1", "onlineRightSubscriptionHistories": []}),
        (services.TransferableStocks, {"account": "1", "transferableStocks": [{"quantity": 5}]}),
        (services.StockTransferHistory, {"account": "1", "stockTransferHistories": [{"status": 1}]}),
        (services.Transaction, {"transactionID": "7"}),
    ],
)
def test_services_read_the_documented_names_in_any_casing(model: type, given: dict) -> None:
    expected = model.read(given)
    assert not expected.model_extra
    assert model.read(respelled(given, str.lower)) == expected
    if model is not services.Transaction:
        with pytest.raises(ProtocolError):
            model.read({"message": "x"})


# Envelopes


@pytest.mark.parametrize("spell", [str, str.lower, str.upper])
def test_samples_of_envelopes_and_limits(samples: dict, spell: object) -> None:
    def envelope(name: str) -> object:
        return read_envelope(json.dumps(respelled(samples[name], spell)).encode())

    assert envelope("get_otp") == Envelope("Success", 200)
    assert envelope("missing_authorization") == Envelope("Missing Authorization header", 401)
    rules = [models.RateRule.read(rule) for rule in respelled(samples["rate_limit"], spell)]
    told = [parse_rule(rule.endpoint, rule.period, rule.limit) for rule in rules]
    assert told == [Rule("*", 1.0, 5), Rule("*", 5.0, 30)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"message":"Success","status":200,"data":{}}', 200),
        (b'{"message":"Success","status":200}', 200),
        (b'{"Status":"401","Message":"x"}', 401),
        (b'{"message":"","status":200.0,"data":null}', 200),
        (b'{"message":"Success","status":200,"data":[],"totalRecord":0}', 200),
    ],
)
def test_our_envelopes(body: bytes, status: int) -> None:
    found = read_envelope(body)
    assert found is not None
    assert found.status == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>502 Bad Gateway</html>",
        b"Internal Server Error",
        b'{"message":"Success","status":200,"data":{}',
        b'{"message":"no Route matched"}',
        b'{"statusCode":401,"message":"Access denied due to missing subscription key"}',
        b'{"timestamp":1,"status":404,"error":"Not Found","message":"x","path":"/api"}',
        b'{"message":"Success","status":200,"path":"/api"}',
        b'{"message":"Success","status":200,"data":null,"path":"/api"}',
        b'{"message":"x","status":400,"data":{},"code":"ORD003"}',
        b'{"message":null,"status":400}',
        b'{"message":"x","status":true}',
        b'{"message":"x","status":400.5}',
        b'{"message":"x","status":"Success"}',
        b'{"message":"x","status":400,"Status":200}',
        b'{"message":"\xff","status":400}',
        b"[" * 200_000,
    ],
)
def test_what_is_not_our_envelope(body: bytes) -> None:
    assert read_envelope(body) is None


@given(st.binary() | st.text().map(str.encode))
def test_envelopes_never_raise(body: bytes) -> None:
    read_envelope(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(json_values)
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    """To the last bit of a number, NaN and infinity included."""
    text = json.dumps(value)
    assert repr(parse_json(text)) == repr(parse_json(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', "1e999", "-0", "-0.0", '"\\ud800"', "NaN", "[-Infinity]"])
def test_odd_json_is_read_as_the_standard_library_reads_it(text: str) -> None:
    assert repr(parse_json(text)) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "01", "\ufeff{}", "nan", "{} {}", b"\xff", b'"\xff"']
)
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


@given(st.text())
def test_foreign_text_becomes_one_safe_line(text: str) -> None:
    line = plain(text)
    assert line.isprintable()
    assert len(line) <= 200


@given(st.integers(-(10**18), 10**18))
def test_whole_numbers_in_every_form(number: int) -> None:
    assert whole(number) == whole(str(number)) == whole(f" {number} ") == number
    for bad in (True, None, "", "1.5", "1e3", "٣", [], f"{number}x"):
        assert whole(bad) is None


def test_dates_are_the_markets() -> None:
    from algo.brokers.fctrading.api import _day

    assert _day(date(2026, 2, 1)) == "01/02/2026"
