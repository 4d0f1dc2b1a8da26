"""The commands that talk to the broker, over real HTTP to a stub."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from algo.brokers.fctrading.signing import SigningKey, generate
from tests.brokers.fctrading.conftest import SAMPLES
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope, in_thread, jwt
from tests.cli.conftest import Command

PIN = "740218"


class Broker:
    """Signs in whoever knows the PIN; answers queries with the samples, orders by `answer`."""

    def __init__(self) -> None:
        self.samples = json.loads(SAMPLES.read_text())
        self.answer: Callable[[Seen], Reply] = lambda seen: envelope({"requestID": seen.json()["requestID"]})
        self.orders: list[dict] = [
            self.samples["order_item_live"]
            | {"orderStatus": "QU", "filledQty": 0, "avgPrice": 0.0, "price": 1202.5, "quantity": 2}
        ]

    def __call__(self, seen: Seen) -> Reply:
        name, samples = seen.name, self.samples
        if name == "accesstoken":
            request = seen.json()
            if request["isSave"] and request["code"] != PIN:
                return envelope(None, 400, "PIN is wrong")
            return envelope({"accessToken": jwt(time.time() + 8 * 3600, n=len(request["code"]))})
        if name in ("orderbook", "auditorderbook"):
            account = dict(seen.query)["account"]
            return envelope({"account": account, "orders": self.orders if account == "0901358" else []})
        answers = {
            "stockposition": "stock_position",
            "derivposition": "derivative_position",
            "cashacctbal": "cash_balance",
            "derivacctbal": "derivative_balance",
            "maxbuyqty": "max_buy",
            "maxsellqty": "max_sell",
            "ratelimit": "rate_limit",
        }
        return envelope(samples[answers[name]]) if name in answers else self.answer(seen)


@pytest.fixture(scope="module")
def signing_key() -> SigningKey:
    return generate()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def server(
    broker: Broker, signing_key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stub]:
    """A running stub, with credentials for it in ALGO_CREDENTIALS."""
    with in_thread(Stub(broker)) as stub:
        write_credentials(tmp_path / "ssi.json", stub.url, signing_key)
        monkeypatch.setenv("ALGO_CREDENTIALS", str(tmp_path / "ssi.json"))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        yield stub


def write_credentials(path: Path, url: str, key: SigningKey, **changes: object) -> None:
    document = {
        "consumer_id": "planted-consumer-id",
        "consumer_secret": "planted-consumer-secret",
        "private_key": key.private_text().reveal(),
        "accounts": {"equity": "0901351", "derivatives": "0901358"},
        **dict.fromkeys(("url", "stream_url", "data_url", "data_stream_url"), url),
    }
    path.write_text(json.dumps(document | changes))
    path.chmod(0o600)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a person type a code at a terminal: it is asked for without echo."""

    def type_(code: str) -> None:
        async def hidden_line(_prompt: str) -> str:
            return code

        monkeypatch.setattr("algo.cli.hidden_line.hidden_line", hidden_line)
        monkeypatch.setattr("algo.cli.broker.at_terminal", lambda: True)

    return type_


def test_login_asks_once_and_keeps_the_token(
    server: Stub, algo: Command, typed: Callable, tmp_path: Path
) -> None:
    typed(PIN)
    assert json.loads(algo("login", "--json").stdout)["state"] == "trading"
    (kept,) = (tmp_path / "state" / "algo").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert PIN not in kept.read_text()
    typed("a wrong one")
    result = algo("order", "place", "buy", "100", "FPT", "--price", "98500", "--yes")
    assert result.exit_code == 0, result.stderr
    assert len(server.named("accesstoken")) == 1, "the kept token serves"
    body = server.named("neworder")[0].json()
    assert body["code"] == ""
    assert (body["account"], body["instrumentID"], body["market"], body["buySell"]) == (
        "0901351", "FPT", "VN", "B",
    )  # fmt: skip
    assert (body["price"], body["quantity"], body["orderType"]) == (98500.0, 100, "LO")
    assert "8 h" in algo("status").stdout or "7 h 59" in algo("status").stdout


