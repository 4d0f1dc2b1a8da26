"""Cash advances, transfers and rights: whatever moves money or shares without an order.

What the sandbox does with them: cash may move between a person's own two accounts, in the ledger. A deposit
of margin with the depository is taken and changes nothing, because the sandbox keeps all of it there.
Sale money is advanced by the account's own setting alone, rights are not issued, and nothing leaves for
accounts elsewhere: such requests are refused, and the queries about them say that there is nothing.
Names follow the official Java client's models, the only source there is.
"""

from __future__ import annotations

from typing import Any

from algo.clock import local_date
from algo.model import Account, Side
from algo.portfolio import Portfolio
from algo.portfolio.ledger import Flow
from algo.sandbox.answers import Denied
from algo.sandbox.fields import Fields
from algo.sandbox.holdings import fills_of, free, is_of, recent_days, stocks
from algo.sandbox.house import House
from algo.sandbox.order_queries import day

_DATE = "%d/%m/%Y"


def transfer_cash(house: House, fields: Fields, account: str) -> dict[str, Any]:
    """Move cash to the person's other account. Raises Denied."""
    beneficiary = fields.needed("beneficiaryaccount", "Beneficiary Account").upper()
    amount = _amount(fields)
    owner = house.brokerage.owner(account)
    if owner is None or beneficiary == account or house.brokerage.owner(beneficiary) is not owner:
        raise Denied("Beneficiary account is not exist.")
    if amount > free(house, account):
        raise Denied("ORD040 Amount is above the withdrawable balance")
    source, target = Account.EQUITY, Account.DERIVATIVES
    if is_of(house, account, Account.DERIVATIVES):
        amount = _within_cash(amount, owner.portfolio.cash[target])
        source, target = target, source
    owner.portfolio.cash[source] -= amount
    owner.portfolio.cash[target] += amount
    return _transaction(house, owner.portfolio)


def deposit(house: House, fields: Fields, account: str) -> dict[str, Any]:
    """Deposit margin with the depository, or take it back. Raises Denied."""
    amount = _amount(fields)
    fields.needed("type", "Type")
    if not is_of(house, account, Account.DERIVATIVES):
        raise Denied("Account is not exist.")
    if amount > free(house, account):
        raise Denied("ORD040 Amount is above the withdrawable balance")
    return _transaction(house, house.brokerage.portfolio(account))


def create_advance(house: House, _fields: Fields, _account: str) -> dict[str, Any]:
    """Nothing is advanced on request."""
    raise Denied("CIA amount is above the amount that can be advanced")


def subscribe(house: House, _fields: Fields, _account: str) -> dict[str, Any]:
    """There are no rights."""
    raise Denied("Entitlement is not exist.")


def transfer_stock(house: House, _fields: Fields, _account: str) -> dict[str, Any]:
    """There is no second account for shares."""
    raise Denied("Beneficiary account is not exist.")


def advance_amount(_house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """Nothing can be advanced on request."""
    return {"account": account, "CIAAmounts": []}


def advance_history(_house: House, fields: Fields, account: str) -> dict[str, Any]:
    """Nothing was advanced on request. Raises Denied without its dates."""
    day(fields, "startdate", "Start Date"), day(fields, "enddate", "End Date")
    return {"account": account, "CIAHistories": []}


def advance_fee(house: House, fields: Fields, account: str) -> dict[str, Any]:
    """What an advance until settlement would cost by the fee schedule."""
    amount, received = fields.real("ciaamount"), fields.real("receiveamount")
    portfolio = house.brokerage.portfolio(account)
    today = local_date(house.now)
    days = (portfolio.calendar.next_trading_day(today, 2) - today).days
    fee = portfolio.fees_schedule.advance(int(amount or received), days, today)
    return {"account": account, "cIAAmount": amount, "receiveAmount": received, "fee": float(fee)}


def unsettled_sales(house: House, fields: Fields, account: str) -> dict[str, Any]:
    """Sales whose money has not arrived; with a date, those that settle on it. Raises Denied."""
    wanted = day(fields, "settledate", "Settle Date") if fields.text("settledate") else None
    portfolio = house.brokerage.portfolio(account)
    found = []
    for trade_day in recent_days(house, portfolio) if is_of(house, account, Account.EQUITY) else ():
        due = portfolio.calendar.next_trading_day(trade_day, 2)
        if portfolio.advance or due < local_date(house.now) or wanted not in (None, due):
            continue
        found += [
            {
                "TradeDate": f"{trade_day:{_DATE}}",
                "InstrumentID": fill.instrument.symbol,
                "Quantity": fill.quantity,
                "Price": fill.price,
                "NetSellValue": fill.value - fill.fee - fill.tax,
            }
            for fill in fills_of(portfolio, trade_day)
            if fill.side is Side.SELL and not fill.instrument.shortable
        ]
    return {"account": account, "orders": found}


def cash_history(_house: House, fields: Fields, _account: str) -> dict[str, Any]:
    """Transfers to and from elsewhere: none. Raises Denied without its dates."""
    day(fields, "fromdate", "From Date"), day(fields, "todate", "To Date")
    return {"transferHistories": []}


def dividends(_house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """No dividend waits for anything to be done."""
    return {"account": account, "dividends": []}


def exercisable(_house: House, _fields: Fields, account: str) -> dict[str, Any]:
    """There are no rights."""
    return {"account": account, "exercisableQuantities": []}


def rights_history(_house: House, fields: Fields, account: str) -> dict[str, Any]:
    """There were no rights. Raises Denied without its dates."""
    day(fields, "startdate", "Start Date"), day(fields, "enddate", "End Date")
    return {"account": account, "onlineRightSubscriptionHistories": []}


def transferable(house: House, fields: Fields, account: str) -> dict[str, Any]:
    """Settled shares that are not on sale."""
    held = stocks(house, fields, account)["stockPositions"]
    found = [
        {"instrumentID": one["instrumentID"], "quantity": one["sellableQty"], "instrumentType": "ST"}
        for one in held
        if one["sellableQty"]
    ]
    return {"account": account, "transferableStocks": found}


def stock_history(_house: House, fields: Fields, account: str) -> dict[str, Any]:
    """No shares were transferred. Raises Denied without its dates."""
    day(fields, "startdate", "Start Date"), day(fields, "enddate", "End Date")
    return {"account": account, "stockTransferHistories": []}


def _amount(fields: Fields) -> int:
    amount = fields.count("amount")
    if amount < 1:
        raise Denied("'Amount' must be greater than '0'.")
    return amount


def _within_cash(amount: int, money: int) -> int:
    """Free margin counts profit that is no cash yet; only cash can leave."""
    if amount > money:
        raise Denied("ORD040 Amount is above the withdrawable balance")
    return amount


def _transaction(house: House, portfolio: Portfolio) -> dict[str, Any]:
    """Number a transfer. As a whole it adds nothing to the person's money."""
    portfolio.flows.append(Flow(house.now, "transfer", "", 0))
    return {"transactionID": f"{local_date(house.now):%y%m%d}{len(portfolio.flows):08d}"}
