"""What a trade costs: broker, exchange and depository fees, and taxes.

Sums are whole đồng. A fill's fee and its tax are each worked out exactly and rounded half up once.
Sources: brokers' published tariffs, the price lists of the exchanges and the depository, the income
tax on transfers of securities and its guidance for futures.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from numbers import Real
from typing import NamedTuple

from algo.errors import SettingError
from algo.market.dated import Dated
from algo.market.margin import INITIAL_MARGIN
from algo.model import Instrument, Kind, Side

Tiers = tuple[tuple[int | None, int], ...]
"""(last contract of the day at this fee, or None for all the rest; đồng a contract), rising."""


class Charge(NamedTuple):
    """What is paid for one event, in đồng."""

    fee: int
    tax: int = 0

    @property
    def total(self) -> int:
        """Fee and tax together."""
        return self.fee + self.tax


NOTHING = Charge(0, 0)


class Fees(ABC):
    """What trading costs. Subclass it for a tariff of your own; only `charge` must be there."""

    @abstractmethod
    def charge(
        self,
        instrument: Instrument,
        side: Side,
        price: int,
        quantity: int,
        day: date,
        *,
        contracts_today: int = 0,
    ) -> Charge:
        """What one fill costs. `price` is in units, `quantity` above zero.

        `contracts_today` is how many contracts the account traded on `day` before this fill; a
        broker's tariff may fall with it.
        """

    def expiry(self, instrument: Instrument, price: int | Fraction, quantity: int, day: date) -> Charge:
        """What the cash settlement of `quantity` (of either sign) expired contracts costs."""
        return NOTHING

    def holding(self, instrument: Instrument, quantity: int, day: date) -> int:
        """What keeping `quantity` (of either sign) over the night of the trading day `day` costs."""
        return 0

    def advance(self, amount: int, days: int, day: date) -> int:
        """What using `amount` đồng of sale money `days` calendar days early costs."""
        return 0


_SHARE_RATE: Dated[Fraction] = Dated.constant(Fraction(15, 10_000))
_SALE_TAX: Dated[Fraction] = Dated.constant(Fraction(1, 1_000))
_FUTURES_BROKER: Dated[Tiers] = Dated.constant(((99, 2_000), (300, 1_500), (None, 500)))
_FUTURES_EXCHANGE: Dated[int] = Dated.constant(2_700)
_FUTURES_DEPOSITORY: Dated[int] = Dated.constant(2_550)
_FUTURES_TAX: Dated[Fraction] = Dated.constant(Fraction(1, 1_000))
_ADVANCE_RATE: Dated[Fraction] = Dated.constant(Fraction(375, 1_000_000))


@dataclass(frozen=True, slots=True)
class VietnamFees(Fees):
    """The usual tariff of a Vietnamese online broker, with the exchanges' fees and the taxes.

    Rates are exact fractions of the value, sums are đồng, and every one is dated. `futures_broker`
    counts contracts of the day: the 100th costs what the second tier says. `advance_rate` is a
    fraction of the money a calendar day; brokers differ, so set it.
    """

    share_rate: Dated[Fraction] = _SHARE_RATE
    sale_tax: Dated[Fraction] = _SALE_TAX
    futures_broker: Dated[Tiers] = _FUTURES_BROKER
    futures_exchange: Dated[int] = _FUTURES_EXCHANGE
    futures_depository: Dated[int] = _FUTURES_DEPOSITORY
    futures_tax: Dated[Fraction] = _FUTURES_TAX
    margin: Dated[Fraction] = INITIAL_MARGIN
    advance_rate: Dated[Fraction] = _ADVANCE_RATE

    def charge(
        self,
        instrument: Instrument,
        side: Side,
        price: int,
        quantity: int,
        day: date,
        *,
        contracts_today: int = 0,
    ) -> Charge:
        """Shares: a part of the value, and a tax on sales. Futures: by contract, and a tax each time."""
        if instrument.kind is Kind.FUTURE:
            broker = _tiered(self.futures_broker.at(day), contracts_today, quantity)
            fee = broker + quantity * self.futures_exchange.at(day)
            return Charge(fee, self._futures_tax(instrument, price, quantity, day))
        value = instrument.notional(price, quantity)
        tax = _part(value, self.sale_tax.at(day)) if side is Side.SELL else 0
        return Charge(_part(value, self.share_rate.at(day)), tax)

    def expiry(self, instrument: Instrument, price: int | Fraction, quantity: int, day: date) -> Charge:
        """The tax alone: nobody trades at expiry."""
        return Charge(0, self._futures_tax(instrument, price, abs(quantity), day))

    def holding(self, instrument: Instrument, quantity: int, day: date) -> int:
        """The depository's fee for each futures contract held overnight."""
        if instrument.kind is not Kind.FUTURE:
            return 0
        return abs(quantity) * self.futures_depository.at(day)

    def advance(self, amount: int, days: int, day: date) -> int:
        """The broker's interest for `days` calendar days."""
        return _part(amount * days, self.advance_rate.at(day))

    def _futures_tax(self, instrument: Instrument, price: int | Fraction, quantity: int, day: date) -> int:
        tax, margin = self.futures_tax.at(day), self.margin.at(day)
        value = price * quantity * instrument.multiplier
        over, under = tax.numerator * margin.numerator, 2 * tax.denominator * margin.denominator
        return _half_up(value * over, under)


