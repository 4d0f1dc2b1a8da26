"""The tables of the settings file: what each may hold, and what becomes of it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from algo.clock import MINUTE, SECOND
from algo.config.values import Count, Duration, Hidden, HiddenUrl, Place, Share, Url
from algo.errors import SettingError
from algo.fastconnect.addresses import is_loopback
from algo.fastconnect.secret import Secret
from algo.model import Account
from algo.orders.controls import ControlSettings
from algo.orders.risk import Limits

if TYPE_CHECKING:
    from algo.alerts import Notify
    from algo.brokers.fctrading.credentials import Credentials

LIMITS = tuple(one.name for one in fields(Limits))
_DEFAULTS = ControlSettings()


class _Table(BaseModel):
    """A table of the file: nothing in it that it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: object) -> object:
        names = [one.alias or name for name, one in cls.model_fields.items()]
        for name in given if isinstance(given, Mapping) else ():
            if name not in names:
                near = difflib.get_close_matches(str(name), names, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it may have {', '.join(names)}"
                raise ValueError(f"there is no {str(name)[:40]!r}: {hint}")
        return given


class LimitTable(_Table):
    """As `algo.orders.Limits`: quantities in shares or contracts, the rest in đồng."""

    order_quantity: Count | None = None
    order_value: Count | None = None
    position: Count | None = None
    daily_loss: Count | None = None

    def limits(self, default: Limits | None = None) -> Limits:
        """What is set here, and where nothing is, what `default` has."""
        base = default or Limits()
        return Limits(**{name: getattr(self, name) or getattr(base, name) for name in LIMITS})


class LimitsTable(LimitTable):
    """`[limits]`: of each strategy, and of the account."""

    account: LimitTable = LimitTable()


class Cash(_Table):
    """Đồng of a strategy's own in each account."""

    equity: Annotated[int, Field(strict=True, ge=0)] = 0
    derivatives: Annotated[int, Field(strict=True, ge=0)] = 0

    def by_account(self) -> dict[Account, int]:
        """As ledgers want it."""
        found = {Account.EQUITY: self.equity, Account.DERIVATIVES: self.derivatives}
        return {account: amount for account, amount in found.items() if amount}


class StrategyTable(_Table):
    """`[strategies.NAME]`: what is one strategy's own. `source` names its code as the command line does."""

    source: str = ""
    parameters: dict[str, Any] = {}
    cash: Cash = Cash()
    limits: LimitTable = LimitTable()


class ControlTable(_Table):
    """`[controls]`: as `ControlSettings`, in the units that people write."""

    collar: Share = _DEFAULTS.collar
    repeat: Duration = _DEFAULTS.repeat
    open_orders: Count = _DEFAULTS.open_orders
    refusals: Count = _DEFAULTS.refusals
    loops: Count = _DEFAULTS.loops
    loop_window: Duration = _DEFAULTS.loop_window
    reentry: Duration = _DEFAULTS.reentry
    unknown_blocks: Duration = _DEFAULTS.unknown_blocks
    unknown_halts: Count = _DEFAULTS.unknown_halts
    token_life: Duration = round(_DEFAULTS.token_life * SECOND)

    def settings(self, account: Limits) -> ControlSettings:
        """The controls of a run whose account has these limits."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return ControlSettings(**given | {"token_life": self.token_life / SECOND, "account": account})


class WebhookTable(_Table):
    """`[alerts.webhook]`: JSON is posted to `url`, which is a secret to many services."""

    url: HiddenUrl


class EmailTable(_Table):
    """`[alerts.email]`. Without TLS only this machine's own server is spoken to."""

    host: str
    port: Annotated[int, Field(gt=0, lt=65536)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: Hidden | None = None
    sender: Annotated[str, Field(alias="from", min_length=3)]
    to: Annotated[list[str], Field(min_length=1)]

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            raise ValueError('tls = "none" is for a server on this machine only')
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password go together")
        return self


class TelegramTable(_Table):
    """`[alerts.telegram]`: a bot's token and the chat that it writes to."""

    token: Hidden
    chat: Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
    base_url: Url = "https://api.telegram.org"


class AlertTable(_Table):
    """`[alerts]`: where halts, alarms and what strategies say with `notify` go."""

    terminal: bool = True
    log: Place | None = None
    webhook: WebhookTable | None = None
    email: EmailTable | None = None
    telegram: TelegramTable | None = None
    merge: Duration = MINUTE

    def channels(self, write: Callable[[str], None]) -> list[Notify]:
        """What was asked for, ready to be used; `write` shows a line to whoever sits at the terminal."""
        from algo.alerts.channels import Email, LogFile, Telegram, Terminal, Webhook

        found: list[Notify] = [Terminal(write)] if self.terminal else []
        if self.log is not None:
            found.append(LogFile(self.log))
        if self.webhook is not None:
            found.append(Webhook(self.webhook.url))
        if (mail := self.email) is not None:
            found.append(
                Email(mail.host, mail.port, mail.sender, mail.to, mail.user, mail.password, tls=mail.tls)
            )
        if self.telegram is not None:
            found.append(Telegram(self.telegram.token, self.telegram.chat, self.telegram.base_url))
        return found

    @property
    def secrets(self) -> list[Secret]:
        """All that must be seen nowhere."""
        found = [self.webhook.url] if self.webhook else []
        found += [self.email.password] if self.email and self.email.password else []
        return found + ([self.telegram.token] if self.telegram else [])


class LiveSettings(_Table):
    """All of the file. Without one, the defaults: no limits, so that nothing live starts."""

    journal: Place = Path("live.journal")
    credentials: Place | None = None
    tokens: Place | None = None
    logs: Place | None = None
    accounts: list[str] = []
    otp: Literal["pin", "otp", "smart-otp"] | None = None
    warm_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 10
    limits: LimitsTable = LimitsTable()
    strategies: dict[str, StrategyTable] = {}
    controls: ControlTable = ControlTable()
    alerts: AlertTable = AlertTable()

    def limits_of(self, strategy: str) -> Limits:
        """The limits of one strategy: its own, and where it has none, those of all."""
        own = self.strategies.get(strategy)
        return (own.limits if own else LimitTable()).limits(self.limits.limits())

    def control_settings(self) -> ControlSettings:
        """The operational controls, with the account's limits."""
        return self.controls.settings(self.limits.account.limits())

    def missing_limits(self, *strategies: str) -> list[str]:
        """Limits that are required before live starts and are not set, for any of these strategies."""
        found = [self.limits_of(name) for name in strategies or ("",)]
        return [name for name in LIMITS if any(getattr(one, name) is None for one in found)]

    def allow_live(self, credentials: Credentials, *strategies: str) -> None:
        """Raise SettingError unless limits are set and each account of `credentials` is confirmed by name."""
        missing = self.missing_limits(*strategies)
        if missing:
            raise SettingError(f"no live trading without limits: set {', '.join(missing)} under [limits]")
        numbers = [one for one in (credentials.accounts.equity, credentials.accounts.derivatives) if one]
        unnamed = [one for one in numbers if one not in self.accounts]
        if unnamed:
            raise SettingError(
                f"live trades in accounts that are named alone: write accounts = {json.dumps(numbers)}"
            )
