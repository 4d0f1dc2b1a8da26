"""Every request that algo sends, with the API's names and order of fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from algo.brokers.fctrading.wire import Request

Account = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,20}$")]
RequestId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,8}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Day = Annotated[str, StringConstraints(pattern=r"^[0-3][0-9]/[01][0-9]/[0-9]{4}$")]
"""A date as ``dd/MM/yyyy``."""
Side = Literal["B", "S"]
Market = Literal["VN", "VNFE"]
"""VN is shares, VNFE is derivatives."""
Price = Annotated[float, Field(ge=0)]
Quantity = Annotated[int, Field(gt=0, strict=True)]


class AccessTokenRequest(Request):
    """Sign in. `is_save` asks for a token that may place orders without a code in each."""

    consumer_id: str = Field(alias="consumerID", repr=False)
    consumer_secret: str = Field(alias="consumerSecret", repr=False)
    two_factor_type: int = Field(alias="twoFactorType")
    code: str = Field(repr=False)
    is_save: bool = Field(alias="isSave")


class OtpRequest(Request):
    """Ask the broker to send a one-time code by SMS or e-mail."""

    consumer_id: str = Field(alias="consumerID", repr=False)
    consumer_secret: str = Field(alias="consumerSecret", repr=False)


class NewOrder(Request):
    """Place an order. `price` is in đồng for shares, points for futures, and 0 for a type that is not LO.

    The stop fields are for derivatives: `stop_type` D, U, V, E, O or B with what it needs.
    """

    account: Account
    request_id: RequestId = Field(alias="requestID")
    instrument_id: Text = Field(alias="instrumentID")
    market: Market
    buy_sell: Side = Field(alias="buySell")
    order_type: Text = Field(alias="orderType")
    price: Price
    quantity: Quantity
    stop_order: bool = Field(False, alias="stopOrder")
    stop_price: Price = Field(0.0, alias="stopPrice")
    stop_type: Literal["", "D", "U", "V", "E", "O", "B"] = Field("", alias="stopType")
    stop_step: Price = Field(0.0, alias="stopStep")
    loss_step: Price = Field(0.0, alias="lossStep")
    profit_step: Price = Field(0.0, alias="profitStep")
    channel_id: str = Field("TA", alias="channelID")
    code: str = Field("", repr=False)
    device_id: str = Field("", alias="deviceId")
    user_agent: str = Field("", alias="userAgent")


class ModifyOrder(Request):
    """Change the price or the quantity of a working order. `quantity` is the new total."""

    account: Account
    request_id: RequestId = Field(alias="requestID")
    order_id: Text = Field(alias="orderID")
    market_id: Market = Field(alias="marketID")
    instrument_id: Text = Field(alias="instrumentID")
    price: Price
    quantity: Quantity
    buy_sell: Side = Field(alias="buySell")
    order_type: Text = Field(alias="orderType")
    code: str = Field("", repr=False)
    device_id: str = Field("", alias="deviceId")
    user_agent: str = Field("", alias="userAgent")


class CancelOrder(Request):
    """Take a working order back."""

    account: Account
    request_id: RequestId = Field(alias="requestID")
    order_id: Text = Field(alias="orderID")
    market_id: Market = Field(alias="marketID")
    instrument_id: Text = Field(alias="instrumentID")
    buy_sell: Side = Field(alias="buySell")
    code: str = Field("", repr=False)
    device_id: str = Field("", alias="deviceId")
    user_agent: str = Field("", alias="userAgent")


class CashAdvance(Request):
    """Take money of unsettled sales in advance, for a fee. Amounts in đồng."""

    account: Account
    amount: Price = Field(0, alias="ciaAmount")
    receive_amount: Price = Field(0, alias="receiveAmount")
    code: str = Field("", repr=False)


class RightsSubscription(Request):
    """Use rights to buy new shares. `amount` in đồng."""

    account: Account
    instrument_id: Text = Field(alias="instrumentID")
    entitlement_id: Text = Field(alias="entitlementID")
    quantity: Quantity
    amount: Price
    code: str = Field("", repr=False)


class OfAccount(Request):
    """A query of one account."""

    account: Account


class DerivativePositionQuery(Request):
    """Positions in derivatives; the summary nets them by contract."""

    account: Account
    query_summary: bool = Field(True, alias="querySummary")


class MaxBuyQuery(Request):
    """How much could be bought at a price."""

    account: Account
    instrument_id: Text = Field(alias="instrumentID")
    price: Price


class MaxSellQuery(Request):
    """How much could be sold."""

    account: Account
    instrument_id: Text = Field(alias="instrumentID")
    price: Price | None = None


class Period(Request):
    """A query from one date to another."""

    account: Account
    start: Day = Field(alias="startDate")
    end: Day = Field(alias="endDate")


class TransferPeriod(Request):
    """A query of cash transfers from one date to another."""

    account: Account
    start: Day = Field(alias="fromDate")
    end: Day = Field(alias="toDate")


class SettleDay(Request):
    """A query of the sales that settle on a date."""

    account: Account
    settle_date: Day = Field(alias="settleDate")


class CashAdvanceFeeQuery(Request):
    """What a cash advance would cost. Amounts in đồng."""

    account: Account
    amount: Price = Field(0, alias="ciaAmount")
    receive_amount: Price = Field(0, alias="receiveAmount")
