"""A target that the day's band cannot reach does not take the stop with it."""

from datetime import date

from algo import Bar, Strategy, testing
from algo.data import Series, join


class Bracket(Strategy):
    """Long on the second day, with a stop near and a target above the day's ceiling."""

    symbol: str = "VN30F1M"

    def on_bar(self, bar: Bar) -> None:
        band = self.band(self.symbol)
        if band and not self.portfolio.fills and not self.orders:
            self.buy(self.symbol, 1, stop_loss=bar.close - 5, take_profit=band[1] + 10)


def two_days(last: float) -> Series:
    """A quiet day, and one that ends at `last`."""
    quiet = testing.bars([1200.0] * 5, start=date(2024, 1, 2))
    moving = testing.along([1200.0, last], 10, start=date(2024, 1, 3))
    return join([quiet, moving])


def test_the_stop_works() -> None:
    result = testing.play(Bracket, two_days(1180.0))
    testing.assert_no_refusals(result)
    assert result.trades.exit_reason.tolist() == ["stop_loss"]


def test_the_target_waits() -> None:
    result = testing.play(Bracket, two_days(1280.0))
    testing.assert_no_refusals(result)
    testing.assert_position(result, "VN30F1M", 1)
    assert result.fills.side.tolist() == ["buy"]
