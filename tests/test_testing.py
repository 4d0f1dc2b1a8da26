"""What users test with: bars inside the sessions, scripts that can be worked out by hand, clear failures."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo import Strategy, StrategyError, sma, testing
from algo.clock import DAY, local_date
from algo.data.checks import check
from algo.errors import SettingError
from algo.market import VIETNAM, Session, session_at
from algo.model import Board


class Once(Strategy):
    """Buys on the first bar and sells on the fourth."""

    symbol: str = "VN30F1M"
    quantity: int = 1

    def on_bar(self, bar: Any) -> None:
        count = len(self.bars(bar.symbol))
        if count == 1:
            self.buy(bar.symbol, self.quantity)
        if count == 4:
            self.close(bar.symbol)


class Maker(Strategy):
    """Bids one tick under the best bid, and notes what it hears."""

    symbol: str = "VN30F1M"

    def on_start(self) -> None:
        self.heard: list[str] = []
        self.bid: Any = None

    def on_quote(self, quote: Any) -> None:
        self.heard.append(f"quote {quote.bid} {quote.ask}")
        if self.bid is None:
            self.bid = self.buy(quote.symbol, 2, quote.bid - 0.1)

    def on_trade(self, trade: Any) -> None:
        self.heard.append(f"trade {trade.price}")

    def on_fill(self, fill: Any) -> None:
        self.heard.append(f"fill {fill.quantity}")

    def on_stop(self) -> None:
        self.notify("; ".join(self.heard))


@given(
    st.lists(st.integers(1_000, 2_000), min_size=1, max_size=600),
    st.sampled_from(["1m", "5m", "15m", "1d"]),
    st.sampled_from(["VN30F1M", "FPT"]),
    st.dates(date(2022, 1, 1), date(2026, 6, 1)),
)
def test_bars_lie_in_continuous_sessions_and_follow_each_other(
    closes: list[int], width: str, symbol: str, start: date
) -> None:
    scale = 10 if symbol == "VN30F1M" else 1 / 100
    made = testing.bars([close / scale for close in closes], symbol=symbol, width=width, start=start)
    assert made.close.tolist() == [close / scale for close in closes]
    assert made.open.tolist()[1:] == made.close.tolist()[:-1]
    assert local_date(int(made.start[0])) >= start
    assert made.board is (Board.DERIVATIVES if symbol == "VN30F1M" else Board.HOSE)
    if made.width < DAY:
        for begin, end in zip(made.start.tolist(), made.time.tolist(), strict=True):
            assert session_at(made.board, begin, VIETNAM) is Session.LO
            assert session_at(made.board, end - 1, VIETNAM) is Session.LO
    kinds = {one.kind for one in check(made)}
    assert not kinds & {
        "bar outside the sessions",
        "bar on a closed day",
        "missing day",
        "price off the tick",
    }


def test_a_path_goes_through_its_points_on_the_tick() -> None:
    made = testing.along([1200, 1201, 1199.5], steps=3)
    assert made.close.tolist() == [1200, 1200.3, 1200.7, 1201, 1200.5, 1200, 1199.5]


def test_candles_are_as_given() -> None:
    made = testing.candles(
        [(10_000, 10_500, 9_900, 10_100), (10_100, 10_100, 10_000, 10_000, 700)], symbol="FPT"
    )
    assert made.high.tolist() == [10_500, 10_100]
    assert made.volume.tolist() == [testing.VOLUME, 700]


@pytest.mark.parametrize(
    "make",
    [
        lambda: testing.candles([]),
        lambda: testing.candles([(1, 2, 3)]),
        lambda: testing.along([1200]),
        lambda: testing.along([1200, 1201], steps=0),
        lambda: testing.bars([1200] * 3, width="4h"),
        lambda: testing.bars([1200], symbol="?"),
    ],
)
def test_bars_that_cannot_be_made(make: Any) -> None:
    with pytest.raises(SettingError):
        make()


def test_a_script_can_be_worked_out_by_hand() -> None:
    made = testing.bars([1200, 1202, 1204, 1206, 1208])
    result = testing.play(Once, made, {"quantity": 2})
    # Bought at the second bar's open, 1200; sold at the fifth's, 1206.
    testing.assert_trades(result, [("long", 2, 1200.0, 1206.0)])
    testing.assert_flat(result)
    testing.assert_no_refusals(result)
    assert result.stats["net_profit"] == 2 * 6 * 100_000


def test_settings_and_several_symbols() -> None:
    series = {
        "FPT": testing.bars([100_000] * 6, symbol="FPT"),
        "VN30F1M": testing.candles([(1200, 1201, 1199, 1200)] * 6),
    }
    result = testing.play(Once, series, fees="vietnam", slippage=2)
    testing.assert_trades(result, [("long", 1, 1200.2, 1199.8)])
    assert result.stats["fees"] > 0
    assert result.stats["opening"] == 2_000_000_000


def test_quotes_and_trades_come_between_bars() -> None:
    made = testing.bars([1200.0] * 4)
    script = {
        1: [testing.quote(1200.0, 1200.2)],
        2: [testing.trade(1199.9), testing.trade(1199.8, 1), testing.quote(1199.7, 1199.8, 1)],
    }
    result = testing.play(Maker, made, between=script)
    # Through its limit of 1199.9 goes one contract; the offer at 1199.8 comes to the other, at its price.
    told = ["quote 1200.0 1200.2", "trade 1199.9", "fill 1", "trade 1199.8", "fill 1", "quote 1199.7 1199.8"]
    assert [text for _, text in result.messages] == ["; ".join(told)]
    testing.assert_position(result, "VN30F1M", 2)
    assert result.fills["price"].tolist() == [1199.9, 1199.9]
    assert result.equity.iloc[-1] - result.equity.iloc[0] == (1 + 1) * 10_000


def test_what_a_strategy_raises_comes_out_with_its_result() -> None:
    class Raises(Strategy):
        def on_bar(self, bar: Any) -> None:
            raise RuntimeError("no")

    with pytest.raises(StrategyError, match="no") as caught:
        testing.play(Raises, testing.bars([1200, 1201]))
    assert caught.value.result.stats["bars"] == 1


def failure(assertion: Any, *arguments: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assertion(*arguments)
    return str(caught.value)


def test_failures_say_what_there_was() -> None:
    made = testing.bars([1200, 1202, 1204, 1206, 1208])
    result = testing.play(Once, made)
    text = failure(testing.assert_trades, result, [("short", 1)])
    assert "expected the trades [('short', 1)]" in text
    assert "('long', 1, 1200.0, 1206.0)" in text
    assert "2 filled" in text
    assert "but there were" in failure(testing.assert_trades, result, [])
    assert "but it is 0" in failure(testing.assert_position, result, "VN30F1M", 3)
    held = testing.play(Once, made.take(slice(0, 3)))
    assert "expected to hold 0 VN30F1M" in failure(testing.assert_flat, held)
    refused = testing.play(Once, made, {"quantity": 9_999})
    said = failure(testing.assert_no_refusals, refused)
    assert said.startswith("1 orders were refused: ")
    testing.assert_refused(refused, said.partition(": ")[2])
    assert "none was" in failure(testing.assert_refused, result, "lot")
    assert "to be refused because of 'moon'" in failure(testing.assert_refused, refused, "moon")


class Peeks(Strategy):
    symbol: str = "VN30F1M"

    def on_start(self) -> None:
        self.level = self.indicator(lambda close: close / close.max(), self.symbol)
        self.mean = self.indicator(sma, self.symbol, 3)


def test_look_ahead_is_an_assertion_too() -> None:
    made = testing.along([1200, 1220, 1180, 1260], steps=10)
    testing.assert_no_look_ahead(Once, made)
    assert "it looks ahead: <lambda>() of VN30F1M" in failure(testing.assert_no_look_ahead, Peeks, made)
