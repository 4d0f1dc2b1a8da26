"""Secrets planted everywhere, every log at its loudest, and everything that was shown searched for them."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from pathlib import Path

import pytest

from algo.brokers.fctrading import requests
from algo.brokers.fctrading.api import TradingApi
from algo.brokers.fctrading.quota import Quota
from algo.brokers.fctrading.rest import Rest
from algo.brokers.fctrading.session import Session
from algo.brokers.fctrading.signing import SigningKey
from algo.brokers.fctrading.stream import Delivered, TradingStream
from algo.brokers.fctrading.tokens import TokenFile
from algo.errors import AlgoError
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment
from algo.fastconnect.transport import open_client, trust
from tests.brokers.fctrading.conftest import make_credentials
from tests.brokers.fctrading.connected import CANCEL, FAST, ORDER
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope, jwt
from tests.brokers.fctrading.test_signing import elements, xml
from tests.brokers.fctrading.test_stream import MORNING, Reader, fill
from tests.fastconnect.hub_stub import HubStub

PIN = "740913"


@pytest.mark.parametrize("saved", [True, False])
async def test_planted_secrets_appear_nowhere(
    saved: bool,
    samples: dict,
    key: SigningKey,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, logger="websockets.server")  # the stub, not us
    asyncio.get_running_loop().set_debug(True)
    tokens: list[str] = []
    shown: list[str] = []
    bodies: set[bool] = set()
    faults = [
        Reply(drop=True),
        Reply(b'{"cut', cut=2),
        Reply(b"no", 500),
        Reply(b"", 302, {"Location": "/x"}),
        envelope(None, 400, "no"),
        Reply(envelope(None, 429, "no").body, 200, {"Retry-After": "0"}),
        envelope(None, 401, "no"),
        envelope({"odd": 1}),
    ]

    def answer(seen: Seen) -> Reply:
        if seen.name == "accesstoken":
            if seen.json()["isSave"] and seen.json()["code"] != PIN:
                return envelope(None, 400, "PIN is wrong")
            tokens.append(jwt(time.time() + 8 * 3600, n=len(tokens)))
            return envelope({"accessToken": tokens[-1]})
        return faults[len(stub.seen) % len(faults)]

    async with Stub(answer) as stub, HubStub(samples) as hub:
        credentials = make_credentials(key, stub.url, pin=Secret(PIN))
        rest = Rest(open_client(stub.url, trust()), key, random=lambda: 0.0, quota=Quota(FAST.rules))
        loop = asyncio.get_running_loop()
        file = TokenFile(tmp_path / "tokens.json")
        session = Session(
            credentials, rest.sign_in, lambda: Moment(time.time(), loop.time()), file=file, saved=saved
        )
        rest.use(session)
        api = TradingApi(rest)

        async def fails(call: object) -> None:
            try:
                shown.append(repr(await call))
            except AlgoError as error:
                lines = traceback.TracebackException.from_exception(error, capture_locals=True)
                shown.append("".join(lines.format()) + repr(error) + repr(vars(error)))

        await fails(session.login(Secret("000000")))
        await fails(session.login(Secret("000000")))
        for _ in range(10):
            await fails(session.login())
            code = {"code": session.auth.order_code()}
            bodies.add(bool(code["code"]))
            place, cancel = requests.NewOrder(**ORDER | code), requests.CancelOrder(**CANCEL | code)
            shown += [repr(place), str(cancel)]
            await fails(api.new_order(place))
            await fails(api.cancel_order(cancel))
            await fails(api.order_book("1"))
            rest.quota = Quota(FAST.rules)
        hub_client = open_client(hub.url, trust())
        hub.refuse, hub.refuse_connect = [401, 500], [401, 503]
        stream = TradingStream(
            hub.url, session, hub_client, trust(), wall=lambda: MORNING, random=lambda: 0.0
        )
        reader = Reader(stream)
        tasks = [asyncio.create_task(stream.run()), asyncio.create_task(reader.run())]
        await hub.connections(1)
        await hub.send(fill(samples, 1), (2, "{broken"))
        await reader.until(Delivered, 2)
        shown += [repr(reader.items), repr(stream), repr(vars(stream)), repr(vars(stream._hub))]
        shown += [repr(vars(thing)) for thing in (session, session.auth, rest, api, credentials, key)]
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stub.__aexit__()
        await fails(session.login())
        await fails(api.order_book("1"))
        for closing in (session.close(), rest.close(), hub_client.aclose()):
            await closing

    output = capsys.readouterr()
    everything = "\n".join([*shown, caplog.text, *map(repr, caplog.records), output.out, output.err])
    assert len(tokens) > 3
    assert (True in bodies) is not saved, "an unsaved code goes into the orders"
    assert len(everything) > 10_000
    private = [value for name, value in elements(xml(key)).items() if name not in {"Modulus", "Exponent"}]
    planted = ["planted-consumer-secret", "planted-consumer-id", PIN, *tokens, key.private_text().reveal()]
    for secret in [*planted, *private]:
        assert secret not in everything, f"{secret[:12]}… was shown"
    kept = [path.read_text() for path in tmp_path.iterdir()]
    assert not any(secret in text for text in kept for secret in planted if secret not in tokens)
