"""A paper run as it goes: one screen in a terminal, lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from algo.clock import local_date, to_datetime
from algo.model import Fill, Order, OrderStatus

if TYPE_CHECKING:
    from algo.backtest import Run
    from algo.engine import Engine
    from algo.portfolio import Portfolio

_REFRESH = 0.1  # seconds between pictures
_FILLS = 8
MESSAGES = 5
_ORDERS = 10
_POSITIONS = 12
_REFUSED = (OrderStatus.REFUSED, OrderStatus.REJECTED)


class Traded(Protocol):
    """What is read of a run."""

    @property
    def engine(self) -> Engine: ...
    @property
    def ledger(self) -> Portfolio: ...


class View(Protocol):
    """What shows a run while it goes."""

    def __enter__(self) -> View: ...
    def __exit__(self, *_: object) -> None: ...
    def show(self) -> None:
        """Bring what people see up to date; may be called as often as one likes."""
        ...


def view_of(run: Run, speed: float, console: Console) -> View:
    """The screen where there is a terminal, else lines."""
    return Screen(run, speed, console) if console.is_terminal else Lines(run, console)


class Lines:
    """A line for each fill, refusal and message, and one for each day at its end."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run, self._console = run, console
        self._fills = self._orders = self._messages = 0
        self._shown = 0

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self.show()

    def show(self) -> None:
        """Write what is new."""
        run = self._run
        orders = run.engine.manager.every
        news = [(fill.ns, fill_line(fill)) for fill in run.ledger.fills[self._fills :]]
        news += [(one.created, refusal(one)) for one in orders[self._orders :] if one.status in _REFUSED]
        news += [(ns, text) for ns, _, text in run.engine.messages[self._messages :]]
        self._fills, self._orders = len(run.ledger.fills), len(orders)
        self._messages = len(run.engine.messages)
        for ns, text in sorted(news, key=lambda one: one[0]):
            self._write(f"{to_datetime(ns):%Y-%m-%d %H:%M}  {text}")
        moments, times = run.simulation.moments, run.feed.times
        if moments > self._shown:
            self._shown = moments
            today = local_date(int(times[moments - 1]))
            if moments == len(times) or local_date(int(times[moments])) != today:
                self._write(f"{today} ends   equity {_money(run.ledger.equity)}, {_profit_line(run)}")

    def _write(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


class Screen:
    """Clock, session, progress, profit, positions, orders, fills and messages, in place."""

    def __init__(self, run: Run, speed: float, console: Console) -> None:
        self._run, self._speed = run, speed
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._next = 0.0

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self) -> None:
        """Draw, unless the last picture is fresh."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _REFRESH
            self._live.update(picture(self._run, self._speed), refresh=True)


def picture(run: Run, speed: float) -> Group:
    """The state of a run, as one screen."""
    parts: list[RenderableType] = [_head(run, speed), _progress(run), profit(run)]
    for title, table in (
        ("Positions", positions(run)),
        ("Working orders", working(run)),
        ("Last fills", fills(run)),
        ("Messages", _messages(run)),
    ):
        parts += ["", Text(title, style="bold"), table if table.row_count else Text("none", style="dim")]
    return Group(*parts)


def _head(run: Run, speed: float) -> Text:
    text = Text()
    text.append(type(run.strategy).__name__, style="bold")
    if run.engine.now:
        text.append(f"   {to_datetime(run.engine.now):%a %Y-%m-%d %H:%M:%S}", style="bold cyan")
    sessions = {str(venue.instrument.board): str(venue.session) for venue in run.engine.venues.values()}
    text.append("   " + ", ".join(f"{board} {session}" for board, session in sorted(sessions.items())))
    text.append("   paper, " + (f"{speed:g} times as fast" if speed else "as fast as possible"), style="dim")
    return text


def _progress(run: Run) -> Table:
    done, total = run.simulation.moments, len(run.feed.times)
    table = Table.grid(padding=(0, 2))
    table.add_row(ProgressBar(total, done, width=40), f"{done / total:.0%}", f"{done:,} of {total:,} bars")
    return table


def profit(run: Traded) -> Text:
    """Equity, profit and charges in a line."""
    ledger = run.ledger
    net = ledger.equity - ledger.opening
    text = Text(f"Equity {_money(ledger.equity)}   Profit ")
    text.append(_money(net), style=_mood(net))
    text.append(f"   Open {_money(ledger.open_profit)}   Fees and taxes {_money(ledger.fees + ledger.taxes)}")
    return text


def _profit_line(run: Run) -> str:
    ledger = run.ledger
    held = ", ".join(f"{one.quantity:+,} {one.symbol}" for one in ledger.held()) or "nothing"
    return f"profit {_money(ledger.equity - ledger.opening)}, holds {held}"


def positions(run: Traded) -> Table:
    """What is held."""
    table = _table("Symbol", "Quantity", "Average", "Value, đ", "Open profit, đ", left=1)
    for one in list(run.ledger.held())[:_POSITIONS]:
        table.add_row(
            one.symbol,
            f"{one.quantity:+,}",
            _price(one.average_price),
            f"{one.value:,}",
            Text(f"{one.open_profit:+,}", style=_mood(one.open_profit)),
        )
    return table


def working(run: Traded) -> Table:
    """Orders that are not over."""
    table = _table("Symbol", "Side", "Type", "Quantity", "Filled", "Price", "Status", left=3)
    for one in list(run.engine.manager.open.values())[-_ORDERS:]:
        table.add_row(
            one.symbol, one.side.name.lower(), str(one.order_type), f"{one.quantity:,}", f"{one.filled:,}",
            _price(one.instrument.price(one.price) if one.price else None), str(one.status),
        )  # fmt: skip
    return table


def fills(run: Traded) -> Table:
    """The last fills, newest first."""
    table = _table("Time", "Symbol", "Side", "Quantity", "Price", left=3)
    for one in reversed(run.ledger.fills[-_FILLS:]):
        table.add_row(
            f"{to_datetime(one.ns):%m-%d %H:%M}",
            one.instrument.symbol,
            _side(one),
            f"{one.quantity:,}",
            _price(one.price),
        )
    return table


def _messages(run: Run) -> Table:
    """What the strategy told the person, and why orders were refused, newest first."""
    refused = (one for one in reversed(run.engine.manager.every[-500:]) if one.status in _REFUSED)
    told_ = [(ns, text) for ns, _, text in run.engine.messages[-MESSAGES:]]
    told_ += [(one.created, refusal(one)) for _, one in zip(range(MESSAGES), refused, strict=False)]
    return told(told_)


def told(news: list[tuple[int, str]]) -> Table:
    """Messages with their times, newest first."""
    table = _table("Time", "", left=2, header=False)
    for ns, text in sorted(news, key=lambda one: one[0], reverse=True)[:MESSAGES]:
        table.add_row(f"{to_datetime(ns):%m-%d %H:%M}", Text(text))
    return table


def _table(*columns: str, left: int, header: bool = True) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=header)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place < left else "right")
    return table


def fill_line(fill: Fill) -> str:
    """A fill in a line."""
    reason = f" ({fill.exit_reason})" if fill.exit_reason not in ("", "signal") else ""
    price = _price(fill.price)
    return f"{_side(fill)} {fill.quantity:,} {fill.instrument.symbol} at {price}{reason}"


def refusal(order: Order) -> str:
    """A refused order in a line."""
    return f"refused: {order.side.name.lower()} {order.quantity:,} {order.symbol}: {order.reason}"


def _side(fill: Fill) -> str:
    return "buy" if fill.side > 0 else "sell"


def _price(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def _money(value: int) -> str:
    return f"{value:,} đ"


def _mood(value: int) -> str:
    return "green" if value > 0 else "red" if value < 0 else ""
