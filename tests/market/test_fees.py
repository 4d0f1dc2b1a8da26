"""Fees and taxes against plain decimal arithmetic, and the settings that change them."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.market import Charge, Dated, FlatFees, FunctionFees, NoFees, VietnamFees, fees_from
from algo.model import Kind, Side
from tests.generators.market import FPT, FUTURE, days, instruments, prices

DAY = date(2024, 3, 12)
VIETNAM = VietnamFees()
sides = st.sampled_from(tuple(Side))
quantities = st.integers(1, 5_000)


def dong(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


@given(instruments.filter(lambda one: one.kind is not Kind.FUTURE), sides, prices, quantities, days)
def test_shares_pay_a_rate_and_sales_a_tax(instrument, side, price, quantity, day):
    value = Decimal(price) * quantity
    tax = dong(value * Decimal("0.001")) if side is Side.SELL else 0
    assert VIETNAM.charge(instrument, side, price, quantity, day) == (dong(value * Decimal("0.0015")), tax)
    assert VIETNAM.holding(instrument, quantity, day) == 0


@given(sides, st.integers(1, 30_000), st.integers(1, 500), st.integers(0, 600), days)
def test_futures_pay_by_contract_and_a_tax_by_margin(side, price, quantity, before, day):
    broker = sum(
        2_000 if number < 100 else 1_500 if number <= 300 else 500
        for number in range(before + 1, before + quantity + 1)
    )
    margin = "0.10" if day < date(2018, 7, 18) else "0.13" if day < date(2022, 12, 15) else "0.17"
    value = Decimal(price) / 10 * 100_000 * quantity
    charge = VIETNAM.charge(FUTURE, side, price, quantity, day, contracts_today=before)
    assert charge == (broker + 2_700 * quantity, dong(value * Decimal("0.001") * Decimal(margin) / 2))
    assert charge.total == charge.fee + charge.tax
    assert VIETNAM.expiry(FUTURE, price, -quantity, day) == (0, charge.tax)
    assert VIETNAM.holding(FUTURE, -quantity, day) == 2_550 * quantity


def test_dated_examples():
    # 1,250.3 points x 100,000 đồng x 0.1 % x 17 % / 2 = 10,627.55
    assert VIETNAM.charge(FUTURE, Side.BUY, 12_503, 1, DAY) == Charge(4_700, 10_628)
    assert VIETNAM.charge(FPT, Side.SELL, 100_500, 1_000, DAY) == Charge(150_750, 100_500)
    assert VIETNAM.expiry(FUTURE, Fraction("12503.7"), 1, DAY) == Charge(0, 10_628)


@given(prices, quantities, quantities)
def test_tiers_do_not_care_how_an_order_is_filled(price, first, second):
    whole = VIETNAM.charge(FUTURE, Side.BUY, price, first + second, DAY, contracts_today=7)
    parts = [
        VIETNAM.charge(FUTURE, Side.BUY, price, first, DAY, contracts_today=7),
        VIETNAM.charge(FUTURE, Side.BUY, price, second, DAY, contracts_today=7 + first),
    ]
    assert whole.fee == sum(part.fee for part in parts)


@given(instruments, sides, prices, quantities)
def test_flat_and_no_fees(instrument, side, price, quantity):
    assert FlatFees(per_contract=3_500).charge(instrument, side, price, quantity, DAY) == (
        3_500 * quantity,
        0,
    )
    assert NoFees().charge(instrument, side, price, quantity, DAY).total == 0
    for fees in (FlatFees(1), NoFees()):
        assert fees.expiry(instrument, price, quantity, DAY).total == 0
        assert fees.holding(instrument, quantity, DAY) == fees.advance(1_000_000, 2, DAY) == 0


def test_money_in_advance_costs_by_the_day():
    assert VIETNAM.advance(100_000_000, 2, DAY) == 75_000
    assert fees_from({"advance_rate": 0}).advance(100_000_000, 2, DAY) == 0


@pytest.mark.parametrize(
    ("given_back", "fee"), [(10, 10), (10.5, 11), (10.49, 10), (np.float64(2.5), 3), (-1, -1)]
)
def test_a_function_of_ones_own(given_back, fee):
    seen = []

    def tariff(symbol, side, price, quantity):
        seen.append((symbol, side, price, quantity))
        return given_back

    fees = fees_from(tariff)
    assert isinstance(fees, FunctionFees)
    assert fees.charge(FUTURE, Side.SELL, 12_503, 3, DAY) == Charge(fee, 0)
    assert seen == [("VN30F1M", Side.SELL, 1250.3, 3)]


@pytest.mark.parametrize("wrong", [None, "5", float("nan"), float("inf"), [1]])
def test_a_function_that_gives_no_number_is_refused(wrong):
    with pytest.raises(SettingError, match="number of đồng"):
        fees_from(lambda *_: wrong).charge(FPT, Side.BUY, 10_000, 100, DAY)


def test_words_and_objects():
    assert fees_from() == fees_from("vietnam") == VietnamFees()
    assert isinstance(fees_from("none"), NoFees)
    own = FlatFees(1)
    assert fees_from(own) is own
    assert fees_from({}) == VietnamFees()
    assert fees_from({"per_contract": 5}) == FlatFees(5)


def test_a_table_changes_what_it_names():
    fees = fees_from(
        {
            "share_rate": 0.001,
            "sale_tax": "0.2%",
            "futures_broker": [[10, 3_000], [1_000]],
            "futures_exchange": {"2017-08-10": 3_000, "2020-03-19": 2_700},
            "margin": {date(2022, 12, 15): "17 %", date(2018, 7, 18): 0.13},
        }
    )
    assert isinstance(fees, VietnamFees)
    assert fees.charge(FPT, Side.SELL, 10_000, 100, DAY) == (1_000, 2_000)
    assert (
        fees.charge(FUTURE, Side.BUY, 10_000, 12, DAY, contracts_today=1).fee
        == 9 * 3_000 + 3_000 + 12 * 2_700
    )
    assert fees.futures_exchange.at(date(2019, 1, 2)) == 3_000
    assert fees.margin == Dated(
        ((date(2018, 7, 18), Fraction(13, 100)), (date(2022, 12, 15), Fraction(17, 100)))
    )
    assert fees.futures_depository == VIETNAM.futures_depository
    assert fees_from({"futures_broker": 900}).futures_broker == Dated.constant(((None, 900),))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("vietnamm", "'vietnam', 'none'"),
        (5, "not 5"),
        (FlatFees, "FlatFees"),
        ({"share_rat": 0.1}, "did you mean share_rate"),
        ({"zzz": 1}, "the settings are"),
        ({"share_rate": "much"}, "0.15%"),
        ({"share_rate": 1.5}, "from 0 to 1"),
        ({"share_rate": True}, "rate"),
        ({"share_rate": "1/0"}, "rate"),
        ({"share_rate": float("nan")}, "rate"),
        ({"futures_exchange": 2.5}, "whole đồng"),
        ({"futures_exchange": -1}, "whole đồng"),
        ({"futures_exchange": {}}, "empty"),
        ({"futures_exchange": {"yesterday": 1}}, "2020-03-19"),
        ({"futures_exchange": {"2020-03-19": 1, date(2020, 3, 19): 2}}, "twice"),
        ({"futures_broker": []}, "rows"),
        ({"futures_broker": [[99, 1]]}, "at the end"),
        ({"futures_broker": [[5], [6]]}, "at the end"),
        ({"futures_broker": [[99, 1], [50, 1], [1]]}, "rising"),
        ({"futures_broker": ["99"]}, "rows"),
        ({"per_contract": 1, "share_rate": 0.1}, "alone"),
        ({"per_contract": "1"}, "whole đồng"),
    ],
)
def test_wrong_settings_say_what_is_wrong(value, text):
    with pytest.raises(SettingError, match=text) as caught:
        fees_from(value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [-1, 1.5, "1", True])
def test_a_flat_fee_is_whole(wrong):
    with pytest.raises(SettingError, match="per_contract"):
        FlatFees(per_contract=wrong)
