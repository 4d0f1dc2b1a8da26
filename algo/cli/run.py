"""``algo run``: trading where one can watch it, on paper over files, in a sandbox or live."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algo.cli import options
from algo.cli.broker import CredentialsFile
from algo.cli.options import described

if TYPE_CHECKING:
    from algo.cli.dashboard import View
    from algo.cli.execution import Stop

_SLICE = 0.05  # seconds: how soon Ctrl-C is answered and the screen renewed while nothing happens


def run(
    strategy: options.StrategyName,
    data: options.Data = None,
    speed: Annotated[
        float, typer.Option(help="Seconds of market time in one of yours; 0 is as fast as possible.")
    ] = 60.0,
    broker: Annotated[str, typer.Option(help="Where orders go: paper, sandbox or live.")] = "paper",
    credentials: CredentialsFile = None,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="TOML", help="Limits, controls, alerts: required for live. See docs/live.md."),
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the run is recorded, to go on after a stop.")
    ] = None,
    warm_days: Annotated[
        int | None, typer.Option(metavar="DAYS", help="Days of history to begin with, sandbox and live (10).")
    ] = None,
    assume_open: Annotated[
        bool, typer.Option("--assume-open", help="Trade on a day that the calendar only guesses.")
    ] = False,
    from_: options.From = None,
    to: options.To = None,
    symbol: options.Symbol = None,
    unit: options.Unit = None,
    adjusted: options.Adjusted = None,
    board: options.Board = None,
    stamp: options.Stamp = None,
    width: options.Width = None,
    columns: options.Columns = None,
    actions: options.Actions = None,
    parameters: options.Parameters = None,
    cash: options.Cash = None,
    fill: options.Fill = None,
    slippage: options.Slippage = None,
    limit: options.Limit = None,
    participation: options.Participation = None,
    fees: options.Fees = None,
    margin: options.Margin = None,
    json: options.Json = None,
    report: options.Report = None,
) -> None:
    """Trade, and watch it: on paper over files, in a sandbox, or live.

    On paper, nights, lunch breaks and holidays take as long as one bar. A sandbox of its own replays
    the data through SSI's protocol; with --credentials it is one that runs already. Live trades for
    real, with limits, until the close. Ctrl-C ends the run and shows what it gave. Without a terminal,
    each fill, refusal and day is a line.

    \b
    Examples:
      algo run strategies/sma_cross.py --data VN30F1M
      algo run strategies/sma_cross.py --data VN30F1M --from 2025-12-01 --speed 600
      algo run mine.py --data FPT --data HPG --speed 0 --report paper.html
      algo run strategies/sma_cross.py --broker sandbox --data VN30F1M --speed 0
      algo run mine.py --broker live --settings live.toml
    """
    from algo.cli import dashboard, execution, screens
    from algo.errors import SettingError

    if broker not in ("paper", "sandbox", "live"):
        raise SettingError(f"there is no broker {broker!r}: choose paper, sandbox or live")
    if not 0 <= speed < float("inf"):
        raise SettingError(f"speed is 0 (as fast as possible) or above, not {speed:g}")
    experiment = described(strategy, locals())
    console = screens.console(stderr=experiment.json == "-")
    if broker != "paper":
        from algo.cli import live

        wishes = live.Wishes(broker, speed, credentials, journal, settings, assume_open, warm_days)
        live.trade(experiment, wishes, console)
        return
    wired = execution.prepared(experiment)
    width_ns = min(one.width for one in wired.feed.series.values())
    with execution.stoppable() as stop, dashboard.view_of(wired, speed, console) as view:
        pace = Pace(wired.feed.times.tolist(), speed, width_ns, view, stop)
        with execution.kept_clear(experiment):
            result = wired.execute(watch=lambda _: pace.wait(wired.simulation.moments - 1))
    execution.finish(result, wired, experiment, console)


class Pace:
    """Makes market time pass at `speed`: waits after each moment until the next one is due.

    A stretch without bars that is longer than one bar counts as one bar.
    """

    def __init__(self, times: list[int], speed: float, width: int, view: View, stop: Stop) -> None:
        self._times, self._speed, self._width = times, speed * 1e9, width
        self._view, self._stop = view, stop
        self._due = time.monotonic()

    def wait(self, moment: int) -> None:
        """Show the moment of this number and wait for the next one."""
        self._view.show()
        self._stop.check()
        if self._speed and moment + 1 < len(self._times):
            gap = min(self._times[moment + 1] - self._times[moment], self._width)
            self._due += gap / self._speed
        while (left := self._due - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))
            self._stop.check()
            self._view.show()
