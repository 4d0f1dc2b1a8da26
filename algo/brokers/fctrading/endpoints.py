"""Where the broker is, and which of its endpoints algo may call.

The list of endpoints is an allow-list. Moving cash or shares out of an account (`cash/vsdCashDW`,
`cash/transferInternal`, `stock/transfer`) is not on it, and the REST shell calls nothing else.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from algo.errors import CredentialError


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine itself: `localhost` or a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str, name: str) -> str:
    """`url` without its last slash, once it is safe: https, or plain http to this machine only.

    Raises CredentialError for any other scheme or host, and for a URL with a user, a query or a fragment.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise CredentialError(f"{name} is not a URL: give one like https://fc-tradeapi.ssi.com.vn") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise CredentialError(f"{name} must be a plain URL, without user, query or fragment")
    if not host or parts.scheme not in {"http", "https"}:
        raise CredentialError(f"{name} is not a URL: give one like https://fc-tradeapi.ssi.com.vn")
    if parts.scheme == "http" and not is_loopback(host):
        raise CredentialError(f"{name} must be https://; plain http:// goes to this machine only")
    return url.strip().rstrip("/")


@dataclass(frozen=True)
class Endpoints:
    """Addresses of the four services. The defaults are SSI's production."""

    url: str = "https://fc-tradeapi.ssi.com.vn"
    stream_url: str = "https://fc-tradehub.ssi.com.vn"
    data_url: str = "https://fc-data.ssi.com.vn"
    data_stream_url: str = "https://fc-datahub.ssi.com.vn"

    def __post_init__(self) -> None:
        for name in ("url", "stream_url", "data_url", "data_stream_url"):
            object.__setattr__(self, name, checked_url(getattr(self, name), name))


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
