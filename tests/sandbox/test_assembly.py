"""A sandbox put together, stopped and continued: whatever happened before is there again, to the last id."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.brokers.fctrading.signing import parse_key
from algo.clock import MINUTE
from algo.sandbox.assembly import Sandbox, assemble
from algo.sandbox.control import request
from algo.sandbox.messages import Request
from algo.sandbox.recipe import Recipe
from algo.sandbox.state import State
from tests.sandbox.running import MORNING, replay

RECIPE = Recipe.new(cash=10**10)


def opened(path: Path, wall: Callable[[], float]) -> tuple[Sandbox, State]:
    state = State(path)
    return assemble(RECIPE, source=replay(), limited=False, state=state, wall=wall), state


class Client:
    """Signs in and sends orders as one would over HTTP, by function calls."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token = ""
        self.number = 10_000_000

    def post(self, name: str, **fields: Any) -> dict:
        body = json.dumps(fields).encode()
        headers = {
            "authorization": f"Bearer {self.token}",
            "x-signature": parse_key(RECIPE.private_key).sign(body),
        }
        answer = self.sandbox.host.carry_out(Request("POST", f"/api/v2/Trading/{name}", (), headers, body))
        return json.loads(answer.body)

    def sign_in(self) -> None:
        answer = self.post(
            "AccessToken", consumerID=RECIPE.consumer_id, consumerSecret=RECIPE.consumer_secret,
            twoFactorType=0, code=RECIPE.pin, isSave=True,
        )  # fmt: skip
        self.token = answer["data"]["accessToken"]

    def order(self, symbol: str, side: str, offset: int, quantity: int) -> None:
        self.number += 1
        state = self.sandbox.world.tape.states[symbol]
        self.post(
            "NewOrder", account=RECIPE.equity, requestID=str(self.number), instrumentID=symbol, market="VN",
            buySell=side, orderType="LO", price=state.last + 100 * offset, quantity=100 * quantity,
            stopOrder=False, channelID="TA", code="", deviceId="x", userAgent="x",
        )  # fmt: skip


def told(sandbox: Sandbox) -> dict[str, Any]:
    """Everything that a customer could find out."""
    world, brokerage = sandbox.world, sandbox.world.brokerage
    (customer,) = brokerage.customers
    log = sandbox.service.trading._logs[RECIPE.consumer_id]
    return {
        "now": world.now,
        "next": world.next_stop(),
        "orders": [brokerage.orders(number) for number in customer.accounts.values()],
        "cash": customer.portfolio.cash,
        "reserved": customer.reserved,
        "positions": {name: one.quantity for name, one in customer.portfolio.positions.items()},
        "ids": list(log.ids),
        "messages": list(log.entries),
        "states": world.tape.states,
        "halted": world.halted,
    }


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("order"), st.sampled_from(["FPT", "HPG"]), st.sampled_from("BS"), st.integers(-3, 3)
        ),
        st.tuples(st.just("step"), st.integers(1, 5)),
        st.tuples(st.just("until"), st.integers(1, 5)),
        st.tuples(st.just("halt"), st.booleans()),
        st.tuples(st.just("hand"), st.integers(1, 9)),
        st.tuples(st.just("sign in")),
        st.tuples(st.just("kill")),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=12)
@given(steps)
async def test_a_sandbox_that_was_stopped_goes_on_as_if_it_had_not(done: list[tuple]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        clock = iter(range(1_800_000_000, 1_900_000_000))
        sandbox, state = opened(path, lambda: float(next(clock)))
        client = Client(sandbox)
        sandbox.host.advance(MORNING)
        client.sign_in()
        for what, *details in [*done, ("kill",)]:
            if what == "order":
                client.order(*details, quantity=2)
            elif what == "step":
                sandbox.host.step(*details)
            elif what == "until":
                sandbox.host.advance(sandbox.world.now + details[0] * MINUTE)
            elif what == "halt":
                sandbox.control(request("halt", sandbox.token, symbol="FPT", on=details[0]))
            elif what == "hand":
                sandbox.control(
                    request(
                        "order",
                        sandbox.token,
                        symbol="HPG",
                        side="buy",
                        type="MTL",
                        quantity=details[0] * 100,
                    )
                )
            elif what == "sign in":
                client.sign_in()
            else:
                sandbox.host.flush()
                before = told(sandbox)
                state.close()
                sandbox, state = opened(path, lambda: float(next(clock)))
                client.sandbox = sandbox
                assert told(sandbox) == before
                sandbox.service.identity.grant(client.token, 1_800_000_000.0)
        state.close()


def test_the_state_brings_its_own_keys(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first, state = opened(path, lambda: 0.0)
    state.close()
    state = State(path)
    again = assemble(Recipe.new(), source=replay(), state=state)
    state.close()
    assert again.recipe == first.recipe
    assert again.token != first.token
    with sqlite3.connect(path) as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)


def test_the_document_has_what_a_client_needs() -> None:
    sandbox = assemble(RECIPE, source=replay())
    document = sandbox.document("http://127.0.0.1:1")
    assert document.keys() == {
        *("url", "stream_url", "data_url", "data_stream_url", "consumer_id", "consumer_secret"),
        *("private_key", "pin", "accounts", "symbols", "control"),
    }
    assert {one["symbol"] for one in document["symbols"]} >= {"FPT", "HPG"}
    assert document["control"] == {"url": "http://127.0.0.1:1/", "token": sandbox.token}
    assert json.loads(json.dumps(document)) == document


def test_a_file_of_trades_and_quotes_is_replayed_as_such(tmp_path: Path) -> None:
    path = tmp_path / "ticks.csv"
    path.write_text(
        "time,symbol,price,quantity,bid_price_1,bid_quantity_1,ask_price_1,ask_quantity_1\n"
        "2025-07-01 09:30:00,FPT,,,99900,500,100000,700\n"
        "2025-07-01 09:30:01,FPT,100000,300,,,,\n"
        "2025-07-02 09:30:01,FPT,101000,300,,,,\n"
    )
    sandbox = assemble(Recipe.new(str(path)))
    sandbox.host.world.advance(MORNING)
    assert [print_.last for print_ in sandbox.world.tape.prints["FPT"]] == [100_000, 101_000]
    later = assemble(Recipe.new(str(path), date(2025, 7, 2)))
    later.host.world.advance(MORNING)
    assert [print_.last for print_ in later.world.tape.prints["FPT"]] == [101_000]


def test_no_secret_is_shown() -> None:
    text = repr(RECIPE) + repr(assemble(RECIPE, source=replay()))
    for secret in (RECIPE.consumer_secret, RECIPE.private_key, f"'{RECIPE.pin}'"):
        assert secret not in text
