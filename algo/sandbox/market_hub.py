"""The hub of market data: who hears which channel, and what they hear first.

`SwitchChannels` takes ``X-TRADE:SSI-PAN`` or ``F:ALL``; a space after the colon is fine. The symbols of a
call replace those of its channel; channels add up. How the service itself does that is not documented;
public clients call once a channel and expect them all.

Whoever subscribes is told the present state of the symbols that are new to the channel, before anything
else: the status (F), the snapshot with limits and last price (X, X-TRADE, X-QUOTE), rooms, odd lots and
indices. Bars (B) have no state: the next trade of the minute brings all of it. Messages carry the
exchange's own codes (41I1…), and so must subscriptions.

A replayed bar comes as one message of B when it is complete, stamped with its beginning. So a client that
knows the width of the bars completes a message at the end of its bar: beginning + width, for daily bars the
end of the board's last session. In a world that is stepped, the market time at which the message comes is
that end, to the nanosecond. Minute bars so far (a crowd's, or replayed trades') come with the time of the
last trade and are completed by the passing of their minute, as from the service.

A message is put into words once, and one frame is shared by all who hear it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from algo.data.fastconnect.channels import ALL, Channel
from algo.sandbox.hub_connection import Connection, HubError, entry, frame
from algo.sandbox.identity import Scope
from algo.sandbox.market_messages import broadcast, channels, subject
from algo.sandbox.tape import Public, Snapshot, Tape, Told, What

HUB = "FcMarketDataV2Hub"
_LONGEST = 20_000
_FIRST: dict[Channel, What] = {
    Channel.STATUS: What.STATUS,
    Channel.SNAPSHOT: What.TRADE,
    Channel.TRADE: What.TRADE,
    Channel.QUOTE: What.QUOTE,
    Channel.ROOM: What.LIMITS,
    Channel.ODD_LOT: What.LIMITS,
}


class MarketHub:
    """Tells connections what they subscribed to. `sent` counts the messages that went to anybody."""

    name = HUB
    scopes = frozenset({Scope.DATA})

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._wanted: dict[Connection, dict[Channel, frozenset[str]]] = {}
        self._hears: dict[tuple[Channel, str], dict[Connection, None]] = {}
        self._frames = 0
        self.sent = 0

    # -- what the server of connections calls ---------------------------------------------------

    def cursor(self, connection: Connection) -> str:
        """Where the messages stand; nothing is replayed, so it only has to differ."""
        return f"d-{self._frames:X}"

    def join(self, connection: Connection, notify_id: str) -> None:
        """A connection is there. It hears nothing until it subscribes."""
        self._wanted.setdefault(connection, {})

    def rejoin(self, connection: Connection, cursor: str, groups: str) -> None:
        """A connection is there again, with the subscriptions that its groups token names."""
        self.join(connection, "")
        for text in groups.split(","):
            if text:
                self._switch(connection, text)

    def leave(self, connection: Connection) -> None:
        """A connection is gone."""
        for channel, symbols in self._wanted.pop(connection, {}).items():
            self._unhear(connection, channel, symbols)

    def invoke(self, connection: Connection, method: str, arguments: list[Any]) -> str:
        """`SwitchChannels`; gives the token of all that is subscribed now. Raises HubError."""
        if method.lower() != "switchchannels":
            raise HubError(f"'{method[:80]}' method could not be resolved.")
        if len(arguments) != 1 or not isinstance(arguments[0], str) or len(arguments[0]) > _LONGEST:
            raise HubError("There was an error invoking Hub method 'FcMarketDataV2Hub.SwitchChannels'.")
        self._switch(connection, arguments[0])
        wanted = self._wanted.get(connection, {})
        return ",".join(f"{channel}:{'-'.join(sorted(symbols))}" for channel, symbols in wanted.items())

    # -- what happened ------------------------------------------------------------------------

    def tell(self, said: Iterable[Public]) -> None:
        """Send messages to whoever hears them."""
        for public in said:
            symbol = subject(public).upper()
            for channel in channels(public):
                one, every = self._hears.get((channel, symbol)), self._hears.get((channel, ALL))
                if one or every:
                    text = self._frame(broadcast(channel, public))
                    self.sent += 1
                    for connection in list({**(one or {}), **(every or {})}):
                        connection.send(text)

    def _frame(self, text: str) -> str:
        self._frames += 1
        return frame(f"d-{self._frames:X}", [entry(HUB, "Broadcast", text)])

    # -- subscriptions ------------------------------------------------------------------------

    def _switch(self, connection: Connection, text: str) -> None:
        channel, symbols = parse(text)
        wanted = self._wanted.setdefault(connection, {})
        before = wanted.get(channel, frozenset())
        self._unhear(connection, channel, before - symbols)
        wanted[channel] = symbols
        for symbol in sorted(symbols - before):
            self._hears.setdefault((channel, symbol), {})[connection] = None
        if ALL not in before:
            for public in self._state(channel, symbols, before):
                connection.send(self._frame(broadcast(channel, public)))

    def _unhear(self, connection: Connection, channel: Channel, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            hearing = self._hears.get((channel, symbol), {})
            hearing.pop(connection, None)
            if not hearing:
                self._hears.pop((channel, symbol), None)

    def _state(self, channel: Channel, symbols: frozenset[str], before: frozenset[str]) -> Iterator[Public]:
        """What is known of the symbols that are new to the channel."""

        def new(name: str) -> bool:
            return (ALL in symbols or name.upper() in symbols) and name.upper() not in before

        if channel is Channel.INDEX:
            yield from (state for name, state in self._tape.indices.states.items() if new(name))
        what = _FIRST.get(channel)
        if what is None:
            return
        for symbol, state in self._tape.states.items():
            told = Told(what, state)
            if new(symbol) and channel in channels(told) and _shows(channel, state):
                yield told


def _shows(channel: Channel, state: Snapshot) -> bool:
    """Whether there is anything to show: a book nobody has seen yet is not an empty one."""
    return channel is not Channel.QUOTE or bool(state.bids or state.asks)


def parse(text: str) -> tuple[Channel, frozenset[str]]:
    """The channel and the symbols of a subscription, in capitals. Raises HubError for what is none."""
    kind, colon, names = text.partition(":")
    try:
        channel = Channel(kind.strip().upper())
    except ValueError:
        raise HubError(f"Channel '{kind.strip()[:40]}' is not supported.") from None
    symbols = frozenset(name for part in names.split("-") if (name := part.strip().upper()))
    if not colon or not symbols:
        raise HubError(f"Channel '{channel}' needs symbols, as in {channel}:SSI-PAN or {channel}:{ALL}.")
    return channel, frozenset({ALL}) if ALL in symbols else symbols