def test_a_wrong_code_is_one_line_and_exit_2(server: Stub, algo: Command, typed: Callable) -> None:
    typed("999999")
    result = algo("login")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "PIN" in result.stderr
    assert "999999" not in result.output
    assert len(server.named("accesstoken")) == 1


def test_without_a_terminal_and_a_code_nothing_is_sent(server: Stub, algo: Command) -> None:
    result = algo("login")
    assert result.exit_code == 2
    assert "algo login" in result.stderr
    assert not server.seen


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["orders"], ["17963646", "VN30F2409", "1,202.5", "sell", "working"]),
        (["orders", "--account", "equity"], ["no orders"]),
        (["positions"], ["SSI", "50,300", "18,505", "VN30F2106", "8"]),
        (["balance"], ["7,459,369,481", "11,166,309,263", "172,660,800", "1.55 %"]),
        (["limits"], ["*", "5", "30"]),
        (["limits", "SSI", "--price", "21000"], ["8,241,440", "2,000"]),
        (["status"], ["0901351", "0901358", "signed out", "1024 bits"]),
    ],
    ids=lambda value: " ".join(value[:2]),
)
def test_what_is_shown(server: Stub, algo: Command, command: list[str], expected: list[str]) -> None:
    result = algo(*command)
    assert result.exit_code == 0, result.stderr
    for text in expected:
        assert text in result.stdout
    again = algo(*command, "--json")
    json.loads(again.stdout)
    for secret in ("planted-consumer", "RSAKeyValue"):
        assert secret not in result.output + again.output


def test_json_of_orders_and_positions(server: Stub, algo: Command) -> None:
    (order,) = json.loads(algo("orders", "--json").stdout)
    assert (order["broker_id"], order["price"], order["quantity"], order["status"], order["side"]) == (
        "17963646", 1202.5, 2, "working", "sell",
    )  # fmt: skip
    positions = json.loads(algo("positions", "--json").stdout)
    assert {one["symbol"]: one["quantity"] for one in positions} == {"SSI": 50300, "VN30F2106": 8}
    cash = json.loads(algo("balance", "--json").stdout)
    assert [one["cash"] for one in cash] == [7459369481, 11166309263]


def test_amend_and_cancel_state_the_whole_order(server: Stub, algo: Command, typed: Callable) -> None:
    typed(PIN)
    assert algo("order", "amend", "17963646", "--price", "1201.9", "--yes").exit_code == 0
    body = server.named("dermodifyorder")[0].json()
    assert (body["orderID"], body["price"], body["quantity"], body["buySell"], body["orderType"]) == (
        "17963646", 1201.9, 2, "S", "LO",
    )  # fmt: skip
    assert (body["account"], body["marketID"], body["instrumentID"]) == ("0901358", "VNFE", "VN30F2409")
    assert algo("order", "cancel", "17963646", "--yes").exit_code == 0
    assert server.named("dercancelorder")[0].json()["orderID"] == "17963646"


