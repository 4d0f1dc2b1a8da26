"""The engine: one synchronous, deterministic function from an event to commands.

``step(event)`` brings market, orders and ledger up to date, wakes the strategies, checks what they
ask for and gives the commands that go to the broker. It does no I/O and reads no clock: time is
the event's own. Recorded events give the same commands again, bit for bit.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import PurePath
from typing import Any

from algo.clock import local_date
from algo.desk import Desk
from algo.errors import AlgoError, StrategyError
from algo.history import Histories, History
from algo.market import Session
from algo.model import (
    Bar,
    Command,
    ContractRolled,
    CorporateAction,
    DayStarted,
    Fill,
    Order,
    OrderFilled,
    OrderStatus,
    OrderView,
    PositionSettled,
    Quote,
    SessionChanged,
    TimerFired,
    Trade,
)
from algo.orders import Limits, OrderManager, RequestIds, Venue
from algo.orders.exits import excess, exit_order, leg, split
from algo.orders.request_id import FIRST_SLOT
from algo.portfolio import Portfolio
from algo.strategy import Strategy

NEVER = 1 << 62
AMEND = "amend: "  # begins the reason of a refused amendment among the refusals
_ROUNDS = 1_000
_SESSIONS = {str(session): session for session in Session}
_NOTHING: tuple[Command, ...] = ()
_TURNED_DOWN = frozenset({OrderStatus.REFUSED, OrderStatus.REJECTED})


def _nothing() -> None:
    """An intent that asks for nothing."""


class Engine:
    """Runs strategies over events.

    `venues` maps each symbol of the feed to its venue; `strategies` maps a name to a strategy and
    the ledger of its own budget. `failures` names strategies that raised: they are stopped, their
    open orders are cancelled, and the others go on.
    """

    def __init__(
        self,
        strategies: Mapping[str, tuple[Strategy, Portfolio]],
        venues: Mapping[str, Venue],
        histories: Histories,
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        self.venues = dict(venues)
        self.day: date | None = None
        self.now = 0
        self.next_timer = NEVER
        self.last: tuple[Bar, ...] = ()
        self.messages: list[tuple[int, str, str]] = []
        self.intents: list[tuple[Desk, Callable[[], None]]] = []
        self.made = 0
        self.refusals: dict[str, int] = {}
        self.failures: list[StrategyError] = []
        ids = {name: RequestIds(FIRST_SLOT + k) for k, name in enumerate(strategies)}
        self.manager = OrderManager(ids, limits)
        self.manager.make_room = self._make_room
        self.desks: dict[str, Desk] = {}
        self._histories = histories
        self._base = {symbol: histories.history(symbol, None) for symbol in self.venues}
        self._wide: list[History] = []
        for name, (strategy, ledger) in strategies.items():
            desk = Desk(name, strategy, ledger, self)
            strategy._desk = desk
            self.desks[name] = desk
        self._all = list(self.desks.values())
        self.listen()
        self._handlers: dict[type, Callable[[Any], None]] = {
            DayStarted: self._day_started,
            SessionChanged: self._session_changed,
            ContractRolled: self._rolled,
            PositionSettled: self._settled,
            CorporateAction: self._corporate_action,
            TimerFired: self._timer_fired,
            OrderFilled: self._filled,
            Quote: self._quoted,
            Trade: self._traded,
            **self.manager.handlers,
        }

    # -- the loop -----------------------------------------------------------------------------

    def start(self, ns: int) -> Sequence[Command]:
        """Wake the strategies before the first event, or anew after a restart, at market time `ns`."""
        self.now = max(self.now, ns)
        if self.day is None:
            for venue in self.venues.values():
                venue.start_day(local_date(self.now), None, False)
        for desk in self._all:
            self._call(desk, desk.strategy.on_start)
        return self._drain()

    def stop(self, ns: int) -> Sequence[Command]:
        """Tell the strategies that there is nothing more."""
        self.now = max(self.now, ns)
        for desk in self._all:
            self._call(desk, desk.strategy.on_stop)
        return self._drain()

    def step(self, event: Any) -> Sequence[Command]:
        """Apply one event and give the commands that follow from it.

        A tuple of bars is all that became complete at one moment.
        """
        if event.__class__ is tuple:
            return self.run((event,))[0]
        if event.ns > self.now:
            self.now = event.ns
        self._handlers[event.__class__](event)
        manager = self.manager
        if manager.held:
            self._release_waiting()
        if manager.changed or self.intents:
            return self._drain()
        if manager.commands:
            return self._sent()
        return _NOTHING

    def run(self, moments: Iterable[tuple[Bar, ...]]) -> tuple[Sequence[Command], int]:
        """Apply moments of bars one after the other, as `step` does; nothing else happens between them.

        Ends at the first that gives commands, makes a timer or asks for another history, or with the
        moments. Gives the commands and how many moments were applied; the others were not taken.
        """
        if self._alone is not None:
            return self._run_alone(moments, *self._alone)
        base, wide, intents, count = self._base, self._wide, self.intents, 0
        hears_bar, hears_bars = self._hears_bar, self._hears_bars
        for moment in moments:
            count += 1
            self.now = now = moment[0][1]
            for bar in moment:
                next(base[bar[0]].steps)
            if wide:
                for history in wide:
                    history.reveal_until(now)
            for desk, on_bar in hears_bar:
                try:
                    for bar in moment:
                        on_bar(bar)
                except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything
                    self._fail(desk, error)
            if hears_bars:
                for desk, on_bars in hears_bars:
                    self._call(desk, partial(on_bars, {bar[0]: bar for bar in moment}))
            if intents:
                self.last = moment
                return self._drain(), count
        return _NOTHING, count

    def _run_alone(
        self, moments: Iterable[tuple[Bar, ...]], desk: Desk, on_bar: Callable[[Bar], None], history: History
    ) -> tuple[Sequence[Command], int]:
        """As `run`, for one symbol and one strategy that hears its bars alone: nothing is looped over."""
        intents, count = self.intents, 0
        for (bar,), _ in zip(moments, history.steps, strict=False):  # a moment, and it is known
            count += 1
            self.now = bar[1]
            try:
                on_bar(bar)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything
                self._fail(desk, error)
            if intents:
                self.last = (bar,)
                return self._drain(), count
        return _NOTHING, count

    def listen(self) -> None:
        """Note who hears bars: looked up once, because it is needed for every bar."""
        alive = [desk for desk in self._all if desk.failure is None]
        self._hears_bar = [(desk, desk.strategy.on_bar) for desk in alive if "on_bar" in desk.heard]
        self._hears_bars = [(desk, desk.strategy.on_bars) for desk in alive if "on_bars" in desk.heard]
        self._alone: tuple[Desk, Callable[[Bar], None], History] | None = None
        if len(self._hears_bar) == len(self._base) == 1 and not self._wide and not self._hears_bars:
            desk, on_bar = self._hears_bar[0]
            self._alone = desk, on_bar, next(iter(self._base.values()))

    def _drain(self) -> Sequence[Command]:
        """Act on intents and tell of changes until nothing is left; give the commands."""
        manager, intents, rounds = self.manager, self.intents, 0
        while manager.changed or intents:
            changed, manager.changed = manager.changed, []
            for order in changed:
                self._order_changed(order)
            if intents:
                batch = intents.copy()
                intents.clear()
                for desk, act in batch:
                    if desk.failure is None:
                        act()
            rounds += 1
            if rounds == _ROUNDS:
                self._runaway()
        return self._sent() if manager.commands else _NOTHING

    def _sent(self) -> list[Command]:
        commands, self.manager.commands = self.manager.commands, []
        return commands

    def _runaway(self) -> None:
        # A round ends with its intents acted on: what they led to tells who goes on.
        names = [desk.name for desk, _ in self.intents] + [order.strategy for order in self.manager.changed]
        for desk in map(self.desks.__getitem__, dict.fromkeys(names)):
            text = f"{desk.name} answers refused orders with new ones without end; wait for a bar"
            self._fail(desk, StrategyError(text))

    # -- what desks ask for -------------------------------------------------------------------

    def submit(self, desk: Desk, order: Order) -> None:
        """Check and send one order; its exits make room first when it closes what they protect."""
        venue = self.venues[order.symbol]
        desk.ledger.advance_to(self.now)
        self.manager.submit(order, venue, desk.ledger, self.now)

    def refuse(self, order: Order, reason: str) -> None:
        """End an order that is not even well formed."""
        self.manager.refuse(order, self.now, reason)

    def amend(self, order: Order, price: int | None, quantity: int | None) -> None:
        """Ask for an amendment to `price` units; a refusal shows in the order's reason, told by on_order."""
        venue = self.venues.get(order.symbol)
        reason = (
            f"the order is {order.status} already"
            if venue is None
            else self.manager.amend(
                order, price, quantity, venue, self.desks[order.strategy].ledger, self.now
            )
        )
        if reason is not None:
            self.refuse_amend(order, reason)

    def refuse_amend(self, order: Order, reason: str) -> None:
        """Tell of an amendment that is not asked for."""
        self._count(AMEND + reason)
        if not order.status.terminal:  # what ended an order stays its reason
            order.reason = f"amend refused: {reason}"
            self.manager.changed.append(order)

    def cancel(self, order: Order) -> None:
        """Ask for a cancel."""
        if order.symbol in self.venues:
            self.manager.cancel(order, self.venues[order.symbol], self.now)

    def history(self, symbol: str, width: str | None) -> History:
        """The history of a symbol in a width; raises DataError when it cannot be had."""
        history = self._histories.history(symbol, width)
        if history is not self._base.get(symbol) and history not in self._wide:
            history.reveal_until(self.now)
            self._wide.append(history)
            self.listen()
            self.pause(self._all[0])
        return history

    def timer_set(self, desk: Desk, ns: int) -> None:
        """A desk made a timer."""
        self.next_timer = min(self.next_timer, ns)
        self.pause(desk)

    def pause(self, desk: Desk) -> None:
        """End the run of bars after this moment, so that what `desk` has made is heeded."""
        self.intents.append((desk, _nothing))

    def _make_room(self, order: Order) -> tuple[Order, ...]:
        desk, venue = self.desks[order.strategy], self.venues[order.symbol]
        held = desk.ledger.quantity(order.instrument.symbol)
        if held * order.side >= 0:
            return ()
        exits = self._exits(desk, order.instrument.symbol)
        leaves, ready = order.quantity - order.filled, None
        if exits and not order.instrument.shortable:
            ready = self.manager.settled(order, desk.ledger) - leaves
        for exit_, keep in excess(exits, abs(held) - leaves, ready):
            self._shrink(exit_, keep, venue)
        return tuple(exit_ for exit_ in exits if exit_.cancel_wanted and not exit_.status.terminal)

    def _exits(self, desk: Desk, symbol: str) -> list[Order]:
        return [
            o
            for o in self.manager.open.values()
            if o.parent and o.strategy == desk.name and o.instrument.symbol == symbol
        ]

    def _shrink(self, exit_: Order, keep: int, venue: Venue) -> None:
        if keep == 0:
            self.manager.cancel(exit_, venue, self.now)
        else:
            ledger = self.desks[exit_.strategy].ledger
            reason = self.manager.amend(exit_, None, exit_.filled + keep, venue, ledger, self.now)
            if reason is not None:
                self.manager.cancel(exit_, venue, self.now)

    def _release_waiting(self) -> None:
        for order in [o for o in self.manager.held.values() if o.waits_for]:
            desk = self.desks[order.strategy]
            self.manager.submit(order, self.venues[order.symbol], desk.ledger, self.now)

    # -- broker events ------------------------------------------------------------------------

    def _filled(self, event: OrderFilled) -> None:
        booked = self.manager.fill(event)
        if booked is None:
            return
        order, quantity = booked
        desk = self.desks[order.strategy]
        ledger = desk.ledger
        ledger.advance_to(self.now)
        before = ledger.quantity(order.instrument.symbol)
        fill = ledger.book(
            event.ns,
            order.instrument,
            order.side,
            event.price,
            quantity,
            order_id=order.order_id,
            strategy=order.strategy,
            symbol=order.symbol,
            exit_reason=event.exit_reason or leg(order, event.price),
            tag=order.tag,
        )
        position = before + quantity * order.side
        if order.attached is not None and position * order.side > 0:
            self._attach(desk, order, min(quantity, abs(position)), event.price)
        if self.manager.open and (not order.parent or position == 0):
            self._fit_exits(desk, order, position)
        if order.symbol in desk.targets:
            desk.position_changed(order.symbol, order)
        if "on_fill" in desk.heard:
            self._call(desk, partial(desk.strategy.on_fill, fill))
        if "on_portfolio" in desk.heard:
            self._call(desk, partial(desk.strategy.on_portfolio, ledger))

    def _attach(self, desk: Desk, entry: Order, quantity: int, price: int) -> None:
        order = exit_order(entry, quantity, price, self.now)
        if order is not None:
            self.made += 1
            order.serial = self.made
            self.submit(desk, order)

    def _fit_exits(self, desk: Desk, order: Order, position: int) -> None:
        exits = self._exits(desk, order.instrument.symbol)
        if not exits:
            return
        venue = self.venues[order.symbol]
        sign = 1 if position > 0 else -1
        against = [o for o in exits if position and o.side * sign < 0]
        for exit_ in exits:
            if exit_ not in against:
                self.manager.cancel(exit_, venue, self.now)
        for exit_, keep in excess(against, abs(position)):
            self._shrink(exit_, keep, venue)

    def _order_changed(self, order: Order) -> None:
        desk = self.desks[order.strategy]
        if order.status.terminal:
            if order.status in _TURNED_DOWN:
                self._count(order.reason)
            if order.symbol in desk.target_orders:
                desk.order_ended(order)
        elif order.cancel_wanted:
            self.cancel(order)
        if "on_order" in desk.heard:
            self._call(desk, partial(desk.strategy.on_order, OrderView(order)))

    def _count(self, reason: str) -> None:
        self.refusals[reason] = self.refusals.get(reason, 0) + 1

    # -- market events ------------------------------------------------------------------------

    def _day_started(self, event: DayStarted) -> None:
        self.day = event.day
        self.manager.start_day(event.ns)
        for venue in self.venues.values():
            venue.start_day(event.day, event.references.get(venue.symbol), venue.symbol in event.idle)
        for desk in self._all:
            desk.ledger.start_day(self.now)
            desk.start_day(event.day)

    def _session_changed(self, event: SessionChanged) -> None:
        session = _SESSIONS[event.session]
        for venue in self.venues.values():
            if venue.instrument.board is event.board:
                venue.enter(session)
                self._release(venue)
        for desk in self._all:
            if "on_session" in desk.heard:
                self._call(desk, partial(desk.strategy.on_session, event))

    def _release(self, venue: Venue) -> None:
        if self.manager.open:
            for desk in self._all:
                desk.ledger.advance_to(self.now)
            self.manager.release(venue, self._ledger_of, self.now)

    def _ledger_of(self, order: Order) -> Portfolio:
        return self.desks[order.strategy].ledger

    def _rolled(self, event: ContractRolled) -> None:
        venue = self.venues[event.symbol]
        venue.roll(event.new)
        if event.old is None:
            return
        for desk in self._all:
            for order in desk.rolled(event.symbol):
                self.manager.expire(order, self.now, f"{event.symbol} rolled to {event.new.symbol}")
            for order in self._exits(desk, event.old.symbol):
                self.manager.cancel(order, venue, self.now)
            if "on_roll" in desk.heard:
                self._call(desk, partial(desk.strategy.on_roll, event))

    def _settled(self, event: PositionSettled) -> None:
        alias = next((v.symbol for v in self.venues.values() if v.instrument == event.instrument), "")
        for desk in self._all:
            fill = desk.ledger.settle(event.as_of, event.instrument, event.price, alias)
            if fill is None:
                continue
            desk.position_changed(fill.symbol, None)
            self._booked(desk, fill)

    def _booked(self, desk: Desk, fill: Fill) -> None:
        if "on_fill" in desk.heard:
            self._call(desk, partial(desk.strategy.on_fill, fill))
        if "on_portfolio" in desk.heard:
            self._call(desk, partial(desk.strategy.on_portfolio, desk.ledger))

    def _corporate_action(self, event: CorporateAction) -> None:
        for desk in self._all:
            desk.ledger.act(event)
            desk.position_changed(event.symbol, None)
            if event.ratio_new != event.ratio_old:
                for order in self._exits(desk, event.symbol):
                    if order.status is OrderStatus.HELD:
                        split(order, event.ratio_new, event.ratio_old)
            if "on_portfolio" in desk.heard:
                self._call(desk, partial(desk.strategy.on_portfolio, desk.ledger))

    def _timer_fired(self, event: TimerFired) -> None:
        for desk in self._all:
            for name, call in desk.due(event.ns):
                if call is None:
                    self._call(desk, partial(desk.strategy.on_timer, name))
                else:
                    self._call(desk, call)
        self.next_timer = min((d.next_timer or NEVER for d in self._all), default=NEVER)

    def _quoted(self, quote: Quote) -> None:
        venue = self.venues.get(quote.symbol)
        if venue is None:
            return
        venue.quote = quote
        for desk in self._all:
            if "on_quote" in desk.heard:
                self._call(desk, partial(desk.strategy.on_quote, quote))

    def _traded(self, trade: Trade) -> None:
        venue = self.venues.get(trade.symbol)
        if venue is None:
            return
        venue.traded = (trade.ns, venue.instrument.units(trade.price))
        for desk in self._all:
            if "on_trade" in desk.heard:
                self._call(desk, partial(desk.strategy.on_trade, trade))

    # -- strategies that raise ----------------------------------------------------------------

    def _call(self, desk: Desk, callback: Callable[[], None]) -> None:
        if desk.failure is not None:
            return
        try:
            callback()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything
            self._fail(desk, error)

    def _fail(self, desk: Desk, error: BaseException) -> None:
        """Stop one strategy: its intents are dropped and its open orders cancelled."""
        line = _user_line(error, desk.strategy)
        if isinstance(error, StrategyError):
            failure = error
        else:
            kind = "" if isinstance(error, AlgoError) else f"{type(error).__name__}: "
            failure = StrategyError(
                f"{desk.name} raised {kind}{error}" + (f" at {line}" if line else ""), line
            )
            failure.__cause__ = error
        desk.failure = failure
        self.listen()
        self.intents.append((desk, _nothing))  # so that a run of bars ends here
        self.failures.append(failure)
        for view in desk.working:
            self.cancel(view._order)


def _user_line(error: BaseException, strategy: Strategy) -> str:
    """The deepest place of the traceback in the strategy's own file, as ``file.py:12``."""
    module = sys.modules.get(type(strategy).__module__)
    own = getattr(module, "__file__", None)
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if own is None or frame.filename == own:
            return f"{PurePath(frame.filename).name}:{frame.lineno}"
    return ""
