"""One strategy's side of the engine: its intents, targets, timers, and what it may read."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from heapq import heappop, heappush
from numbers import Integral
from typing import TYPE_CHECKING, Any

from algo.clock import at, local_date, to_ns
from algo.errors import DataError, InputError, SettingError
from algo.history import Bars, indicator
from algo.market import Session, Snap, instrument_of, largest_order, lot, snap, tick
from algo.model import (
    Attached,
    Instrument,
    Order,
    OrderStatus,
    OrderType,
    OrderView,
    Side,
    TimeInForce,
    Trigger,
    TriggerKind,
)
from algo.orders.venue import Venue
from algo.portfolio import Portfolio, Position

if TYPE_CHECKING:
    from algo.engine import Engine
    from algo.strategy import Strategy

_CALLBACKS = (
    "on_bar", "on_bars", "on_quote", "on_trade", "on_order", "on_fill", "on_portfolio", "on_session",
    "on_roll", "on_timer",
)  # fmt: skip
# Looked up once: a member read from its class costs a call.
_BUY, _SELL, _MARKET, _LIMIT = Side.BUY, Side.SELL, OrderType.MARKET, OrderType.LO
_TICKS = {"down": Snap.DOWN, "up": Snap.UP, "nearest": Snap.NEAREST}


class Desk:
    """What one strategy asked for and has not been answered yet, and its window on the engine."""

    def __init__(self, name: str, strategy: Strategy, ledger: Portfolio, engine: Engine) -> None:
        from algo.strategy import Strategy as Base

        self.name = name
        self.strategy = strategy
        self.ledger = ledger
        self.targets: dict[str, int] = {}
        self.target_orders: dict[str, OrderView] = {}
        self.state: dict[str, Any] = {}
        self.messages: list[tuple[int, str]] = []
        self.failure: BaseException | None = None
        self.heard = {name for name in _CALLBACKS if getattr(type(strategy), name) is not getattr(Base, name)}
        self._engine = engine
        self._retarget: dict[str, tuple[int, float | None]] = {}
        self._timers: list[tuple[int, int, str, Callable[[], None] | None, int]] = []
        self._daily: list[tuple[time, Callable[[], None] | None]] = []
        self._made = 0

    @property
    def now(self) -> int:
        """Market time, nanoseconds since the epoch."""
        return self._engine.now

    def _intend(self, act: Callable[[], None]) -> None:
        """Keep an intent for when the callback has returned."""
        self._engine.intents.append((self, act))

    # -- orders -------------------------------------------------------------------------------

    def place(
        self,
        symbol: str,
        sign: int,
        quantity: int,
        price: float | None,
        order_type: str | None,
        stop: float | None,
        stop_loss: float | None,
        take_profit: float | None,
        trailing: float | None,
        tif: str,
        tag: str,
    ) -> OrderView:
        """Note the intent; it is checked and sent after the callback returns."""
        venue = self._engine.venues.get(symbol)
        instrument = venue.instrument if venue is not None else _stranger(symbol)
        order = Order(
            strategy=self.name,
            symbol=symbol,
            instrument=instrument,
            side=_BUY if sign > 0 else _SELL,
            quantity=0,
            order_type=_MARKET if price is None else _LIMIT,
            created=self._engine.now,
            tag=tag,
        )
        self._engine.made = order.serial = self._engine.made + 1
        try:
            if venue is None:
                venue = self._venue(symbol)
            order.quantity = _whole(quantity)
            if tif != "day":
                order.tif = _lifetime(tif)
            if order_type is not None:
                order.order_type = order.wire_type = _type(order_type, price)
            if price is not None:
                order.price = venue.units(price)
            if stop is not None:
                kind = TriggerKind.UP if sign > 0 else TriggerKind.DOWN
                order.trigger = Trigger(kind, venue.units(stop))
            if not (stop_loss is None and take_profit is None and trailing is None):
                order.attached = _attached(venue, sign, stop_loss, take_profit, trailing)
        except (InputError, ValueError) as error:
            reason = str(error)
            self._intend(lambda: self._engine.refuse(order, reason))
        else:
            self._intend(partial(self._engine.submit, self, order))
        return OrderView(order)

    def amend(self, view: OrderView, price: float | None, quantity: int | None) -> None:
        """Note an amendment."""
        order: Order = view._order
        try:
            units = None if price is None else self._venue(order.symbol).units(price)
            whole = None if quantity is None else _whole(quantity)
        except InputError as error:
            reason = str(error)
            self._intend(lambda: self._engine.refuse_amend(order, reason))
        else:
            self._intend(lambda: self._engine.amend(order, units, whole))

    def cancel(self, view: OrderView) -> None:
        """Note a cancel."""
        order: Order = view._order
        self._intend(lambda: self._engine.cancel(order))

    def cancel_all(self, symbol: str | None) -> None:
        """Note a cancel of every open order, or of those of one symbol."""
        for view in self.working:
            if symbol is None or view.symbol == symbol:
                self.cancel(view)

    def target(self, symbol: str, quantity: int, price: float | None) -> OrderView | None:
        """Bring the position to `quantity` with one order, after an earlier one has ended."""
        if not isinstance(quantity, Integral):  # refused like any other order that is not well formed
            return self.place(symbol, 1, quantity, price, None, None, None, None, None, "day", "target")
        view = self.target_orders.get(symbol)
        if view is not None:
            if self.targets.get(symbol) == quantity and (price is None or view.price == price):
                return view
            self.targets[symbol] = quantity
            self._retarget[symbol] = (quantity, price)
            self.cancel(view)
            return view
        self._retarget.pop(symbol, None)
        venue = self._engine.venues.get(symbol)
        held = self.ledger.quantity(venue.instrument.symbol) if venue is not None else 0
        delta = quantity - held
        self.targets[symbol] = quantity
        if delta == 0:
            return None
        sign = 1 if delta > 0 else -1
        view = self.place(symbol, sign, abs(delta), price, None, None, None, None, None, "day", "target")
        self.target_orders[symbol] = view
        return view

    def order_ended(self, order: Order) -> None:
        """Keep targets true: forget one whose order ended short, go on to one that had to wait."""
        symbol = order.symbol
        view = self.target_orders.get(symbol)
        if view is None or view._order is not order:
            return
        del self.target_orders[symbol]
        again = self._retarget.pop(symbol, None)
        if again is not None:
            self.target(symbol, *again)
        elif order.status is not OrderStatus.FILLED:
            self.targets.pop(symbol, None)

    def position_changed(self, symbol: str, order: Order | None) -> None:
        """Something other than the target's own order moved the position: the target is open again."""
        if symbol not in self.targets:
            return
        view = self.target_orders.get(symbol)
        if view is None:
            del self.targets[symbol]
        elif view._order is not order:
            self._retarget[symbol] = (self.targets[symbol], None)
            self.cancel(view)

    def rolled(self, symbol: str) -> list[Order]:
        """The alias trades another contract: targets start afresh; gives the held target orders to drop."""
        self._retarget.pop(symbol, None)
        self.targets.pop(symbol, None)
        view = self.target_orders.pop(symbol, None)
        return [] if view is None else [view._order]

    # -- timers -------------------------------------------------------------------------------

    def at(self, when: datetime | time, call: Callable[[], None] | None) -> None:
        """A moment, or a time of day on every trading day from now on."""
        if isinstance(when, datetime):
            self._push(to_ns(when), "at", call, 0)
            return
        self._daily.append((when, call))
        due = at(local_date(self.now), when)
        if self._engine.day and due > self.now:
            self._push(due, f"at {when:%H:%M}", call, 0)

    def every(self, period: timedelta, call: Callable[[], None] | None) -> None:
        """Each `period` of market time."""
        ns = round(period.total_seconds() * 1e9)
        if ns <= 0:
            raise SettingError("every() needs a period above zero")
        self._push(self.now + ns, f"every {period}", call, ns)

    def start_day(self, day: date) -> None:
        """Set the daily timers of this day."""
        for when, call in self._daily:
            due = at(day, when)
            if due >= self.now:
                self._push(due, f"at {when:%H:%M}", call, 0)

    def _push(self, ns: int, name: str, call: Callable[[], None] | None, period: int) -> None:
        self._made += 1
        heappush(self._timers, (ns, self._made, name, call, period))
        self._engine.timer_set(self, ns)

    def forget_timers(self) -> None:
        """Drop all timers: a strategy that starts anew makes its own again."""
        self._timers.clear()
        self._daily.clear()

    @property
    def next_timer(self) -> int | None:
        """When the next timer is due, nanoseconds since the epoch."""
        return self._timers[0][0] if self._timers else None

    def due(self, ns: int) -> list[tuple[str, Callable[[], None] | None]]:
        """Take the timers due at `ns`, in order. A repeating one that fell behind fires once."""
        found = []
        while self._timers and self._timers[0][0] <= ns:
            when, _, name, call, period = heappop(self._timers)
            found.append((name, call))
            if period:
                missed = (ns - when) // period
                self._push(when + (missed + 1) * period, name, call, period)
        return found

    # -- reads --------------------------------------------------------------------------------

    @property
    def portfolio(self) -> Portfolio:
        """The ledger, moved to the present."""
        self.ledger.advance_to(self.now)
        return self.ledger

    @property
    def working(self) -> list[OrderView]:
        """Open orders, oldest first."""
        return [OrderView(o) for o in self._engine.manager.open.values() if o.strategy == self.name]

    def position(self, symbol: str) -> Position:
        """The position in the instrument now behind `symbol`, flat when there is none."""
        instrument = self._venue(symbol).instrument
        ledger = self.portfolio
        return ledger.positions.get(instrument.symbol) or Position(instrument, ledger)

    @property
    def universe(self) -> tuple[str, ...]:
        """The symbols that have a venue."""
        return tuple(self._engine.venues)

    def buying_power(self, symbol: str) -> int:
        """Free cash or margin of the account that the symbol is traded from."""
        return self.portfolio.buying_power(self._venue(symbol).instrument.account)

    def bars(self, symbol: str, width: str | None) -> Bars:
        """Complete bars up to now."""
        return Bars(self._engine.history(symbol, width))

    def indicator(
        self, function: Callable[..., Any], symbol: str, arguments: tuple[Any, ...], width: str | None
    ) -> Any:
        """A causal function of the bars."""
        self._engine.pause(self)
        return indicator(self._engine.history(symbol, width), function, *arguments)

    def session(self, symbol: str | None) -> str:
        """The session now: of the symbol's board, or of the first venue."""
        if symbol is None:
            return next((str(v.session) for v in self._engine.venues.values()), str(Session.C))
        return str(self._venue(symbol).session)

    def round_price(self, symbol: str, price: float, toward: str) -> float:
        """`price` on the tick."""
        if toward not in _TICKS:
            raise SettingError(f"round_price goes down, up or nearest, not {toward!r}")
        venue = self._venue(symbol)
        instrument = venue.instrument
        units = snap(instrument, price * instrument.scale, _TICKS[toward], venue.day)
        return instrument.price(units)

    def tick(self, symbol: str, price: float | None) -> float:
        """The price step at `price`, or at the last price."""
        venue = self._venue(symbol)
        units = venue.last if price is None else venue.instrument.units(price)
        return venue.instrument.price(tick(venue.instrument, units or 1, venue.day))

    def lot(self, symbol: str) -> int:
        """The board lot today."""
        venue = self._venue(symbol)
        return lot(venue.instrument, venue.day)

    def largest_order(self, symbol: str) -> int:
        """The board's largest order; where none is known, a number beyond every order."""
        return largest_order(self._venue(symbol).instrument) or 1 << 62

    def band(self, symbol: str) -> tuple[float, float] | None:
        """Today's floor and ceiling."""
        venue = self._venue(symbol)
        band = venue.band
        if band is None:
            return None
        return venue.instrument.price(band.floor), venue.instrument.price(band.ceiling)

    def notify(self, text: str) -> None:
        """Keep a line for the person."""
        self.messages.append((self.now, text))
        self._engine.messages.append((self.now, self.name, text))

    def _venue(self, symbol: str) -> Venue:
        venue = self._engine.venues.get(symbol)
        if venue is None:
            known = ", ".join(sorted(self._engine.venues)) or "none"
            raise DataError(f"no data for {symbol!r}; this run has {known}")
        return venue


