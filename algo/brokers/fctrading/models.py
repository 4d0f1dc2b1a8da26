"""Answers of the trading endpoints, with the API's names and order of fields.

Money is in đồng. Prices are in đồng for shares and in points for futures. A field that the broker may leave
out is None then; what nothing can be concluded without is required, so that a short page is an error.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from algo.fastconnect.wire import Answer


def _text(value: Any) -> Any:
    """Identifiers that a server may send as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]
Number = float | None
Whole = int | None


class AccessToken(Answer):
    """A token, as a JWT."""

    access_token: str = Field(alias="accessToken", repr=False, min_length=1)


class NewOrderEcho(Answer):
    """What the broker read of a new order. There is no order id yet."""

    instrument_id: Text = Field("", alias="instrumentID")
    market: str = ""
    buy_sell: str = Field("", alias="buySell")
    order_type: str = Field("", alias="orderType")
    channel_id: str = Field("", alias="channelID")
    price: Number = None
    quantity: Whole = None
    account: Text = ""
    stop_order: bool = Field(False, alias="stopOrder")
    stop_price: Number = Field(None, alias="stopPrice")
    stop_type: str = Field("", alias="stopType")
    stop_step: Number = Field(None, alias="stopStep")
    loss_step: Number = Field(None, alias="lossStep")
    profit_step: Number = Field(None, alias="profitStep")


class ModifyOrderEcho(Answer):
    """What the broker read of an amendment."""

    order_id: Text = Field("", alias="orderID")
    price: Number = None
    quantity: Whole = None
    account: Text = ""
    instrument_id: Text = Field("", alias="instrumentID")
    market_id: str = Field("", alias="marketID")
    buy_sell: str = Field("", alias="buySell")
    order_type: str = Field("", alias="orderType")


class CancelOrderEcho(Answer):
    """What the broker read of a cancellation."""

    order_id: Text = Field("", alias="orderID")
    account: Text = ""
    market_id: str = Field("", alias="marketID")
    instrument_id: Text = Field("", alias="instrumentID")
    buy_sell: str = Field("", alias="buySell")
    request_id: Text = Field("", alias="requestID")


class NewOrderAnswer(Answer):
    """The broker received a new order."""

    request_id: Text = Field("", alias="requestID")
    request: NewOrderEcho | None = Field(None, alias="requestData")


class ModifyOrderAnswer(Answer):
    """The broker received an amendment."""

    request_id: Text = Field("", alias="requestID")
    request: ModifyOrderEcho | None = Field(None, alias="requestData")


class CancelOrderAnswer(Answer):
    """The broker received a cancellation."""

    request_id: Text = Field("", alias="requestID")
    request: CancelOrderEcho | None = Field(None, alias="requestData")


class OrderItem(Answer):
    """One order as a query shows it. Times are epoch milliseconds as text."""

    unique_id: Text = Field("", alias="uniqueID")
    order_id: Text = Field("", alias="orderID")
    buy_sell: str = Field(alias="buySell")
    price: Number = None
    quantity: int
    filled_quantity: int = Field(alias="filledQty")
    status: str = Field(alias="orderStatus")
    market_id: str = Field("", alias="marketID")
    input_time: Text = Field("", alias="inputTime")
    modified_time: Text = Field("", alias="modifiedTime")
    instrument_id: Text = Field(alias="instrumentID")
    order_type: str = Field("", alias="orderType")
    cancel_quantity: Whole = Field(None, alias="cancelQty")
    average_price: Number = Field(None, alias="avgPrice")
    is_force_sell: str | None = Field(None, alias="isForcesell")
    is_short_sell: str | None = Field(None, alias="isShortsell")
    reject_reason: Text = Field("", alias="rejectReason")
    note: str = ""
    last_error: OrderItem | None = Field(None, alias="lastErrorEvent")


class OrderBook(Answer):
    """Today's orders of an account. The list is required: its absence is not an empty book."""

    account: Text = ""
    orders: list[OrderItem]


class OrderHistory(Answer):
    """Orders of a period."""

    orders: list[OrderItem] = Field(alias="orderHistories")
    account: Text = ""


class StockHolding(Answer):
    """Shares of one symbol: on hand, and bought or sold today, yesterday and the day before."""

    market_id: str = Field("", alias="marketID")
    instrument_id: Text = Field(alias="instrumentID")
    on_hand: int = Field(alias="onHand")
    block: Whole = None
    bonus: Whole = None
    buy_t0: Whole = Field(None, alias="buyT0")
    buy_t1: Whole = Field(None, alias="buyT1")
    buy_t2: Whole = Field(None, alias="buyT2")
    sell_t0: Whole = Field(None, alias="sellT0")
    sell_t1: Whole = Field(None, alias="sellT1")
    sell_t2: Whole = Field(None, alias="sellT2")
    average_price: Number = Field(None, alias="avgPrice")
    mortgage: Whole = None
    sellable: int = Field(alias="sellableQty")
    hold_for_trade: Whole = Field(None, alias="holdForTrade")
    market_price: Number = Field(None, alias="marketPrice")


class StockPosition(Answer):
    """Shares of an account."""

    account: Text = ""
    total_market_value: Number = Field(None, alias="totalMarketValue")
    holdings: list[StockHolding] = Field(alias="stockPositions")


class DerivativeHolding(Answer):
    """Contracts of one symbol. `net` is long less short."""

    market_id: str = Field("", alias="marketID")
    instrument_id: Text = Field(alias="instrumentID")
    long: int = Field(alias="longQty")
    short: int = Field(alias="shortQty")
    net: int
    bid_average: Number = Field(None, alias="bidAvgPrice")
    ask_average: Number = Field(None, alias="askAvgPrice")
    trade_price: Number = Field(None, alias="tradePrice")
    market_price: Number = Field(None, alias="marketPrice")
    floating_profit: Number = Field(None, alias="floatingPL")
    trading_profit: Number = Field(None, alias="tradingPL")


class DerivativePosition(Answer):
    """Contracts of an account, open and closed today. The open list is required."""

    account: Text = ""
    open: list[DerivativeHolding] = Field(alias="openPosition")
    closed: list[DerivativeHolding] = Field(default_factory=list, alias="closePosition")

    @model_validator(mode="before")
    @classmethod
    def _plural(cls, given: Any) -> Any:
        """SSI's table says `openPositions`, its sample `openPosition`."""
        if not isinstance(given, dict):
            return given
        spelled = {"openpositions": "openPosition", "closepositions": "closePosition"}
        return {spelled.get(str(key).lower(), key): value for key, value in given.items()}


class MaxBuy(Answer):
    """How much could be bought."""

    account: Text = ""
    quantity: int = Field(alias="maxBuyQty")
    margin_ratio: Text | None = Field(None, alias="marginRatio")
    purchasing_power: Whole = Field(None, alias="purchasingPower")


class MaxSell(Answer):
    """How much could be sold."""

    account: Text = ""
    quantity: int = Field(alias="maxSellQty")


class RateRule(Answer):
    """At most `limit` calls in `period` (``1s``, ``5s``, ``1m``) to the endpoints of a pattern."""

    endpoint: str
    period: str
    limit: int
