"""The sandbox's certificates: clients verify them as any other, and they are good for loopback alone."""

import asyncio
import ssl

import pytest
from cryptography import x509

from algo.sandbox.authority import Authority


async def greeted(authority: Authority, trusted: bytes, name: str) -> bytes:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=authority.context())
    port = server.sockets[0].getsockname()[1]
    client = ssl.create_default_context(cadata=trusted.decode())
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        text = await reader.read()
        writer.close()
        return text
    finally:
        server.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_client_that_trusts_the_authority_verifies_the_server(name: str) -> None:
    authority = Authority()
    assert await greeted(authority, authority.certificate, name) == b"hello"


async def test_another_authority_is_not_trusted() -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await greeted(Authority(), Authority().certificate, "localhost")


async def test_another_name_is_refused() -> None:
    authority = Authority()
    with pytest.raises(ssl.SSLCertVerificationError):
        await greeted(authority, authority.certificate, "fc-tradeapi.ssi.com.vn")


def test_what_the_authority_may_sign_is_loopback_alone() -> None:
    certificate = x509.load_pem_x509_certificate(Authority().certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    allowed = {str(name.value) for name in constraints.value.permitted_subtrees or ()}
    assert allowed == {"localhost", "127.0.0.0/8", "::1/128"}
