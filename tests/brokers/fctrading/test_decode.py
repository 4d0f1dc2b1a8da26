"""Events of the stream: every sample in any casing, with nothing lost, and rubbish that is never fatal."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import (
    ConditionalEvent,
    Holding,
    MatchEvent,
    OrderErrorEvent,
    OrderEvent,
    PortfolioEvent,
    UnknownEvent,
)
from tests.brokers.fctrading.test_wire import ANSWERS, respelled

EVENTS = {
    "conditional_event": ConditionalEvent,
    "order_event": OrderEvent,
    "order_event_live": OrderEvent,
    "order_error_short": OrderErrorEvent,
    "order_error_long": OrderErrorEvent,
    "match_event": MatchEvent,
    "portfolio_event": PortfolioEvent,
}
FIELDS = {
    "notify_id": "notifyID",
    "order_id": "orderID",
    "unique_id": "uniqueID",
    "orig_request_id": "origRequestID",
    "orig_order_id": "origOrderId",
    "account": "account",
    "instrument_id": "instrumentID",
    "market_id": "marketID",
    "buy_sell": "buySell",
    "order_type": "orderType",
    "price": "price",
    "quantity": "quantity",
    "filled_quantity": "filledQty",
    "cancel_quantity": "cancelQty",
    "open_quantity": "osQty",
    "average_price": "avgPrice",
    "status": "orderStatus",
    "reject_reason": "rejectReason",
    "input_time": "inputTime",
    "modified_time": "modifiedTime",
    "channel": "channel",
    "stop_order": "stopOrder",
    "stop_price": "stopPrice",
    "stop_type": "stopType",
    "stop_step": "stopStep",
    "profit_price": "profitPrice",
    "message": "message",
    "code": "errorCode",
    "match_time": "matchTime",
    "fco_id": "fcoId",
    "process_status": "processStatus",
    "last_action": "lastAction",
    "matched_quantity": "matchedQuantity",
    "places_order": "isPlaceOrder",
    "updated_time": "updatedTime",
}
MATCH = {"price": "matchPrice", "quantity": "matchQty"}


def plainly(event: object) -> tuple:
    return tuple(event)[:-1] if not isinstance(event, PortfolioEvent) else tuple(event)[:4]


def test_every_sample_has_its_test(samples: dict) -> None:
    read_elsewhere = {"negotiate", "rate_limit", "missing_authorization", "get_otp"}
    assert samples.keys() == EVENTS.keys() | ANSWERS.keys() | read_elsewhere


@pytest.mark.parametrize("name", EVENTS)
def test_every_field_is_what_the_sample_says(samples: dict, name: str) -> None:
    sample = samples[name]
    event = EventDecoder().decode(json.dumps(sample))
    assert type(event) is EVENTS[name]
    assert event.raw == sample["data"], "nothing is lost"
    if name == "portfolio_event":
        assert event.open == (
            Holding("VNFE", "VN30F2106", 9, 0, 9, 1402.4000244140625, 0.0, 0.0, 873.0, -476460000.0, 0.0),
        )
        assert (event.account, event.notify_id, event.closed) == ("0901358", 27, ())
        return
    spelled = FIELDS | (MATCH if name == "match_event" else {})
    spelled |= {"status": "status"} if name == "conditional_event" else {}
    for field in event._fields[:-1]:
        value, given = getattr(event, field), sample["data"].get(spelled[field])
        if field.endswith("time") or (name, field) == ("conditional_event", "price"):
            assert value == float(given or 0)
        else:
            assert value == (given if given is not None else type(value)())


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("spell", [str.lower, str.upper, lambda key: key[0].upper() + key[1:]])
def test_any_casing_means_the_same(samples: dict, name: str, spell: object) -> None:
    decoder = EventDecoder()
    expected = decoder.decode(json.dumps(samples[name]))
    again = decoder.decode(json.dumps(respelled(samples[name], spell)))
    assert plainly(again) == plainly(expected)
    assert not decoder.news


@given(st.data())
def test_any_order_of_keys_means_the_same(samples: dict, data: st.DataObject) -> None:
    """What is learned of one shape must not be used for another."""
    decoder = EventDecoder()
    for _ in range(3):
        name = data.draw(st.sampled_from(sorted(EVENTS)))
        sample = samples[name]
        keys = data.draw(st.permutations(sorted(sample["data"])))
        shuffled = {"type": sample["type"], "data": {key: sample["data"][key] for key in keys}}
        assert plainly(decoder.decode(json.dumps(shuffled))) == plainly(
            EventDecoder().decode(json.dumps(sample))
        )


@given(st.data())
def test_absent_and_null_fields_mean_the_same_as_defaults(samples: dict, data: st.DataObject) -> None:
    sample = dict(samples["order_event"]["data"])
    needed = {"quantity", "filledQty"}
    for key in data.draw(st.sets(st.sampled_from(sorted(set(sample) - needed)))):
        if data.draw(st.booleans()):
            sample[key] = None
        else:
            del sample[key]
    event = EventDecoder().decode(json.dumps({"type": "orderEvent", "data": sample}))
    assert isinstance(event, OrderEvent)
    for field, key in FIELDS.items():
        if field in OrderEvent._fields and not field.endswith("time"):
            value = getattr(event, field)
            assert value == (sample[key] if sample.get(key) is not None else type(value)())


NUMBERS = {"price", "quantity", "filledQty", "cancelQty", "osQty", "avgPrice", "stopPrice", "notifyID"}


@given(st.sampled_from(sorted(NUMBERS)), st.data())
def test_numbers_as_text_mean_the_same(samples: dict, key: str, data: st.DataObject) -> None:
    sample = samples["order_event"]["data"]
    value = sample[key]
    forms = [value, float(value), str(value), f"{float(value)}", f" {value} "]
    form = data.draw(st.sampled_from(forms))
    event = EventDecoder().decode(json.dumps({"type": "orderEvent", "data": sample | {key: form}}))
    assert plainly(event) == plainly(
        EventDecoder().decode(json.dumps({"type": "orderEvent", "data": sample}))
    )


@pytest.mark.parametrize("key", ["price", "avgPrice", "quantity", "filledQty", "notifyID", "stopPrice"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, "NaN", "abc", [], {}, True, 1e999])
def test_a_number_that_is_none_makes_the_event_unknown(samples: dict, key: str, bad: object) -> None:
    sample = samples["order_event"]["data"] | {key: bad}
    text = json.dumps({"type": "orderEvent", "data": sample})
    decoder = EventDecoder()
    decoder.decode(json.dumps(samples["order_event"]))
    event = decoder.decode(text)
    assert isinstance(event, UnknownEvent)
    assert event.text == text
    assert key in event.reason
    assert event.type == "orderEvent"


@pytest.mark.parametrize("key", ["quantity", "filledQty"])
def test_an_order_without_its_quantities_is_unknown(samples: dict, key: str) -> None:
    for change in ({}, {key: None}, {key: ""}):
        sample = {
            name: value for name, value in samples["order_event"]["data"].items() if name != key
        } | change
        event = EventDecoder().decode(json.dumps({"type": "orderEvent", "data": sample}))
        assert isinstance(event, UnknownEvent)
        assert event.notify_id == 10


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"type":"orderEvent"}',
        '{"data":{}}',
        '{"type":5,"data":{}}',
        '{"type":"orderEvent","data":[]}',
        '{"type":"orderEvent","data":{}}',
        '{"type":"clientPortfolioEvent","data":{"clientPortfoliosOpen":5}}',
        '{"type":"clientPortfolioEvent","data":{"clientPortfoliosOpen":[5]}}',
        '{"type":"clientPortfolioEvent","data":{"clientPortfoliosOpen":[{}]}}',
        '{"type":"newThing","data":{"notifyID":7}}',
        "[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_kept_raw(text: str) -> None:
    event = EventDecoder().decode(text)
    assert isinstance(event, UnknownEvent)
    assert event.text == text
    assert event.reason


def test_new_types_statuses_and_fields_are_kept_and_told(samples: dict) -> None:
    decoder = EventDecoder()
    new = decoder.decode('{"type":"newThing","data":{"NotifyId":"7"}}')
    assert (new.notify_id, new.type) == (7, "newThing")
    sample = samples["order_event"]["data"] | {"orderStatus": "ZZ", "venue": "X"}
    event = decoder.decode(json.dumps({"type": "orderEvent", "data": sample}))
    assert event.status == "ZZ"
    assert event.raw["venue"] == "X"
    assert decoder.news
    assert decoder.told() == ["orderEvent.venue"]
    decoder.decode(json.dumps({"type": "orderEvent", "data": dict(reversed(sample.items()))}))
    assert not decoder.news, "it is told once"
    decoder.decode('{"type":"fcoEvent","data":{"notifyID":3,"x":1}}')
    assert decoder.told() == ["fcoEvent.x"]


@pytest.mark.parametrize("spell", [str, str.lower, str.upper])
def test_conditional_orders_are_read_as_far_as_they_are_known(samples: dict, spell: object) -> None:
    decoder = EventDecoder()
    event = decoder.decode(json.dumps(respelled(samples["conditional_event"], spell)))
    assert isinstance(event, ConditionalEvent)
    assert event[:-1] == (
        31, "FCO-1", "10000017", "0901358", "VN30F2612", "ACTIVE", "PROCESSING", "NEW", "", 1402.5, 3, 1,
        True, 1781150400123,
    )  # fmt: skip
    assert event.time == 1781150400123
    assert not decoder.news
    bare = decoder.decode('{"type":"FcoEvent","data":{"updatedTime":"11/06/2026 10:00:00","price":null}}')
    assert bare[:-1] == (0, "", "", "", "", "", "", "", "", 0.0, 0, 0, False, 0)
    bad = decoder.decode('{"type":"fcoEvent","data":{"notifyID":7,"price":"dear"}}')
    assert isinstance(bad, UnknownEvent)
    assert (bad.notify_id, bad.reason) == (7, "price is not a number")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.data())
def test_nothing_is_ever_fatal(samples: dict, data: st.DataObject) -> None:
    """Any sample with any values in any places, through one decoder that learns from all of them."""
    decoder = EventDecoder()
    for _ in range(4):
        sample = samples[data.draw(st.sampled_from(sorted(EVENTS)))]
        keys = st.sampled_from(sorted(sample["data"])) | st.text(max_size=4)
        changes = data.draw(st.dictionaries(keys, json_values, max_size=4))
        text = json.dumps({"type": sample["type"], "data": sample["data"] | changes})
        event = decoder.decode(text)
        fresh = EventDecoder().decode(text)
        assert repr(event) == repr(fresh), "what was learned changed the meaning"
        if isinstance(event, OrderEvent):
            numbers = [value for value in event if isinstance(value, int | float)]
            assert all(math.isfinite(value) for value in numbers)


@given(st.text() | json_values)
def test_any_argument_at_all(argument: object) -> None:
    EventDecoder().decode(argument)


def test_shapes_are_bounded(samples: dict) -> None:
    decoder = EventDecoder()
    for i in range(2000):
        sample = samples["order_event"]["data"] | {f"new{i}": i}
        assert isinstance(decoder.decode(json.dumps({"type": "orderEvent", "data": sample})), OrderEvent)
    assert len(decoder._order._shapes) <= 256
    assert len(decoder.told()) <= 256
