"""VN30 futures contracts: both code schemes, what is listed when, expiry, aliases."""

from __future__ import annotations

import csv
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.errors import SettingError
from algo.market import (
    KRX,
    VIETNAM,
    Contract,
    TradingCalendar,
    front_contract,
    is_alias,
    is_contract,
    last_trading_day,
    listed_contracts,
    listing_day,
    resolve,
)
from tests.generators.market import days

contracts = st.builds(Contract, st.integers(2017, 2040), st.integers(1, 12))


@given(contracts)
def test_codes_come_back_in_both_schemes(contract):
    assert Contract.parse(contract.old_code) == contract
    assert Contract.parse(contract.code) == contract
    assert is_contract(contract.code)
    assert not is_alias(contract.code)
    if contract.year >= 2025:
        assert Contract.parse(contract.krx_code) == contract


def test_every_month_has_a_code_of_its_own():
    codes = {Contract(year, month).code for year in range(2017, 2041) for month in range(1, 13)}
    assert len(codes) == 24 * 12


@pytest.mark.parametrize(
    ("contract", "code"),
    [
        (Contract(2023, 6), "VN30F2306"),
        (Contract(2025, 5), "VN30F2505"),
        (Contract(2025, 6), "VN30F2506"),
        (Contract(2025, 7), "41I1F7000"),
        (Contract(2025, 8), "41I1F8000"),
        (Contract(2025, 9), "VN30F2509"),  # listed before KRX
        (Contract(2025, 10), "41I1FA000"),
        (Contract(2025, 12), "VN30F2512"),
        (Contract(2026, 3), "41I1G3000"),
        (Contract(2026, 12), "41I1GC000"),
        (Contract(2027, 1), "41I1H1000"),
        (Contract(2028, 11), "41I1JB000"),  # no I
        (Contract(2033, 2), "41I1P2000"),  # no O
        (Contract(2038, 2), "41I1V2000"),  # no U
    ],
)
def test_dated_codes(contract, code):
    assert contract.code == code


@given(contracts)
def test_the_scheme_follows_from_the_listing_day(contract):
    old = listing_day(contract) < KRX
    assert contract.code == (contract.old_code if old else contract.krx_code)


@pytest.mark.parametrize(
    "text", ["", "FPT", "VN30F2313", "VN30F1M", "41I1I1000", "41I1F0000", "41I1FD000", "vn30f2306"]
)
def test_what_is_no_code(text):
    assert not is_contract(text)
    with pytest.raises(SettingError, match="not a VN30 futures code"):
        Contract.parse(text)


def test_years_without_a_letter_are_said():
    with pytest.raises(SettingError, match="2024"):
        _ = Contract(2024, 3).krx_code
    with pytest.raises(SettingError, match="2043"):
        _ = Contract(2043, 3).code


@pytest.mark.parametrize(
    ("contract", "day"),
    [
        (Contract(2023, 1), date(2023, 1, 19)),
        (Contract(2024, 3), date(2024, 3, 21)),
        (Contract(2024, 4), date(2024, 4, 17)),
        (Contract(2025, 5), date(2025, 5, 15)),
        (Contract(2026, 2), date(2026, 2, 13)),
    ],
)
def test_dated_expiries(contract, day):
    assert last_trading_day(contract) == day


@given(contracts)
def test_the_last_day_is_the_third_thursday_or_the_trading_day_before(contract):
    day = last_trading_day(contract)
    assert VIETNAM.is_trading_day(day)
    third = [one for one in range(15, 22) if date(contract.year, contract.month, one).weekday() == 3]
    thursday = date(contract.year, contract.month, third[0])
    assert day <= thursday
    assert VIETNAM.trading_days(day, thursday) == [day]


def test_the_calendar_decides_the_expiry():
    thursday = date(2030, 5, 16)
    assert last_trading_day(Contract(2030, 5)) == thursday
    closed = VIETNAM.with_closures(thursday)
    assert last_trading_day(Contract(2030, 5), closed) == date(2030, 5, 15)
    assert front_contract(thursday, closed) == Contract(2030, 6)


@pytest.mark.parametrize(
    ("day", "listed"),
    [
        (date(2017, 8, 10), "VN30F1708 VN30F1709 VN30F1712 VN30F1803"),
        (date(2024, 4, 17), "VN30F2404 VN30F2405 VN30F2406 VN30F2409"),
        (date(2024, 4, 19), "VN30F2405 VN30F2406 VN30F2409 VN30F2412"),
        (date(2025, 5, 5), "VN30F2505 VN30F2506 VN30F2509 VN30F2512"),
        (date(2025, 5, 16), "VN30F2506 41I1F7000 VN30F2509 VN30F2512"),
        (date(2025, 12, 19), "41I1G1000 41I1G2000 41I1G3000 41I1G6000"),
    ],
)
def test_dated_listings(day, listed):
    assert [contract.code for contract in listed_contracts(day)] == listed.split()


@given(days)
def test_listings_and_listing_days_tell_one_story(day):
    if not VIETNAM.is_trading_day(day):
        day = VIETNAM.next_trading_day(day)
    listed = listed_contracts(day)
    assert listed[0] == front_contract(day)
    assert listed[1] == listed[0].shifted(1)
    assert all(contract.month % 3 == 0 for contract in listed[2:])
    assert listed == tuple(sorted(set(listed)))
    for months in range(-2, 14):
        contract = Contract(day.year, day.month).shifted(months)
        trades = listing_day(contract) <= day <= last_trading_day(contract)
        assert (contract in listed) is trades


@given(days, contracts)
def test_aliases_are_places_in_the_list(day, contract):
    codes = [one.code for one in listed_contracts(day)]
    assert [resolve(alias, day) for alias in ("VN30F1M", "VN30F2M", "VN30F1Q", "VN30F2Q")] == codes
    assert resolve(contract.code, day) == contract.code
    assert resolve("FPT", day) == "FPT"


@given(contracts, st.integers(-400, 400))
def test_shifting_months_goes_and_comes_back(contract, months):
    there = contract.shifted(months)
    assert 1 <= there.month <= 12
    assert there.shifted(-months) == contract
    assert (there.year - contract.year) * 12 + there.month - contract.month == months


@pytest.mark.parametrize("year", [2023, 2024])
def test_real_bars_have_the_front_contract_on_trading_days(shared_data, year):
    with (shared_data / f"vn30f_5m_{year}.csv").open(encoding="utf-8") as file:
        seen = {(date.fromisoformat(row["Date"]), row["tickersymbol"]) for row in csv.DictReader(file)}
    assert seen
    for day, code in seen:
        assert VIETNAM.is_trading_day(day)
        assert resolve("VN30F1M", day) == code
    own = TradingCalendar.from_days(day for day, _ in seen)
    assert all(resolve("VN30F1M", day, own) == code for day, code in seen)
