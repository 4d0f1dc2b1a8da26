"""The sign-in against a model of the broker: tokens expire, codes are wrong, servers fail, callers meet."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from algo.brokers.fctrading.auth import (
    UNPROVEN_SENDS,
    AskCode,
    Attempt,
    Auth,
    Purpose,
    Sending,
    State,
    Step,
    Use,
    Wait,
)
from algo.brokers.fctrading.credentials import TwoFactor
from algo.errors import AuthError, CodeLocked, CodeRefused, QueryFailed, RequestNotSent
from algo.fastconnect.secret import Secret
from algo.fastconnect.tokens import LIFETIME, Moment, read_token
from tests.brokers.fctrading.stub import jwt

START = 1_780_000_000.0
CODES = ["111111", "222222", "333333"]


class SignIn(RuleBasedStateMachine):
    """Any number of callers over one `Auth`. The model knows the broker's tokens and what was sent."""

    @initialize(kind=st.sampled_from(TwoFactor), saved=st.booleans())
    def begin(self, kind: TwoFactor, saved: bool) -> None:
        self.wall, self.steady = START, 50.0
        self.auth = Auth(kind, saved=saved)
        self.kind = kind
        self.attempt: Attempt | None = None
        self.old: list[Attempt] = []
        self.asking = False
        self.ends: dict[str, tuple[float, float]] = {}
        self.refused_last: str | None = None
        self.given: str | None = None
        self.sends = 0
        self.proven = False
        self.giving = self.sent_giving = 0
        self.count = 0
        self.quiet_until = 0.0

    @property
    def now(self) -> Moment:
        return Moment(self.wall, self.steady)

    def follow(self, step: Step | None) -> None:
        if isinstance(step, Use):
            wall, steady = self.ends[step.token.reveal()]
            assert self.wall < wall, "an expired token was handed out"
            assert self.steady < steady
        elif isinstance(step, Attempt):
            assert self.attempt is None, "two attempts at once"
            self.attempt = step
            if step.sending is Sending.WRITE:
                code = step.code.reveal()
                assert not self.auth.locked
                assert code == self.given
                assert code != self.refused_last, "a refused code was sent again"
                self.sends += 1
                self.sent_giving = self.giving
                if self.kind is TwoFactor.PIN:
                    assert self.proven or self.sends <= UNPROVEN_SENDS
                else:
                    assert self.sends == 1, "a one-time code was sent twice"
            assert self.steady >= self.quiet_until, "it did not pause after a failure"
            if step.sending is Sending.OTP:
                assert self.kind is TwoFactor.OTP
        elif isinstance(step, AskCode):
            assert not self.asking, "the person was asked twice at once"
            self.asking = True
        elif isinstance(step, Wait):
            assert step.seconds >= 0
            if step.reason is None:
                assert self.attempt is not None or self.asking, "it waits for nothing"

    @rule(purpose=st.sampled_from(Purpose))
    def ask(self, purpose: Purpose) -> None:
        try:
            self.follow(self.auth.step(purpose, self.now))
        except CodeLocked:
            assert self.auth.locked

    @rule(purpose=st.sampled_from(Purpose))
    def keep(self, purpose: Purpose) -> None:
        try:
            self.follow(self.auth.ahead(purpose, self.now))
        except CodeLocked:
            assert self.auth.locked

    @rule(seconds=st.sampled_from([0.5, 3, 61, 900, 3600, 7 * 3600, 9 * 3600]))
    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    @rule(seconds=st.sampled_from([-7200, -60, 60, 7200]))
    def jump(self, seconds: float) -> None:
        self.wall += seconds

    @rule(seconds=st.sampled_from([600, 6 * 3600]))
    def suspend(self, seconds: float) -> None:
        """The machine sleeps: the steady clock of some systems stands still meanwhile."""
        self.wall += seconds

    def is_about_the_code(self, attempt: Attempt) -> bool:
        """Whether the attempt carried the code that was given last, and not an earlier one."""
        return attempt.sending is Sending.WRITE and self.sent_giving == self.giving

    def settle(self) -> Attempt:
        attempt, self.attempt = self.attempt, None
        assert attempt is not None
        self.old.append(attempt)
        return attempt

    @precondition(lambda self: self.attempt is not None)
    @rule(
        life=st.sampled_from([8 * 3600, 3600, 60, 5, 0, -100]), form=st.sampled_from(["exp", "iat", "none"])
    )
    def grant(self, life: int, form: str) -> None:
        attempt = self.settle()
        if attempt.sending is Sending.OTP:
            self.auth.otp_sent(attempt)
            return
        self.count += 1
        if form == "none":
            token, life = f"opaque-{self.count}", int(LIFETIME)
        else:
            extra = {"iat": int(self.wall)} if form == "iat" else {}
            token = jwt(self.wall + life, n=self.count, **extra)
        self.ends[token] = (int(self.wall + life) if form != "none" else self.wall + life, self.steady + life)
        self.auth.granted(attempt, token, self.now)
        if self.is_about_the_code(attempt) and life > 10:
            self.proven = True

    @precondition(lambda self: self.attempt is None and not self.asking)
    @rule(code=st.sampled_from(CODES), life=st.sampled_from([8 * 3600, 3600, 60]))
    def sign_in_well(self, code: str, life: int) -> None:
        """The way it should go, so that what follows it is tried often."""
        self.give(code)
        for purpose in Purpose:
            self.ask(purpose)
            if self.attempt is not None:
                self.grant(life, "iat")

    @precondition(lambda self: self.attempt is not None)
    @rule(
        message=st.sampled_from(["OTP is invalid", "PIN wrong", "PIN is locked", "Tài khoản bị khóa mã PIN"])
    )
    def refuse_code(self, message: str) -> None:
        attempt = self.settle()
        error = self.auth.refused(attempt, message, self.now)
        if attempt.sending is not Sending.WRITE:
            assert type(error) is AuthError
            self.quiet_until = self.steady + 1
            return
        self.quiet_until = 0.0
        if "lock" in message or "khóa" in message:
            assert isinstance(error, CodeLocked)
            self.refused_last = None
        else:
            assert isinstance(error, CodeRefused)
            self.refused_last = attempt.code.reveal()
        if self.auth.locked or attempt.code.reveal() == self.given:
            self.given, self.proven = None, False

    @precondition(lambda self: self.attempt is not None)
    @rule(message=st.sampled_from(["ConsumerID is invalid", "Key does not exist."]))
    def refuse_key(self, message: str) -> None:
        error = self.auth.refused(self.settle(), message, self.now)
        assert type(error) is AuthError
        self.quiet_until = self.steady + 1

    @precondition(lambda self: self.attempt is not None)
    @rule()
    def fail(self) -> None:
        self.auth.failed(self.settle(), QueryFailed("reset"), self.now)
        self.quiet_until = self.steady + 1

    @precondition(lambda self: self.attempt is not None)
    @rule()
    def never_leave(self) -> None:
        attempt = self.settle()
        if self.is_about_the_code(attempt):
            self.sends -= 1
        self.auth.not_sent(attempt, RequestNotSent("no route"), self.now)
        self.quiet_until = self.steady + 1

    @precondition(lambda self: self.old)
    @rule(data=st.data())
    def report_late(self, data: st.DataObject) -> None:
        """An attempt that was settled long ago is reported again: nothing may change."""
        attempt = data.draw(st.sampled_from(self.old))
        before = self.auth.state(self.now), self.auth.locked, self.auth.kept()
        self.auth.refused(attempt, "PIN is locked", self.now)
        self.auth.failed(attempt, QueryFailed("x"), self.now)
        self.auth.granted(attempt, jwt(self.wall + 9999, late=True), self.now)
        assert before == (self.auth.state(self.now), self.auth.locked, self.auth.kept())

    @rule(code=st.sampled_from(CODES))
    def give(self, code: str) -> None:
        self.asking = False
        try:
            self.auth.give_code(Secret(f" {code} "))
        except CodeRefused:
            assert code == self.refused_last
            return
        self.given, self.sends, self.proven = code, 0, False
        self.giving += 1
        self.quiet_until = 0.0

    @precondition(lambda self: self.asking)
    @rule()
    def decline(self) -> None:
        self.asking = False
        self.auth.no_code()

    @rule()
    def order(self) -> None:
        """Orders take a good token or none; the code goes into the body only when the token needs it."""
        try:
            token = self.auth.order_token(self.now).reveal()
        except AuthError:
            assert self.auth.state(self.now) not in {State.TRADING, State.EXPIRING}
            assert self.auth.left(self.now) == 0
            return
        wall, steady = self.ends[token]
        assert self.wall < wall
        assert self.steady < steady
        assert self.auth.state(self.now) in {State.TRADING, State.EXPIRING}
        assert self.auth.left(self.now) > 0
        assert (self.auth.order_code() == "") == self.auth.saved

    @precondition(lambda self: self.ends)
    @rule(data=st.data())
    def broker_drops(self, data: st.DataObject) -> None:
        token = read_token(data.draw(st.sampled_from(sorted(self.ends))), self.now)
        assert token is not None
        self.auth.token_refused(token.secret)
        assert token.secret not in {kept.secret for kept in self.auth.kept().values()}

    @invariant()
    def nothing_shows(self) -> None:
        if hasattr(self, "auth"):
            shown = repr(vars(self.auth))
            assert not any(secret in shown for secret in (*CODES, *self.ends))


