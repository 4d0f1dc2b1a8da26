"""Backtests: a strategy over stored bars, through the same engine that trades live."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

from algo.brokers.paper import FillRules
from algo.data.feed import BarFeed
from algo.engine import AMEND, Engine
from algo.errors import DataError, ParameterError, SettingError
from algo.market import fees_from, is_alias, listed_contracts
from algo.model import Account, Bar, CorporateAction, Instrument, OrderStatus
from algo.orders import Limits, Venue
from algo.outcome import collect
from algo.parameters import bind, declared
from algo.portfolio import Portfolio
from algo.report.warnings import counted, ranked
from algo.result import Result
from algo.simulation import Simulation, seldom_collecting
from algo.store import Store
from algo.strategy import Strategy

if TYPE_CHECKING:
    from algo.data.series import Series

DEFAULT_CASH = 1_000_000_000
_TURNED_DOWN = frozenset({OrderStatus.REFUSED, OrderStatus.REJECTED})
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Settings:
    """Everything a run is given besides strategy and data.

    `cash` is đồng, one number or by account ("equity", "derivatives"). `margin` is the initial
    margin rate of futures (0.17 is 17 %), None for the dated rate. `opening` has positions held from
    before: symbol -> (quantity, average price). `advance` lets sale money be used at once, for a fee.
    """

    cash: int | Mapping[str, int] = DEFAULT_CASH
    rules: FillRules = field(default_factory=FillRules)
    fees: Any = "vietnam"
    margin: float | None = None
    limits: Limits = field(default_factory=Limits)
    opening: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    actions: Sequence[CorporateAction] = ()
    advance: bool = False

    def __post_init__(self) -> None:
        margin = self.margin
        if margin is not None and not (isinstance(margin, Real) and 0 < margin <= 1):
            raise SettingError(f"margin is above 0 and at most 1 (0.17 is 17 %), not {margin!r}")
        for symbol, (quantity, price) in self.opening.items():
            if isinstance(quantity, bool) or not isinstance(quantity, int) or not price > 0:
                raise SettingError(
                    f"the opening position in {symbol} is (whole quantity, price above 0), "
                    f"not ({quantity!r}, {price!r})"
                )


def backtest(
    strategy: type[Strategy],
    data: Any,
    *,
    cash: int | Mapping[str, int] = DEFAULT_CASH,
    parameters: Mapping[str, Any] | None = None,
    fill: Literal["open", "close"] = "open",
    slippage: int = 0,
    limit: Literal["through", "touch"] = "through",
    participation: float | None = 0.10,
    fees: Any = "vietnam",
    margin: float | None = None,
    limits: Limits | None = None,
    opening: Mapping[str, tuple[int, float]] | None = None,
    actions: Sequence[CorporateAction] | None = None,
    advance: bool = False,
    from_: Any = None,
    to: Any = None,
    **reading: Any,
) -> Result:
    """Run `strategy` over `data` and give the result.

    `data` is a DataFrame, a path, a symbol of the catalog, or a dict of these by symbol. `reading`
    says how files are to be read (symbol, unit, adjusted, stamp, board, width, columns) where
    detection is not wanted. `cash` is đồng; `fees` is "vietnam", "none", `FlatFees(...)`, a mapping of
    settings, or your own callable(symbol, side, price, quantity) -> đồng. Fill settings are those of
    docs/fill-rules.md. `limits` bound orders, positions and the daily loss.

    Raises InputError for what you gave wrong, and StrategyError when the strategy raises; the error's
    `result` has what happened until then.
    """
    if not (isinstance(strategy, type) and issubclass(strategy, Strategy)):
        raise ParameterError(f"backtest takes a Strategy class, not {strategy!r}")
    _no_parameters(strategy, reading)
    settings = Settings(
        cash=cash,
        rules=FillRules(fill, slippage, limit, participation),
        fees=fees,
        margin=margin,
        limits=limits if limits is not None else Limits(),
        opening=opening or {},
        actions=actions or (),
        advance=advance,
    )
    with seldom_collecting():
        run = prepare(strategy, load(data, from_=from_, to=to, **reading), settings, parameters)
        result = run.execute()
    if run.simulation.failure is not None:
        error = run.simulation.failure
        error.result = result
        raise error
    return result


def _no_parameters(strategy: type[Strategy], reading: Mapping[str, Any]) -> None:
    """Refuse parameters of the strategy that were given beside the settings, saying where they go."""
    from algo.data.sources import OPTIONS

    for name in reading:
        if name not in OPTIONS and name in declared(strategy):
            raise ParameterError(f"{name!r} is a parameter of {strategy.__name__}: give it in parameters=")


def load(data: Any, *, from_: Any = None, to: Any = None, **reading: Any) -> dict[str, Series]:
    """The series behind `data` by symbol, cut to the range."""
    from algo.data import load as load_data

    return load_data(data, from_=from_, to=to, **reading)


@dataclass
class Run:
    """A prepared run: everything wired, nothing executed yet."""

    strategy: Strategy
    engine: Engine
    ledger: Portfolio
    feed: BarFeed
    simulation: Simulation
    settings: Settings
    opening: dict[str, tuple[Instrument, int, int]]
    notes: list[str]
    interrupted: bool = False

    def execute(
        self,
        watch: Callable[[tuple[Bar, ...]], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> Result:
        """Go through the whole feed and collect the result; an interrupt ends it early and keeps it."""
        with seldom_collecting():
            try:
                self.simulation.run(watch, on_progress)
            except KeyboardInterrupt:
                self.interrupted = True
            return _collect(self)


def prepare(
    strategy: type[Strategy],
    series: Mapping[str, Series],
    settings: Settings,
    parameters: Mapping[str, Any] | None = None,
) -> Run:
    """Wire a strategy, its ledger, the engine and the paper exchange over a feed."""
    notes: list[str] = []
    given = fitting(strategy, dict(parameters or {}), series, notes)
    instance = strategy(**given)
    feed = BarFeed(series, settings.actions)
    store = Store(series)
    venues = {
        symbol: Venue(symbol, instrument, store.history(symbol, None))
        for symbol, instrument in feed.instruments.items()
    }
    by_instrument = {venue.instrument.symbol: venue for venue in venues.values()}

    def mark(instrument: Instrument) -> int | None:
        venue = by_instrument.get(instrument.symbol)
        if venue is None or venue.instrument is not instrument:
            for candidate in venues.values():
                if candidate.instrument.symbol == instrument.symbol:
                    venue = by_instrument[instrument.symbol] = candidate
        return None if venue is None else venue.last

    ledger = Portfolio(
        _cash(settings.cash, feed),
        fees=fees_from(settings.fees),
        calendar=feed.calendar,
        margin=None if settings.margin is None else Fraction(str(settings.margin)),
        advance=settings.advance,
        marks=mark,
    )
    opening = {}
    for symbol, (quantity, price) in settings.opening.items():
        if symbol not in feed.instruments:
            raise SettingError(f"opening position in {symbol!r}, which the data does not have")
        instrument = feed.instruments[symbol]
        units = instrument.units(price)
        ledger.open(instrument, quantity, units)
        opening[symbol] = (instrument, quantity, units)
    engine = Engine(
        {strategy.__name__: (instance, ledger)}, venues, store, {strategy.__name__: settings.limits}
    )
    simulation = Simulation(engine, ledger, feed, settings.rules)
    return Run(instance, engine, ledger, feed, simulation, settings, opening, notes)


def fitting(
    strategy: type[Strategy], given: dict[str, Any], series: Collection[str], notes: list[str]
) -> dict[str, Any]:
    """The parameters, with the one symbol of the data in place of a default that the data lacks.

    `series` are the data's symbols; `notes` is told of such a change. Raises DataError for another symbol.
    """
    known = declared(strategy)
    default = known.get("symbol", (None, None))[1]
    if "symbol" in known and "symbol" not in given and default not in series and len(series) == 1:
        (only,) = series
        given["symbol"] = only
        notes.append(f"parameter symbol is {only}, the data's only symbol, instead of {default}")
    symbol = bind(strategy, given).get("symbol")
    if isinstance(symbol, str) and symbol not in series:
        near = difflib.get_close_matches(symbol, series, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(series))}"
        raise DataError(f"the data has no symbol {symbol!r}; {hint} (set it with -p symbol=…)")
    return given


def _cash(cash: int | Mapping[str, int], feed: BarFeed) -> dict[Account, int]:
    accounts = sorted({i.account for i in feed.instruments.values()})
    if isinstance(cash, Mapping):
        try:
            given = {Account(name): _dong(amount) for name, amount in cash.items()}
        except ValueError:
            raise SettingError(f"cash is by account, equity and derivatives, not {', '.join(cash)}") from None
        for account in accounts:
            if account not in given:
                raise SettingError(f"cash has nothing for {account}, the account that this data trades from")
        return given
    if len(accounts) > 1:
        raise SettingError(
            "the data has shares and futures, which are paid from two accounts: "
            "give cash for each (equity and derivatives)"
        )
    return {accounts[0]: _dong(cash)}


def _dong(amount: Any) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < 1e18:
        raise SettingError(f"cash is whole đồng from 0, not {amount!r}")
    if amount != int(amount):
        raise SettingError(f"cash is whole đồng, not {amount!r}")
    return int(amount)


# -- the result ---------------------------------------------------------------------------------


def _collect(run: Run) -> Result:
    failure = run.simulation.failure
    return collect(
        run.strategy,
        run.engine,
        run.ledger,
        run.feed,
        run.simulation.fill_moments,
        run.simulation.moments,
        opening=run.opening,
        settings=_settings_shown(run.settings),
        warnings=_warnings(run),
        messages=[(ns, text) for ns, _, text in run.engine.messages],
        error=str(failure) if failure is not None else "",
    )


def _settings_shown(settings: Settings) -> dict[str, Any]:
    rules = settings.rules
    fees = settings.fees
    return {
        "cash": settings.cash if isinstance(settings.cash, int | float) else dict(settings.cash),
        "fill": rules.fill,
        "slippage": rules.slippage,
        "limit": rules.limit,
        "participation": rules.participation,
        # Without the address in memory: the same run gives the same text.
        "fees": fees
        if isinstance(fees, str)
        else getattr(fees, "__name__", None) or _ADDRESS.sub("", repr(fees)),
        "margin": settings.margin if settings.margin is not None else "dated",
    }


def _warnings(run: Run) -> list[str]:
    """What a reader must know to believe the figures, one line each."""
    engine, ledger, feed, days = run.engine, run.ledger, run.feed, run.feed.days
    found = list(run.notes)
    if run.simulation.failure is not None:
        found.append(f"ended early: {run.simulation.failure}")
    if run.interrupted:
        found.append("interrupted: the figures cover the time until then")
    found += [
        f"{one.symbol}: prices are adjusted: ticks are not enforced, order prices are rounded to the đồng"
        for one in feed.series.values()
        if one.adjusted
    ]
    found += [
        f"{symbol}: the data does not name its contracts, so it never rolls: nothing is settled"
        for symbol, one in feed.series.items()
        if one.contract is None
        and is_alias(symbol)
        and listed_contracts(days[0]) != listed_contracts(days[-1])
    ]
    for symbol, times in feed.unbanded.items():
        found.append(
            f"{symbol}: {counted(times, 'day')} opened outside the computed band, so without one (ex-dates?)"
        )
    settled = sum(fill.exit_reason == "settlement" for fill in ledger.fills)
    if settled:
        found.append(
            f"{counted(settled, 'position')} settled at the contract's last close, not the official price"
        )
    if run.simulation.exchange.capped:
        share = run.settings.rules.participation or 0
        capped = counted(run.simulation.exchange.capped, "fill")
        found.append(f"{capped} cut short by the cap of {share:.0%} of a bar's volume")
    refused = [order.reason for order in engine.manager.every if order.status in _TURNED_DOWN]
    amendments = [
        reason.removeprefix(AMEND)
        for reason, times in engine.refusals.items()
        for _ in range(times if reason.startswith(AMEND) else 0)
    ]
    found += [
        f"{counted(len(reasons), noun)} refused: {ranked(reasons)}"
        for noun, reasons in (("order", refused), ("amendment", amendments))
        if reasons
    ]
    found += [
        f"open at the end: {position.quantity:,} {position.symbol}, valued at the last close"
        for position in ledger.held()
    ]
    if any(cash < 0 for cash in ledger.cash.values()) or ledger.equity < 0:
        found.append("the account ended below zero: a broker would have closed its positions before")
    return found
