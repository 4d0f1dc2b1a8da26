"""Strategies that trade a lot, by seed: they try every kind of order, change their minds, protect fills."""

from __future__ import annotations

import random
from datetime import timedelta

from algo.model import OrderView
from algo.strategy import Strategy


class Trader(Strategy):
    """Does something every few seconds inside its hours (`hours`: pairs of seconds of the day)."""

    symbols: str = "VN30F1M"
    hours: str = ""
    seed: int = 0
    pause: float = 5.0
    size: int = 2
    short: bool = True

    def on_start(self) -> None:
        """Take up where the last life ended: with other dice, which its number gives."""
        lives = self.state["lives"] = int(self.state.get("lives", 0)) + 1
        self._dice = random.Random(f"{self.seed} {lives}")  # noqa: S311  repeatable on purpose
        self._hours = [tuple(map(int, pair.split("-"))) for pair in self.hours.split(",") if pair]
        self._wait()

    def _wait(self) -> None:
        """Until the next try, in or at the beginning of the next hours."""
        now = self.now
        of_day = now.hour * 3600 + now.minute * 60 + now.second
        pause = self.pause * self._dice.uniform(0.5, 1.5)
        for begin, end in self._hours:
            if of_day + pause < end:
                wait = max(pause, begin - of_day + self._dice.random())
                self.at(now + timedelta(seconds=wait), self._act)
                return

    def _act(self) -> None:
        self._wait()
        dice = self._dice
        symbol = dice.choice(self.symbols.split(","))
        if self.session(symbol) not in ("LO", "ATO", "ATC", "PLO"):
            return
        mine = [order for order in self.orders if order.symbol == symbol and not order.parent]
        roll = dice.random()
        if len(mine) >= 6 or (mine and roll < 0.2):
            self.cancel(dice.choice(mine))
        elif mine and roll < 0.45:
            self._think_again(symbol, dice.choice(mine))
        elif roll < 0.5:
            self.cancel_all(symbol)
        else:
            self._enter(symbol)

    def _think_again(self, symbol: str, order: OrderView) -> None:
        limits = self.band(symbol)
        if not order.price or limits is None or self.session(symbol) != "LO":
            return
        if self._dice.random() < 0.5:
            price = order.price + self._dice.choice((-2, -1, 1, 2)) * self.tick(symbol, order.price)
            self.amend(order, price=min(max(self.round_price(symbol, price), limits[0]), limits[1]))
        else:
            self.amend(order, quantity=order.quantity + self._dice.choice((-1, 1, 1)) * self.lot(symbol))

    def _enter(self, symbol: str) -> None:
        dice, limits = self._dice, self.band(symbol)
        last = self._price(symbol)
        if limits is None or last is None:
            return
        step, quantity = self.tick(symbol, last), self.lot(symbol) * dice.randint(1, self.size)
        held = self.position(symbol)
        sign = dice.choice((1, -1))
        if not self.short:
            sign = -1 if held.sellable >= quantity and dice.random() < 0.5 else 1
        send = self.buy if sign > 0 else self.sell
        roll, continuous = dice.random(), self.session(symbol) == "LO"
        near = self._inside(symbol, last - sign * step * dice.randint(0, 4), limits)
        if roll < 0.35 or not continuous:
            send(symbol, quantity, near)
        elif roll < 0.6:
            send(symbol, quantity, self._inside(symbol, last + sign * step * 6, limits))
        elif roll < 0.7:
            send(symbol, quantity)
        elif roll < 0.85 and (self.short or sign > 0):
            loss = self._inside(symbol, last - sign * step * 15, limits)
            gain = self._inside(symbol, last + sign * step * 15, limits)
            send(symbol, quantity, self._inside(symbol, last + sign * step * 4, limits), stop_loss=loss,
                 take_profit=gain)  # fmt: skip
        elif roll < 0.92 and self.short:
            send(symbol, quantity, stop=self._inside(symbol, last + sign * step * 8, limits))
        elif self.short:
            self.target(symbol, dice.randint(-1, 1) * quantity)
        else:
            send(symbol, quantity, near)

    def _price(self, symbol: str) -> float | None:
        bars = self.bars(symbol)
        if len(bars.close):
            return float(bars.close[-1])
        limits = self.band(symbol)
        return None if limits is None else (limits[0] + limits[1]) / 2

    def _inside(self, symbol: str, price: float, limits: tuple[float, float]) -> float:
        return self.round_price(symbol, min(max(price, limits[0]), limits[1]))
