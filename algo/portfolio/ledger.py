"""The ledger: fills in, positions, sellable lots, cash, margin and profit out. Whole đồng, exactly.

Shares cost their whole value and can be sold when their lot has settled; futures move cash when a
contract is closed, or settled daily, and bind initial margin meanwhile. Positions and cash are kept by
account; the instrument decides which one. Lots are closed first in, first out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from heapq import heappop, heappush

from algo.clock import at, local_date
from algo.errors import SettingError
from algo.market import VIETNAM, Fees, NoFees, TradingCalendar, initial_margin, settles_at
from algo.model import Account, CorporateAction, Fill, Instrument, Side
from algo.portfolio.flow import Flow
from algo.portfolio.lots import Lot, RoundTrip
from algo.portfolio.position import Position

DIVIDEND_TAX = Fraction(5, 100)
"""Personal income tax withheld from cash dividends (Law on Personal Income Tax, investment income)."""


class Portfolio:
    """Positions and cash by account.

    `marks` gives an instrument's last price in price units, or None; `margin` overrides the dated
    initial margin rate of futures. With `advance` sale money of shares can be used at once for
    the schedule's fee; else it arrives when it settles. `receivable` is đồng of sale money and
    dividends still on their way.
    """

    def __init__(
        self,
        cash: Mapping[Account, int],
        *,
        fees: Fees | None = None,
        calendar: TradingCalendar = VIETNAM,
        margin: Fraction | None = None,
        advance: bool = False,
        dividend_tax: Fraction = DIVIDEND_TAX,
        marks: Callable[[Instrument], int | None] = lambda _instrument: None,
    ) -> None:
        self.cash: dict[Account, int] = dict.fromkeys(Account, 0)
        self.cash.update(cash)
        self.opening = sum(self.cash.values())
        self.fees_schedule: Fees = fees if fees is not None else NoFees()
        self.calendar = calendar
        self.margin_rate = margin
        self.advance = advance
        self.dividend_tax = dividend_tax
        self.mark = marks
        self.ns = 0
        self.positions: dict[str, Position] = {}
        self.fills: list[Fill] = []
        self.round_trips: list[RoundTrip] = []
        self.fees = 0
        self.taxes = 0
        self.dividends = 0
        self.contracts_today = 0
        self.flows: list[Flow] = []
        self.receivable = 0
        self._due: list[tuple[int, int]] = []
        self._settles: dict[int, int] = {}
        self._day = 0
        self._day_equity = self.opening
        self.date = local_date(0)

    # -- opening ------------------------------------------------------------------------------

    def open(self, instrument: Instrument, quantity: int, price: int) -> None:
        """Enter a position held from before, at its average `price` in units; it can be sold at once.

        Its value at `price` (for shares) counts as opening capital.
        """
        if quantity == 0:
            return
        if quantity < 0 and not instrument.shortable:
            raise SettingError(f"{instrument.symbol}: an opening position of shares cannot be short")
        position = self._position(instrument)
        cost = instrument.notional(price, abs(quantity))
        position.lots.append(Lot(abs(quantity), cost, 0, 0, 0, 0, "opening"))
        position.quantity += quantity
        position.cost += cost
        if not instrument.shortable:
            self.opening += cost

    # -- time ---------------------------------------------------------------------------------

    def advance_to(self, ns: int) -> None:
        """Move to market time `ns`: sale money that is due arrives."""
        self.ns = ns
        due = self._due
        while due and due[0][0] <= ns:
            amount = heappop(due)[1]
            self.receivable -= amount
            self.cash[Account.EQUITY] += amount

    def start_day(self, ns: int) -> int:
        """Begin a trading day: charge for contracts held over night. Gives the đồng charged."""
        self.advance_to(ns)
        self._turn_day(ns)
        charged = 0
        day = self.date
        for position in self.positions.values():
            if position.quantity and position.instrument.shortable:
                fee = self.fees_schedule.holding(position.instrument, abs(position.quantity), day)
                if fee:
                    self.flows.append(Flow(ns, "holding", position.symbol, -fee))
                    charged += fee
        self.cash[Account.DERIVATIVES] -= charged
        self.fees += charged
        self._day_equity = self.equity
        return charged

    @property
    def day_profit(self) -> int:
        """Đồng gained since the day began after fees and taxes, open profit included; negative for a loss."""
        return self.equity - self._day_equity

    @property
    def day_loss(self) -> int:
        """Đồng lost since the day began, open profit included; 0 when nothing was lost."""
        return max(-self.day_profit, 0)

    def _turn_day(self, ns: int) -> None:
        day = at(local_date(ns))
        if day != self._day:
            self._day = day
            self.date = local_date(ns)
            self.contracts_today = 0

    # -- fills --------------------------------------------------------------------------------

    def book(
        self,
        ns: int,
        instrument: Instrument,
        side: Side,
        price: int,
        quantity: int,
        *,
        order_id: str = "",
        strategy: str = "",
        symbol: str = "",
        exit_reason: str = "",
        tag: str = "",
    ) -> Fill:
        """Book one fill: fees and taxes, cash, lots, realised profit. Gives it as booked."""
        if ns >= self._day + 86_400_000_000_000:
            self._turn_day(ns)
        charge = self.fees_schedule.charge(
            instrument, side, price, quantity, self.date, contracts_today=self.contracts_today
        )
        if instrument.shortable:
            self.contracts_today += quantity
        return self._enter(
            ns, instrument, side, price, quantity, charge.fee, charge.tax,
            order_id, strategy, symbol or instrument.symbol, exit_reason, tag,
        )  # fmt: skip

    def settle(self, ns: int, instrument: Instrument, price: int, symbol: str = "") -> Fill | None:
        """Close a contract that ended, in cash at `price`; None when there is no position in it.

        `symbol` is the alias that it was traded by, as in `book`.
        """
        position = self.positions.get(instrument.symbol)
        if position is None or not position.quantity:
            return None
        side = Side.SELL if position.quantity > 0 else Side.BUY
        charge = self.fees_schedule.expiry(instrument, price, abs(position.quantity), local_date(ns))
        return self._enter(
            ns, instrument, side, price, abs(position.quantity), charge.fee, charge.tax,
            "", "", symbol or instrument.symbol, "settlement", "",
        )  # fmt: skip

    def _enter(
        self,
        ns: int,
        instrument: Instrument,
        side: Side,
        price: int,
        quantity: int,
        fee: int,
        tax: int,
        order_id: str,
        strategy: str,
        symbol: str,
        exit_reason: str,
        tag: str,
    ) -> Fill:
        position = self._position(instrument)
        change = quantity * side
        unit = price * instrument.multiplier
        closing = min(quantity, abs(position.quantity)) if position.quantity * change < 0 else 0
        closing_fee, closing_tax = fee * closing // quantity, tax * closing // quantity
        reason, profit, paid = "", 0, position.paid
        if closing:
            reason = exit_reason or "signal"
            profit = self._close(
                position, ns, unit, closing, closing_fee, closing_tax, reason, order_id, strategy
            )
        opened = quantity - closing
        if opened:
            sellable_at = 0 if instrument.shortable else self._settlement(ns)
            cost = unit * opened
            position.lots.append(
                Lot(opened, cost, fee - closing_fee, tax - closing_tax, ns, sellable_at, order_id)
            )
            position.cost += cost
        position.quantity += change
        if instrument.shortable:
            self.cash[instrument.account] += profit - (paid - position.paid) - fee - tax
        elif side is Side.BUY:
            self.cash[instrument.account] -= unit * quantity + fee + tax
        else:
            self._receive(ns, unit * quantity - fee - tax)
        self.fees += fee
        self.taxes += tax
        fill = Fill(ns, order_id, strategy, symbol, instrument, side, price, quantity, fee, tax, reason, tag)
        self.fills.append(fill)
        return fill

    def _close(
        self,
        position: Position,
        ns: int,
        unit: int,
        quantity: int,
        fee: int,
        tax: int,
        reason: str,
        order_id: str,
        strategy: str,
    ) -> int:
        """Close lots first in, first out; book round trips and give the profit before charges.

        `unit` is đồng for one share or contract; `fee` and `tax` are those of the closing part alone.
        """
        sign = 1 if position.quantity > 0 else -1
        lots, profit = position.lots, 0
        while quantity:
            lot = lots[0]
            if lot.quantity <= quantity:
                part, cost, entry_fee, entry_tax = lot.quantity, lot.cost, lot.fee, lot.tax
                paid = lot.paid
                lots.popleft()
            else:
                part = quantity
                cost, entry_fee, entry_tax, paid = lot.take(part)
            part_fee, part_tax = fee * part // quantity, tax * part // quantity
            value = unit * part
            self.round_trips.append(
                RoundTrip(
                    position.instrument, sign, part, lot.entry_ns, cost, ns, value,
                    entry_fee + part_fee, entry_tax + part_tax, reason, lot.order_id, order_id, strategy,
                )
            )  # fmt: skip
            position.cost -= cost
            position.paid -= paid
            profit += sign * (value - cost)
            quantity -= part
            fee -= part_fee
            tax -= part_tax
        position.realised += profit
        return profit

    def _receive(self, ns: int, amount: int) -> None:
        due = self._settlement(ns)
        if self.advance:
            days = (local_date(due) - local_date(ns)).days
            fee = self.fees_schedule.advance(amount, days, local_date(ns))
            self.fees += fee
            self.flows.append(Flow(ns, "advance", "", -fee))
            self.cash[Account.EQUITY] += amount - fee
        else:
            self._await(due, amount)

    def _await(self, due: int, amount: int) -> None:
        """Money that arrives at `due`."""
        self.receivable += amount
        heappush(self._due, (due, amount))

    def _settlement(self, ns: int) -> int:
        day = at(local_date(ns))
        due = self._settles.get(day)
        if due is None:
            due = self._settles[day] = settles_at(local_date(ns), self.calendar)
        return due

    def _position(self, instrument: Instrument) -> Position:
        position = self.positions.get(instrument.symbol)
        if position is None:
            position = self.positions[instrument.symbol] = Position(instrument, self)
        return position

    # -- corporate actions --------------------------------------------------------------------

    def act(self, action: CorporateAction) -> None:
        """Apply a dividend (net of the withheld tax) or a split to the shares held from before."""
        position = self.positions.get(action.symbol)
        if position is None or not position.quantity:
            return
        if action.dividend:
            gross = action.dividend * position.quantity
            tax = (gross * self.dividend_tax.numerator * 2 + self.dividend_tax.denominator) // (
                2 * self.dividend_tax.denominator
            )
            self.taxes += tax
            self.dividends += gross
            self.flows.append(Flow(action.ns, "dividend", action.symbol, gross - tax))
            self._await(max(action.paid_ns, action.ns), gross - tax)
            self.advance_to(max(self.ns, action.ns))
        if action.ratio_new != action.ratio_old:
            self._split(position, action.ratio_new, action.ratio_old, action.ns)

    def _split(self, position: Position, new: int, old: int, ns: int) -> None:
        # Fractions of a share are dropped once for the whole position, as the depository does; the
        # running total keeps single lots from losing one each.
        before = after = 0
        for lot in position.lots:
            before += lot.quantity
            lot.quantity = before * new // old - after
            after += lot.quantity
        self.flows.append(Flow(ns, "split", position.symbol, 0, after - position.quantity))
        position.quantity = after
        gone = [lot for lot in position.lots if not lot.quantity]
        position.lots = deque(lot for lot in position.lots if lot.quantity)
        spent = sum(lot.cost for lot in gone)
        if position.lots:
            first = position.lots[0]
            first.cost += spent
            first.fee += sum(lot.fee for lot in gone)
            first.tax += sum(lot.tax for lot in gone)
        else:
            position.cost = 0
            position.realised -= spent

    # -- reads --------------------------------------------------------------------------------

    @property
    def equity(self) -> int:
        """Đồng everything is worth at the marks, before the cost of closing it."""
        value = sum(self.cash.values()) + self.receivable
        for position in self.positions.values():
            if position.quantity:
                value += position.value
        return value

    @property
    def realised(self) -> int:
        """Đồng of profit on closed quantities, before fees and taxes."""
        return sum(p.realised for p in self.positions.values())

    @property
    def open_profit(self) -> int:
        """Đồng of profit on open positions at the marks, before fees."""
        return sum(p.open_profit for p in self.positions.values())

    def margin_used(self) -> int:
        """Đồng of initial margin bound by open contracts at their marks."""
        return sum(
            self.margin_of(p.instrument, mark, p.quantity)
            for p in self.positions.values()
            if p.quantity and p.instrument.shortable and (mark := self.mark(p.instrument)) is not None
        )

    def margin_of(self, instrument: Instrument, price: int, quantity: int) -> int:
        """Đồng of initial margin for `quantity` contracts at `price` units."""
        return initial_margin(instrument, price, quantity, self.date, self.margin_rate)

    def buying_power(self, account: Account) -> int:
        """Đồng free for new orders, open orders not considered: settled cash, or free margin."""
        if account == Account.EQUITY:  # also where it is given as the text "equity"
            return self.cash[account]
        profit = sum(p.value for p in self.positions.values() if p.instrument.shortable)
        return self.cash[account] + profit - self.margin_used()

    def quantity(self, symbol: str) -> int:
        """Net quantity held of an instrument."""
        position = self.positions.get(symbol)
        return position.quantity if position is not None else 0

    def held(self) -> Iterable[Position]:
        """Positions that are not flat."""
        return [p for p in self.positions.values() if p.quantity]

    def __repr__(self) -> str:
        return f"<Portfolio equity {self.equity:,} đ, {len(list(self.held()))} positions>"
