"""Signing in, sans-I/O: which token may be used now, and what must be sent or asked to get one.

Ask `step` what to do next for a purpose. It says: use this token, send this attempt, ask the person for a
code, or wait. Report what became of it. At most one attempt is under way at any moment, whoever asks, and at
most one question. `ahead` says the same of what should be renewed before its end.

    read     a token for queries and the stream; the code is not checked (`isSave` false)
    trade    a token that may place orders: the code is checked once (`isSave` true). With `saved` false the
             read token serves, and the code goes into each order's body.

A code that was refused is forgotten at once and never sent again, so that no retry can lock it. A one-time
code is spent when it was sent, whatever came back. A PIN may be sent again after a network fault, but only a
few times until it has proven right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from algo.brokers.fctrading.credentials import TwoFactor
from algo.errors import AuthError, BrokerError, CodeLocked, CodeRefused
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import Moment, Token, read_token

RENEW_AHEAD = 3600.0
"""Seconds before the end at which a token is renewed, at most a quarter of its life."""
EXPIRING = 1800.0
"""Seconds before the end at which trading shows as expiring, at most an eighth of its life."""
MARGIN = 5.0
"""A token with less than these seconds left is not sent: it could expire on its way."""
UNPROVEN_SENDS = 3
_LONGEST_PAUSE = 60.0
_UNCHECKED = Secret("1")
"""What the official client sends as the code of a read token."""

_LOCKED = re.compile(r"lock|blocked|khoá|khóa|bị chặn", re.IGNORECASE)
_THE_CODE = re.compile(r"\b(?:pin|otp|code|2fa|mã)\b", re.IGNORECASE)
_OTHER_CODES = re.compile(
    r"\b(?:stock|symbol|instrument|security|securities|order|error|client|market|exchange)\s+code\b"
    r"|\bmã\s+(?:chứng khoán|ck|cổ phiếu|hợp đồng|lệnh|khách hàng|lỗi)\b",
    re.IGNORECASE,
)
_THE_KEY = re.compile(r"consumer|\bkey\b|connection|quota|secret|permission", re.IGNORECASE)
_THE_ACCOUNT = re.compile(r"account|tài khoản", re.IGNORECASE)


class Purpose(Enum):
    """What a token is wanted for."""

    READ = "read"
    TRADE = "trade"


class State(Enum):
    """What the runtime shows of the sign-in."""

    SIGNED_OUT = "signed out"
    WAITING_FOR_CODE = "waiting for code"
    READ_ONLY = "read only"
    TRADING = "trading"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class Sending(Enum):
    """The three requests of a sign-in."""

    READ = "read"
    WRITE = "write"
    OTP = "otp"


@dataclass(frozen=True)
class Use:
    """This token is good now."""

    token: Secret


@dataclass(frozen=True)
class Attempt:
    """Send this: AccessToken for READ and WRITE, GetOTP for OTP.

    Then call `granted` or `otp_sent`, `refused`, `failed` or `not_sent`, once.
    """

    number: int
    sending: Sending
    code: Secret


@dataclass(frozen=True)
class AskCode:
    """Ask the person for a code, then call `give_code`."""

    kind: TwoFactor


@dataclass(frozen=True)
class Wait:
    """Not now: an attempt or a question is under way, or the last attempt failed for `reason`."""

    seconds: float
    """Until it is worth asking again; 0 while something is under way, which will be reported."""
    reason: BrokerError | None = None


Step = Use | Attempt | AskCode | Wait


class Auth:
    """The sign-in of one person. Every method takes the present `Moment`; none waits."""

    def __init__(self, two_factor: TwoFactor, *, saved: bool = True) -> None:
        self.two_factor = two_factor
        self.saved = saved
        self.locked = False
        self._read: Token | None = None
        self._write: Token | None = None
        self._code: Secret | None = None
        self._code_proven = False
        self._code_sends = 0
        self._refused_code: Secret | None = None
        self._otp_asked = False
        self._asking = False
        self._attempt: Attempt | None = None
        self._number = 0
        self._failures = 0
        self._pause_until = 0.0
        self._last_failure: BrokerError | None = None
        self._had_token = False

    # What the runtime sees

    def state(self, now: Moment) -> State:
        """Where the sign-in stands at `now`."""
        trading = self._trading_token(now)
        if trading is not None:
            near = min(EXPIRING, trading.life / 8)
            return State.EXPIRING if trading.left(now) <= near else State.TRADING
        if self._asking:
            return State.WAITING_FOR_CODE
        if _good(self._read, now):
            return State.READ_ONLY
        return State.EXPIRED if self._had_token else State.SIGNED_OUT

    def left(self, now: Moment) -> float:
        """Seconds for which orders can still be placed; 0 when they cannot."""
        trading = self._trading_token(now)
        return trading.left(now) if trading is not None else 0.0

    def order_token(self, now: Moment) -> Secret:
        """The token for an order right now. Raises AuthError when there is none: an order never waits."""
        token = self._trading_token(now)
        if token is None:
            raise AuthError(f"orders need a sign-in: it is {self.state(now).value}")
        return token.secret

    def order_code(self) -> str:
        """The `code` of an order's body: '' when the token itself may place orders."""
        return "" if self.saved or self._code is None else self._code.reveal()

    # What to do next

    def step(self, purpose: Purpose, now: Moment) -> Step:
        """What to do to have a token for `purpose`. Raises CodeLocked when only an unlocked code helps."""
        usable = self._usable(purpose, now)
        return Use(usable.secret) if usable is not None else self._next(purpose, now)

    def ahead(self, purpose: Purpose, now: Moment) -> Step | None:
        """What to do to renew the token of `purpose` before its end; None while that is not due.

        The old token is used on meanwhile. Raises CodeLocked when only an unlocked code helps.
        """
        own = self._trading_token(now) if purpose is Purpose.TRADE else self._good_read(now)
        if own is None or own.left(now) > min(RENEW_AHEAD, own.life / 4):
            return None
        return self._next(purpose, now, renew=True)

    def _next(self, purpose: Purpose, now: Moment, *, renew: bool = False) -> Step:
        if self._attempt is not None:
            return Wait(0.0)
        if now.steady < self._pause_until:
            return Wait(self._pause_until - now.steady, self._last_failure)
        if purpose is Purpose.READ:
            return self._begin(Sending.READ, _UNCHECKED)
        if not self.saved and (renew or self._good_read(now) is None):
            return self._begin(Sending.READ, _UNCHECKED)
        if self.locked:
            raise CodeLocked("the code is locked: unlock it with the broker, then sign in again")
        if self._code is not None:
            return self._begin(Sending.WRITE, self._code)
        if self._asking:
            return Wait(0.0)
        if self.two_factor is TwoFactor.OTP and not self._otp_asked:
            return self._begin(Sending.OTP, Secret(""))
        self._asking = True
        return AskCode(self.two_factor)

    def _begin(self, sending: Sending, code: Secret) -> Attempt:
        self._number += 1
        self._attempt = Attempt(self._number, sending, code)
        if sending is Sending.WRITE:
            self._code_sends += 1
        return self._attempt

    # What became of it

    def give_code(self, code: Secret) -> None:
        """The person gave a code. After a lock this is how they say that they unlocked it.

        What becomes of an attempt that is still under way says nothing about this code.

        Raises CodeRefused for no code, and for the one that was refused last: it would only lock.
        """
        self.no_code()
        given = Secret(code.reveal().strip())
        if not given or given == self._refused_code:
            raise CodeRefused("this code was refused before: give another one" if given else "no code given")
        self.locked = False
        self._forget_code()
        self._code = given
        self._failures = 0
        self._pause_until = 0.0

    def no_code(self) -> None:
        """The person gave none: stop waiting for it. The next step for trading asks again."""
        self._asking = False
        self._otp_asked = False

    def granted(self, attempt: Attempt, token: str, now: Moment) -> None:
        """The broker answered an AccessToken with `token`. One that is no use counts as a failure."""
        if not self._is_current(attempt):
            return
        found = read_token(token, now)
        if found is None or found.left(now) <= MARGIN:
            why = "it is no token" if found is None else "it has expired: check this machine's clock"
            self.failed(attempt, AuthError(f"the broker's new token cannot be used: {why}"), now)
            return
        self._settle()
        self._had_token = True
        if attempt.sending is Sending.WRITE:
            self._write = found
            if attempt.code is self._code:
                self._code_proven = True
                if self.two_factor is not TwoFactor.PIN:
                    self._code = None
        else:
            self._read = found

    def otp_sent(self, attempt: Attempt) -> None:
        """The broker says that it sent the person a code."""
        if self._is_current(attempt):
            self._settle()
            self._otp_asked = True

    def refused(self, attempt: Attempt, message: str, now: Moment) -> AuthError:
        """The broker refused. Returns the error to show, which tells a wrong code from a wrong key."""
        error = self._reason(attempt, message)
        if not self._is_current(attempt):
            return error
        if isinstance(error, CodeRefused | CodeLocked):
            self.locked = isinstance(error, CodeLocked)
            self._refused_code = None if self.locked else attempt.code
            self._settle()
            if self.locked or attempt.code == self._code:
                self._forget_code()
        else:
            self._count_code(attempt)
            self._fail(error, now)
        return error

    def failed(self, attempt: Attempt, error: BrokerError, now: Moment) -> None:
        """No usable answer came. The attempt may be made again after a pause; a one-time code may not."""
        if not self._is_current(attempt):
            return
        self._count_code(attempt)
        self._fail(error, now)

    def not_sent(self, attempt: Attempt, error: BrokerError, now: Moment) -> None:
        """The attempt provably never left, so that its code is as fresh as before."""
        if self._is_current(attempt):
            if attempt.code is self._code:
                self._code_sends -= 1
            self._fail(error, now)

    def token_refused(self, token: Secret) -> None:
        """The broker refused this token before its end: drop it."""
        if self._read is not None and self._read.secret == token:
            self._read = None
        if self._write is not None and self._write.secret == token:
            self._write = None

    def order_refused(self, message: str) -> bool:
        """The broker refused an order. Whether that was for the code in its body, which is then forgotten."""
        if self.saved or self._code is None or not _is_about_code(message):
            return False
        self.locked = bool(_LOCKED.search(message))
        self._refused_code = None if self.locked else self._code
        self._forget_code()
        return True

    # What is kept over a restart

    def kept(self) -> dict[str, Token]:
        """The tokens to keep. The code is never kept."""
        found = {"read": self._read, "write": self._write}
        return {name: token for name, token in found.items() if token is not None}

    def restore(self, kept: dict[str, Token], now: Moment) -> None:
        """Take up kept tokens that have not expired."""
        for name, token in kept.items():
            if not _good(token, now):
                continue
            if name == "write":
                self._write, self._had_token = token, True
            elif name == "read":
                self._read, self._had_token = token, True

    # Inside

    def _good_read(self, now: Moment) -> Token | None:
        return self._read if _good(self._read, now) else None

    def _trading_token(self, now: Moment) -> Token | None:
        if self.saved:
            return self._write if _good(self._write, now) else None
        return self._good_read(now) if self._code is not None else None

    def _usable(self, purpose: Purpose, now: Moment) -> Token | None:
        if purpose is Purpose.TRADE:
            return self._trading_token(now)
        return self._good_read(now) or (self._write if _good(self._write, now) else None)

    def _is_current(self, attempt: Attempt) -> bool:
        return self._attempt is not None and self._attempt.number == attempt.number

    def _settle(self) -> None:
        self._attempt = None
        self._failures = 0
        self._pause_until = 0.0
        self._last_failure = None

    def _fail(self, error: BrokerError, now: Moment) -> None:
        self._attempt = None
        self._last_failure = error
        self._pause_until = now.steady + min(_LONGEST_PAUSE, 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)

    def _count_code(self, attempt: Attempt) -> None:
        """The attempt's code was sent without a verdict: a one-time code is spent, a PIN nearly so."""
        if attempt.code is not self._code or self._code_proven:
            return
        if self.two_factor is not TwoFactor.PIN or self._code_sends >= UNPROVEN_SENDS:
            self._forget_code()

    def _forget_code(self) -> None:
        self._code = None
        self._code_proven = False
        self._code_sends = 0
        self._otp_asked = False

    def _reason(self, attempt: Attempt, message: str) -> AuthError:
        other = attempt.sending is not Sending.WRITE
        if not other and not _is_about_code(message):
            locked = _LOCKED.search(message) is not None
            other = bool(_THE_KEY.search(message) or (_THE_ACCOUNT.search(message) and not locked))
        if other:
            return AuthError(f"the broker refused to sign in: {message}")
        if _LOCKED.search(message):
            return CodeLocked(f"the code is locked, unlock it with the broker: {message}")
        return CodeRefused(f"the broker refused the code: {message}")


def _is_about_code(message: str) -> bool:
    """Whether the broker's words are about a PIN or one-time code, and not about a stock's code."""
    return _THE_CODE.search(_OTHER_CODES.sub("", message)) is not None


def _good(token: Token | None, now: Moment) -> bool:
    return token is not None and token.left(now) > MARGIN
