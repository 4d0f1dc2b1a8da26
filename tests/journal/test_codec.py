"""The codec: everything that crosses the engine's border comes back as it was, and nothing else gets in."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections import deque
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers import base
from algo.errors import CodecError
from algo.fastconnect.secret import Secret
from algo.journal import CODEC, TYPES, Codec, Halted, OrderOrigin
from algo.market import Session, instrument_of
from algo.model import (
    Bar,
    Instrument,
    Order,
    OrderType,
    SessionChanged,
    Side,
    TimeInForce,
    Trade,
    commands,
    events,
)
from algo.model import instruments as model_instruments
from algo.model import orders as model_orders
from algo.model import prices as model_prices
from tests.generators.recorded import anything, same, values_of

KEPT = Path(__file__).with_name("shapes.json")
FPT = instrument_of("FPT")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_registered_type_comes_back_as_it_was(kind: type, data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    text = CODEC.encode(value)
    assert text.isascii()
    assert "\n" not in text
    assert same(CODEC.decode(text), value)


@given(anything)
def test_whatever_a_state_holds_comes_back_as_it_was(value: Any) -> None:
    assert same(CODEC.decode(CODEC.encode(value)), value)


@given(values_of(Bar), values_of(Bar))
def test_bars_of_one_moment_are_a_tuple_again(one: Bar, other: Bar) -> None:
    moment = (one, other)
    assert same(CODEC.decode(CODEC.encode(moment)), moment)


def messages() -> list[type]:
    """Every value type of the model and of what a broker reports, whether it is exported or not."""
    rooms = (events, commands, model_instruments, model_orders, model_prices, base)
    return [
        kind
        for room in rooms
        for _, kind in inspect.getmembers(room, inspect.isclass)
        if kind.__module__ == room.__name__
        and (
            dataclasses.is_dataclass(kind)
            or issubclass(kind, Enum)
            or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
        )
    ]


def test_the_rooms_were_searched() -> None:
    assert {Bar, Side, Instrument, events.OrderFilled, commands.PlaceOrder, base.Snapshot} <= set(messages())


@pytest.mark.parametrize("kind", messages(), ids=lambda kind: kind.__name__)
def test_no_message_is_without_a_codec(kind: type) -> None:
    assert kind in TYPES, f"add {kind.__name__} to algo/journal/registry.py"


def test_journals_of_this_version_are_still_read() -> None:
    """New fields go to the end and have defaults. Else journals in the world can no longer be read."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert CODEC.reads(kept) == ""
    assert kept == CODEC.shapes(), f"write CODEC.shapes() to {KEPT.name}: it has what journals may hold"


class Odd(NamedTuple):
    symbol: str


class LikeABar(Bar):
    pass