def _stranger(symbol: str) -> Instrument:
    try:
        return instrument_of(str(symbol))
    except SettingError:
        return instrument_of("UNKNOWN")


def _whole(quantity: Any) -> int:
    try:
        whole = operator.index(quantity)
    except TypeError:
        raise SettingError(f"quantity {quantity!r} must be a whole number") from None
    if whole <= 0:
        raise SettingError(f"quantity {whole} must be above zero")
    return whole


def _lifetime(tif: str) -> TimeInForce:
    try:
        return TimeInForce(tif)
    except ValueError:
        raise SettingError(f"tif is {' or '.join(TimeInForce)}, not {tif!r}") from None


def _type(name: str, price: float | None) -> OrderType:
    try:
        kind = OrderType(name)
    except ValueError:
        raise SettingError(f"there is no order type {name!r}; there are {', '.join(OrderType)}") from None
    if (kind is OrderType.LO) != (price is not None):
        raise SettingError(f"a {name} order takes {'a' if kind is OrderType.LO else 'no'} limit price")
    return kind


def _attached(
    venue: Venue, sign: int, stop_loss: float | None, take_profit: float | None, trailing: float | None
) -> Attached:
    loss = venue.units(stop_loss) if stop_loss is not None else 0
    profit = venue.units(take_profit) if take_profit is not None else 0
    if loss and profit and (profit - loss) * sign <= 0:
        raise SettingError("take_profit and stop_loss are on the wrong sides of each other")
    trail = venue.units(trailing) if trailing is not None else 0
    return Attached(loss, profit, trail)
