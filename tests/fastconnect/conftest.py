"""The samples of the trading service, whose handshake both services share."""

from tests.brokers.fctrading.conftest import samples

__all__ = ["samples"]
