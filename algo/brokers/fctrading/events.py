"""The stream's events: order changes, errors, fills, portfolio, conditional orders.

They are named tuples, because they are hot. What an event does not name stays in its `raw` data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from algo.fastconnect.wire import parse_json

Raw = Mapping[str, Any]


class RawText(Raw):
    """The `data` of a message, read from the message's text only when somebody looks at it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __getitem__(self, key: str) -> Any:
        return self._data()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data())

    def __len__(self) -> int:
        return len(self._data())

    def __repr__(self) -> str:
        return repr(self._data())

    def _data(self) -> dict[str, Any]:
        data: dict[str, Any] = parse_json(self._text)["data"]
        return data


class OrderEvent(NamedTuple):
    """An order as it stands now. Quantities are cumulative; times are epoch milliseconds, 0 for none."""

    notify_id: int
    order_id: str
    unique_id: str
    """The request that caused the event."""
    orig_request_id: str
    """The request that placed the order."""
    account: str
    instrument_id: str
    market_id: str
    buy_sell: str
    order_type: str
    price: float
    quantity: int
    filled_quantity: int
    cancel_quantity: int
    open_quantity: int
    average_price: float
    status: str
    reject_reason: str
    input_time: int
    modified_time: int
    channel: str
    orig_order_id: str
    stop_order: bool
    stop_price: float
    stop_type: str
    stop_step: float
    profit_price: float
    raw: Raw

    @property
    def time(self) -> int:
        """When it happened, epoch milliseconds; 0 when the event does not say."""
        return self.modified_time or self.input_time


class OrderErrorEvent(NamedTuple):
    """A request was refused after it had been received. The order it was about may stand."""

    notify_id: int
    message: str
    code: str
    unique_id: str
    orig_request_id: str
    order_id: str
    orig_order_id: str
    account: str
    instrument_id: str
    market_id: str
    buy_sell: str
    order_type: str
    price: float
    quantity: int
    input_time: int
    modified_time: int
    raw: Raw

    @property
    def time(self) -> int:
        """When it happened, epoch milliseconds; 0 in the short form, which does not say."""
        return self.modified_time or self.input_time


class MatchEvent(NamedTuple):
    """One fill. It has no execution id: its key is the trading day and `notify_id`."""

    notify_id: int
    order_id: str
    unique_id: str
    account: str
    instrument_id: str
    buy_sell: str
    price: float
    quantity: int
    match_time: int
    raw: Raw

    @property
    def time(self) -> int:
        """When it happened, epoch milliseconds."""
        return self.match_time


class Holding(NamedTuple):
    """Contracts of one symbol."""

    market_id: str
    instrument_id: str
    long: int
    short: int
    net: int
    bid_average: float
    ask_average: float
    trade_price: float
    market_price: float
    floating_profit: float
    trading_profit: float


class PortfolioEvent(NamedTuple):
    """The contracts of a derivatives account."""

    notify_id: int
    account: str
    open: tuple[Holding, ...]
    closed: tuple[Holding, ...]
    raw: Raw
    time: int = 0


class ConditionalEvent(NamedTuple):
    """A change of a conditional order (`fcoEvent`).

    SSI does not document it; the names are those that a public client of another language reads.
    """

    notify_id: int
    fco_id: str
    unique_id: str
    """The request that it belongs to."""
    account: str
    instrument_id: str
    status: str
    process_status: str
    last_action: str
    message: str
    price: float
    quantity: int
    matched_quantity: int
    places_order: bool
    updated_time: int
    raw: Raw

    @property
    def time(self) -> int:
        """When it happened, epoch milliseconds; 0 when the event does not say so in a form that is known."""
        return self.updated_time


class UnknownEvent(NamedTuple):
    """What could not be read: a new type, a field that makes no sense, no JSON. Never fatal."""

    notify_id: int
    type: str
    reason: str
    text: str
    time: int = 0


StreamEvent = OrderEvent | OrderErrorEvent | MatchEvent | PortfolioEvent | ConditionalEvent | UnknownEvent