SignIn.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSignIn = SignIn.TestCase

NOW = Moment(START, 50.0)


def later(seconds: float) -> Moment:
    return Moment(START + seconds, 50.0 + seconds)


def signed_in(auth: Auth, code: str = "1234", life: float = 8 * 3600) -> None:
    auth.give_code(Secret(code))
    attempt = auth.step(Purpose.TRADE, NOW)
    assert isinstance(attempt, Attempt)
    auth.granted(attempt, jwt(START + life), NOW)


def test_states_of_a_day() -> None:
    auth = Auth(TwoFactor.SMART_OTP)
    assert auth.state(NOW) is State.SIGNED_OUT
    attempt = auth.step(Purpose.READ, NOW)
    assert isinstance(attempt, Attempt)
    assert (attempt.sending, attempt.code.reveal()) == (Sending.READ, "1")
    auth.granted(attempt, jwt(START + 8 * 3600), NOW)
    assert auth.state(NOW) is State.READ_ONLY
    assert auth.step(Purpose.TRADE, NOW) == AskCode(TwoFactor.SMART_OTP)
    assert auth.state(NOW) is State.WAITING_FOR_CODE
    assert auth.step(Purpose.TRADE, NOW) == Wait(0.0)
    auth.give_code(Secret("999999"))
    attempt = auth.step(Purpose.TRADE, NOW)
    assert isinstance(attempt, Attempt)
    auth.granted(attempt, jwt(START + 8 * 3600), NOW)
    assert auth.state(NOW) is State.TRADING
    assert auth.ahead(Purpose.TRADE, later(6 * 3600)) is None
    assert auth.ahead(Purpose.TRADE, later(7 * 3600 + 1)) == AskCode(TwoFactor.SMART_OTP)
    assert auth.state(later(7 * 3600 + 1)) is State.TRADING
    assert auth.state(later(7.6 * 3600)) is State.EXPIRING
    auth.no_code()
    assert auth.state(later(8 * 3600)) is State.EXPIRED


