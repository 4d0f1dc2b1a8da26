"""The handshake's samples and a TLS authority."""

from tests.brokers.fctrading.conftest import authority, ca_file, samples, server_tls

__all__ = ["authority", "ca_file", "samples", "server_tls"]
