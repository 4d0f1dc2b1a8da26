"""Cash advances, transfers and rights: whatever moves money or shares without an order.

What the sandbox does with them: sale money is advanced for its fee, out of what is on its way, the earliest
first. Cash may move between a person's own two accounts. A deposit of margin with the depository is taken
and changes nothing, because the sandbox keeps all of it there. Rights are not issued, and nothing leaves for
accounts elsewhere: such requests are refused, and the queries about them say that there is nothing.
Names follow the official Java client's models, the only source there is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from algo.clock import local_date, to_datetime
from algo.model import Account
from algo.sandbox.answers import Denied
from algo.sandbox.fields import Fields
from algo.sandbox.holdings import is_for, stocks
from algo.sandbox.order_queries import day
from algo.sandbox.world import World

_DATE = "%d/%m/%Y"
_MOMENT = "%d/%m/%Y %H:%M:%S"
_DONE = "Success"


class Moved(NamedTuple):
    """A transfer or an advance that was made. `parts` of an advance are (when it is due, đồng)."""

    number: str
    ns: int
    account: str
    beneficiary: str
    amount: int
    remark: str = ""
    parts: tuple[tuple[int, int], ...] = ()


class Transfers:
    """What was moved, and every endpoint about it."""

    def __init__(self) -> None:
        self._transfers: list[Moved] = []
        self._advances: list[Moved] = []
        self._count = 0

    # Requests

    def transfer_cash(self, world: World, fields: Fields, account: str) -> dict[str, Any]:
        """Move cash to the person's other account. Raises Denied."""
        beneficiary = fields.needed("beneficiaryaccount", "Beneficiary Account").upper()
        amount = _amount(fields)
        owner = world.brokerage.owner(account)
        if owner is None or beneficiary == account or world.brokerage.owner(beneficiary) is not owner:
            raise Denied("Beneficiary account is not exist.")
        _check_withdrawable(world, account, amount)
        cash = owner.portfolio.cash
        cash[world.brokerage.kind(account)] -= amount
        cash[world.brokerage.kind(beneficiary)] += amount
        moved = Moved(self._number(world), world.now, account, beneficiary, amount, fields.text("remark"))
        self._transfers.append(moved)
        return {"transactionID": moved.number}

    def deposit(self, world: World, fields: Fields, account: str) -> dict[str, Any]:
        """Deposit margin with the depository, or take it back. Raises Denied."""
        amount = _amount(fields)
        fields.needed("type", "Type")
        if not is_for(world, account, Account.DERIVATIVES):
            raise Denied("Account is not exist.")
        _check_withdrawable(world, account, amount)
        return {"transactionID": self._number(world)}

    def create_advance(self, world: World, fields: Fields, account: str) -> dict[str, Any]:
        """Use sale money before it arrives. Raises Denied."""
        wanted = int(fields.real("ciaamount") or fields.real("receiveamount"))
        if wanted < 1:
            raise Denied("'CIA Amount' must be greater than '0'.")
        waiting = world.brokerage.advances(account)
        if wanted > sum(one.available for one in waiting):
            raise Denied("CIA amount is above the amount that can be advanced")
        left, parts = wanted, []
        for one in waiting:
            part = min(left, one.available)
            if part > 0:
                world.brokerage.advance_cash(account, one.due, part, world.now)
                parts.append((one.due, part))
                left -= part
        moved = Moved(self._number(world), world.now, account, "", wanted, parts=tuple(parts))
        self._advances.append(moved)
        return {"account": account, "transactionID": moved.number}

    # Queries

    def cash_history(self, _world: World, fields: Fields, account: str) -> dict[str, Any]:
        """Transfers of a period. Raises Denied without its dates."""
        period = _period(fields, "from", "to")
        found = [
            {
                "transactionID": one.number,
                "date": f"{to_datetime(one.ns):{_MOMENT}}",
                "account": one.account,
                "beneficiaryAccount": one.beneficiary,
                "amount": one.amount,
                "bankName": "",
                "bankBranchName": "",
                "beneficiary": "",
                "remark": one.remark,
                "type": "INTERNAL",
                "status": _DONE,
            }
            for one in self._transfers
            if account in (one.account, one.beneficiary) and period(one.ns)
        ]
        return {"transferHistories": found}

    def advance_history(self, _world: World, fields: Fields, account: str) -> dict[str, Any]:
        """Advances of a period. Raises Denied without its dates."""
        period = _period(fields, "start", "end")
        found = [
            {
                "TransactionID": one.number,
                "DateTime": f"{to_datetime(one.ns):{_MOMENT}}",
                "TotalAmount": one.amount,
                "Details": [
                    {"Type": "CIA", "Value": amount, "SettleDate": f"{local_date(due):{_DATE}}"}
                    for due, amount in one.parts
                ],
                "Status": _DONE,
            }
            for one in self._advances
            if account == one.account and period(one.ns)
        ]
        return {"account": account, "CIAHistories": found}

    def _number(self, world: World) -> str:
        self._count += 1
        return f"{local_date(world.now):%y%m%d}{self._count:08d}"


