"""The paper exchange: takes commands and market data, gives broker events.

It keeps working orders by symbol and matches them on bars, quotes and trades. It has no ledger:
whether an account can pay is checked before an order gets here. A driver calls, for each bar,
`open_bar` at the bar's beginning and `range_bar` at its end; nothing needs to be called while no
order works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from algo.brokers.paper.delay import Delay
from algo.brokers.paper.matching import Range, after_open, at_open, in_range, late_stop_hit, range_of, slipped
from algo.brokers.paper.queue_position import Queues
from algo.brokers.paper.replay import SWEEPS, beyond, by_stop, continuous, ranked, taken, takes_any_trade
from algo.brokers.paper.rules import FillRules, ReplayRules
from algo.brokers.paper.ticket import Ticket
from algo.market import Band, band, lot
from algo.model import (
    AmendOrder,
    Bar,
    Board,
    BrokerEvent,
    Command,
    Instrument,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    OrderType,
    PlaceOrder,
    Quote,
    RequestRefused,
    Trade,
    TriggerKind,
)

_Rule = Callable[[Ticket, Range, FillRules], int | None]


class _Market:
    """What the exchange knows of one symbol."""

    __slots__ = ("band", "bar", "instrument", "lot", "queues", "tickets", "used", "used_at")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.band: Band | None = None
        self.bar: Bar | None = None
        self.lot = 1
        self.queues = Queues()
        self.tickets: list[Ticket] = []
        self.used = 0
        self.used_at = -1


class PaperExchange:
    """An exchange for one account. `instruments` maps the feed's symbols to what they stand for now.

    `working` counts the orders that something could happen to. `capped` counts fills cut short by
    the participation cap.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        rules: FillRules | None = None,
        replay: ReplayRules | None = None,
    ) -> None:
        self.rules = rules if rules is not None else FillRules()
        self.replay = replay if replay is not None else ReplayRules()
        self._delay = Delay(self.replay) if self.replay.latency or self.replay.jitter else None
        self.working = 0
        self.capped = 0
        self._markets = {symbol: _Market(instrument) for symbol, instrument in instruments.items()}
        self._of = {instrument.symbol: symbol for symbol, instrument in instruments.items()}
        self._tickets: dict[str, Ticket] = {}
        self._fills = 0

    # -- market -------------------------------------------------------------------------------

    def start_day(self, day: date, references: Mapping[str, int], idle: frozenset[str] = frozenset()) -> None:
        """Set the day's bands about the reference prices (units); a symbol without one has no band."""
        for symbol, market in self._markets.items():
            reference = references.get(symbol)
            market.band = (
                None
                if reference is None
                else band(market.instrument, reference, day, first_day=symbol in idle)
            )
            market.lot = lot(market.instrument, day)
            market.queues.clear()

    def roll(self, symbol: str, instrument: Instrument, ns: int) -> list[BrokerEvent]:
        """Let `symbol` stand for another contract: what is left of orders in the old one expires."""
        market = self._markets[symbol]
        events = self._expire(market, ns, "the contract ended")
        market.instrument = instrument
        self._of[instrument.symbol] = symbol
        return events

    def close_day(self, board: Board, ns: int) -> list[BrokerEvent]:
        """End the trading day of a board: what is left of its orders expires, on the way or arrived."""
        events = self.release(ns) if self._delay is None else self.release(ns + self._delay.longest)
        if not self.working:
            return events
        for market in self._markets.values():
            if market.instrument.board is board:
                events += self._expire(market, ns, "the trading day ended")
        return events

    def _expire(self, market: _Market, ns: int, reason: str) -> list[BrokerEvent]:
        tickets, market.tickets = market.tickets, []
        for ticket in tickets:
            self._forget(ticket)
        return [OrderExpired(ticket.order_id, ns, reason) for ticket in tickets]

    def see(self, bar: Bar) -> None:
        """Remember the last bar: orders that trade at a close need it."""
        self._markets[bar.symbol].bar = bar

    # -- commands -----------------------------------------------------------------------------

    def execute(self, command: Command, ns: int) -> list[BrokerEvent]:
        """Take one command at market time `ns` and answer it, or later where the rules have a latency."""
        if self._delay is None:
            return self._act(command, ns)
        self._delay.send(command, ns)
        return []

    def _act(self, command: Command, ns: int) -> list[BrokerEvent]:
        if isinstance(command, PlaceOrder):
            return self._place(command, ns)
        if isinstance(command, AmendOrder):
            return self._amend(command, ns)
        ticket = self._tickets.get(command.order_id)
        if ticket is None:
            return [RequestRefused(command.request_id, command.order_id, ns, "the order is not working")]
        self._remove(ticket)
        return [OrderCancelled(ticket.order_id, ns, command.request_id)]

    def _place(self, command: PlaceOrder, ns: int) -> list[BrokerEvent]:
        symbol = self._of.get(command.instrument.symbol)
        if symbol is None:
            reason = f"no such instrument: {command.instrument.symbol}"
            return [RequestRefused(command.request_id, command.order_id, ns, reason)]
        if command.trigger is not None and command.trigger.kind is TriggerKind.BULL_BEAR:
            reason = "bull-bear orders are not taken; attach exits to an entry instead"
            return [RequestRefused(command.request_id, command.order_id, ns, reason)]
        market = self._markets[symbol]
        ticket = Ticket(command, ns)
        self._tickets[command.order_id] = ticket
        market.tickets.append(ticket)
        self.working += 1
        events: list[BrokerEvent] = [OrderAccepted(command.order_id, ns, "", ticket.waits)]
        bar = market.bar
        if bar is None or bar.ns != ns or ticket.waits:
            return events
        closing = self.rules.fill == "close" and ticket.at_market
        if closing or ticket.order_type is OrderType.PLO:
            prices = range_of(bar, market.instrument, market.band)
            if prices is not None:
                price = slipped(prices.close, ticket, prices, self.rules)
                fill = self._trade(market, ticket, price, bar, ns)
                if fill is not None:
                    events.append(fill)
        return events

    def _amend(self, command: AmendOrder, ns: int) -> list[BrokerEvent]:
        ticket = self._tickets.get(command.order_id)
        if ticket is None:
            return [RequestRefused(command.request_id, command.order_id, ns, "the order is not working")]
        traded = ticket.quantity - ticket.leaves
        quantity = ticket.quantity if command.quantity is None else command.quantity
        if quantity <= traded:
            reason = f"{traded:,} have traded already"
            return [RequestRefused(command.request_id, command.order_id, ns, reason)]
        if command.price is not None and not ticket.limit:
            return [
                RequestRefused(command.request_id, command.order_id, ns, "the order has no price to change")
            ]
        if command.price is not None or quantity > ticket.quantity:
            # A new price or a larger quantity loses the place in the queue and counts as arriving now.
            ticket.arrived = ns
            tickets = self._markets[self._of[ticket.instrument.symbol]].tickets
            tickets.remove(ticket)
            tickets.append(ticket)
        ticket.limit = ticket.limit if command.price is None else command.price
        ticket.quantity = quantity
        ticket.leaves = quantity - traded
        return [OrderAmended(ticket.order_id, ns, ticket.limit, ticket.quantity, command.request_id)]

    # -- bars ---------------------------------------------------------------------------------

    def open_bar(self, bar: Bar) -> list[BrokerEvent]:
        """What trades on the bar's open. Events carry the bar's start as their time."""
        market, start = self._markets[bar.symbol], bar.start
        return self._match(market, [t for t in market.tickets if t.arrived <= start], bar, start, at_open)

    def range_bar(self, bar: Bar) -> list[BrokerEvent]:
        """What trades inside the bar after its open. Events carry the bar's end as their time."""
        market = self._markets[bar.symbol]
        tickets = [t for t in market.tickets if t.arrived <= bar.start or (t.auction and t.arrived < bar.ns)]
        return self._match(market, tickets, bar, bar.ns, after_open)

    def late_stops(self, bar: Bar) -> list[BrokerEvent]:
        """Stops that came with fills inside the bar: the bar's range is held against them too.

        Whether the price came after the entry cannot be seen in a bar, so the worse is assumed.
        """
        market = self._markets[bar.symbol]
        tickets = [t for t in market.tickets if t.waits and t.arrived == bar.ns]
        return self._match(market, tickets, bar, bar.ns, late_stop_hit)

    def _match(
        self, market: _Market, tickets: list[Ticket], bar: Bar, ns: int, rule: _Rule
    ) -> list[BrokerEvent]:
        """Hold `tickets` of the market against the bar by `rule`."""
        if not tickets:
            return []
        prices = range_of(bar, market.instrument, market.band)
        if prices is None:
            return []
        events: list[BrokerEvent] = []
        rules = self.rules
        for ticket in tickets:
            waited = ticket.waits
            price = rule(ticket, prices, rules)
            if waited and ticket.stopped:
                events.append(OrderTriggered(ticket.order_id, ns))
            if price is not None:
                fill = self._trade(market, ticket, price, bar, ns)
                if fill is not None:
                    events.append(fill)
            if ticket.once and ticket.leaves and (ns == bar.ns or price is not None):
                self._remove(ticket)
                reason = f"the rest of a {ticket.order_type} order is cancelled"
                events.append(OrderCancelled(ticket.order_id, ns, "", reason))
        return events

    def _trade(self, market: _Market, ticket: Ticket, price: int, bar: Bar, ns: int) -> OrderFilled | None:
        """Fill as much of the ticket at `price` as the bar's volume allows."""
        quantity, share = ticket.leaves, self.rules.participation
        if share is not None:
            if market.used_at != bar.ns:
                market.used_at, market.used = bar.ns, 0
            room = int(bar.volume * share) - market.used
            if quantity > room:
                self.capped += 1
                quantity = max(room // market.lot * market.lot, 0)
        elif bar.volume == 0:
            quantity = 0
        if quantity == 0 or (ticket.order_type is OrderType.MOK and quantity < ticket.leaves and ticket.once):
            return None
        market.used += quantity
        return self._fill(market, ticket, price, quantity, ns)

    # -- quotes and trades --------------------------------------------------------------------

    def release(self, ns: int) -> list[BrokerEvent]:
        """Let the commands act that have arrived by `ns`. Quotes and trades do so; a driver of bars must."""
        if self._delay is None:
            return []
        return [event for at, command in self._delay.arrive(ns) for event in self._act(command, at)]

    def quote(self, quote: Quote) -> list[BrokerEvent]:
        """Orders that take the displayed book trade against its levels, best first, no more than shown.

        One that was in the book before trades at its own price: the market came to it.
        """
        events, market = self.release(quote.ns), self._markets[quote.symbol]
        if not market.tickets:
            market.queues.note(quote)
            return events
        shown = market.queues.show(quote, market.tickets)
        if not continuous(market.instrument, quote.ns):
            return events
        for ticket in ranked(market.tickets):
            levels = shown[ticket.side]
            best = levels[0][0] if levels else 0
            if ticket.waits and best:
                ticket.trail(best)
                if (best - ticket.stop) * ticket.side >= 0:
                    ticket.set_off()
                    events.append(OrderTriggered(ticket.order_id, quote.ns))
            if ticket.waits and not ticket.two_legged:
                continue
            rested = ticket.rests and not by_stop(ticket) and market.queues.rested(ticket)
            printed = 0
            for price, quantity in taken(ticket, levels, market.band, market.lot, self.replay, rested=rested):
                printed = price
                events.append(self._fill(market, ticket, price, quantity, quote.ns))
            if ticket.leaves and not ticket.limit and not ticket.at_market:
                events += self._rest(market, ticket, printed, quote.ns)
        return events

    def _rest(self, market: _Market, ticket: Ticket, printed: int, ns: int) -> list[BrokerEvent]:
        """What becomes of the rest of an order without a price that has met the book."""
        if ticket.order_type in SWEEPS and printed:
            ticket.order_type, ticket.limit = OrderType.LO, beyond(ticket, printed, market.band)
            return []
        self._remove(ticket)
        if ticket.order_type in SWEEPS:
            return [OrderRejected(ticket.order_id, ns, "nobody is on the other side")]
        reason = f"the rest of a {ticket.order_type} order is cancelled"
        return [OrderCancelled(ticket.order_id, ns, "", reason)]

    def trade(self, trade: Trade) -> list[BrokerEvent]:
        """A trade beyond a resting limit fills it, one at its price once the queue before it is gone."""
        events, market = self.release(trade.ns), self._markets[trade.symbol]
        if not market.tickets:
            market.queues.hear(market.instrument.units(trade.price))
            return events
        price, left = market.instrument.units(trade.price), trade.quantity
        prices = Range(price, price, price, price)
        auction = not continuous(market.instrument, trade.ns)
        for ticket in ranked(market.tickets):
            at, reached = None, trade.quantity
            if ticket.waits and not auction:
                at = in_range(ticket, prices, self.rules)
                if ticket.stopped:
                    events.append(OrderTriggered(ticket.order_id, trade.ns))
            if at is None or not ticket.stopped:
                if ticket.rests and not by_stop(ticket):
                    at, reached = market.queues.reach(ticket, trade, price, auction)
                elif takes_any_trade(ticket, market.queues.seen):
                    at = price
            take = min(reached - (trade.quantity - left), ticket.leaves)
            if at is not None and take > 0:
                left -= take
                events.append(self._fill(market, ticket, at, take, trade.ns))
        market.queues.hear(price)
        return events

    # -- tickets ------------------------------------------------------------------------------

    def _fill(self, market: _Market, ticket: Ticket, price: int, quantity: int, ns: int) -> OrderFilled:
        self._fills += 1
        ticket.leaves -= quantity
        ticket.fills += 1
        if not ticket.leaves:
            market.tickets.remove(ticket)
            del self._tickets[ticket.order_id]
            self.working -= 1
        reason = "" if ticket.plain else ticket.exit_reason
        return OrderFilled(ticket.order_id, ns, price, quantity, f"P{self._fills}", reason)

    def _remove(self, ticket: Ticket) -> None:
        self._markets[self._of[ticket.instrument.symbol]].tickets.remove(ticket)
        self._forget(ticket)

    def _forget(self, ticket: Ticket) -> None:
        del self._tickets[ticket.order_id]
        self.working -= 1

    def orders(self) -> Iterable[Ticket]:
        """The working orders, oldest first."""
        return list(self._tickets.values())
