"""The engine beside a real market: operational controls, kill switch, unknown requests, statements. Pure.

The supervisor takes every event of a live run, keeps the controls up to date, passes on to the engine what
is the engine's, keeps stops of shares, and gives the commands that go to the broker. Given the same events
it gives the same commands, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from algo.clock import MINUTE
from algo.engine import Engine
from algo.kill_switch import KillSwitch
from algo.market import Band
from algo.model import (
    BandStated,
    Bar,
    BarsMissed,
    BooksStated,
    BrokerEvent,
    Command,
    DayStarted,
    ForeignWorked,
    HoldingsStated,
    MarketDoubted,
    MarketTrusted,
    OperatorActed,
    Order,
    OrderAccepted,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderStatus,
    PortfolioUpdated,
    RequestKind,
    RequestNotSent,
    RequestRefused,
    RequestStatus,
    RequestUnknown,
    SessionChanged,
    SignInChanged,
    StreamLost,
    StreamRestored,
    TimerFired,
)
from algo.orders.controls import ALL, Controls
from algo.orders.reconcile import Evidence, Holdings
from algo.orders.stops import StopKeeper
from algo.orders.venue import Venue

UNCOMPARED = "orders and positions have not been compared with the broker's yet"
STREAM_PATIENCE = MINUTE
"""How long the order stream may be down before a person is told."""
_MONEY = frozenset({tuple, OrderFilled, TimerFired, SignInChanged, DayStarted})
"""After what it is looked whether the day's loss is above its limit."""
CANCEL_TRIES = 3
"""How often a cancel is asked for again after it was refused while the order stands."""


