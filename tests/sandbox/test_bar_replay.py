"""A stepped replay of bars gives the fills of a backtest, one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from algo.backtest import Settings, prepare
from algo.brokers.paper import FillRules
from algo.clock import DAY, MINUTE, at, local_date
from algo.data import Series, synthetic, widen
from algo.errors import DataError
from algo.model import Account, OrderType
from algo.sandbox.source import Candle, Stop
from algo.sandbox.sources.bars import BarReplay
from algo.sandbox.tape import Told, What
from strategies.mean_reversion_t2 import MeanReversionT2
from strategies.monthly_rebalance import MonthlyRebalance
from strategies.opening_range_breakout import OpeningRangeBreakout
from strategies.sma_cross import SmaCross
from strategies.two_sided_quoter import TwoSidedQuoter
from tests.generators.stepped import BrokeredClient, SteppedClient, quiet
from tests.generators.traders import RandomTrader

MARKET = synthetic.make(days=70, seed=5)
FUTURE = MARKET["VN30F1M"]
SHARES = {name: MARKET[name] for name in ("FPT", "HPG", "VCB")}
CASH = {"equity": 10**12, "derivatives": 10**12}


def both(
    strategy: Any, data: dict[str, Series], rules: FillRules | None = None, **parameters: Any
) -> tuple[list[Any], list[Any], SteppedClient]:
    """The fills of a backtest, those of a stepped replay, and the client of it."""
    given = Settings(cash=CASH, rules=rules or FillRules())
    backtested = prepare(strategy, data, given, parameters)
    backtested.execute()
    client = SteppedClient(
        stepped := prepare(strategy, data, given, parameters), BarReplay(data, rules=given.rules)
    )
    client.play()
    return backtested.ledger.fills, stepped.ledger.fills, client


@pytest.mark.parametrize(
    ("strategy", "data", "least"),
    [
        (SmaCross, {"VN30F1M": widen(FUTURE, "15m")}, 30),
        (TwoSidedQuoter, {"VN30F1M": widen(FUTURE, "5m")}, 300),
        (OpeningRangeBreakout, {"VN30F1M": widen(FUTURE, "5m")}, 30),
        (MeanReversionT2, {"HPG": widen(SHARES["HPG"], "15m")}, 5),
        (MonthlyRebalance, {name: widen(one, "1d") for name, one in SHARES.items()}, 3),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_examples_trade_as_in_a_backtest(strategy: Any, data: dict[str, Series], least: int) -> None:
    backtested, stepped, _ = both(strategy, data)
    assert stepped == backtested
    assert len(backtested) >= least


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    seed=st.integers(0, 10**6),
    symbol=st.sampled_from(["VN30F1M", "HPG"]),
    width=st.sampled_from(["5m", "15m", "1d"]),
    limit=st.sampled_from(["through", "touch"]),
)
def test_whatever_a_strategy_does_it_trades_as_in_a_backtest(
    seed: int, symbol: str, width: str, limit: Any
) -> None:
    data = {symbol: widen(MARKET[symbol], width)}
    backtested, stepped, _ = both(RandomTrader, data, FillRules(limit=limit), symbol=symbol, seed=seed)
    assert stepped == backtested


def test_orders_that_trade_at_the_close_do_so_in_a_replay() -> None:
    # Without timers: one due at the very end of a bar acts after it, and could not be told from the bar's.
    backtested, stepped, _ = both(SmaCross, {"VN30F1M": widen(FUTURE, "15m")}, FillRules(fill="close"))
    assert stepped == backtested
    assert backtested


def test_stops_come_in_the_order_of_time_and_the_last_is_the_end() -> None:
    world = quiet(BarReplay(SHARES | {"VN30F1M": FUTURE.between(to="2025-07-10")}))
    stops: list[Stop] = []
    while (stop := world.step()) is not None:
        assert world.now == stop.ns
        stops.append(stop)
    assert stops == sorted(stops, key=lambda stop: stop.ns)
    assert [stop.kind for stop in stops].count("end") == 1
    assert stops[-1].kind == "end"
    assert world.next_stop() is None
    world.advance(world.now + DAY)
    assert world.now == stops[-1].ns + DAY


def test_advancing_is_stepping() -> None:
    data = {"VN30F1M": FUTURE.between(to="2025-07-03")}
    stepped, advanced = quiet(BarReplay(data)), quiet(BarReplay(data))
    while stepped.step() is not None:
        pass
    ns = advanced.now
    while advanced.next_stop() is not None:
        ns += 7 * MINUTE
        advanced.advance(ns)
        assert advanced.now == ns
    assert advanced.take() == stepped.take()


def test_a_replay_from_a_day_knows_its_limits_and_its_past() -> None:
    day = local_date(int(FUTURE.start[len(FUTURE) // 2]))
    world = quiet(BarReplay({"VN30F1M": FUTURE}, day=day))
    assert world.day == day
    (stop,) = [world.step()]
    assert stop == (at(day), "day")
    (told,) = world.take()
    assert isinstance(told, Told)
    assert told.what is What.LIMITS
    before = FUTURE.between(to=day - timedelta(days=1))
    assert told.state.reference == before.close[-1]
    assert 0 < told.state.floor < told.state.reference < told.state.ceiling
    code = world.code("VN30F1M")
    yesterday = local_date(int(before.start[-1]))
    assert [bar.close for bar in world.source.past.candles("VN30F1M", yesterday, day)] == list(
        before.between(yesterday).close
    )
    assert world.source.past.candles(code, day, day) == ()
    assert list(world.source.past.days("VN30F1M", day, 1)) == [yesterday]


def test_a_roll_changes_the_code_that_trades() -> None:
    world = quiet(BarReplay({"VN30F1M": FUTURE}))
    codes: list[str] = []
    while world.step() is not None:
        (code,) = world.instruments
        assert world.code("VN30F1M") == code
        assert {one.state.symbol for one in world.take() if isinstance(one, Told)} <= {code}
        if code not in codes[-1:]:
            codes.append(code)
    assert FUTURE.contract is not None
    assert codes == list(dict.fromkeys(FUTURE.contract))
    assert len(codes) > 2


def test_a_halted_instrument_says_nothing_but_that() -> None:
    world = quiet(BarReplay({name: one.between(to="2025-07-02") for name, one in SHARES.items()}))
    world.advance(int(SHARES["FPT"].time[20]))
    world.take()
    world.halt("FPT")
    (halt,) = world.take()
    assert isinstance(halt, Told)
    assert (halt.what, halt.state.status) == (What.STATUS, "H")
    world.advance(world.now + 30 * MINUTE)
    said = [one.symbol for one in world.take() if isinstance(one, Candle)]
    assert "FPT" not in said
    assert "HPG" in said
    world.halt("FPT", False)
    world.advance(world.now + 30 * MINUTE)
    assert any(one.symbol == "FPT" for one in world.take() if isinstance(one, Candle))


def test_a_day_after_the_data_is_refused() -> None:
    with pytest.raises(DataError):
        BarReplay({"VN30F1M": FUTURE}, day=local_date(int(FUTURE.time[-1])) + timedelta(days=1))


@pytest.mark.parametrize(
    ("strategy", "data"),
    [
        (SmaCross, {"VN30F1M": widen(FUTURE, "15m")}),
        (TwoSidedQuoter, {"VN30F1M": widen(FUTURE, "5m")}),
        (OpeningRangeBreakout, {"VN30F1M": widen(FUTURE, "5m")}),
        (MeanReversionT2, {"HPG": widen(SHARES["HPG"], "15m")}),
        (MonthlyRebalance, {name: widen(one, "1d") for name, one in SHARES.items()}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_through_the_broker_the_examples_trade_as_in_a_backtest(
    strategy: Any, data: dict[str, Series]
) -> None:
    """Requests and statements instead of commands and events.

    A market order in the closing auction is an ATC order to the broker. It trades at the same price, but is
    told when the auction's bar is complete, where a backtest dates it at the bar's beginning.
    """
    given = Settings(cash=CASH)
    backtested = prepare(strategy, data, given, {})
    backtested.execute()
    client = BrokeredClient(
        stepped := prepare(strategy, data, given, {}),
        BarReplay(data),
        {Account.EQUITY: "1234561", Account.DERIVATIVES: "1234568"},
        10**12,
    )
    client.play()
    pairs = list(zip(backtested.ledger.fills, stepped.ledger.fills, strict=True))
    orders = {order.order_id: order for order in backtested.engine.manager.every}
    for one, other in pairs:
        assert (one.order_id, one.instrument, one.side, one.units, one.quantity) == (
            other.order_id, other.instrument, other.side, other.units, other.quantity,
        )  # fmt: skip
        order = orders.get(one.order_id)  # a settlement has none
        auction = order is not None and order.wire_type in (OrderType.ATO, OrderType.ATC)
        assert one.ns == other.ns or (auction and one.ns < other.ns)
    assert pairs
