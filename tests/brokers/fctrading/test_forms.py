"""The quick, strict reading of documented messages: it agrees with the liberal one in everything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.fctrading import forms
from algo.brokers.fctrading.decode import EventDecoder
from algo.brokers.fctrading.events import OrderEvent, RawText, UnknownEvent
from algo.brokers.fctrading.forms import Strict

DOCUMENTED = ("order_event", "order_event_live", "match_event")
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(["", "0", " 7", "-7", "007", "1e3", "12.5", "NaN", "true", "F", "٣", "\ud800"]),
    st.text(max_size=4),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


def strict() -> Strict:
    return Strict(orderEvent=forms.ORDER, orderMatchEvent=forms.MATCH)


def same(one: Any, other: Any) -> bool:
    """Equal, of equal types throughout, and NaN equal to itself."""
    return repr(tuple(one)) == repr(tuple(other))


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_messages_are_read_in_one_go(samples: dict, name: str) -> None:
    for text in (json.dumps(samples[name]), json.dumps(samples[name], separators=(",", ":"))):
        assert strict().read(text) is not None
        assert isinstance(EventDecoder().decode(text).raw, RawText)


@given(st.sampled_from(DOCUMENTED), st.data())
def test_the_strict_reading_is_the_liberal_one(samples: dict, name: str, data: st.DataObject) -> None:
    """Change, drop and add fields of a sample: what the text gives is what its parsed form gives."""
    sample = samples[name]
    fields = dict(sample["data"])
    for key in data.draw(st.lists(st.sampled_from(sorted(fields)), max_size=3)):
        change = data.draw(st.sampled_from(["value", "drop", "case", "add"]))
        if change == "value":
            fields[key] = data.draw(odd)
        elif change == "drop":
            fields.pop(key, None)
        elif change == "case":
            fields[key.upper()] = fields.pop(key, "x")
        else:
            fields[f"new{key}"] = data.draw(odd)
    text = json.dumps({"type": sample["type"], "data": fields})
    quick, slow = EventDecoder(), EventDecoder()
    one, other = quick.decode(text), slow.decode(json.loads(text))
    assert type(one) is type(other)
    if isinstance(one, UnknownEvent):
        assert one[:3] == other[:3]
        return
    assert same(one[:-1], other[:-1])
    assert repr(one.raw) == repr(other.raw)
    assert quick.told() == slow.told(), "a new field is told either way"


@given(st.data())
def test_a_text_with_a_key_twice_means_its_last_value(samples: dict, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(forms.MATCH)))
    text = json.dumps(samples["match_event"])
    twice = text.replace('"data": {', f'"data": {{{json.dumps(key)}: null, ', 1)
    assert same(EventDecoder().decode(text)[:-1], EventDecoder().decode(twice)[:-1])


def test_raw_data_is_read_when_it_is_looked_at(samples: dict) -> None:
    event = EventDecoder().decode(json.dumps(samples["order_event"]))
    assert isinstance(event, OrderEvent)
    data = samples["order_event"]["data"]
    assert event.raw == data
    assert data == event.raw
    assert dict(event.raw.items()) == data
    assert len(event.raw) == len(data)
    assert repr(event.raw) == repr(data)
    assert event.raw.get("nothing") is None
