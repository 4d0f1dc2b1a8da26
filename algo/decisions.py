"""What strategies decided, recorded so that it can be done again without them. Pure.

A strategy acts on its desk inside callbacks. The `Recorder` stands between the two: it counts the callbacks
of each step and notes every action with the number of its callback. The `Shadow` stands in a strategy's
place and does the noted actions at the same numbers. So an engine that is given the recorded inputs with
shadows instead of strategies comes to the very same state, whatever the strategies' code has become.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from algo.errors import JournalMismatch, StrategyError
from algo.model import OrderView

if TYPE_CHECKING:
    from algo.desk import Desk
    from algo.engine import Engine


class Decision(NamedTuple):
    """One action: in which callback of the step, what, and its arguments as plain JSON values.

    Orders are named by their serial number in the engine.
    """

    strategy: str
    call: int
    action: str
    arguments: tuple[Any, ...]


class Recorder:
    """A desk as its strategy sees it, with every action noted. `take` gives what was noted since the last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calls = 0
        self._noted: list[Decision] = []
        self.kept_state = "{}"
        """The strategy's state after its last callback that did not raise, as JSON."""
        strategy = desk.strategy
        strategy._desk = self
        for name in _callbacks(desk):
            object.__setattr__(strategy, name, self._counted(getattr(strategy, name)))

    def resume(self, state: str) -> None:
        """Go on with a state that was kept."""
        self._desk.state.update(json.loads(state))
        self.kept_state = state

    def begin(self) -> None:
        """A new step begins."""
        self._calls = 0

    def take(self) -> list[Decision]:
        """What was decided since the last call."""
        noted, self._noted = self._noted, []
        return noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    def _counted(self, callback: Callable[..., None]) -> Callable[..., None]:
        def counted(*given: Any) -> None:
            self._calls += 1
            try:
                callback(*given)
                self._keep_state()
            except (Exception, SystemExit) as error:
                self._note("raise", f"{type(error).__name__}: {error}")
                raise

        return counted

    def _keep_state(self) -> None:
        """What cannot be kept is the strategy's fault, and it hears of it at the first time."""
        if self._desk.state or self.kept_state != "{}":
            try:
                self.kept_state = json.dumps(self._desk.state, sort_keys=True)
            except (TypeError, ValueError, RecursionError) as error:
                name = self._desk.name
                raise StrategyError(f"{name}: its state must be what JSON can hold: {error}") from None

    def _note(self, action: str, *arguments: Any) -> None:
        self._noted.append(Decision(self._desk.name, self._calls, action, arguments))

    def place(self, *arguments: Any) -> OrderView:
        """As `Desk.place`."""
        self._note("place", *(_plain(one) for one in arguments))
        return self._desk.place(*arguments)

    def amend(self, order: OrderView, price: float | None, quantity: int | None) -> None:
        """As `Desk.amend`."""
        self._note("amend", order.serial, _plain(price), _plain(quantity))
        self._desk.amend(order, price, quantity)

    def cancel(self, order: OrderView) -> None:
        """As `Desk.cancel`."""
        self._note("cancel", order.serial)
        self._desk.cancel(order)

    def cancel_all(self, symbol: str | None) -> None:
        """As `Desk.cancel_all`."""
        self._note("cancel_all", symbol)
        self._desk.cancel_all(symbol)

    def target(self, symbol: str, quantity: int, price: float | None) -> OrderView | None:
        """As `Desk.target`."""
        self._note("target", symbol, _plain(quantity), _plain(price))
        return self._desk.target(symbol, quantity, price)

    def at(self, when: datetime | time, call: Callable[[], None] | None) -> None:
        """As `Desk.at`."""
        self._note("at", when.isoformat(), isinstance(when, datetime), call is not None)
        self._desk.at(when, None if call is None else self._counted(call))

    def every(self, period: timedelta, call: Callable[[], None] | None) -> None:
        """As `Desk.every`."""
        self._note("every", period.total_seconds(), call is not None)
        self._desk.every(period, None if call is None else self._counted(call))

    def notify(self, text: str) -> None:
        """As `Desk.notify`."""
        self._note("notify", text)
        self._desk.notify(text)


class Shadow:
    """Stands in a strategy's place and does again what was recorded."""

    def __init__(self, desk: Desk, engine: Engine) -> None:
        self._desk = desk
        self._engine = engine
        self._calls = 0
        self._due: dict[int, list[Decision]] = {}
        self._views: dict[int, OrderView] = {}
        self._names = _callbacks(desk)
        for name in self._names:
            object.__setattr__(desk.strategy, name, self._called)

    def begin(self, decisions: Iterable[Decision]) -> None:
        """A new step begins, in which this was decided."""
        if self._due:
            raise JournalMismatch(f"{self._desk.name}: recorded decisions have no place in the run")
        self._calls = 0
        for one in decisions:
            if one.strategy == self._desk.name:
                self._due.setdefault(one.call, []).append(one)

    def leave(self) -> None:
        """Let the strategy itself act again. Its old timers are gone; it makes them anew when it starts."""
        for name in self._names:
            del self._desk.strategy.__dict__[name]
        self._desk.forget_timers()

    def _called(self, *_given: Any) -> None:
        self._calls += 1
        for one in self._due.pop(self._calls, ()):
            self._do(one)

    def _do(self, one: Decision) -> None:
        desk, given = self._desk, one.arguments
        if one.action == "place":
            self._keep(desk.place(*given))
        elif one.action == "target":
            self._keep(desk.target(*given))
        elif one.action == "amend":
            desk.amend(self._view(given[0]), given[1], given[2])
        elif one.action == "cancel":
            desk.cancel(self._view(given[0]))
        elif one.action == "cancel_all":
            desk.cancel_all(given[0])
        elif one.action == "at":
            text, dated, calls = given
            when = datetime.fromisoformat(text) if dated else time.fromisoformat(text)
            desk.at(when, self._called if calls else None)
        elif one.action == "every":
            desk.every(timedelta(seconds=given[0]), self._called if given[1] else None)
        elif one.action == "notify":
            desk.notify(given[0])
        elif one.action == "raise":
            raise StrategyError(f"{desk.name} raised {given[0]}")
        else:
            raise JournalMismatch(f"a recorded decision is of no known kind: {one.action}")

    def _keep(self, view: OrderView | None) -> None:
        if view is not None:
            self._views[view.serial] = view

    def _view(self, serial: int) -> OrderView:
        found = self._views.get(serial)
        if found is None:
            order = next((o for o in reversed(self._engine.manager.every) if o.serial == serial), None)
            if order is None:
                raise JournalMismatch(f"{self._desk.name}: order number {serial} was never made")
            found = self._views[serial] = OrderView(order)
        return found


def _callbacks(desk: Desk) -> list[str]:
    """The callbacks through which a strategy can act."""
    return sorted({*desk.heard, "on_start", "on_stop", "on_timer"})


def _plain(value: Any) -> Any:
    """A number as JSON knows it: strategies hand over numpy's too. What is none is kept as its text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value)
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