class Colour(Enum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Secret("correct horse battery"),
        {"pin": Secret("correct horse battery")},
        (Secret("correct horse battery"),),
        Odd("FPT"),
        LikeABar("FPT", 1, 1.0, 1.0, 1.0, 1.0, 1, 0, "FPT"),
        Colour.RED,
        b"bytes",
        1j,
        len,
        Bar,
        deque([1]),
        np.zeros(3),
        np.int64(3),
        datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")),
        Trade("FPT", 1, (1.0,), 1),  # type: ignore[arg-type]
        Trade("FPT", 1, 1.0, [1]),  # type: ignore[arg-type]
        Trade(Secret("correct horse battery"), 1, 1.0, 1),  # type: ignore[arg-type]
        SessionChanged(1, "HOSE", "ATO"),  # type: ignore[arg-type]
        commands.CancelOrder("1", "2", "s", Halted("all", "")),  # type: ignore[arg-type]
        commands.PlaceOrder("1", "2", "s", FPT, Side.BUY, TimeInForce.DAY, 5, 1),  # type: ignore[arg-type]
        events.ContractRolled(1, "VN30F1M", None, "VN30F2606"),  # type: ignore[arg-type]
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_registered_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(CodecError) as raised:
        CODEC.encode(value)
    assert "horse" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert len(str(raised.value).splitlines()) == 1


def test_a_value_inside_of_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(CodecError, match="inside of itself"):
        CODEC.encode(ring)


def test_subclasses_of_scalars_are_written_as_the_scalar() -> None:
    bar = Bar("FPT", 1, np.float64(1.5), 2.0, 1.0, 1.5, 100, 0, "FPT")
    assert same(CODEC.decode(CODEC.encode(bar)).open, 1.5)
    told = SessionChanged(1, FPT.board, Session.ATO)
    assert same(CODEC.decode(CODEC.encode(told)), SessionChanged(1, FPT.board, "ATO"))
    assert CODEC.decode(CODEC.encode(MappingProxyType({"FPT": 1}))) == {"FPT": 1}


@given(st.text(max_size=40) | anything.map(lambda value: json.dumps(repr(value))))
def test_any_other_text_is_refused_or_is_plain_json(text: str) -> None:
    try:
        value = CODEC.decode(text)
    except CodecError:
        return
    assert same(value, json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"$Popen": ["ls"]}',
        '{"$Bar": ["FPT"]}',
        '{"$Bar": 5}',
        '{"$Side": 7}',
        '{"$PlaceOrder": ["1", "2", "s", null, 1, "LO", 5, 1]}',
        '{"$date": "yesterday"}',
        "[1] 2",
        "",
        "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_nobody_wrote_is_refused(text: str) -> None:
    with pytest.raises(CodecError):
        CODEC.decode(text)


def test_fields_added_at_the_end_have_their_defaults_in_old_rows() -> None:
    class Tick(NamedTuple):
        symbol: str
        price: int

    old, row = Codec([Tick]), Codec([Tick]).encode(Tick("FPT", 5))

    class Tick(NamedTuple):  # type: ignore[no-redef]
        symbol: str
        price: int
        side: Side | None = None

    new = Codec([Side, Tick])
    assert new.reads(old.shapes()) == ""
    assert tuple(new.decode(row)) == ("FPT", 5, None)
    assert "has other fields" in old.reads({"Tick": new.shapes()["Tick"]})


def test_moved_fields_lost_types_and_lost_values_are_noticed() -> None:
    shapes = CODEC.shapes()
    assert CODEC.reads(shapes) == ""
    assert "Bar has other fields" in CODEC.reads(shapes | {"Bar": ["ns", "symbol"]})
    assert "Trade has other fields" in CODEC.reads(shapes | {"Trade": ["symbol", "ns"]})
    assert "has Gone" in CODEC.reads(shapes | {"Gone": ["ns"]})
    assert "Side has other values" in CODEC.reads(shapes | {"Side": ["1", "2"]})


def test_two_types_of_one_name_are_refused() -> None:
    with pytest.raises(TypeError, match="two types named Bar"):
        Codec([Bar, NamedTuple("Bar", [("symbol", str)])])


@given(values_of(OrderOrigin))
def test_an_order_is_made_again_as_it_was_first_sent(origin: OrderOrigin) -> None:
    order = origin.order()
    assert isinstance(order, Order)
    assert same(OrderOrigin.of(order), origin)
    assert not order.requests
    assert order.filled == 0


def test_nothing_of_an_order_is_forgotten() -> None:
    """Every attribute of an order is in its origin, or follows from the rows after it."""
    follows = {
        *("status", "broker_id", "filled", "filled_value", "fill_keys", "held_by", "reason", "requests"),
        *("cancel_wanted", "waits_for", "updated", "serial"),
    }
    kept = {field.name for field in dataclasses.fields(OrderOrigin)}
    assert kept | follows == set(Order.__slots__)
    assert not kept & follows


def test_a_money_amount_keeps_its_digits() -> None:
    value = {"exact": Decimal("1.10"), "big": 2**80, "type": OrderType.LO}
    assert same(CODEC.decode(CODEC.encode(value)), value)
