"""``algo run --broker sandbox|live``: trading through FastConnect, in a sandbox or for real."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from algo.cli import broker
from algo.errors import SettingError, StrategyError

if TYPE_CHECKING:
    from rich.console import Console

    from algo.backtest import Settings
    from algo.brokers.fctrading.credentials import Credentials
    from algo.cli.experiment import Experiment
    from algo.config import LiveSettings
    from algo.live.control import Control
    from algo.live.core import Plan
    from algo.model import Instrument
    from algo.orders.controls import Alarm
    from algo.result import Result
    from algo.strategy import Strategy

INTERRUPTED = 130
SANDBOX, LIVE = "sandbox", "live"
_BEHIND = 0.25
"""Seconds of the machine's by which messages of a quick market may lag behind its clock."""


@dataclass
class Wishes:
    """What a person asked of the run, besides the experiment."""

    broker: str
    speed: float
    credentials: Path | None = None
    journal: Path | None = None
    settings: Path | None = None
    assume_open: bool = False
    warm_days: int | None = None


@dataclass
class Market:
    """Where the run trades, and how its time passes. `control` belongs to a sandbox."""

    credentials: Credentials
    now: int
    speed: float = 1.0
    control: Control | None = None
    instruments: dict[str, Instrument] = field(default_factory=dict)
    width: int = 60_000_000_000
    days: list[date] = field(default_factory=list)

    @property
    def stepped(self) -> bool:
        """Whether this run moves the market's time."""
        return self.control is not None and self.speed == 0


def trade(experiment: Experiment, wishes: Wishes, console: Console) -> None:
    """Run until the close, the end of the data or Ctrl-C; show and write what it gave."""
    from algo.cli import execution

    experiment.check()
    strategy, settings = experiment.load_strategy(), experiment.make_settings()
    try:
        with execution.kept_clear(experiment):
            came = asyncio.run(_trade(strategy, settings, experiment, wishes, console))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(INTERRUPTED) from None
    result, interrupted, failure = came
    if result is None:
        console.print("No bar came, so there is nothing to report.")
    else:
        execution.shown(result, experiment, console)
    if failure is not None:
        raise failure
    if interrupted:
        raise typer.Exit(INTERRUPTED)


async def _trade(
    strategy: type[Strategy], settings: Settings, experiment: Experiment, wishes: Wishes, console: Console
) -> tuple[Result | None, bool, StrategyError | None]:
    from algo.alerts import Dispatcher
    from algo.cli import live_tables
    from algo.cli.ending import Ending
    from algo.cli.live_view import view_of
    from algo.clock import SECOND
    from algo.config import load_settings
    from algo.data.fastconnect.feed import BarMaker
    from algo.data.fastconnect.minutes import GRACE, MinuteBars
    from algo.live.clock import MarketClock, RealClock, ScaledClock, SteppedClock
    from algo.live.day_report import day_report
    from algo.live.log import DailyLines, RunLog
    from algo.live.result import result_of
    from algo.live.stepping import SteppedBars, Stepper
    from algo.live.trading import Setup, Trading
    from algo.report.warnings import counted

    live = load_settings(wishes.settings)
    ending = Ending()
    async with contextlib.AsyncExitStack() as stack:
        market = await stack.enter_async_context(_market(experiment, wishes, live, strategy.__name__))
        plan = await _plan(strategy, settings, experiment, market, live, console)
        clock: MarketClock
        bars: BarMaker | None = None
        if market.stepped:
            clock = stepped = SteppedClock(market.now)
            bars = steps = SteppedBars()
        elif market.control is not None:
            clock = ScaledClock(market.now, market.speed)
            bars = MinuteBars(max(GRACE, round(_BEHIND * market.speed * SECOND)))
        else:
            clock = RealClock()
        journal = wishes.journal or (live.journal if wishes.settings is not None else None)
        if journal is None:
            kept = tempfile.TemporaryDirectory() if wishes.broker == SANDBOX else None
            if kept is not None:
                stack.callback(kept.cleanup)
            journal = Path(kept.name if kept else "journals") / f"{strategy.__name__}.journal"
        view = view_of(console, plan.seats[0].name, market.speed, wishes.broker)
        channels = [one for one in live.alerts.channels(view.line) if one.name != "terminal"]
        tell = stack.enter_context(Dispatcher(channels, hide=live.alerts.secrets))

        def alarm(one: Alarm) -> None:
            view.alarm(one)
            tell.alarm(*one)

        def message(ns: int, name: str, text: str) -> None:
            view.message(ns, name, text)
            tell.message(ns, name, text)

        setup = Setup(
            plan,
            market.credentials,
            journal=journal,
            ask=None if market.credentials.pin is not None else broker.asked,
            tokens=_tokens(market.credentials, wishes),
            warm_days=_warm_days(wishes, market, live),
            log=RunLog(DailyLines(live.logs, hide=live.alerts.secrets)) if live.logs is not None else None,
            clock=clock,
            bars=bars,
            stepped=market.stepped,
            on_alarm=alarm,
            on_message=message,
            on_step=view.show,
        )
        async with Trading(setup) as trading:
            view.begin(trading)
            ending.begin()
            with view:
                if market.stepped and market.control is not None:
                    stepper = Stepper(trading, market.control, stepped, steps)
                    await ending.first(stepper.run(), trading.over)
                else:
                    await ending.first(trading.over.wait())
                await trading.finish()
            still = [order for order in trading.core.open_orders if order.order_id]
            if still:
                console.print(f"{counted(len(still), 'order')} still at work at the broker: see `algo kill`.")
            day = trading.core.engine.day
            if day is not None and not market.stepped:
                console.print(live_tables.day(day_report(trading.core, day, trading.journal)))
            result = result_of(
                trading.core, plan.seats[0].name, _shown(wishes, settings), view.told_by_strategy
            )
            failure = trading.core.engine.failures[0] if trading.core.engine.failures else None
            return result, ending.wanted, failure


