"""A live run as people watch it: one screen in a terminal, lines elsewhere. Alarms are always said."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from algo.cli import dashboard
from algo.clock import to_datetime
from algo.model import OrderStatus

if TYPE_CHECKING:
    from algo.engine import Engine
    from algo.live.trading import Trading
    from algo.orders.controls import Alarm
    from algo.portfolio import Portfolio

_REFRESH = 0.2
_REFUSED = (OrderStatus.REFUSED, OrderStatus.REJECTED)


class LiveView:
    """Shows a run; use it in a ``with`` once `begin` has named the run."""

    def __init__(self, console: Console, name: str, speed: float, where: str) -> None:
        self._console, self._name, self._speed, self._where = console, name, speed, where
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        )
        self._trading: Trading | None = None
        self._next = 0.0
        self._watched = True
        self._fills = self._orders = 0
        self.news: deque[tuple[int, str]] = deque(maxlen=dashboard.MESSAGES)
        self.told_by_strategy: list[tuple[int, str]] = []

    def begin(self, trading: Trading) -> None:
        """The run that is shown from now on."""
        self._trading = trading

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._lines()

    # What the dashboard reads of a run

    @property
    def engine(self) -> Engine:
        """The engine."""
        assert self._trading is not None
        return self._trading.core.engine

    @property
    def ledger(self) -> Portfolio:
        """The ledger of the strategy."""
        return self.engine.desks[self._name].ledger

    # What the run calls

    def alarm(self, alarm: Alarm) -> None:
        """Something a person must know."""
        text = f"ALARM {alarm.kind}: {alarm.text}"
        self.news.append((alarm.ns, text))
        self._say(alarm.ns, Text(text, style="bold red"))

    def message(self, ns: int, name: str, text: str) -> None:
        """Something a person should know; with a name, from a strategy."""
        if name:
            self.told_by_strategy.append((ns, text))
        self.news.append((ns, text))
        self._say(ns, Text(text))

    def line(self, text: str) -> None:
        """A line for the terminal."""
        self._say(0, Text(text))

    def show(self) -> None:
        """Bring the picture up to date."""
        if self._trading is None:
            return
        if self._live is None:
            self._lines()
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + _REFRESH
            live = self._live
            self._out(lambda: live.update(self._picture(), refresh=True))

    def _say(self, ns: int, text: Text) -> None:
        if self._live is None or not self._live.is_started:
            line = Text(f"{to_datetime(ns):%Y-%m-%d %H:%M}  ") if ns else Text("")
            self._out(lambda: self._console.print(line.append_text(text), soft_wrap=True))

    def _out(self, write: Callable[[], None]) -> None:
        """A terminal or a reader that is gone, such as `head`, ends the showing and not the run."""
        if not self._watched:
            return
        try:
            write()
        except (OSError, SystemExit):  # rich exits the process when a pipe is closed
            self._watched = False

    def _lines(self) -> None:
        fills, orders = self.ledger.fills, self.engine.manager.every
        for fill in fills[self._fills :]:
            self._say(fill.ns, Text(dashboard.fill_line(fill)))
        for order in orders[self._orders :]:
            if order.status in _REFUSED:
                self._say(order.created, Text(dashboard.refusal(order)))
        self._fills, self._orders = len(fills), len(orders)

    def _picture(self) -> Group:
        trading = self._trading
        assert trading is not None
        head = Text(self._name, style="bold")
        if self.engine.now:
            head.append(f"   {to_datetime(self.engine.now):%a %Y-%m-%d %H:%M:%S}", style="bold cyan")
        sessions = {str(v.instrument.board): str(v.session) for v in self.engine.venues.values()}
        head.append("   " + ", ".join(f"{board} {session}" for board, session in sorted(sessions.items())))
        pace = "by steps" if not self._speed else f"{self._speed:g} times as fast"
        head.append(f"   {self._where}" + (f", {pace}" if self._where == "sandbox" else ""), style="dim")
        controls = trading.core.controls
        stopped = controls.killed or controls.ready or next(iter(controls.halts.values()), "")
        parts: list[RenderableType] = [head, dashboard.profit(self)]
        if stopped:
            parts.append(Text(f"Nothing is entered: {stopped}", style="bold red"))
        for title, table in (
            ("Positions", dashboard.positions(self)),
            ("Working orders", dashboard.working(self)),
            ("Last fills", dashboard.fills(self)),
            ("Messages", dashboard.told(list(self.news))),
        ):
            parts += ["", Text(title, style="bold"), table if table.row_count else Text("none", style="dim")]
        return Group(*parts)


def view_of(console: Console, name: str, speed: float, where: str) -> LiveView:
    """What shows the run of this strategy."""
    return LiveView(console, name, speed, where)
