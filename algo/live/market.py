"""The live feed's messages as the engine's events. Pure: it is told the time.

It gives contracts the names that strategies use (a contract in front becomes its alias), puts the bars of one
moment together, begins trading days, rolls aliases, and says when the data are not to be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from algo.clock import SECOND, at, local_date
from algo.data.fastconnect.events import (
    DayLimits,
    Doubtful,
    FeedLost,
    FeedRestored,
    Notice,
    StatusChanged,
    Trusted,
    Unread,
)
from algo.market import Session, TradingCalendar, is_alias, session_at, transitions
from algo.model import (
    BandStated,
    Bar,
    Board,
    ContractRolled,
    DayStarted,
    Instrument,
    MarketDoubted,
    MarketTrusted,
    PositionSettled,
    Quote,
    SessionChanged,
    Trade,
)

GRACE = 3 * SECOND
"""How far the feed's word on a session may lie behind the calendar's before the calendar counts."""
AFTER_CLOSE = 3600 * SECOND
"""How long after the close a run still counts it as today's."""
GATHERING = 1 * SECOND
"""How long the bars of one moment wait for those of other symbols."""


class MarketView:
    """What the feed told so far. `instruments` maps the run's symbols to what they stand for now.

    `front` gives the instrument of an alias on a day.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        calendar: TradingCalendar,
        front: Any,
        *,
        gathering: int = GATHERING,
    ) -> None:
        self.instruments = dict(instruments)
        self.day: date | None = None
        self.notices: list[str] = []
        self._calendar = calendar
        self._front = front
        self._gathering = gathering
        self._symbols = {one.symbol: symbol for symbol, one in self.instruments.items()}
        self._limits: dict[str, DayLimits] = {}
        self._sessions: dict[Board, str] = {}
        self._told: dict[Board, SessionChanged] = {}
        self._bars: dict[int, dict[str, Bar]] = {}
        self._closes: dict[str, tuple[int, int]] = {}
        self._lost = False
        self._doubted: set[str] = set()

    # -- days -----------------------------------------------------------------------------------

    def resume(self, day: date | None, sessions: Mapping[Board, str]) -> None:
        """Go on in a day that has begun, after a restart."""
        self.day = day
        self._sessions.update(sessions)

    def start_day(self, day: date, ns: int) -> list[Any]:
        """The events with which `day` begins: rolls of aliases, then the day with the prices known of it."""
        if self.day is not None and day <= self.day:
            return []
        events: list[Any] = []
        first = self.day is None
        self.day = day
        for symbol, old in list(self.instruments.items()):
            new = self._front(symbol, day) if is_alias(symbol) else old
            if new == old:
                continue
            if not first and old.symbol in self._closes:
                price, when = self._closes[old.symbol]
                events.append(PositionSettled(ns, old, price, when))
            events.append(ContractRolled(ns, symbol, None if first else old, new))
            self.instruments[symbol] = new
            self._symbols = {one.symbol: name for name, one in self.instruments.items()}
        references = {}
        for symbol, instrument in self.instruments.items():
            limits = self._limits.get(instrument.symbol)
            if limits is not None and limits.day == day:
                references[symbol] = instrument.units(limits.reference)
        events.append(DayStarted(ns, day, references))
        events += [
            self._band(symbol, self._limits[one.symbol], ns)
            for symbol, one in self.instruments.items()
            if symbol in references
        ]
        self._sessions.clear()
        return events

    def _turned(self, ns: int) -> list[Any]:
        """A new trading day, when `ns` lies in one."""
        day = local_date(ns)
        if self.day is not None and day > self.day and self._calendar.is_trading_day(day):
            return self.start_day(day, at(day))
        return []

    @property
    def limits_known(self) -> bool:
        """Whether every symbol's prices of the day have been told."""
        return all(
            one.symbol in self._limits and (self.day is None or self._limits[one.symbol].day >= self.day)
            for one in self.instruments.values()
        )

    @property
    def codes(self) -> list[str]:
        """The codes to subscribe to."""
        return sorted(self._symbols)

    # -- messages -------------------------------------------------------------------------------

    def hear(self, event: Any, now: int) -> list[Any]:
        """The engine's events that follow from a message of the feed at market time `now`."""
        if isinstance(event, Bar):
            return self._bar(event)
        if isinstance(event, Quote | Trade):
            symbol = self._symbols.get(event.symbol)
            if symbol is None:
                return []
            return [*self._turned(event.ns), event._replace(symbol=symbol)]
        if isinstance(event, SessionChanged):
            self._told[event.board] = event
            return self._enter(event)
        if isinstance(event, DayLimits):
            return self._limits_told(event)
        if isinstance(event, StatusChanged):
            reason = "trading in it is halted" if event.halted else ""
            return self._doubt(event.symbol, event.ns, reason)
        if isinstance(event, Doubtful | Trusted):
            return self._doubt(event.symbol, event.ns, getattr(event, "reason", ""))
        if isinstance(event, FeedLost):
            self._lost = True
            return [MarketDoubted(event.at, "", f"the market feed is down ({event.reason})")]
        if isinstance(event, FeedRestored):
            self._lost = False
            return [MarketTrusted(event.at, "")]
        if isinstance(event, Notice | Unread):
            self.notices.append(event.text if isinstance(event, Notice) else f"{event.kind}: {event.reason}")
        return []

    def _enter(self, event: SessionChanged) -> list[Any]:
        if self._sessions.get(event.board) == event.session or self.day is None:
            return []
        events = self._turned(event.ns)
        self._sessions[event.board] = event.session
        return [*self.flush(event.ns, whole=True), *events, event]

    def by_calendar(self, now: int) -> list[Any]:
        """Sessions that have begun by the calendar and that the feed has not told in time.

        What the feed told before the day had begun here counts as well: a run that starts amid a session is
        told the session at once, and once.
        """
        events: list[Any] = []
        for board in sorted({one.board for one in self.instruments.values()}):
            begun = [t for t in transitions(board, local_date(now), self._calendar) if t[0] <= now - GRACE]
            if not begun:
                continue
            told, session = self._told.get(board), str(begun[-1][1])
            if told is not None and told.ns >= begun[-1][0]:
                session = told.session
            events += self._enter(SessionChanged(now, board, session))
        return events

    def closed(self, now: int) -> bool:
        """Whether the day's last session of every board has ended, and not long ago."""
        calendar = self._calendar
        return all(
            session_at(board, now, calendar) is Session.C
            and session_at(board, now - AFTER_CLOSE, calendar) is not Session.C
            for board in {one.board for one in self.instruments.values()}
        )

    def _doubt(self, code: str, ns: int, reason: str) -> list[Any]:
        symbol = self._symbols.get(code)
        if symbol is None or bool(reason) == (symbol in self._doubted):
            return []
        if reason:
            self._doubted.add(symbol)
            return [MarketDoubted(ns, symbol, reason)]
        self._doubted.discard(symbol)
        return [MarketTrusted(ns, symbol)]

    def _limits_told(self, limits: DayLimits) -> list[Any]:
        self._limits[limits.symbol] = limits
        symbol = self._symbols.get(limits.symbol)
        if symbol is None or limits.day != self.day:
            return []
        return [self._band(symbol, limits, limits.ns)]

    def _band(self, symbol: str, limits: DayLimits, ns: int) -> BandStated:
        band = limits.band(self.instruments[symbol])
        return BandStated(ns, symbol, band.floor, band.reference, band.ceiling)

    # -- bars -----------------------------------------------------------------------------------

    def _bar(self, bar: Bar) -> list[Any]:
        symbol = self._symbols.get(bar.symbol)
        if symbol is None:
            return []
        instrument = self.instruments[symbol]
        self._closes[bar.symbol] = (instrument.units(bar.close), bar.ns)
        self._bars.setdefault(bar.ns, {})[symbol] = bar._replace(symbol=symbol, contract=bar.symbol)
        if len(self._bars[bar.ns]) == len(self.instruments):
            return self._until(bar.ns)
        return []

    def flush(self, now: int, *, whole: bool = False) -> list[Any]:
        """The bars of moments that have waited long enough; with `whole`, all up to `now`."""
        return self._until(now if whole else now - self._gathering)

    def _until(self, ns: int) -> list[Any]:
        events: list[Any] = []
        for moment in sorted(m for m in self._bars if m <= ns):
            found = self._bars.pop(moment)
            events += self._turned(moment)
            events.append(tuple(found[symbol] for symbol in self.instruments if symbol in found))
        return events

    @property
    def due(self) -> int | None:
        """When `flush` will next give bars; None when none wait."""
        return min(self._bars) + self._gathering if self._bars else None