def test_otp_is_asked_for_before_the_person_is() -> None:
    auth = Auth(TwoFactor.OTP)
    attempt = auth.step(Purpose.TRADE, NOW)
    assert isinstance(attempt, Attempt)
    assert attempt.sending is Sending.OTP
    assert auth.step(Purpose.TRADE, NOW) == Wait(0.0)
    auth.otp_sent(attempt)
    assert auth.step(Purpose.TRADE, NOW) == AskCode(TwoFactor.OTP)


def test_a_pin_renews_by_itself_ahead_of_time() -> None:
    auth = Auth(TwoFactor.PIN)
    signed_in(auth)
    assert auth.ahead(Purpose.TRADE, later(6.9 * 3600)) is None
    attempt = auth.ahead(Purpose.TRADE, later(7.1 * 3600))
    assert isinstance(attempt, Attempt)
    assert attempt.code.reveal() == "1234"
    assert isinstance(auth.step(Purpose.TRADE, later(7.1 * 3600)), Use)
    auth.failed(attempt, QueryFailed("down"), later(7.1 * 3600))
    assert isinstance(auth.step(Purpose.TRADE, later(7.2 * 3600)), Use)
    assert isinstance(auth.ahead(Purpose.TRADE, later(7.2 * 3600)), Attempt)


