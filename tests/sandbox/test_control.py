"""The operator's requests, over HTTP and as functions: time, faults, halts, orders by hand."""

from collections.abc import Iterator

import httpx
import pytest

from algo.sandbox.control import TOKEN_HEADER, request
from algo.sandbox.faults import Fault
from algo.sandbox.messages import Request
from tests.sandbox.running import MORNING, Served, made, served


@pytest.fixture
def running() -> Iterator[Served]:
    with served(made()) as found:
        yield found


def test_only_the_token_opens(running: Served) -> None:
    for headers in (
        {},
        {"X-Control-Token": ""},
        {"X-Control-Token": "wrong"},
        {"X-Control-Token": "é".encode()},
    ):
        answer = httpx.post(f"{running.url}/control/state", headers=headers)
        assert answer.status_code == 403
    assert httpx.get(f"{running.url}/control/state").status_code == 403
    token = {"X-Control-Token": running.sandbox.token}
    assert httpx.get(f"{running.url}/control/state", headers=token).status_code == 405
    assert httpx.post(f"{running.url}/control/nothing", headers=token).status_code == 404
    assert httpx.post(f"{running.url}//control/state", headers=token).status_code == 200


def test_a_market_that_stands_is_stepped_stop_by_stop(running: Served) -> None:
    world = running.sandbox.world
    before = running.control("state")
    assert before["now"] == MORNING == world.now and before["speed"] == 0
    after = running.control("step")
    assert after["stop"] == before["next"]["kind"] and after["now"] == before["next"]["ns"] == world.now
    later = running.control("step", until=after["now"] + 10**9)
    assert later["now"] == after["now"] + 10**9
    assert running.control("step", stops=10)["now"] > later["now"]


def test_the_end_of_the_data_is_told(running: Served) -> None:
    found = running.control("step", stops=1_000_000)
    assert found["next"] is None
    assert running.control("step")["stop"] is None


def test_a_step_says_what_a_client_will_have_heard(running: Served) -> None:
    running.control("order", symbol="FPT", side="buy", quantity=100, type="LO", price=1)
    before = running.control("state")["notify_id"]
    state = running.sandbox.world.tape.states["FPT"]
    running.control("order", symbol="FPT", side="buy", quantity=100, price=state.ceiling)
    after = running.control("step", stops=4)
    assert after["notify_id"] > before > 0


def test_faults_by_request(running: Served) -> None:
    running.control("fault", fault="lose", count=2, match="NewOrder")
    running.control("fault", fault="delay", seconds=0.5)
    assert [str(asked.fault) for asked in running.sandbox.host.faults.asked] == ["lose", "delay"]
    running.control("odds", miss=0.25)
    assert running.sandbox.host.faults.odds == {Fault.MISS: 0.25}
    running.control("clear")
    assert running.sandbox.host.faults.quiet


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("fault", {"fault": "nothing"}),
        ("fault", {"fault": "lose", "count": 0}),
        ("fault", {"fault": "delay", "seconds": -1}),
        ("fault", {}),
        ("odds", {"lose": 2}),
        ("odds", {"nothing": 0.5}),
        ("clock", {"speed": -1}),
        ("clock", {"speed": "fast"}),
        ("clock", {}),
        ("step", {"stops": 0}),
        ("step", {"stops": True}),
        ("step", {"until": "noon"}),
        ("halt", {"symbol": "NONE"}),
        ("halt", {}),
        ("order", {"symbol": "FPT", "side": "up", "quantity": 100}),
        ("order", {"symbol": "FPT", "side": "buy", "quantity": 1.5}),
        ("order", {"symbol": "FPT", "side": "buy", "quantity": 100, "type": "XX"}),
        ("cancel", {"order_id": "1"}),
        ("hold", {"symbol": "FPT", "quantity": -100}),
        ("hold", {"symbol": "FPT"}),
        ("ids", {"skip": -1}),
        ("quota", {"rules": [{"endpoint": "*"}]}),
        ("quota", {"rules": [{"endpoint": "*", "period": 0, "limit": 1}]}),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(running: Served, name: str, fields: dict) -> None:
    answer = running.ask(name, **fields)
    assert answer.status_code == 400
    (text,) = answer.json().values()
    assert text and "\n" not in text


@pytest.mark.parametrize("body", [b"[]", b"{", b'"x"', b"\xff", b"[" * 5000])
def test_rubbish_is_refused(running: Served, body: bytes) -> None:
    sandbox = running.sandbox
    answer = sandbox.control(Request("POST", "/control/state", (), {TOKEN_HEADER: sandbox.token}, body))
    assert answer.status == 400


def test_halts_tokens_ids_and_codes() -> None:
    sandbox = made()

    def do(name: str, **fields: object) -> None:
        answer = sandbox.control(request(name, sandbox.token, **fields))
        assert answer.status == 200, answer.body

    # Each of these goes through the host's flush, which needs no loop when nobody listens.
    identity = sandbox.service.identity
    (consumer,) = identity.consumers.values()
    token = identity.sign_in(
        consumer.consumer_id, sandbox.recipe.consumer_secret, "0", "1", save=False, wall=0
    )
    identity.grant(token, 1.0)
    do("expire")
    with pytest.raises(Exception, match="invalid"):
        identity.grant(token, 1.0)
    do("halt", symbol="FPT")
    assert sandbox.world.tape.states["FPT"].status == "H"
    do("halt", symbol="FPT", on=False)
    assert sandbox.world.tape.states["FPT"].status == "N"
    before = sandbox.service.trading.last_id
    do("ids", skip=500)
    assert sandbox.service.trading.last_id == before + 500
    do("ids", restart=True)
    assert sandbox.service.trading.last_id == 0
    do("unlock")
    do("quota", rules=[{"endpoint": "*", "period": 1, "limit": 3}])
    assert sandbox.service.quota.told() == [{"endpoint": "*", "period": "1s", "limit": 3}]


def test_an_order_by_hand_is_the_customers_and_says_so() -> None:
    sandbox = made()
    answer = sandbox.control(
        request("order", sandbox.token, symbol="VN30F1M", side="sell", quantity=2, price=2000.0)
    )
    assert answer.status == 200
    (order,) = sandbox.world.brokerage.orders(sandbox.recipe.derivatives)
    assert (order.channel, order.quantity, order.instrument.board) == ("IM", 2, "DERIVATIVES")


def test_a_position_from_elsewhere() -> None:
    sandbox = made()
    assert sandbox.control(request("hold", sandbox.token, symbol="FPT", quantity=500)).status == 200
    assert sandbox.control(request("hold", sandbox.token, symbol="VN30F1M", quantity=-2)).status == 200
    (customer,) = sandbox.world.brokerage.customers
    held = {name: position.quantity for name, position in customer.portfolio.positions.items()}
    assert held == {"FPT": 500, sandbox.world.code("VN30F1M"): -2}
    assert not any(sandbox.world.brokerage.orders(number) for number in customer.accounts.values())