class NoFees(Fees):
    """Trading for nothing."""

    def charge(
        self,
        instrument: Instrument,
        side: Side,
        price: int,
        quantity: int,
        day: date,
        *,
        contracts_today: int = 0,
    ) -> Charge:
        """Nothing."""
        return NOTHING


@dataclass(frozen=True, slots=True)
class FlatFees(Fees):
    """`per_contract` đồng for each contract (or share) bought or sold, and nothing else."""

    per_contract: int

    def __post_init__(self) -> None:
        if isinstance(self.per_contract, bool) or not isinstance(self.per_contract, int):
            raise SettingError(f"per_contract is whole đồng, not {self.per_contract!r}")
        if self.per_contract < 0:
            raise SettingError(f"per_contract cannot be below zero, as {self.per_contract} is")

    def charge(
        self,
        instrument: Instrument,
        side: Side,
        price: int,
        quantity: int,
        day: date,
        *,
        contracts_today: int = 0,
    ) -> Charge:
        """The flat fee times the quantity."""
        return Charge(self.per_contract * quantity)


FeeFunction = Callable[[str, Side, float, int], float]


@dataclass(frozen=True, slots=True)
class FunctionFees(Fees):
    """Fees from a function of one's own: (symbol, side, price, quantity) to đồng.

    The price is as the market shows it: đồng, or index points. A fraction of a đồng is rounded half
    up; below zero is a rebate.
    """

    function: FeeFunction

    def charge(
        self,
        instrument: Instrument,
        side: Side,
        price: int,
        quantity: int,
        day: date,
        *,
        contracts_today: int = 0,
    ) -> Charge:
        """What the function says."""
        fee = self.function(instrument.symbol, side, instrument.price(price), quantity)
        if not isinstance(fee, Real) or not math.isfinite(fee):
            raise SettingError(f"the fee function must give a number of đồng, not {fee!r}")
        exact = Fraction(fee)
        return Charge(_half_up(exact.numerator, exact.denominator))


def _part(value: int, rate: Fraction) -> int:
    """`rate` of `value` in whole đồng."""
    return _half_up(value * rate.numerator, rate.denominator)


def _half_up(numerator: int | Fraction, denominator: int) -> int:
    """The quotient rounded half up, exactly. Whole numbers all the way, because fills are many."""
    return int((2 * numerator + denominator) // (2 * denominator))


def _tiered(tiers: Tiers, before: int, quantity: int) -> int:
    """The fee of the contracts numbered `before` + 1 to `before` + `quantity` of the day."""
    total, low, high = 0, before, before + quantity
    for last, fee in tiers:
        end = high if last is None else min(high, last)
        if end > low:
            total += (end - low) * fee
            low = end
    return total