def test_short_lived_tokens_are_not_renewed_all_the_time() -> None:
    auth = Auth(TwoFactor.PIN)
    signed_in(auth, life=400)
    assert auth.state(NOW) is State.TRADING
    assert auth.ahead(Purpose.TRADE, later(290)) is None
    assert isinstance(auth.ahead(Purpose.TRADE, later(301)), Attempt)


def test_failures_are_followed_by_growing_pauses() -> None:
    auth, now, pauses = Auth(TwoFactor.PIN), NOW, []
    for _ in range(9):
        attempt = auth.step(Purpose.READ, now)
        assert isinstance(attempt, Attempt)
        error = QueryFailed("down")
        auth.failed(attempt, error, now)
        wait = auth.step(Purpose.READ, now)
        assert isinstance(wait, Wait)
        assert wait.reason is error
        pauses.append(wait.seconds)
        now = Moment(now.wall, now.steady + wait.seconds)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize("kind", [TwoFactor.PIN, TwoFactor.SMART_OTP])
@pytest.mark.parametrize("fault", ["failed", "refused"])
def test_how_often_a_code_is_sent_without_a_verdict(kind: TwoFactor, fault: str) -> None:
    auth, now, sent = Auth(kind), NOW, 0
    auth.give_code(Secret("1234"))
    while isinstance(attempt := auth.step(Purpose.TRADE, now), Attempt) and sent < 20:
        sent += 1
        if fault == "failed":
            auth.failed(attempt, QueryFailed("reset"), now)
        else:
            auth.refused(attempt, "ConsumerID is invalid", now)
        now = Moment(now.wall + 100, now.steady + 100)
    assert attempt == AskCode(kind)
    assert sent == (UNPROVEN_SENDS if kind is TwoFactor.PIN else 1)


def test_a_token_ends_when_either_clock_says_so() -> None:
    auth = Auth(TwoFactor.PIN)
    signed_in(auth)
    hours = 3600.0
    assert auth.state(Moment(START - 24 * hours, 50 + 7 * hours)) is State.TRADING
    assert auth.state(Moment(START - 24 * hours, 50 + 8 * hours)) is State.EXPIRED
    assert auth.state(Moment(START + 8 * hours, 51)) is State.EXPIRED


def test_the_unsaved_code_goes_into_each_order_until_it_is_refused() -> None:
    auth = Auth(TwoFactor.PIN, saved=False)
    auth.give_code(Secret("1234"))
    attempt = auth.step(Purpose.TRADE, NOW)
    assert isinstance(attempt, Attempt)
    assert attempt.sending is Sending.READ
    auth.granted(attempt, jwt(START + 3600), NOW)
    assert auth.state(NOW) is State.TRADING
    assert auth.order_code() == "1234"
    assert not auth.order_refused("ORD003 price above ceiling")
    assert auth.order_refused("Wrong PIN")
    assert auth.state(NOW) is State.READ_ONLY
    with pytest.raises(CodeRefused):
        auth.give_code(Secret("1234"))


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("PIN is wrong", CodeRefused),
        ("The consumer's PIN is wrong", CodeRefused),
        ("Invalid code", CodeRefused),
        ("something new", CodeRefused),
        ("PIN is locked", CodeLocked),
        ("Your account is locked because of wrong PINs", CodeLocked),
        ("Account has been blocked", CodeLocked),
        ("Tài khoản bị khóa", CodeLocked),
        ("Account is not exist.", AuthError),
        ("ConsumerID is invalid", AuthError),
        ("Key does not exist.", AuthError),
        ("The connection is invalid", AuthError),
        ("Connection has been blocked, quota 5 exceeded by 2", AuthError),
    ],
)
def test_what_a_refusal_of_the_sign_in_is_about(message: str, kind: type[AuthError]) -> None:
    """In doubt it is the code: to send a wrong one again would lock it."""
    auth = Auth(TwoFactor.PIN)
    auth.give_code(Secret("1234"))
    attempt = auth.step(Purpose.TRADE, NOW)
    assert isinstance(attempt, Attempt)
    assert type(auth.refused(attempt, message, NOW)) is kind
    assert auth.locked is (kind is CodeLocked)