# -- where it trades ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _market(
    experiment: Experiment, wishes: Wishes, settings: LiveSettings, name: str
) -> AsyncIterator[Market]:
    file = wishes.credentials or settings.credentials
    if wishes.broker == LIVE:
        yield await _real(wishes, settings, name)
    elif file is None:
        async with _own_sandbox(experiment, wishes) as market:
            yield market
    else:
        who = broker.loaded(file)
        control = broker.control_of(file, who)
        if control is None:
            raise SettingError(f"{file} is no sandbox's credentials: it names no control; use --broker live")
        try:
            state = await control.state()
            speed = wishes.speed if state["speed"] == 0 else float(state["speed"])
            if state["speed"] == 0 and wishes.speed:
                state = await control.speed(wishes.speed)
            yield Market(who, int(state["now"]), speed, control, width=int(state["width"]))
        finally:
            await control.close()


async def _real(wishes: Wishes, settings: LiveSettings, name: str) -> Market:
    """The account must be confirmed by name, limits set, and the day one that trades."""
    import time

    from algo.clock import local_date
    from algo.market import VIETNAM

    who = broker.loaded(wishes.credentials or settings.credentials)
    settings.allow_live(who, name)
    now = time.time_ns()
    today = local_date(now)
    if not VIETNAM.is_trading_day(today):
        raise SettingError(f"the exchanges are closed on {today:%d/%m/%Y}")
    if VIETNAM.is_guess(today) and not wishes.assume_open:
        raise SettingError(f"whether {today:%d/%m/%Y} trades is a guess: --assume-open says that it does")
    return Market(who, now)


@contextlib.asynccontextmanager
async def _own_sandbox(experiment: Experiment, wishes: Wishes) -> AsyncIterator[Market]:
    """A sandbox for this run alone: over the data that were named, or over a made-up market."""
    from algo.brokers.fctrading.credentials import read_file
    from algo.data.feed import BarFeed
    from algo.durable import write_text
    from algo.fastconnect.transport import open_client, trust
    from algo.live.control import Control
    from algo.sandbox.assembly import assemble
    from algo.sandbox.recipe import Recipe
    from algo.sandbox.server import serve
    from algo.sandbox.sources.bars import BarReplay

    source, instruments, width, days = None, {}, 60_000_000_000, []
    if experiment.data:
        series = experiment.load_data()
        feed = BarFeed(series)
        source = BarReplay(series)
        instruments, days = dict(feed.instruments), feed.days
        width = next(iter(series.values())).width
    elif not wishes.speed:
        raise SettingError("a made-up market runs by the clock: give --speed above 0, or bars with --data")
    settings = experiment.make_settings()
    cash = settings.cash if isinstance(settings.cash, int) else max(settings.cash.values())
    made = assemble(Recipe.new(cash=cash), source=source, speed=wishes.speed, limited=bool(wishes.speed))
    async with serve(made.host) as running:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "credentials.json"
            write_text(file, json.dumps(made.document(running.url)), mode=0o600)
            who = read_file(file)
        control = Control(open_client(running.url, trust(None)), made.token)
        try:
            state = await control.state()
            yield Market(who, int(state["now"]), wishes.speed, control, instruments, width, days)
        finally:
            await control.close()


