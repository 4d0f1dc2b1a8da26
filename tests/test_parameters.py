"""A strategy's annotated attributes as parameters."""

from __future__ import annotations

from datetime import time
from enum import Enum
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo import Strategy
from algo.errors import ParameterError
from algo.parameters import REQUIRED, bind, declared


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class First(Strategy):
    symbol: str = "VN30F1M"
    fast: int = 20
    share: float = 0.5
    loud: bool = False
    kept: ClassVar[int] = 3
    _hidden: int = 4
    plain = 5


class Second(First):
    fast: int = 10
    symbols: list[str] = ["FPT", "SSI"]  # noqa: RUF012
    side: Literal["long", "short"] = "long"
    colour: Colour = Colour.RED
    begin: time = time(9, 15)
    limit: float | None = None
    window: tuple[int, int] = (1, 2)


class Needy(Strategy):
    size: int


def test_annotated_public_attributes_are_parameters_base_classes_first() -> None:
    assert list(declared(First)) == ["symbol", "fast", "share", "loud"]
    found = declared(Second)
    assert list(found)[:4] == ["symbol", "fast", "share", "loud"]
    assert found["fast"] == (int, 10)
    assert declared(Needy)["size"][1] is REQUIRED
    assert declared(Strategy) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ({"fast": "7"}, 7),
        ({"share": "0.25"}, 0.25),
        ({"share": 1}, 1.0),
        ({"loud": "true"}, True),
        ({"loud": "no"}, False),
        ({"symbols": "VND, HPG,"}, ["VND", "HPG"]),
        ({"symbols": ["VND"]}, ["VND"]),
        ({"side": "short"}, "short"),
        ({"colour": "blue"}, Colour.BLUE),
        ({"begin": "13:05"}, time(13, 5)),
        ({"limit": "1.5"}, 1.5),
        ({"window": "3,4"}, (3, 4)),
        ({"symbol": "7"}, "7"),
    ],
)
def test_text_is_read_as_the_type_would_be_written(text: dict[str, Any], value: Any) -> None:
    (name,) = text
    strategy = Second(**text)
    assert getattr(strategy, name) == value
    assert strategy.parameters[name] == value
    assert type(getattr(strategy, name)) is type(value)


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"fsat": 3}, "no parameter 'fsat'; did you mean 'fast'"),
        ({"qqq": 3}, "no parameter 'qqq'; it has symbol, fast"),
        ({"kept": 3}, "no parameter 'kept'"),
        ({"plain": 3}, "no parameter 'plain'"),
        ({"_hidden": 3}, "no parameter '_hidden'"),
        ({"fast": "many"}, "First.fast must be int: 'many' is not"),
        ({"fast": 2.5}, "First.fast must be int"),
        ({"fast": None}, "First.fast must be int"),
        ({"share": "a half"}, "First.share must be float"),
        ({"loud": "perhaps"}, "First.loud must be bool"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(given_: dict[str, Any], why: str) -> None:
    with pytest.raises(ParameterError, match=why) as caught:
        First(**given_)
    assert "\n" not in str(caught.value)


def test_a_missing_value_is_said() -> None:
    with pytest.raises(ParameterError, match="needs a value for 'size': give it with -p size="):
        Needy()
    assert Needy(size="3").parameters == {"size": 3}


@pytest.mark.parametrize("name", ["buy", "orders", "on_bar", "now", "parameters", "target"])
def test_the_frameworks_names_are_taken(name: str) -> None:
    with pytest.raises(ParameterError, match=f"the name '{name}' is the framework's"):
        type("Taken", (Strategy,), {"__annotations__": {name: int}, name: 1})


def test_an_annotation_that_names_nothing_is_said() -> None:
    made = type(
        "Odd", (Strategy,), {"__annotations__": {"size": "Nothing"}, "size": 1, "__module__": __name__}
    )
    with pytest.raises(ParameterError, match="Nothing"):
        declared(made)


def test_one_runs_list_is_not_anothers() -> None:
    one, other = Second(), Second()
    one.symbols.append("XXX")
    assert other.symbols == ["FPT", "SSI"]
    assert Second.symbols == ["FPT", "SSI"]


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_what_was_bound_can_be_bound_again_from_its_text(fast: int, share: float, loud: bool) -> None:
    bound = bind(First, {"fast": fast, "share": share, "loud": loud})
    assert bind(First, {name: str(value) for name, value in bound.items()}) == bound
