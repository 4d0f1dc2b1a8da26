"""The life of an order, from a strategy's intent to its end."""

from algo.orders.manager import OrderManager
from algo.orders.request_id import RequestIds
from algo.orders.risk import Limits
from algo.orders.venue import Venue

__all__ = ["Limits", "OrderManager", "RequestIds", "Venue"]
