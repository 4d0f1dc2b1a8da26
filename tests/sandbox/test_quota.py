"""Rate limits against a count of all calls."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.brokers.fctrading.outcome import judge
from algo.errors import SettingError
from algo.sandbox.quota import TRADING_RULES, Quota, RateRule
from tests.sandbox.desk import Client, service

RULES = st.lists(
    st.builds(
        RateRule,
        st.sampled_from(["*", "post:*", "get:*", "*:*/orderBook", "post:*/NewOrder"]),
        st.integers(1, 5),
        st.integers(1, 6),
    ),
    max_size=4,
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([("get", "/api/v2/trading/orderbook"), ("post", "/api/v2/trading/neworder")]),
        st.floats(0, 1.5),
    ),
    max_size=60,
)


@given(RULES, CALLS)
def test_a_call_passes_exactly_when_every_rule_has_room(rules: list[RateRule], calls) -> None:
    quota = Quota(rules)
    passed: list[tuple[str, str, str, float]] = []
    now = 1000.0
    for key, (method, path), wait in calls:
        now += wait
        full = [
            rule
            for rule in rules
            if rule.covers(method, path)
            and sum(
                who == key and rule.covers(verb, place) and when > now - rule.period
                for who, verb, place, when in passed
            )
            >= rule.limit
        ]
        answer = quota.spend(key, method, path, now)
        assert (answer is not None) is bool(full)
        if answer is None:
            passed.append((key, method, path, now))
        else:
            text = answer.body.decode()
            assert re.fullmatch(r"API calls quota exceeded! maximum admitted \d+ per \d+ s", text), (
                "the words of the service"
            )
            assert int(dict(answer.headers)["Retry-After"]) >= 1


def test_the_client_of_ours_learns_the_limit_from_a_refusal() -> None:
    quota = Quota([RateRule("*", 2, 1)])
    quota.spend("a", "get", "/x", 0.0)
    answer = quota.spend("a", "get", "/x", 0.5)
    assert answer is not None
    found = judge(answer.status, answer.body, dict(answer.headers)["Retry-After"])
    assert found.quota == (1, 2.0)
    assert found.retry_after == 2.0


def test_waiting_as_told_is_enough() -> None:
    quota = Quota([RateRule("*", 3, 2)])
    now = 0.0
    for _ in range(20):
        answer = quota.spend("a", "get", "/x", now)
        if answer is not None:
            now += float(dict(answer.headers)["Retry-After"])
            assert quota.spend("a", "get", "/x", now) is None
        now += 0.1


def test_the_rules_are_told_as_they_are() -> None:
    client = Client(service(rules=TRADING_RULES))
    client.sign_in()
    assert client.data("Trading/rateLimit") == [
        {"endpoint": "*", "period": "1s", "limit": 5},
        {"endpoint": "*", "period": "5s", "limit": 30},
    ]


def test_each_account_has_a_count_of_its_own_and_a_refused_order_does_not_exist() -> None:
    found = service(rules=[RateRule("*", 1, 2)])
    client = Client(found)
    client.sign_in()
    answers = [client.place(client.order(str(n)))["status"] for n in (1, 2)]
    assert answers == [200, 200]
    refused = client.post("/api/v2/Trading/NewOrder", client.order("3"))
    assert refused.status == 429
    assert client.place(client.contract("4"))["status"] == 200
    client.wall += 1.0
    assert len(client.data("Trading/orderBook", account=client.equity)["orders"]) == 2
    found.quota.set([RateRule("*", 1, 100)])
    assert all(client.place(client.order(str(n)))["status"] == 200 for n in range(10, 30))


@pytest.mark.parametrize("rule", [RateRule("*", 0, 5), RateRule("*", 1, 0)])
def test_a_rule_that_lets_nothing_pass_is_no_rule(rule: RateRule) -> None:
    with pytest.raises(SettingError):
        Quota([rule])
