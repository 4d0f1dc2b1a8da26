"""Money and margin of an account. Whole đồng, taken from the ledger.

The broker lends nothing and pays no interest: debts, loans and what hangs on them are 0. Cash of derivatives
lies with the exchange, none of it with the broker.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from algo.brokers.paper.funds import margin_assets
from algo.market import WARNING_LEVELS
from algo.model import Account, Side
from algo.portfolio import Portfolio
from algo.sandbox.answers import Denied
from algo.sandbox.fields import Fields
from algo.sandbox.holdings import fills_of, free, is_of, open_value, recent_days
from algo.sandbox.house import House


def cash(house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """Money of a share account. Raises Denied for another one."""
    _check(house, account, Account.EQUITY)
    portfolio = house.brokerage.portfolio(account)
    orders = list(house.brokerage.orders(account))
    today, yesterday, _ = recent_days(house, portfolio)
    money, power = portfolio.cash[Account.EQUITY], free(house, account)
    return {
        "account": account,
        "cashBal": money,
        "cashOnHold": 0,
        "secureAmount": money - power,
        "withdrawable": power,
        "receivingCashT1": _receivable(portfolio, yesterday),
        "receivingCashT2": _receivable(portfolio, today),
        "matchedBuyVolume": _traded(portfolio, today, Side.BUY),
        "matchedSellVolume": _traded(portfolio, today, Side.SELL),
        "debt": 0,
        "unMatchedBuyVolume": open_value(orders, Side.BUY),
        "unMatchedSellVolume": open_value(orders, Side.SELL),
        "paidCashT1": 0,
        "paidCashT2": 0,
        "cia": 0,
        "purchasingPower": power,
        "totalAssets": money + portfolio.receivable + _shares(portfolio),
    }


def derivatives(house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """Money and margin of a derivatives account. Raises Denied for another one."""
    _check(house, account, Account.DERIVATIVES)
    owner = house.brokerage.owner(account)
    assert owner is not None
    portfolio = owner.portfolio
    today = recent_days(house, portfolio)[0]
    money, power = portfolio.cash[Account.DERIVATIVES], free(house, account)
    used, assets = portfolio.margin_used(), margin_assets(owner)
    floating = sum(one.open_profit for one in portfolio.held() if one.instrument.shortable)
    fees = [fill for fill in fills_of(portfolio, today) if fill.instrument.shortable]
    withdrawable = max(min(money, power), 0)
    call = max(-(-used * 100 // WARNING_LEVELS[1]) - max(assets, 0), 0)
    margin = {
        "marginReq": used,
        "accountRatio": 100 * used / assets if assets > 0 else (100.0 if used else 0.0),
        "usedLimitWarningLevel1": float(WARNING_LEVELS[0]),
        "usedLimitWarningLevel2": float(WARNING_LEVELS[1]),
        "usedLimitWarningLevel3": float(WARNING_LEVELS[2]),
        "marginCall": call,
    }
    return {
        "account": account,
        "accountBalance": money,
        "fee": sum(fill.fee for fill in fees),
        "commission": 0,
        "interest": 0,
        "loan": 0,
        "deliveryAmount": 0,
        "floatingPL": floating,
        "totalPL": floating
        + sum(one.realised for one in portfolio.positions.values() if one.instrument.shortable),
        "marginable": 0,
        "depositable": 0,
        "rcCall": 0,
        "withdrawable": withdrawable,
        "nonCashDrawableRCCall": 0,
        "internalAssets": _assets(0, assets, 0, power),
        "exchangeAssets": _assets(money, assets, withdrawable, power),
        "internalMargin": {"initialMargin": used, "deliveryMargin": 0} | margin,
        "exchangeMargin": margin,
    }


def margin(house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """Purchasing power and margin ratio of a share account; without loans, shares are no collateral."""
    _check(house, account, Account.EQUITY)
    portfolio = house.brokerage.portfolio(account)
    orders = list(house.brokerage.orders(account))
    today, yesterday, _ = recent_days(house, portfolio)
    money, power, shares = portfolio.cash[Account.EQUITY], free(house, account), _shares(portfolio)
    total = money + portfolio.receivable + shares
    return {
        "collateralAsset": money,
        "callLMW": 0.0,
        "liability": 0,
        "eeOrigin": power,
        "forceLMV": 0.0,
        "equity": money,
        "ee": power,
        "callMargin": 0,
        "cashBalance": money,
        "purchasingPower": power,
        "callForcesell": 0,
        "lmv": 0,
        "marginCall": 0,
        "withdrawal": power,
        "collateralA": 0,
        "action": "",
        "marginRatio": 1.0,
        "debt": 0,
        "accruedInterest": 0,
        "holdRight": 0,
        "preLoan": 0,
        "fees": 0,
        "buyUnmatch": open_value(orders, Side.BUY),
        "ap": 0,
        "apT1": 0,
        "sellUnmatch": open_value(orders, Side.SELL),
        "cia": 0,
        "ar": _receivable(portfolio, today),
        "arT1": _receivable(portfolio, yesterday),
        "ppCredit": power,
        "creditLimit": 0,
        "totalAssets": total,
        "marginCallLMVSold": 0,
        "lmvNonMarginable": shares,
        "eeCredit": power,
        "totalEquity": total,
        **{f"eE{percent}": power * 100 // percent for percent in (90, 80, 70, 60, 50)},
    }


def _assets(money: int, total: int, withdrawable: int, excess: int) -> dict[str, int]:
    return {
        "cash": money,
        "validNonCash": 0,
        "totalValue": total,
        "maxValidNonCash": 0,
        "cashWithdrawable": withdrawable,
        "ee": excess,
    }


def _check(house: House, account: str, kind: Account) -> None:
    if not is_of(house, account, kind):
        raise Denied("Account is not exist.")


def _shares(portfolio: Portfolio) -> int:
    """Đồng that shares are worth."""
    return sum(one.value for one in portfolio.held() if not one.instrument.shortable)


def _receivable(portfolio: Portfolio, day: date) -> int:
    """Đồng that a day's sales of shares will bring, charges taken off; 0 when they were paid in advance."""
    if portfolio.advance:
        return 0
    return sum(
        fill.value - fill.fee - fill.tax
        for fill in fills_of(portfolio, day)
        if fill.side is Side.SELL and not fill.instrument.shortable
    )


def _traded(portfolio: Portfolio, day: date, side: Side) -> int:
    """Đồng of the day's fills of shares on one side."""
    return sum(
        fill.value for fill in fills_of(portfolio, day) if fill.side is side and not fill.instrument.shortable
    )
