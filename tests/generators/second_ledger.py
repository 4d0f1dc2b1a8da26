"""A second ledger: a plain fold over plain values. It imports nothing from algo, on purpose.

Money is whole đồng, prices are in price units, times are any integers that grow. Shares cost their
value and bring it when the sale settles; contracts move cash by their profit only.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

HALF = Decimal("0.5")


def rounded(amount: Decimal) -> int:
    """Half up, to the đồng."""
    return int((amount + HALF).to_integral_value(ROUND_FLOOR))


def share_charge(sign: int, value: int) -> tuple[int, int]:
    """0.15 % of the value, and 0.1 % tax on a sale."""
    fee = rounded(Decimal(value) * Decimal("0.0015"))
    return fee, rounded(Decimal(value) * Decimal("0.001")) if sign < 0 else 0


def contract_tax(value: int) -> int:
    """0.1 % of half the initial margin, which is 17 % of the value."""
    return rounded(Decimal(value) * Decimal("0.001") * Decimal("0.17") / 2)


def contract_charge(before: int, quantity: int, value: int) -> tuple[int, int]:
    """Broker by the day's count (2,000 to the 99th, 1,500 to the 300th, then 500), 2,700 exchange, tax."""
    fee = 0
    for number in range(before + 1, before + quantity + 1):
        fee += 2_700 + (2_000 if number <= 99 else 1_500 if number <= 300 else 500)
    return fee, contract_tax(value)


class SecondLedger:
    """Cash of two accounts, lots, realised profit, charges; everything recomputed the slow way."""

    def __init__(self, shares_cash: int, futures_cash: int) -> None:
        self.cash = {"equity": shares_cash, "derivatives": futures_cash}
        self.opening = shares_cash + futures_cash
        self.lots: dict[str, list[list[int]]] = {}  # [signed quantity, cost, sellable from, paid]
        self.multiplier: dict[str, int] = {}
        self.owed: list[tuple[int, int]] = []
        self.realised = self.fees = self.taxes = self.dividends = 0
        self.contracts_today = 0

    def hold(self, symbol: str, future: bool, multiplier: int, quantity: int, price: int) -> None:
        self.multiplier[symbol] = multiplier
        self.lots.setdefault(symbol, []).append([quantity, price * abs(quantity) * multiplier, 0, 0])
        if not future:
            self.opening += price * quantity * multiplier

    def arrive(self, now: int) -> None:
        self.cash["equity"] += sum(amount for due, amount in self.owed if due <= now)
        self.owed = [(due, amount) for due, amount in self.owed if due > now]

    def new_day(self, now: int) -> None:
        self.arrive(now)
        self.contracts_today = 0
        for symbol, lots in self.lots.items():
            if self.multiplier[symbol] != 1:
                fee = 2_550 * abs(sum(lot[0] for lot in lots))
                self.cash["derivatives"] -= fee
                self.fees += fee

    def trade(
        self, symbol: str, future: bool, multiplier: int, sign: int, price: int, quantity: int, due: int
    ) -> None:
        """One fill; `due` is when bought shares can be sold, or sale money arrives."""
        value = price * quantity * multiplier
        if future:
            fee, tax = contract_charge(self.contracts_today, quantity, value)
            self.contracts_today += quantity
        else:
            fee, tax = share_charge(sign, value)
        self._enter(symbol, future, multiplier, sign, price, quantity, due, fee, tax)

    def settle_daily(self, symbol: str, price: int) -> None:
        """What the contracts gained until `price` becomes cash, as far as it is none yet."""
        for lot in self.lots.get(symbol, []):
            worth = price * abs(lot[0]) * self.multiplier[symbol]
            gained = worth - lot[1] if lot[0] > 0 else lot[1] - worth
            self.cash["derivatives"] += gained - lot[3]
            lot[3] = gained

    def settle(self, symbol: str, price: int) -> None:
        """A contract ends: what is open is closed at `price`, for the tax alone."""
        held = self.quantity(symbol)
        if held:
            multiplier = self.multiplier[symbol]
            tax = contract_tax(price * abs(held) * multiplier)
            sign = -1 if held > 0 else 1
            self._enter(symbol, True, multiplier, sign, price, abs(held), 0, 0, tax)

    def _enter(
        self,
        symbol: str,
        future: bool,
        multiplier: int,
        sign: int,
        price: int,
        quantity: int,
        due: int,
        fee: int,
        tax: int,
    ) -> None:
        self.multiplier[symbol] = multiplier
        lots = self.lots.setdefault(symbol, [])
        profit, had, left = 0, 0, quantity
        while left and lots and lots[0][0] * sign < 0:
            lot = lots[0]
            part = min(left, abs(lot[0]))
            cost = lot[1] * part // abs(lot[0])
            profit += (price * part * multiplier - cost) * (1 if lot[0] > 0 else -1)
            share = lot[3] * part // abs(lot[0])
            had += share
            lot[3] -= share
            lot[1] -= cost
            lot[0] += sign * part
            left -= part
            if lot[0] == 0:
                lots.pop(0)
        if left:
            lots.append([sign * left, price * left * multiplier, 0 if future else due, 0])
        self.realised += profit
        self.fees += fee
        self.taxes += tax
        if future:
            self.cash["derivatives"] += profit - had - fee - tax
        elif sign > 0:
            self.cash["equity"] -= price * quantity * multiplier + fee + tax
        else:
            self.owed.append((due, price * quantity * multiplier - fee - tax))

    def dividend(self, symbol: str, amount: int, paid: int, now: int) -> None:
        gross = amount * self.quantity(symbol)
        tax = rounded(Decimal(gross) * Decimal("0.05"))
        self.dividends += gross
        self.taxes += tax
        self.owed.append((paid, gross - tax))
        self.arrive(now)

    def split(self, symbol: str, new: int, old: int) -> None:
        """Fractions are dropped once for the whole holding; their cost stays with what is left of it."""
        lots = self.lots.get(symbol, [])
        total = kept = 0
        for lot in lots:
            total += lot[0]
            lot[0] = total * new // old - kept
            kept += lot[0]
        lost = sum(lot[1] for lot in lots if not lot[0])
        lots[:] = [lot for lot in lots if lot[0]]
        if lots:
            lots[0][1] += lost
        else:
            self.realised -= lost

    def quantity(self, symbol: str) -> int:
        return sum(lot[0] for lot in self.lots.get(symbol, []))

    def sellable(self, symbol: str, now: int) -> int:
        return sum(lot[0] for lot in self.lots.get(symbol, []) if lot[2] <= now)

    def open_profit(self, marks: dict[str, int]) -> int:
        return sum(
            (1 if quantity > 0 else -1) * (marks[symbol] * abs(quantity) * self.multiplier[symbol] - cost)
            for symbol, lots in self.lots.items()
            for quantity, cost, _, _ in lots
        )

    def receivable(self) -> int:
        return sum(amount for _, amount in self.owed)
