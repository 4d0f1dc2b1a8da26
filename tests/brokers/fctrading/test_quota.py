import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.brokers.fctrading import endpoints
from algo.brokers.fctrading.quota import UNLEARNED, Quota, Rule, parse_rule

CALLS = [endpoints.NEW_ORDER, endpoints.CANCEL_ORDER, endpoints.ORDER_BOOK, endpoints.DER_NEW_ORDER]
rules = st.lists(
    st.builds(
        Rule,
        st.sampled_from(["*", "post:*", "get:*", "*:*/orderBook", "post:*/NewOrder"]),
        st.sampled_from([0.5, 1.0, 5.0]),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=4,
)


@given(rules, st.lists(st.tuples(st.sampled_from(CALLS), st.floats(0, 1.5)), max_size=60))
@settings(max_examples=200)
def test_no_window_ever_holds_more_than_its_rule(rules: list[Rule], calls: list) -> None:
    """Calls that go as soon as they may, against a plain count over every window of every rule."""
    quota, now, made = Quota(rules), 0.0, []
    for endpoint, pause in calls:
        now += pause
        now += quota.delay("1", endpoint, now)
        assert quota.delay("1", endpoint, now + 1e-9) <= 1e-6
        quota.spend("1", endpoint, now)
        made.append((now, endpoint))
        for rule in rules:
            if not rule.covers(endpoint):
                continue
            window = [c for at, c in made if rule.covers(c) and now - rule.period < at <= now]
            assert len(window) <= rule.limit
            if endpoint is not endpoints.CANCEL_ORDER:
                assert len(window) <= max(1, rule.limit * 4 // 5)


@given(st.integers(2, 50))
def test_a_cancel_goes_when_orders_have_used_all_they_may(limit: int) -> None:
    quota = Quota([Rule("*", 1.0, limit)])
    sent = 0
    while not quota.delay("1", endpoints.NEW_ORDER, 0.0):
        quota.spend("1", endpoints.NEW_ORDER, 0.0)
        sent += 1
    assert sent == max(1, limit - -(-limit // 5))
    assert not quota.delay("1", endpoints.CANCEL_ORDER, 0.0)


def test_accounts_do_not_share() -> None:
    quota = Quota([Rule("*", 1.0, 1)])
    quota.spend("1", endpoints.NEW_ORDER, 0.0)
    assert quota.delay("1", endpoints.NEW_ORDER, 0.0) > 0
    assert quota.delay("2", endpoints.NEW_ORDER, 0.0) == 0


def test_a_429_holds_the_account_and_teaches_the_limit() -> None:
    quota = Quota([Rule("*", 1.0, 10), Rule("post:*", 1.0, 9)])
    quota.refused("1", 3.0, 100.0, (4, 1.0))
    assert quota.delay("1", endpoints.CANCEL_ORDER, 100.0) == pytest.approx(3.0)
    assert quota.delay("2", endpoints.NEW_ORDER, 100.0) == 0
    assert set(quota.rules) == {Rule("*", 1.0, 4), Rule("post:*", 1.0, 9)}
    quota.refused("1", 1.0, 100.0, (40, 1.0))
    assert Rule("*", 1.0, 4) in quota.rules


def test_a_429_without_words_halves_the_limit_until_it_is_told_again() -> None:
    quota = Quota([Rule("*", 1.0, 10)])
    quota.refused("1", 1.0, 10.1)
    assert quota.rules == (Rule("*", 1.0, 5),)
    for _ in range(5):
        quota.refused("1", 1.0, 10.1)
    assert quota.rules == (Rule("*", 1.0, 1),)
    quota.learn([Rule("*", 1.0, 20)])
    assert quota.rules == (Rule("*", 1.0, 20),)
    quota.learn([])
    assert quota.rules == (Rule("*", 1.0, 20),)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("*", "1s", 5), Rule("*", 1.0, 5)),
        (("post:*", "5s", 30), Rule("post:*", 5.0, 30)),
        (("*:*/NewOrder", "1m", 9), Rule("*:*/NewOrder", 60.0, 9)),
        (("*", "s", 5), Rule("*", 1.0, 5)),
        (("*", "0s", 5), None),
        (("*", "1 fortnight", 5), None),
        (("", "1s", 5), None),
        (("*", "1s", 0), None),
    ],
)
def test_the_brokers_words(words: tuple, rule: Rule | None) -> None:
    assert parse_rule(*words) == rule


def test_patterns_cover_what_they_name() -> None:
    covers = {
        "*": (True, True, True),
        "post:*": (True, True, False),
        "get:*": (False, False, True),
        "*:*/neworder": (True, False, False),
        "get:*/NewOrder": (False, False, False),
        "*:/api/v2/trading/orderbook": (False, False, True),
    }
    for pattern, expected in covers.items():
        rule = Rule(pattern, 1.0, 1)
        calls = (endpoints.NEW_ORDER, endpoints.CANCEL_ORDER, endpoints.ORDER_BOOK)
        assert tuple(map(rule.covers, calls)) == expected
    assert UNLEARNED[0].covers(endpoints.ACCESS_TOKEN)