def test_a_stop_order_goes_to_the_derivatives_account(server: Stub, algo: Command, typed: Callable) -> None:
    typed(PIN)
    result = algo(
        "order", "place", "sell", "1", "VN30F2612", "--price", "1395", "--stop", "d", "--stop-price", "1396",
        "--yes", "--json",
    )  # fmt: skip
    assert json.loads(result.stdout)["outcome"] == "received"
    body = server.named("dernewOrder")[0].json()
    assert (body["stopOrder"], body["stopType"], body["stopPrice"], body["account"]) == (
        True, "D", 1396.0, "0901358",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (envelope(None, 400, "ORD003 price above ceiling"), "refused: ORD003"),
        (Reply(drop=True), "may have arrived"),
        (Reply(b"<html>", 502), "may have arrived"),
    ],
)
def test_an_order_that_was_not_received_says_so(
    server: Stub, broker: Broker, algo: Command, typed: Callable, reply: Reply, text: str
) -> None:
    typed(PIN)
    broker.answer = lambda seen: reply
    result = algo("order", "place", "buy", "100", "FPT", "--price", "98500", "--yes")
    assert result.exit_code == 1
    assert text in result.stderr
    assert len(server.named("neworder")) == 1


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (["order", "place", "hold", "100", "FPT", "--price", "1"], "buy or sell"),
        (["order", "place", "buy", "100", "FPT"], "--price"),
        (["order", "place", "buy", "100", "FPT", "--type", "ATO", "--price", "98500"], "no --price"),
        (["order", "place", "buy", "100", "FPT", "--type", "XX", "--price", "98500"], "order type"),
        (["order", "place", "buy", "100", "FPT", "--price", "98555"], "tick"),
        (["order", "place", "buy", "150", "FPT", "--price", "98500"], "150"),
        (["order", "place", "buy", "1", "VN30F1M", "--price", "1400"], "alias"),
        (["order", "place", "buy", "1", "VN30F2612", "--price", "1400.05"], "tick"),
        (["order", "place", "buy", "100", "FPT", "--price", "98500", "--stop", "Z"], "D, U, V, E, O or B"),
        (
            [
                "order",
                "place",
                "buy",
                "100",
                "FPT",
                "--price",
                "98500",
                "--stop",
                "D",
                "--stop-price",
                "98000",
            ],
            "derivatives only",
        ),
        (["order", "place", "buy", "100", "FPT", "--price", "98500"], "--yes"),
        (["order", "amend", "17963646"], "--price, --quantity"),
        (["order", "cancel", "nonesuch", "--yes"], "no order nonesuch"),
        (["orders", "--account", "gold"], "equity or derivatives"),
        (["limits", "SSI"], "--price"),
        (["orders", "--credentials", "nonesuch.json"], "nonesuch.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_line_and_exit_2(server: Stub, algo: Command, command: list[str], text: str) -> None:
    result = algo(*command)
    assert result.exit_code == 2
    assert text in result.stderr
    assert result.stderr.count("\n") == 1
    assert not [seen for seen in server.seen if seen.name.endswith("order")]


def test_an_account_that_the_person_has_not(
    server: Stub, algo: Command, tmp_path: Path, signing_key: SigningKey
) -> None:
    path = tmp_path / "shares.json"
    write_credentials(path, server.url, signing_key, accounts={"equity": "0901351"})
    result = algo(
        "order", "place", "buy", "1", "VN30F2612", "--price", "1400", "--yes", "--credentials", str(path)
    )
    assert result.exit_code == 2
    assert "accounts.derivatives" in result.stderr


def test_a_loose_file_is_refused_with_what_mends_it(server: Stub, algo: Command, tmp_path: Path) -> None:
    (tmp_path / "ssi.json").chmod(0o644)
    result = algo("orders")
    assert result.exit_code == 2
    assert "chmod 600" in result.stderr


def test_an_order_that_is_over_is_not_touched(server: Stub, broker: Broker, algo: Command) -> None:
    broker.orders[0]["orderStatus"] = "FF"
    result = algo("order", "cancel", "17963646", "--yes")
    assert result.exit_code == 2
    assert "filled already" in result.stderr


def test_keys(algo: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALGO_CREDENTIALS", raising=False)
    made = json.loads(algo("keys", "new", "key.txt", "--json").stdout)
    assert (tmp_path / "key.txt").stat().st_mode & 0o777 == 0o600
    secret = (tmp_path / "key.txt").read_text().strip()
    result = algo("keys", "check", "key.txt")
    assert result.exit_code == 0
    assert "1024 bits" in result.stdout
    assert secret not in result.output
    assert algo("keys", "new", "key.txt").exit_code == 2
    assert (tmp_path / "key.txt").read_text().strip() == secret
    (tmp_path / "public.txt").write_text(made["public_key"])
    (tmp_path / "public.txt").chmod(0o600)
    wrong: Any = algo("keys", "check", "public.txt", "--json")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["problems"]
    (tmp_path / "ssi.json").write_text(json.dumps({"private_key": secret}))
    (tmp_path / "ssi.json").chmod(0o600)
    assert algo("keys", "check", "ssi.json").exit_code == 0
