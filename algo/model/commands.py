"""What the engine tells a broker to do. A command is journalled before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from algo.errors import SettingError
from algo.model.instruments import Instrument, Side
from algo.model.orders import OrderType, Trigger


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Put a new order into the market. `price` is in price units, 0 when the type has none.

    `at_market` says that the strategy asked for the market, whatever type that became on the wire.
    """

    request_id: str
    order_id: str
    strategy: str
    instrument: Instrument
    side: Side
    order_type: OrderType
    price: int
    quantity: int
    trigger: Trigger | None = None
    at_market: bool = False

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise SettingError(f"order {self.order_id}: quantity must be above zero")
        if self.price < 0 or (self.order_type is OrderType.LO and self.price == 0):
            raise SettingError(f"order {self.order_id}: a limit order needs a price above zero")


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """Change an order's price (units) or its total quantity; None leaves a value as it is."""

    request_id: str
    order_id: str
    strategy: str
    instrument: Instrument
    price: int | None = None
    quantity: int | None = None

    def __post_init__(self) -> None:
        if self.price is None and self.quantity is None:
            raise SettingError(f"order {self.order_id}: an amendment changes the price or the quantity")
        if (self.price is not None and self.price <= 0) or (self.quantity is not None and self.quantity <= 0):
            raise SettingError(f"order {self.order_id}: price and quantity of an amendment are above zero")


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Take what is left of an order out of the market."""

    request_id: str
    order_id: str
    strategy: str
    instrument: Instrument


Command = PlaceOrder | AmendOrder | CancelOrder
