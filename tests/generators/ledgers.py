"""Histories of an account: days of fills of shares and contracts, with all that may come between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

from algo.clock import HOUR, at
from algo.market import VIETNAM, instrument_of
from algo.model import Account, Instrument

SHARES = (instrument_of("FPT"), instrument_of("SSI"))
CONTRACTS = (instrument_of("VN30F2306"), instrument_of("VN30F2307"))
FIRST = date(2023, 3, 1)
DAYS = VIETNAM.trading_days(FIRST, FIRST + timedelta(days=60))
CASH = {Account.EQUITY: 50_000_000_000, Account.DERIVATIVES: 20_000_000_000}


@dataclass(frozen=True)
class Step:
    """One thing that happens: kind, moment, and what the kind needs."""

    kind: str
    ns: int
    instrument: Instrument
    sign: int = 0
    price: int = 0
    quantity: int = 0
    new: int = 1
    old: int = 1
    paid: int = 0


def due(day: date) -> int:
    """13:00 of T+2, counted on the list of days."""
    return at(DAYS[DAYS.index(day) + 2], 13 * HOUR)


def day_of(ns: int) -> date:
    """The day in which a step lies."""
    return max(day for day in DAYS if at(day) <= ns)


@st.composite
def histories(draw: st.DrawFn, days: int = 8, actions: bool = True) -> tuple[list[Step], list[Step]]:
    """(opening positions, steps in order). Shares are never sold beyond what is held."""
    held = dict.fromkeys((i.symbol for i in (*SHARES, *CONTRACTS)), 0)
    opening = []
    for instrument in draw(st.lists(st.sampled_from((*SHARES, *CONTRACTS)), unique=True)):
        quantity = draw(st.integers(1, 50))
        sign = 1 if not instrument.shortable else draw(st.sampled_from((1, -1)))
        price = draw(_prices(instrument))
        opening.append(Step("open", 0, instrument, sign, price, quantity))
        held[instrument.symbol] = sign * quantity
    steps: list[Step] = []
    for day in DAYS[: draw(st.integers(1, days))]:
        steps.append(Step("day", at(day), SHARES[0]))
        minute = 9 * 60
        for _ in range(draw(st.integers(0, 5))):
            minute += draw(st.integers(0, 60))
            ns = at(day, minute * (HOUR // 60))
            instrument = draw(st.sampled_from((*SHARES, *CONTRACTS)))
            kinds = ["fill"] * 6 + (
                ["settle", "settle daily"] if instrument.shortable else ["dividend", "split"]
            )
            kind = draw(st.sampled_from(kinds if actions else ["fill"]))
            price = draw(_prices(instrument))
            symbol = instrument.symbol
            if kind == "fill":
                sign = draw(st.sampled_from((1, -1)))
                most = held[symbol] if sign < 0 and not instrument.shortable else 400
                if not most:
                    continue
                quantity = draw(st.integers(1, most))
                held[symbol] += sign * quantity
                steps.append(Step("fill", ns, instrument, sign, price, quantity))
            elif kind == "settle daily":
                steps.append(Step("settle daily", ns, instrument, price=price))
            elif kind == "settle":
                held[symbol] = 0
                steps.append(Step("settle", ns, instrument, price=price))
            elif kind == "dividend":
                paid = ns + draw(st.integers(0, 5)) * 24 * HOUR
                steps.append(Step("dividend", ns, instrument, price=draw(st.integers(1, 3_000)), paid=paid))
            else:
                new, old = draw(st.sampled_from(((2, 1), (3, 2), (11, 10), (1, 2), (1, 100))))
                held[symbol] = held[symbol] * new // old
                steps.append(Step("split", ns, instrument, new=new, old=old))
    return opening, steps


def _prices(instrument: Instrument) -> st.SearchStrategy[int]:
    return st.integers(9_000, 15_000) if instrument.shortable else st.integers(1_000, 200_000)
