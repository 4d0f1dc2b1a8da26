import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.fastconnect.secret import Secret


@given(st.text(min_size=8).filter(lambda text: text not in "<secret>"))
def test_no_way_of_printing_shows_it(text: str) -> None:
    secret = Secret(text)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", "%s %r" % (secret, secret)]  # noqa: UP031
    assert all(text not in form for form in shown)
    assert secret.reveal() == text


def test_no_way_out_by_serialising() -> None:
    secret = Secret("planted")
    for way in (pickle.dumps, json.dumps, vars, dict, list):
        with pytest.raises(TypeError) as caught:
            way(secret)
        assert "planted" not in str(caught.value)


def test_copies_stay_secret() -> None:
    @dataclass
    class Holder:
        secret: Secret

    holder = Holder(Secret("planted"))
    assert "planted" not in repr(asdict(holder)) + repr(copy.deepcopy(holder)) + repr(
        copy.copy(holder.secret)
    )
    assert asdict(holder)["secret"].reveal() == "planted"


def test_equality_is_by_value_and_never_with_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("á")}) == 2
    assert not Secret("")
