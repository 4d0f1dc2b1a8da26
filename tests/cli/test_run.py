"""`algo run`: a paper run gives what a backtest gives, at any speed, with lines or a screen to watch it."""

import io
import itertools
import json
import signal
from pathlib import Path

import pytest
from rich.console import Console

from algo.backtest import Settings, load, prepare
from algo.cli import run as run_module
from algo.cli.dashboard import Screen, picture
from algo.cli.execution import Stop
from algo.loading import load_strategy
from tests.cli.conftest import CROSS, Command

HERE = ("cross.py", "--data", "VN30F1M", "--from", "2025-07-02", "--to", "2025-07-03")
TELLS = (
    CROSS
    + "        if bar.close > 0 and not self.state:\n            self.state['told'] = 1\n"
    + ("            self.notify('the first one')\n            self.buy(bar.symbol, 100_000)\n")
)


def test_it_gives_what_a_backtest_gives(market: Path, algo: Command) -> None:
    paper = algo("run", *HERE, "--speed", "0", "--json", "paper.json")
    assert paper.exit_code == 0
    assert algo("backtest", *HERE, "--json", "backtest.json").exit_code == 0
    assert Path("paper.json").read_bytes() == Path("backtest.json").read_bytes()
    assert "Net profit" in paper.stdout


def test_without_a_terminal_fills_days_refusals_and_messages_are_lines(market: Path, algo: Command) -> None:
    Path("tells.py").write_text(TELLS, encoding="utf-8")
    result = algo("run", "tells.py", *HERE[1:], "--speed", "0", "--json", "out.json")
    lines = result.stdout.splitlines()
    fills = [line for line in lines if line.startswith("2025-") and (" buy " in line or " sell " in line)]
    facts = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert len([line for line in fills if "refused" not in line]) == facts["stats"]["fills"]
    assert sum("the first one" in line for line in lines) == 1
    assert sum("refused: buy 100,000 VN30F1M: " in line for line in lines) == 1
    days = [line for line in lines if " ends   equity " in line]
    assert [line[:10] for line in days] == ["2025-07-02", "2025-07-03"]
    assert f"equity {facts['stats']['closing']:,} đ" in days[-1]


def test_ctrl_c_ends_it_with_the_summary(market: Path, algo: Command) -> None:
    Path("stops.py").write_text(
        CROSS.replace("from algo import", "import signal\nfrom algo import")
        + "        self.seen = getattr(self, 'seen', 0) + 1\n"
        + "        if self.seen == 100:\n            signal.raise_signal(signal.SIGINT)\n",
        encoding="utf-8",
    )
    result = algo("run", "stops.py", *HERE[1:], "--speed", "1e6", "--json", "out.json")
    assert result.exit_code == 130
    assert result.stderr == ""
    assert "interrupted" in result.stdout
    assert json.loads(Path("out.json").read_text(encoding="utf-8"))["stats"]["bars"] == 100


def test_the_second_ctrl_c_stops_at_once() -> None:
    stop = Stop("")
    stop.check()
    stop(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        stop.check()
    with pytest.raises(KeyboardInterrupt):
        stop(signal.SIGINT, None)


class Watch:
    """A clock that only moves when someone sleeps, in place of the time module."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Eye:
    """A view that notes when it was asked to show."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.seen = watch, list[float]()

    def show(self) -> None:
        self.seen.append(self.watch.now)


def test_market_time_passes_at_the_speed_and_nights_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    monkeypatch.setattr(run_module, "time", watch)
    minute = 60_000_000_000
    times = list(itertools.accumulate([0, minute, minute, 900 * minute, minute]))
    eye = Eye(watch)
    pace = run_module.Pace(times, 120.0, minute, eye, Stop(""))  # type: ignore[arg-type]
    for moment in range(len(times)):
        pace.wait(moment)
    assert watch.now - 100.0 == pytest.approx(4 * 0.5)
    assert max(b - a for a, b in itertools.pairwise(eye.seen)) <= 0.051
    fast = run_module.Pace(times, 0.0, minute, eye, Stop(""))  # type: ignore[arg-type]
    before = watch.now
    fast.wait(0)
    assert watch.now == before


def test_the_screen_shows_clock_positions_orders_fills_and_profit(market: Path) -> None:
    Path("tells.py").write_text(
        TELLS + "            self.buy(bar.symbol, 1, self.round_price(bar.symbol, bar.close * 0.95))\n",
        encoding="utf-8",
    )
    wired = prepare(load_strategy("tells.py"), load("VN30F1M", to="2025-07-02"), Settings())
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=50)
    with Screen(wired, 60.0, console) as screen:

        def watch(_: object) -> None:
            screen.show()
            if wired.simulation.moments == 200:
                raise KeyboardInterrupt

        wired.execute(watch=watch)
    plain = Console(file=io.StringIO(), width=100)
    plain.print(picture(wired, 60.0))
    text = plain.file.getvalue()  # type: ignore[attr-defined]
    for part in (
        "SmaCross", "Tue 2025-07-01 13:", "DERIVATIVES", "60 times as fast", "200 of 484 bars", "Equity",
        "Fees and taxes", "41I1F7000", "refused: buy 100,000", "the first one", "LO",
    ):  # fmt: skip
        assert part in text
    assert "Working orders\nnone" not in text
    assert "Positions\nnone" not in text
