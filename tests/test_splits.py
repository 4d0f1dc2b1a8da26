"""What a split does to what protects a position."""

from datetime import date

from algo.clock import at
from algo.data.series import join
from algo.errors import DataError
from algo.model import CorporateAction
from tests.generators.markets import FUTURE, SHARE, flat, minutes, played, scripted
from tests.generators.runs import DAYS


def test_an_exit_follows_a_split() -> None:
    days = [minutes(SHARE, flat(50_000, 4), day=DAYS[k]) for k in range(3)]
    days += [minutes(SHARE, flat(25_000, 4), day=DAYS[k]) for k in range(3, 5)]
    action = CorporateAction(at(DAYS[3]), SHARE, ratio_new=2, ratio_old=1)
    plan = {2: lambda s, b: s.buy(SHARE, 100, stop_loss=45_000, take_profit=53_000)}
    strategy, result = played(scripted(plan), join(days), actions=[action])
    assert strategy.position(SHARE).quantity == 200
    (exit_,) = [o for o in result._orders if o.parent]
    assert (exit_.quantity, exit_.price, exit_.trigger.price) == (200, 26_500, 22_500)
    assert exit_.held_by == "engine"


def test_bars_of_two_widths_are_refused() -> None:
    import pytest

    from algo import backtest
    from algo.data import widen
    from algo.data.widths import parse_width

    narrow = minutes(SHARE, flat(50_000, 240), day=date(2023, 3, 1))
    wide = widen(minutes(FUTURE, flat(1_200, 240), day=date(2023, 3, 1)), parse_width("15m"))
    with pytest.raises(DataError, match="one width"):
        backtest(scripted({}), {SHARE: narrow, FUTURE: wide}, cash={"equity": 10**9, "derivatives": 10**9})
