"""Money and margin of an account. Whole đồng, taken from the broker's books.

The broker lends nothing and pays no interest: debts, loans and what hangs on them are 0. Cash of derivatives
lies with the exchange, none of it with the broker. Queries about an account of the other kind raise Refused.
"""

from __future__ import annotations

from typing import Any

from algo.clock import local_date
from algo.model import Account, Side
from algo.sandbox.fields import Fields
from algo.sandbox.world import World


def cash(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """Money of a share account."""
    found = world.brokerage.cash_balance(account)
    power = max(found.free, 0)
    return {
        "account": account,
        "cashBal": found.cash,
        "cashOnHold": 0,
        "secureAmount": found.reserved,
        "withdrawable": power,
        "receivingCashT1": found.receiving[1],
        "receivingCashT2": found.receiving[2],
        "matchedBuyVolume": found.matched_buys,
        "matchedSellVolume": found.matched_sales,
        "debt": 0,
        "unMatchedBuyVolume": _open_purchases(world, account),
        "unMatchedSellVolume": found.open_sales,
        "paidCashT1": 0,
        "paidCashT2": 0,
        "cia": found.advanced,
        "purchasingPower": power,
        "totalAssets": found.total,
    }


def derivatives(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """Money and margin of a derivatives account."""
    found = world.brokerage.derivatives_balance(account)
    free = max(found.free, 0)
    lowest, middle, highest = found.levels
    margin = {
        "marginReq": found.margin,
        "accountRatio": found.used,
        "usedLimitWarningLevel1": float(lowest),
        "usedLimitWarningLevel2": float(middle),
        "usedLimitWarningLevel3": float(highest),
        # What would have to be paid in to get below the second level.
        "marginCall": max(-(-found.margin * 100 // middle) - max(found.assets, 0), 0),
    }
    return {
        "account": account,
        "accountBalance": found.cash,
        "fee": _charges(world, account, Account.DERIVATIVES),
        "commission": 0,
        "interest": 0,
        "loan": 0,
        "deliveryAmount": 0,
        "floatingPL": found.floating,
        "totalPL": found.floating + found.trading,
        "marginable": 0,
        "depositable": 0,
        "rcCall": 0,
        "withdrawable": found.withdrawable,
        "nonCashDrawableRCCall": 0,
        "internalAssets": _assets(0, found.assets, 0, free),
        "exchangeAssets": _assets(found.cash, found.assets, found.withdrawable, free),
        "internalMargin": {"initialMargin": found.margin, "deliveryMargin": 0} | margin,
        "exchangeMargin": margin,
    }


def margin(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """Purchasing power and margin ratio of a share account; without loans, shares are no collateral."""
    found = world.brokerage.cash_balance(account)
    power = max(found.free, 0)
    return {
        "collateralAsset": found.cash,
        "callLMW": 0.0,
        "liability": 0,
        "eeOrigin": power,
        "forceLMV": 0.0,
        "equity": found.cash,
        "ee": power,
        "callMargin": 0,
        "cashBalance": found.cash,
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
        "fees": _charges(world, account, Account.EQUITY),
        "buyUnmatch": _open_purchases(world, account),
        "ap": 0,
        "apT1": 0,
        "sellUnmatch": found.open_sales,
        "cia": found.advanced,
        "ar": sum(found.receiving),
        "arT1": found.receiving[1],
        "ppCredit": power,
        "creditLimit": 0,
        "totalAssets": found.total,
        "marginCallLMVSold": 0,
        "lmvNonMarginable": found.shares,
        "eeCredit": power,
        "totalEquity": found.total,
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


def _open_purchases(world: World, account: str) -> int:
    """Đồng of open purchases at their limits."""
    orders = world.brokerage.orders(account)
    return sum(one.instrument.notional(one.price, one.open) for one in orders if one.side is Side.BUY)


def _charges(world: World, account: str, kind: Account) -> int:
    """Đồng of fees and taxes on today's fills of one account."""
    charges, today = 0, local_date(world.now)
    for fill in reversed(world.brokerage.portfolio(account).fills):
        if local_date(fill.ns) != today:
            break
        if fill.instrument.account is kind:
            charges += fill.fee + fill.tax
    return charges