@pytest.mark.parametrize(
    ("message", "about"),
    [
        ("OTP is invalid", True),
        ("Wrong code", True),
        ("Mã PIN không đúng", True),
        ("Stock code is invalid", False),
        ("Mã chứng khoán không hợp lệ", False),
        ("Mã lệnh không tồn tại, mã OTP hết hạn", True),
        ("ORD003 price above ceiling", False),
    ],
)
def test_only_a_refusal_for_the_code_forgets_it(message: str, about: bool) -> None:
    """A person whose right code was forgotten could not give it again."""
    auth = Auth(TwoFactor.PIN, saved=False)
    signed_in(auth)
    assert auth.order_refused(message) is about
    assert (auth.order_code() == "") is about


def test_a_refused_code_is_forgotten_at_once() -> None:
    auth = Auth(TwoFactor.PIN)
    auth.give_code(Secret("1234"))
    attempt = auth.step(Purpose.TRADE, NOW)
    assert isinstance(attempt, Attempt)
    assert isinstance(auth.refused(attempt, "Wrong PIN", NOW), CodeRefused)
    assert auth.step(Purpose.TRADE, NOW) == AskCode(TwoFactor.PIN)
    with pytest.raises(CodeRefused):
        auth.give_code(Secret("1234"))
    auth.give_code(Secret("4321"))
    assert isinstance(auth.step(Purpose.TRADE, NOW), Attempt)


def test_kept_tokens_serve_after_a_restart_and_expired_ones_do_not() -> None:
    auth = Auth(TwoFactor.OTP)
    again = Auth(TwoFactor.OTP)
    auth.give_code(Secret("1"))
    signed_in(auth, "123456")
    again.restore(auth.kept(), later(60))
    assert again.state(later(60)) is State.TRADING
    assert again.order_token(later(60)) == auth.order_token(later(60))
    late = Auth(TwoFactor.OTP)
    late.restore(auth.kept(), later(9 * 3600))
    assert late.state(later(9 * 3600)) is State.SIGNED_OUT


def test_a_locked_code_needs_a_person() -> None:
    auth = Auth(TwoFactor.PIN)
    auth.give_code(Secret("1234"))
    attempt = auth.step(Purpose.TRADE, NOW)
    assert isinstance(attempt, Attempt)
    assert isinstance(auth.refused(attempt, "PIN has been locked", NOW), CodeLocked)
    with pytest.raises(CodeLocked):
        auth.step(Purpose.TRADE, NOW)
    auth.give_code(Secret("1234"))
    assert isinstance(auth.step(Purpose.TRADE, NOW), Attempt)


@pytest.mark.parametrize("clock_error", [-3600, 3600])
def test_a_wrong_wall_clock_never_makes_a_token_outlive_itself(clock_error: float) -> None:
    """The broker says when it issued the token, so that its life is known whatever this clock says."""
    token = read_token(jwt(START + 8 * 3600, iat=int(START)), Moment(START + clock_error, 50.0))
    assert token is not None
    assert token.left(Moment(START + clock_error, 50.0)) <= 8 * 3600


@pytest.mark.parametrize("text", ["", "a b", "é", "a\nb", "x" * 9000])
def test_what_cannot_be_a_token(text: str) -> None:
    assert read_token(text, NOW) is None


@pytest.mark.parametrize("payload", ["e30", "bnVsbA", "W10", "!!", "eyJleHAiOiAieCJ9", "eyJleHAiOiB0cnVlfQ"])
def test_a_token_that_does_not_say_lives_eight_hours(payload: str) -> None:
    token = read_token(f"h.{payload}.s", NOW)
    if token is not None:
        assert token.left(NOW) == LIFETIME
