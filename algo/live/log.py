"""The structured log of a live run: JSON lines, a file a day, one name that follows an order from its intent.

Each line has ``time`` (market time), ``what``, and, where it is about an order, ``order``: the strategy and
the order's number in the run, such as ``sma#12``. It is there before the order has an id of the exchange's
day (``order_id``) or of the broker (``broker_id``), and stays the same when an order is placed anew next day.
The log is for people and their programs; the journal is the record.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import IO, Any

from algo.clock import local_date, to_datetime
from algo.decisions import Decision
from algo.fastconnect.redaction import Redactor
from algo.fastconnect.secret import Secret
from algo.live.core import Core, Step
from algo.live.record import START, STOP
from algo.model import (
    AmendOrder,
    BarsMissed,
    BooksStated,
    Command,
    ForeignWorked,
    HoldingsStated,
    MarketDoubted,
    MarketTrusted,
    OperatorActed,
    Order,
    OrderFilled,
    PlaceOrder,
    Quote,
    RequestNotSent,
    RequestReceived,
    RequestRefused,
    RequestUnknown,
    SessionChanged,
    SignInChanged,
    StreamLost,
    StreamRestored,
    TimerFired,
    Trade,
)

KEEP = 90
"""Days for which files are kept."""
_SILENT = frozenset({tuple, Quote, Trade, TimerFired, BarsMissed})
_OUTCOMES = {
    RequestReceived: "received",
    RequestRefused: "refused",
    RequestUnknown: "unknown",
    RequestNotSent: "not sent",
}
_TOLD: dict[type, tuple[str, tuple[str, ...]]] = {
    StreamLost: ("stream lost", ("reason",)),
    StreamRestored: ("stream restored", ()),
    MarketDoubted: ("feed doubted", ("symbol", "reason")),
    MarketTrusted: ("feed trusted", ("symbol",)),
    SignInChanged: ("sign-in", ("trading", "seconds_left", "reason")),
    SessionChanged: ("session", ("board", "session")),
    OperatorActed: ("operator", ("action", "detail")),
    ForeignWorked: ("foreign order", ("broker_id", "symbol", "quantity", "filled", "over")),
    BooksStated: ("books", ()),
    HoldingsStated: ("holdings", ("quantities",)),
}


class DailyLines:
    """A folder with a file of JSON lines for each day. It never raises: `failed` says why it stopped."""

    def __init__(
        self, folder: Path, *, hide: Iterable[Secret] = (), name: str = "algo", keep: int = KEEP
    ) -> None:
        self.failed = ""
        self._folder = folder
        self._name = name
        self._keep = keep
        self._redact = Redactor(hide)
        self._day: date | None = None
        self._file: IO[str] | None = None

    def write(self, ns: int, lines: list[dict[str, Any]]) -> None:
        """Write lines of market time `ns`, and hand them to the system."""
        if self.failed or not lines:
            return
        time = to_datetime(ns).isoformat()
        text = "".join(
            self._redact(json.dumps({"time": time} | one, ensure_ascii=False, default=str)) + "\n"
            for one in lines
        )
        try:
            day = local_date(ns)
            if self._file is None or day != self._day:
                self._turn(day)
            assert self._file is not None
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            self.failed = f"the log in {self._folder} ended: {error.strerror or error}"
            self.close()

    def _turn(self, day: date) -> None:
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._name}-{day.isoformat()}.jsonl"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file, self._day = os.fdopen(handle, "a", encoding="utf-8"), day
        for old in self._folder.glob(f"{self._name}-????-??-??.jsonl"):
            with contextlib.suppress(ValueError):
                age = day - date.fromisoformat(old.stem[len(self._name) + 1 :])
                if age.days > self._keep:
                    old.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


class RunLog:
    """Writes what a run does. Call `begin` once the run is restored, then `step` with each step."""

    def __init__(self, lines: DailyLines, on_problem: Callable[[str], None] = lambda _text: None) -> None:
        self._lines = lines
        self._on_problem = on_problem
        self._seen = 0
        self._open: dict[int, tuple[Order, tuple[Any, ...]]] = {}

    def begin(self, ns: int, core: Core, **facts: Any) -> None:
        """A process begins with what is restored; orders from before are followed from here on."""
        every = core.engine.manager.every
        self._seen = len(every)
        self._open = {id(order): (order, _state(order)) for order in every if not order.status.terminal}
        seats = {
            seat.name: {name: str(value) for name, value in seat.parameters.items()}
            for seat in core.plan.seats
        }
        told = {"strategies": seats, "symbols": list(core.plan.symbols), "open_orders": len(self._open)}
        self._write(ns, [{"what": "run"} | told | facts])

    def step(self, ns: int, event: Any, step: Step, core: Core) -> None:
        """Write down one step. Market data that led to nothing cost next to nothing."""
        kind = event.__class__
        every = core.engine.manager.every
        led = step.commands or step.decisions or step.alarms or step.messages
        if kind in _SILENT and not led and len(every) == self._seen:
            return
        orders = core.engine.manager.orders
        lines: list[dict[str, Any]] = []
        self._event(lines, event, orders)
        new = every[self._seen :]
        self._seen = len(every)
        lines += map(_decision, step.decisions)
        for order in new:
            lines.append({"what": "intent", **_named(order), **_asked(order)})
            self._open[id(order)] = (order, ())
        for command in step.commands:
            lines.append(_command(command, orders))
        about = orders.get(getattr(event, "order_id", ""))
        if about is not None:  # one that was over may prove alive, or fill late
            self._open.setdefault(id(about), (about, ()))
        lines += self._changes()
        lines += [{"what": "alarm", "kind": a.kind, "scope": a.scope, "text": a.text} for a in step.alarms]
        lines += [{"what": "message", "strategy": name, "text": text} for _, name, text in step.messages]
        self._write(ns, lines)

    def note(self, ns: int, what: str, **facts: Any) -> None:
        """Write down something that is no step, such as that a channel for alerts is down."""
        self._write(ns, [{"what": what} | facts])

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def _write(self, ns: int, lines: list[dict[str, Any]]) -> None:
        before = self._lines.failed
        self._lines.write(ns, lines)
        if self._lines.failed != before:
            self._on_problem(self._lines.failed)

    def _event(self, lines: list[dict[str, Any]], event: Any, orders: dict[str, Order]) -> None:
        kind = event.__class__
        if kind is str:
            if event in (START, STOP):
                lines.append({"what": event})
        elif kind in _OUTCOMES:
            order = orders.get(event.order_id)
            told = {"request_id": event.request_id, "outcome": _OUTCOMES[kind]}
            reason = getattr(event, "reason", "")
            lines.append(
                {"what": "outcome", **_named(order), **told, **({"reason": reason} if reason else {})}
            )
        elif kind is OrderFilled:
            order = orders.get(event.order_id)
            price = order.instrument.price(event.price) if order is not None else event.price
            told = {"price": price, "quantity": event.quantity, "fill_id": event.fill_id}
            lines.append({"what": "fill", **(_named(order) or {"order_id": event.order_id}), **told})
        elif kind in _TOLD:
            what, names = _TOLD[kind]
            lines.append({"what": what} | {name: _plain(getattr(event, name)) for name in names})

    def _changes(self) -> list[dict[str, Any]]:
        """Orders that are no longer as they were."""
        found = []
        for key, (order, before) in list(self._open.items()):
            now = _state(order)
            if now != before:
                status, filled, quantity, price, _, reason = now
                line = {"what": "order", **_named(order), "status": status, "filled": filled}
                line |= {"quantity": quantity, "price": order.instrument.price(price)}
                found.append(line | ({"reason": reason} if reason else {}))
                self._open[key] = (order, now)
            if order.status.terminal:
                del self._open[key]
        return found


def _state(order: Order) -> tuple[Any, ...]:
    return str(order.status), order.filled, order.quantity, order.price, order.broker_id, order.reason


def name_of(order: Order) -> str:
    """The name that follows an order through the log."""
    return f"{order.strategy}#{order.serial}"


def _named(order: Order | None) -> dict[str, Any]:
    if order is None:
        return {}
    found = {"order": name_of(order)}
    if order.order_id:
        found["order_id"] = order.order_id
    if order.broker_id:
        found["broker_id"] = order.broker_id
    return found


def _asked(order: Order) -> dict[str, Any]:
    found: dict[str, Any] = {
        "symbol": order.instrument.symbol,
        "side": order.side.name.lower(),
        "quantity": order.quantity,
        "type": str(order.order_type),
        "price": order.instrument.price(order.price),
    }
    if order.trigger is not None:
        found["stop"] = [str(order.trigger.kind), order.instrument.price(order.trigger.price)]
    extra = {"tag": order.tag, "parent": order.parent, "exit_reason": order.exit_reason}
    return found | {name: value for name, value in extra.items() if value}


def _command(command: Command, orders: dict[str, Order]) -> dict[str, Any]:
    order, instrument = orders.get(command.order_id), command.instrument
    kind = "place" if isinstance(command, PlaceOrder) else "cancel"
    found: dict[str, Any] = {}
    if isinstance(command, PlaceOrder):
        found = {"type": str(command.order_type), "price": instrument.price(command.price)}
        found |= {"quantity": command.quantity, "side": command.side.name.lower()}
    elif isinstance(command, AmendOrder):
        kind = "amend"
        price = None if command.price is None else instrument.price(command.price)
        found = {"price": price, "quantity": command.quantity}
    told = {"command": kind, "request_id": command.request_id, "symbol": instrument.symbol}
    return {"what": "command", **(_named(order) or {"order_id": command.order_id}), **told, **found}


def _decision(one: Decision) -> dict[str, Any]:
    """What a strategy asked for; orders are named by their numbers."""
    found: dict[str, Any] = {"what": "decision", "strategy": one.strategy, "action": one.action}
    arguments = list(one.arguments)
    if one.action in ("amend", "cancel") and arguments:
        found["order"] = f"{one.strategy}#{arguments.pop(0)}"
    return found | ({"arguments": arguments} if arguments else {})


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "items") else value
