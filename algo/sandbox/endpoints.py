"""The endpoints of the trading service, and what answers each of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from algo.sandbox import balances, holdings, order_queries, order_requests, transfers
from algo.sandbox.fields import Fields
from algo.sandbox.transfers import Transfers
from algo.sandbox.world import World

BASE = "/api/v2/"

Handler = Callable[[World, Fields, str], object]
"""The `data` of the answer, by the request's fields and its account."""


class Kind(Enum):
    """What a call takes: nothing but its body, a signature and the right to trade, or a token."""

    SIGN_IN = "sign in"
    CHANGE = "change"
    QUERY = "query"


class Route(NamedTuple):
    """One endpoint. Those without a handler are the service's own."""

    kind: Kind
    handler: Handler | None = None

    @property
    def method(self) -> str:
        """The only method it takes."""
        return "GET" if self.kind is Kind.QUERY else "POST"


def routes(moved: Transfers) -> dict[str, Route]:
    """Every endpoint by its path in lower case."""
    table = {
        "Trading/AccessToken": Route(Kind.SIGN_IN),
        "Trading/GetOTP": Route(Kind.SIGN_IN),
        "Trading/verifyCode": Route(Kind.SIGN_IN),
        "Trading/NewOrder": Route(Kind.CHANGE, order_requests.place),
        "Trading/ModifyOrder": Route(Kind.CHANGE, order_requests.change),
        "Trading/CancelOrder": Route(Kind.CHANGE, order_requests.withdraw),
        "Trading/derNewOrder": Route(Kind.CHANGE, order_requests.place),
        "Trading/derModifyOrder": Route(Kind.CHANGE, order_requests.change),
        "Trading/derCancelOrder": Route(Kind.CHANGE, order_requests.withdraw),
        "Trading/orderHistory": Route(Kind.QUERY, order_queries.history),
        "Trading/orderBook": Route(Kind.QUERY, order_queries.book),
        "Trading/auditOrderBook": Route(Kind.QUERY, order_queries.audit),
        "Trading/stockPosition": Route(Kind.QUERY, holdings.stocks),
        "Trading/derivPosition": Route(Kind.QUERY, holdings.contracts),
        "Trading/maxBuyQty": Route(Kind.QUERY, holdings.max_buy),
        "Trading/maxSellQty": Route(Kind.QUERY, holdings.max_sell),
        "Trading/cashAcctBal": Route(Kind.QUERY, balances.cash),
        "Trading/derivAcctBal": Route(Kind.QUERY, balances.derivatives),
        "Trading/ppmmraccount": Route(Kind.QUERY, balances.margin),
        "Trading/rateLimit": Route(Kind.QUERY),
        "cash/cashInAdvanceAmount": Route(Kind.QUERY, transfers.advance_amount),
        "cash/unsettleSoldTransaction": Route(Kind.QUERY, transfers.unsettled_sales),
        "cash/transferHistories": Route(Kind.QUERY, moved.cash_history),
        "cash/cashInAdvanceHistories": Route(Kind.QUERY, moved.advance_history),
        "cash/estCashInAdvanceFee": Route(Kind.QUERY, transfers.advance_fee),
        "cash/vsdCashDW": Route(Kind.CHANGE, moved.deposit),
        "cash/transferInternal": Route(Kind.CHANGE, moved.transfer_cash),
        "cash/createCashInAdvance": Route(Kind.CHANGE, moved.create_advance),
        "ors/dividend": Route(Kind.QUERY, transfers.dividends),
        "ors/exercisableQuantity": Route(Kind.QUERY, transfers.exercisable),
        "ors/histories": Route(Kind.QUERY, transfers.rights_history),
        "ors/create": Route(Kind.CHANGE, transfers.subscribe),
        "stock/transferable": Route(Kind.QUERY, transfers.transferable),
        "stock/transferHistories": Route(Kind.QUERY, transfers.stock_history),
        "stock/transfer": Route(Kind.CHANGE, transfers.transfer_stock),
    }
    return {f"{BASE}{path}".lower(): route for path, route in table.items()}
