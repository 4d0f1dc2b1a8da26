"""Operational controls: what may go out to a real market now, beyond legality and limits. Pure.

A backtest has none of them. They hear what happens, keep what is halted and why, and turn down what must
not go out. A control that halts raises an alarm. Defaults and reasons: the risk table of docs/live.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from algo.clock import MINUTE, SECOND
from algo.model import Order, OrderType
from algo.orders.risk import Limits
from algo.orders.venue import Venue

ALL = ""
"""The scope of a halt that stops everything."""
DAILY_LOSS = "daily loss"
FLATTEN = "flatten"
"""The tag of orders that a person asked for to close positions: the only ones that pass a kill."""


class Alarm(NamedTuple):
    """Something a person must know. `scope` is '' for all, ``strategy:NAME`` or ``symbol:CODE``."""

    ns: int
    kind: str
    scope: str
    text: str


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """The defaults of every control. Times in nanoseconds, shares as fractions of a price.

    `account` bounds all strategies together; its position counts what others hold and work too.
    """

    collar: float = 0.03
    repeat: int = 2 * SECOND
    open_orders: int = 50
    refusals: int = 5
    loops: int = 5
    loop_window: int = MINUTE
    reentry: int = 2 * SECOND
    unknown_blocks: int = 15 * SECOND
    unknown_halts: int = 3
    token_life: float = 30 * 60.0
    account: Limits = field(default_factory=Limits)


class Controls:
    """The state of all controls of one engine.

    A scope may be halted for several kinds of reasons, each of which ends by itself. `killed` is the latch of
    the kill switch. `alarms` collects what a person must be told; whoever reads it empties it.
    """

    def __init__(self, settings: ControlSettings | None = None) -> None:
        self.settings = settings if settings is not None else ControlSettings()
        self._halts: dict[str, dict[str, str]] = {}
        self.killed = ""
        self.ready = ""
        """Why nothing may be entered yet: until the two sides agree after a start or a break; '' is ready."""
        self.doubts: dict[str, str] = {}
        self.signed_out = ""
        self.alarms: list[Alarm] = []
        self.unknown: dict[str, tuple[int, str]] = {}
        """Requests of unknown fate: request id -> since when, and the instrument's symbol."""
        self.outside: dict[str, int] = {}
        """What the account holds of an instrument beyond what the strategies hold."""
        self.foreign: dict[str, tuple[str, int]] = {}
        """Orders of others that work: broker id -> symbol, and leaves with the sign of the side."""
        self._refused: dict[str, int] = {}
        self._sent: deque[tuple[int, tuple[object, ...]]] = deque()
        self._fills: dict[tuple[str, str], int] = {}
        self._loops: dict[str, deque[int]] = {}

    # -- halts ----------------------------------------------------------------------------------

    def alarm(self, ns: int, kind: str, scope: str, text: str) -> None:
        """Tell a person."""
        self.alarms.append(Alarm(ns, kind, scope, text))

    @property
    def halts(self) -> dict[str, str]:
        """What is halted: scope -> the first reason that still holds."""
        return {scope: next(iter(kinds.values())) for scope, kinds in self._halts.items()}

    def halt(self, ns: int, kind: str, scope: str, reason: str) -> None:
        """Stop entries of a scope until `release` of this kind; tells a person once."""
        kinds = self._halts.setdefault(scope, {})
        if kind not in kinds:
            kinds[kind] = reason
            self.alarm(ns, kind, scope, reason)

    def release(self, scope: str, kind: str = "") -> None:
        """Let a scope go on, as far as it was halted for `kind`; without one whatever the reason."""
        kinds = self._halts.get(scope, {})
        for one in [kind] if kind else list(kinds):
            kinds.pop(one, None)
        if not kinds:
            self._halts.pop(scope, None)

    def kill(self, ns: int, reason: str) -> None:
        """Latch the kill switch: nothing but cancels and flattening goes out until `resume`."""
        if not self.killed:
            self.killed = reason or "killed by the operator"
            self.alarm(ns, "kill", ALL, self.killed)

    def resume(self) -> None:
        """A person lets everything go on: the latch, every halt and every counter."""
        self.killed = ""
        self._halts.clear()
        self._refused.clear()
        self._loops.clear()

    # -- what goes out --------------------------------------------------------------------------

    def refusal(
        self, order: Order, venue: Venue, ns: int, peers: Iterable[Order], *, reduces: bool, account: int
    ) -> str | None:
        """Why an order that is legal and within limits may not go out now, or None.

        `peers` are all open orders; `reduces` says that the order only makes the strategy's position
        smaller; `account` is what the whole account holds of the instrument, others' included.
        """
        if order.tag == FLATTEN:
            return self._price_refusal(order, venue)
        if self.killed:
            return f"halted: {self.killed}"
        reason = None if reduces else self.entry_refusal(order, ns)
        reason = reason or self._price_refusal(order, venue) or self._repeat(order, ns)
        if reason is not None or reduces:
            return reason
        mine = [peer for peer in peers if peer is not order and not peer.status.terminal]
        count = sum(peer.strategy == order.strategy for peer in mine)
        if count >= self.settings.open_orders:
            return f"limit: {count} orders of {order.strategy} are open already"
        return self._account_refusal(order, order.quantity - order.filled, mine, account)

    def entry_refusal(self, order: Order, ns: int) -> str | None:
        """Why nothing may be entered by this order's strategy in its symbol now, or None."""
        if self.killed:
            return f"halted: {self.killed}"
        symbol = order.instrument.symbol
        if self.ready:
            return f"not ready: {self.ready}"
        if self.signed_out:
            return f"no entries: {self.signed_out}"
        for scope in (ALL, f"strategy:{order.strategy}", f"symbol:{symbol}"):
            if scope in self._halts:
                return f"halted: {next(iter(self._halts[scope].values()))}"
        for name in (ALL, order.symbol):
            if name in self.doubts:
                return f"no entries: {self.doubts[name]}"
        limit = self.settings.unknown_blocks
        for since, where in self.unknown.values():
            if where == symbol and ns - since > limit:
                return f"an earlier request for {symbol} has an unknown fate"
        return None

    def _price_refusal(self, order: Order, venue: Venue) -> str | None:
        last = venue.last if venue.last is not None else venue.reference
        if last is None:
            return "no price of the symbol is known yet"
        if order.order_type is OrderType.MARKET or not order.price or order.trigger is not None:
            return None
        return self.collar_refusal(order.price, last)

    def collar_refusal(self, price: int, last: int | None) -> str | None:
        """A limit that lies further from the last price (both in units) than the collar, or lacks one."""
        if last is None:
            return "no price of the symbol is known yet"
        if abs(price - last) > last * self.settings.collar:
            return f"price collar: more than {self.settings.collar:.1%} from the last price"
        return None

    def amend_refusal(
        self,
        order: Order,
        price: int | None,
        quantity: int | None,
        venue: Venue,
        ns: int,
        peers: Iterable[Order],
        *,
        reduces: bool,
        account: int,
    ) -> str | None:
        """Why a working order may not get this limit or quantity now, or None.

        To enter by an amendment is to enter: dearer, or more. What makes an order smaller always may.
        """
        if self.killed:
            return f"halted: {self.killed}"
        reason = None
        if price is not None:
            reason = self.collar_refusal(price, venue.last if venue.last is not None else venue.reference)
        grows = quantity is not None and quantity > order.quantity
        dearer = price is not None and (price - order.price) * order.side > 0
        if reason is not None or reduces or not (grows or dearer):
            return reason
        reason = self.entry_refusal(order, ns)
        if reason is None and grows and quantity is not None:
            mine = [peer for peer in peers if peer is not order and not peer.status.terminal]
            reason = self._account_refusal(order, quantity - order.filled, mine, account)
        return reason

    def _repeat(self, order: Order, ns: int) -> str | None:
        if order.parent:  # an exit is made once for each fill, and fills may be alike
            return None
        sent, since = self._sent, ns - self.settings.repeat
        while sent and sent[0][0] <= since:
            sent.popleft()
        key = _likeness(order)
        if any(other == key for _, other in sent):
            return f"the same order went out less than {self.settings.repeat / SECOND:g} s ago"
        return None

    def _account_refusal(self, order: Order, leaves: int, peers: list[Order], account: int) -> str | None:
        limits, symbol = self.settings.account, order.instrument.symbol
        if limits.position is None:
            return None
        side = int(order.side)
        working = sum(p.worst_leaves for p in peers if p.instrument.symbol == symbol and p.side == side)
        theirs = sum(leaves for name, leaves in self.foreign.values() if name == symbol and leaves * side > 0)
        after = account + (leaves + working) * side + theirs
        if abs(after) > max(limits.position, abs(account)):  # what makes it smaller may always go
            return f"limit: the account's position of {abs(after):,} would be above {limits.position:,}"
        return None

    # -- what happened --------------------------------------------------------------------------

    def went_out(self, order: Order, ns: int, *, reduces: bool) -> None:
        """An order was sent: remember its likeness, and whether it enters again right after a fill."""
        self._sent.append((ns, _likeness(order)))
        if reduces:
            return
        filled = self._fills.pop(
            (order.strategy, order.instrument.symbol), None
        )  # a fill is one loop at most
        if filled is None or ns - filled > self.settings.reentry:
            return
        loops = self._loops.setdefault(order.strategy, deque())
        loops.append(ns)
        while loops[0] <= ns - self.settings.loop_window:
            loops.popleft()
        if len(loops) >= self.settings.loops:
            text = f"{order.strategy} entered again right after a fill {len(loops)} times within a minute"
            self.halt(ns, "breaker", f"strategy:{order.strategy}", text)

    def filled(self, order: Order, ns: int) -> None:
        """An order traded."""
        self._fills[order.strategy, order.instrument.symbol] = ns

    def accepted(self, order: Order) -> None:
        """The market took an order: refusals before it are no row."""
        self._refused.pop(order.strategy, None)

    def refused(self, order: Order, ns: int, reason: str) -> None:
        """The broker turned an order down."""
        count = self._refused[order.strategy] = self._refused.get(order.strategy, 0) + 1
        if count >= self.settings.refusals:
            text = f"the broker refused {count} orders of {order.strategy} in a row, the last one: {reason}"
            self.halt(ns, "breaker", f"strategy:{order.strategy}", text)

    def became_unknown(self, request_id: str, symbol: str, ns: int) -> None:
        """A request may or may not have arrived."""
        self.unknown.setdefault(request_id, (ns, symbol))

    def settled(self, request_id: str) -> None:
        """The fate of a request is known."""
        self.unknown.pop(request_id, None)

    def tick(self, ns: int) -> None:
        """Time passes: requests that stay unknown raise alarms, and several of them halt everything."""
        old = [
            (rid, symbol) for rid, (since, symbol) in self.unknown.items()
            if ns - since > self.settings.unknown_blocks
        ]  # fmt: skip
        for request_id, symbol in old:
            scope = f"symbol:{symbol}"
            self.halt(ns, "unknown", scope, f"the fate of request {request_id} for {symbol} is not known")
        if len(old) >= self.settings.unknown_halts:
            self.halt(ns, "unknown", ALL, f"the fate of {len(old)} requests is not known")
        if self._halts:
            still = {f"symbol:{symbol}" for _, symbol in self.unknown.values()} | (
                {ALL} if self.unknown else set()
            )
            for scope in [one for one in self._halts if one not in still]:
                self.release(scope, "unknown")

    def day_profits(self, profits: Mapping[str, int], limits: Mapping[str, Limits], ns: int) -> None:
        """What each strategy has gained today, in đồng: a loss above its limit, or the account's, halts."""
        for name, profit in profits.items():
            self._look(f"strategy:{name}", f"{name}'s loss", profit, limits.get(name), ns)
        self._look(ALL, "the loss of all strategies", sum(profits.values()), self.settings.account, ns)

    def _look(self, scope: str, whose: str, profit: int, limits: Limits | None, ns: int) -> None:
        most = limits.daily_loss if limits is not None else None
        if most is not None and -profit > most:
            text = f"{whose} of {-profit:,} đ today is above {most:,} đ; reductions only"
            self.halt(ns, DAILY_LOSS, scope, text)

    def start_day(self) -> None:
        """Yesterday's losses are yesterday's, and orders of others ended with the day."""
        for scope in list(self._halts):
            self.release(scope, DAILY_LOSS)
        self.foreign.clear()

    def foreign_order(self, broker_id: str, symbol: str, leaves: int) -> None:
        """An order of somebody else stands so; `leaves` carries the sign of its side, 0 is over."""
        if leaves:
            self.foreign[broker_id] = (symbol, leaves)
        else:
            self.foreign.pop(broker_id, None)


def _likeness(order: Order) -> tuple[object, ...]:
    return order.instrument.symbol, int(order.side), order.price, order.trigger, order.quantity
