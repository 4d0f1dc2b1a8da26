"""Which channels of the hub are wanted. The hub replaces the symbols of a channel and adds channels up."""

from __future__ import annotations

import re
from enum import StrEnum

from algo.errors import SettingError

ALL = "ALL"
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]*")


class Channel(StrEnum):
    """The kinds of data that the hub sends."""

    STATUS = "F"
    SNAPSHOT = "X"
    QUOTE = "X-QUOTE"
    TRADE = "X-TRADE"
    BAR = "B"
    ROOM = "R"
    INDEX = "MI"
    ODD_LOT = "OL"


class Channels:
    """What is subscribed, so that it can be subscribed again. Symbols only ever come in: the hub has no
    way to leave a channel."""

    def __init__(self) -> None:
        self._symbols: dict[Channel, dict[str, None]] = {}

    def add(self, channel: Channel | str, *symbols: str) -> str:
        """Want `symbols` of `channel` too (or `ALL`); the argument of ``SwitchChannels`` for all of them.

        Raises SettingError for an unknown channel or an impossible symbol.
        """
        try:
            kind = Channel(channel)
        except ValueError:
            known = ", ".join(Channel)
            raise SettingError(f"{channel!r} is no channel of market data: take one of {known}") from None
        if not symbols:
            raise SettingError(f"name the symbols to hear on {kind}, or {ALL}")
        names = [self._name(kind, symbol) for symbol in symbols]
        self._symbols.setdefault(kind, {}).update(dict.fromkeys(names))
        return self._text(kind)

    @property
    def texts(self) -> tuple[str, ...]:
        """The arguments of ``SwitchChannels`` that bring everything back, one a channel."""
        return tuple(map(self._text, self._symbols))

    def _text(self, kind: Channel) -> str:
        names = self._symbols[kind]
        return f"{kind}:{ALL if ALL in names else '-'.join(names)}"

    @staticmethod
    def _name(kind: Channel, symbol: str) -> str:
        name = symbol.strip()
        if not _SYMBOL.fullmatch(name):
            raise SettingError(f"{symbol!r} is no symbol: use letters and digits, as in FPT or VN30")
        # Names of indices are written as the exchange does, such as HNXIndex.
        return name.upper() if kind is not Channel.INDEX or name.upper() == ALL else name
