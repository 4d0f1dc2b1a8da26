"""Quotes and trades replayed: what is told, what fills, and the files they come from."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from algo.clock import HOUR, MINUTE, SECOND, at
from algo.errors import DataError
from algo.model import Level, OrderFilled, OrderType, PlaceOrder, Quote, SessionChanged, Side, Trade
from algo.sandbox.source import Candle
from algo.sandbox.sources.ticks import TickReplay, holds_ticks, read_ticks
from algo.sandbox.tape import Told, What
from tests.generators.stepped import Overheard, quiet

MONDAY, TUESDAY = date(2026, 6, 8), date(2026, 6, 9)
CODE = "41I1G6000"


def trade(day: date, clock: time, price: float, quantity: int = 10, symbol: str = "FPT") -> Trade:
    return Trade(symbol, at(day, clock), price, quantity, 1)


def quote(day: date, clock: time, bid: float, ask: float, symbol: str = "FPT") -> Quote:
    return Quote(symbol, at(day, clock), (Level(bid, 100),), (Level(ask, 200),))


TICKS = [
    quote(MONDAY, time(9, 20), 99_000.0, 99_100.0),
    trade(MONDAY, time(9, 20, 30), 99_100.0, 300),
    trade(MONDAY, time(9, 20, 59), 99_000.0, 100),
    trade(MONDAY, time(14, 45), 99_500.0, 700),
    trade(TUESDAY, time(9, 30), 99_600.0),
]


def test_a_minute_is_made_of_its_trades() -> None:
    world = quiet(TickReplay(TICKS))
    world.advance(at(MONDAY, time(9, 21)))
    candles = [one for one in world.take() if isinstance(one, Candle)]
    assert [one.volume for one in candles] == [300, 400]
    assert candles[-1][3:] == (
        at(MONDAY, time(9, 20, 30)),
        99_100.0,
        99_100.0,
        99_000.0,
        99_000.0,
        400,
        39_630_000,
    )
    assert candles[-1].start == at(MONDAY, time(9, 20))
    assert world.tape.minutes("FPT", MONDAY, MONDAY) == [candles[-1]]


def test_the_next_day_s_limits_are_about_the_last_price() -> None:
    world = quiet(TickReplay(TICKS, references={"FPT": 98_000.0}))
    world.step()
    (limits,) = (one.state for one in world.take() if isinstance(one, Told))
    assert (limits.floor, limits.reference, limits.ceiling) == (91_200.0, 98_000.0, 104_800.0)
    world.advance(at(TUESDAY))
    assert world.tape.states["FPT"].reference == 99_500.0
    assert world.tape.states["FPT"].volume == 0
    assert [row.state.volume for row in world.tape.days["FPT"]] == [1100]


def test_an_upcom_reference_is_the_average() -> None:
    from algo.model import Board

    ticks = [
        trade(MONDAY, time(10), 10_000.0, 300),
        trade(MONDAY, time(11), 10_400.0, 100),
        trade(TUESDAY, time(10), 10_000.0),
    ]
    world = quiet(TickReplay(ticks, boards={"FPT": Board.UPCOM}))
    world.advance(at(TUESDAY))
    assert world.tape.states["FPT"].reference == 10_100.0


def test_an_order_for_the_closing_auction_trades_at_its_print_and_the_rest_of_the_day_expires() -> None:
    source = Overheard(TickReplay(TICKS))
    world = quiet(source)
    fpt = world.instruments["FPT"]
    world.advance(at(MONDAY, time(14, 35)))
    source.exchange.execute(PlaceOrder("1", "atc", "", fpt, Side.BUY, OrderType.ATC, 0, 100), world.now)
    source.exchange.execute(PlaceOrder("2", "lo", "", fpt, Side.BUY, OrderType.LO, 90_000, 100), world.now)
    world.advance(at(MONDAY, 23 * HOUR))
    events = [one for one in source.said if hasattr(one, "order_id")]
    assert [(type(one).__name__, one.order_id) for one in events] == [
        ("OrderFilled", "atc"),
        ("OrderExpired", "lo"),
    ]
    filled = events[0]
    assert isinstance(filled, OrderFilled)
    assert (filled.price, filled.ns) == (99_500, at(MONDAY, time(14, 45)))
    assert events[1].ns == at(MONDAY, time(14, 46))


def test_sessions_come_before_ticks_of_the_same_moment() -> None:
    source = Overheard(TickReplay(TICKS))
    world = quiet(source)
    world.advance(at(MONDAY, 23 * HOUR))
    closing = [one for one in source.said if one.ns == at(MONDAY, time(14, 45))]  # type: ignore[union-attr]
    assert isinstance(closing[0], SessionChanged)
    assert isinstance(closing[-1], Trade)
    assert [one.session for one in source.said if isinstance(one, SessionChanged)] == [
        "ATO", "LO", "BREAK", "LO", "ATC", "C",
    ]  # fmt: skip


def test_a_contract_is_settled_after_its_last_day() -> None:
    expiry, after = date(2026, 6, 18), date(2026, 6, 19)
    ticks = [
        trade(expiry, time(14, 45), 1_500.3, symbol=CODE),
        trade(after, time(9, 30), 1_502.0, symbol="41I1G7000"),
    ]
    source = Overheard(TickReplay(ticks))
    world = quiet(source)
    world.advance(at(after))
    (settled,) = (one for one in source.said if type(one).__name__ == "PositionSettled")
    assert (settled.instrument.symbol, settled.price) == (CODE, 15_003)  # type: ignore[union-attr]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_give_their_ticks_back(tmp_path: Path, suffix: str) -> None:
    table = pa.table(
        {
            "time": ["2026-06-08 09:20:00.250", "2026-06-08 09:20:30.000", "2026-06-08 14:45:00.000"],
            "symbol": ["FPT", "FPT", CODE],
            "price": [None, 99_100.0, 1_500.3],
            "quantity": [None, 300, 2],
            "side": [None, "B", "S"],
            "bid_price_1": [99_000.0, None, 1_500.2],
            "bid_quantity_1": [100, None, 5],
            "ask_price_1": [99_100.0, None, None],
            "ask_quantity_1": [200, None, None],
        }
    )
    path = tmp_path / f"ticks.{suffix}"
    if suffix == "csv":
        table.to_pandas().to_csv(path, index=False)
    else:
        pq.write_table(table, path)
    first = at(MONDAY, time(9, 20)) + SECOND // 4
    assert read_ticks(path) == [
        Quote("FPT", first, (Level(99_000.0, 100),), (Level(99_100.0, 200),)),
        Trade("FPT", at(MONDAY, time(9, 20, 30)), 99_100.0, 300, 1),
        Trade(CODE, at(MONDAY, time(14, 45)), 1_500.3, 2, -1),
        Quote(CODE, at(MONDAY, time(14, 45)), (Level(1_500.2, 5),), ()),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("time,price\n2026-06-08 09:20:00,1\n", "no column symbol"),
        ("time,symbol,price,quantity\nnever,FPT,1,1\n", "time of row 1"),
        ("time,symbol,price,quantity\n2026-06-08 09:20:00,FPT,dear,1\n", "price of row 1"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "ticks.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=reason):
        read_ticks(path)


def test_ticks_out_of_order_and_none_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="comes after a later one"):
        TickReplay([TICKS[1], TICKS[0]])
    with pytest.raises(DataError, match="no quotes or trades"):
        TickReplay([])


def test_a_quote_shows_in_the_state_and_a_halt_silences() -> None:
    world = quiet(TickReplay(TICKS))
    world.advance(at(MONDAY, time(9, 20)))
    assert world.tape.states["FPT"].asks == (Level(99_100.0, 200),)
    world.take()
    world.halt("FPT")
    world.advance(world.now + 5 * MINUTE)
    assert [one.what for one in world.take() if isinstance(one, Told)] == [What.STATUS]


def test_the_days_before_the_first_tell_its_limits() -> None:
    world = quiet(TickReplay(TICKS, day=TUESDAY))
    assert world.day == TUESDAY
    world.step()
    assert world.tape.states["FPT"].reference == 99_500.0
    assert world.source.calendar.is_trading_day(TUESDAY)
    with pytest.raises(DataError, match="from 2026-06-10 on"):
        TickReplay(TICKS, day=date(2026, 6, 10))


@pytest.mark.parametrize(
    ("header", "ticks"),
    [
        ("time,symbol,price,quantity", True),
        ("Time,Symbol,Bid_Price_1,Bid_Quantity_1", True),
        ("time,open,high,low,close,volume", False),
        ("time,symbol,price,quantity,open,high,low,close", False),
        ("time,symbol", False),
    ],
)
def test_files_of_ticks_are_told_from_files_of_bars(tmp_path: Path, header: str, ticks: bool) -> None:
    path = tmp_path / "data.csv"
    path.write_text(header + "\n" + ",".join("1" for _ in header.split(",")) + "\n")
    assert holds_ticks(path) is ticks
