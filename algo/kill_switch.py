"""The kill switch inside a run: cancels riskiest first, and closes positions when that is asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from algo.desk import Desk
from algo.engine import Engine
from algo.market import Session
from algo.model import Account, Command, Order, OrderType, Side, TimerFired
from algo.orders.controls import FLATTEN, Controls
from algo.portfolio import Position


class KillSwitch:
    """Latches the controls and empties the market of this engine's orders."""

    def __init__(self, engine: Engine, controls: Controls) -> None:
        self.flattening = False
        self._engine = engine
        self._controls = controls
        self._tried: set[tuple[str, str]] = set()

    def kill(self, ns: int, reason: str, *, flatten: bool) -> Sequence[Command]:
        """Latch, and cancel every own order, riskiest first; nothing else goes out in between."""
        self._controls.kill(ns, reason)
        if flatten:
            self.flattening = True
            self._tried.clear()
        for order in sorted(self._engine.manager.open.values(), key=self._risk, reverse=True):
            if order.tag != FLATTEN:
                self._engine.cancel(order)
        return self._engine.step(TimerFired(self._engine.now))

    def try_again(self) -> None:
        """Another session: what could not be closed in the last one may be in this one."""
        self._tried.clear()

    def _risk(self, order: Order) -> tuple[bool, int]:
        """Orders that open something come first, the largest value at the front."""
        venue = self._engine.venues.get(order.symbol)
        price = order.worst_price or (venue.last if venue is not None else None) or 1
        return not order.parent, order.instrument.notional(price, order.worst_leaves)

    def flatten(self) -> Sequence[Command]:
        """Close what is held, once nothing of a strategy works any more in it; tell what stays locked."""
        engine = self._engine
        for desk in engine.desks.values():
            desk.ledger.advance_to(engine.now)
            for position in list(desk.ledger.held()):
                if (desk.name, position.symbol) not in self._tried and not self._works(desk, position):
                    self._close(desk, position)
        return engine.step(TimerFired(engine.now))

    def _works(self, desk: Desk, position: Position) -> bool:
        return any(
            order.strategy == desk.name and order.instrument.symbol == position.symbol
            for order in self._engine.manager.open.values()
        )

    def _close(self, desk: Desk, position: Position) -> None:
        engine = self._engine
        venues = engine.venues.values()
        venue = next((one for one in venues if one.instrument.symbol == position.symbol), None)
        if venue is None or venue.session in (Session.C, Session.BREAK):
            return
        self._tried.add((desk.name, position.symbol))
        free = abs(position.quantity)
        if position.instrument.account is Account.EQUITY:
            free = min(free, position.sellable)
            if free < position.quantity:
                text = f"{position.quantity - free:,} {position.symbol} are locked until they arrive on T+2"
                self._controls.alarm(engine.now, "locked", f"symbol:{position.symbol}", text)
        if not free:
            return
        order = Order(
            strategy=desk.name,
            symbol=venue.symbol,
            instrument=position.instrument,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            quantity=free,
            order_type=OrderType.MARKET,
            tag=FLATTEN,
            created=engine.now,
        )
        engine.made += 1
        order.serial = engine.made
        engine.submit(desk, order)
