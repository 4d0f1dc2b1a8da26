"""Every error that algo raises, as one tree. Each class says what the caller may do.

    AlgoError
    ├── InputError               something the user gave is wrong: mend it and run again (exit code 2)
    │   ├── SettingError         a setting or option is impossible
    │   ├── ParameterError       a strategy parameter is unknown or of the wrong type
    │   ├── StrategyLoadError    the strategy file cannot be used
    │   ├── DataError            market data is missing, unreadable or inconsistent
    │   ├── CredentialError      a key, secret or account is missing or unusable
    │   └── CatalogError         the catalog does not have what was asked for
    ├── StrategyError            a user's strategy raised: the run ends, its results so far are kept
    ├── RunFailed                a fault inside a run or a sandbox ended all of it: look what it was
    ├── ExhaustedError           a bounded resource of the day (request ids) is used up: stop placing
    ├── JournalMismatch          a recorded run does not come to the same again: an operator must look
    ├── JournalError             the record of a run cannot be used: send nothing but cancels
    │   ├── CodecError           a value that it cannot hold: a bug, or something odd in a strategy's state
    │   ├── JournalLocked        another process writes it: stop that one first
    │   ├── JournalForeign       no journal, or one of another account, version or place: name the right one
    │   ├── JournalDamaged       torn or altered: look at it, set it aside whole, begin anew from the broker
    │   └── JournalFailed        a write failed (disk full, read-only): mend that and start again
    ├── ChannelFailed            an alert was not delivered: try again after `wait` seconds, tell the others
    └── BrokerError              talking to a broker failed
        ├── AuthError            not signed in, or the sign-in was refused: sign in again
        │   ├── CodeRefused      the PIN or OTP is wrong: ask the person for another one
        │   └── CodeLocked       the code is locked: a person must unlock it with the broker
        ├── RequestRefused       the broker provably refused the request: do not send it again unchanged
        ├── RequestUnknown       the outcome is unknown: ask the broker, never send again
        ├── RequestNotSent       provably not sent: the order does not exist
        ├── QuotaExceeded        the rate limit is used up: wait for `retry_after` seconds
        ├── QueryFailed          a read failed after its retries: the state is as unknown as before
        └── ProtocolError        the other side broke the protocol: drop the connection and reconnect

A refused order is not an error: it is an event (`OrderRejected`) that the strategy hears.
"""

from __future__ import annotations

from typing import Any


class AlgoError(Exception):
    """Base of every error that algo raises on purpose. Its text is one line for a person."""


class InputError(AlgoError):
    """Something the user gave is wrong. The text says what to do; the command line exits with 2."""


class SettingError(InputError):
    """A setting or an option is impossible, alone or together with another one."""


class ParameterError(InputError):
    """A strategy parameter is unknown, missing or of the wrong type."""


class StrategyLoadError(InputError):
    """The named strategy cannot be loaded: no such file, no class in it, or it does not import."""


class DataError(InputError):
    """Market data is missing, unreadable or inconsistent."""


class CredentialError(InputError):
    """A key, secret, account or credential file is missing or unusable. Never shows the secret."""


class CatalogError(InputError):
    """The catalog does not have what was asked for."""


class StrategyError(AlgoError):
    """A user's strategy raised. `line` names the place in the user's file as ``file.py:12``.

    `result` is what the run had gathered until then, where there is one.
    """

    def __init__(self, text: str, line: str = "") -> None:
        super().__init__(text)
        self.line = line
        self.result: Any = None


class RunFailed(AlgoError):
    """A part of a live run or of a sandbox raised, so all of it ended. `__cause__` is what was raised."""


class ExhaustedError(AlgoError):
    """A bounded resource of the trading day is used up; nothing more can be placed today."""


class JournalMismatch(AlgoError):
    """A recorded run does not come to the same again: another version wrote it, or it was changed."""


class JournalError(AlgoError):
    """The durable record of a run cannot be used. Nothing but cancels may be sent without one."""


class CodecError(JournalError):
    """A value has a type that the journal does not hold, or a row has none that it knows. Shows no value."""


class JournalLocked(JournalError):
    """Another process writes this journal. One account has one writer."""


class JournalForeign(JournalError):
    """No journal of ours, or one of another account, of another version, or copied from another place."""


class JournalDamaged(JournalError):
    """The journal is torn or was altered. `seq` is the first row that is not as it was, 0 when unknown."""

    def __init__(self, text: str, seq: int = 0) -> None:
        super().__init__(text)
        self.seq = seq


class JournalFailed(JournalError):
    """A write did not become durable. What was committed before is safe; nothing more is taken."""


class ChannelFailed(AlgoError):
    """An alert was not delivered. The text has no secret; `wait` is in seconds, 0 when not told."""

    def __init__(self, text: str, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


class BrokerError(AlgoError):
    """Talking to a broker failed. The subclasses say whether the request may exist over there."""


class AuthError(BrokerError):
    """Not signed in, or the sign-in was refused."""


class CodeRefused(AuthError):
    """The PIN or one-time code is wrong. Ask the person for another one; do not retry this one."""


class CodeLocked(AuthError):
    """The PIN or one-time code is locked after wrong attempts. A person must unlock it."""


class RequestRefused(BrokerError):
    """The broker's own envelope refused the request: proof that it has no effect."""

    def __init__(self, text: str, status: int = 0, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


class RequestUnknown(BrokerError):
    """The request may or may not have arrived. Ask the broker; never send it again."""


class RequestNotSent(BrokerError):
    """The request provably never left this machine."""


class QuotaExceeded(BrokerError):
    """The broker's rate limit is used up. `retry_after` is in seconds."""

    def __init__(self, text: str, retry_after: float = 1.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class QueryFailed(BrokerError):
    """A read failed after its bounded retries. Nothing may be concluded from it."""


class ProtocolError(BrokerError):
    """The other side sent something the protocol does not allow."""


def place_of(error: BaseException) -> str:
    """What was raised and where, as ``KeyError at market.py:120``; its text may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
        where = f" at {file}:{trace.tb_lineno}"
    return type(error).__name__ + where
