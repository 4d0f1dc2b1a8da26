"""What a sandbox is made of: written down once, it makes the same sandbox again.

A recipe holds keys, so it is kept where nobody else can read it. The documents that clients get are made from
it and from the address at which the server runs.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from algo.brokers.fctrading.signing import generate, parse_key
from algo.brokers.paper.brokerage import Brokerage
from algo.brokers.paper.customers import Customer
from algo.clock import HO_CHI_MINH
from algo.errors import SettingError
from algo.fastconnect.secret import Secret
from algo.model import Account
from algo.sandbox.identity import Consumer, Identity, ShownCode, public_key
from algo.sandbox.quota import DATA_RULES, LIFTED, TRADING_RULES
from algo.sandbox.service import Service
from algo.sandbox.source import Source
from algo.sandbox.world import World

SYNTHETIC = "synthetic"
CASH = 1_000_000_000
"""Đồng in each account at the beginning."""


@dataclass(frozen=True)
class Recipe:
    """`source` is "synthetic", a file (of bars, or of quotes and trades) or a symbol of the catalog.

    `day` is the first day that is played. `seed` makes everything that is made up, whatever the machine.
    """

    consumer_id: str
    consumer_secret: str = dataclasses.field(repr=False)
    private_key: str = dataclasses.field(repr=False)
    pin: str = dataclasses.field(repr=False)
    equity: str
    derivatives: str
    source: str = SYNTHETIC
    day: str = ""
    seed: int = 0
    cash: int = CASH

    @classmethod
    def new(cls, source: str = SYNTHETIC, day: date | None = None, seed: int = 0, cash: int = CASH) -> Recipe:
        """A recipe with keys, PIN and accounts of its own. Keys have 1024 bits, as SSI's own.

        Without a `day`, a made-up market begins today and a replayed one with its data.
        """
        if day is None and source == SYNTHETIC:
            day = datetime.now(HO_CHI_MINH).date()
        number = secrets.randbelow(900_000) + 100_000
        return cls(
            consumer_id=secrets.token_hex(16),
            consumer_secret=secrets.token_hex(16),
            private_key=generate().private_text().reveal(),
            pin=f"{secrets.randbelow(10**6):06d}",
            equity=f"{number}1",
            derivatives=f"{number}8",
            source=source,
            day=day.isoformat() if day is not None else "",
            seed=seed,
            cash=cash,
        )

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Recipe:
        """The recipe of `document`, as `asdict` gives it. Raises SettingError when it is none."""
        try:
            return cls(**document)
        except TypeError:
            raise SettingError("the state holds no sandbox that this version can make") from None

    def asdict(self) -> dict[str, Any]:
        """All of it, for a file that nobody else can read."""
        return dataclasses.asdict(self)

    def build(
        self,
        source: Source | None = None,
        *,
        limited: bool = True,
        on_code: Callable[[ShownCode], object] = lambda _: None,
    ) -> tuple[World, Service]:
        """World and service before anything has happened in them.

        `source` replaces the one that is named. `limited`: too many requests are answered with 429.
        """
        source = source or self.market()
        customer = Customer(
            "you",
            {Account.EQUITY: self.equity, Account.DERIVATIVES: self.derivatives},
            {Account.EQUITY: self.cash, Account.DERIVATIVES: self.cash},
            calendar=source.calendar,
        )
        house = Brokerage([customer], source.instruments, source.exchange)
        consumer = Consumer(
            self.consumer_id,
            Secret(self.consumer_secret),
            public_key(parse_key(self.private_key).public_text()),
            Secret(self.pin),
            (self.equity, self.derivatives),
        )
        identity = Identity([consumer], seed=self.seed, on_code=on_code)
        world = World(source, house)
        rules, data_rules = (TRADING_RULES, DATA_RULES) if limited else (LIFTED, LIFTED)
        return world, Service(world, identity, seed=self.seed, rules=rules, data_rules=data_rules)

    def market(self) -> Source:
        """The market that `source` names. Raises DataError, CatalogError or SettingError."""
        first = date.fromisoformat(self.day) if self.day else None
        if self.source == SYNTHETIC:
            from algo.sandbox.sources.flow import SyntheticFlow

            if first is None:
                raise SettingError("a made-up market needs its first day")
            return SyntheticFlow(first, self.seed)
        from algo.data.sources import is_file, load
        from algo.sandbox.sources.bars import BarReplay
        from algo.sandbox.sources.ticks import TickReplay, holds_ticks, read_ticks

        if is_file(self.source) and Path(self.source).is_file() and holds_ticks(self.source):
            return TickReplay(read_ticks(self.source), day=first)
        return BarReplay(load(self.source), day=first)

    def document(self, url: str, world: World, token: str, ca_file: Path | None = None) -> dict[str, Any]:
        """All that a client needs, as JSON. `token` is the operator's.

        Addresses end with a slash: the official Python client puts its paths right behind them, and the
        server takes the double slash that others make of it.
        """
        url = f"{url.rstrip('/')}/"
        found: dict[str, Any] = {
            "url": url,
            "stream_url": url,
            "data_url": url,
            "data_stream_url": url,
            "consumer_id": self.consumer_id,
            "consumer_secret": self.consumer_secret,
            "private_key": self.private_key,
            "pin": self.pin,
            "accounts": {"equity": self.equity, "derivatives": self.derivatives},
            "symbols": [
                {"symbol": state.symbol, "board": str(state.board), "reference": state.reference}
                for state in world.tape.states.values()
            ],
        }
        if ca_file is not None:
            found["ca_file"] = str(ca_file)
        return found | {"control": {"url": url, "token": token}}
