"""Which of the broker's endpoints algo may call.

The list of endpoints is an allow-list. Moving cash or shares out of an account (`cash/vsdCashDW`,
`cash/transferInternal`, `stock/transfer`) is not on it, and the REST shell calls nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a call does, which decides about its retries, its signature and its place in the quota."""

    SIGN_IN = "sign in"
    QUERY = "query"
    ORDER = "order"
    CANCEL = "cancel"
    SERVICE = "service"

    @property
    def changes(self) -> bool:
        """Whether the call changes something over there, so that it may be sent once only."""
        return self in {Kind.ORDER, Kind.CANCEL, Kind.SERVICE}


@dataclass(frozen=True)
class Endpoint:
    """One call of the API: its method, its path below the address, and what it does."""

    method: str
    path: str
    kind: Kind

    @property
    def name(self) -> str:
        """The last part of the path, in lower case, as rate limits name it."""
        return self.path.rsplit("/", 1)[-1].lower()


def _trading(name: str, kind: Kind = Kind.QUERY) -> Endpoint:
    return Endpoint("GET" if kind is Kind.QUERY else "POST", f"/api/v2/Trading/{name}", kind)


def _query(path: str) -> Endpoint:
    return Endpoint("GET", f"/api/v2/{path}", Kind.QUERY)


ACCESS_TOKEN = _trading("AccessToken", Kind.SIGN_IN)
GET_OTP = _trading("GetOTP", Kind.SIGN_IN)

NEW_ORDER = _trading("NewOrder", Kind.ORDER)
MODIFY_ORDER = _trading("ModifyOrder", Kind.ORDER)
CANCEL_ORDER = _trading("CancelOrder", Kind.CANCEL)
DER_NEW_ORDER = _trading("derNewOrder", Kind.ORDER)
DER_MODIFY_ORDER = _trading("derModifyOrder", Kind.ORDER)
DER_CANCEL_ORDER = _trading("derCancelOrder", Kind.CANCEL)

ORDER_HISTORY = _trading("orderHistory")
ORDER_BOOK = _trading("orderBook")
AUDIT_ORDER_BOOK = _trading("auditOrderBook")
STOCK_POSITION = _trading("stockPosition")
DERIVATIVE_POSITION = _trading("derivPosition")
CASH_BALANCE = _trading("cashAcctBal")
DERIVATIVE_BALANCE = _trading("derivAcctBal")
MARGIN_ACCOUNT = _trading("ppmmraccount")
MAX_BUY = _trading("maxBuyQty")
MAX_SELL = _trading("maxSellQty")
RATE_LIMIT = _trading("rateLimit")

CASH_ADVANCE_AMOUNT = _query("cash/cashInAdvanceAmount")
CASH_ADVANCE_FEE = _query("cash/estCashInAdvanceFee")
CASH_ADVANCE_HISTORY = _query("cash/cashInAdvanceHistories")
CASH_TRANSFER_HISTORY = _query("cash/transferHistories")
UNSETTLED_SALES = _query("cash/unsettleSoldTransaction")
CREATE_CASH_ADVANCE = Endpoint("POST", "/api/v2/cash/createCashInAdvance", Kind.SERVICE)

DIVIDENDS = _query("ors/dividend")
EXERCISABLE_RIGHTS = _query("ors/exercisableQuantity")
RIGHTS_HISTORY = _query("ors/histories")
SUBSCRIBE_RIGHTS = Endpoint("POST", "/api/v2/ors/create", Kind.SERVICE)

TRANSFERABLE_STOCK = _query("stock/transferable")
STOCK_TRANSFER_HISTORY = _query("stock/transferHistories")

ALLOWED = frozenset(value for value in list(globals().values()) if isinstance(value, Endpoint))