# -- what it trades -------------------------------------------------------------------------------


async def _plan(
    strategy: type[Strategy],
    settings: Settings,
    experiment: Experiment,
    market: Market,
    live: LiveSettings,
    console: Console,
) -> Plan:
    from algo.backtest import fitting
    from algo.live.core import Plan, Seat

    name = strategy.__name__
    parameters = dict(experiment.parameters)
    symbols = list(market.instruments) or experiment.data or _symbols_of(strategy, parameters)
    notes: list[str] = []
    parameters = fitting(strategy, parameters, symbols, notes)
    for note in notes:
        console.print(note, soft_wrap=True)
    instruments = market.instruments or await _instruments(market, symbols)
    accounts = {one.account for one in instruments.values()}
    given, own = settings.cash, live.strategies.get(name)
    cash = own.cash.by_account() if own is not None else {}
    cash = cash or {
        account: int(given) if isinstance(given, int) else int(given.get(str(account), 0))
        for account in accounts
    }
    from algo.clock import local_date

    day = market.days[0] if market.days else local_date(market.now)
    return Plan(
        [Seat(name, strategy, parameters, cash, live.limits_of(name).or_else(settings.limits))],
        symbols,
        day,
        width=market.width,
        fees=settings.fees,
        margin=None if settings.margin is None else Fraction(str(settings.margin)),
        advance=settings.advance,
        days=market.days,
        controls=live.control_settings(),
        contracts=instruments,
    )


def _symbols_of(strategy: type[Strategy], parameters: dict[str, Any]) -> list[str]:
    from algo.parameters import bind

    bound = bind(strategy, parameters)
    symbol = bound.get("symbol") or bound.get("symbols")
    if isinstance(symbol, str):
        return [symbol]
    if isinstance(symbol, list | tuple) and symbol:
        return [str(one) for one in symbol]
    raise SettingError("name what to trade: --data SYMBOL, once for each")


async def _instruments(market: Market, symbols: list[str]) -> dict[str, Instrument]:
    """The instruments behind the symbols; the board of a share is asked of the data service."""
    import random
    import time

    from algo.clock import local_date
    from algo.data.fastconnect.client import DataClient
    from algo.fastconnect.transport import open_client, trust
    from algo.live.core import front
    from algo.market import instrument_of
    from algo.model import Board, Kind

    found: dict[str, Instrument] = {}
    who = market.credentials
    service = DataClient(
        open_client(who.endpoints.data_url, trust(who.ca_file)),
        who.consumer_id,
        who.consumer_secret,
        wall=time.time_ns,
        random=random.random,
    )
    try:
        for symbol in symbols:
            one = front(symbol, local_date(market.now))
            if one.kind is not Kind.FUTURE:
                detail = await service.security(one.symbol)
                if detail is None:
                    raise SettingError(f"the data service knows no {symbol}")
                board = (detail.exchange or detail.market).upper()
                one = instrument_of(one.symbol, Board(board) if board in set(Board) else None)
            found[symbol] = one
    finally:
        await service.close()
    return found


def _tokens(who: Credentials, wishes: Wishes) -> Path | None:
    from algo.brokers.fctrading.connection import token_path

    return token_path(who) if wishes.credentials is not None or wishes.broker == LIVE else None


def _warm_days(wishes: Wishes, market: Market, live: LiveSettings) -> int:
    if wishes.warm_days is not None:
        return wishes.warm_days
    return 0 if market.stepped else live.warm_days


def _shown(wishes: Wishes, settings: Settings) -> dict[str, Any]:
    fees = settings.fees if isinstance(settings.fees, str) else "own"
    cash = settings.cash if isinstance(settings.cash, int) else dict(settings.cash)
    return {"broker": wishes.broker, "cash": cash, "fees": fees}
