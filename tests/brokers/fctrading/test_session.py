"""The session's shell: many callers and one sign-in, faults told from refusals, tokens kept in a file."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from algo.brokers.fctrading.auth import Purpose, State
from algo.brokers.fctrading.credentials import Credentials, TwoFactor
from algo.brokers.fctrading.endpoints import Endpoint
from algo.brokers.fctrading.session import Session, keep_signed_in
from algo.brokers.fctrading.signing import SigningKey
from algo.brokers.fctrading.tokens import TokenFile
from algo.errors import (
    AuthError,
    CodeLocked,
    CodeRefused,
    CredentialError,
    ProtocolError,
    RequestNotSent,
    RequestUnknown,
)
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment
from algo.fastconnect.transport import Reply as Answer
from tests.brokers.fctrading.conftest import make_credentials
from tests.brokers.fctrading.stub import Reply, envelope, jwt
from tests.generators.virtual_time import run

START = 1_780_000_000.0


class Broker:
    """Answers sign-ins without a network. `plan` overrides the answers to come, one by one."""

    def __init__(self, pin: str = "1234", life: float = 8 * 3600) -> None:
        self.pin, self.life = pin, life
        self.sent: list[dict] = []
        self.plan: list[Reply | Exception] = []
        self.at_once = 0
        self.most_at_once = 0

    def moment(self) -> Moment:
        now = asyncio.get_running_loop().time()
        return Moment(START + now, now)

    async def post(self, endpoint: Endpoint, body: Secret) -> Answer:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0.1)
            self.sent.append({"path": endpoint.name} | json.loads(body.reveal()))
            planned = self.plan.pop(0) if self.plan else self.answer(self.sent[-1])
            if isinstance(planned, Exception):
                raise planned
            return Answer(planned.status, planned.body)
        finally:
            self.at_once -= 1

    def answer(self, request: dict) -> Reply:
        if request["path"] == "getotp":
            return envelope()
        if request["isSave"] and request["code"] != self.pin:
            return envelope(None, 400, "PIN is wrong")
        return envelope({"accessToken": jwt(self.moment().wall + self.life, n=len(self.sent))})

    def writes(self) -> list[str]:
        return [request["code"] for request in self.sent if request.get("isSave")]


def session(broker: Broker, credentials: Credentials, **options: object) -> Session:
    return Session(credentials, broker.post, broker.moment, **options)


def test_many_callers_share_one_sign_in(credentials: Credentials) -> None:
    async def main() -> None:
        broker = Broker()

        async def ask(kind: TwoFactor) -> str:
            return await asyncio.sleep(5, "1234")

        subject = session(broker, credentials, ask=ask)
        purposes = [Purpose.READ, Purpose.TRADE] * 10
        tokens = await asyncio.gather(*map(subject.token, purposes))
        assert broker.most_at_once == 1
        assert len(broker.sent) == 2
        assert len(set(tokens)) <= 2
        assert subject.state is State.TRADING

    run(main())


def test_a_cancelled_caller_does_not_break_the_others(credentials: Credentials) -> None:
    async def main() -> None:
        broker = Broker()
        subject = session(broker, credentials)
        first = asyncio.create_task(subject.token())
        second = asyncio.create_task(subject.token())
        await asyncio.sleep(0.05)
        first.cancel()
        assert (await second).reveal().count(".") == 2
        assert len(broker.sent) == 1

    run(main())


def test_the_body_is_the_official_clients(credentials: Credentials) -> None:
    async def main() -> None:
        broker = Broker()
        subject = session(broker, credentials)
        await subject.login(Secret("1234"))
        assert broker.sent[0] == {
            "path": "accesstoken",
            "consumerID": "planted-consumer-id",
            "consumerSecret": "planted-consumer-secret",
            "twoFactorType": 0,
            "code": "1234",
            "isSave": True,
        }

    run(main())


def test_a_wrong_code_and_a_fault_are_told_apart(credentials: Credentials) -> None:
    async def main() -> None:
        broker = Broker()
        subject = session(broker, credentials)
        with pytest.raises(CodeRefused):
            await subject.login(Secret("0000"))
        with pytest.raises(CodeRefused, match="refused before"):
            await subject.login(Secret("0000"))
        for fault in (
            Reply(b"Internal Server Error", 500),
            Reply(b'{"message":"Success","status":200,"data":{"acc'),
            Reply(b"<html>blocked PIN OTP</html>", 403),
            envelope(None, 500, "PIN database is down"),
            envelope(None, 429, "API calls quota exceeded! maximum admitted 1 per 1 s"),
            envelope({"token": "x"}),
            RequestUnknown("reset"),
        ):
            broker.plan.append(fault)
            with pytest.raises((ProtocolError, RequestUnknown)):
                await subject.login(Secret("1234"))
            assert not subject.auth.locked
        await asyncio.sleep(60)
        await subject.login()
        assert subject.state is State.TRADING
        broker.plan.append(envelope(None, 400, "Your PIN is locked"))
        with pytest.raises(CodeLocked):
            subject.auth._write = None
            await subject.login(Secret("5555"))
        assert subject.auth.locked

    run(main())


def test_a_wrong_key_is_no_wrong_code(credentials: Credentials) -> None:
    async def main() -> None:
        broker = Broker()
        broker.plan = [envelope(None, 400, "ConsumerID is invalid")] * 2
        subject = session(broker, credentials)
        with pytest.raises(AuthError, match="ConsumerID is invalid") as caught:
            await subject.login(Secret("1234"))
        assert type(caught.value) is AuthError
        with pytest.raises(AuthError):
            await subject.token()
        assert len(broker.sent) == 1, "it asked again without a pause"

    run(main())


def test_the_otp_is_ordered_before_the_person_is_asked(key: SigningKey) -> None:
    async def main() -> None:
        broker = Broker(pin="777777")
        asked = []

        async def ask(kind: TwoFactor) -> str:
            asked.append((kind, [request["path"] for request in broker.sent]))
            return "777777"

        subject = session(broker, make_credentials(key, two_factor=TwoFactor.OTP), ask=ask)
        await asyncio.gather(subject.token(Purpose.TRADE), subject.token(Purpose.TRADE))
        assert asked == [(TwoFactor.OTP, ["getotp"])]
        assert broker.sent[-1]["twoFactorType"] == 1

    run(main())


def test_a_declined_code_frees_the_next_caller(credentials: Credentials) -> None:
    async def main() -> None:
        broker, answers = Broker(), iter(["", "1234"])

        async def ask(kind: TwoFactor) -> str:
            await asyncio.sleep(1)
            return next(answers)

        subject = session(broker, credentials, ask=ask)
        found = await asyncio.gather(
            subject.token(Purpose.TRADE), subject.token(Purpose.TRADE), return_exceptions=True
        )
        assert [type(item) for item in found] == [AuthError, Secret]

    run(main())


def test_a_blocking_prompt_runs_beside_the_loop(credentials: Credentials) -> None:
    async def main() -> None:
        subject = session(Broker(), credentials, ask=lambda kind: "1234")
        await subject.login()
        assert subject.state is State.TRADING

    asyncio.run(main())


def test_without_a_source_of_codes_it_says_what_to_do(credentials: Credentials) -> None:
    async def main() -> None:
        subject = session(Broker(), credentials)
        with pytest.raises(AuthError, match="algo login"):
            await subject.login()
        with pytest.raises(AuthError, match="signed out"):
            subject.order_token()

    run(main())


def test_the_keeper_renews_for_days_without_a_gap(key: SigningKey) -> None:
    async def main() -> None:
        broker, problems = Broker(life=3600), []
        subject = session(broker, make_credentials(key, pin=Secret("1234")))
        await subject.login()
        await subject.token()
        keeper = asyncio.create_task(keep_signed_in(subject, problems.append))
        for _ in range(48 * 6):
            await asyncio.sleep(600)
            assert subject.state is State.TRADING
            subject.order_token()
        keeper.cancel()
        assert not problems
        assert broker.most_at_once == 1
        assert len(broker.sent) < 2 * 48 * 2

    run(main())


def test_the_keeper_never_sends_a_refused_pin_again(key: SigningKey) -> None:
    async def main() -> None:
        broker, problems = Broker(life=3600), []
        subject = session(broker, make_credentials(key, pin=Secret("1234")))
        await subject.login()
        broker.pin = "changed at the broker"
        keeper = asyncio.create_task(keep_signed_in(subject, problems.append))
        await asyncio.sleep(24 * 3600)
        keeper.cancel()
        assert broker.writes() == ["1234", "1234"]
        assert any(isinstance(problem, CodeRefused) for problem in problems)
        assert subject.state is not State.TRADING

    run(main())


def test_the_keeper_survives_an_outage(key: SigningKey) -> None:
    async def main() -> None:
        broker, problems = Broker(), []
        subject = session(broker, make_credentials(key, pin=Secret("1234")))
        await subject.login()
        keeper = asyncio.create_task(keep_signed_in(subject, problems.append))
        await asyncio.sleep(7 * 3600 - 300)
        broker.plan = [RequestNotSent("no route")] * 20
        while broker.plan:
            await asyncio.sleep(60)
        await asyncio.sleep(600)
        assert subject.state is State.TRADING
        assert subject.left > 3600
        assert len(problems) >= 20
        keeper.cancel()

    run(main())


# Tokens in a file


def test_tokens_survive_a_restart_and_need_no_code(credentials: Credentials, tmp_path: Path) -> None:
    async def main() -> None:
        broker, file = Broker(), TokenFile(tmp_path / "state" / "tokens.json")
        subject = session(broker, credentials, file=file)
        await subject.login(Secret("1234"))
        again = session(broker, credentials, file=TokenFile(file.path))
        assert again.state is State.TRADING
        assert again.order_token() == subject.order_token()
        assert len(broker.sent) == 1
        text = file.path.read_text()
        assert "1234" not in text.replace(subject.order_token().reveal(), "")
        assert list(file.path.parent.iterdir()) == [file.path]
        if os.name == "posix":
            assert file.path.stat().st_mode & 0o777 == 0o600
            assert file.path.parent.stat().st_mode & 0o777 == 0o700
        again.token_refused(again.order_token())
        assert session(broker, credentials, file=TokenFile(file.path)).state is State.SIGNED_OUT
        again.logout()
        assert not file.path.exists()

    run(main())


def test_an_opaque_token_does_not_become_young_by_a_restart(credentials: Credentials, tmp_path: Path) -> None:
    async def main() -> None:
        broker, file = Broker(), TokenFile(tmp_path / "tokens.json")
        broker.plan = [envelope({"accessToken": "opaque"})]
        await session(broker, credentials, file=file).login(Secret("1234"))
        await asyncio.sleep(7.9 * 3600)
        assert session(broker, credentials, file=file).left < 0.2 * 3600
        await asyncio.sleep(0.2 * 3600)
        assert session(broker, credentials, file=file).state is State.SIGNED_OUT

    run(main())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"write": 5}', '{"write": {"token": 5}}', "[" * 50_000]
)
def test_a_useless_file_is_as_good_as_none(credentials: Credentials, tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(text)
    path.chmod(0o600)
    assert TokenFile(path).load(Moment(START, 0.0)) == {}


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_loose_token_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text("{}")
    path.chmod(0o644)
    with pytest.raises(CredentialError, match="chmod 600"):
        TokenFile(path).load(Moment(START, 0.0))


def test_signing_in_goes_on_when_tokens_cannot_be_kept(credentials: Credentials, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    async def main() -> None:
        subject = session(Broker(), credentials, file=TokenFile(blocked / "tokens.json"))
        await subject.login(Secret("1234"))
        assert subject.state is State.TRADING
        assert "cannot be kept" in subject.file_problem

    run(main())


def test_a_crash_while_saving_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: Credentials
) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    file.path.write_text("{}")
    file.path.chmod(0o600)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CredentialError, match="No space"):
        file.save({})
    assert file.path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [file.path]
