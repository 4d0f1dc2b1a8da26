"""The shell around `auth`: it sends the attempts, asks the person, and keeps the tokens in a file."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Protocol

from algo.brokers.fctrading.auth import AskCode, Attempt, Auth, Purpose, Sending, State, Step, Use, Wait
from algo.brokers.fctrading.credentials import Credentials, TwoFactor
from algo.brokers.fctrading.endpoints import ACCESS_TOKEN, GET_OTP, Endpoint
from algo.brokers.fctrading.models import AccessToken
from algo.brokers.fctrading.requests import AccessTokenRequest, OtpRequest
from algo.brokers.fctrading.tokens import TokenFile
from algo.errors import AuthError, BrokerError, CodeRefused, CredentialError, ProtocolError, RequestNotSent
from algo.fastconnect.limits import TOO_MANY
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment
from algo.fastconnect.transport import Reply
from algo.fastconnect.wire import plain, read_envelope

Ask = Callable[[TwoFactor], str | Awaitable[str]]
"""Asks the person for a code. A plain function may block: it runs in a thread of its own."""

PATIENCE = 30.0
"""Seconds for which a query waits for a sign-in that is under way."""


class Post(Protocol):
    """Sends a sign-in request. Raises RequestNotSent, or another BrokerError."""

    def __call__(self, endpoint: Endpoint, body: Secret) -> Awaitable[Reply]: ...


class Session:
    """Gives out tokens, signing in as needed. Safe for any number of callers at once."""

    def __init__(
        self,
        credentials: Credentials,
        post: Post,
        moment: Callable[[], Moment],
        *,
        ask: Ask | None = None,
        file: TokenFile | None = None,
        saved: bool = True,
    ) -> None:
        self.auth = Auth(credentials.two_factor, saved=saved)
        self._credentials = credentials
        self._post = post
        self._moment = moment
        self._ask = ask
        self._file = file
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.file_problem: str = ""
        """Why the tokens could not be kept, '' when they could. Signing in goes on without the file."""
        if file is not None:
            self.auth.restore(file.load(moment()), moment())

    @property
    def state(self) -> State:
        """Where the sign-in stands now."""
        return self.auth.state(self._moment())

    @property
    def left(self) -> float:
        """Seconds for which orders can still be placed."""
        return self.auth.left(self._moment())

    def order_token(self) -> Secret:
        """The token for an order, at once. Raises AuthError when there is none."""
        return self.auth.order_token(self._moment())

    async def token(self, purpose: Purpose = Purpose.READ) -> Secret:
        """A token for `purpose`, signing in when there is none.

        Raises CodeRefused or CodeLocked for a bad code, AuthError when the sign-in was refused or takes
        longer than `PATIENCE` seconds, another BrokerError when the broker could not be reached.
        """
        try:
            async with asyncio.timeout(None if purpose is Purpose.TRADE else PATIENCE):
                while True:
                    step = self.auth.step(purpose, self._moment())
                    if isinstance(step, Use):
                        return step.token
                    await self._follow(step)
        except TimeoutError:
            raise AuthError("the sign-in takes too long: try again") from None

    async def login(self, code: Secret | None = None) -> None:
        """Sign in for trading, with `code` or by asking for one. Raises as `token` does."""
        if code is not None:
            self.auth.give_code(code)
            self._announce()
        await self.token(Purpose.TRADE)

    async def renew(self, purpose: Purpose) -> None:
        """Renew the token of `purpose` if it is near its end; until that succeeds the old one stays in use.

        Raises as `token` does.
        """
        while True:
            step = self.auth.ahead(purpose, self._moment())
            if step is None:
                return
            await self._follow(step)

    def token_refused(self, token: Secret) -> None:
        """The broker refused `token` before its end."""
        self.auth.token_refused(token)
        self._keep()

    def order_refused(self, message: str) -> None:
        """The broker refused an order; when it was for the code in its body, the code is forgotten."""
        if self.auth.order_refused(message):
            self._announce()

    def logout(self) -> None:
        """Forget the kept tokens."""
        if self._file is not None:
            self._file.forget()

    async def close(self) -> None:
        """End what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, step: Step) -> None:
        """Do what `step` says. An attempt goes on when its caller is cancelled: others wait for it too."""
        if isinstance(step, Attempt):
            task = asyncio.create_task(self._send(step))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
            await asyncio.shield(task)
        elif isinstance(step, AskCode):
            await self._ask_code(step)
        elif isinstance(step, Wait):
            if step.reason is not None:
                raise step.reason
            await self._changed.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Look at the task's error: its caller may be gone, and its state is with `auth` already."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _ask_code(self, step: AskCode) -> None:
        code: Secret | None = None
        try:
            code = await self._code(step.kind)
            self.auth.give_code(code)
        finally:
            if code is None:
                self.auth.no_code()
            self._announce()

    async def _code(self, kind: TwoFactor) -> Secret:
        if self._ask is None:
            if self._credentials.pin is not None and kind is TwoFactor.PIN:
                return self._credentials.pin
            raise AuthError("orders need a code: sign in with `algo login`")
        if inspect.iscoroutinefunction(self._ask):
            given = await self._ask(kind)
        else:
            given = await asyncio.to_thread(self._ask, kind)
            if inspect.isawaitable(given):
                given = await given
        if not isinstance(given, str) or not given.strip():
            raise AuthError("no code was given: sign in again when you have one")
        return Secret(given)

    async def _send(self, attempt: Attempt) -> None:
        """Send the attempt and report what came back. Raises what the attempt's own caller should see."""
        auth = self.auth
        try:
            self._read(attempt, await self._post(*self._request(attempt)))
        except RequestNotSent as error:
            auth.not_sent(attempt, error, self._moment())
            raise
        except (CodeRefused, AuthError):
            raise
        except BrokerError as error:
            auth.failed(attempt, error, self._moment())
            raise
        except BaseException as error:
            auth.failed(
                attempt, AuthError(f"the sign-in was broken off: {type(error).__name__}"), self._moment()
            )
            raise
        finally:
            self._announce()

    def _request(self, attempt: Attempt) -> tuple[Endpoint, Secret]:
        who = self._credentials
        if attempt.sending is Sending.OTP:
            otp = OtpRequest(
                consumer_id=who.consumer_id.reveal(), consumer_secret=who.consumer_secret.reveal()
            )
            return GET_OTP, Secret(otp.body().decode())
        request = AccessTokenRequest(
            consumer_id=who.consumer_id.reveal(),
            consumer_secret=who.consumer_secret.reveal(),
            two_factor_type=who.two_factor.wire,
            code=attempt.code.reveal(),
            is_save=attempt.sending is Sending.WRITE,
        )
        return ACCESS_TOKEN, Secret(request.body().decode())

    def _read(self, attempt: Attempt, reply: Reply) -> None:
        """Report the answer. A refusal needs our envelope, as with orders; all else is a fault."""
        now = self._moment()
        envelope, status = read_envelope(reply.body), reply.status
        if envelope is None or not (200 <= status < 300 or 400 <= status < 500):
            raise ProtocolError(f"the broker's answer to the sign-in is unusable: HTTP {status}")
        if envelope.succeeded and 200 <= status < 300:
            if attempt.sending is Sending.OTP:
                self.auth.otp_sent(attempt)
                return
            self.auth.granted(attempt, AccessToken.read(envelope.data).access_token, now)
            self._keep()
            return
        if TOO_MANY in {status, envelope.status} or not 400 <= envelope.status < 500:
            raise ProtocolError(f"the broker cannot sign in now: {plain(envelope.message)}")
        raise self.auth.refused(attempt, plain(envelope.message), now)

    def _keep(self) -> None:
        if self._file is None:
            return
        self.file_problem = ""
        try:
            self._file.save(self.auth.kept())
        except CredentialError as error:
            self.file_problem = str(error)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def keep_signed_in(
    session: Session, problem: Callable[[BrokerError], None], every: float = 30.0
) -> None:
    """Renew ahead of time for as long as this task runs, reporting each problem to `problem`.

    A source of codes that gives a refused code again is not believed: the code is not sent a second time.
    """
    while True:
        for purpose in (Purpose.TRADE, Purpose.READ):
            try:
                await session.renew(purpose)
            except BrokerError as error:
                problem(error)
        await asyncio.sleep(every)