class Supervisor:
    """One engine's operation. `controls` holds what is halted; its `alarms` are for a person."""

    def __init__(self, engine: Engine, controls: Controls) -> None:
        self.engine = engine
        self.controls = controls
        self.evidence = Evidence()
        self.holdings = Holdings()
        self.keeper = StopKeeper(self._venue_of, self._stop_refusal)
        self.traded: dict[str, int] = {}
        self._foreign_filled: dict[str, int] = {}
        self.switch = KillSwitch(engine, controls)
        self._tries: dict[str, int] = {}
        self._again: set[str] = set()
        self._restored_at: int | None = None
        self._lost_at = 0
        self._agreed: set[type] = set()
        controls.ready = UNCOMPARED
        engine.manager.controls = controls
        engine.manager.account_quantity = self._account_quantity
        self._own: dict[type, Callable[[Any], Sequence[Command]]] = {
            BandStated: self._band_stated,
            BarsMissed: self._nothing,  # they are in the histories, and nobody acts on them
            BooksStated: self._books_stated,
            ForeignWorked: self._foreign_worked,
            HoldingsStated: self._holdings_stated,
            MarketDoubted: self._market_doubted,
            MarketTrusted: self._market_trusted,
            OperatorActed: self._operator_acted,
            PortfolioUpdated: self._nothing,
            SignInChanged: self._sign_in_changed,
            StreamLost: self._stream_lost,
            StreamRestored: self._stream_restored,
        }
        self._before: dict[type, Callable[[Any], None]] = {
            OrderAccepted: self._order_accepted,
            OrderFilled: self._order_filled,
            OrderRejected: self._order_rejected,
            RequestRefused: self._request_refused,
            RequestUnknown: self._request_unknown,
        }

    # -- the loop -------------------------------------------------------------------------------

    def start(self, ns: int) -> list[Command]:
        """Wake the strategies, at the first start or after a restart."""
        return self._through(self.engine.start(ns))

    def stop(self, ns: int) -> list[Command]:
        """Tell the strategies that there is nothing more."""
        return self._through(self.engine.stop(ns))

    def step(self, event: Any) -> list[Command]:
        """Apply one event and give the commands that follow from it."""
        kind = event.__class__
        ns = event[0][1] if kind is tuple else event.ns
        engine = self.engine
        engine.now = max(engine.now, ns)
        if self.keeper:
            set_off, news = self.keeper.hear(event)
            out = [*set_off, *self._heard(news)]
        else:
            out = []
        own = self._own.get(kind)
        if own is not None:
            out += self._through(own(event))
        else:
            before = self._before.get(kind)
            if before is not None:
                before(event)
            out += self._through(engine.step(event))
            if kind is DayStarted:
                out += self._day_started(event)
            elif kind is SessionChanged:
                self.switch.try_again()
        self._settle()
        self.controls.tick(engine.now)
        if kind in _MONEY:
            self._look_at_losses()
        if self._lost_at and engine.now - self._lost_at > STREAM_PATIENCE:
            self._lost_at = 0
            self.controls.alarm(engine.now, "stream", ALL, f"nothing is entered: {self.controls.ready}")
        if self.switch.flattening:
            out += self._through(self.switch.flatten())
        return out

    def _through(self, commands: Sequence[Command]) -> list[Command]:
        """Commands on their way out: stops of shares stay here and are answered at once."""
        out, answers = self.keeper.take(commands, self.engine.now)
        return out + self._heard(answers) if answers else out

    def _heard(self, events: Iterable[BrokerEvent]) -> list[Command]:
        out: list[Command] = []
        for event in events:
            out += self._through(self.engine.step(event))
        return out

    def _nothing(self, _event: object) -> Sequence[Command]:
        return ()

    def _venue_of(self, symbol: str) -> Venue | None:
        return next((v for v in self.engine.venues.values() if v.instrument.symbol == symbol), None)

    def restart(self) -> None:
        """The process ended here and another one begins: it knows nothing until the sides were compared."""
        self.evidence.stream_lost()
        self._agreed.clear()
        self._restored_at = None
        self._lost_at = 0
        self.controls.ready = UNCOMPARED

    def _look_at_losses(self) -> None:
        """Halt entries for the rest of the day once a loss is above its limit, and tell a person."""
        profits = {name: desk.ledger.day_profit for name, desk in self.engine.desks.items()}
        self.controls.day_profits(profits, self.engine.manager.limits, self.engine.now)

    # -- orders ---------------------------------------------------------------------------------

    def _stop_refusal(self, order_id: str) -> str | None:
        """Why a stop that was reached may not go out: one that enters is an entry like another."""
        manager = self.engine.manager
        order = manager.orders.get(order_id)
        if order is None or order.parent:
            return None
        held = self.engine.desks[order.strategy].ledger.quantity(order.instrument.symbol)
        return None if manager.smaller(order, held) else self.controls.entry_refusal(order, self.engine.now)

    def _order_accepted(self, event: OrderAccepted) -> None:
        order = self._reopened(event.order_id, event.ns)
        if order is not None:
            self.controls.accepted(order)

    def _order_filled(self, event: OrderFilled) -> None:
        order = self._reopened(event.order_id, event.ns)
        if order is not None:
            self.controls.filled(order, self.engine.now)
            self.traded[order.instrument.symbol] = self.engine.now

    def _reopened(self, order_id: str, ns: int) -> Order | None:
        order = self.engine.manager.orders.get(order_id)
        if order is not None and order.status is OrderStatus.FAILED:
            text = f"order {order_id} was taken for not received, and is alive at the broker"
            self.controls.alarm(ns, "reopened", f"symbol:{order.instrument.symbol}", text)
        return order

    def _order_rejected(self, event: OrderRejected) -> None:
        order = self.engine.manager.orders.get(event.order_id)
        if order is not None and not order.status.terminal:
            self.controls.refused(order, event.ns, event.reason)

    def _request_refused(self, event: RequestRefused) -> None:
        manager = self.engine.manager
        request, order = manager.request(event.request_id), manager.orders.get(event.order_id)
        if request is None or order is None or request.done:
            return
        if request.kind is RequestKind.PLACE:
            self.controls.refused(order, event.ns, event.reason)
        elif request.kind is RequestKind.CANCEL and not order.status.terminal:
            tries = self._tries[order.order_id] = self._tries.get(order.order_id, 0) + 1
            if tries <= CANCEL_TRIES:
                self._again.add(order.order_id)
            else:
                text = f"the cancel of {order.order_id} was refused {tries} times: {event.reason}"
                self.controls.alarm(event.ns, "cancel", f"symbol:{order.instrument.symbol}", text)

    def _request_unknown(self, event: RequestUnknown) -> None:
        manager = self.engine.manager
        request, order = manager.request(event.request_id), manager.orders.get(event.order_id)
        if request is not None and order is not None and not request.done:
            self.controls.became_unknown(event.request_id, order.instrument.symbol, event.ns)
            self.evidence.unknown(event.request_id)

    def _settle(self) -> None:
        """Forget the unknown requests whose fate has shown."""
        for request_id in list(self.controls.unknown):
            request = self.engine.manager.request(request_id)
            if request is not None and request.status is RequestStatus.UNKNOWN and not request.done:
                order = self.engine.manager.orders.get(request.order_id)
                if order is not None and not order.status.terminal:
                    continue
            self.controls.settled(request_id)
            self.evidence.settled(request_id)

    # -- statements of the broker ---------------------------------------------------------------

    def _stream_lost(self, event: StreamLost) -> Sequence[Command]:
        self.evidence.stream_lost()
        self._agreed.clear()
        self._restored_at = None
        self._lost_at = self._lost_at or event.ns
        self.controls.ready = f"the order stream is down ({event.reason})"
        return ()

    def _stream_restored(self, event: StreamRestored) -> Sequence[Command]:
        self.evidence.stream_restored()
        self._restored_at = event.ns
        self._lost_at = 0
        self._agreed.clear()
        self.controls.ready = "orders and positions are being compared with the broker's"
        return ()

    def _agree(self, kind: type, asked: int) -> None:
        """A whole statement that was asked for after the stream came up: with both kinds, all is known."""
        if self._restored_at is not None and asked >= self._restored_at:
            self._agreed.add(kind)
            if self._agreed >= {BooksStated, HoldingsStated}:
                self.controls.ready = ""

    def _books_stated(self, event: BooksStated) -> Sequence[Command]:
        out: list[Command] = []
        for request_id in self.evidence.books(event):
            request = self.engine.manager.request(request_id)
            if request is None:
                continue
            reason = "not received: absent from three complete order books"
            text = f"request {request_id} ({request.kind} of {request.order_id}) was never received"
            self.controls.alarm(event.ns, "not received", ALL, text)
            self.controls.settled(request_id)
            out += self.engine.step(RequestNotSent(request_id, request.order_id, event.ns, reason))
        again, self._again = self._again, set()
        for order_id in sorted(again):
            order = self.engine.manager.orders.get(order_id)
            if order is not None and not order.status.terminal:
                self.engine.cancel(order)
        out += self.engine.step(TimerFired(event.ns))
        self._agree(BooksStated, event.asked)
        return out

    def _held(self) -> dict[str, int]:
        """What all strategies together hold of each instrument."""
        total: dict[str, int] = {}
        for desk in self.engine.desks.values():
            for position in desk.ledger.held():
                total[position.symbol] = total.get(position.symbol, 0) + position.quantity
        return total

    def _holdings_stated(self, event: HoldingsStated) -> Sequence[Command]:
        found, trusted = self.holdings.compare(event, self._held(), self.traded)
        for symbol, difference in found.items():
            text = f"the broker holds {difference:+,} of {symbol} that no fill explains: recorded as external"
            self.controls.halt(event.ns, "mismatch", f"symbol:{symbol}", text)
        for symbol in trusted:
            self.controls.release(f"symbol:{symbol}", "mismatch")
        self.controls.outside = self.holdings.outside
        self._agree(HoldingsStated, event.asked)
        return ()

    def _foreign_worked(self, event: ForeignWorked) -> Sequence[Command]:
        leaves = 0 if event.over else event.quantity - event.filled
        self.controls.foreign_order(event.broker_id, event.symbol, leaves * event.side)
        known = self._foreign_filled.get(event.broker_id, 0)
        if event.filled > known:
            self._foreign_filled[event.broker_id] = event.filled
            if self.holdings.known:  # before the first statement, it is in the positions that are found there
                outside = self.holdings.outside
                change = (event.filled - known) * event.side
                outside[event.symbol] = outside.get(event.symbol, 0) + change
            self.traded[event.symbol] = self.engine.now
        return ()

    def _account_quantity(self, order: Order) -> int:
        symbol = order.instrument.symbol
        return self._held().get(symbol, 0) + self.holdings.outside.get(symbol, 0)

    # -- market and sign-in ---------------------------------------------------------------------

    def _band_stated(self, event: BandStated) -> Sequence[Command]:
        venue = self.engine.venues.get(event.symbol)
        if venue is not None:
            venue.state_band(venue.day, Band(event.floor, event.reference, event.ceiling))
        return ()

    def _market_doubted(self, event: MarketDoubted) -> Sequence[Command]:
        self.controls.doubts[event.symbol] = event.reason
        return ()

    def _market_trusted(self, event: MarketTrusted) -> Sequence[Command]:
        self.controls.doubts.pop(event.symbol, None)
        return ()

    def _sign_in_changed(self, event: SignInChanged) -> Sequence[Command]:
        controls = self.controls
        if not event.trading:
            reason = event.reason or "not signed in for trading"
        elif event.seconds_left < controls.settings.token_life:
            reason = f"the sign-in ends in {event.seconds_left / 60:.0f} minutes: sign in anew"
        else:
            reason = ""
        if reason and not controls.signed_out:
            controls.alarm(event.ns, "sign-in", ALL, reason)
        controls.signed_out = reason
        return ()

    def _day_started(self, event: DayStarted) -> list[Command]:
        """What is left of an earlier day is over, whether or not anybody said so."""
        out: list[Command] = []
        day = f"{event.day:%Y%m%d}-"
        for order in list(self.engine.manager.open.values()):
            if order.order_id and not order.order_id.startswith(day) and order.status is not OrderStatus.HELD:
                self.keeper.expire(order.order_id)
                out += self._through(
                    self.engine.step(OrderExpired(order.order_id, event.ns, "the trading day ended"))
                )
        self.controls.start_day()
        self._tries.clear()
        self._foreign_filled.clear()
        return out

    # -- the operator ---------------------------------------------------------------------------

    def _operator_acted(self, event: OperatorActed) -> Sequence[Command]:
        controls = self.controls
        if event.action == "resume":
            controls.resume()
            self.switch.flattening = False
            controls.alarm(event.ns, "resumed", ALL, event.detail or "the operator resumed trading")
            return ()
        if event.action == "accept":
            controls.release(event.detail)
            self.holdings.mismatched.pop(event.detail.removeprefix("symbol:"), None)
            return ()
        return self.switch.kill(event.ns, event.detail, flatten=event.action == "flatten")


def moment_of(event: Any) -> int:
    """Market time of an event, or of the bars of one moment."""
    ns: int = event[0][1] if event.__class__ is tuple and isinstance(event[0], Bar) else event.ns
    return ns


__all__ = ["Supervisor", "moment_of"]
