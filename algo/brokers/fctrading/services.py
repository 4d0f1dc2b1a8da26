"""Answers about cash advances, rights and transfers.

SSI publishes no sample of these, so every field may be absent and numbers come as they are: the models say
which names are known, `model_extra` keeps the rest. Money in đồng.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from algo.brokers.fctrading.models import Number, Text, Whole
from algo.fastconnect.wire import Answer


def _loose(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value


Loose = Annotated[str | None, BeforeValidator(_loose)]
"""Text, or a number kept as text, because the casing and types of these answers are not documented."""


class CashAdvanceOffer(Answer):
    """Sales of one due date against which cash may be advanced."""

    due_date: Loose = Field(None, alias="dueDate")
    sell_value: Number = Field(None, alias="sellValue")
    net_sell_value: Number = Field(None, alias="netSellValue")
    advance: Number = None
    cash_advance: Number = Field(None, alias="cashAdvance")


class CashAdvanceAmount(Answer):
    """What may be advanced."""

    account: Text = ""
    amounts: list[CashAdvanceOffer] = Field(alias="cIAAmounts")


class UnsettledSale(Answer):
    """A sale whose money has not arrived."""

    trade_date: Loose = Field(None, alias="tradeDate")
    instrument_id: Loose = Field(None, alias="instrumentID")
    quantity: Whole = None
    price: Number = None
    net_sell_value: Number = Field(None, alias="netSellValue")


class UnsettledSales(Answer):
    """Sales whose money has not arrived."""

    account: Text = ""
    orders: list[UnsettledSale]

    @model_validator(mode="before")
    @classmethod
    def _other_name(cls, given: Any) -> Any:
        """One published client reads the list as `unsettledSoldTransactions`."""
        if not isinstance(given, dict):
            return given
        other = "unsettledsoldtransactions"
        return {"orders" if str(key).lower() == other else key: value for key, value in given.items()}


class CashTransfer(Answer):
    """A transfer of cash that was made elsewhere."""

    transaction_id: Loose = Field(None, alias="transactionID")
    date: Loose = None
    account: Loose = None
    beneficiary_account: Loose = Field(None, alias="beneficiaryAccount")
    amount: Number = None
    bank_name: Loose = Field(None, alias="bankName")
    bank_branch_name: Loose = Field(None, alias="bankBranchName")
    beneficiary: Loose = None
    remark: Loose = None
    type: Loose = None
    status: Loose = None


class CashTransferHistory(Answer):
    """Transfers of cash in a period."""

    transfers: list[CashTransfer] = Field(alias="transferHistories")


class CashAdvanceDetail(Answer):
    """A part of a cash advance."""

    type: Loose = None
    value: Number = None
    settle_date: Loose = Field(None, alias="settleDate")


class PastCashAdvance(Answer):
    """A cash advance that was taken."""

    transaction_id: Loose = Field(None, alias="transactionID")
    time: Loose = Field(None, alias="dateTime")
    total: Number = Field(None, alias="totalAmount")
    details: list[CashAdvanceDetail] = Field(default_factory=list)
    status: Loose = None


class CashAdvanceHistory(Answer):
    """Cash advances of a period."""

    account: Text = ""
    advances: list[PastCashAdvance] = Field(alias="cIAHistories")


class CashAdvanceFee(Answer):
    """What a cash advance would cost."""

    account: Text = ""
    amount: Number = Field(None, alias="cIAAmount")
    receive_amount: Number = Field(None, alias="receiveAmount")
    fee: float


class Dividend(Answer):
    """A dividend in cash or shares, or a right."""

    stock_dividend: Loose = Field(None, alias="stockDividend")
    instrument_id: Loose = Field(None, alias="instrumentID")
    quantity: Whole = None
    executed_rate: Loose = Field(None, alias="executedRate")
    close_date: Loose = Field(None, alias="closeDate")
    paid_date: Loose = Field(None, alias="paidDate")
    amount: Number = None
    status: Loose = None
    received_quantity: Number = Field(None, alias="receivedQuantity")
    issue_instrument: Loose = Field(None, alias="issueInstrument")
    distributed_flag: Loose = Field(None, alias="distributedFlag")
    payable_date: Loose = Field(None, alias="payableDate")
    subscription_price: Number = Field(None, alias="subscriptionPrice")
    subscription_amount: Number = Field(None, alias="subscriptionAmount")
    subscription_quantity: Number = Field(None, alias="subscriptionQuantity")
    subscription_from: Loose = Field(None, alias="subscriptionPeriodFrom")
    subscription_to: Loose = Field(None, alias="subscriptionPeriodTo")
    entitlement_id: Loose = Field(None, alias="entitlementID")


class Dividends(Answer):
    """Dividends of an account."""

    account: Text = ""
    dividends: list[Dividend]


class ExercisableRight(Answer):
    """A right that can be used to buy new shares."""

    entitlement_id: Loose = Field(None, alias="entitlementID")
    instrument_id: Loose = Field(None, alias="instrumentID")
    subscription_price: Number = Field(None, alias="subscriptionPrice")
    rate_from: Number = Field(None, alias="executedRateFrom")
    subscription_from: Loose = Field(None, alias="subscriptionPeriodFrom")
    subscription_to: Loose = Field(None, alias="subscriptionPeriodTo")
    exercisable: Number = Field(None, alias="exerciseableQuantity")
    receivable: Number = Field(None, alias="exerciseableReceiveQuantity")
    received: Number = Field(None, alias="exercisedReceiveQuantity")
    rate_to: Number = Field(None, alias="executedRateTo")
    exercised: Number = Field(None, alias="exercisedQuantity")
    payable_date: Loose = Field(None, alias="payableDate")


class ExercisableRights(Answer):
    """Rights of an account."""

    account: Text = ""
    rights: list[ExercisableRight] = Field(alias="exercisableQuantities")


class PastSubscription(Answer):
    """A right that was used."""

    transaction_id: Loose = Field(None, alias="transactionID")
    time: Loose = Field(None, alias="dateTime")
    instrument_id: Loose = Field(None, alias="instrumentID")
    ratio_from: Number = Field(None, alias="ratioFrom")
    subscription_price: Number = Field(None, alias="subscriptionPrice")
    subscription_from: Loose = Field(None, alias="subscriptionPeriodFrom")
    subscription_to: Loose = Field(None, alias="subscriptionPeriodTo")
    received: Number = Field(None, alias="exercisedReceivedQty")
    amount: Number = None
    status: Loose = None
    ratio_to: Number = Field(None, alias="ratioTo")
    underlying_instrument_id: Loose = Field(None, alias="underlyingInstrumentID")


class RightsHistory(Answer):
    """Rights that were used in a period."""

    account: Text = ""
    subscriptions: list[PastSubscription] = Field(alias="onlineRightSubscriptionHistories")


class TransferableStock(Answer):
    """Shares that could be transferred."""

    instrument_id: Loose = Field(None, alias="instrumentID")
    quantity: Whole = None
    instrument_type: Loose = Field(None, alias="instrumentType")


class TransferableStocks(Answer):
    """Shares of an account that could be transferred."""

    account: Text = ""
    stocks: list[TransferableStock] = Field(alias="transferableStocks")


class StockTransfer(Answer):
    """A transfer of shares that was made elsewhere."""

    transaction_id: Loose = Field(None, alias="transactionID")
    beneficiary_account: Loose = Field(None, alias="beneficiaryAccount")
    instrument_id: Loose = Field(None, alias="instrumentID")
    quantity: Whole = None
    time: Loose = Field(None, alias="dateTime")
    status: Loose = None
    remark: Loose = None
    audit_remark: Loose = Field(None, alias="auditRemark")


class StockTransferHistory(Answer):
    """Transfers of shares in a period."""

    account: Text = ""
    transfers: list[StockTransfer] = Field(alias="stockTransferHistories")


class Transaction(Answer):
    """The broker's number for a service that it received."""

    account: Text = ""
    transaction_id: Text = Field("", alias="transactionID")
