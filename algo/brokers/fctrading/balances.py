"""Answers about money: the balances of a share, a derivatives and a margin account. All money in đồng."""

from __future__ import annotations

from pydantic import Field

from algo.brokers.fctrading.models import Number, Text, Whole
from algo.fastconnect.wire import Answer


class CashBalance(Answer):
    """Money of a share account."""

    account: Text = ""
    cash: int = Field(alias="cashBal")
    on_hold: Whole = Field(None, alias="cashOnHold")
    secured: Whole = Field(None, alias="secureAmount")
    withdrawable: Whole = None
    receiving_t1: Whole = Field(None, alias="receivingCashT1")
    receiving_t2: Whole = Field(None, alias="receivingCashT2")
    matched_buy: Whole = Field(None, alias="matchedBuyVolume")
    matched_sell: Whole = Field(None, alias="matchedSellVolume")
    debt: Whole = None
    unmatched_buy: Whole = Field(None, alias="unMatchedBuyVolume")
    unmatched_sell: Whole = Field(None, alias="unMatchedSellVolume")
    paid_t1: Whole = Field(None, alias="paidCashT1")
    paid_t2: Whole = Field(None, alias="paidCashT2")
    cash_advance: Whole = Field(None, alias="cia")
    purchasing_power: int = Field(alias="purchasingPower")
    total_assets: Whole = Field(None, alias="totalAssets")


class Assets(Answer):
    """Assets behind derivatives, at the broker or at the exchange. `ee` is excess equity."""

    cash: Whole = None
    valid_non_cash: Whole = Field(None, alias="validNonCash")
    total_value: Whole = Field(None, alias="totalValue")
    max_valid_non_cash: Whole = Field(None, alias="maxValidNonCash")
    cash_withdrawable: Whole = Field(None, alias="cashWithdrawable")
    ee: Whole = None


class ExchangeMargin(Answer):
    """Margin that the exchange requires. Ratio and warning levels in percent of its limit."""

    required: Whole = Field(None, alias="marginReq")
    account_ratio: Number = Field(None, alias="accountRatio")
    warning_level1: Number = Field(None, alias="usedLimitWarningLevel1")
    warning_level2: Number = Field(None, alias="usedLimitWarningLevel2")
    warning_level3: Number = Field(None, alias="usedLimitWarningLevel3")
    margin_call: Whole = Field(None, alias="marginCall")


class InternalMargin(Answer):
    """Margin that the broker requires. Ratio and warning levels in percent of its limit."""

    initial: Whole = Field(None, alias="initialMargin")
    delivery: Whole = Field(None, alias="deliveryMargin")
    required: Whole = Field(None, alias="marginReq")
    account_ratio: Number = Field(None, alias="accountRatio")
    warning_level1: Number = Field(None, alias="usedLimitWarningLevel1")
    warning_level2: Number = Field(None, alias="usedLimitWarningLevel2")
    warning_level3: Number = Field(None, alias="usedLimitWarningLevel3")
    margin_call: Whole = Field(None, alias="marginCall")


class DerivativeBalance(Answer):
    """Money and margin of a derivatives account."""

    account: Text = ""
    balance: int = Field(alias="accountBalance")
    fee: Whole = None
    commission: Whole = None
    interest: Whole = None
    loan: Whole = None
    delivery_amount: Whole = Field(None, alias="deliveryAmount")
    floating_profit: Whole = Field(None, alias="floatingPL")
    total_profit: Whole = Field(None, alias="totalPL")
    marginable: Whole = None
    depositable: Whole = None
    rc_call: Whole = Field(None, alias="rcCall")
    withdrawable: Whole = None
    non_cash_drawable_rc_call: Whole = Field(None, alias="nonCashDrawableRCCall")
    internal_assets: Assets | None = Field(None, alias="internalAssets")
    exchange_assets: Assets | None = Field(None, alias="exchangeAssets")
    internal_margin: InternalMargin | None = Field(None, alias="internalMargin")
    exchange_margin: ExchangeMargin | None = Field(None, alias="exchangeMargin")


class MarginAccount(Answer):
    """Purchasing power and margin ratio of a margin account (`ppmmraccount`)."""

    collateral_asset: Whole = Field(None, alias="collateralAsset")
    call_lmw: Number = Field(None, alias="callLMW")
    liability: Whole = None
    ee_origin: Whole = Field(None, alias="eeOrigin")
    force_lmv: Number = Field(None, alias="forceLMV")
    equity: Whole = None
    ee: Whole = None
    call_margin: Whole = Field(None, alias="callMargin")
    cash: Whole = Field(None, alias="cashBalance")
    purchasing_power: int = Field(alias="purchasingPower")
    call_force_sell: Whole = Field(None, alias="callForcesell")
    lmv: Whole = None
    margin_call: Whole = Field(None, alias="marginCall")
    withdrawal: Whole = None
    collateral_a: Whole = Field(None, alias="collateralA")
    action: str = ""
    margin_ratio: Number = Field(None, alias="marginRatio")
    debt: Whole = None
    accrued_interest: Whole = Field(None, alias="accruedInterest")
    hold_right: Whole = Field(None, alias="holdRight")
    pre_loan: Whole = Field(None, alias="preLoan")
    fees: Whole = None
    buy_unmatched: Whole = Field(None, alias="buyUnmatch")
    ap: Whole = None
    ap_t1: Whole = Field(None, alias="apT1")
    sell_unmatched: Whole = Field(None, alias="sellUnmatch")
    cash_advance: Whole = Field(None, alias="cia")
    ar: Whole = None
    ar_t1: Whole = Field(None, alias="arT1")
    pp_credit: Whole = Field(None, alias="ppCredit")
    credit_limit: Whole = Field(None, alias="creditLimit")
    total_assets: Whole = Field(None, alias="totalAssets")
    margin_call_lmv_sold: Whole = Field(None, alias="marginCallLMVSold")
    lmv_non_marginable: Whole = Field(None, alias="lmvNonMarginable")
    ee_credit: Whole = Field(None, alias="eeCredit")
    total_equity: Whole = Field(None, alias="totalEquity")
    ee90: Whole = Field(None, alias="eE90")
    ee80: Whole = Field(None, alias="eE80")
    ee70: Whole = Field(None, alias="eE70")
    ee60: Whole = Field(None, alias="eE60")
    ee50: Whole = Field(None, alias="eE50")
