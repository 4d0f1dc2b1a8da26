"""The base class that users subclass. It reads state and asks for actions; it touches nothing.

An action returns a read-only order at once. What became of it, refusal included, arrives as an
event after the callback returns, never inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Literal, Protocol, cast

from algo.clock import to_datetime
from algo.errors import AlgoError
from algo.history import Bars, Indicator
from algo.model import Bar, ContractRolled, Fill, OrderView, Quote, SessionChanged, Trade
from algo.parameters import bind, check_names
from algo.portfolio import Portfolio, Position


class Desk(Protocol):
    """What the engine offers to one strategy. Only the engine implements it."""

    targets: dict[str, int]
    target_orders: dict[str, OrderView]

    @property
    def now(self) -> int: ...
    @property
    def portfolio(self) -> Portfolio: ...
    @property
    def state(self) -> dict[str, Any]: ...
    @property
    def working(self) -> list[OrderView]: ...
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
    ) -> OrderView: ...
    def amend(self, order: OrderView, price: float | None, quantity: int | None) -> None: ...
    def cancel(self, order: OrderView) -> None: ...
    def cancel_all(self, symbol: str | None) -> None: ...
    def target(self, symbol: str, quantity: int, price: float | None) -> OrderView | None: ...
    @property
    def universe(self) -> tuple[str, ...]: ...
    def position(self, symbol: str) -> Position: ...
    def buying_power(self, symbol: str) -> int: ...
    def bars(self, symbol: str, width: str | None) -> Bars: ...
    def indicator(
        self, function: Callable[..., Any], symbol: str, arguments: tuple[Any, ...], width: str | None
    ) -> Any: ...
    def session(self, symbol: str | None) -> str: ...
    def round_price(self, symbol: str, price: float, toward: str) -> float: ...
    def tick(self, symbol: str, price: float | None) -> float: ...
    def lot(self, symbol: str) -> int: ...
    def largest_order(self, symbol: str) -> int: ...
    def band(self, symbol: str) -> tuple[float, float] | None: ...
    def at(self, when: datetime | time, call: Callable[[], None] | None) -> None: ...
    def every(self, period: timedelta, call: Callable[[], None] | None) -> None: ...
    def notify(self, text: str) -> None: ...


class _NoDesk:
    """Stands where the desk will be until the strategy runs."""

    def __getattr__(self, name: str) -> Any:
        raise AlgoError("the strategy is not running yet: use the market in on_start, not in __init__")


class Strategy:
    """Subclass this, annotate your parameters, and write the callbacks that you need.

    ::

        class SmaCross(Strategy):
            symbol: str = "VN30F1M"
            fast: int = 20
            slow: int = 50

            def on_start(self):
                self.fast_ma = self.indicator(sma, self.symbol, self.fast)
                self.slow_ma = self.indicator(sma, self.symbol, self.slow)

            def on_bar(self, bar):
                if self.slow_ma.ready:
                    self.target(bar.symbol, 1 if self.fast_ma[-1] > self.slow_ma[-1] else -1)

    Annotated class attributes are parameters: typed, validated, settable from the command line and
    swept by name. Prices are floats on the tick (đồng for shares, points for futures); quantities
    are whole shares or contracts.
    """

    _desk: Desk = cast("Desk", _NoDesk())
    _abstract_strategy: ClassVar[type]
    parameters: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_names(cls, Strategy)

    def __init__(self, **parameters: Any) -> None:
        bound = bind(type(self), parameters)
        for name, value in bound.items():
            setattr(self, name, deepcopy(value))  # a list that one run changes is not the next one's
        object.__setattr__(self, "parameters", bound)

    # -- callbacks: override the ones you need ------------------------------------------------

    def on_start(self) -> None:
        """Once, before the first event: make indicators and timers here."""

    def on_bar(self, bar: Bar) -> None:
        """A bar of one symbol is complete."""

    def on_bars(self, bars: dict[str, Bar]) -> None:
        """All bars that became complete at one moment, by symbol; comes after their on_bar calls."""

    def on_quote(self, quote: Quote) -> None:
        """The displayed book of a symbol changed."""

    def on_trade(self, trade: Trade) -> None:
        """A trade was published."""

    def on_order(self, order: OrderView) -> None:
        """The status of one of this strategy's orders changed; a refusal carries its `reason`."""

    def on_fill(self, fill: Fill) -> None:
        """One of this strategy's orders traded, wholly or partly."""

    def on_portfolio(self, portfolio: Portfolio) -> None:
        """Cash or a position changed: after fills, settlements, dividends, statements of the broker."""

    def on_session(self, session: SessionChanged) -> None:
        """A board went into another session."""

    def on_roll(self, roll: ContractRolled) -> None:
        """An alias such as VN30F1M stands for another contract now; the old position was settled."""

    def on_timer(self, name: str) -> None:
        """A timer made by `at` or `every` without a function of its own is due."""

    def on_stop(self) -> None:
        """Once, after the last event."""

    # -- actions ------------------------------------------------------------------------------

    def buy(
        self,
        symbol: str,
        quantity: int,
        price: float | None = None,
        *,
        order_type: str | None = None,
        stop: float | None = None,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        trailing: float | None = None,
        tif: Literal["day", "gtc"] = "day",
        tag: str = "",
    ) -> OrderView:
        """Buy `quantity`, at the market or at `price` or better.

        `order_type` names an exchange type (ATO, ATC, MTL, MOK, MAK, MP, PLO) instead. `stop` makes
        it wait until the market reaches that price. `stop_loss`, `take_profit` (prices) and
        `trailing` (a distance in price) attach exits to each fill: one ends the other, they live
        until the position is gone. A market order outside a session that takes one is held to the
        next. `tif="gtc"` places it anew each day until it is filled or cancelled.
        """
        return self._desk.place(
            symbol, 1, quantity, price, order_type, stop, stop_loss, take_profit, trailing, tif, tag
        )

    def sell(
        self,
        symbol: str,
        quantity: int,
        price: float | None = None,
        *,
        order_type: str | None = None,
        stop: float | None = None,
        stop_loss: float | None = None,
        take_profit: float | None = None,
        trailing: float | None = None,
        tif: Literal["day", "gtc"] = "day",
        tag: str = "",
    ) -> OrderView:
        """Sell `quantity`; the arguments are those of `buy`. Shares must be held and settled."""
        return self._desk.place(
            symbol, -1, quantity, price, order_type, stop, stop_loss, take_profit, trailing, tif, tag
        )

    def amend(self, order: OrderView, *, price: float | None = None, quantity: int | None = None) -> None:
        """Ask for a new price or a new total quantity of a working order."""
        self._desk.amend(order, price, quantity)

    def cancel(self, order: OrderView) -> None:
        """Ask to take what is left of an order out of the market."""
        self._desk.cancel(order)

    def cancel_all(self, symbol: str | None = None) -> None:
        """Cancel this strategy's open orders, of one symbol or of all."""
        self._desk.cancel_all(symbol)

    def target(self, symbol: str, quantity: int, price: float | None = None) -> OrderView | None:
        """Bring the position in `symbol` to `quantity` (negative is short) with one order.

        Cancels this strategy's earlier target order for the symbol when it asks for another
        quantity, and does nothing when the target is already held or on its way. Returns the order
        that works for it, if any.
        """
        desk = self._desk
        if price is None and symbol in desk.targets and desk.targets[symbol] == quantity:
            return desk.target_orders.get(symbol)
        return desk.target(symbol, quantity, price)

    def close(self, symbol: str) -> OrderView | None:
        """Bring the position in `symbol` to zero."""
        return self.target(symbol, 0)

    def at(self, when: datetime | time, call: Callable[[], None] | None = None) -> None:
        """Run `call` (or `on_timer`) at a moment, or at a time of day on every trading day."""
        self._desk.at(when, call)

    def every(self, period: timedelta, call: Callable[[], None] | None = None) -> None:
        """Run `call` (or `on_timer`) each `period` of market time from now on."""
        self._desk.every(period, call)

    def notify(self, text: str) -> None:
        """Send a line to the person: the terminal, and in live the channels that are set."""
        self._desk.notify(text)

    # -- reads --------------------------------------------------------------------------------

    @property
    def universe(self) -> tuple[str, ...]:
        """The symbols of this run, in the order of the data."""
        return self._desk.universe

    def position(self, symbol: str) -> Position:
        """What this strategy holds of `symbol`; an alias means the contract now in front."""
        return self._desk.position(symbol)

    def bars(self, symbol: str, width: str | None = None) -> Bars:
        """Complete bars up to now, as arrays, in their own width or a wider one ("15m", "1d")."""
        return self._desk.bars(symbol, width)

    def indicator(
        self, function: Callable[..., Any], symbol: str, *arguments: Any, width: str | None = None
    ) -> Any:
        """`function` of the symbol's bars: one Indicator, or a tuple when it gives several arrays.

        Parameters of the function named open, high, low, close, volume, time or start get those
        arrays, a first parameter of any other name gets the closes; `arguments` are the rest.
        """
        return self._desk.indicator(function, symbol, arguments, width)

    @property
    def orders(self) -> list[OrderView]:
        """This strategy's open orders, oldest first."""
        return self._desk.working

    @property
    def portfolio(self) -> Portfolio:
        """Cash, positions and profit. Read-only by convention: nothing you change in it trades."""
        return self._desk.portfolio

    def buying_power(self, symbol: str) -> int:
        """Đồng free to buy `symbol` with: settled cash, or free margin. Open orders are not taken off."""
        return self._desk.buying_power(symbol)

    @property
    def now(self) -> datetime:
        """Market time, aware, in Asia/Ho_Chi_Minh."""
        return to_datetime(self._desk.now)

    def session(self, symbol: str | None = None) -> str:
        """The session of the symbol's board now: ATO, LO, BREAK, ATC, PLO or C."""
        return self._desk.session(symbol)

    @property
    def state(self) -> dict[str, Any]:
        """A dict of plain values that survives a restart."""
        return self._desk.state

    def tick(self, symbol: str, price: float | None = None) -> float:
        """The smallest price step of `symbol`, at `price` or at its last price."""
        return self._desk.tick(symbol, price)

    def lot(self, symbol: str) -> int:
        """The board lot of `symbol` today, in shares or contracts."""
        return self._desk.lot(symbol)

    def largest_order(self, symbol: str) -> int:
        """The most that one order of `symbol` may ask for, in shares or contracts."""
        return self._desk.largest_order(symbol)

    def round_price(
        self, symbol: str, price: float, toward: Literal["down", "up", "nearest"] = "nearest"
    ) -> float:
        """`price` moved to a price at which `symbol` may trade."""
        return self._desk.round_price(symbol, price, toward)

    def band(self, symbol: str) -> tuple[float, float] | None:
        """Today's floor and ceiling of `symbol`, or None when its reference is not known."""
        return self._desk.band(symbol)

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in self.parameters.items())
        return f"{type(self).__name__}({shown})"


Strategy._abstract_strategy = Strategy

__all__ = ["Desk", "Indicator", "Strategy"]
