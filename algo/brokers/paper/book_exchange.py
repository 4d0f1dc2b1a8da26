"""An exchange with a real limit order book for every instrument: crowd and customers are equal in it.

It is told the time and the sessions, keeps no ledger and knows no owners. Events of all orders come
out of it; whoever placed an order picks out their own by id. What everybody sees comes out of
`take_public`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from algo.brokers.paper.auction import Indicated
from algo.brokers.paper.book_market import BookMarket
from algo.brokers.paper.rules import BookSettings
from algo.market import Session
from algo.model import Board, BrokerEvent, Command, Instrument, Quote, RequestRefused, Trade

Public = Trade | Quote | Indicated


class BookExchange:
    """Books by symbol. `instruments` maps the feed's symbols to what they stand for now.

    A driver calls `start_day`, then `enter` at each change of session, then `execute` with commands in
    the order of time; times are nanoseconds of market time and never go back.
    """

    def __init__(self, instruments: Mapping[str, Instrument], settings: BookSettings | None = None) -> None:
        settings = settings if settings is not None else BookSettings()
        self._tape: list[Trade] = []
        self._changed: dict[str, None] = {}
        self._shown: dict[str, Quote] = {}
        self._indicated: dict[str, Indicated | None] = {}
        self._markets = {
            symbol: BookMarket(symbol, instrument, settings, self._tape)
            for symbol, instrument in instruments.items()
        }
        self._symbol_of = {instrument.symbol: symbol for symbol, instrument in instruments.items()}

    def start_day(self, day: date, references: Mapping[str, int], idle: frozenset[str] = frozenset()) -> None:
        """Begin a trading day, still closed, with bands about the reference prices (units).

        A symbol without a reference has no band. ValueError when the last day was not closed.
        """
        for symbol, market in self._markets.items():
            market.start_day(day, references.get(symbol), first_day=symbol in idle)

    def enter(self, board: Board, session: Session, ns: int) -> list[BrokerEvent]:
        """Let a board go into a session: auctions trade as they end, orders expire at the close."""
        events: list[BrokerEvent] = []
        for symbol, market in self._markets.items():
            if market.engine.instrument.board is board:
                self._changed[symbol] = None
                events += market.enter(session, ns)
        return events

    def halt(self, symbol: str, halted: bool, ns: int) -> list[BrokerEvent]:
        """Stop trading in one symbol, or let it go on."""
        self._changed[symbol] = None
        return self._markets[symbol].halt(halted, ns)

    def roll(self, symbol: str, instrument: Instrument, ns: int) -> list[BrokerEvent]:
        """Let `symbol` stand for another contract: what is left of orders in the old one expires."""
        market = self._markets[symbol]
        self._symbol_of.pop(market.engine.instrument.symbol, None)
        self._symbol_of[instrument.symbol] = symbol
        self._changed[symbol] = None
        return market.roll(instrument, ns)

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """Take one command at market time `ns`; gives what happened to it and to every other order."""
        symbol = self._symbol_of.get(command.instrument.symbol)
        if symbol is None:
            reason = f"no such instrument: {command.instrument.symbol}"
            return [RequestRefused(command.request_id, command.order_id, ns, reason)]
        events = self._markets[symbol].execute(command, ns)
        if not isinstance(events[0], RequestRefused):
            self._changed[symbol] = None
        return events

    def take_public(self) -> list[Public]:
        """What the public saw since the last call: trades in their order, then changed books and auctions."""
        public: list[Public] = [*self._tape]
        self._tape.clear()
        for symbol in self._changed:
            market = self._markets[symbol]
            quote, before = market.depth(), self._shown.get(symbol)
            if before is None or (quote.bids, quote.asks) != (before.bids, before.asks):
                self._shown[symbol] = quote
                public.append(quote)
            indicated, earlier = market.indication(), self._indicated.get(symbol)
            self._indicated[symbol] = indicated
            if indicated is not None and (earlier is None or indicated._replace(ns=earlier.ns) != earlier):
                public.append(indicated)
        self._changed.clear()
        return public

    def depth(self, symbol: str) -> Quote:
        """The displayed book of a symbol."""
        return self._markets[symbol].depth()

    def close_price(self, symbol: str) -> int | None:
        """The day's last match in price units, the closing price once the day is over; None without one."""
        return self._markets[symbol].engine.last

    def market(self, symbol: str) -> BookMarket:
        """Everything about one symbol: session, band, figures of the day, working orders. To be read only."""
        return self._markets[symbol]
