"""Every request that algo sends, with the API's names and order of fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from algo.fastconnect.wire import Request

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

    consumer_id: str = Field(serialization_alias="consumerID", repr=False)
    consumer_secret: str = Field(serialization_alias="consumerSecret", repr=False)
    two_factor_type: int = Field(serialization_alias="twoFactorType")
    code: str = Field(repr=False)
    is_save: bool = Field(serialization_alias="isSave")


class OtpRequest(Request):
    """Ask the broker to send a one-time code by SMS or e-mail."""

    consumer_id: str = Field(serialization_alias="consumerID", repr=False)
    consumer_secret: str = Field(serialization_alias="consumerSecret", repr=False)


class NewOrder(Request):
    """Place an order. `price` is in đồng for shares, points for futures, and 0 for a type that is not LO.

    The stop fields are for derivatives: `stop_type` D, U, V, E, O or B with what it needs.
    """

    account: Account
    request_id: RequestId = Field(serialization_alias="requestID")
    instrument_id: Text = Field(serialization_alias="instrumentID")
    market: Market
    buy_sell: Side = Field(serialization_alias="buySell")
    order_type: Text = Field(serialization_alias="orderType")
    price: Price
    quantity: Quantity
    stop_order: bool = Field(False, serialization_alias="stopOrder")
    stop_price: Price = Field(0.0, serialization_alias="stopPrice")
    stop_type: Literal["", "D", "U", "V", "E", "O", "B"] = Field("", serialization_alias="stopType")
    stop_step: Price = Field(0.0, serialization_alias="stopStep")
    loss_step: Price = Field(0.0, serialization_alias="lossStep")
    profit_step: Price = Field(0.0, serialization_alias="profitStep")
    channel_id: str = Field("TA", serialization_alias="channelID")
    code: str = Field("", repr=False)
    device_id: str = Field("", serialization_alias="deviceId")
    user_agent: str = Field("", serialization_alias="userAgent")


class ModifyOrder(Request):
    """Change the price or the quantity of a working order. `quantity` is the new total."""

    account: Account
    request_id: RequestId = Field(serialization_alias="requestID")
    order_id: Text = Field(serialization_alias="orderID")
    market_id: Market = Field(serialization_alias="marketID")
    instrument_id: Text = Field(serialization_alias="instrumentID")
    price: Price
    quantity: Quantity
    buy_sell: Side = Field(serialization_alias="buySell")
    order_type: Text = Field(serialization_alias="orderType")
    code: str = Field("", repr=False)
    device_id: str = Field("", serialization_alias="deviceId")
    user_agent: str = Field("", serialization_alias="userAgent")


class CancelOrder(Request):
    """Take a working order back."""

    account: Account
    request_id: RequestId = Field(serialization_alias="requestID")
    order_id: Text = Field(serialization_alias="orderID")
    market_id: Market = Field(serialization_alias="marketID")
    instrument_id: Text = Field(serialization_alias="instrumentID")
    buy_sell: Side = Field(serialization_alias="buySell")
    code: str = Field("", repr=False)
    device_id: str = Field("", serialization_alias="deviceId")
    user_agent: str = Field("", serialization_alias="userAgent")


class CashAdvance(Request):
    """Take money of unsettled sales in advance, for a fee. Amounts in đồng."""

    account: Account
    amount: Price = Field(0, serialization_alias="ciaAmount")
    receive_amount: Price = Field(0, serialization_alias="receiveAmount")
    code: str = Field("", repr=False)


class RightsSubscription(Request):
    """Use rights to buy new shares. `amount` in đồng."""

    account: Account
    instrument_id: Text = Field(serialization_alias="instrumentID")
    entitlement_id: Text = Field(serialization_alias="entitlementID")
    quantity: Quantity
    amount: Price
    code: str = Field("", repr=False)


class OfAccount(Request):
    """A query of one account."""

    account: Account


class DerivativePositionQuery(Request):
    """Positions in derivatives; the summary nets them by contract."""

    account: Account
    query_summary: bool = Field(True, serialization_alias="querySummary")


class MaxBuyQuery(Request):
    """How much could be bought at a price."""

    account: Account
    instrument_id: Text = Field(serialization_alias="instrumentID")
    price: Price


class MaxSellQuery(Request):
    """How much could be sold."""

    account: Account
    instrument_id: Text = Field(serialization_alias="instrumentID")
    price: Price | None = None


class Period(Request):
    """A query from one date to another."""

    account: Account
    start: Day = Field(serialization_alias="startDate")
    end: Day = Field(serialization_alias="endDate")


class TransferPeriod(Request):
    """A query of cash transfers from one date to another."""

    account: Account
    start: Day = Field(serialization_alias="fromDate")
    end: Day = Field(serialization_alias="toDate")


class SettleDay(Request):
    """A query of the sales that settle on a date."""

    account: Account
    settle_date: Day = Field(serialization_alias="settleDate")


class CashAdvanceFeeQuery(Request):
    """What a cash advance would cost. Amounts in đồng."""

    account: Account
    amount: Price = Field(0, serialization_alias="ciaAmount")
    receive_amount: Price = Field(0, serialization_alias="receiveAmount")
