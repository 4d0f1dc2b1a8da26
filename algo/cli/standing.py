"""Which run a command is about: its settings, its journal and who trades, by the same options everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from algo.brokers.fctrading.credentials import Credentials
    from algo.config import LiveSettings

SettingsFile = Annotated[
    Path | None, typer.Option("--settings", metavar="TOML", help="The settings of the run: docs/live.md.")
]
JournalFile = Annotated[
    Path | None,
    typer.Option(
        "--journal", metavar="FILE", help="The run's journal. Else the settings', else live.journal."
    ),
]


@dataclass(frozen=True)
class Standing:
    """One run, whether or not it goes on now."""

    settings: LiveSettings
    journal: Path
    credentials_file: Path | None

    def credentials(self) -> Credentials:
        """Who trades. Raises CredentialError. The settings' kind of code goes before the file's own."""
        from dataclasses import replace

        from algo.brokers.fctrading.credentials import TwoFactor, load_credentials

        found = load_credentials(self.credentials_file)
        otp = self.settings.otp
        return found if otp is None else replace(found, two_factor=TwoFactor(otp))

    def tokens(self, credentials: Credentials) -> Path:
        """Where the sign-in is kept."""
        from algo.brokers.fctrading.connection import token_path

        return self.settings.tokens or token_path(credentials)


def standing(settings: Path | None, journal: Path | None, credentials: Path | None) -> Standing:
    """The run that the options name. Raises SettingError for what is wrong in the settings."""
    from algo.config import load_settings

    found = load_settings(settings)
    return Standing(found, journal or found.journal, credentials or found.credentials)