def advance_amount(world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """Sale money on its way, and what of it can be used before."""
    found = [
        {
            "DueDate": f"{local_date(one.due):{_DATE}}",
            "SellValue": one.value,
            "NetSellValue": one.net,
            "Advance": one.advanced,
            "CashAdvance": one.available,
        }
        for one in world.brokerage.advances(account)
    ]
    return {"account": account, "CIAAmounts": found}


def advance_fee(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """What an advance would cost, taken as `create_advance` takes it."""
    amount, received = fields.real("ciaamount"), fields.real("receiveamount")
    left, fee = int(amount or received), 0
    for one in world.brokerage.advances(account):
        part = min(left, one.available)
        if part > 0:
            fee += world.brokerage.advance_fee(account, one.due, part)
            left -= part
    return {"account": account, "cIAAmount": amount, "receiveAmount": received, "fee": float(fee)}


def unsettled_sales(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """Sales whose money has not arrived; with a date, those that settle on it. Raises Denied."""
    wanted: date | None = day(fields, "settledate", "Settle Date") if fields.text("settledate") else None
    found = [
        {
            "TradeDate": f"{local_date(sale.ns):{_DATE}}",
            "InstrumentID": sale.instrument.symbol,
            "Quantity": sale.quantity,
            "Price": sale.instrument.price(sale.price),
            "NetSellValue": sale.net,
        }
        for sale in world.brokerage.unsettled_sales(account)
        if wanted in (None, local_date(sale.due))
    ]
    return {"account": account, "orders": found}


def dividends(_world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """No dividend waits for anything to be done."""
    return {"account": account, "dividends": []}


def exercisable(_world: World, _fields: Fields, account: str) -> dict[str, Any]:
    """There are no rights."""
    return {"account": account, "exercisableQuantities": []}


def rights_history(_world: World, fields: Fields, account: str) -> dict[str, Any]:
    """There were no rights. Raises Denied without its dates."""
    _period(fields, "start", "end")
    return {"account": account, "onlineRightSubscriptionHistories": []}


def subscribe(_world: World, _fields: Fields, _account: str) -> dict[str, Any]:
    """There are no rights."""
    raise Denied("Entitlement is not exist.")


def transferable(world: World, fields: Fields, account: str) -> dict[str, Any]:
    """Settled shares that are not on sale."""
    held = stocks(world, fields, account)["stockPositions"]
    found = [
        {"instrumentID": one["instrumentID"], "quantity": one["sellableQty"], "instrumentType": "ST"}
        for one in held
        if one["sellableQty"]
    ]
    return {"account": account, "transferableStocks": found}


def stock_history(_world: World, fields: Fields, account: str) -> dict[str, Any]:
    """No shares were transferred. Raises Denied without its dates."""
    _period(fields, "start", "end")
    return {"account": account, "stockTransferHistories": []}


def transfer_stock(_world: World, _fields: Fields, _account: str) -> dict[str, Any]:
    """There is no second account for shares."""
    raise Denied("Beneficiary account is not exist.")


def _amount(fields: Fields) -> int:
    amount = fields.count("amount")
    if amount < 1:
        raise Denied("'Amount' must be greater than '0'.")
    return amount


def _period(fields: Fields, start: str, end: str) -> Callable[[int], bool]:
    """Whether a moment lies in the period that the fields name. Raises Denied without its dates."""
    first = day(fields, f"{start}date", f"{start.title()} Date")
    last = day(fields, f"{end}date", f"{end.title()} Date")
    return lambda ns: first <= local_date(ns) <= last


def _check_withdrawable(world: World, account: str, amount: int) -> None:
    if is_for(world, account, Account.DERIVATIVES):
        most = world.brokerage.derivatives_balance(account).withdrawable
    else:
        most = world.brokerage.cash_balance(account).free
    if amount > most:
        raise Denied("ORD040 Amount is above the withdrawable balance")
