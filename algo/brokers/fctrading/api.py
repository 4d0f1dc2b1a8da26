"""Every endpoint of FastConnect Trading that algo calls, as a typed method.

Money is in đồng; prices are in đồng for shares and in points for futures; dates are the market's. The
methods that change something return their `Outcome` and raise nothing of the network; the queries raise
RequestRefused, QueryFailed, QuotaExceeded or AuthError, and ProtocolError for an answer that does not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from algo.brokers.fctrading import balances, endpoints, models, requests, services
from algo.brokers.fctrading.endpoints import Endpoint
from algo.brokers.fctrading.outcome import Outcome
from algo.brokers.fctrading.quota import Rule, parse_rule
from algo.brokers.fctrading.rest import Rest
from algo.errors import ProtocolError
from algo.fastconnect.wire import Answer, Request

DERIVATIVES = "VNFE"
A = TypeVar("A", bound=Answer)


class TradingApi:
    """The endpoints over one `Rest`."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    # Orders: both boards have endpoints of their own

    async def new_order(self, order: requests.NewOrder) -> Outcome:
        """Place an order. Received means no more than that: its life is told on the stream."""
        derivative = order.market == DERIVATIVES
        return await self._change(endpoints.DER_NEW_ORDER if derivative else endpoints.NEW_ORDER, order)

    async def modify_order(self, order: requests.ModifyOrder) -> Outcome:
        """Change the price or the total quantity of a working order."""
        derivative = order.market_id == DERIVATIVES
        return await self._change(endpoints.DER_MODIFY_ORDER if derivative else endpoints.MODIFY_ORDER, order)

    async def cancel_order(self, order: requests.CancelOrder) -> Outcome:
        """Take a working order back. It may still be filled until the stream says that it is gone."""
        derivative = order.market_id == DERIVATIVES
        return await self._change(endpoints.DER_CANCEL_ORDER if derivative else endpoints.CANCEL_ORDER, order)

    # Orders and positions, asked

    async def order_book(self, account: str) -> models.OrderBook:
        """Today's orders."""
        return await self._of_account(endpoints.ORDER_BOOK, account, models.OrderBook.read)

    async def audit_order_book(self, account: str) -> models.OrderBook:
        """Today's orders, each with its last failed request."""
        return await self._of_account(endpoints.AUDIT_ORDER_BOOK, account, models.OrderBook.read)

    async def order_history(self, account: str, start: date, end: date) -> models.OrderHistory:
        """Orders from `start` to `end`, both included."""
        query = requests.Period(account=account, start=_day(start), end=_day(end))
        return await self._query(endpoints.ORDER_HISTORY, query, account, models.OrderHistory.read)

    async def stock_position(self, account: str) -> models.StockPosition:
        """Shares on hand, and what of them can be sold."""
        return await self._of_account(endpoints.STOCK_POSITION, account, models.StockPosition.read)

    async def derivative_position(self, account: str, *, summary: bool = True) -> models.DerivativePosition:
        """Contracts, open and closed today."""
        query = requests.DerivativePositionQuery(account=account, query_summary=summary)
        return await self._query(
            endpoints.DERIVATIVE_POSITION, query, account, models.DerivativePosition.read
        )

    # Money and limits

    async def cash_balance(self, account: str) -> balances.CashBalance:
        """Money of a share account."""
        return await self._of_account(endpoints.CASH_BALANCE, account, balances.CashBalance.read)

    async def derivative_balance(self, account: str) -> balances.DerivativeBalance:
        """Money and margin of a derivatives account."""
        return await self._of_account(endpoints.DERIVATIVE_BALANCE, account, balances.DerivativeBalance.read)

    async def margin_account(self, account: str) -> balances.MarginAccount:
        """Purchasing power and ratio of a margin account."""
        return await self._of_account(endpoints.MARGIN_ACCOUNT, account, balances.MarginAccount.read)

    async def max_buy(self, account: str, symbol: str, price: float) -> models.MaxBuy:
        """How much of `symbol` could be bought at `price`."""
        query = requests.MaxBuyQuery(account=account, instrument_id=symbol, price=price)
        return await self._query(endpoints.MAX_BUY, query, account, models.MaxBuy.read)

    async def max_sell(self, account: str, symbol: str, price: float | None = None) -> models.MaxSell:
        """How much of `symbol` could be sold."""
        query = requests.MaxSellQuery(account=account, instrument_id=symbol, price=price)
        return await self._query(endpoints.MAX_SELL, query, account, models.MaxSell.read)

    async def rate_limit(self) -> tuple[Rule, ...]:
        """The rate limits as the broker tells them; the quota takes them up."""
        data = await self.rest.query(endpoints.RATE_LIMIT, {})
        if not isinstance(data, list):
            raise ProtocolError("the answer does not fit rateLimit: a list of rules was expected")
        told = [models.RateRule.read(item) for item in data]
        rules = [parse_rule(rule.endpoint, rule.period, rule.limit) for rule in told]
        known = tuple(rule for rule in rules if rule is not None)
        self.rest.quota.learn(known)
        return known

    # Cash advances, rights, transfers made elsewhere

    async def cash_advance_amount(self, account: str) -> services.CashAdvanceAmount:
        """What may be advanced of unsettled sales."""
        return await self._of_account(endpoints.CASH_ADVANCE_AMOUNT, account, services.CashAdvanceAmount.read)

    async def cash_advance_fee(
        self, account: str, amount: float, receive: float = 0
    ) -> services.CashAdvanceFee:
        """What an advance of `amount` would cost."""
        query = requests.CashAdvanceFeeQuery(account=account, amount=amount, receive_amount=receive)
        return await self._query(endpoints.CASH_ADVANCE_FEE, query, account, services.CashAdvanceFee.read)

    async def cash_advance_history(self, account: str, start: date, end: date) -> services.CashAdvanceHistory:
        """Advances from `start` to `end`."""
        query = requests.Period(account=account, start=_day(start), end=_day(end))
        return await self._query(
            endpoints.CASH_ADVANCE_HISTORY, query, account, services.CashAdvanceHistory.read
        )

    async def create_cash_advance(self, advance: requests.CashAdvance) -> Outcome:
        """Take an advance."""
        return await self._change(endpoints.CREATE_CASH_ADVANCE, advance)

    async def unsettled_sales(self, account: str, settle: date) -> services.UnsettledSales:
        """Sales whose money comes on `settle`."""
        query = requests.SettleDay(account=account, settle_date=_day(settle))
        return await self._query(endpoints.UNSETTLED_SALES, query, account, services.UnsettledSales.read)

    async def cash_transfer_history(
        self, account: str, start: date, end: date
    ) -> services.CashTransferHistory:
        """Cash transfers from `start` to `end`. algo makes none itself."""
        query = requests.TransferPeriod(account=account, start=_day(start), end=_day(end))
        return await self._query(
            endpoints.CASH_TRANSFER_HISTORY, query, account, services.CashTransferHistory.read
        )

    async def dividends(self, account: str) -> services.Dividends:
        """Dividends in cash and shares, and rights."""
        return await self._of_account(endpoints.DIVIDENDS, account, services.Dividends.read)

    async def exercisable_rights(self, account: str) -> services.ExercisableRights:
        """Rights that can be used to buy new shares."""
        return await self._of_account(endpoints.EXERCISABLE_RIGHTS, account, services.ExercisableRights.read)

    async def rights_history(self, account: str, start: date, end: date) -> services.RightsHistory:
        """Rights used from `start` to `end`."""
        query = requests.Period(account=account, start=_day(start), end=_day(end))
        return await self._query(endpoints.RIGHTS_HISTORY, query, account, services.RightsHistory.read)

    async def subscribe_rights(self, subscription: requests.RightsSubscription) -> Outcome:
        """Use rights to buy new shares."""
        return await self._change(endpoints.SUBSCRIBE_RIGHTS, subscription)

    async def transferable_stock(self, account: str) -> services.TransferableStocks:
        """Shares that could be transferred."""
        return await self._of_account(endpoints.TRANSFERABLE_STOCK, account, services.TransferableStocks.read)

    async def stock_transfer_history(
        self, account: str, start: date, end: date
    ) -> services.StockTransferHistory:
        """Transfers of shares from `start` to `end`. algo makes none itself."""
        query = requests.Period(account=account, start=_day(start), end=_day(end))
        return await self._query(
            endpoints.STOCK_TRANSFER_HISTORY, query, account, services.StockTransferHistory.read
        )

    # Inside

    async def _of_account(self, endpoint: Endpoint, account: str, read: Callable[[object], A]) -> A:
        return await self._query(endpoint, requests.OfAccount(account=account), account, read)

    async def _query(
        self, endpoint: Endpoint, query: Request, account: str, read: Callable[[object], A]
    ) -> A:
        return read(await self.rest.query(endpoint, query.query(), account))

    async def _change(
        self,
        endpoint: Endpoint,
        request: requests.NewOrder
        | requests.ModifyOrder
        | requests.CancelOrder
        | requests.CashAdvance
        | requests.RightsSubscription,
    ) -> Outcome:
        return await self.rest.change(endpoint, request.body(), request.account)


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")
