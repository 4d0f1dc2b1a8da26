"""Settings of live trading: what people write becomes what the rooms need, and mistakes are one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import MINUTE, SECOND
from algo.config import LiveSettings, load_settings
from algo.config.values import duration, share
from algo.errors import SettingError
from algo.model import Account
from algo.orders.controls import ControlSettings
from algo.orders.risk import Limits

SECRET = "planted-secret-of-a-bot"
WHOLE = """
journal = "day/live.journal"
credentials = "/somewhere/ssi.json"
accounts = ["0901351", "0901358"]
otp = "smart-otp"

[limits]
order_quantity = 5
order_value = 1_000_000_000
position = 10
daily_loss = 20_000_000

[limits.account]
position = 15

[strategies.sma]
source = "strategies/sma_cross.py"
parameters = { fast = 10 }
cash = { derivatives = 200_000_000 }
limits = { position = 2 }

[controls]
collar = "2.5%"
repeat = "500ms"
loop_window = "2m"
token_life = "1h"
unknown_halts = 2

[alerts]
log = "alerts.jsonl"

[alerts.telegram]
token = "env:BOT"
chat = 42
"""


def load(folder: Path, text: str, mode: int = 0o600, **given: Any) -> LiveSettings:
    path = folder / "live.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return load_settings(path, **{"environment": {}, "keyring": lambda _s, _n: None} | given)


def test_all_that_can_be_written_is_there(tmp_path: Path) -> None:
    found = load(tmp_path, WHOLE, environment={"BOT": SECRET})
    assert found.journal == tmp_path / "day/live.journal"
    assert found.credentials == Path("/somewhere/ssi.json")
    assert found.limits_of("another") == Limits(5, 1_000_000_000, 10, 20_000_000)
    assert found.limits_of("sma") == Limits(5, 1_000_000_000, 2, 20_000_000)
    assert found.strategies["sma"].cash.by_account() == {Account.DERIVATIVES: 200_000_000}
    assert found.control_settings() == ControlSettings(
        collar=0.025,
        repeat=SECOND // 2,
        loop_window=2 * MINUTE,
        token_life=3600.0,
        unknown_halts=2,
        account=Limits(position=15),
    )
    assert found.alerts.telegram is not None
    assert found.alerts.telegram.token.reveal() == SECRET
    assert found.alerts.log == tmp_path / "alerts.jsonl"
    assert [one.name for one in found.alerts.channels(print)] == ["terminal", "log", "telegram"]
    assert SECRET not in repr(found) + str(found.model_dump()) + found.model_dump_json(fallback=str)


def test_without_a_file_the_controls_are_the_defaults_and_no_limit_is_set(tmp_path: Path) -> None:
    for found in (load_settings(None), load(tmp_path, "")):
        assert found.control_settings() == ControlSettings()
        assert found.missing_limits("any") == ["order_quantity", "order_value", "position", "daily_loss"]
        assert found.journal.name == "live.journal"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jurnal = 'x'", "there is no 'jurnal': did you mean 'journal'?"),
        (
            "[limits]\norder_quantty = 5",
            "limits: there is no 'order_quantty': did you mean 'order_quantity'?",
        ),
        ("[limits]\nposition = 0", "limits.position: Input should be greater than 0"),
        ("[limits]\nposition = '5'", "limits.position"),
        ("[limits]\nposition = 5.5", "limits.position"),
        ("[limits]\nposition = true", "limits.position"),
        ("[strategies.a.limits]\ndaily_lost = 1", "strategies.a.limits: there is no 'daily_lost'"),
        ("[controls]\ncollar = 3", 'controls.collar: write a share such as "3%" or 0.03'),
        ("[controls]\nrepeat = '2 fortnights'", "controls.repeat: write a time"),
        ("[controls]\nrepeat = -1", "controls.repeat: write a time"),
        ("otp = 'sms'", "otp: Input should be 'pin', 'otp' or 'smart-otp'"),
        (
            "[alerts.telegram]\nchat = 1\ntoken = 'env:NONE'",
            "alerts.telegram.token: the environment has no NONE",
        ),
        (
            "[alerts.telegram]\nchat = 1\ntoken = 'keyring:NONE'",
            "alerts.telegram.token: the keyring has no NONE",
        ),
        ("[alerts.telegram]\nchat = 1\ntoken = 'file:none'", "none cannot be read"),
        ("[alerts.telegram]\ntoken = 'x'", "alerts.telegram.chat: Field required"),
        ("[alerts.webhook]\nurl = 'http://example.com/hook'", "alerts.webhook.url: it must be https://"),
        ("[alerts.webhook]\nurl = 'nonsense'", "alerts.webhook.url: it is not a URL"),
        ("[alerts.email]\nhost='m.vn'\nfrom='a@b.vn'\nto=['c@d.vn']\ntls='none'", "on this machine only"),
        (
            "[alerts.email]\nhost='m.vn'\nfrom='a@b.vn'\nto=['c@d.vn']\nuser='u'",
            "user and password go together",
        ),
        ("[alerts.email]\nhost='m.vn'\nsender='a@b.vn'\nto=['c@d.vn']", "there is no 'sender'"),
        ("journal = 5", "journal: write a path in quotes"),
        ("[limits\n", "is no TOML at line 1"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "live.toml" in str(caught.value)


@pytest.mark.parametrize(
    "table",
    [
        f"[alerts.telegram]\nchat = 1\ntoken = '{SECRET}'\nextra = 1",
        f"[alerts.webhook]\nurl = 'ftp://{SECRET}'",
        f"[alerts.email]\nhost='m'\npassword='{SECRET}'\nfrom='a@b.vn'\nto=['x']",
        f"token = '{SECRET}",
        f"[alerts.telegram]\nchat = ['{SECRET}']\ntoken = 'x'",
    ],
)
def test_a_secret_is_in_no_error(tmp_path: Path, table: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(tmp_path, table)
    shown = caught.value
    assert SECRET not in str(shown) + repr(shown.__cause__) + (
        repr(shown.__context__) if not shown.__suppress_context__ else ""
    )


def test_a_secret_stands_in_a_file_that_nobody_else_reads_alone(tmp_path: Path) -> None:
    text = f"[alerts.webhook]\nurl = 'https://example.com/{SECRET}'"
    assert load(tmp_path, text, 0o600).alerts.webhook.url.reveal().endswith(SECRET)  # type: ignore[union-attr]
    with pytest.raises(SettingError, match="chmod 600"):
        load(tmp_path, text, 0o640)


def test_a_secret_comes_from_a_private_file_or_the_keyring(tmp_path: Path) -> None:
    kept = tmp_path / "bot"
    kept.write_text(SECRET + "\n")
    kept.chmod(0o644)
    text = "[alerts.telegram]\nchat = 1\ntoken = 'file:bot'"
    with pytest.raises(SettingError, match="chmod 600"):
        load(tmp_path, text)
    kept.chmod(0o600)
    assert load(tmp_path, text, 0o644).alerts.telegram.token.reveal() == SECRET  # type: ignore[union-attr]
    asked: list[tuple[str, str]] = []

    def keyring(service: str, name: str) -> str:
        asked.append((service, name))
        return SECRET

    found = load(tmp_path, "[alerts.telegram]\nchat = 1\ntoken = 'keyring:bot'", 0o644, keyring=keyring)
    assert found.alerts.secrets[0].reveal() == SECRET
    assert asked == [("algo", "bot")]


class _Person:
    def __init__(self, equity: str, derivatives: str) -> None:
        from algo.brokers.fctrading.credentials import Accounts

        self.accounts = Accounts(equity, derivatives)


def test_live_needs_limits_and_accounts_that_are_named(tmp_path: Path) -> None:
    found = load(tmp_path, WHOLE, environment={"BOT": SECRET})
    found.allow_live(_Person("0901351", "0901358"), "sma")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r'accounts = \["0901351", "0909998"\]'):
        found.allow_live(_Person("0901351", "0909998"))  # type: ignore[arg-type]
    bare = load(tmp_path, "accounts = ['1']\n[limits]\nposition = 1")
    with pytest.raises(SettingError, match="order_quantity, order_value, daily_loss"):
        bare.allow_live(_Person("1", ""))  # type: ignore[arg-type]
    part = load(tmp_path, "[strategies.a.limits]\nposition=1\norder_value=1\norder_quantity=1\ndaily_loss=1")
    assert part.missing_limits("a") == []
    assert len(part.missing_limits("a", "b")) == 4


@given(
    st.integers(0, 10**6), st.sampled_from([("ms", 10**6), ("s", SECOND), ("m", MINUTE), ("h", 60 * MINUTE)])
)
def test_times_are_what_their_units_say(number: int, unit: tuple[str, int]) -> None:
    name, ns = unit
    assert duration(f"{number}{name}") == duration(f" {number} {name} ") == number * ns


@given(st.integers(1, 10_000))
def test_a_share_in_percent_is_a_hundredth(hundredths: int) -> None:
    assert share(f"{hundredths / 100:.2f}%") == pytest.approx(hundredths / 10_000)
    assert share(hundredths / 10_000) == hundredths / 10_000


@given(st.one_of(st.text(), st.floats(allow_nan=True), st.booleans(), st.none(), st.lists(st.integers())))
def test_anything_else_is_a_value_error_and_nothing_worse(value: object) -> None:
    for read in (duration, share):
        try:
            assert read(value) >= 0
        except ValueError as error:
            assert "write a" in str(error)
